use std::fmt;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::RawJson;

/// An integer, kept as the text that was sent.
///
/// JSON does not limit the size of a number, and a number has several notations: 1000 may be sent as `1e3`. Decoding
/// accepts them all, and encoding writes the same text. [`get`](Self::get) returns the number if an `i64` can hold it.
///
/// ```
/// use ampersand_types::Integer;
///
/// let count: Integer = serde_json::from_str("4812")?;
/// assert_eq!(count.get(), Some(4812));
/// assert_eq!(count, 4812);
///
/// let count = usize::try_from(&count)?;
///
/// let large: Integer = serde_json::from_str("18446744073709551616")?;
/// assert_eq!(large.get(), None);
/// assert_eq!(serde_json::to_string(&large)?, "18446744073709551616");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Integer(RawJson);

impl Integer {
    /// Returns the number, or `None` if it does not fit an `i64` or is not whole.
    pub fn get(&self) -> Option<i64> {
        let text = self.as_str();
        text.parse().ok().or_else(|| plain(text)?.parse().ok())
    }

    /// Returns the text as it was sent.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Writes a number with a fraction or an exponent as digits alone, if it is whole and not much longer than a machine
/// number.
fn plain(text: &str) -> Option<String> {
    let (is_negative, digits, power) = number(text)?;
    let zeros = usize::try_from(power).ok().filter(|zeros| *zeros < 40)?;
    Some(format!("{}0{digits}{}", if is_negative { "-" } else { "" }, "0".repeat(zeros)))
}

/// Splits a number into its sign (true if negative), its digits without zeros at either end, and its power of ten.
/// `None` if the power does not fit an `i64`.
pub(crate) fn number(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let shift = i64::try_from(digits.len() - significant.len()).ok()? - i64::try_from(fraction.len()).ok()?;
    let exponent = exponent.parse::<i64>().ok()?.checked_add(shift)?;
    Some((whole.starts_with('-'), significant.to_owned(), exponent))
}

macro_rules! integers {
    ($( $type:ty ),*) => {$(
        impl From<$type> for Integer {
            fn from(number: $type) -> Self {
                Self(RawJson::from(number))
            }
        }

        impl TryFrom<&Integer> for $type {
            type Error = IntegerError;

            fn try_from(integer: &Integer) -> Result<Self, IntegerError> {
                let text = integer.as_str();
                text.parse().ok().or_else(|| plain(text)?.parse().ok()).ok_or(IntegerError)
            }
        }

        impl PartialEq<$type> for Integer {
            fn eq(&self, other: &$type) -> bool {
                <$type>::try_from(self).is_ok_and(|number| number == *other)
            }
        }

        impl PartialEq<Integer> for $type {
            fn eq(&self, other: &Integer) -> bool {
                other == self
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

/// The error for an [`Integer`] that does not fit a type: it is too large, negative, or not whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IntegerError;

impl fmt::Display for IntegerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number does not fit: read its text by `as_str`")
    }
}

/// Shows the same text as `Display`, for a `main` that returns the error.
impl fmt::Debug for IntegerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for IntegerError {}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Two integers are equal if they are the same number, or have the same text if neither has a machine number.
impl PartialEq for Integer {
    fn eq(&self, other: &Self) -> bool {
        match (self.get(), other.get()) {
            (None, None) => self.as_str() == other.as_str(),
            (one, other) => one == other,
        }
    }
}

impl Eq for Integer {}

impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = RawJson::deserialize(deserializer)?;
        match json.kind() {
            "number" => Ok(Self(json)),
            kind => Err(D::Error::invalid_type(Unexpected::Other(kind), &"an integer")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_they_were_written() {
        for (text, number) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("1.0", Some(1)),
            ("1e3", Some(1000)),
            ("-2.50E+1", Some(-25)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e400", None),
            ("1.5", None),
            ("9007199254740993.0", Some(9_007_199_254_740_993)),
            ("1e16", Some(10_000_000_000_000_000)),
            ("0.99999999999999999999", None),
            ("1e-400", None),
            ("100e-2", Some(1)),
            ("101e-2", None),
            ("-0.0e99999999999999999999", Some(0)),
            ("1e-9223372036854775808", None),
            ("0.1e-9223372036854775808", None),
        ] {
            let integer: Integer = serde_json::from_str(text).expect(text);
            assert_eq!(integer.get(), number, "{text}");
            assert_eq!(serde_json::to_string(&integer).expect(text), text);
            assert_eq!((integer.to_string(), format!("{integer:?}")), (text.to_owned(), text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_number_is_refused_and_not_quoted() {
        for (json, found) in [(r#""SECRET""#, "string"), ("null", "null"), ("[1]", "array"), ("true", "boolean")] {
            let error = serde_json::from_str::<Integer>(json).expect_err(json).to_string();
            assert!(error.starts_with(&format!("invalid type: {found}, expected an integer")), "{error}");
        }
    }

    #[test]
    fn the_types_of_the_machine_compare_with_it_and_hold_what_fits() {
        let integer = |text| serde_json::from_str::<Integer>(text).expect(text);
        assert!(integer("255") == 255_u8 && 255_usize == integer("255") && integer("255") != 0_u8);
        assert_eq!(u8::try_from(&integer("2.55e2")), Ok(255));
        assert_eq!(u64::try_from(&integer("18446744073709551615")), Ok(u64::MAX));
        for text in ["256", "-1", "1.5", "1e400"] {
            assert_eq!(u8::try_from(&integer(text)), Err(IntegerError), "{text}");
        }
        assert_eq!(Integer::from(7_usize), 7_i8);
    }

    #[test]
    fn equal_as_numbers() {
        let integer = |text| serde_json::from_str::<Integer>(text).expect(text);
        assert_eq!(integer("1e3"), integer("1000"));
        assert_eq!(Integer::from(5), 5);
        assert_ne!(integer("1e400"), integer("1e401"));
        assert_ne!(integer("1e400"), integer("1"));
    }
}
