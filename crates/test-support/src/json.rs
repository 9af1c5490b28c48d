//! Compares JSON without converting numbers: `1742558812455698400` and `1e400` count as written.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Returns where two JSON texts differ in value. The order of keys and white space do not count.
pub fn difference(sent: &str, encoded: &str) -> Option<String> {
    differ(sent, encoded, "$")
}

fn differ(sent: &str, encoded: &str, path: &str) -> Option<String> {
    let (sent, encoded) = (sent.trim_ascii(), encoded.trim_ascii());
    if sent == encoded {
        return None;
    }
    match (sent.as_bytes()[0], encoded.as_bytes()[0]) {
        (b'{', b'{') => {
            let (sent, encoded) = (object(sent), object(encoded));
            let gone = sent.keys().find(|key| !encoded.contains_key(*key)).map(|key| format!("{path}.{key} is lost"));
            let new = encoded.keys().find(|key| !sent.contains_key(*key)).map(|key| format!("{path}.{key} is put in"));
            gone.or(new).or_else(|| {
                sent.iter().find_map(|(key, value)| differ(value.get(), encoded[key].get(), &format!("{path}.{key}")))
            })
        }
        (b'[', b'[') => {
            let (sent, encoded): (Vec<&RawValue>, Vec<&RawValue>) = (parse(sent), parse(encoded));
            if sent.len() != encoded.len() {
                return Some(format!("{path} has {} elements instead of {}", encoded.len(), sent.len()));
            }
            let mut pairs = sent.iter().zip(&encoded).enumerate();
            pairs.find_map(|(index, (a, b))| differ(a.get(), b.get(), &format!("{path}[{index}]")))
        }
        (b'"', b'"') => {
            let (sent, encoded): (String, String) = (parse(sent), parse(encoded));
            (sent != encoded).then(|| format!("{path} is {encoded:?} instead of {sent:?}"))
        }
        _ => (sent != encoded).then(|| format!("{path} is {encoded} instead of {sent}")),
    }
}

fn object(text: &str) -> BTreeMap<String, &RawValue> {
    parse(text)
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_seen_and_order_is_not() {
        let same = r#"{"a": [1.10, 1e400, null], "b": "\u00e9"}"#;
        assert_eq!(difference(same, r#"{"b":"é","a":[1.10,1e400,null]}"#), None);
        for (other, expected) in [
            (r#"{"a": [1.1, 1e400, null], "b": "é"}"#, "$.a[0] is 1.1 instead of 1.10"),
            (r#"{"a": [1.10, 1e400], "b": "é"}"#, "$.a has 2 elements instead of 3"),
            (r#"{"a": [1.10, 1e400, null]}"#, "$.b is lost"),
            (r#"{"a": [1.10, 1e400, null], "b": "é", "c": null}"#, "$.c is put in"),
            (r#"{"a": [1.10, 1e400, false], "b": "e"}"#, "$.a[2] is false instead of null"),
            (r#"{"a": [1.10, 1e400, null], "b": "e"}"#, r#"$.b is "e" instead of "é""#),
        ] {
            assert_eq!(difference(same, other).as_deref(), Some(expected));
        }
    }
}
