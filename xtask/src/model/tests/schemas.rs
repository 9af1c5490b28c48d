//! How the keywords of a schema are read.

use serde_json::json;

use super::read;
use crate::model::testing::{reference, schemas, show};

#[test]
fn the_type_decides_and_keywords_where_there_is_none() {
    insta::assert_snapshot!(read(json!({
        "Any": {},
        "ByItems": { "items": { "type": "string" } },
        "ByProperties": { "properties": { "a": {} } },
        "ByRequired": { "required": ["a"] },
        "ByValues": { "enum": ["a", "b"] },
        "Closed": { "type": "object", "additionalProperties": false },
        "List": { "type": "array" },
        "Map": { "additionalProperties": { "type": "string", "format": "date-time" } },
        "Mixed": { "enum": [1, "a", true] },
        "Object": { "type": "object" },
        "Open": { "type": "object", "additionalProperties": true },
        "TextWithProperties": { "type": "string", "properties": { "a": {} }, "required": ["a"] },
        "Whole": { "type": "integer", "format": "int64", "minimum": 1 },
        "Wholes": { "type": "integer", "enum": [2, 1] },
        "WholesByValues": { "enum": [2, 1, null] },
    })), @r#"
    Any: any
    ByItems: [text]
    ByProperties: {a?: any}
    ByRequired: {a!}
    ByValues: text("a"|"b")
    Closed: {no others}
    List: []
    Map: {*: time}
    Mixed: any(1|"a"|true)
    Object: {}
    Open: {}
    TextWithProperties: text
    Whole: integer format="int64" minimum=1
    Wholes: integer(2|1)
    WholesByValues: integer(2|1) or null
    "#);
}

#[test]
fn a_field_may_be_null_where_its_schema_is_or_the_one_that_it_refers_to() {
    let document = schemas(&json!({
        "A": { "required": ["named", "beside", "plain"], "properties": {
            "named": reference("Null"),
            "through": reference("Alias"),
            "beside": { "nullable": true, "allOf": [reference("B")] },
            "plain": reference("B"),
        } },
        "Alias": { "allOf": [reference("Null")] },
        "B": { "type": "object", "properties": { "b": { "type": "string" } } },
        "Null": { "type": "object", "nullable": true, "properties": { "b": { "type": "string" } } },
    }));
    insta::assert_snapshot!(super::show_all(&document), @"
    A: {beside!: #B or null, named!: #Null, plain!: #B, through?: #Alias}
    Alias: #Null
    B: {b?: text}
    Null: {b?: text} or null
    ");
    let nullable = document.schemas["A"].fields().filter(|(_, field)| document.is_nullable(&field.schema));
    assert_eq!(nullable.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["beside", "named", "through"]);
}

#[test]
fn a_reference_says_what_stands_beside_it_and_leads_to_the_rest() {
    let document = schemas(&json!({
        "A": { "properties": { "b": { "allOf": [reference("B")], "nullable": true, "default": "x" } } },
        "B": { "type": "string", "maxLength": 3 },
        "Circle": reference("Circle"),
    }));
    let field = &document.schemas["A"].field("b").expect("a field").schema;
    assert_eq!(show(document.resolve(field)), "text maxLength=3");
    let model = super::super::Model { documents: [("api".to_owned(), document.clone())].into() };
    assert_eq!(show(&model.whole(field)), r#"text or null default="x" maxLength=3"#);
    assert_eq!(show(model.follow(field)), r##"#B or null default="x""##, "what says something stays");
    let circle = &document.schemas["Circle"];
    assert_eq!(
        (show(document.resolve(circle)), show(model.follow(circle)), show(&model.whole(circle))),
        ("#Circle".to_owned(), "#Circle".to_owned(), "#Circle".to_owned())
    );
}

#[test]
fn keywords_that_say_nothing_are_not_kept() {
    insta::assert_snapshot!(read(json!({
        "A": { "type": "string", "minLength": 0, "deprecated": false, "default": false, "x-other": 1 },
        "B": { "type": "array", "minItems": 0, "uniqueItems": false, "items": {} },
        "C": { "type": "string", "minLength": 1, "deprecated": true, "pattern": "a+" },
    })), @r#"
    A: text default=false
    B: []
    C: text deprecated=true minLength=1 pattern="a+"
    "#);
}

#[test]
fn a_field_may_be_called_as_a_keyword_is() {
    let text = || json!({ "type": "string" });
    insta::assert_snapshot!(read(json!({ "A": { "properties": {
        "$ref": text(), "allOf": text(), "default": { "type": "boolean", "default": false }, "nullable": text(),
        "properties": { "properties": { "properties": text() } }, "required": text(), "type": text(), "x-order": text(),
    } } })), @"A: {$ref?: text, allOf?: text, default?: boolean default=false, nullable?: text, properties?: {properties?: text}, required?: text, type?: text, x-order?: text}");
}

#[test]
fn what_overlays_say_is_kept_apart() {
    let document = schemas(&json!({ "A": {
        "type": "object", "x-from": "B", "x-order": ["b", "a"], "x-same-as": "C",
        "properties": { "a": { "type": "string", "x-credential": false, "x-signed-url": true } },
    } }));
    let of = &document.schemas["A"].says;
    assert_eq!(
        (of.from.as_deref(), of.same_as.as_deref(), of.order.join(" ")),
        (Some("B"), Some("C"), "b a".to_owned())
    );
    let of = &document.schemas["A"].field("a").expect("a field").schema.says;
    assert_eq!((of.credential, of.signed_url), (Some(false), true));
}
