use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::compare;
use super::super::contract::Contract;
use super::super::effects::semver::Bump;
use super::super::say::report::Report;
use super::{documents, reference, schemas};
use crate::kept::Kept;
use crate::keywords::word;

/// A contract of its own, of which a text stands for the published file of the notifications.
fn contract(place: &str, bytes: &str, notifications: Value) -> Contract {
    let published = BTreeMap::from([("notifications/notifications.yaml".to_owned(), bytes.to_owned())]);
    Contract { place: place.to_owned(), documents: documents([("notifications", schemas(notifications))]), published }
}

fn report(old: &Contract, new: &Contract) -> Report {
    let kept = Kept::between(&old.documents, &new.documents, &[], &super::project()).expect("actions that can be read");
    compare(
        old,
        new,
        &BTreeMap::from([("notifications", "notifications/notifications.yaml")]),
        &kept,
        &super::project(),
    )
}

fn body(event: &str, data: &str) -> Value {
    json!({ "type": "object", "required": ["data", "notificationType"], "properties": {
        "data": reference(data), "notificationType": { "type": "string", "enum": [event] },
    } })
}

fn before() -> Contract {
    contract(
        "here",
        "1",
        json!({
            "ThingMadeBody": body("thing.made", "ThingData"),
            "ThingData": { "type": "object", "required": ["id", "config"], "properties": {
                "id": { "type": "string" }, "config": { "type": "object" }, "mode": { "type": "string", "enum": ["slow"] },
                "count": { "type": "integer" },
            } },
        }),
    )
}

fn after() -> Contract {
    contract(
        "there",
        "2",
        json!({
            "ThingMadeBody": body("thing.made", "ThingData"),
            "ThingGoneBody": body("thing.gone", "ThingData"),
            "ThingData": { "type": "object", "required": ["id"], "properties": {
                "id": { "type": "string" }, "config": { "type": "object" }, "configURL": { "type": "string" },
                "mode": { "type": "string", "enum": ["fast", "other", "slow"] }, "count": { "type": "integer", "maximum": 9 },
            }, "oneOf": [{ "required": ["config"] }, { "required": ["configURL"] }] },
        }),
    )
}

#[test]
fn for_the_changelog() {
    let before = json!({
        "ThingMadeBody": body("thing.made", "ThingData"),
        "ThingData": { "type": "object", "properties": { "one": reference("One"), "other": reference("Other") } },
        "One": { "type": "object", "properties": { "id": { "type": "string" }, "gone": { "type": "string" } } },
        "Other": { "type": "object", "properties": { "id": { "type": "string" } } },
    });
    let mut after = before.clone();
    for schema in ["One", "Other"] {
        for field in ["colour", "size"] {
            after[schema]["properties"][field] = json!({ "type": "string" });
        }
    }
    after["One"]["properties"].as_object_mut().map(|properties| properties.remove("gone"));
    let entries = report(&contract("here", "1", before), &contract("there", "2", after)).changelog();
    let lines = entries.iter().map(|(section, entries)| format!("{section}\n{}\n", entries.join("\n")));
    insta::assert_snapshot!(lines.collect::<String>());
}

#[test]
fn for_a_terminal() {
    insta::assert_snapshot!(report(&before(), &after()).text());
}

#[test]
fn for_a_pull_request() {
    insta::assert_snapshot!(report(&before(), &after()).markdown());
}

#[test]
fn for_a_program() {
    insta::assert_snapshot!(report(&before(), &after()).json().expect("it has a JSON form"));
}

#[test]
fn the_exit_code_is_the_worst_of_all_changes() {
    let one = |field: &str, kind: &str| {
        contract("", "1", json!({ "A": { "type": "object", "properties": { field: { "type": kind } } } }))
    };
    let two =
        contract("", "1", json!({ "A": { "type": "object", "properties": { "a": { "type": "string" }, "b": {} } } }));
    assert_eq!(report(&one("a", "string"), &one("a", "string")).code(), 0);
    assert_eq!(report(&one("a", "string"), &two).code(), 1);
    assert_eq!(report(&one("a", "string"), &one("a", "integer")).code(), 2);
}

#[test]
fn words_alone_and_other_ways_to_say_it_are_said_to_be_no_change() {
    let of = |bytes: &str, schema: Value| contract("", bytes, json!({ "A": schema }));
    let object = || json!({ "type": "object" });
    let words = report(&of("1", object()), &of("2", object()));
    assert!(
        words.markdown().contains("alone, which is no change: notifications/notifications.yaml."),
        "{}",
        words.markdown()
    );
    assert!(words.text().contains("\nno change\n"));
    let rewritten = report(&of("1", object()), &of("2", json!({ "type": "object", "additionalProperties": true })));
    assert_eq!(rewritten.code(), 0);
    assert_eq!(rewritten.rewritten, ["notifications/notifications.yaml"]);
    let bumps: Vec<_> = rewritten.crates.iter().map(|one| word(one.bump)).collect();
    assert_eq!(bumps, ["none"; 5]);
}

