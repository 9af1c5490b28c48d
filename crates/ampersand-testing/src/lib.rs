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

/// Returns the contract, with our documentation, as JSON. It has an OpenAPI document each for `api`, `read`, `write`
/// and `search`, which have operations, and for `notifications`, `webhook` and `config`, which have only schemas.
///
/// The descriptions are those of the types' own documentation: a `description`, and `x-enum-descriptions` for the
/// values of an enum.
///
/// ```
/// use serde_json::Value;
///
/// let contract: Value = serde_json::from_str(ampersand_testing::contract())?;
/// let topic = &contract["api"]["components"]["schemas"]["Topic"];
/// assert_eq!(topic["properties"]["name"]["type"], "string");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn contract() -> &'static str {
    include_str!("generated/contract.json")
}

pub use fixture::{Envelope, Fixture, Sent};
pub use jiff;
pub use redact::redacted;
pub use url_server::UrlServer;
