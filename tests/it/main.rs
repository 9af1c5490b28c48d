//! What the crates promise, shown on payloads as they are sent.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod axum;
mod changes;
mod client;
mod config_changes;
mod configurations;
mod contract;
mod corpus;
mod edited;
mod envelopes;
mod fuzz;
mod json;
mod leaks;
mod messages;
mod pages;
mod properties;
mod resolve;
mod server;
mod testing;
mod tidy;
mod traces;
mod verify;

/// Output of `cargo xtask generate`.
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, clippy::restriction, unreachable_pub)]
mod generated;
