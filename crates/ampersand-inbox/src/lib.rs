#![doc = include_str!("../README.md")]

mod delivery;
mod error;
mod inbox;
mod sqlite;
#[cfg(test)]
mod tests;
mod webhook;
mod worker;
mod writer;

pub use delivery::{Dead, Failure, Incoming, Put, Status};
pub use error::InboxError;
pub use inbox::{Inbox, Options};
pub use rusqlite;
pub use worker::{Retry, Worker};
