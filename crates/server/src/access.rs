//! Who may call what: every route declares an access level, and one check in front of all handlers enforces it.

use std::collections::HashMap;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use steplog_protocol::{ErrorBody, ServerSource};
use utoipa::PartialSchema;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::drain;
use crate::origin;
use crate::state::ServerState;

/// What a caller needs to be let through. On a server without accounts everybody is, from this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Public,
    /// An account: everybody on a server reads everything.
    Read,
    /// An account, for what is its own (keys).
    Account,
    /// The account whose entity the path names, or an admin.
    Write,
    /// An admin.
    Admin,
}

/// Where an operation of the OpenAPI document says its access level.
const EXTENSION: &str = "x-access";

impl Access {
    const ALL: [Self; 5] = [Self::Public, Self::Read, Self::Account, Self::Write, Self::Admin];

    fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Read => "read",
            Self::Account => "account",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// Declares the level of some routes, and that they answer errors in our shape.
    pub(crate) fn routes(
        self,
        (mut schemas, mut paths, handlers): UtoipaMethodRouter<ServerState>,
    ) -> UtoipaMethodRouter<ServerState> {
        let error = ResponseBuilder::new()
            .description("What went wrong.")
            .content("application/json", ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build())
            .build();
        for item in paths.paths.values_mut() {
            for (_, operation) in operations_mut(item) {
                let extension = ExtensionsBuilder::new().add(EXTENSION, self.name()).build();
                operation.extensions.get_or_insert_default().merge(extension);
                operation.responses.responses.insert("default".into(), RefOr::T(error.clone()));
            }
        }
        schemas.push(("ErrorBody".into(), ErrorBody::schema()));
        <ErrorBody as utoipa::ToSchema>::schemas(&mut schemas);
        (schemas, paths, handlers)
    }
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, item.get.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

/// The level of every route, as the OpenAPI document declares it: the document and the routes come from one registration.
#[derive(Debug)]
pub(crate) struct AccessTable {
    routes: HashMap<String, Vec<(Method, Access)>>,
}

impl AccessTable {
    /// # Panics
    /// A route has no level.
    pub(crate) fn new(document: &OpenApi) -> Self {
        let level = |path: &str, operation: &Operation| {
            let declared = operation.extensions.as_ref().and_then(|extensions| extensions.get(EXTENSION)?.as_str());
            let level = Access::ALL.into_iter().find(|access| Some(access.name()) == declared);
            level.unwrap_or_else(|| panic!("the route {path} declares who may call it"))
        };
        let routes = document.paths.paths.iter().map(|(path, item)| {
            let mut item = item.clone();
            let levels = operations_mut(&mut item).map(|(method, operation)| (method, level(path, operation)));
            (path.clone(), levels.collect())
        });
        Self { routes: routes.collect() }
    }

    fn get(&self, path: &str, method: &Method) -> Option<Access> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let levels = self.routes.get(path)?;
        levels.iter().find(|(candidate, _)| candidate == method).map(|(_, access)| *access)
    }
}

/// The one check in front of every route of the API. What it lets through has a [`Caller`] in its extensions.
pub(crate) async fn authorise(
    State(state): State<ServerState>,
    path: MatchedPath,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    match check(&state, &path, parameters, request.method(), request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => {
            drain(request.into_body()).await;
            error.into_response()
        }
    }
}

async fn check(
    state: &ServerState,
    path: &MatchedPath,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, ApiError> {
    let access = state.access().get(path.as_str(), method).ok_or_else(|| method_not_allowed(method))?;
    let parameters = parameters.map_err(|_| ApiError::invalid("the path is not UTF-8"))?;
    let entity = parameters.iter().find(|(name, _)| *name == "entity").map(|(_, entity)| entity);
    let writes = !method.is_safe();
    let caller = Caller::identify(state, headers).await?;
    if writes {
        origin::refuse_cross_site(headers, caller.has_cookie())?;
    }
    if access == Access::Write && state.source() == ServerSource::Folder {
        return Err(ApiError::forbidden("a folder of local runs is shown as it is and takes no changes")
            .hint("start a server with `steplog serve`, and send the runs there with `steplog sync`"));
    }
    if !state.has_accounts() || access == Access::Public {
        return Ok(caller);
    }
    let user = caller.user().ok_or_else(ApiError::unauthenticated)?;
    match access {
        Access::Write => caller.check_may_write(state, entity).map(|()| caller),
        Access::Admin if !user.admin => Err(ApiError::forbidden(format!("{} is not an admin", user.name))),
        _ => Ok(caller),
    }
}

/// What a path of the API answers to a method that it does not know.
pub(crate) fn method_not_allowed(method: &Method) -> ApiError {
    ApiError::invalid(format!("this path does not take {method}")).status(StatusCode::METHOD_NOT_ALLOWED)
}
