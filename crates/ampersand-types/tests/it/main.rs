//! The types decode and encode real payloads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod config_changes;
mod configurations;
mod messages;
