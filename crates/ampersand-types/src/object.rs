//! Encodes and decodes the generated structs. They keep every member of an object, also those that the contract lacks.

#![allow(missing_docs, missing_debug_implementations, reason = "only what `object` expands to sees these")]

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{OtherFields, RawJson};

/// Implements `Serialize` and `Deserialize` for a struct with a field `other_fields`. Each field has a kind, which is
/// one of the modules below, and a name in JSON.
#[doc(hidden)]
#[macro_export]
macro_rules! __object {
    ($name:ident { $( $kind:ident $field:ident = $member:literal, )* }) => {
        impl ::serde::Serialize for $name {
            fn serialize<__S: ::serde::Serializer>(&self, serializer: __S) -> ::core::result::Result<__S::Ok, __S::Error> {
                use ::serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                $( $crate::__private::object::$kind::write(&self.$field, $member, &mut map)?; )*
                for (member, value) in &self.other_fields {
                    let written = match member.as_str() {
                        $( $member => $crate::__private::object::$kind::is_written(&self.$field), )*
                        _ => false,
                    };
                    if !written {
                        map.serialize_entry(member, value)?;
                    }
                }
                map.end()
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<__D: ::serde::Deserializer<'de>>(deserializer: __D) -> ::core::result::Result<Self, __D::Error> {
                struct __Members;

                impl<'de> ::serde::de::Visitor<'de> for __Members {
                    type Value = $name;

                    fn expecting(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        f.write_str(concat!("an object (", stringify!($name), ")"))
                    }

                    fn visit_map<__A>(self, mut map: __A) -> ::core::result::Result<$name, __A::Error>
                    where
                        __A: ::serde::de::MapAccess<'de>,
                    {
                        $( let mut $field = ::core::option::Option::None; )*
                        let mut others = $crate::OtherFields::new();
                        while let ::core::option::Option::Some($crate::__private::object::Name(name)) = map.next_key()? {
                            match &*name {
                                $( $member => $crate::__private::object::$kind::read(&mut $field, $member, &mut map, &mut others)?, )*
                                _ => $crate::__private::object::keep(name, &mut map, &mut others)?,
                            }
                        }
                        ::core::result::Result::Ok($name {
                            $( $field: $crate::__private::object::$kind::finish($field, $member)?, )*
                            other_fields: others,
                        })
                    }
                }

                deserializer.deserialize_map(__Members)
            }
        }
    };
}
pub(crate) use __object as object;

/// The name of a member, copied only if it has escapes.
pub struct Name<'de>(pub Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Returns the text of a member of an untyped object.
pub fn text_of<'a>(object: &'a RawJson, member: &'static str) -> Option<Cow<'a, str>> {
    struct Member(&'static str);

    impl<'de> Visitor<'de> for Member {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(Name(name)) = map.next_key()? {
                match name == self.0 {
                    true => found = Some(map.next_value()?),
                    false => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(found)
        }
    }

    let found = serde_json::Deserializer::from_str(object.as_str()).deserialize_map(Member(member)).ok()??;
    serde_json::from_str(found.get()).map(|Name(text)| text).ok()
}

/// Stores a member that has no field.
pub fn keep<'de, A: MapAccess<'de>>(name: Cow<'_, str>, map: &mut A, others: &mut OtherFields) -> Result<(), A::Error> {
    match others.insert(name.into_owned(), map.next_value()?) {
        Some(_) => Err(A::Error::custom("a member comes twice")),
        None => Ok(()),
    }
}

/// A required field: `T`.
pub mod required {
    use serde::de::{Deserialize, Error, MapAccess};
    use serde::ser::{Serialize, SerializeMap};

    use crate::OtherFields;

    pub fn read<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
        slot: &mut Option<T>,
        member: &'static str,
        map: &mut A,
        _: &mut OtherFields,
    ) -> Result<(), A::Error> {
        if slot.is_some() {
            return Err(A::Error::duplicate_field(member));
        }
        *slot = Some(map.next_value()?);
        Ok(())
    }

    pub fn finish<T, E: Error>(slot: Option<T>, member: &'static str) -> Result<T, E> {
        slot.ok_or_else(|| E::missing_field(member))
    }

    pub fn write<T: Serialize, M: SerializeMap>(field: &T, member: &str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(member, field)
    }

    pub fn is_written<T>(_: &T) -> bool {
        true
    }
}

/// An optional field whose type has its own `null`: `Option<RawJson>`, `Option<Option<T>>`.
pub mod nullable {
    use serde::de::Error;
    use serde::ser::{Serialize, SerializeMap};

    pub use super::required::read;

    pub fn finish<T, E: Error>(slot: Option<T>, _: &'static str) -> Result<Option<T>, E> {
        Ok(slot)
    }

    pub fn write<T: Serialize, M: SerializeMap>(field: &Option<T>, member: &str, map: &mut M) -> Result<(), M::Error> {
        field.as_ref().map_or(Ok(()), |value| map.serialize_entry(member, value))
    }

    pub fn is_written<T>(field: &Option<T>) -> bool {
        field.is_some()
    }
}

/// An optional field: `Option<T>`. `null` decodes as `None`, and stays in `other_fields` until the field has a value.
pub mod optional {
    use serde::de::{Deserialize, Error as _, MapAccess};

    use crate::{OtherFields, RawJson};

    pub use super::nullable::{finish, is_written, write};

    pub fn read<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
        slot: &mut Option<T>,
        member: &'static str,
        map: &mut A,
        others: &mut OtherFields,
    ) -> Result<(), A::Error> {
        if slot.is_some() || others.contains_key(member) {
            return Err(A::Error::duplicate_field(member));
        }
        *slot = map.next_value()?;
        if slot.is_none() {
            others.insert(member.to_owned(), RawJson::null());
        }
        Ok(())
    }
}

