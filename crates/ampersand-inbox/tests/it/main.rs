//! The inbox from outside: over HTTP, and in a process that is killed.

#![allow(clippy::unwrap_used)]

mod crash;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(feature = "postgres")]
mod peers;
mod webhook;
