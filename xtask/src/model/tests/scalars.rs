//! Values that do not become structs: `signed_urls`, `timestamps` and `opaque_values`.

use serde_json::{Value, json};

use super::{after, schemas, take};
use crate::keywords::word;
use crate::model::testing::reference;
use crate::model::{Need, Rust, Type};

#[test]
fn urls_that_stand_for_a_field_are_signed() {
    insta::assert_snapshot!(after("signed_urls", json!({
        "A": { "properties": {
            "URL": { "type": "string" },
            "config": { "type": "object" },
            "configURL": { "type": "string", "format": "uri", "description": "Kept." },
            "downloadUrl": { "type": "string", "x-signed-url": true },
            "hookURL": { "type": "string" },
            "list": { "type": "array", "items": { "properties": { "file": {}, "fileURL": { "type": "string" } } } },
            "report": { "type": "object" },
            "reportURL": { "type": "integer" },
        } },
    })), @r#"
    A: {URL?: text, config?: {} as Raw, configURL?: text format="uri" as SignedUrl 'Kept.', downloadUrl?: text as SignedUrl, hookURL?: text, list?: [{file?: any as Raw, fileURL?: text as SignedUrl}], report?: {}, reportURL?: integer}
    signed_urls: 3
    "#);
}

#[test]
fn date_times_are_timestamps() {
    let hits = |schema: Value| take(&mut schemas(&json!({ "A": { "properties": { "x": schema } } })), "timestamps");
    let is_time = |schema: Value| hits(schema).expect("the step is taken") == 1;
    assert!(is_time(json!({ "type": "string", "format": "date-time" })));
    assert!(!is_time(json!({ "type": "string", "format": "uri" })));
    assert!(!is_time(json!({ "type": "string", "format": "date" })));
    assert!(!is_time(json!({ "type": "integer", "format": "date-time" })));
    assert!(!is_time(json!({ "enum": ["2020-01-01T00:00:00Z"], "format": "date-time" })), "an enum is one");
}

/// The step counts what `Schema::rust` returns.
#[test]
fn open_shapes_and_choices_stay_json() {
    let hits = |schema: &Value| take(&mut schemas(&json!({ "A": { "properties": { "x": schema } } })), "opaque_values");
    let is_raw = |schema: &Value| hits(schema).expect("the step is taken") >= 1;
    for open in [
        json!({}),
        json!({ "type": "object" }),
        json!({ "type": "object", "additionalProperties": true }),
        json!({ "type": "object", "additionalProperties": {} }),
        json!({ "type": "object", "additionalProperties": false }),
        json!({ "type": "object", "properties": {} }),
        json!({ "type": "array" }),
        json!({ "type": "number" }),
        json!({ "enum": [1, "a"] }),
        json!({ "oneOf": [{ "type": "string" }, { "type": "boolean" }] }),
        json!({ "oneOf": [{ "type": "string" }, { "type": "string", "format": "uuid" }] }),
    ] {
        assert!(is_raw(&open), "{open}");
    }
    for shaped in [
        json!({ "type": "string" }),
        json!({ "type": "integer", "enum": [1, 2] }),
        json!({ "enum": ["a"] }),
        reference("A"),
        json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        json!({ "properties": { "a": { "type": "string" } } }),
        json!({ "type": "array", "items": { "type": "string" } }),
    ] {
        assert!(!is_raw(&shaped), "{shaped}");
    }
}

#[test]
fn types_take_what_they_can_hold_and_are_options_where_they_cannot_hold_nothing() {
    let kinds =
        |rust: Rust| Type::ANY.into_iter().filter(|kind| rust.takes(*kind)).map(word).collect::<Vec<_>>().join(" ");
    insta::assert_snapshot!([
        ("raw", Rust::Raw), ("enum", Rust::OpenEnum), ("integer", Rust::Integer), ("list", Rust::List), ("map", Rust::Map), ("struct", Rust::Struct),
    ].map(|(name, rust)| format!("{name}: {}", kinds(rust))).join("\n"), @"
    raw: array boolean integer null number object string
    enum: string
    integer: integer number
    list: array null
    map: null object
    struct: object
    ");

    let document = schemas(&json!({
        "Any": { "nullable": true }, "List": { "nullable": true, "type": "array", "items": { "type": "string" } },
        "Null": { "type": "string", "nullable": true }, "Text": { "type": "string" },
    }));
    let options = |need| {
        document
            .schemas
            .iter()
            .filter(|(_, node)| node.is_option(need))
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(options(Need::Required), ["Null"], "JSON holds `null`, and a list is empty");
    assert_eq!(options(Need::Conditional), ["Any", "Null", "Text"]);
    assert_eq!(options(Need::Optional), ["Any", "Null", "Text"]);
}
