#![doc = include_str!("../README.md")]
// To drop a type, the compiler follows the whole chain of types that it refers to.
#![recursion_limit = "1024"]

mod auth;
mod config;
mod json_path;
mod raw;
mod response;
mod retry;
mod tls;

#[allow(dead_code, unused_imports, unused_macros, reason = "generated code uses what the contract needs")]
mod call;
#[allow(dead_code, reason = "generated code uses what the contract needs")]
mod client;
#[allow(dead_code, reason = "generated code uses what the contract needs")]
mod error;
#[allow(dead_code, reason = "generated code uses what the contract needs")]
mod paging;
#[allow(dead_code, reason = "generated code uses what the contract needs")]
mod project;

// Generated code uses the same paths here as in `ampersand_types`.
mod object {
    pub(crate) use ampersand_types::__private::__object as object;
}
#[allow(unused_imports, reason = "a contract may have no enum")]
mod open_enum {
    pub(crate) use ampersand_types::__private::__open_enum as open_enum;
}

/// Output of `cargo xtask generate`: not formatted, not linted, never edited.
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, unused_imports, unused_qualifications)]
mod generated;

pub use call::Endpoint;
pub use client::{Client, ClientBuilder, ClientError};
pub use error::{Error, ErrorKind};
pub use generated::{Host, groups, types};
pub use project::Project;
pub use raw::Raw;
pub use response::{Response, Sending};
pub use retry::Retry;

// Generated code uses the name by which other crates know this crate.
extern crate self as ampersand_client;
