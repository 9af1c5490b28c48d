// The examples of the README need these features.
#![cfg_attr(all(feature = "http", feature = "lambda"), doc = include_str!("../README.md"))]
#![cfg_attr(not(all(feature = "http", feature = "lambda")), doc = "Handles Ampersand's deliveries in AWS Lambda.")]

mod attributes;
mod batch;
mod document;
mod error;
mod event;
mod headers;
#[cfg(feature = "http")]
mod http;
mod item;
#[cfg(feature = "lambda")]
mod lambda;
mod members;
mod response;
#[cfg(feature = "s3")]
mod s3;
mod stream;

pub use batch::{Batch, kinesis, sqs};
pub use document::Object;
pub use error::{EventError, RecordError, UnreadableError};
pub use event::Event;
#[cfg(feature = "http")]
pub use http::serve;
pub use item::{Content, Fetched, Item, Request, Unreadable, deliveries};
pub use response::{BatchResponse, Cause, ItemFailure};

/// The functions with which the command line reads documents. They are private: they change without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::attributes::{Entries, EntriesError, attribute, entries, inner, merge};
    pub use crate::document::{Inside, Origin, Record, Service, Wrapped, records};
    pub use crate::headers::{headers_of, id_and_timestamp};
    pub use crate::members::Members;
}
