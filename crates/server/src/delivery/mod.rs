//! Sending alerts: who sends what to whom, and what became of it.
//!
//! The queue stands in the store ([`steplog_store::Store::due_deliveries`]). One task looks at it and gives each delivery
//! a task of its own, at most one for each channel, so that a receiver that is slow holds up nobody else. A message is
//! tried again only when it is certain that nobody took it.

mod address;
mod attempt;
mod connect;
mod dispatcher;
mod mail;
mod options;
mod payload;
mod sender;
mod signature;
mod target;
mod webhook;

pub use address::PrivateHosts;
pub(crate) use attempt::Trouble;
pub(crate) use dispatcher::Dispatcher;
pub use mail::MailServer;
pub use options::{DeliveryOptions, RetryPolicy};
pub(crate) use sender::Sender;
