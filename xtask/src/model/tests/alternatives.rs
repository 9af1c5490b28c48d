//! `fold_alternatives`: an object gets the fields of its alternatives.

use serde_json::{Value, json};

use super::{after, read};
use crate::model::testing::{reference, schemas};

#[test]
fn alternatives_that_only_require_make_fields_conditional() {
    let document = schemas(&json!({
        "Exclusive": {
            "required": ["id"],
            "properties": { "id": {}, "config": {}, "configURL": {} },
            "oneOf": [{ "required": ["config"] }, { "required": ["configURL"], "not": { "required": ["config"] } }],
        },
        "Either": { "properties": { "a": {}, "b": {}, "c": {} }, "anyOf": [{ "required": ["a", "b"] }, { "required": ["c", "b"] }] },
        "Undescribed": { "properties": { "a": {} }, "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] },
        "Nothing": { "type": "object", "oneOf": [{ "type": "object", "required": ["a"] }, { "required": ["b"] }] },
    }));
    insta::assert_snapshot!(super::show_all(&document), @"
    Either: {a~: any, b!: any, c~: any; anyOf(a+b, b+c)}
    Exclusive: {config~: any, configURL~: any, id!: any; oneOf(config, configURL)}
    Nothing: {; oneOf(a, b)}
    Undescribed: {a~: any; oneOf(a, b)}
    ");
    assert_eq!(document.steps["fold_alternatives"], 4);
    let others = &document.schemas["Exclusive"].object().expect("an object").of_other_alternatives;
    assert_eq!(Vec::from_iter(others), ["configURL"], "a sample has the first alternative alone");
}

#[test]
fn fields_of_alternatives_are_optional_and_may_be_either_where_they_differ() {
    let document = schemas(&json!({
        "A": { "properties": { "a": {} }, "oneOf": [
            { "required": ["b"], "properties": { "b": { "type": "string" }, "c": { "type": "string" } } },
            { "required": ["b"], "properties": { "b": { "type": "integer" }, "c": { "type": "string" } } },
            { "required": ["b"], "properties": { "c": { "type": "string", "description": "Words." } } },
        ] },
        "Own": { "properties": { "a": { "type": "string" } }, "oneOf": [
            { "required": ["a"], "properties": { "a": { "type": "string", "description": "Words." } } },
            { "required": ["a"], "properties": { "a": { "type": "string" }, "d": {} } },
        ] },
        "Parts": { "allOf": [
            { "properties": { "a": {} } },
            { "anyOf": [reference("Part"), { "properties": { "d": {} } }] },
        ] },
        "Part": { "properties": { "c": {} } },
        "Nested": { "properties": { "a": {} }, "oneOf": [
            { "allOf": [{ "oneOf": [reference("Part"), { "properties": { "d": {} } }] }], "description": "Words." },
            { "properties": { "e": {} } },
        ] },
    }));
    insta::assert_snapshot!(super::show_all(&document), @"
    A: {a?: any, b!: anyOf(text, integer), c?: text}
    Nested: {a?: any, c?: any, d?: any, e?: any}
    Own: {a!: text, d?: any}
    Part: {c?: any}
    Parts: {a?: any, c?: any, d?: any}
    ");
    let others = |name: &str| document.schemas[name].object().expect("an object").of_other_alternatives.clone();
    assert_eq!(
        (others("A").len(), Vec::from_iter(others("Own")), Vec::from_iter(others("Parts"))),
        (0, vec!["d".to_owned()], vec!["d".to_owned()])
    );
}

#[test]
fn alternatives_of_anything_else_stay_a_choice() {
    insta::assert_snapshot!(read(json!({
        "Objects": { "oneOf": [reference("Part"), { "properties": { "d": {} } }] },
        "Mixed": { "anyOf": [{ "required": ["a"], "properties": { "a": {} } }, { "type": "string" }] },
        "Texts": { "oneOf": [{ "type": "string", "format": "uuid" }, { "type": "string" }] },
        "EnumOrText": { "anyOf": [{ "enum": ["a"] }, { "type": "string" }] },
        "One": { "oneOf": [{ "type": "string" }] },
        "Part": { "properties": { "c": {} } },
    })), @r#"
    EnumOrText: anyOf(text("a"), text)
    Mixed: anyOf({a!: any}, text)
    Objects: oneOf(#Part, {d?: any})
    One: text
    Part: {c?: any}
    Texts: oneOf(text format="uuid", text)
    "#);
}

#[test]
fn an_alternative_of_null_alone_makes_the_other_nullable() {
    insta::assert_snapshot!(read(json!({
        "A": { "properties": {
            "reference": { "oneOf": [reference("B"), { "enum": [null] }] },
            "any": { "anyOf": [{ "type": "string", "nullable": true, "enum": [null] }, { "type": "integer" }] },
            "choice": { "oneOf": [{ "type": "string" }, { "type": "integer" }, { "enum": [null] }] },
            "values": { "enum": ["a", null] },
        } },
        "B": { "type": "object", "properties": { "b": { "type": "string" } } },
    })), @r#"
    A: {any?: integer or null, choice?: oneOf(text, integer) or null, reference?: #B or null, values?: text("a") or null}
    B: {b?: text}
    "#);
}

#[test]
fn a_choice_of_enums_is_one_enum_whose_values_keep_their_words() {
    let document = schemas(&json!({
        "State": { "oneOf": [
            { "type": "string", "enum": ["on"], "description": "On." },
            { "type": "string", "enum": ["off"], "description": "Off." },
        ] },
        "Levels": { "description": "Levels.", "anyOf": [
            { "type": "string", "enum": ["low", "high"], "description": "Of neither alone." },
            { "type": "string", "enum": ["high", "none"], "nullable": true },
        ] },
        "Numbers": { "oneOf": [{ "type": "integer", "enum": [1] }, { "type": "integer", "enum": [2] }] },
    }));
    insta::assert_snapshot!(super::show_all(&document), @r#"
    Levels: text("high"|"low"|"none") or null 'Levels.'
    Numbers: oneOf(integer(1), integer(2))
    State: text("off"|"on")
    "#);
    let words = |name: &str| format!("{:?}", document.schemas[name].says.value_words);
    assert_eq!(words("State"), r#"{"off": "Off.", "on": "On."}"#);
    assert_eq!(words("Levels"), "{}");
}

#[test]
fn a_choice_between_texts_is_a_text_with_known_values_where_each_has() {
    insta::assert_snapshot!(after("texts_of_choices", json!({
        "Circle": { "oneOf": [{ "type": "string" }, reference("Circle")] },
        "EnumOrText": { "anyOf": [reference("Mode"), { "type": "string" }] },
        "Inner": { "type": "array", "items": { "oneOf": [{ "type": "string", "format": "uuid" }, { "type": "string" }] } },
        "Mixed": { "oneOf": [{ "type": "string" }, { "type": "integer" }] },
        "Mode": { "enum": ["b", "a"] },
        "Modes": { "description": "Modes.", "oneOf": [reference("Mode"), reference("MoreModes")] },
        "MoreModes": { "nullable": true, "enum": ["c", "a"] },
    })), @r#"
    Circle: any
    EnumOrText: text
    Inner: [text]
    Mixed: oneOf(text, integer)
    Mode: text("b"|"a")
    Modes: text("a"|"b"|"c") or null 'Modes.'
    MoreModes: text("c"|"a") or null
    texts_of_choices: 3
    "#);
}

#[test]
fn a_schema_that_lists_those_that_build_on_it_has_its_own_fields() {
    let document = schemas(&json!({
        "Base": { "properties": { "kind": {} }, "oneOf": [reference("One"), reference("Other")] },
        "One": { "allOf": [reference("Base"), { "properties": { "a": {} } }] },
        "Other": { "allOf": [reference("Base"), { "properties": { "b": {} } }] },
    }));
    insta::assert_snapshot!(super::show_all(&document), @"
    Base: {a?: any, b?: any, kind?: any}
    One: {a?: any, kind?: any}
    Other: {b?: any, kind?: any}
    ");
    assert_eq!(document.problems, [""; 0]);
}

#[test]
fn alternatives_that_lead_to_each_other_in_too_many_ways_are_refused() {
    let choice = |fields: &str, of: Vec<String>| {
        let of: Vec<Value> = of.iter().map(|name| reference(name)).collect();
        json!({ "properties": { fields: {} }, "anyOf": of })
    };
    let mut all = json!({});
    for i in 0..4 {
        all[format!("M{i}")] = choice("m", (0..4).map(|j| format!("L{i}{j}")).collect());
        all[format!("Q{i}")] = choice("q", (0..4).map(|k| format!("L{k}0")).collect());
        for j in 0..4 {
            let more = choice("l", (0..4).map(|k| format!("Q{k}")).collect());
            all[format!("L{i}{j}")] = json!({ "allOf": [reference(&format!("M{i}")), more] });
        }
    }
    let problems = schemas(&all).problems;
    let why = "its alternatives lead to each other in too many ways";
    assert!(problems.first().is_some_and(|problem| problem.ends_with(why)), "{problems:?}");
}
