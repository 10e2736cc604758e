//! The server as its clients see it: a real one on a free port, over a real store.

mod access;
mod account;
mod artifact;
mod blob;
mod connection;
mod console;
mod delivery;
mod event;
mod file;
mod folder;
mod folder_artifact;
mod hostile;
mod openapi;
mod receiver;
mod route;
mod support;
mod ui;
