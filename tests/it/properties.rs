//! Generates payloads from the contract's schemas. A third-party validator accepts them, and our types decode them and
//! encode them unchanged.

use ampersand_notifications::{Delivery, from_any};
use ampersand_types::RawJson;
use ampersand_types::notifications::{Event, NotificationType};
use jsonschema::{Draft, Validator};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Value, json};

use test_support::contract::contract;
use test_support::corpus::payloads;
use test_support::json::difference;
use test_support::values::{Members, anything, value};
use tests::generated::{SCHEMAS, json_schema, round_trip};

const CASES: u32 = 500;

/// How many payloads to generate for a schema: fewer for the API, which has many schemas.
fn cases(document: &str) -> u32 {
    if ["api", "read", "write", "search"].contains(&document) { CASES / 10 } else { CASES }
}

/// A validator for one schema of the contract. OpenAPI 3.0 is based on about draft 4.
pub(crate) fn validator(contract: &Value, schema: &str) -> Validator {
    let mut schema = json!({ "$ref": format!("#/components/schemas/{schema}"), "components": contract["components"] });
    lenient(&mut schema);
    jsonschema::options().with_draft(Draft::Draft4).build(&schema).expect("a schema")
}

/// Converts OpenAPI's own keywords to JSON Schema, and allows values that fit two alternatives or have unknown members.
fn lenient(schema: &mut Value) {
    if schema["nullable"] == true {
        schema["type"] = json!([schema["type"], "null"]);
    }
    if schema["additionalProperties"] == false {
        schema["additionalProperties"] = json!(true);
    }
    if let Some(alternatives) = schema.as_object_mut().and_then(|members| members.remove("oneOf")) {
        schema["anyOf"] = alternatives;
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(lenient),
        Value::Array(items) => items.iter_mut().for_each(lenient),
        _ => {}
    }
}

/// Runs `check` on payloads that a schema of the contract allows.
fn for_payloads_of(document: &str, schema: &str, check: impl Fn(&Value) -> Result<(), String>) {
    for_payloads(&contract(document), schema, cases(document), check);
}

/// Runs `check` on payloads that a schema of some contract allows.
pub(crate) fn for_payloads(contract: &Value, schema: &str, cases: u32, check: impl Fn(&Value) -> Result<(), String>) {
    let validator = validator(contract, schema);
    let strategy = value(&contract["components"]["schemas"][schema], contract, Members::AnyAndNew);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&strategy, |payload| {
        if let Err(error) = validator.validate(&payload) {
            return Err(TestCaseError::fail(format!("the contract refuses the payload that was made: {error}")));
        }
        check(&payload).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{schema}: {error}");
    }
}

#[test]
fn what_the_contract_allows_decodes_and_survives() {
    for (document, schema) in SCHEMAS {
        let emitted = jsonschema::validator_for(json_schema(document, schema).as_value()).expect("a schema");
        for_payloads_of(document, schema, |payload| {
            let sent = payload.to_string();
            let encoded = round_trip(document, schema, &sent).map_err(|error| error.to_string())?;
            if let Some(difference) = difference(&sent, &encoded) {
                return Err(difference);
            }
            emitted.validate(payload).map_err(|error| format!("the schema of our type refuses it: {error}"))
        });
    }
}

#[test]
fn notifications_that_the_contract_allows_decode_and_survive() {
    let contract = contract("notifications");
    let schemas = contract["components"]["schemas"].as_object().expect("schemas");
    let bodies = schemas.iter().filter(|(_, schema)| schema["properties"].get("notificationType").is_some());
    let mut seen = Vec::new();
    for (name, schema) in bodies {
        let values = schema["properties"]["notificationType"]["enum"].as_array().expect("types");
        seen.extend(values.iter().filter_map(Value::as_str).map(NotificationType::from));
        for_payloads_of("notifications", name, |payload| {
            let notification_type = NotificationType::from(payload["notificationType"].as_str().unwrap_or_default());
            let sent = payload["data"].to_string();
            let mut data = serde_json::Deserializer::from_str(&sent);
            let event = Event::from_deserializer(&notification_type, &mut data).map_err(|error| error.to_string())?;
            let encoded = serde_json::to_string(&event).map_err(|error| error.to_string())?;
            match event {
                Event::Unknown(_) => Err("unknown".to_owned()),
                _ => difference(&sent, &encoded).map_or(Ok(()), Err),
            }
        });
    }
    seen.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    assert_eq!(seen, NotificationType::KNOWN);
}

