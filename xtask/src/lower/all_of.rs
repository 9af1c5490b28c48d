use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use super::{BESIDE, Context, DOCUMENTATION, OPERATIONS, for_each_schema, is_struct, walk, wordless};
use crate::{canonical, document};

/// Folds alternatives of an object into it: the fields of each become optional fields of the object. Nearly always they
/// say only which fields are required: `oneOf: [{required: [config]}, {required: [configURL]}]`.
///
/// typify makes an untagged enum `Variant0`, `Variant1` of them, which takes the first that fits and so loses
/// `configURL` when `config` is `{}`. Folded in, both are optional fields, and `ConfigSource` chooses.
pub(super) fn fold_alternatives(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let before = document::schemas_mut(document).cloned().unwrap_or_default();
    let mut hits = 0;
    for_each_schema(document, &mut |schema| {
        let only_required = ["oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()).flatten().all(|part| {
            part.as_object()
                .is_some_and(|part| part.keys().all(|key| matches!(key.as_str(), "required" | "type" | "not")))
        });
        if is_struct(schema) || only_required {
            hits += fold(schema, &before);
        }
        for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
            hits += fold(part, &before);
        }
    });
    Ok(hits)
}

/// In an object that alternatives are folded into, the fields that only those after the first have or require.
pub(crate) const OTHERS: &str = "x-of-other-alternatives";

fn fold(schema: &mut Value, schemas: &Map<String, Value>) -> usize {
    let Some(members) = schema.as_object_mut() else { return 0 };
    let alternatives: Vec<Value> = ["oneOf", "anyOf"].into_iter().filter_map(|key| members.remove(key)).collect();
    for alternative in alternatives.iter().filter_map(Value::as_array).flatten() {
        let fields = document::resolve(alternative, schemas)["properties"].as_object().into_iter().flatten();
        for (name, field) in fields {
            let properties = members.entry("properties").or_insert_with(|| Map::new().into());
            match properties.get(name) {
                None => properties[name] = field.clone(),
                Some(other) if wordless(other) == wordless(field) => {}
                Some(_) => properties[name] = Map::new().into(), // It may be either.
            }
        }
    }
    if let Some((first, others)) = alternatives.iter().filter_map(Value::as_array).find_map(|parts| parts.split_first())
    {
        let (first, mut of_others) = (document::resolve(first, schemas), BTreeSet::new());
        for other in others.iter().map(|other| document::resolve(other, schemas)) {
            of_others.extend(&properties(other) - &properties(first));
            of_others.extend(&required(other) - &required(first));
        }
        members.insert(OTHERS.to_owned(), of_others.into_iter().collect());
    }
    // What every one of them requires is required still.
    for parts in alternatives.iter().filter_map(Value::as_array) {
        let required = parts.iter().map(|part| document::resolve(part, schemas)["required"].as_array().cloned());
        let common = required.map(Option::unwrap_or_default).reduce(|mut common, required| {
            common.retain(|name| required.contains(name));
            common
        });
        if let Some(common) = common.filter(|common| !common.is_empty()) {
            merge(members, json!({ "required": common }));
        }
    }
    alternatives.len()
}

fn properties(schema: &Value) -> BTreeSet<&str> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

fn required(schema: &Value) -> BTreeSet<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Makes one object of alternatives that are all objects: what they have in common is required, everything else may
/// be there.
///
/// typify's enum of `oneOf: [{required: [redirect], …}, {required: [connection], …}]` refuses an answer for one member
/// more than it knows, and takes the first alternative that fits: as `WriteResponseSingleSuccess` every batch would lose
/// its counts.
pub(super) fn flatten_alternatives(document: &mut Value, context: &Context<'_>) -> Result<usize> {
    if document.get(OPERATIONS).is_none() {
        return Ok(0);
    }
    let Some(schemas) = document::schemas_mut(document) else { return Ok(0) };
    let before = schemas.clone();
    let mut hits = 0;
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| !context.shared.contains_key(*name)) {
        walk(schema, &mut |schema| {
            let parts: Vec<&Value> =
                ["oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()).flatten().collect();
            let objects = parts.iter().map(|part| document::resolve(part, &before));
            if !parts.is_empty() && !is_struct(schema) && objects.clone().all(is_struct) {
                hits += fold(schema, &before);
            }
        });
    }
    Ok(hits)
}

