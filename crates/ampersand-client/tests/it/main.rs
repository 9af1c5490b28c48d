//! The client, against servers on loopback.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod config;
mod credentials;
mod errors;
mod operations;
mod peer;
#[cfg(feature = "tracing")]
mod traces;
mod transport;
mod types;
