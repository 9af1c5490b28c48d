//! `split_events`: event types and their data replace the bodies of events.

use serde_json::{Value, json};

use super::{Document, show_all, take};
use crate::model::bodies;
use crate::model::testing::{project, reference, schemas};

fn body(kind: &str, data: Value) -> Value {
    json!({ "description": format!("Of {kind}."), "properties": { "type": { "type": "string", "enum": [kind] }, "data": data } })
}

fn split(text: &Value) -> String {
    let mut document = schemas(text);
    let found = take(&mut document, "split_events").expect("the step is taken");
    format!("{}{}split_events: {found}", show_all(&document), events(&document))
}

fn events(document: &Document) -> String {
    let words = |words: &Option<String>| words.clone().unwrap_or_default();
    document
        .events
        .iter()
        .map(|event| format!("`{}` with #{} '{}'\n", event.kind, event.data, words(&event.words)))
        .collect()
}

#[test]
fn bodies_become_events_and_a_union_of_them_json() {
    insta::assert_snapshot!(split(&json!({
        "A": { "properties": { "id": {} } },
        "ABody": body("a.b", reference("A")),
        "Body": { "oneOf": [reference("ABody"), reference("CBody")] },
        "CBody": body("c", json!({ "type": "object" })),
    })), @"
    A: {id?: any}
    Body: oneOf(any as Raw, any as Raw)
    CData: {}
    `a.b` with #A 'Of a.b.'
    `c` with #CData 'Of c.'
    split_events: 2
    ");
}

#[test]
fn a_body_of_all_types_adds_those_that_have_none_and_names_make_way() {
    insta::assert_snapshot!(split(&json!({
        "A": { "properties": { "event": reference("Event") } },
        "ABody": body("a", reference("A")),
        "AnyBody": { "properties": { "type": reference("EventType"), "data": {} } },
        "Event": { "properties": { "id": {} } },
        "EventType": { "enum": ["a", "b"] },
    })), @r#"
    A: {event?: #EventSchema}
    BData: any
    EventSchema: {id?: any}
    EventType: text("a"|"b")
    `a` with #A 'Of a.'
    `b` with #BData ''
    split_events: 2
    "#);
    insta::assert_snapshot!(split(&json!({
        "EBody": body("e", reference("Event")),
        "Event": { "properties": { "more": reference("Event") } },
    })), @"
    EventSchema: {more?: #EventSchema}
    `e` with #EventSchema 'Of e.'
    split_events: 1
    ");
}

#[test]
fn an_object_without_a_known_type_is_no_body() {
    insta::assert_snapshot!(split(&json!({
        "A": { "properties": { "type": { "type": "string" }, "data": {} } },
        "B": { "properties": { "type": { "enum": ["b"] } } },
    })), @r#"
    A: {data?: any, type?: text}
    B: {type?: text("b")}
    split_events: 0
    "#);
}

#[test]
fn data_of_an_event_have_a_name_that_is_free() {
    insta::assert_snapshot!(split(&json!({ "A": body("a", json!({ "type": "object" })), "AData": { "properties": { "b": {} } } })), @"
    AData: {b?: any}
    AData2: {}
    `a` with #AData2 'Of a.'
    split_events: 1
    ");
}

#[test]
fn what_cannot_be_told_apart_is_an_error() {
    let error = |text| take(&mut schemas(&text), "split_events").expect_err("it cannot be told").to_string();
    assert_eq!(
        error(json!({ "A": body("a", reference("X")), "B": body("a", reference("X")), "X": {} })),
        "two schemas are the body of `a`, of which one is `B`"
    );
}

#[test]
fn the_body_of_a_type_is_the_one_that_says_most_of_it() {
    let bodies = bodies(
        &schemas(&json!({
            "ABody": body("a", json!({})),
            "AnyBody": { "properties": { "type": reference("EventType"), "data": {} } },
            "EventType": { "enum": ["a", "b"] },
            "Listed": { "enum": ["c"] },
        })),
        &project(),
    );
    let told: Vec<_> = bodies.iter().map(|(kind, body)| (kind.as_str(), body.schema.as_str(), body.types)).collect();
    assert_eq!(told, [("a", "ABody", 1), ("b", "AnyBody", 2)]);
}