/// Merges the parts of an `allOf` into one object.
///
/// typify merges too, but makes a type of its own of every property that a part refines, under a name such as
/// `ReadConfigObjectsValue`, and repeats what the part refers to. Here a later part replaces what an earlier one
/// says of a property, and everything that is referred to keeps its name.
pub(super) fn merge_all_of(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let Some(schemas) = document::schemas_mut(document) else { return Ok(0) };
    let before = schemas.clone();
    let mut hits = 0;
    for (name, schema) in schemas {
        *schema = merged(schema, &before, &mut vec![name], &mut hits).with_context(|| format!("schema `{name}`"))?;
    }
    Ok(hits)
}

fn merged<'a>(
    schema: &Value,
    schemas: &'a Map<String, Value>,
    within: &mut Vec<&'a str>,
    hits: &mut usize,
) -> Result<Value> {
    let schema = match schema {
        Value::Object(members) => members,
        Value::Array(items) => return items.iter().map(|item| merged(item, schemas, within, hits)).collect(),
        other => return Ok(other.clone()),
    };
    let mut own = Map::new();
    for (key, child) in schema.iter().filter(|(key, _)| *key != "allOf") {
        own.insert(key.clone(), merged(child, schemas, within, hits)?);
    }
    let Some(parts) = schema.get("allOf").and_then(Value::as_array) else { return Ok(own.into()) };
    *hits += 1;
    if let [Value::Object(part)] = parts.as_slice() {
        // The usual way to say something beside a `$ref`.
        if part.contains_key("$ref") && own.keys().all(|key| BESIDE.contains(&key.as_str()) || key == "default") {
            own.insert("$ref".to_owned(), part["$ref"].clone());
            return Ok(own.into());
        }
    }
    let mut result = Map::new();
    for part in parts {
        let part = match part["$ref"].as_str() {
            None => merged(part, schemas, within, hits)?,
            Some(reference) => {
                let found = document::schema_name(reference).and_then(|name| schemas.get_key_value(name));
                let Some((name, base)) = found else { bail!("`{reference}` refers to nothing that can be merged") };
                if within.contains(&name.as_str()) {
                    bail!("is an `allOf` of itself, by way of `{name}`");
                }
                within.push(name);
                let mut base = merged(base, schemas, within, hits)?;
                within.pop();
                // What is said of the base is not said of what builds on it.
                if let Some(base) = base.as_object_mut() {
                    base.retain(|key, _| !DOCUMENTATION.contains(&key.as_str()));
                }
                base
            }
        };
        merge(&mut result, part);
    }
    merge(&mut result, own.into());
    Ok(result.into())
}

