//! Verifying and reading deliveries, on payloads as they are sent. The tests of the resolver are in `src/resolve/tests`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

#[cfg(feature = "axum")]
mod axum;
mod envelopes;
#[cfg(all(feature = "axum", feature = "tracing"))]
mod traces;
mod verify;
