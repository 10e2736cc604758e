//! What all handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use steplog_protocol::{CreateUserRequest, ErrorDetail, ErrorKind, ServerSource, User};
use steplog_store::Store;
use tokio::sync::{Notify, Semaphore, watch};

use crate::access::AccessTable;
use crate::account;
use crate::delivery::{DeliveryOptions, Sender};
use crate::error::ApiError;
use crate::folder::RunFolders;
use crate::in_flight::InFlight;
use crate::live::Live;
use crate::login_limit::LoginLimit;
use crate::routes;
use crate::turns::Turns;

/// How many queries run at once; more wait. Each holds a thread, and answers of tens of megabytes exist.
const MAX_QUERIES: usize = 32;

/// How many exports run at once; more are told to come back. Each lasts as long as its reader takes.
const MAX_EXPORTS: usize = 16;

/// How many parts of files are taken in at once, 8 MiB each; more wait.
const MAX_PARTS: usize = 16;

/// How many artifacts are read whole at once; more are told to come back. Each lasts as long as the disk takes.
const MAX_VERIFICATIONS: usize = 2;

/// How many passwords are hashed at once: 19 MiB each.
const MAX_PASSWORD_CHECKS: usize = 2;

/// How many test messages are sent at once; more wait.
const MAX_TESTS: usize = 4;

/// Where a server's runs come from.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// Clients send them.
    #[default]
    Clients,
    /// A folder of local runs; nothing can be changed through the server.
    Folder(RunFolders),
}

/// A server's shared state; a handle, cheap to clone.
#[derive(Clone)]
pub struct ServerState(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    source: Source,
    access: AccessTable,
    /// Whether there is any account. Only this process can change that: the store's directory is locked.
    has_accounts: AtomicBool,
    live: Live,
    login_limit: LoginLimit,
    in_flight: Arc<InFlight>,
    queries: Semaphore,
    exports: Arc<Semaphore>,
    password_checks: Semaphore,
    parts: Semaphore,
    turns: Turns,
    verifications: Semaphore,
    tests: Semaphore,
    sender: Sender,
    deliveries_changed: Arc<Notify>,
    stopping: watch::Sender<bool>,
}

impl ServerState {
    /// A server over an open store. Live push begins here, so it must be called within a tokio runtime.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn new(store: Arc<Store>, source: Source) -> Result<Self, ErrorDetail> {
        Self::with_delivery(store, source, DeliveryOptions::default())
    }

    /// As [`Self::new`], sending alerts as the options say.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_delivery(store: Arc<Store>, source: Source, delivery: DeliveryOptions) -> Result<Self, ErrorDetail> {
        let has_accounts = !store.users().map_err(account::from_store)?.is_empty();
        let live = Live::start();
        let publisher = live.publisher();
        let deliveries_changed = Arc::<Notify>::default();
        let wake = deliveries_changed.clone();
        store.subscribe(Box::new(move |change| {
            publisher.publish(change);
            if change.alerts {
                wake.notify_one();
            }
        }));
        let publisher = live.publisher();
        store.subscribe_artifacts(Box::new(move |change| publisher.publish_artifacts(change)));
        Ok(Self(Arc::new(Inner {
            store,
            source,
            access: AccessTable::new(&routes::document()),
            has_accounts: has_accounts.into(),
            live,
            login_limit: LoginLimit::default(),
            in_flight: Arc::default(),
            queries: Semaphore::new(MAX_QUERIES),
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            password_checks: Semaphore::new(MAX_PASSWORD_CHECKS),
            parts: Semaphore::new(MAX_PARTS),
            turns: Turns::default(),
            verifications: Semaphore::new(MAX_VERIFICATIONS),
            tests: Semaphore::new(MAX_TESTS),
            sender: Sender::new(delivery),
            deliveries_changed,
            stopping: watch::Sender::new(false),
        })))
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.0.store
    }

    /// Whether there is any account: without one, everybody on this machine may do everything.
    pub fn has_accounts(&self) -> bool {
        self.0.has_accounts.load(Ordering::Acquire)
    }

    pub(crate) fn source(&self) -> ServerSource {
        match self.0.source {
            Source::Clients => ServerSource::Store,
            Source::Folder(_) => ServerSource::Folder,
        }
    }

    pub(crate) fn folder(&self) -> Option<String> {
        match &self.0.source {
            Source::Clients => None,
            Source::Folder(folders) => Some(folders.root().display().to_string()),
        }
    }

    /// Where runs stand, when a folder is shown.
    pub(crate) fn run_folders(&self) -> Option<&RunFolders> {
        match &self.0.source {
            Source::Clients => None,
            Source::Folder(folders) => Some(folders),
        }
    }

    pub(crate) fn access(&self) -> &AccessTable {
        &self.0.access
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    pub(crate) fn login_limit(&self) -> &LoginLimit {
        &self.0.login_limit
    }

    pub(crate) fn in_flight(&self) -> &Arc<InFlight> {
        &self.0.in_flight
    }

    pub(crate) fn exports(&self) -> &Arc<Semaphore> {
        &self.0.exports
    }

    pub(crate) fn parts(&self) -> &Semaphore {
        &self.0.parts
    }

    /// Parts of files that are ahead of their turn.
    pub(crate) fn turns(&self) -> &Turns {
        &self.0.turns
    }

    pub(crate) fn tests(&self) -> &Semaphore {
        &self.0.tests
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.0.sender
    }

    /// Wakes whoever sends alerts.
    pub(crate) fn deliveries_changed(&self) -> &Arc<Notify> {
        &self.0.deliveries_changed
    }

    /// Runs store work on a thread of its own.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, steplog_store::Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.blocking(&self.0.queries, move |store| work(store).map_err(ApiError::from)).await
    }

    /// Runs store work that reads very much, unless there is enough of it already.
    pub(crate) async fn verification<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, steplog_store::Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let busy = || ApiError::unavailable("other artifacts are being verified").retry_after(30);
        let _permit = self.0.verifications.try_acquire().map_err(|_| busy())?;
        self.query(work).await
    }

    /// Runs account work, which hashes passwords, on a thread of its own.
    pub(crate) async fn account_work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.blocking(&self.0.password_checks, work).await
    }

    pub(crate) async fn create_user(&self, request: CreateUserRequest) -> Result<User, ApiError> {
        let user = self.account_work(move |store| Ok(account::create_user(store, &request)?)).await?;
        self.0.has_accounts.store(true, Ordering::Release);
        Ok(user)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        permits: &Semaphore,
        work: impl FnOnce(&Store) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let _permit = permits.acquire().await.expect("the semaphore is never closed");
        let store = self.0.store.clone();
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(result) => result,
            Err(_) => Err(ApiError::internal("the server met a defect; its log says more")),
        }
    }

    /// Ends everything that has no end of its own.
    pub(crate) fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Turns to `true` when the server stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }
}

impl From<ErrorDetail> for ApiError {
    fn from(error: ErrorDetail) -> Self {
        let api_error = Self::new(error.kind, error.message);
        match error.hint {
            Some(hint) => api_error.hint(hint),
            None => api_error,
        }
    }
}

impl From<steplog_store::Error> for ApiError {
    fn from(error: steplog_store::Error) -> Self {
        match error.ingest_response() {
            Some(response) if error.kind() == ErrorKind::Conflict => Self::offset(response.clone()),
            // Not the server's fault as a whole, and nothing that helps to try again.
            _ if error.is_lost() => Self::from(account::from_store(error)).status(StatusCode::GONE),
            _ => account::from_store(error).into(),
        }
    }
}

/// Now, in Unix seconds.
pub(crate) fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}
