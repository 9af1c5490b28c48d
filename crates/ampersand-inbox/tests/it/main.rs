//! Tests of the inbox from outside: over HTTP, and in a process that is killed.

#![allow(clippy::unwrap_used)]

mod crash;
#[cfg(target_os = "linux")]
mod disk;
mod lanes;
#[cfg(feature = "postgres")]
mod peers;
#[cfg(feature = "resolve")]
mod resolve;
mod webhook;
