//! `inline_aliases` and `name_inline_schemas`: which schemas have a name, and which name.

use serde_json::{Value, json};

use super::{after, schemas, show_all, take};
use crate::model::names;
use crate::model::testing::reference;

/// Shows schemas after `name_inline_schemas`, and the enums that it takes out of them.
fn named(text: &Value) -> String {
    let mut document = schemas(text);
    let found = take(&mut document, "name_inline_schemas").expect("the step is taken");
    let enums = document.enums.iter().map(|open| {
        let words = open.words.iter().map(|words| format!(" '{words}'")).collect::<String>();
        format!("enum {} {:?}{words} {:?}\n", open.name, open.values, open.value_words)
    });
    format!("{}{}name_inline_schemas: {found}", show_all(&document), enums.collect::<String>())
}

#[test]
fn aliases_disappear_into_their_uses() {
    insta::assert_snapshot!(after("inline_aliases", json!({
        "A": { "properties": {
            "map": { "description": "Of the field.", "allOf": [reference("Maps")] },
            "null": { "nullable": true, "default": "x", "allOf": [reference("Name")] },
            "tree": reference("Tree"),
            "mode": reference("Mode"),
        } },
        "Map": { "description": "Of the map.", "type": "object", "additionalProperties": { "type": "string" } },
        "Maps": { "type": "array", "items": reference("Map") },
        "Mode": { "enum": ["x"] },
        "Name": { "description": "Of the name.", "type": "string", "maxLength": 3 },
        "Tree": { "type": "array", "items": reference("Tree") },
    })), @r#"
    A: {map?: [{*: text} 'Of the map.'] 'Of the field.', mode?: #Mode, null?: text or null default="x" maxLength=3 'Of the name.', tree?: [any as Raw]}
    Mode: text("x")
    inline_aliases: 4
    "#);
}

#[test]
fn inline_enums_and_objects_get_a_name() {
    insta::assert_snapshot!(named(&json!({
        "A": { "properties": {
            "mode": { "description": "How.", "enum": ["x", "y"], "x-enum-descriptions": { "x": "Ex." } },
            "list": { "type": "array", "items": { "description": "One.", "properties": { "kind": { "enum": ["z"] } } } },
            "map": { "additionalProperties": { "nullable": true, "properties": { "a": {} } } },
            "choice": { "oneOf": [{ "properties": { "a": {} } }, { "type": "string" }] },
            "root": reference("Root"),
        } },
        "Root": { "enum": ["r"] },
    })), @r#"
    A: {choice?: oneOf({a?: any}, text), list?: [#AListItem 'One.'], map?: {*: #AMapValue or null}, mode?: text("x"|"y") as Type("m::AMode") 'How.', root?: text("r") as Type("m::Root")}
    AListItem: {kind?: text("z") as Type("m::AListItemKind")} 'One.'
    AMapValue: {a?: any} or null
    enum AListItemKind ["z"] {}
    enum AMode ["x", "y"] 'How.' {"x": "Ex."}
    enum Root ["r"] {}
    name_inline_schemas: 5
    "#);
}

#[test]
fn a_name_that_is_taken_stays_with_the_schema_that_has_it() {
    insta::assert_snapshot!(named(&json!({
        "A": { "properties": { "b": { "properties": { "c": { "enum": ["x"] } } } } },
        "AB": { "properties": { "d": { "type": "string" } } },
        "ABInlineC": { "properties": { "e": { "type": "string" } } },
    })), @r#"
    A: {b?: #ABInline}
    AB: {d?: text}
    ABInline: {c?: text("x") as Type("m::AbInlineCInline")}
    ABInlineC: {e?: text}
    enum AbInlineCInline ["x"] {}
    name_inline_schemas: 2
    "#);
}

#[test]
fn names_that_are_alike_are_told_apart() {
    insta::assert_snapshot!(named(&json!({
        "A": { "properties": { "b-c": { "enum": ["x"] }, "bC": { "properties": { "d": {} } } } },
    })), @r#"
    A: {b-c?: text("x") as Type("m::ABc"), bC?: #ABcInline}
    ABcInline: {d?: any}
    enum ABc ["x"] {}
    name_inline_schemas: 2
    "#);
}

#[test]
fn names_in_rust() {
    for (name, pascal, snake, module) in [
        ("installation.created", "InstallationCreated", "installation_created", "installation_created"),
        ("ifEmpty", "IfEmpty", "if_empty", "if_empty"),
        ("JWTKey", "JwtKey", "jwt_key", "jwt_key"),
        ("selectedFieldsAuto", "SelectedFieldsAuto", "selected_fields_auto", "selected_fields_auto"),
        ("a/b c-d_e", "Abcde", "a_b_c_d_e", "a_b_c_d_e"),
        ("Objects & Fields", "ObjectsFields", "objects_and_fields", "objects_and_fields"),
        ("type", "Type", "type", "type_"),
        ("2fa", "X2fa", "2fa", "_2fa"),
        ("*", "X", "", "others"),
    ] {
        assert_eq!(
            (names::pascal(name).as_str(), names::snake(name).as_str(), names::module(name).as_str()),
            (pascal, snake, module),
            "{name}"
        );
    }
    assert_eq!(names::camel("get /things/{id}"), "getThingsId");
}

#[test]
fn every_value_of_an_enum_has_a_variant_of_its_own() {
    for (value, name) in [
        ("ifEmpty", "IfEmpty"),
        ("read.triggered.done", "ReadTriggeredDone"),
        ("", "Empty"),
        ("unknown", "Unknown2"),
        ("self", "Self2"),
        ("1h", "_1h"),
        ("*", "U2A"),
        (">=", "U3EU3D"),
    ] {
        assert_eq!(names::variants(&[value]), [name]);
        syn::parse_str::<syn::Ident>(name).expect(name);
    }
    assert_eq!(names::variants(&["ASC", "asc", "a-sc", "Asc"]), ["Asc", "Asc2", "ASc", "Asc3"]);
}
