//! `/events`: what changed, pushed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::stream;
use serde::Deserialize;
use steplog_model::{Entity, Project};
use steplog_protocol::RunsEvent;

use crate::error::ApiError;
use crate::extract::QueryParameters;
use crate::live::Event;
use crate::state::ServerState;

/// How often a comment shows a quiet connection to be alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
pub(super) struct Parameters {
    project: Option<String>,
}

/// Server-sent events: `runs` and `artifacts` with what changed, at most every 100 ms, and `resync` when events were lost.
#[utoipa::path(
    get, path = "/events", tag = "events",
    params(("project" = Option<String>, Query, description = "`entity/project`; all projects when absent.")),
    responses((status = 200, description = "Events named `runs` carry this shape, those named `artifacts` an `ArtifactsEvent`.", body = RunsEvent, content_type = "text/event-stream"))
)]
pub(super) async fn watch_events(
    State(state): State<ServerState>,
    QueryParameters(parameters): QueryParameters<Parameters>,
) -> Result<impl IntoResponse, ApiError> {
    if let Some(project) = &parameters.project {
        let (entity, project) =
            project.split_once('/').ok_or_else(|| ApiError::invalid("`project` must be of the form entity/project"))?;
        entity.parse::<Entity>()?;
        project.parse::<Project>()?;
    }
    let watcher = state.live().watch(parameters.project);
    let events = stream::unfold((watcher, state.stopping()), |(mut watcher, mut stopping)| async {
        let event = tokio::select! {
            event = watcher.next() => event?,
            _ = stopping.wait_for(|stopping| *stopping) => return None,
        };
        let event = match event {
            Event::Runs(json) => sse::Event::default().event("runs").data(json),
            Event::Artifacts(json) => sse::Event::default().event("artifacts").data(json),
            Event::Resync => sse::Event::default().event("resync").data("{}"),
        };
        Some((Ok::<_, Infallible>(event), (watcher, stopping)))
    });
    // Proxies that gather answers before they pass them on are asked not to.
    let headers = [("x-accel-buffering", "no")];
    Ok((headers, Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))))
}
