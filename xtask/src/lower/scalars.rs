use anyhow::Result;
use serde_json::Value;

use super::{Context, RUST_TYPE, become_rust_type, direction, for_each_schema, for_each_schema_of, is_map, is_struct};

/// What an overlay says of a string that is a signed URL, where its name does not.
pub(crate) const SIGNED_URL: &str = "x-signed-url";

/// Makes `SignedUrl` of a string `xURL` beside a field `x`, and of one that an overlay marks with `x-signed-url`; and
/// `RawJson` of `x`, which is what the URL leads to.
///
/// As a `String` the URL would show its signature in `Debug`. And what is there at times and elsewhere at others is one
/// value to a reader, a `ConfigSource`.
pub(super) fn signed_urls(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    for_each_schema(document, &mut |schema| {
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
        let names: Vec<String> = properties.keys().cloned().collect();
        let mut replaced = Vec::new();
        for (name, property) in properties.iter_mut() {
            let stands_for_another =
                replaced_by_url(name).is_some_and(|field| names.iter().any(|other| other == field));
            if property["type"] == "string" && (stands_for_another || property[SIGNED_URL] == true) {
                become_rust_type(property, "SignedUrl", &[]);
                replaced.extend(replaced_by_url(name).map(str::to_owned));
                hits += 1;
            }
        }
        for name in replaced {
            if let Some(property) = properties.get_mut(&name) {
                become_rust_type(property, "RawJson", &[]);
            }
        }
    });
    Ok(hits)
}

/// `config` for `configURL`.
pub(crate) fn replaced_by_url(field: &str) -> Option<&str> {
    field.strip_suffix("URL").or_else(|| field.strip_suffix("Url"))
}

/// Makes `Timestamp` of a string with `format: date-time`, which typify would parse: it then refuses a payload for a
/// time without offset, and encodes every other one in UTC.
pub(super) fn timestamps(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    for_each_schema(document, &mut |schema| {
        if schema["type"] == "string" && schema["format"] == "date-time" {
            become_rust_type(schema, "Timestamp", &[]);
            hits += 1;
        }
    });
    Ok(hits)
}

/// Makes `Integer` of every whole number that may be received. An `i64` refuses what is larger, and what is written as 1.0
/// or 1e3. It is what a caller has to send.
pub(super) fn integers(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    let only_sent = direction::only_sent(document);
    for_each_schema_of(document, |holder| !holder.is_only_sent(&only_sent), &mut |schema| {
        if schema["type"] == "integer" {
            become_rust_type(schema, "Integer", &[]);
            hits += 1;
        }
    });
    Ok(hits)
}

/// Makes `RawJson` of every value whose shape is open, or is a choice.
///
/// As a map of values it would lose the order of its keys and the text of its numbers, and cost ten times as much to
/// read; a choice would become an untagged enum, which refuses what is none of them. A `number` is open too: `f64`
/// turns 5 into 5.0 and rounds what is above 2^53.
pub(super) fn opaque_values(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    for_each_schema(document, &mut |schema| {
        if is_opaque(schema) {
            become_rust_type(schema, "RawJson", &[]);
            hits += 1;
        }
    });
    Ok(hits)
}

fn is_opaque(schema: &Value) -> bool {
    if schema.get("$ref").is_some() || schema.get(RUST_TYPE).is_some() || is_struct(schema) {
        return false;
    }
    if ["oneOf", "anyOf", "not"].iter().any(|key| schema.get(key).is_some()) {
        return true;
    }
    match schema["type"].as_str() {
        Some("object") => !is_map(schema),
        Some("array") => schema.get("items").is_none(),
        Some("string" | "boolean" | "integer") => false,
        Some(_) => true,
        None => !is_map(schema) && schema.get("items").is_none() && schema.get("enum").is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::OPERATIONS;
    use crate::lower::testing::{run, run_document};
    use serde_json::json;

    fn types(schemas: &Value) -> Vec<(String, &str)> {
        let properties = schemas["A"]["properties"].as_object().into_iter().flatten();
        let typed = properties.map(|(name, property)| {
            let path = property[RUST_TYPE]["path"].as_str().unwrap_or_default();
            (name.clone(), path.trim_start_matches("ampersand_types::"))
        });
        typed.collect()
    }

    #[test]
    fn urls_that_stand_for_a_field_are_signed() {
        let (schemas, hits) = run(
            signed_urls,
            json!({ "A": { "properties": {
            "config": { "type": "object" },
            "configURL": { "type": "string", "format": "uri", "description": "kept" },
            "downloadUrl": { "type": "string", SIGNED_URL: true },
            "hookURL": { "type": "string" },
            "URL": { "type": "string" },
        } } }),
        );
        assert_eq!(
            types(&schemas),
            [
                ("URL".to_owned(), ""),
                ("config".to_owned(), "RawJson"),
                ("configURL".to_owned(), "SignedUrl"),
                ("downloadUrl".to_owned(), "SignedUrl"),
                ("hookURL".to_owned(), ""),
            ]
        );
        assert_eq!(schemas["A"]["properties"]["configURL"]["description"], "kept");
        assert_eq!(hits, 2);
    }

    #[test]
    fn date_times_are_timestamps() {
        let (schemas, hits) = run(
            timestamps,
            json!({ "A": { "properties": {
            "at": { "type": "string", "format": "date-time" },
            "url": { "type": "string", "format": "uri" },
        } } }),
        );
        assert_eq!(types(&schemas), [("at".to_owned(), "Timestamp"), ("url".to_owned(), "")]);
        assert_eq!(hits, 1);
    }

    #[test]
    fn whole_numbers_are_integers() {
        let (schemas, hits) = run(
            integers,
            json!({ "A": { "properties": { "count": { "type": "integer" }, "share": { "type": "number" } } } }),
        );
        assert_eq!(types(&schemas), [("count".to_owned(), "Integer"), ("share".to_owned(), "")]);
        assert_eq!(hits, 1);
    }

    #[test]
    fn whole_numbers_that_are_only_sent_are_plain() {
        let schema = json!({ "properties": { "count": { "type": "integer" } } });
        let (_, hits) = run_document(
            integers,
            json!({
                OPERATIONS: [{ "body": { "schema": { "$ref": "#/components/schemas/A" } } }],
                "components": { "schemas": { "A": schema } },
            }),
        )
        .expect("passes");
        assert_eq!(hits, 0);
    }

    #[test]
    fn open_shapes_and_choices_stay_text() {
        let raw = |schema: Value| run(opaque_values, json!({ "A": { "properties": { "x": schema } } })).1 == 1;
        for open in [
            json!({}),
            json!({ "type": "object" }),
            json!({ "type": "object", "additionalProperties": true }),
            json!({ "type": "object", "additionalProperties": {} }),
            json!({ "type": "object", "properties": {} }),
            json!({ "type": "array" }),
            json!({ "type": "number" }),
            json!({ "oneOf": [{ "type": "string" }, { "type": "boolean" }] }),
        ] {
            assert!(raw(open.clone()), "{open}");
        }
        for shaped in [
            json!({ "type": "string" }),
            json!({ "enum": ["a"] }),
            json!({ "$ref": "#/components/schemas/A" }),
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            json!({ "properties": { "a": { "type": "string" } } }),
            json!({ "type": "array", "items": { "type": "string" } }),
        ] {
            assert!(!raw(shaped.clone()), "{shaped}");
        }
    }
}
