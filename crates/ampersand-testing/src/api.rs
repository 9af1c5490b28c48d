//! Sample values of the types in the API's responses.
//!
//! Each type has a function with its name. Every field of a value is set, and lists and maps have one entry. If fields
//! exclude each other, the value has those that the contract lists first. Values agree with each other: they belong to
//! the same project, group and provider.
//!
//! ```
//! use ampersand_testing::api;
//!
//! let mut installation = api::installation();
//! installation.group = None;
//! assert_eq!(installation.connection, api::connection());
//! ```
//!
//! A [`Sample`] makes other values from other seeds. It can also set fields that a type lacks, such as new ones.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use crate::generated::api::*;
use crate::payload;
use crate::values::{Values, sorted};

/// A type that appears in the API's responses.
pub trait Received: DeserializeOwned {
    #[doc(hidden)]
    const TEMPLATE: &'static str;
}

/// A value of a response, as JSON that a test can change before it decodes the value.
///
/// ```
/// use ampersand_client::types::Installation;
/// use ampersand_testing::api::Sample;
///
/// let installations: Vec<Installation> = (0..3).map(|seed| Sample::seeded(seed).data()).collect();
/// assert_ne!(installations[0].id, installations[1].id);
///
/// let sample = Sample::<Installation>::new().set("healthStatus", "asleep").without("group");
/// let installation = sample.data();
/// assert_eq!(installation.health_status.as_str(), "asleep");
/// assert_eq!(sample.payload()["id"], installation.id);
/// ```
#[derive(Clone)]
pub struct Sample<T> {
    data: Value,
    of: PhantomData<fn() -> T>,
}

impl<T: Received> Sample<T> {
    /// Makes the value that the function of its type returns.
    #[expect(clippy::new_without_default, reason = "it is the first of many, and no default")]
    pub fn new() -> Self {
        Self::seeded(0)
    }

    /// Makes a value from a seed. Other seeds give other values.
    pub fn seeded(seed: u64) -> Self {
        Self { data: Values::new(seed).fill(&whole(T::TEMPLATE)), of: PhantomData }
    }

    /// Sets a field, as [`Fixture::set`](crate::Fixture::set) does.
    ///
    /// # Panics
    ///
    /// If the value has no JSON form, such as a map whose keys are not strings.
    pub fn set(mut self, path: &str, value: impl Serialize) -> Self {
        payload::set(&mut self.data, path, value);
        self
    }

    /// Removes a field.
    ///
    /// # Panics
    ///
    /// If the value has no such field: its name is misspelt, or the test does not test what it seems to.
    #[track_caller]
    pub fn without(mut self, path: &str) -> Self {
        assert!(payload::remove(&mut self.data, path), "there is no `{path}` that could be left out");
        self
    }

    /// Returns the value as JSON.
    pub fn payload(&self) -> &Value {
        &self.data
    }

    /// Returns the value as its type.
    ///
    /// # Panics
    ///
    /// If a field has a value that its type does not allow, or a required field was removed.
    #[track_caller]
    pub fn data(&self) -> T {
        match serde_json::from_str(&sorted(self.data.clone()).to_string()) {
            Ok(value) => value,
            Err(error) => panic!("the sample was changed to one that cannot be read: {error}"),
        }
    }
}

impl<T> fmt::Debug for Sample<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sample").field(&self.data).finish()
    }
}

/// Returns every value as JSON, with the name of its type.
pub fn all() -> impl Iterator<Item = (&'static str, Value)> {
    RESPONSES.iter().map(|(name, template)| (*name, Values::new(0).fill(&whole(template))))
}

/// Returns a template with the templates that it names filled in.
fn whole(template: &str) -> Value {
    fn fill(value: Value) -> Value {
        match value {
            Value::String(text) => match named(&text) {
                Some(template) => whole(template),
                None => text.into(),
            },
            Value::Array(items) => items.into_iter().map(fill).collect(),
            Value::Object(members) => members.into_iter().map(|(name, value)| (name, fill(value))).collect(),
            other => other,
        }
    }
    fill(serde_json::from_str(template).unwrap_or_default())
}

/// Returns the template that a text like `{Connection}` names.
fn named(text: &str) -> Option<&'static str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let (_, template) = RESPONSES.iter().chain(PARTS).find(|(known, _)| *known == name)?;
    Some(template)
}

/// Makes a function for each type in the API's responses, from its name, type and path, and a template of its values.
macro_rules! responses {
    ($templates:ident { $( $function:ident $type:ident ($path:path) $template:literal, )* }) => {
        pub(crate) const $templates: &[(&str, &str)] = &[$( (stringify!($type), $template), )*];

        $(
            impl $crate::api::Received for $path {
                const TEMPLATE: &'static str = $template;
            }

            #[doc = concat!("Returns a `", stringify!($type), "`.")]
            pub fn $function() -> $path {
                $crate::api::Sample::new().data()
            }
        )*
    };
}
pub(crate) use responses;

/// Templates of schemas that appear inside responses and have no type of their own.
macro_rules! parts {
    ($templates:ident { $( $type:ident $template:literal, )* }) => {
        pub(crate) const $templates: &[(&str, &str)] = &[$( (stringify!($type), $template), )*];
    };
}
pub(crate) use parts;
