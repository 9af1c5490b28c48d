//! The inbox from outside: over HTTP, and in a process that is killed.

#![allow(clippy::unwrap_used)]

mod crash;
mod lanes;
#[cfg(feature = "resolve")]
mod resolve;
mod webhook;
