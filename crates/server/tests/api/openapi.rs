//! The OpenAPI document in the repository, which the UI's types are made from, is the one that the routes make.

use std::path::Path;

#[test]
fn the_document_in_the_repository_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let document = steplog_server::openapi_json();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &document).expect("the repository can be written");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == document, "crates/server/openapi.json is stale: run this test with UPDATE_OPENAPI=1");
}