#[test]
fn any_json_comes_out_of_any_envelope_as_it_went_in() {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let texts = (anything(), any::<bool>())
        .prop_map(|(value, pretty)| if pretty { format!("{value:#}") } else { value.to_string() });
    let result = runner.run(&texts, |text| {
        for notification_type in ["new.type", "installation.created"] {
            let data = match notification_type {
                "new.type" => text.clone(),
                _ => format!(
                    r#"{{"projectId": "p", "provider": "x", "integrationId": "i", "integrationName": "n", "installationId": "x",
                        "connectionId": "c", "groupRef": "g", "groupName": "G", "consumerRef": "r", "consumerName": "R",
                        "config": {text}}}"#
                ),
            };
            for body in [
                format!(r#"{{"notificationType": "{notification_type}", "data": {data}}}"#),
                format!(r#"{{"data": {data}, "notificationType": "{notification_type}"}}"#),
                format!(r#"{{"data": {data}, "metadata": {{"notificationType": "{notification_type}"}}}}"#),
            ] {
                let Ok(Delivery::Notification(notification)) = from_any(body.as_bytes()) else {
                    return Err(TestCaseError::fail(body));
                };
                prop_assert_eq!(notification.raw.data(), &data);
                match notification.event {
                    Event::Unknown(raw) => prop_assert_eq!(raw.as_str(), &text),
                    Event::InstallationCreated(data) => {
                        let config = data.config.as_ref().map_or("null", RawJson::as_str);
                        prop_assert_eq!(config, &text);
                    }
                    other => return Err(TestCaseError::fail(format!("{other:?}"))),
                }
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn the_schemas_of_our_types_accept_the_corpus() {
    let accept = |document: &str, schema: &str, name: &str, text: &str| {
        let validator = jsonschema::validator_for(json_schema(document, schema).as_value()).expect("a schema");
        match serde_json::from_str(text) {
            Ok(payload) => assert!(validator.is_valid(&payload), "{schema} {name}: {:?}", validator.validate(&payload)),
            // The validator reads numbers as machine numbers.
            Err(error) => assert_eq!((name, error.to_string().contains("out of range")), ("big-numbers", true)),
        }
    };
    let data_of = |notification_type: &str| {
        let contract = contract("notifications");
        let mut schemas = contract["components"]["schemas"].as_object().expect("schemas").values().cloned();
        let body =
            schemas.find(|schema| schema["properties"]["notificationType"]["enum"] == json!([notification_type]));
        let data = body.expect("a body")["properties"]["data"]["$ref"].as_str().expect("a reference").to_owned();
        data.rsplit('/').next().expect("a name").to_owned()
    };
    for payload in payloads("kinesis-bare") {
        accept("notifications", &data_of(&payload.name), &payload.name, &payload.text);
    }
    for payload in payloads("configurations") {
        let body: Value = serde_json::from_str(&payload.text).expect("JSON");
        let data = data_of(body["notificationType"].as_str().expect("a type"));
        accept("notifications", &data, &payload.name, &body["data"].to_string());
    }
    for folder in ["messages", "messages-s3"] {
        for payload in payloads(folder) {
            accept("webhook", "WebhookMessage", &payload.name, &payload.text);
        }
    }
    for payload in payloads("config") {
        accept("config", "ConfigContent", &payload.name, &payload.text);
    }
}

#[test]
fn every_schema_of_the_contract_has_a_type_or_is_part_of_one() {
    let is_struct = |schema: &Value| schema.get("allOf").is_some() || schema.get("properties").is_some();
    for document in ["notifications", "webhook", "config"] {
        let contract = contract(document);
        let schemas = contract["components"]["schemas"].as_object().expect("schemas");
        let structs = schemas.iter().filter(|(_, schema)| is_struct(schema));
        let without = structs.filter(|(name, schema)| {
            schema["properties"].get("notificationType").is_none() && !SCHEMAS.contains(&(document, name.as_str()))
        });
        assert_eq!(without.count(), 0, "{document}");
    }
}
