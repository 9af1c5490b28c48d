//! `merge_all_of`: the parts of an `allOf` become one schema.

use serde_json::json;

use super::read;
use crate::model::testing::{reference, schemas};

#[test]
fn parts_become_one_object_whose_own_part_refines_what_it_builds_on() {
    let document = schemas(&json!({
        "Base": { "description": "Of the base.", "type": "object", "required": ["id"], "properties": {
            "id": { "type": "string" },
            "map": { "description": "Kept.", "type": "object", "additionalProperties": reference("Base") },
            "read": { "description": "Kept.", "allOf": [reference("Base")] },
        } },
        "Middle": { "allOf": [reference("Base")], "type": "object" },
        "Own": { "allOf": [
            reference("Middle"),
            { "description": "Own.", "required": ["name", "id"], "properties": {
                "name": { "type": "string" },
                "map": { "additionalProperties": reference("Own") },
                "read": reference("Own"),
            } },
        ] },
    }));
    insta::assert_snapshot!(super::show_all(&document), @"
    Base: {id!: text, map?: {*: #Base} 'Kept.', read?: #Base 'Kept.'} 'Of the base.'
    Middle: #Base
    Own: {id!: text, map?: {*: #Own} 'Kept.', name!: text, read?: #Own 'Kept.'} 'Own.'
    ");
    assert_eq!(document.steps["merge_all_of"], 2, "`Own`, and `Middle` in it: by itself that is a name of `Base`");
}

#[test]
fn a_part_that_describes_a_field_takes_the_place_of_a_reference_and_the_other_way_round() {
    let base = json!({ "properties": {
        "refined": reference("Part"),
        "referred": { "type": "string", "description": "Words stay.", "maxLength": 3 },
        "said_nothing_of": { "type": "string", "maxLength": 3 },
        "bounded": { "type": "string", "description": "Words stay." },
    } });
    insta::assert_snapshot!(read(json!({
        "A": { "allOf": [base, { "properties": {
            "refined": { "type": "object", "properties": { "b": { "type": "string" } } },
            "referred": reference("Part"),
            "said_nothing_of": {},
            "bounded": { "maxLength": 5 },
        } }] },
        "Part": { "properties": { "a": { "type": "string" } } },
    })), @"
    A: {bounded?: text maxLength=5 'Words stay.', referred?: #Part 'Words stay.', refined?: {b?: text}, said_nothing_of?: text maxLength=3}
    Part: {a?: text}
    ");
}

#[test]
fn what_goes_for_any_type_leaves_a_reference_beside_it() {
    insta::assert_snapshot!(read(json!({
        "A": { "properties": {
            "alone": { "allOf": [reference("B")] },
            "beside": { "description": "Words.", "$ref": "#/components/schemas/B" },
            "deprecated": { "deprecated": true, "default": {}, "readOnly": true, "allOf": [reference("B")] },
            "nullable": { "nullable": true, "allOf": [reference("B")] },
            "refined": { "required": ["b"], "allOf": [reference("B")] },
        } },
        "B": { "type": "object", "properties": { "b": { "type": "string" } } },
        "Base": { "properties": { "b": reference("B") } },
        "Described": { "allOf": [reference("Base"), { "properties": { "b": { "description": "Words.", "deprecated": true } } }] },
    })), @"
    A: {alone?: #B, beside?: #B 'Words.', deprecated?: #B default={} deprecated=true readOnly=true, nullable?: #B or null, refined?: {b!: text}}
    B: {b?: text}
    Base: {b?: #B}
    Described: {b?: #B deprecated=true 'Words.'}
    ");
}

#[test]
fn what_is_said_of_a_schema_is_not_said_of_one_that_builds_on_it() {
    insta::assert_snapshot!(read(json!({
        "Base": { "description": "Of the base.", "deprecated": true, "properties": { "a": {} } },
        "Built": { "allOf": [reference("Base"), { "properties": { "b": {} } }] },
    })), @"
    Base: {a?: any} deprecated=true 'Of the base.'
    Built: {a?: any, b?: any}
    ");
}

#[test]
fn one_part_closes_an_object_for_all_and_one_that_says_nothing_opens_none() {
    insta::assert_snapshot!(read(json!({
        "Closed": { "allOf": [{ "additionalProperties": false }, { "additionalProperties": {}, "properties": { "a": {} } }] },
        "List": { "allOf": [{ "type": "array", "items": { "type": "string" } }, { "items": {} }] },
    })), @"
    Closed: {a?: any, no others}
    List: [text]
    ");
}

#[test]
fn an_all_of_itself_is_a_problem() {
    let problems = |text| schemas(&text).problems;
    assert_eq!(
        problems(json!({ "A": { "allOf": [reference("A"), {}] } })),
        ["at schema `A`: it is an `allOf` of itself"]
    );
    assert_eq!(
        problems(json!({
            "A": { "allOf": [reference("B"), { "properties": {} }] },
            "B": { "allOf": [reference("A"), { "properties": {} }] },
        })),
        ["at schema `A`: it is an `allOf` of itself", "at schema `B`: it is an `allOf` of itself"]
    );
    let tree =
        json!({ "A": { "allOf": [{ "properties": { "more": reference("A") } }, { "properties": { "a": {} } }] } });
    assert_eq!(problems(tree), [""; 0], "a field may hold the whole");
}
