//! `/alert-channels`: where the alerts of an entity are sent.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use steplog_model::{Entity, Project};
use steplog_protocol::{
    AlertChannel, AlertChannelList, AlertChannelTest, AlertLevel, CreateAlertChannelRequest, DeliveryState,
    UpdateAlertChannelRequest,
};
use steplog_store::Message;

use crate::caller::Caller;
use crate::delivery::Trouble;
use crate::error::ApiError;
use crate::extract::{IdInPath, JsonBody, NameInPath};
use crate::secret;
use crate::state::{ServerState, unix_time};

/// Where an entity's alerts are sent. Of a webhook's URL only host and end are answered, and no secrets.
#[utoipa::path(
    get, path = "/alert-channels/{entity}", tag = "alerts",
    params(("entity" = String, Path, description = "User or team.")),
    responses((status = 200, body = AlertChannelList))
)]
pub(super) async fn list_alert_channels(
    State(state): State<ServerState>,
    NameInPath(entity): NameInPath,
) -> Result<Json<AlertChannelList>, ApiError> {
    let entity: Entity = entity.try_into()?;
    let channels = state.query(move |store| store.alert_channels(entity.as_str())).await?;
    Ok(Json(AlertChannelList { channels, mail_from: state.sender().mail_from() }))
}

/// Makes a channel. Its target is checked: a webhook must not lead into the server's own network.
#[utoipa::path(
    post, path = "/alert-channels/{entity}", tag = "alerts",
    params(("entity" = String, Path, description = "User or team.")),
    request_body = CreateAlertChannelRequest,
    responses((status = 200, body = AlertChannel))
)]
pub(super) async fn create_alert_channel(
    State(state): State<ServerState>,
    caller: Caller,
    NameInPath(entity): NameInPath,
    JsonBody(mut request): JsonBody<CreateAlertChannelRequest>,
) -> Result<Json<AlertChannel>, ApiError> {
    let entity: Entity = entity.try_into()?;
    if let Some(project) = &request.project {
        project.parse::<Project>()?;
    }
    if let Some(secret) = request.secret.as_deref().filter(|secret| !secret.is_empty()) {
        state.sender().check_secret(request.kind, secret)?;
    }
    request.target = state.sender().check_target(request.kind, &request.target).await?;
    let user = caller.user().map(|user| user.name.clone());
    let channel = state.query(move |store| store.create_alert_channel(entity.as_str(), request, user)).await?;
    tracing::info!(channel = channel.id, "made the alert channel {:?} of {}", channel.name, channel.entity);
    Ok(Json(channel))
}

/// Changes a channel, or switches it on or off.
#[utoipa::path(
    patch, path = "/alert-channels/{entity}/{id}", tag = "alerts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("id" = i64, Path, description = "The channel's id."),
    ),
    request_body = UpdateAlertChannelRequest,
    responses((status = 200, body = AlertChannel))
)]
pub(super) async fn update_alert_channel(
    State(state): State<ServerState>,
    IdInPath(entity, id): IdInPath,
    JsonBody(mut request): JsonBody<UpdateAlertChannelRequest>,
) -> Result<Json<AlertChannel>, ApiError> {
    let of = entity.clone();
    let kind = state.query(move |store| store.alert_receiver(of.as_str(), id)).await?.kind;
    if let Some(secret) = request.secret.as_deref().filter(|secret| !secret.is_empty()) {
        state.sender().check_secret(kind, secret)?;
    }
    if let Some(target) = &request.target {
        request.target = Some(state.sender().check_target(kind, target).await?);
    }
    Ok(Json(state.query(move |store| store.update_alert_channel(entity.as_str(), id, request)).await?))
}

/// Removes a channel, and forgets its target. What was sent there stays known.
#[utoipa::path(
    delete, path = "/alert-channels/{entity}/{id}", tag = "alerts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("id" = i64, Path, description = "The channel's id."),
    ),
    responses((status = 204))
)]
pub(super) async fn delete_alert_channel(
    State(state): State<ServerState>,
    IdInPath(entity, id): IdInPath,
) -> Result<StatusCode, ApiError> {
    let of = entity.clone();
    state.query(move |store| store.delete_alert_channel(of.as_str(), id)).await?;
    tracing::info!(channel = id, "removed an alert channel of {entity}");
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a test message, once, and answers what became of it.
#[utoipa::path(
    post, path = "/alert-channels/{entity}/{id}/test", tag = "alerts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("id" = i64, Path, description = "The channel's id."),
    ),
    responses((status = 200, body = AlertChannelTest))
)]
pub(super) async fn test_alert_channel(
    State(state): State<ServerState>,
    IdInPath(entity, id): IdInPath,
) -> Result<Json<AlertChannelTest>, ApiError> {
    let of = entity.clone();
    let (receiver, channels) = state
        .query(move |store| Ok((store.alert_receiver(of.as_str(), id)?, store.alert_channels(of.as_str())?)))
        .await?;
    let project = channels.into_iter().find(|channel| channel.id == id).and_then(|channel| channel.project);
    let place = project.as_ref().map_or_else(|| entity.to_string(), |project| format!("{entity}/{project}"));
    let message = Message {
        id: secret::generate_message_id(),
        alert: None,
        time: unix_time(),
        level: AlertLevel::Info,
        title: "Test from steplog".into(),
        text: format!("Alerts of {place} arrive here."),
        entity: entity.to_string(),
        project,
        run: None,
    };
    let _permit = state.tests().acquire().await.expect("the semaphore is never closed");
    let (state, error) = match state.sender().test(&receiver, &message).await {
        Ok(()) => (DeliveryState::Sent, None),
        Err(Trouble::NotTaken { error, .. }) => (DeliveryState::Failed, Some(error)),
        Err(Trouble::Lost { error }) => (DeliveryState::Unknown, Some(error)),
        Err(Trouble::Withdrawn) => (DeliveryState::Skipped, None),
    };
    Ok(Json(AlertChannelTest { state, error }))
}