/// A list or a map: `Items<C>`.
pub mod collection {
    use serde::de::Error;
    use serde::ser::{Serialize, SerializeMap};

    use crate::{Collection, Items};

    pub use super::required::read;

    pub fn finish<C: Collection, E: Error>(slot: Option<Items<C>>, _: &'static str) -> Result<Items<C>, E> {
        Ok(slot.unwrap_or_default())
    }

    pub fn write<C: Collection + Serialize, M: SerializeMap>(
        field: &Items<C>,
        member: &str,
        map: &mut M,
    ) -> Result<(), M::Error> {
        if field.is_absent() {
            return Ok(());
        }
        map.serialize_entry(member, field)
    }

    pub fn is_written<C: Collection>(field: &Items<C>) -> bool {
        !field.is_absent()
    }
}

#[cfg(test)]
mod tests {
    use crate::OtherFields;
    use crate::{Items, RawJson};

    #[derive(Debug, PartialEq)]
    struct Thing {
        id: String,
        size: Option<u8>,
        raw: Option<RawJson>,
        tags: Items<Vec<String>>,
        other_fields: OtherFields,
    }
    super::object!(Thing { required id = "id", optional size = "size", nullable raw = "raw", collection tags = "tags", });

    fn decode(json: &str) -> Result<Thing, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn encode(thing: &Thing) -> String {
        serde_json::to_string(thing).expect("it has a JSON form")
    }

    #[test]
    fn every_member_survives() {
        for json in [
            r#"{"id":"a"}"#,
            r#"{"id":"a","size":5,"raw":{"b":1.10},"tags":["x"]}"#,
            r#"{"id":"a","raw":null,"tags":null,"size":null}"#,
            r#"{"id":"a","tags":[],"new":{"z":1e400,"a":null}}"#,
        ] {
            assert_eq!(encode(&decode(json).expect(json)), json);
        }
        let escaped = decode(r#"{"\u0069d":"a","n\u0065w":1}"#).expect("escaped names");
        assert_eq!(encode(&escaped), r#"{"id":"a","new":1}"#);
    }

    #[test]
    fn a_null_gives_way_to_a_value() {
        let mut thing = decode(r#"{"id":"a","size":null}"#).expect("null");
        assert_eq!(thing.size, None);
        thing.size = Some(1);
        assert_eq!(encode(&thing), r#"{"id":"a","size":1}"#);
    }

    #[test]
    fn what_is_refused() {
        for (json, error) in [
            ("{}", "missing field `id` at line 1 column 2"),
            (r#"{"id":null}"#, "invalid type: null, expected a string at line 1 column 10"),
            (r#"{"id":"a","id":"a"}"#, "duplicate field `id` at line 1 column 14"),
            (r#"{"id":"a","size":null,"size":1}"#, "duplicate field `size` at line 1 column 28"),
            (r#"{"id":"a","new":1,"new":1}"#, "a member comes twice at line 1 column 26"),
            ("[]", "invalid type: sequence, expected an object (Thing) at line 1 column 0"),
        ] {
            assert_eq!(decode(json), Err(error.to_owned()));
        }
    }
}
