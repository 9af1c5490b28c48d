//! Compares the meaning of two JSON values, regardless of how they are written.
//!
//! It compares the texts level by level, and never converts a number to a machine type.

use crate::integer::number;
use crate::object::object;
use crate::{OtherFields, RawJson};

/// The number of levels that are compared by meaning. Deeper values are equal if their texts are equal.
pub(crate) const LEVELS: usize = 128;

/// Any object.
struct Object {
    other_fields: OtherFields,
}
object!(Object {});

/// Returns the members of an object. `None` for another value, and for an object with a duplicate name.
pub(crate) fn members(json: &RawJson) -> Option<OtherFields> {
    json.parse().ok().map(|object: Object| object.other_fields)
}

/// Returns whether a value is absent, `null`, an empty list, or an object that holds only such values.
pub(crate) fn is_nothing(json: Option<&RawJson>) -> bool {
    json.is_none_or(|json| is_nothing_within(json, LEVELS))
}

fn is_nothing_within(json: &RawJson, levels: usize) -> bool {
    match json.kind() {
        "null" => true,
        "array" => json.parse().is_ok_and(|items: Vec<RawJson>| items.is_empty()),
        "object" if levels > 0 => {
            members(json).is_some_and(|members| members.values().all(|value| is_nothing_within(value, levels - 1)))
        }
        _ => false,
    }
}

/// Returns whether two values mean the same. White space, the order of members, escapes, the notation of numbers and
/// the form of an empty value make no difference.
pub(crate) fn is_same(one: Option<&RawJson>, other: Option<&RawJson>) -> bool {
    is_same_within(one, other, LEVELS)
}

fn is_same_within(one: Option<&RawJson>, other: Option<&RawJson>, levels: usize) -> bool {
    let (Some(a), Some(b)) = (one, other) else { return is_nothing(one) && is_nothing(other) };
    if a == b {
        return true;
    }
    let Some(levels) = levels.checked_sub(1) else { return false };
    match (a.kind(), b.kind()) {
        ("object", "object") => match (members(a), members(b)) {
            (Some(a), Some(b)) => a
                .keys()
                .chain(b.keys().filter(|name| !a.contains_key(*name)))
                .all(|name| is_same_within(a.get(name), b.get(name), levels)),
            _ => false,
        },
        ("array", "array") => match (a.parse::<Vec<RawJson>>(), b.parse::<Vec<RawJson>>()) {
            (Ok(a), Ok(b)) => {
                a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| is_same_within(Some(a), Some(b), levels))
            }
            _ => false,
        },
        ("string", "string") => {
            matches!((a.parse::<String>(), b.parse::<String>()), (Ok(a), Ok(b)) if a == b)
        }
        ("number", "number") => {
            matches!((number(a.as_str()), number(b.as_str())), (Some(a), Some(b)) if a == b)
        }
        _ => is_nothing(one) && is_nothing(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> RawJson {
        RawJson::new(text).expect(text)
    }

    #[test]
    fn nothing_is_null_empty_or_an_object_of_nothing() {
        for (text, expected) in [
            ("null", true),
            ("[ ]", true),
            ("{}", true),
            (r#"{"a": null, "b": {"c": []}}"#, true),
            ("[null]", false),
            (r#""""#, false),
            ("false", false),
            ("0", false),
            (r#"{"a": {"b": false}}"#, false),
            (r#"{"a": null, "a": null}"#, false),
        ] {
            assert_eq!(is_nothing(Some(&raw(text))), expected, "{text}");
        }
        assert!(is_nothing(None));
    }

    #[test]
    fn values_are_the_same_however_they_are_written() {
        for (one, other, expected) in [
            (r#"{"a": 1, "b": [true]}"#, r#"{"b":[ true ],"a":1}"#, true),
            (r#"{"a": 1, "b": null}"#, r#"{"a": 1, "c": {"d": []}}"#, true),
            (r#"{"a": 1, "b": 0}"#, r#"{"a": 1}"#, false),
            (r#"{"a": 1}"#, r#"{"a": 1, "b": ""}"#, false),
            ("null", "{}", true),
            ("[]", "{}", true),
            ("[null]", "[]", false),
            ("[null]", "[{}]", true),
            ("[1, 2]", "[2, 1]", false),
            (r#""\u00e9""#, r#""é""#, true),
            (r#""a""#, r#""b""#, false),
            (r#""\ud83d""#, r#""\ud83e""#, false),
            ("1", r#""1""#, false),
            ("true", "false", false),
            (r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#, false),
        ] {
            assert_eq!(is_same(Some(&raw(one)), Some(&raw(other))), expected, "{one} {other}");
            assert_eq!(is_same(Some(&raw(other)), Some(&raw(one))), expected, "{other} {one}");
        }
    }

    #[test]
    fn numbers_are_the_same_when_they_write_the_same_number() {
        for (one, other, expected) in [
            ("1.10", "1.1", true),
            ("1e3", "1000", true),
            ("1E+3", "10.00e2", true),
            ("0.001", "1e-3", true),
            ("-0", "0.0e7", true),
            ("-1", "1", false),
            ("9007199254740993", "9007199254740992", false),
            ("1e400", "1e401", false),
            ("1e99999999999999999999", "10e99999999999999999998", false),
            ("1e9223372036854775807", "10e9223372036854775807", false),
        ] {
            assert_eq!(is_same(Some(&raw(one)), Some(&raw(other))), expected, "{one} {other}");
        }
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        let deep = |inside: &str| raw(&format!("{}{inside}{}", r#"{"a":["#.repeat(20_000), "]}".repeat(20_000)));
        assert!(is_same(Some(&deep("1")), Some(&deep("1"))));
        assert!(!is_same(Some(&deep("1")), Some(&deep("2"))));
        assert!(!is_nothing(Some(&raw(&format!("{}{}", r#"{"a":"#.repeat(20_000) + "1", "}".repeat(20_000))))));
    }
}
