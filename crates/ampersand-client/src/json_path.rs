//! Finds the JSONPath of a position in a JSON text.

use std::borrow::Cow;

use ampersand_types::__private::Member;

/// An array or an object that is open at a position. A key is as in the text, with its escapes.
enum Open<'t> {
    Array(usize),
    Object(Option<&'t str>),
}

/// Returns the JSONPath of the value at a line and a column, both counted from 1, as in an error of `serde_json`.
/// It searches the text, so that types need no second way of decoding.
pub(crate) fn at(json: &str, line: usize, column: usize) -> String {
    let before = json.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let end = (before + column).min(json.len());
    let (mut open, mut bytes, mut is_key) = (Vec::new(), json.bytes().enumerate().take(end), false);
    while let Some((index, byte)) = bytes.next() {
        let is_last = index + 1 == end;
        match byte {
            b'"' => {
                let mut is_escaped = false;
                let close = bytes.find(|(_, byte)| {
                    let ends = *byte == b'"' && !is_escaped;
                    is_escaped = *byte == b'\\' && !is_escaped;
                    ends
                });
                if let (Some((close, _)), Some(Open::Object(key)), true) = (close, open.last_mut(), is_key) {
                    (*key, is_key) = (json.get(index + 1..close), false);
                }
            }
            b'{' => (_, is_key) = (open.push(Open::Object(None)), true),
            b'[' => open.push(Open::Array(0)),
            // `serde_json` reports a missing field at the end of its object.
            b'}' | b']' if !is_last => drop(open.pop()),
            b',' if !is_last => match open.last_mut() {
                Some(Open::Array(index)) => *index += 1,
                Some(Open::Object(_)) => is_key = true,
                None => {}
            },
            b'}' => {
                if let Some(Open::Object(key)) = open.last_mut() {
                    *key = None;
                }
            }
            _ => {}
        }
    }
    open.iter().fold("$".to_owned(), |path, open| match open {
        Open::Array(index) => format!("{path}[{index}]"),
        Open::Object(Some(key)) => {
            let name: Cow<'_, str> = serde_json::from_str(&format!("\"{key}\"")).unwrap_or(Cow::Borrowed(key));
            format!("{path}{}", Member(&name))
        }
        Open::Object(None) => path,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::types::Topic;

    type Things = BTreeMap<String, Vec<BTreeMap<String, String>>>;

    #[test]
    fn an_error_of_serde_json_is_found_by_its_place() {
        for (json, path) in [
            ("5", "$"),
            ("{\n \"a\": 5}", "$.a"),
            (r#"{"a": {"b": 1}}"#, "$.a"),
            (r#"{"a": [{"b": "c"}, 5]}"#, "$.a[1]"),
            (r#"{"a": [], "\"}]": [{"b": "\"}]"}, {"c": "d", "e": []}]}"#, r#"$['"}]'][1].e"#),
            ("{\"it's\": [{\"a\":\n\n null}]}", r"$['it\'s'][0].a"),
            (r#"{"a": [{"b": "c"}], "d": null}"#, "$.d"),
        ] {
            let error = serde_json::from_str::<Things>(json).expect_err(json);
            assert_eq!(at(json, error.line(), error.column()), path, "{json}: {error}");
        }
        for (json, path) in [("[{}]", "$[0]"), (r#"[{"id": "a", "new": [{}, {"b": []}]}, 1]"#, "$[0]")] {
            let error = serde_json::from_str::<Vec<Topic>>(json).expect_err(json);
            assert_eq!(at(json, error.line(), error.column()), path, "{json}: {error}");
        }
        assert_eq!(at("", 5, 7), "$");
        assert_eq!(at("}]\"\\", 1, 9), "$");
    }
}
