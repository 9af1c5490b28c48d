#![cfg_attr(feature = "resolve", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "resolve"),
    doc = "One typed event from any of the envelopes that Ampersand's notifications come in, verified."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
pub mod axum;
mod body;
mod delivery;
mod envelope;
mod error;
mod hint;
mod payload;
#[cfg(feature = "resolve")]
mod resolve;
mod verify;

pub use body::Body;
pub use delivery::{Delivery, Metadata, Notification, Raw, Records, Source};
pub use envelope::{
    Webhook, from_any, from_attributes, from_kinesis, from_kinesis_as, from_s3, from_source, from_webhook,
};
pub use error::{NormalizeError, NormalizeErrorKind};
pub use jiff;
#[cfg(feature = "resolve")]
pub use resolve::{Blocked, Config, Policy, ResolveError, Resolver};
pub use verify::{Headers, Secret, SecretError, TOLERANCE, Verified, Verifier, VerifyError};