#[test]
fn a_type_of_the_client_that_only_has_another_name_is_a_major_change_of_the_client_and_of_its_values() {
    let of = |name: &str| {
        let content = json!({ "application/json": { "schema": reference(name) } });
        let put = json!({ "operationId": "put", "responses": { "200": { "content": content } } });
        let mut api = schemas(json!({ name: { "type": "object", "properties": { "id": { "type": "string" } } } }));
        api["paths"] = json!({ "/a": { "put": put } });
        Contract { place: String::new(), documents: documents([("api", api)]), published: BTreeMap::new() }
    };
    let report = report(&of("Old"), &of("New"));
    assert_eq!((report.code(), report.changes.len()), (0, 0));
    let bumps: Vec<_> = report.crates.iter().map(|one| word(one.bump)).collect();
    assert_eq!(bumps, ["none", "major", "none", "major", "patch"]);
    let told = "Types that are gone, or have another name: ampersand_client::types::Old.";
    assert!(report.markdown().contains(told), "{}", report.markdown());
}

#[test]
fn a_type_that_only_has_another_name_is_a_major_change_of_the_types_alone() {
    let of = |name: &str| {
        contract("", "1", json!({ "ABody": body("a", name), name: { "type": "object", "properties": { "id": {} } } }))
    };
    let report = report(&of("Old"), &of("New"));
    assert_eq!((report.code(), report.changes.len()), (0, 0));
    let types = report.crates.first().expect("a crate");
    assert_eq!((types.name.as_str(), types.bump), ("ampersand-types", Bump::Major));
    assert_eq!(
        types.why,
        "schemas have other names, places or uses, and so this is gone: notifications::Event::A(Old) and notifications::Old"
    );
}

#[test]
fn a_schema_that_differs_from_that_of_another_document_now_is_another_type() {
    let of = |span: Value| {
        let shared = json!({ "type": "object", "properties": { "first": { "type": "string" } } });
        let body = json!({ "content": { "application/json": { "schema": reference("Span") } } });
        let mut api = schemas(json!({ "Span": span, "List": { "type": "array", "items": { "type": "string" } } }));
        api["paths"] = json!({ "/a": { "put": {
            "operationId": "put", "requestBody": body, "responses": { "200": body },
            "parameters": [{ "name": "list", "in": "query", "schema": reference("List") }],
        } } });
        let events = schemas(
            json!({ "ABody": self::body("a", "Span"), "Span": shared, "List": api["components"]["schemas"]["List"] }),
        );
        Contract {
            place: String::new(),
            documents: documents([("api", api), ("notifications", events)]),
            published: BTreeMap::new(),
        }
    };
    let span = |first: Value| json!({ "type": "object", "properties": { "first": first } });
    let report = report(&of(span(json!({ "type": "string" }))), &of(span(json!({ "type": "string", "maxLength": 9 }))));
    let bumps: Vec<_> = report.crates.iter().map(|one| (one.bump, one.name.as_str())).take(2).collect();
    assert_eq!(bumps, [(Bump::None, "ampersand-types"), (Bump::Major, "ampersand-client")]);
    assert_eq!(
        report.api.gone,
        [
            "ampersand_client::types::put(body): ampersand_types::notifications::Span",
            "ampersand_client::types::put(response): ampersand_types::notifications::Span",
        ]
    );
    assert!(report.api.types_gone().is_empty());
}

#[test]
fn a_struct_of_alternatives_changes_when_one_of_them_does() {
    let of = |required: &[&str]| {
        let text = json!({ "type": "string" });
        let one = json!({ "type": "object", "required": ["name"], "properties": { "name": text, "a": text } });
        let other = json!({ "type": "object", "required": required, "properties": { "name": text, "b": text } });
        let content = json!({ "application/json": { "schema": { "oneOf": [one, other] } } });
        let mut api = schemas(json!({}));
        api["paths"] =
            json!({ "/a": { "get": { "operationId": "get", "responses": { "200": { "content": content } } } } });
        Contract { place: String::new(), documents: documents([("api", api)]), published: BTreeMap::new() }
    };
    let report = report(&of(&[]), &of(&["name"]));
    assert_eq!(report.crates.get(1).map(|client| client.bump), Some(Bump::Major));
    assert_eq!(report.api.gone, ["ampersand_client::types::GetResponse.name is optional Text"]);
}

#[test]
fn what_was_only_sent_and_is_received_has_other_types() {
    let of = |answer: Value| {
        let body = |schema: Value| json!({ "content": { "application/json": { "schema": schema } } });
        let mut api = schemas(json!({ "Sent": { "type": "object", "required": ["count"], "properties": {
            "count": { "type": "integer" },
        } } }));
        api["paths"] = json!({ "/a": {
            "post": { "operationId": "sendIt", "tags": ["A"], "requestBody": body(reference("Sent")), "responses": {} },
            "get": { "operationId": "getIt", "tags": ["A"], "responses": { "200": body(answer) } },
        } });
        Contract { place: String::new(), documents: documents([("api", api)]), published: BTreeMap::new() }
    };
    let report = report(&of(json!({ "type": "object" })), &of(reference("Sent")));
    assert_eq!(report.api.gone, ["ampersand_client::types::Sent.count: plain integer"]);
}
