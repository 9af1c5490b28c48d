#![doc = include_str!("../README.md")]

mod delivery;
mod error;
mod inbox;
mod observe;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "serve")]
mod serve;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;
mod webhook;
mod worker;
mod writer;

pub use delivery::{Entry, Failure, Incoming, Put, State, Status, Stored};
pub use error::InboxError;
pub use inbox::{Inbox, Options};
pub use rusqlite;
#[cfg(feature = "serve")]
pub use serve::serve;
#[cfg(feature = "postgres")]
pub use tokio_postgres;
#[cfg(feature = "postgres")]
pub use worker::Handling;
pub use worker::{Retry, Worker};
