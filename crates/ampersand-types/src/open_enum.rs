use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// The text of an enum value that this version of the crate does not know.
///
/// Only decoding and `From<&str>` make one, and only for a text that is not a known value of `E`. So `Unknown` never
/// hides a known value.
pub struct UnknownValue<E> {
    text: Box<str>,
    of: PhantomData<fn() -> E>,
}

impl<E> UnknownValue<E> {
    /// Returns the value as it was sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Only for the macro, which knows the values of `E`.
pub fn unknown<E>(text: &str) -> UnknownValue<E> {
    UnknownValue { text: text.into(), of: PhantomData }
}

// Derives would add the same bound to `E`, although no `E` is stored.
impl<E> Clone for UnknownValue<E> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), of: PhantomData }
    }
}

impl<E> PartialEq for UnknownValue<E> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<E> Eq for UnknownValue<E> {}

impl<E> Hash for UnknownValue<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<E> fmt::Display for UnknownValue<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<E> fmt::Debug for UnknownValue<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// Implements an enum's conversions from the texts of its variants. Any other text is `Unknown`.
#[doc(hidden)]
#[macro_export]
macro_rules! __open_enum {
    ($name:ident { $( $variant:ident = $value:literal, )* }) => {
        impl $name {
            /// Every value that this version of the crate knows.
            pub const KNOWN: &'static [Self] = &[$( Self::$variant, )*];

            /// The value, as it is sent.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $value, )*
                    Self::Unknown(value) => value.as_str(),
                }
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $( $value => Self::$variant, )*
                    _ => Self::Unknown($crate::__private::open_enum::unknown(value)),
                }
            }
        }

        impl ::core::convert::From<::std::string::String> for $name {
            fn from(value: ::std::string::String) -> Self {
                Self::from(value.as_str())
            }
        }

        impl ::core::convert::From<&::std::string::String> for $name {
            fn from(value: &::std::string::String) -> Self {
                Self::from(value.as_str())
            }
        }

        impl ::core::cmp::PartialEq<str> for $name {
            fn eq(&self, value: &str) -> bool {
                self.as_str() == value
            }
        }

        impl ::core::cmp::PartialEq<&str> for $name {
            fn eq(&self, value: &&str) -> bool {
                self.as_str() == *value
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<__S: ::serde::Serializer>(&self, serializer: __S) -> ::core::result::Result<__S::Ok, __S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<__D: ::serde::Deserializer<'de>>(deserializer: __D) -> ::core::result::Result<Self, __D::Error> {
                deserializer.deserialize_str($crate::__private::open_enum::TextVisitor::new(|text: &str| Self::from(text)))
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let examples: &[&str] = &[$( $value, )*];
                ::schemars::json_schema!({ "type": "string", "examples": examples })
            }
        }
    };
}
pub(crate) use __open_enum as open_enum;

/// Reads a string without owning it, so that a known value needs no allocation.
#[derive(Debug)]
pub struct TextVisitor<F>(F);

impl<F> TextVisitor<F> {
    /// Makes a visitor that converts the text with `read`.
    pub fn new(read: F) -> Self {
        Self(read)
    }
}

impl<T, F: FnOnce(&str) -> T> serde::de::Visitor<'_> for TextVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(text))
    }
}

#[cfg(test)]
#[allow(unreachable_pub, reason = "the macro makes public items")]
mod tests {
    use crate::UnknownValue;

    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Often {
        Always,
        Never,
        Unknown(UnknownValue<Self>),
    }
    super::open_enum!(Often { Always = "always", Never = "never", });

    #[test]
    fn known_and_unknown_values_survive() {
        for (json, expected) in [
            (r#""always""#, Often::Always),
            (r#""never""#, Often::Never),
            (r#""ifEmpty""#, Often::from("ifEmpty")),
            (r#""""#, Often::from("")),
            (r#""Always""#, Often::from("Always")),
        ] {
            let value: Often = serde_json::from_str(json).expect(json);
            assert_eq!(value, expected);
            assert_eq!(serde_json::to_string(&value).expect(json), json);
        }
        assert!(serde_json::from_str::<Often>("5").is_err());
    }

    #[test]
    fn a_known_text_is_never_unknown() {
        for known in Often::KNOWN {
            assert_eq!(Often::from(known.as_str()), *known);
        }
        assert!(matches!(Often::from("sometimes"), Often::Unknown(value) if value.as_str() == "sometimes"));
        assert_eq!(format!("{:?} {}", Often::from("sometimes"), Often::from("now")), r#"Unknown("sometimes") now"#);
        let sometimes = Often::from("sometimes");
        assert!(Often::Always == "always" && sometimes == *"sometimes" && Often::Never != "always");
    }
}
