//! The changes between two configurations are complete: applied to the first, they give the second.

use std::iter;

use ampersand_types::RawJson;
use ampersand_types::config::ConfigContent;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use test_support::contract::contract;
use test_support::corpus::payloads;
use test_support::values::{Members, value};

fn config(json: &Value) -> ConfigContent {
    serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// Returns the changes as JSON.
fn changes(before: &Value, after: &Value) -> Vec<Value> {
    let changes = config(after).changes_since(&config(before));
    changes.iter().map(|change| serde_json::to_value(change).unwrap()).collect()
}

fn sentences(before: &Value, after: &Value) -> Vec<String> {
    config(after).changes_since(&config(before)).iter().map(ToString::to_string).collect()
}

fn corpus(name: &str) -> Value {
    let payload = payloads("config").into_iter().find(|payload| payload.name == name).unwrap();
    serde_json::from_str(&payload.text).unwrap()
}

/// Returns a configuration without empty members, and without members that have the contract's default.
fn meaning(config: &Value) -> Value {
    let mut config = config.clone();
    for object in entries(&mut config, &["read", "objects", "*"]) {
        without(object, "disabled", &json!(false));
    }
    for setting in entries(&mut config, &["write", "objects", "*", "selectedFieldSettings", "*"]) {
        without(setting, "writeOnCreate", &json!("always"));
        without(setting, "writeOnUpdate", &json!("always"));
    }
    said(&config)
}

fn without(object: &mut Value, member: &str, default: &Value) {
    if let Some(members) = object.as_object_mut() {
        members.retain(|name, value| name != member || value != default);
    }
}

/// Returns the values at a path, where `*` matches any member.
fn entries<'a>(json: &'a mut Value, path: &[&str]) -> Vec<&'a mut Value> {
    let [step, rest @ ..] = path else { return vec![json] };
    let members = json.as_object_mut().into_iter().flatten();
    members.filter(|(name, _)| *step == "*" || name == step).flat_map(|(_, value)| entries(value, rest)).collect()
}

fn said(json: &Value) -> Value {
    match json {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => items.iter().map(said).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), said(value)));
            let said: Map<_, _> = members.filter(|(_, value)| !value.is_null()).collect();
            if said.is_empty() { Value::Null } else { Value::Object(said) }
        }
        other => other.clone(),
    }
}

/// Applies a change to a configuration.
fn apply(config: &mut Value, change: &Value) {
    let text = |member: &str| change[member].as_str().unwrap().to_owned();
    let object = |action: &str| [action.to_owned(), "objects".to_owned(), text("object")];
    let mut set = |object: &[String], path: &[&str], value: Value| {
        let path = object.iter().cloned().chain(path.iter().map(|step| (*step).to_owned()));
        set(config, path.collect(), value);
    };
    let after = || change["after"].clone();
    match text("kind").as_str() {
        "objectAdded" => set(&object(&text("action")), &[], change["config"].clone()),
        "objectRemoved" => set(&object(&text("action")), &[], Value::Null),
        "readEnabled" => set(&object("read"), &["disabled"], Value::Null),
        "readDisabled" => set(&object("read"), &["disabled"], json!(true)),
        "scheduleChanged" => set(&object("read"), &["schedule"], after()),
        "destinationChanged" => set(&object(&text("action")), &["destination"], after()),
        "fieldSelected" => set(&object("read"), &["selectedFields", &text("field")], json!(true)),
        "fieldDeselected" => {
            let listed = change["listed"].as_bool().unwrap().then_some(false);
            set(&object("read"), &["selectedFields", &text("field")], listed.into());
        }
        "selectedFieldsAutoChanged" => set(&object("read"), &["selectedFieldsAuto"], after()),
        "mappingAdded" => set(&object("read"), &["selectedFieldMappings", &text("name")], change["field"].clone()),
        "mappingRemoved" => set(&object("read"), &["selectedFieldMappings", &text("name")], Value::Null),
        "mappingChanged" => set(&object("read"), &["selectedFieldMappings", &text("name")], after()),
        "valueMappingChanged" => {
            set(&object("read"), &["selectedValueMappings", &text("field"), &text("key")], after());
        }
        "backfillChanged" => set(&object("read"), &["backfill", "defaultPeriod"], after()),
        "defaultChanged" => set(&object("write"), &["selectedFieldSettings", &text("field"), "default"], after()),
        "writeOnCreateChanged" => {
            set(&object("write"), &["selectedFieldSettings", &text("field"), "writeOnCreate"], after());
        }
        "writeOnUpdateChanged" => {
            set(&object("write"), &["selectedFieldSettings", &text("field"), "writeOnUpdate"], after());
        }
        "legacyDefaultChanged" => set(&object("write"), &["selectedValueDefaults", &text("field")], after()),
        "proxyChanged" => set(&[], &["proxy", "enabled"], after()),
        "other" => set(&steps(&text("path")), &[], after()),
        kind => panic!("{kind} is new: say what it does"),
    }
}

