#![doc = include_str!("../README.md")]

pub mod aws;
mod fixture;
mod redact;
mod url_server;
mod values;

pub use fixture::{Envelope, Fixture, Sent};
pub use jiff;
pub use redact::redacted;
pub use url_server::UrlServer;
