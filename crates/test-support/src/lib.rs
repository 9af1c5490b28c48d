//! Helpers that the tests of several packages share. This crate is not published, and depends on no other crate of the
//! workspace.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that panics fails its test")]

pub mod contract;
pub mod corpus;
pub mod edited;
pub mod json;
#[cfg(feature = "lambda-simulator")]
pub mod lambda_simulator;
#[cfg(feature = "log")]
pub mod log;
pub mod server;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "values")]
pub mod values;
