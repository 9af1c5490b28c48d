//! Tests of the fixtures, the mocks and the fake servers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod aws;
#[cfg(feature = "fake-api")]
mod fake_api;
mod fixtures;
#[cfg(feature = "httpmock")]
mod mocks;
mod redaction;
mod url_server;
#[cfg(feature = "api")]
mod values;
