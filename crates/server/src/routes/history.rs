//! `/runs/…/history`: the rows of a run as a file, streamed.

use std::io::Write;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Deserialize;
use steplog_store::{ExportSelection, Store};

use crate::error::ApiError;
use crate::extract::{QueryParameters, RunInPath};
use crate::routes::document;
use crate::routes::download::{TableFormat, file_name, stream_file};
use crate::state::ServerState;

#[derive(Deserialize)]
pub(super) struct Parameters {
    format: TableFormat,
    keys: Option<String>,
    required: Option<String>,
    from_step: Option<i64>,
    to_step: Option<i64>,
    limit: Option<u32>,
    samples: Option<u32>,
}

/// The rows of a run by step, as a file.
#[utoipa::path(
    get, path = "/runs/{entity}/{project}/{run}/history", tag = "runs",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("format" = String, Query, description = "`parquet`, `csv`, `jsonl` or `arrow`."),
        ("keys" = Option<String>, Query, description = "Keys, joined by commas; or a JSON list, for keys with commas. All when absent."),
        ("required" = Option<String>, Query, description = "Keys as in `keys`: only rows that have a value of each of them. A key that the run does not have leaves no row."),
        ("from_step" = Option<i64>, Query, description = "Lowest step."),
        ("to_step" = Option<i64>, Query, description = "Highest step."),
        ("limit" = Option<u32>, Query, description = "Only so many rows, from the lowest step: 1 to 1,000,000."),
        ("samples" = Option<u32>, Query, description = "At most so many rows all over the steps, 1 to 1,000,000, chosen so that every key's extremes show. More only when many keys need them. Not together with `limit`."),
    ),
    responses((status = 200, description = "The file.", body = document::Bytes, content_type = "application/octet-stream"))
)]
pub(super) async fn read_history(
    State(state): State<ServerState>,
    RunInPath(path): RunInPath,
    QueryParameters(parameters): QueryParameters<Parameters>,
) -> Result<impl IntoResponse, ApiError> {
    let (format, media_type, extension) = parameters.format.parts();
    let selection = ExportSelection {
        keys: parameters.keys.as_deref().map(|keys| split_keys("keys", keys)).transpose()?,
        required: parameters.required.as_deref().map_or(Ok(Vec::new()), |keys| split_keys("required", keys))?,
        from_step: parameters.from_step,
        to_step: parameters.to_step,
        limit: parameters.limit,
        samples: parameters.samples,
    };
    let disposition = format!("attachment; filename=\"{}\"", file_name(&path, extension));
    let write = move |store: &Store, out: &mut dyn Write| store.export(&path, format, &selection, out);
    let body = stream_file(&state, write).await?;
    Ok(([(CONTENT_TYPE, media_type.to_owned()), (CONTENT_DISPOSITION, disposition)], body))
}

fn split_keys(name: &str, keys: &str) -> Result<Vec<String>, ApiError> {
    if keys.starts_with('[') {
        return serde_json::from_str(keys)
            .map_err(|error| ApiError::invalid(format!("`{name}` is not a JSON list of texts: {error}")));
    }
    Ok(keys.split(',').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_commas_come_as_a_list() {
        assert_eq!(split_keys("keys", "a,b/c").expect("keys"), ["a", "b/c"]);
        assert_eq!(split_keys("keys", r#"["a,b", "c"]"#).expect("keys"), ["a,b", "c"]);
        assert!(split_keys("keys", "[1]").is_err());
    }
}