fn set(json: &mut Value, path: Vec<String>, value: Value) {
    let place = path.into_iter().fold(json, |place, step| {
        if !place.is_object() {
            *place = json!({});
        }
        place.as_object_mut().unwrap().entry(step).or_insert(Value::Null)
    });
    *place = value;
}

/// Returns the names in a JSONPath.
fn steps(path: &str) -> Vec<String> {
    let (mut steps, mut rest) = (Vec::new(), path.strip_prefix('$').unwrap());
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            steps.push(name[..end].to_owned());
            rest = &name[end..];
        } else {
            let quoted = rest.strip_prefix("['").unwrap();
            let mut escaped = false;
            let end = quoted.find(|c| {
                let ends = c == '\'' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            let (name, after) = quoted.split_at(end.unwrap());
            // Converts the name to a JSON string, which escapes the other kind of quotes.
            let name = name.replace('"', "\\\"").replace("\\'", "'");
            steps.push(serde_json::from_str(&format!("\"{name}\"")).unwrap());
            rest = after.strip_prefix("']").unwrap();
        }
    }
    steps
}

/// Combines two values at random: takes one side, or chooses for each member, as `choices` say.
fn cross(before: &Value, after: &Value, choices: &mut impl Iterator<Item = u8>) -> Value {
    let choice = choices.next().unwrap() % 4;
    let (Value::Object(one), Value::Object(other), 1..) = (before, after, choice) else {
        return if choice == 0 { after.clone() } else { before.clone() };
    };
    let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
    let members = names.filter_map(|name| {
        let value = match (one.get(name), other.get(name)) {
            (Some(one), Some(other)) => Some(cross(one, other, choices)),
            (one, other) => if choices.next().unwrap().is_multiple_of(2) { one } else { other }.cloned(),
        };
        Some((name.clone(), value?))
    });
    Value::Object(members.collect())
}

/// Returns the same configuration, with empty values and defaults in other forms where the types allow them.
fn respelled(config: &Value) -> Value {
    let mut config = said(config);
    if config.is_null() {
        config = json!({});
    }
    for object in entries(&mut config, &["read", "objects", "*"]) {
        let members = object.as_object_mut().unwrap();
        members.entry("disabled").or_insert(json!(false));
        members.entry("selectedFields").or_insert(json!({}));
        members.entry("selectedFieldMappings").or_insert(Value::Null);
        members.entry("fieldFilters").or_insert(json!([]));
        members.entry("backfill").or_insert(json!({ "defaultPeriod": {} }));
        members.entry("new").or_insert(json!({ "a": [], "b": { "c": null } }));
        // The type requires it, even if it is empty.
        members["backfill"].as_object_mut().unwrap().entry("defaultPeriod").or_insert(json!({}));
    }
    for setting in entries(&mut config, &["write", "objects", "*", "selectedFieldSettings", "*"]) {
        setting.as_object_mut().unwrap().entry("writeOnUpdate").or_insert(json!("always"));
    }
    config.as_object_mut().unwrap().entry("proxy").or_insert(Value::Null);
    config
}

fn check<T: std::fmt::Debug>(
    cases: u32,
    strategy: &impl Strategy<Value = T>,
    test: impl Fn(T) -> Result<(), TestCaseError>,
) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(error) = runner.run(strategy, test) {
        panic!("{error}");
    }
}

fn configurations(members: Members) -> BoxedStrategy<Value> {
    let contract = contract("config");
    value(&contract["components"]["schemas"]["ConfigContent"], &contract, members)
}

/// The members that are maps with names of objects, fields or values as keys, and their depth.
const MAPS: [(&str, usize); 6] = [
    ("objects", 1),
    ("selectedFields", 1),
    ("selectedFieldMappings", 1),
    ("selectedValueMappings", 2),
    ("selectedFieldSettings", 1),
    ("selectedValueDefaults", 1),
];

const NAMES: [&str; 4] = ["plain", "it's", "\"\\\n\u{e9}", ""];

/// Returns the configuration with few names in its maps, so that two configurations share some.
fn with_few_names(json: Value, levels: usize) -> Value {
    let Value::Object(members) = json else { return json };
    let members = members.into_iter().enumerate().map(|(index, (name, value))| match levels {
        0 => {
            let levels = MAPS.iter().find(|(map, _)| *map == name).map_or(0, |(_, levels)| *levels);
            (name, with_few_names(value, levels))
        }
        _ => (NAMES[index].to_owned(), with_few_names(value, levels - 1)),
    });
    Value::Object(members.collect())
}

