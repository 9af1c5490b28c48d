#![doc = include_str!("../README.md")]

#[cfg(feature = "api")]
pub mod api;
pub mod aws;
#[cfg(feature = "fake-api")]
pub mod fake_api;
mod fixture;
/// Output of `cargo xtask generate`: not formatted, not linted, never edited.
#[cfg(feature = "api")]
#[rustfmt::skip]
mod generated {
    pub(crate) mod api;
    #[cfg(feature = "httpmock")]
    #[allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic, clippy::restriction, unused_qualifications)]
    pub(crate) mod httpmock;
}
#[cfg(feature = "httpmock")]
pub mod mock;
mod payload;
mod redact;
mod url_server;
mod values;

pub use fixture::{Envelope, Fixture, Sent};
pub use jiff;
pub use redact::redacted;
pub use url_server::UrlServer;
