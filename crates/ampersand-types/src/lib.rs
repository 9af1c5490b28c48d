#![doc = include_str!("../README.md")]

mod config_change;
mod config_compare;
mod config_source;
mod credential;
mod integer;
mod items;
mod json_meaning;
mod json_path;
mod object;
mod open_enum;
mod other_fields;
mod raw_json;
mod signed_url;
mod timestamp;

#[cfg(feature = "schemars")]
mod json_schema;

/// Output of `cargo xtask generate`: not formatted, not linted, never edited.
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, clippy::restriction, unused_qualifications)]
mod generated;

pub use config_change::{ConfigAction, ConfigChange};
pub use config_source::ConfigSource;
pub use credential::Credential;
pub use generated::*;
pub use integer::{Integer, IntegerError};
pub use items::{Collection, Items};
pub use jiff;
pub use open_enum::UnknownValue;
pub use other_fields::OtherFields;
pub use raw_json::{JsonError, RawJson};
pub use signed_url::SignedUrl;
pub use timestamp::{Timestamp, TimestampError};

/// Shared with the other crates of this workspace: how generated structs and enums are encoded and decoded, and the
/// reasons of serde's errors. Those crates require this exact version, because any version may change this module.
#[doc(hidden)]
pub mod __private {
    pub use crate::json_path::Member;
    pub use crate::object::text_of;
    pub use crate::raw_json::{LONE_SURROGATE, kind, place_of_invalid, reason};
    pub use crate::{__object, __open_enum};

    /// The functions that the expansion of `__object` calls.
    pub mod object {
        pub use crate::object::{Name, collection, keep, nullable, optional, required};
    }

    /// The functions that the expansion of `__open_enum` calls.
    pub mod open_enum {
        pub use crate::open_enum::{TextVisitor, unknown};
    }
}

// Generated code uses the name by which other crates know this crate.
extern crate self as ampersand_types;
