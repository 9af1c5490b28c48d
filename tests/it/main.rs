//! Tests across crates: the contract, generated tables, secrets, documentation, and the rules of the repository.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod api;
mod calls;
mod changes;
mod credentials;
mod current_config;
mod fuzz;
mod leaks;
mod pages;
mod paging;
mod properties;
mod requests;
mod retries;
mod samples;
mod tidy;
