//! Events as AWS sends them, and the responses to them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

#[cfg(feature = "events")]
mod events;
mod handling;
mod mapping;
mod reading;
