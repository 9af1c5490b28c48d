//! The inbox from outside: over HTTP, and in a process that is killed.

#![allow(clippy::unwrap_used)]

mod crash;
mod webhook;
