//! Generates values that a schema of the contract allows.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;
use serde_json::{Map, Value};

use crate::contract::{Fields, names, resolve};

/// Which members an object gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Members {
    /// Only the required members.
    Required,
    /// All members of the schema.
    All,
    /// The required members, and some of the others.
    Any,
    /// Like `Any`, for received values: also with unknown members, as next month's contract may have.
    AnyAndNew,
}

/// Generates values that a schema allows.
pub fn value(schema: &Value, contract: &Value, members: Members) -> BoxedStrategy<Value> {
    let schema = resolve(schema, contract);
    let allowed = if schema.get("allOf").is_some() || schema.get("properties").is_some() {
        object(schema, contract, members)
    } else if let Some(values) = schema["enum"].as_array() {
        select(values.clone()).boxed()
    } else if let Some(alternatives) = schema["oneOf"].as_array() {
        let required = |alternative| names(&resolve(alternative, contract)["required"]);
        let alternatives = alternatives.iter().map(|alternative| {
            let own = required(alternative);
            let of_others = alternatives.iter().flat_map(required).filter(|name| !own.contains(name));
            // A server may refuse a value that fits two alternatives. A received value may fit all of them.
            let left_out: Vec<String> = match members {
                Members::AnyAndNew => Vec::new(),
                _ => of_others.map(str::to_owned).collect(),
            };
            value(alternative, contract, members).prop_map(move |mut value| {
                if let Some(members) = value.as_object_mut() {
                    members.retain(|name, _| !left_out.contains(name));
                }
                value
            })
        });
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
            (Some("string"), _) => text(schema),
            (Some("number"), _) => proptest::num::f64::NORMAL.prop_map(Value::from).boxed(),
            (Some("boolean"), _) => any::<bool>().prop_map(Value::from).boxed(),
            (Some("integer"), _) => {
                let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
                let excluded = i64::from(schema["exclusiveMaximum"] == true);
                match schema["maximum"].as_i64() {
                    Some(most) => (least..=most - excluded).prop_map(Value::from).boxed(),
                    // A caller sends an `i64`.
                    None if members != Members::AnyAndNew => (least..=i64::MAX).prop_map(Value::from).boxed(),
                    None => {
                        let whole = (least..=i64::MAX).prop_map(Value::from);
                        let large = (i64::MAX as u64..=u64::MAX).prop_map(Value::from);
                        prop_oneof![4 => whole, 1 => large].boxed()
                    }
                }
            }
            (Some("array"), _) => {
                let least = schema["minItems"].as_u64().unwrap_or(0) as usize;
                vec(value(&schema["items"], contract, members), least..least + 4).prop_map(Value::from).boxed()
            }
            (Some("object") | None, _) if schema["additionalProperties"].is_object() => {
                let values = value(&schema["additionalProperties"], contract, members);
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

fn object(schema: &Value, contract: &Value, members: Members) -> BoxedStrategy<Value> {
    let mut fields = Fields::default();
    fields.add(schema, contract);
    let chosen: Vec<_> = fields
        .one_of
        .iter()
        .map(|group| select(group.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()))
        .collect();
    let known: Vec<BoxedStrategy<(String, bool, Option<Value>)>> = fields
        .properties
        .iter()
        .map(|(name, property)| {
            let (name, property) = ((*name).to_owned(), value(property, contract, members));
            let (choice, required) =
                (fields.one_of.iter().flatten().any(|n| *n == name), fields.required.contains(&name.as_str()));
            let present = match members {
                _ if choice || required => property.prop_map(Some).boxed(),
                Members::Required => Just(None).boxed(),
                Members::All => property.prop_map(Some).boxed(),
                Members::Any | Members::AnyAndNew => proptest::option::of(property).boxed(),
            };
            present.prop_map(move |value| (name.clone(), choice, value)).boxed()
        })
        .collect();
    let new = match members {
        Members::AnyAndNew => proptest::option::weighted(0.2, ("new[A-Z]{0,3}", anything())).boxed(),
        _ => Just(None).boxed(),
    };
    (chosen, known, new)
        .prop_map(|(chosen, known, new)| {
            let present = known.into_iter().filter(|(name, choice, _)| !choice || chosen.contains(name));
            let known = present.filter_map(|(name, _, value)| Some((name, value?)));
            Value::Object(known.chain(new).collect::<Map<_, _>>())
        })
        .boxed()
}

fn text(schema: &Value) -> BoxedStrategy<Value> {
    let pattern = match schema["pattern"].as_str() {
        Some(pattern) => pattern.trim_start_matches('^').trim_end_matches('$').to_owned(),
        None => {
            let least = schema["minLength"].as_u64().unwrap_or(0);
            let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX).min(least + 32);
            format!("\\PC{{{least},{most}}}")
        }
    };
    string_regex(&pattern).expect(&pattern).prop_map(Value::from).boxed()
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

/// Generates any JSON.
pub fn anything() -> BoxedStrategy<Value> {
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
