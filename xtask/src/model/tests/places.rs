//! Places of schemas, and documents that share them.

use serde_json::json;

use crate::model::testing::{document, reference};
use crate::model::{Documents, Model, Place, Schema, Use};

/// Collects the paths of a schema and of all schemas inside of it, with the place of each reference.
fn places(schema: &Schema, found: &mut Vec<String>) {
    let Place { document, schema: name, path } = &schema.place;
    found.push(format!("{document} {name} {path}"));
    schema.children().into_iter().for_each(|child| places(child, found));
}

#[test]
fn a_place_is_a_path_of_json() {
    let document = document(
        "api",
        json!({ "components": { "schemas": { "A": { "properties": {
        "b c": { "type": "array", "items": { "additionalProperties": { "properties": { "d": {} } } } },
        "@e": { "oneOf": [{ "type": "string" }, { "type": "integer" }] },
    } } } } }),
    );
    let mut found = Vec::new();
    places(&document.schemas["A"], &mut found);
    insta::assert_snapshot!(found.join("\n"), @r#"
    api A $
    api A $["@e"]
    api A $["@e"]
    api A $["@e"]
    api A $["b c"]
    api A $["b c"][*]
    api A $["b c"][*].*
    api A $["b c"][*].*.d
    "#);
}

#[test]
fn what_a_part_says_of_a_field_stands_where_the_part_does() {
    let document = document(
        "api",
        json!({ "components": { "schemas": {
        "A": { "allOf": [reference("Base"), { "properties": { "b": { "type": "string" } } }] },
        "Base": { "required": ["b", "a"], "properties": { "a": { "type": "string" }, "b": {} } },
    } } }),
    );
    let mut found = Vec::new();
    places(&document.schemas["A"], &mut found);
    found.extend(
        document.schemas["A"]
            .fields()
            .map(|(name, field)| format!("{name} is required by {}", field.need_place.schema)),
    );
    insta::assert_snapshot!(found.join("\n"), @"
    api A $
    api Base $.a
    api A $.b
    a is required by Base
    b is required by Base
    ");
}

#[test]
fn a_schema_that_another_document_publishes_has_its_place_there() {
    let thing = json!({ "properties": { "part": reference("Part") } });
    let copied = json!({ "properties": { "part": reference("ProblemPart") } });
    let documents = Documents::from([
        (
            "api".to_owned(),
            json!({
                "paths": { "/a": {} },
                "components": { "schemas": {
                    "Changed": { "type": "integer" }, "Own": {}, "Part": {}, "ProblemPart": { "type": "string" }, "Thing": copied,
                } },
            }),
        ),
        (
            "problem".to_owned(),
            json!({ "components": { "schemas": { "Changed": {}, "Part": { "type": "string" }, "Thing": thing } } }),
        ),
    ]);
    let model = Model::read(&documents);
    let copies = model.documents["api"]
        .copies
        .iter()
        .map(|(name, place)| format!("{name}: {} {}", place.document, place.schema));
    assert_eq!(copies.collect::<Vec<_>>(), ["ProblemPart: problem Part", "Thing: problem Thing"]);
    assert_eq!(model.documents["problem"].copies.len(), 0);
    let mut found = Vec::new();
    places(&model.documents["api"].schemas["Thing"], &mut found);
    assert_eq!(found, ["problem Thing $", "problem Thing $.part"]);
}

#[test]
fn a_schema_that_others_are_only_built_on_is_told() {
    let document = document(
        "api",
        json!({ "components": { "schemas": {
        "A": { "allOf": [reference("Base"), reference("Both"), { "properties": { "both": reference("Both") } }] },
        "Base": {}, "Both": {},
    } } }),
    );
    let uses: Vec<_> = document.uses.iter().map(|(name, how)| (name.as_str(), *how)).collect();
    assert_eq!(uses, [("Base", Use::Base), ("Both", Use::Value)]);
}
