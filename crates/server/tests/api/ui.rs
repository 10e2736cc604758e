//! The page and its assets.

use crate::support::TestServer;

#[test]
fn every_path_of_the_ui_answers_the_page() {
    let server = TestServer::start();
    let page = server.client().get("//");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for path in ["//login", "//ada/digits", "//ada/digits/runs/r1", "//ada/digits?x=1", "//index.html", "//apidocs"] {
        let answer = server.client().get(path);
        assert_eq!((answer.status, &answer.body), (200, &page.body), "{path}");
        assert_ne!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
    }
    assert_eq!(server.client().send("POST", "//", "", Vec::new()).error().0, 405);
    assert_eq!(server.client().get("//assets/gone-1234.js").status, 404, "a page must not stand in for a script");
    assert_eq!(server.client().get("//api/nothing").error().0, 404);
}

#[test]
fn assets_are_cached_for_ever_and_the_page_is_asked_for_again() {
    let server = TestServer::start();
    let page = server.client().get("//");
    let Some(asset) = page.text().split(['"', '\'']).find(|text| text.starts_with("/assets/")).map(str::to_owned)
    else {
        eprintln!("skipped: the UI is not built");
        return;
    };
    let script = server.client().get(&format!("/{asset}"));
    assert_eq!((script.status, script.header("cache-control")), (200, "public, max-age=31536000, immutable"));
    for path in [format!("/{asset}"), "//".into()] {
        let tag = server.client().get(&path).header("etag").to_owned();
        let again = server.client().with("if-none-match", tag.clone()).get(&path);
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, &*tag), "{path}");
    }
    assert_eq!(page.header("cache-control"), "no-cache");
}