#[test]
fn changes_are_empty_exactly_when_both_mean_the_same_and_lead_from_the_one_to_the_other() {
    let configurations = || configurations(Members::AnyAndNew).prop_map(|config| with_few_names(config, 0));
    let pairs = (configurations(), configurations(), any::<[u8; 32]>());
    check(400, &pairs, |(before, other, choices)| {
        let mut choices = choices.into_iter().cycle();
        let after = cross(&before, &other, &mut choices);
        for (before, after) in [(&before, &after), (&after, &before), (&before, &other), (&after, &other)] {
            let changes = changes(before, after);
            prop_assert_eq!(changes.is_empty(), meaning(before) == meaning(after));
            for changes in [changes.clone(), changes.into_iter().rev().collect()] {
                let mut applied = before.clone();
                changes.iter().for_each(|change| apply(&mut applied, change));
                prop_assert_eq!(meaning(&applied), meaning(after));
            }
        }
        let respelled = respelled(&before);
        prop_assert_eq!(changes(&before, &respelled), [json!(null); 0]);
        prop_assert_eq!(changes(&respelled, &before), [json!(null); 0]);
        Ok(())
    });
}

/// Returns every edit of one place in a value: a different leaf, a member removed, and a member added.
fn edits(json: &Value) -> Vec<Value> {
    let with = |members: &Map<String, Value>, name: &str, value: Value| {
        let mut members = members.clone();
        members.insert(name.to_owned(), value);
        Value::Object(members)
    };
    match json {
        Value::Object(members) => {
            let inside = members.iter().flat_map(|(name, value)| {
                edits(value).into_iter().map(|edited| with(members, name, edited)).collect::<Vec<_>>()
            });
            let less = members.keys().map(|gone| {
                Value::Object(
                    members.iter().filter(|(name, _)| *name != gone).map(|(n, v)| (n.clone(), v.clone())).collect(),
                )
            });
            inside.chain(less).chain(iter::once(with(members, "nextMonth", json!(1)))).collect()
        }
        Value::Array(items) => {
            let inside = (0..items.len()).flat_map(|index| {
                edits(&items[index]).into_iter().map(move |edited| {
                    let mut items = items.clone();
                    items[index] = edited;
                    Value::Array(items)
                })
            });
            inside.chain(items.split_last().map(|(_, rest)| Value::Array(rest.to_vec()))).collect()
        }
        Value::String(text) => vec![json!(format!("{text}x"))],
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) => vec![json!(if number.as_i64() == Some(1) { 2 } else { 1 })],
        Value::Null => vec![json!(1)],
    }
}

#[test]
fn no_edit_of_any_place_is_silent() {
    let found = ["full", "unknown-fields"].map(|name| edits_of(&corpus(name)).unwrap());
    assert!(found.iter().all(|edits| *edits > 90), "{found:?}");
    check(8, &configurations(Members::All), |config| edits_of(&config).map(|_| ()));
}

/// Checks every edit that is still a configuration, and returns their number.
fn edits_of(before: &Value) -> Result<usize, TestCaseError> {
    let meant = meaning(before);
    let mut count = 0;
    for after in edits(before) {
        // Some types are fixed, and some members are required.
        let Ok(decoded) = serde_json::from_value::<ConfigContent>(after.clone()) else { continue };
        count += 1;
        let found = decoded.changes_since(&config(before));
        prop_assert_eq!(found.is_empty(), meaning(&after) == meant, "{}", after);
    }
    Ok(count)
}

