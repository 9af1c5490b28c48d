//! Tests of the command, run as people and scripts run it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod api;
mod aws;
mod cases;
mod changes;
mod command;
mod connection;
mod decode;
mod drift;
mod explain;
mod files;
mod help;
mod inbox;
mod inspect;
mod listen;
mod resolve;
mod serve;
mod setup;
#[cfg(unix)]
mod tour;
mod trigger;
mod trouble;
mod verify;
