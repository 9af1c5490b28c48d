//! The contract allows the fixtures and values of `ampersand-testing`.

use ampersand_client::Endpoint;
use ampersand_testing::{Envelope, Fixture, api};
use ampersand_types::notifications::NotificationType;
use jsonschema::Draft;
use serde_json::{Value, json};
use test_support::contract::contract;
use tests::generated::{SCHEMAS, STRUCTS};

use crate::properties::validator;

#[test]
fn every_event_of_the_contract_has_a_fixture_that_the_contract_allows() {
    let (contract, messages) = (contract("notifications"), contract("webhook"));
    let bodies = contract["components"]["schemas"].as_object().unwrap();
    for seed in 0..20 {
        for notification_type in NotificationType::KNOWN {
            let sent = Fixture::seeded(notification_type.clone(), seed).send(Envelope::Webhook);
            let body = serde_json::from_slice(&sent.body).unwrap();
            let is_it = |name: &&String| {
                bodies[*name]["properties"]["notificationType"]["enum"] == json!([notification_type.as_str()])
            };
            let schema = bodies.keys().find(is_it).unwrap();
            let add = format!("see payloads.json of ampersand-testing: {notification_type}");
            validator(&contract, schema).validate(&body).unwrap_or_else(|error| panic!("{add}: {error}"));
            // Not only the required fields: an event about an installation names it.
            assert!(body["data"].as_object().unwrap().len() >= 4, "{add}");
        }
        for fixture in [Fixture::seeded_records(seed), Fixture::seeded_changes(seed)] {
            validator(&messages, "WebhookMessage").validate(fixture.payload()).unwrap();
            assert_eq!(
                fixture.payload()["resultInfo"]["numRecords"],
                fixture.payload()["result"].as_array().unwrap().len()
            );
        }
    }
}

/// Panics unless a schema allows a value. The schema may refer to other schemas of the contract.
fn allows(contract: &Value, name: &str, schema: &Value, value: &Value) {
    let mut schema = schema.clone();
    schema["components"] = contract["components"].clone();
    let options = jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true);
    options.build(&schema).unwrap().validate(value).unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[test]
fn every_response_of_the_api_has_a_value_that_the_contract_allows() {
    let values: Vec<(&str, Value)> = api::all().collect();
    let value_of =
        |name: &str| values.iter().find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value));
    let hosts = ["api", "read", "write", "search"];
    for (document, schema) in SCHEMAS.iter().filter(|(document, _)| hosts.contains(document)) {
        let value = value_of(schema).unwrap_or_else(|| panic!("{document} {schema} has no value"));
        allows(&contract(document), schema, &json!({ "$ref": format!("#/components/schemas/{schema}") }), value);
    }
    for operation in Endpoint::ALL {
        let contract = contract(operation.host.name());
        let responses = &contract["paths"][operation.path][operation.method.to_lowercase()]["responses"];
        for (status, response) in responses.as_object().unwrap() {
            let status = if status.starts_with('2') { "" } else { status };
            let name = format!("{}Response{status}", operation.id);
            let schema = &response["content"]["application/json"]["schema"];
            value_of(&name).into_iter().for_each(|value| allows(&contract, &name, schema, value));
        }
    }
}

#[test]
fn the_values_of_responses_hold_nothing_that_their_types_do_not_know() {
    assert!(api::all().count() > 100);
    for (name, value) in api::all() {
        let of = STRUCTS.iter().rfind(|of| of.name == name).unwrap();
        let shown = (of.debug)(&value.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!shown.replace("other_fields: {}", "").contains("other_fields: "), "{name}: {shown}");
    }
}