#[test]
fn every_member_of_the_contract_is_in_a_configuration_that_is_edited() {
    let edited = ["full", "unknown-fields"].map(|name| corpus(name).to_string()).concat();
    let contract = contract("config");
    let schemas = contract["components"]["schemas"].as_object().unwrap().values();
    let members = schemas.flat_map(|schema| schema["properties"].as_object().into_iter().flatten());
    let missing = members.map(|(name, _)| name).filter(|name| !edited.contains(&format!("\"{name}\":")));
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn no_default_is_silent_but_those_of_the_contract() {
    let read =
        |object: Value| json!({ "read": { "objects": { "a": { "objectName": "a", "selectedFields": object } } } });
    assert_eq!(
        sentences(&read(json!({})), &read(json!({ "fax": false }))),
        ["`$.read.objects.a.selectedFields.fax` was added"]
    );
    let proxy = |proxy: Value| json!({ "proxy": proxy });
    assert_eq!(sentences(&proxy(json!({})), &proxy(json!({ "enabled": false }))), ["the proxy is disabled now"]);
    let legacy = |more: Value| {
        let default = json!({ "f": { "value": 1, "applyOnUpdate": more } });
        json!({ "write": { "objects": { "a": { "objectName": "a", "selectedValueDefaults": default } } } })
    };
    let expected = ["write of `a`: the legacy default of field `f` was changed"];
    assert_eq!(sentences(&legacy(Value::Null), &legacy(json!("always"))), expected);
}

#[test]
fn numbers_of_any_size_are_compared_as_they_are_written() {
    let config = |days: &str| -> ConfigContent {
        let period = format!(r#"{{"defaultPeriod":{{"days":{days}}}}}"#);
        let object = format!(r#"{{"objectName":"a","backfill":{period},"new":{days}}}"#);
        RawJson::new(format!(r#"{{"read":{{"objects":{{"a":{object}}}}}}}"#)).unwrap().parse().unwrap()
    };
    for (one, other, same) in [
        ("9007199254740993", "9007199254740992", false),
        ("1e400", "1e401", false),
        ("10", "1e1", true),
        ("1.10", "1.1", true),
    ] {
        let changes = config(one).changes_since(&config(other)).len();
        assert_eq!(changes, if same { 0 } else { 2 }, "{one} {other}");
    }
}

#[test]
fn every_kind_of_change_is_a_sentence_and_json() {
    let before = json!({
        "provider": "hubspot",
        "labels": { "team": "growth" },
        "read": { "objects": {
            "contact": {
                "objectName": "contact", "schedule": "0 * * * *", "destination": "contacts", "disabled": true,
                "selectedFields": { "name": true, "phone": true, "fax": true, "city": false },
                "selectedFieldMappings": { "work": "email", "home": "email2" },
                "selectedValueMappings": { "stage": { "won": "W", "lost": "L" } },
                "backfill": { "defaultPeriod": { "days": 7 }, "fieldFilters": [] },
            },
            "deal": { "objectName": "deal" },
            "lead": { "objectName": "lead", "schedule": "@daily", "destination": "leads", "selectedFieldsAuto": "all" },
        } },
        "write": { "objects": { "task": {
            "objectName": "task",
            "selectedFieldSettings": {
                "status": { "default": { "stringValue": "Open" } },
                "owner": { "default": { "integerValue": 1 }, "writeOnUpdate": "ifEmpty" },
            },
            "selectedValueDefaults": { "rank": { "value": 1 } },
        } } },
        "subscribe": { "objects": {
            "contact": { "objectName": "contact", "destination": "contacts", "inheritFieldsAndMappings": true },
        } },
        "proxy": { "enabled": false },
    });
    let after = json!({
        "provider": "salesforce",
        "labels": { "team": "growth", "it's new": [1] },
        "read": { "objects": {
            "contact": {
                "objectName": "contact", "schedule": "@daily", "destination": "people",
                "selectedFields": { "name": true, "email": true, "fax": false, "city": true },
                "selectedFieldMappings": { "work": "email3", "office": "email" },
                "selectedFieldsAuto": "all",
                "selectedValueMappings": { "stage": { "won": "Won" }, "tier": { "1": "gold" } },
                "backfill": { "defaultPeriod": { "fullHistory": true }, "fieldFilters": [
                    { "fieldName": "kind", "operator": "eq", "value": "A" },
                ] },
            },
            "lead": { "objectName": "lead", "disabled": true },
            "ticket": { "objectName": "ticket" },
        } },
        "write": { "objects": { "task": {
            "objectName": "task",
            "selectedFieldSettings": {
                "status": { "default": { "stringValue": "SECRET" }, "writeOnCreate": "never" },
                "owner": { "writeOnUpdate": "never" },
                "subject": { "default": { "stringValue": "SECRET" } },
            },
            "selectedValueDefaults": { "rank": { "value": "SECRET" } },
        } } },
        "subscribe": { "objects": {
            "contact": {
                "objectName": "contact", "destination": "people", "inheritFieldsAndMappings": false,
                "createEvent": { "enabled": "always" },
            },
        } },
        "proxy": { "enabled": true },
    });
    let changes = config(&after).changes_since(&config(&before));
    let lines: Vec<String> =
        changes.iter().map(|change| format!("{change}\n    {}", serde_json::to_string(change).unwrap())).collect();
    insta::assert_snapshot!(lines.join("\n"));

    let shown: String = changes.iter().map(|change| format!("{change} {change:?}")).collect();
    assert!(!shown.contains("SECRET"), "{shown}");
}
