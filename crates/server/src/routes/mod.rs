//! The routes of the API, a file per resource, each with who may call it.

mod alert;
mod alert_channel;
mod api_key;
mod artifact;
mod artifact_collection;
mod artifact_diff;
mod artifact_file;
mod artifact_lineage;
mod artifact_link;
mod artifact_verification;
mod blob;
mod console;
mod document;
mod download;
mod event;
mod file;
mod history;
mod ingest;
mod key;
mod project;
mod run;
mod series;
mod session;
mod system;
mod user;

pub use document::openapi_json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, Info, License, OpenApi, OpenApiBuilder, Paths};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Access;
use crate::state::ServerState;

/// The API below `/api/v1`, with the document that describes it.
pub(crate) fn api() -> OpenApiRouter<ServerState> {
    let routes = OpenApiRouter::default()
        .routes(Access::Public.routes(routes!(session::read_session, session::log_in, session::log_out)))
        .routes(Access::Admin.routes(routes!(user::list_users, user::create_user)))
        .routes(Access::Admin.routes(routes!(user::delete_user)))
        .routes(Access::Account.routes(routes!(api_key::list_api_keys, api_key::create_api_key)))
        .routes(Access::Account.routes(routes!(api_key::delete_api_key)))
        .routes(Access::Read.routes(routes!(project::list_projects)))
        .routes(Access::Read.routes(routes!(run::query_runs)))
        .routes(Access::Read.routes(routes!(run::read_run)))
        .routes(Access::Read.routes(routes!(run::read_resume_point)))
        .routes(Access::Write.routes(routes!(run::update_run, run::delete_run)))
        .routes(Access::Read.routes(routes!(history::read_history)))
        .routes(Access::Read.routes(routes!(system::read_system)))
        .routes(Access::Read.routes(routes!(console::read_console)))
        .routes(Access::Read.routes(routes!(console::query_console)))
        .routes(Access::Read.routes(routes!(file::list_files)))
        .routes(Access::Read.routes(routes!(file::read_file)))
        .routes(Access::Write.routes(routes!(file::put_file, file::delete_file)))
        .routes(Access::Write.routes(routes!(blob::read_blob_status, blob::put_part)))
        .routes(Access::Write.routes(routes!(blob::query_missing_blobs)))
        .routes(Access::Write.routes(routes!(blob::post_pack)))
        .routes(Access::Read.routes(routes!(artifact_collection::list_collections_of_entity)))
        .routes(Access::Read.routes(routes!(artifact_collection::list_collections)))
        .routes(Access::Read.routes(routes!(artifact_collection::read_collection)))
        .routes(
            Access::Write
                .routes(routes!(artifact_collection::update_collection, artifact_collection::delete_collection)),
        )
        .routes(Access::Read.routes(routes!(artifact::list_artifacts)))
        .routes(Access::Write.routes(routes!(artifact::commit_artifact)))
        .routes(Access::Read.routes(routes!(artifact::read_artifact)))
        .routes(Access::Write.routes(routes!(artifact::update_artifact, artifact::delete_artifact)))
        .routes(Access::Read.routes(routes!(artifact::read_artifact_by_digest)))
        .routes(Access::Read.routes(routes!(artifact_file::read_manifest)))
        .routes(Access::Read.routes(routes!(artifact_file::list_entries)))
        .routes(Access::Read.routes(routes!(artifact_file::read_artifact_file)))
        .routes(Access::Read.routes(routes!(artifact_diff::read_diff)))
        .routes(Access::Read.routes(routes!(artifact_lineage::read_lineage)))
        .routes(Access::Read.routes(routes!(artifact_lineage::list_runs_of_artifact)))
        .routes(Access::Read.routes(routes!(artifact_lineage::read_run_artifacts)))
        .routes(Access::Write.routes(routes!(artifact_verification::verify_artifact)))
        .routes(Access::Write.routes(routes!(artifact_link::link_artifact)))
        .routes(Access::Read.routes(routes!(key::query_keys)))
        .routes(Access::Read.routes(routes!(series::query_series)))
        .routes(Access::Read.routes(routes!(alert::query_alerts)))
        .routes(Access::Write.routes(routes!(alert_channel::list_alert_channels, alert_channel::create_alert_channel)))
        .routes(Access::Write.routes(routes!(alert_channel::update_alert_channel, alert_channel::delete_alert_channel)))
        .routes(Access::Write.routes(routes!(alert_channel::test_alert_channel)))
        .routes(Access::Write.routes(routes!(alert::send_again)))
        .routes(Access::Read.routes(routes!(event::watch_events)))
        .routes(Access::Write.routes(routes!(ingest::read_offset, ingest::ingest)))
        .routes(Access::Public.routes(routes!(document::read_document)));
    OpenApiRouter::with_openapi(frame()).nest("/api/v1", routes)
}

/// The OpenAPI document, made from the routes as they are registered.
pub(crate) fn document() -> OpenApi {
    api().into_openapi()
}

fn frame() -> OpenApi {
    let mut info = Info::new("steplog", env!("CARGO_PKG_VERSION"));
    info.description = Some("Runs of machine-learning experiments: send them, watch them, query them.".into());
    info.license = Some(License::new("Apache-2.0"));
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API key.")).build();
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("steplog_session")));
    let components = ComponentsBuilder::new()
        .security_scheme("api_key", SecurityScheme::Http(key))
        .security_scheme("session", cookie)
        .build();
    OpenApiBuilder::new().info(info).paths(Paths::new()).components(Some(components)).build()
}
