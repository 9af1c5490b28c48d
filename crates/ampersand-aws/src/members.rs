//! Reads the members of a JSON object, and decodes only those that are used.

use std::borrow::Cow;
use std::fmt;

use ampersand_types::__private::object::Name;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object.
#[derive(Debug)]
pub struct Members<'t>(pub Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'t> Members<'t> {
    /// Returns the first member with this name.
    pub fn get(&self, member: &str) -> Option<&'t RawValue> {
        self.0.iter().find(|(name, _)| name == member).map(|(_, value)| *value)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        json.deserialize_map(Object)
    }
}
