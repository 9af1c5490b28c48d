//! Checks whether a request fits the contract, before it is sent.
//!
//! It supports the parts of JSON Schema that the contract's requests use. The crate `jsonschema` supports all of it,
//! but brings 38 crates, with regular expressions and big numbers. Its messages also do not say which option to pass.

use serde_json::{Map, Value};

use crate::contract::Schema;
use crate::nearest::nearest;

/// Returns the parts of a value that do not fit, with their paths.
pub(crate) fn faults(value: &Value, schema: Schema, path: &str) -> Vec<String> {
    let mut faults = Vec::new();
    check(value, schema, path, &mut faults);
    faults.dedup();
    faults
}

fn check(value: &Value, schema: Schema, path: &str, faults: &mut Vec<String>) {
    check_part(value, schema, path, faults);
    let is_open = schema.is("additionalProperties") || schema.map_values().is_some();
    if let (Value::Object(members), false) = (value, is_open) {
        let known: Vec<&str> = schema.fields().iter().map(|field| field.name).collect();
        for name in members.keys().filter(|name| !known.is_empty() && !known.contains(&name.as_str())) {
            let meant = nearest(name, known.iter().copied()).map(|near| format!(": did you mean `{near}`?"));
            faults.push(format!("`{}` is no field of the contract{}", join(path, name), meant.unwrap_or_default()));
        }
    }
}

fn check_part(value: &Value, schema: Schema, path: &str, faults: &mut Vec<String>) {
    if value.is_null() && schema.is("nullable") {
        return;
    }
    let is_kind = match schema.kind() {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    if !is_kind {
        let what = format!("{} has to be {}, and is {}", named(path), with_article(schema.kind()), kind(value));
        return faults.push(what);
    }
    let values = schema.values();
    if let (Some(text), false) = (value.as_str(), values.is_empty())
        && !values.iter().any(|(known, _)| *known == text)
    {
        let advice = match nearest(text, values.iter().map(|(known, _)| *known)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "it has {}",
                values.iter().map(|(known, _)| format!("`{known}`")).collect::<Vec<_>>().join(", ")
            ),
        };
        faults.push(format!("{} has no value `{text}`: {advice}", named(path)));
    }
    bounds(value, schema, path, faults);
    schema.parts("allOf").for_each(|part| check_part(value, part, path, faults));
    // Reports the alternative with the fewest faults.
    let of_each = schema.parts("oneOf").map(|part| {
        let mut faults = Vec::new();
        check_part(value, part, path, &mut faults);
        faults
    });
    faults.extend(of_each.min_by_key(Vec::len).unwrap_or_default());
    match value {
        Value::Object(members) => check_members(members, schema, path, faults),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                schema.items().into_iter().for_each(|of| check(item, of, &format!("{path}[{index}]"), faults));
            }
        }
        _ => {}
    }
}

fn check_members(members: &Map<String, Value>, schema: Schema, path: &str, faults: &mut Vec<String>) {
    for name in schema.required().filter(|name| !members.contains_key(*name)) {
        faults.push(format!("`{}` is missing", join(path, name)));
    }
    let own: Vec<(&str, Schema)> = schema.own_fields().collect();
    for (name, value) in members {
        let of = own.iter().find(|(own, _)| own == name).map(|(_, schema)| *schema);
        of.or(schema.map_values()).into_iter().for_each(|of| check(value, of, &join(path, name), faults));
    }
}

fn bounds(value: &Value, schema: Schema, path: &str, faults: &mut Vec<String>) {
    let limit = |keyword: &str| schema.member(keyword).as_f64();
    let (size, unit, least, most) = match value {
        Value::Number(number) => (number.as_f64(), "", limit("minimum"), limit("maximum")),
        Value::String(text) => {
            (Some(text.chars().count() as f64), " characters", limit("minLength"), limit("maxLength"))
        }
        Value::Array(items) => (Some(items.len() as f64), " items", limit("minItems"), limit("maxItems")),
        _ => return,
    };
    let Some(size) = size else { return };
    if let Some(least) = least.filter(|least| size < *least) {
        faults.push(format!("{} has to be at least {least}{unit}, and is {size}", named(path)));
    }
    let excludes = schema.is("exclusiveMaximum");
    if let Some(most) = most.filter(|most| size > *most || (excludes && size == *most)) {
        let bound = if excludes { "less than" } else { "at most" };
        faults.push(format!("{} has to be {bound} {most}{unit}, and is {size}", named(path)));
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Returns the path, or the name of the whole body.
fn named(path: &str) -> String {
    if path.is_empty() { "the body".to_owned() } else { format!("`{path}`") }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "array" => "a list".to_owned(),
        "integer" | "object" => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}
