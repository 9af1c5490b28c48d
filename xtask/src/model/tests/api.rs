//! The steps that depend on operations, `flatten_alternatives`, `prune` and `share_types`; and merged documents.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Document, after, show_all, take};
use crate::model::testing::{document, reference, show};
use crate::model::{same, together};

/// Returns a document with one operation, which sends a `Sent`, and receives a `Received` or a `Problem`.
fn with_operation(name: &str, schemas: &Value) -> Document {
    let content = |schema: &str| json!({ "content": { "application/json": { "schema": reference(schema) } } });
    let responses = json!({ "200": content("Received"), "400": content("Problem") });
    let operation = json!({ "operationId": "call", "requestBody": content("Sent"), "responses": responses });
    document(name, json!({ "paths": { "/": { "post": operation } }, "components": { "schemas": schemas } }))
}

fn after_operation(step: &str, schemas: &Value) -> String {
    let mut document = with_operation("api", schemas);
    let found = take(&mut document, step).expect("the step is taken");
    format!("{}{step}: {found}", show_all(&document))
}

#[test]
fn alternatives_that_are_objects_become_one() {
    let part = |required: &[&str], field: &str| json!({ "required": required, "properties": { "id": { "type": "string" }, field: { "type": "string" } } });
    let schemas = json!({
        "Differing": { "anyOf": [{ "properties": { "id": { "type": "integer" } } }, reference("Problem")] },
        "Problem": part(&["id"], "a"),
        "Received": { "oneOf": [reference("Problem"), part(&["id", "b"], "b")] },
        "Sent": { "oneOf": [{ "type": "string" }, reference("Problem")] },
        "Shared": { "oneOf": [part(&[], "a"), part(&[], "b")] },
    });
    insta::assert_snapshot!(after_operation("flatten_alternatives", &schemas), @"
    Differing: {a?: text, id?: anyOf(integer, text)}
    Problem: {a?: text, id!: text}
    Received: {a?: text, b?: text, id!: text}
    Sent: oneOf(text, #Problem)
    Shared: oneOf({a?: text, id?: text}, {b?: text, id?: text})
    flatten_alternatives: 2
    ");
    let mut document = with_operation("api", &schemas);
    take(&mut document, "flatten_alternatives").expect("the step is taken");
    let others = &document.schemas["Received"].object().expect("an object").of_other_alternatives;
    assert_eq!(Vec::from_iter(others), ["b"]);
    assert!(after("flatten_alternatives", schemas).ends_with(": 0"), "events are told by their types instead");
}

#[test]
fn what_no_operation_leads_to_is_dropped_and_what_is_also_received_is_not_only_sent() {
    let mut document = with_operation(
        "api",
        &json!({
            "Both": {}, "Inner": { "items": reference("Sent") }, "Problem": {}, "Received": { "items": reference("Both") },
            "Sent": { "properties": { "a": reference("Inner"), "b": reference("Both") } },
            "Unused": { "properties": { "a": reference("UnusedToo") } }, "UnusedToo": {},
        }),
    );
    assert_eq!(take(&mut document, "prune").expect("the step is taken"), 2);
    assert_eq!(document.schemas.keys().collect::<Vec<_>>(), ["Both", "Inner", "Problem", "Received", "Sent"]);
    let directions = document.directions();
    let only_sent = document.schemas.keys().filter(|name| directions.is_only_sent(name));
    assert_eq!(only_sent.collect::<Vec<_>>(), ["Inner", "Sent"]);
    assert!(after("prune", json!({ "A": {} })).ends_with(": 0"), "there is nothing that would lead to it");
}

#[test]
fn types_that_are_there_are_used() {
    insta::assert_snapshot!(after_operation("share_types", &json!({
        "Problem": {}, "Received": { "properties": { "a": reference("Shared") } }, "Sent": reference("Shared"),
        "Shared": { "properties": { "b": {} } },
    })), @r#"
    Problem: any
    Received: {a?: any as Type("ours::Shared")}
    Sent: any as Type("ours::Shared")
    share_types: 1
    "#);
}

#[test]
fn what_two_documents_define_differently_is_qualified_by_the_later_one() {
    let of = |name: &str, kind: &str| {
        with_operation(
            name,
            &json!({
                "Problem": {}, "Received": { "type": "string" }, "Same": { "type": "string" },
                "Sent": { "items": reference("Thing") }, "Thing": { "type": kind },
            }),
        )
    };
    let document = together(vec![of("api", "string"), of("read", "boolean")]);
    insta::assert_snapshot!(show_all(&document), @"
    Problem: any
    ReadSent: [#ReadThing]
    ReadThing: boolean
    Received: text
    Same: text
    Sent: [#Thing]
    Thing: text
    ");
    let sent = document.operations.iter().flat_map(|operation| operation.sent()).map(|node| show(node));
    assert_eq!(sent.collect::<Vec<_>>(), ["#Sent", "#ReadSent"]);
}

#[test]
fn a_qualified_name_is_nobody_elses() {
    let of = |name: &str, schemas: Value| document(name, json!({ "components": { "schemas": schemas } }));
    let documents = vec![
        of("api", json!({ "Thing": { "type": "string" }, "order_item": { "type": "string" } })),
        of("read", json!({ "Thing": { "type": "boolean" }, "OrderItem": { "type": "boolean" } })),
        of("write", json!({ "ReadThing": { "type": "integer" } })),
    ];
    insta::assert_snapshot!(show_all(&together(documents)), @"
    ReadOrderItem: boolean
    ReadThing: boolean
    Thing: text
    WriteReadThing: integer
    order_item: text
    ");
}

#[test]
fn a_schema_that_is_described_once_is_described_for_all() {
    let of = |name: &str, schema: Value| document(name, json!({ "components": { "schemas": { "Problem": schema } } }));
    let described = json!({ "description": "Words.", "properties": { "description": { "description": "More." } } });
    let bare = json!({ "properties": { "description": {} } });
    insta::assert_snapshot!(show_all(&together(vec![of("api", described), of("read", bare)])), @"Problem: {description?: any 'More.'} 'Words.'");
}

#[test]
fn the_same_is_what_leads_to_the_same() {
    let of = |kind: &str| {
        document(
            "api",
            json!({ "components": { "schemas": {
            "Holder": { "items": reference("Thing") }, "Thing": { "type": kind }, "Same": { "type": "string" },
        } } }),
        )
    };
    assert_eq!(same(&of("string"), &of("boolean")), BTreeSet::from(["Same".to_owned()]));
}