fn merge(into: &mut Map<String, Value>, part: Value) {
    let Value::Object(part) = part else { return };
    for (key, value) in part {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(properties)), Value::Object(more)) if key == "properties" => {
                for (name, property) in more {
                    let refined = match properties.remove(&name) {
                        Some(base) => refine(base, property),
                        None => property,
                    };
                    properties.insert(name, refined);
                }
            }
            (Some(Value::Array(required)), Value::Array(more)) if key == "required" => {
                required.extend(more);
                canonical::sort(required);
            }
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// A property that two parts describe: what the later one leaves open is as the earlier one says.
fn refine(base: Value, mut later: Value) -> Value {
    let (Value::Object(base), Value::Object(members)) = (base, &mut later) else { return later };
    let other_type = base.contains_key("$ref") || members.contains_key("$ref");
    for (key, value) in base {
        if !other_type || DOCUMENTATION.contains(&key.as_str()) {
            members.entry(key).or_insert(value);
        }
    }
    later
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::reference;
    use crate::lower::testing::{run, run_document, with_operation};
    use serde_json::json;

    #[test]
    fn alternatives_of_an_object_are_optional_fields_and_others_stay() {
        let (schemas, hits) = run(
            fold_alternatives,
            json!({
                "A": { "allOf": [
                    { "properties": { "a": {} }, "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] },
                    { "anyOf": [{ "$ref": "#/components/schemas/Part" }, { "properties": { "d": {} } }] },
                ] },
                "B": { "oneOf": [{ "required": ["a"], "properties": {} }, { "type": "string" }] },
                "C": { "properties": { "a": {} }, "oneOf": [
                    { "required": ["b"], "properties": { "b": { "type": "string" }, "c": { "type": "string" } } },
                    { "required": ["b"], "properties": { "b": { "type": "integer" }, "c": { "type": "string" } } },
                    { "required": ["b"], "properties": { "c": { "type": "string", "description": "Words." } } },
                ] },
                "Part": { "properties": { "c": {} } },
            }),
        );
        assert_eq!(
            schemas["A"],
            json!({ "allOf": [
                { "properties": { "a": {} }, OTHERS: ["b"] },
                { "properties": { "c": {}, "d": {} }, OTHERS: ["d"] },
            ] })
        );
        assert_eq!(schemas["B"]["oneOf"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            schemas["C"],
            json!({ "required": ["b"], "properties": { "a": {}, "b": {}, "c": { "type": "string" } }, OTHERS: [] })
        );
        assert_eq!(hits, 3);
    }

    #[test]
    fn alternatives_that_are_objects_become_one() -> Result<()> {
        let part = |required: &[&str], field: &str| json!({ "required": required, "properties": { "id": { "type": "string" }, field: { "type": "string" } } });
        let schemas = json!({
            "Received": { "oneOf": [reference("Problem"), part(&["id", "b"], "b")] },
            "Sent": { "oneOf": [{ "type": "string" }, reference("Problem")] },
            "Shared": { "oneOf": [part(&[], "a"), part(&[], "b")] },
            "Problem": part(&["id"], "a"),
        });
        let (document, hits) = run_document(flatten_alternatives, with_operation(schemas.clone()))?;
        let found = &document["components"]["schemas"];
        let text = json!({ "type": "string" });
        assert_eq!(
            found["Received"],
            json!({ "required": ["id"], "properties": { "id": text, "a": text, "b": text }, OTHERS: ["b"] })
        );
        assert_eq!((&found["Sent"], &found["Shared"]), (&schemas["Sent"], &schemas["Shared"]));
        assert_eq!(hits, 1);
        Ok(())
    }

    #[test]
    fn parts_become_one_object() {
        let (schemas, hits) = run(
            merge_all_of,
            json!({
                "Base": { "description": "of the base", "type": "object", "required": ["id"], "properties": {
                    "id": { "type": "string" },
                    "map": { "description": "kept", "type": "object", "additionalProperties": { "$ref": "#/components/schemas/Base" } },
                    "read": { "description": "kept", "$ref": "#/components/schemas/Base" },
                } },
                "Middle": { "allOf": [{ "$ref": "#/components/schemas/Base" }] , "type": "object" },
                "A": { "allOf": [
                    { "$ref": "#/components/schemas/Middle" },
                    { "description": "own", "required": ["name", "id"], "properties": {
                        "name": { "type": "string" },
                        "map": { "additionalProperties": { "$ref": "#/components/schemas/A" } },
                        "read": { "$ref": "#/components/schemas/A" },
                    } },
                ] },
            }),
        );
        assert_eq!(
            schemas["A"],
            json!({ "description": "own", "type": "object", "required": ["id", "name"], "properties": {
            "id": { "type": "string" },
            "name": { "type": "string" },
            "map": { "description": "kept", "type": "object", "additionalProperties": { "$ref": "#/components/schemas/A" } },
            "read": { "description": "kept", "$ref": "#/components/schemas/A" },
        } })
        );
        assert_eq!(hits, 3);
    }

    #[test]
    fn a_described_reference_stays_a_reference() {
        let (schemas, _) = run(
            merge_all_of,
            json!({
                "A": { "properties": { "b": { "description": "d", "allOf": [{ "$ref": "#/components/schemas/B" }] } } },
                "B": {},
            }),
        );
        assert_eq!(schemas["A"]["properties"]["b"], json!({ "description": "d", "$ref": "#/components/schemas/B" }));
    }

    #[test]
    fn an_all_of_itself_is_an_error() {
        let part = json!([{ "$ref": "#/components/schemas/A" }, {}]);
        let document = json!({ "components": { "schemas": { "A": { "allOf": part } } } });
        let error = run_document(merge_all_of, document).expect_err("endless");
        assert_eq!(format!("{error:#}"), "schema `A`: is an `allOf` of itself, by way of `A`");
    }
}
