//! Tests of verifying and reading deliveries, with payloads as they are sent. The resolver's tests are in
//! `src/resolve/tests`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

#[cfg(feature = "axum")]
mod axum;
mod envelopes;
#[cfg(all(feature = "axum", feature = "tracing"))]
mod traces;
mod verify;
