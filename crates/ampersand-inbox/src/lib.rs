#![doc = include_str!("../README.md")]

mod delivery;
mod error;
mod hooks;
mod inbox;
mod observe;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
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
#[cfg(feature = "postgres")]
pub use postgres::Handling;
pub use rusqlite;
#[cfg(feature = "serve")]
pub use serve::serve;
#[cfg(feature = "postgres")]
pub use tokio_postgres;
pub use worker::{Retry, Worker};
