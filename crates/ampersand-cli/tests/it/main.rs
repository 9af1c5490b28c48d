//! The command, driven as people and scripts drive it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod command;
mod decode;
mod drift;
mod help;
mod listen;
mod resolve;
mod server;
#[cfg(unix)]
mod tour;
mod trigger;
mod trouble;
mod verify;
