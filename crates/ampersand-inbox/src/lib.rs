#![doc = include_str!("../README.md")]

mod delivery;
mod error;
mod inbox;
#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;
mod webhook;
mod worker;
mod writer;

pub use delivery::{Dead, Failure, Incoming, Put, Status};
pub use error::InboxError;
pub use inbox::{Inbox, Options};
pub use rusqlite;
#[cfg(feature = "postgres")]
pub use tokio_postgres;
#[cfg(feature = "postgres")]
pub use worker::Handling;
pub use worker::{Retry, Worker};
