//! `/openapi.json`: this API, for machines.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::Value;
use steplog_protocol::{ArtifactChange, ArtifactsEvent, Grid, SeriesInfo, SeriesMetadata};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "document", responses((status = 200, body = Object)))]
pub(super) async fn read_document() -> impl IntoResponse {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(openapi_json);
    ([(CONTENT_TYPE, "application/json")], document.as_str())
}

/// The OpenAPI document of the API, as JSON with a line for each member.
pub fn openapi_json() -> String {
    let mut document = super::document();
    let schemas = &mut document.components.get_or_insert_default().schemas;
    // These travel as JSON in the metadata of an Arrow schema, where no route mentions them.
    schemas.insert(SeriesMetadata::name().into(), SeriesMetadata::schema());
    schemas.insert(Grid::name().into(), Grid::schema());
    schemas.insert(SeriesInfo::name().into(), SeriesInfo::schema());
    // And these in events of another name than the one that the route mentions.
    schemas.insert(ArtifactsEvent::name().into(), ArtifactsEvent::schema());
    schemas.insert(ArtifactChange::name().into(), ArtifactChange::schema());
    let mut document = serde_json::to_value(&document).expect("the document is plain data");
    name_wildcards(&mut document);
    require_answered_members(&mut document);
    serde_json::to_string_pretty(&document).expect("the document is plain data") + "\n"
}

/// A parameter that takes the rest of a path is a parameter like any other to this document.
fn name_wildcards(document: &mut Value) {
    if let Some(paths) = document["paths"].as_object_mut() {
        *paths = std::mem::take(paths).into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    }
}

/// An answer has all its members, absent values being `null`: only in requests may they be left out.
fn require_answered_members(document: &mut Value) {
    let mut optional = BTreeSet::from(["ErrorDetail".to_owned()]);
    let operations = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    for operation in operations.filter_map(Value::as_object).flat_map(|item| item.values()) {
        collect_schemas(&operation["requestBody"], &document["components"]["schemas"], &mut optional);
    }
    let schemas = document["components"]["schemas"].as_object_mut().into_iter().flatten();
    for (_, schema) in schemas.filter(|(name, _)| !optional.contains(*name)) {
        let members = schema["properties"].as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
        if let Some(members) = members {
            schema["required"] = members.into();
        }
    }
}

/// Adds the schemas that a part of the document refers to, and those that they refer to.
fn collect_schemas(part: &Value, schemas: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(members) => {
            for (name, member) in members {
                let target = member.as_str().and_then(|target| target.strip_prefix("#/components/schemas/"));
                match target.filter(|_| name == "$ref") {
                    Some(target) if found.insert(target.to_owned()) => {
                        collect_schemas(&schemas[target], schemas, found)
                    }
                    _ => collect_schemas(member, schemas, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_schemas(item, schemas, found)),
        _ => {}
    }
}

/// A body of bytes that are not JSON.
pub(super) struct Bytes;

impl ToSchema for Bytes {}

impl PartialSchema for Bytes {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).description(Some("Raw bytes.")).into()
    }
}
