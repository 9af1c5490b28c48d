//! Payloads made from the contract's own schemas: a validator that is not ours accepts them, and so do our types, which
//! encode them as they were.

use ampersand_notifications::{Delivery, from_any};
use ampersand_types::RawJson;
use ampersand_types::notifications::{Event, NotificationType};
use jsonschema::{Draft, Validator};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::corpus::payloads;
use crate::generated::{SCHEMAS, json_schema, round_trip};
use crate::json::difference;

const CASES: u32 = 500;

/// How many payloads are made of a schema: fewer of the API, which has many.
fn cases(document: &str) -> u32 {
    if ["api", "read", "write", "search"].contains(&document) { CASES / 10 } else { CASES }
}

pub(crate) fn contract(document: &str) -> Value {
    let path = format!("{}/../openapi/contract/{document}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

/// A validator for one schema of the contract; OpenAPI 3.0 builds on draft 4 or so.
pub(crate) fn validator(contract: &Value, schema: &str) -> Validator {
    let mut schema = json!({ "$ref": format!("#/components/schemas/{schema}"), "components": contract["components"] });
    lenient(&mut schema);
    jsonschema::options().with_draft(Draft::Draft4).build(&schema).expect("a schema")
}

/// Says in JSON Schema what OpenAPI has a keyword of its own for, and allows what fits two alternatives or
/// is new.
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

/// Tries `check` on payloads of a schema that the contract allows.
fn for_payloads_of(document: &str, schema: &str, check: impl Fn(&Value) -> Result<(), String>) {
    for_payloads(&contract(document), schema, cases(document), check);
}

/// Tries `check` on payloads of a schema that some contract allows.
pub(crate) fn for_payloads(contract: &Value, schema: &str, cases: u32, check: impl Fn(&Value) -> Result<(), String>) {
    let validator = validator(contract, schema);
    let strategy = value(&contract["components"]["schemas"][schema], contract);
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
            // The validator reads numbers into those of the machine.
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

/// The fields of an object, all its `allOf` parts together.
#[derive(Default)]
struct Fields<'a> {
    properties: Vec<(&'a str, &'a Value)>,
    required: Vec<&'a str>,
    /// Of each group of fields exactly one is there.
    one_of: Vec<Vec<&'a str>>,
}

impl<'a> Fields<'a> {
    fn add(&mut self, schema: &'a Value, contract: &'a Value) {
        let schema = resolve(schema, contract);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.add(part, contract);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.properties.retain(|(known, _)| known != name);
            self.properties.push((name, property));
        }
        self.required.extend(names(&schema["required"]));
        if let Some(alternatives) = schema["oneOf"].as_array() {
            self.one_of.push(alternatives.iter().flat_map(|alternative| names(&alternative["required"])).collect());
        }
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn resolve<'a>(schema: &'a Value, contract: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => resolve(contract.pointer(&reference[1..]).expect(reference), contract),
        None => schema,
    }
}

/// Values that a schema allows.
fn value(schema: &Value, contract: &Value) -> BoxedStrategy<Value> {
    let schema = resolve(schema, contract);
    let allowed = if schema.get("allOf").is_some() || schema.get("properties").is_some() {
        object(schema, contract)
    } else if let Some(values) = schema["enum"].as_array() {
        select(values.clone()).boxed()
    } else if let Some(alternatives) = schema["oneOf"].as_array() {
        let alternatives: Vec<_> = alternatives.iter().map(|schema| value(schema, contract)).collect();
        proptest::strategy::Union::new(alternatives).boxed()
    } else {
        match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("string"), Some("date-time")) => date_time(),
            (Some("string"), Some("uri")) => {
                "https://[a-z]{1,8}\\.example/[a-z]{0,8}(\\?[a-zA-Z0-9=&-]{0,20})?".prop_map(Value::from).boxed()
            }
            (Some("string"), Some("email")) => "[a-z]{1,8}@[a-z]{1,8}\\.example".prop_map(Value::from).boxed(),
            (Some("string"), Some("uuid")) => {
                "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}".prop_map(Value::from).boxed()
            }
            (Some("string"), _) => any::<String>().prop_map(Value::from).boxed(),
            (Some("number"), _) => proptest::num::f64::NORMAL.prop_map(Value::from).boxed(),
            (Some("boolean"), _) => any::<bool>().prop_map(Value::from).boxed(),
            (Some("integer"), _) => {
                let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
                let excluded = i64::from(schema["exclusiveMaximum"] == true);
                match schema["maximum"].as_i64() {
                    Some(most) => (least..=most - excluded).prop_map(Value::from).boxed(),
                    None => {
                        let whole = (least..=i64::MAX).prop_map(Value::from);
                        let large = (i64::MAX as u64..=u64::MAX).prop_map(Value::from);
                        prop_oneof![4 => whole, 1 => large].boxed()
                    }
                }
            }
            (Some("array"), _) => vec(value(&schema["items"], contract), 0..4).prop_map(Value::from).boxed(),
            (Some("object") | None, _) if schema["additionalProperties"].is_object() => {
                let values = value(&schema["additionalProperties"], contract);
                btree_map(any::<String>(), values, 0..4).prop_map(|map| map.into_iter().collect()).boxed()
            }
            (Some("object"), _) => {
                btree_map(any::<String>(), anything(), 0..4).prop_map(|map| map.into_iter().collect()).boxed()
            }
            _ => anything(),
        }
    };
    match schema["nullable"].as_bool() {
        Some(true) => prop_oneof![allowed, Just(Value::Null)].boxed(),
        _ => allowed,
    }
}

fn object(schema: &Value, contract: &Value) -> BoxedStrategy<Value> {
    let mut fields = Fields::default();
    fields.add(schema, contract);
    let chosen: Vec<_> = fields
        .one_of
        .iter()
        .map(|group| select(group.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()))
        .collect();
    let members: Vec<BoxedStrategy<(String, bool, Option<Value>)>> = fields
        .properties
        .iter()
        .map(|(name, property)| {
            let (name, property) = ((*name).to_owned(), value(property, contract));
            let (choice, required) =
                (fields.one_of.iter().flatten().any(|n| *n == name), fields.required.contains(&name.as_str()));
            let present = if choice || required {
                property.prop_map(Some).boxed()
            } else {
                proptest::option::of(property).boxed()
            };
            present.prop_map(move |value| (name.clone(), choice, value)).boxed()
        })
        .collect();
    // The contract closes no object: what next month brings is allowed today.
    let new = proptest::option::weighted(0.2, ("new[A-Z]{0,3}", anything()));
    (chosen, members, new)
        .prop_map(|(chosen, members, new)| {
            let present = members.into_iter().filter(|(name, choice, _)| !choice || chosen.contains(name));
            let known = present.filter_map(|(name, _, value)| Some((name, value?)));
            Value::Object(known.chain(new).collect::<Map<_, _>>())
        })
        .boxed()
}

fn date_time() -> BoxedStrategy<Value> {
    let offset = select(vec!["Z", "+00:00", "-07:00", "+05:30"]);
    let fraction = select(vec!["", ".5", ".208714", ".123456789"]);
    (0_i64..4_000_000_000, fraction, offset)
        .prop_map(|(second, fraction, offset)| {
            let time = jiff::Timestamp::from_second(second).expect("in range").to_string();
            Value::from(time.replace('Z', &format!("{fraction}{offset}")))
        })
        .boxed()
}

/// Any JSON.
fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|number: f64| Value::from(number)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
    .boxed()
}
