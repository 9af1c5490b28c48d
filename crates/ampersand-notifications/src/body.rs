use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

/// The bytes of a body, borrowed or owned. Every function that takes a body accepts all types that convert into this.
///
/// An owned body is never copied. `Bytes` with one owner counts as owned.
///
/// ```
/// use ampersand_notifications::{Body, from_webhook};
///
/// let text = r#"{"notificationType": "something.new", "data": {}}"#;
/// assert_eq!(from_webhook(text), from_webhook(text.to_owned()));
/// assert_eq!(from_webhook(text), from_webhook(text.as_bytes()));
/// assert_eq!(from_webhook(text), from_webhook(bytes::Bytes::from(text)));
/// let body: Body<'_> = text.into();
/// assert_eq!(format!("{body:?}"), "Body(49 bytes)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Body<'a>(pub(crate) Cow<'a, [u8]>);

/// Shows only the size.
impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl<'a> From<Cow<'a, [u8]>> for Body<'a> {
    fn from(body: Cow<'a, [u8]>) -> Self {
        Self(body)
    }
}

impl<'a> From<&'a [u8]> for Body<'a> {
    fn from(body: &'a [u8]) -> Self {
        Self(body.into())
    }
}

impl<'a, const SIZE: usize> From<&'a [u8; SIZE]> for Body<'a> {
    fn from(body: &'a [u8; SIZE]) -> Self {
        Self(body[..].into())
    }
}

impl<'a> From<&'a Vec<u8>> for Body<'a> {
    fn from(body: &'a Vec<u8>) -> Self {
        Self(body.into())
    }
}

impl<'a> From<&'a str> for Body<'a> {
    fn from(body: &'a str) -> Self {
        Self(body.as_bytes().into())
    }
}

impl<'a> From<&'a String> for Body<'a> {
    fn from(body: &'a String) -> Self {
        Self(body.as_bytes().into())
    }
}

impl From<Vec<u8>> for Body<'_> {
    fn from(body: Vec<u8>) -> Self {
        Self(body.into())
    }
}

impl From<String> for Body<'_> {
    fn from(body: String) -> Self {
        Self(body.into_bytes().into())
    }
}

impl From<Bytes> for Body<'_> {
    fn from(body: Bytes) -> Self {
        Self(Vec::from(body).into())
    }
}

impl<'a> From<&'a Bytes> for Body<'a> {
    fn from(body: &'a Bytes) -> Self {
        Self(body[..].into())
    }
}
