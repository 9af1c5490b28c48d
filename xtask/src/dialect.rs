//! Converts OpenAPI 3.1, and habits of older dialects, into OpenAPI 3.0: the only dialect that other modules know.
//!
//! A keyword that 3.0 cannot express is dropped, so that the result allows more. Only `patternProperties` become
//! `additionalProperties`, which allow less if other names are allowed too.

use serde_json::{Map, Value, json};

use crate::keywords::{DATA, NAMED, Type, among};

/// Keywords that hold a schema, or several.
const SCHEMAS: &str = "schema schemas properties patternProperties additionalProperties items not allOf oneOf anyOf";

/// Keywords that 3.0 cannot express.
const DROPPED: &str = "$anchor $comment $defs $dynamicAnchor $dynamicRef $id $schema contains contentSchema \
    definitions dependencies dependentRequired dependentSchemas else examples if maxContains minContains \
    propertyNames then unevaluatedItems unevaluatedProperties";

/// Keywords that may stand beside a `$ref` without narrowing it.
const ANNOTATIONS: &str = "$ref deprecated description example externalDocs summary title xml";

/// Converts a document, or a part of one.
pub(crate) fn convert(document: &mut Value) {
    // Since 3.1, keywords beside a `$ref` count. 3.0 ignores them.
    let beside_ref = document["openapi"].as_str().is_some_and(|version| !version.starts_with("3.0"));
    walk(document, "", beside_ref);
    if let Some(root) = document.as_object_mut().filter(|_| beside_ref) {
        root.insert("openapi".to_owned(), json!("3.0.3"));
        root.remove("jsonSchemaDialect");
    }
}

/// Converts the schemas in a value under `keyword`, innermost first.
fn walk(value: &mut Value, keyword: &str, beside_ref: bool) {
    let is_schema = among(SCHEMAS, keyword);
    match value {
        Value::Bool(any) if is_schema && keyword != "additionalProperties" => {
            *value = if *any { json!({}) } else { json!({ "not": {} }) };
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| walk(part, keyword, beside_ref)),
        Value::Object(members) => {
            if is_schema {
                drop_keywords(members);
            }
            for (key, child) in members.iter_mut() {
                match child {
                    _ if among(DATA, key) || key.starts_with("x-") => {}
                    Value::Object(named) if among(NAMED, key) => {
                        named.values_mut().for_each(|child| walk(child, key, beside_ref));
                    }
                    child => walk(child, key, beside_ref),
                }
            }
            if is_schema {
                schema(members, beside_ref);
            }
        }
        _ => {}
    }
}

fn drop_keywords(members: &mut Map<String, Value>) {
    // A `not` without some of its keywords would refuse more.
    if members.get("not").and_then(Value::as_object).is_some_and(|not| not.keys().any(|key| among(DROPPED, key))) {
        members.remove("not");
    }
    // Draft 3 of JSON Schema has `required: true` in a property.
    members.retain(|key, value| !(among(DROPPED, key) || key == "required" && value.is_boolean()));
}

fn schema(members: &mut Map<String, Value>, beside_ref: bool) {
    if let Some(only) = members.remove("const") {
        members.entry("type").or_insert(json!(Type::of(&only)));
        members.insert("enum".to_owned(), json!([only]));
    }
    types(members);
    if let Some(Value::Array(values)) = members.get_mut("enum")
        && values.iter().any(Value::is_null)
    {
        if values.iter().any(|value| !value.is_null()) {
            values.retain(|value| !value.is_null());
        }
        members.insert("nullable".to_owned(), json!(true));
    }
    ["oneOf", "anyOf"].iter().for_each(|choice| null_among_alternatives(members, choice));
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(limit) = members.get(exclusive).filter(|limit| limit.is_number()).cloned() {
            members.insert(exclusive.to_owned(), json!(true));
            members.insert(bound.to_owned(), limit);
        }
    }
    content(members);
    if members.remove("prefixItems").is_some() || members.get("items").is_some_and(Value::is_array) {
        members.insert("items".to_owned(), json!({}));
    }
    if let Some(Value::Object(patterns)) = members.remove("patternProperties") {
        let is_closed = members.remove("additionalProperties").is_none_or(|others| others == false);
        if is_closed && patterns.len() == 1 && !members.contains_key("properties") {
            members.extend(patterns.into_iter().map(|(_, schema)| ("additionalProperties".to_owned(), schema)));
        }
    }
    if beside_ref
        && members.keys().any(|key| !among(ANNOTATIONS, key) && !key.starts_with("x-"))
        && let Some(target) = members.remove("$ref")
    {
        also(members, json!({ "$ref": target }));
    }
}

/// Converts a list of types, a type that 3.0 does not have, and `null`, which YAML may have read as a null value.
fn types(members: &mut Map<String, Value>) {
    let mut kinds = match members.get("type") {
        Some(Value::Array(kinds)) => kinds.clone(),
        Some(kind) if kind.is_null() || kind == "null" || kind == "any" => vec![kind.clone()],
        Some(kind) if kind == "file" => {
            members.insert("format".to_owned(), json!("binary"));
            vec![json!("string")]
        }
        _ => return,
    };
    members.remove("type");
    let count = kinds.len();
    kinds.retain(|kind| !kind.is_null() && kind != "null");
    if kinds.len() < count {
        members.insert("nullable".to_owned(), json!(true));
    }
    kinds.retain(|kind| kind != "any");
    // A schema that lists its values or alternatives has their types.
    let is_listed = ["enum", "oneOf", "anyOf", "$ref"].iter().any(|key| members.contains_key(*key));
    match kinds.as_slice() {
        [] if members.contains_key("nullable") && !is_listed => drop(members.insert("enum".to_owned(), json!([null]))),
        [kind] => drop(members.insert("type".to_owned(), kind.clone())),
        kinds if kinds.is_empty() || is_listed => {}
        kinds => {
            let alternative = |kind: &Value| {
                let own = members.iter().filter(|(key, _)| among(about(kind), key));
                let own = own.map(|(key, value)| (key.clone(), value.clone()));
                own.chain([("type".to_owned(), kind.clone())]).collect()
            };
            let alternatives: Vec<Value> = kinds.iter().map(alternative).collect();
            members.retain(|key, _| !kinds.iter().any(|kind| among(about(kind), key)));
            members.insert("anyOf".to_owned(), alternatives.into());
        }
    }
}

/// Returns the keywords that only apply to values of this type.
fn about(kind: &Value) -> &'static str {
    match kind.as_str() {
        Some("string") => "minLength maxLength pattern format contentEncoding contentMediaType",
        Some("integer" | "number") => "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
        Some("array") => "items prefixItems minItems maxItems uniqueItems",
        Some("object") => "properties required additionalProperties patternProperties minProperties maxProperties",
        _ => "",
    }
}

/// Takes `null` out of a choice, and unwraps a choice of one reference, which some write to say something beside it.
fn null_among_alternatives(members: &mut Map<String, Value>, choice: &str) {
    let Some(Value::Array(alternatives)) = members.get_mut(choice) else { return };
    let count = alternatives.len();
    alternatives.retain(|alternative| alternative["enum"] != json!([null]));
    let (left, is_ref) = (alternatives.len(), alternatives.iter().any(|one| one.get("$ref").is_some()));
    if left < count {
        members.insert("nullable".to_owned(), json!(true));
    }
    if left == 0 {
        members.remove(choice);
        members.insert("enum".to_owned(), json!([null]));
    } else if left == 1 && (left < count || is_ref && !members.contains_key("discriminator")) {
        let clashes = |members: &Map<_, _>, key: &str| !among(ANNOTATIONS, key) && members.contains_key(key);
        match members.remove(choice).map(|mut one| one[0].take()) {
            Some(Value::Object(one)) if !is_ref && one.keys().all(|key| !clashes(members, key)) => {
                for (key, value) in one {
                    members.entry(key).or_insert(value);
                }
            }
            one => also(members, one.into()),
        }
    }
}

/// Converts the encoding and the media type of a string's content into a `format`.
fn content(members: &mut Map<String, Value>) {
    let (encoding, media) = (members.remove("contentEncoding"), members.remove("contentMediaType"));
    let is_text = |media: &str| media.starts_with("text/") || media.ends_with("json") || media.ends_with("xml");
    let format = match (encoding.as_ref().and_then(Value::as_str), media.as_ref().and_then(Value::as_str)) {
        (Some(encoding), _) if encoding.starts_with("base64") => "byte",
        (None, Some(media)) if !is_text(media) => "binary",
        _ => return,
    };
    members.entry("type").or_insert(json!("string"));
    members.entry("format").or_insert(json!(format));
}

/// Adds a schema that values must match as well.
fn also(members: &mut Map<String, Value>, schema: Value) {
    if let Value::Array(parts) = members.entry("allOf").or_insert_with(|| json!([])) {
        parts.insert(0, schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Converts a schema of a 3.1 document.
    fn converted(schema: Value) -> Value {
        let mut document = json!({ "openapi": "3.1.0", "components": { "schemas": { "A": schema } } });
        convert(&mut document);
        document["components"]["schemas"]["A"].take()
    }

    #[test]
    fn schemas_of_3_1_become_schemas_of_3_0() {
        let cases = json!([
            [{ "type": ["string", "null"] }, { "type": "string", "nullable": true }],
            [{ "type": ["string", null] }, { "type": "string", "nullable": true }],
            [{ "type": "null" }, { "enum": [null], "nullable": true }],
            [
                { "type": ["string", "integer", "null"], "description": "d", "minLength": 1, "minimum": 2 },
                {
                    "anyOf": [{ "type": "string", "minLength": 1 }, { "type": "integer", "minimum": 2 }],
                    "description": "d", "nullable": true,
                },
            ],
            [{ "type": ["string", "integer"], "enum": ["a", 1] }, { "enum": ["a", 1] }],
            [{ "anyOf": [{ "$ref": "#/B" }, { "type": "null" }] }, { "allOf": [{ "$ref": "#/B" }], "nullable": true }],
            [
                { "oneOf": [{ "type": "array", "items": true, "title": "t" }, { "type": null }], "title": "u" },
                { "type": "array", "items": {}, "nullable": true, "title": "u" },
            ],
            [
                { "type": "object", "oneOf": [{ "type": "object", "minProperties": 1 }, { "const": null }] },
                { "type": "object", "allOf": [{ "type": "object", "minProperties": 1 }], "nullable": true },
            ],
            [
                { "anyOf": [{ "type": "string" }, { "type": "null" }, { "type": "integer" }] },
                { "anyOf": [{ "type": "string" }, { "type": "integer" }], "nullable": true },
            ],
            [{ "const": "a" }, { "enum": ["a"], "type": "string" }],
            [{ "type": ["string", "null"], "enum": ["a", null] }, { "type": "string", "enum": ["a"], "nullable": true }],
            [{ "type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": true, "maximum": 5 },
                { "type": "integer", "exclusiveMinimum": true, "minimum": 1, "exclusiveMaximum": true, "maximum": 5 }],
            [{ "type": "string", "examples": ["a"], "$comment": "c" }, { "type": "string" }],
            [{ "$ref": "#/B", "description": "d" }, { "$ref": "#/B", "description": "d" }],
            [{ "$ref": "#/B", "minLength": 1 }, { "allOf": [{ "$ref": "#/B" }], "minLength": 1 }],
            [{ "type": "string", "contentEncoding": "base64" }, { "type": "string", "format": "byte" }],
            [{ "contentMediaType": "image/png" }, { "type": "string", "format": "binary" }],
            [{ "type": "string", "contentMediaType": "application/json" }, { "type": "string" }],
            [{ "type": "array", "prefixItems": [{ "type": "string" }], "items": false }, { "type": "array", "items": {} }],
            [{ "properties": { "a": true, "b": false } }, { "properties": { "a": {}, "b": { "not": {} } } }],
            [{ "additionalProperties": false }, { "additionalProperties": false }],
            [
                { "type": "object", "patternProperties": { "^x": { "type": ["string"] } }, "additionalProperties": false },
                { "type": "object", "additionalProperties": { "type": "string" } },
            ],
            [
                { "properties": { "a": {} }, "patternProperties": { "^x": {} }, "additionalProperties": false },
                { "properties": { "a": {} } },
            ],
            [{ "type": "object", "if": { "a": 1 }, "then": false, "unevaluatedProperties": false }, { "type": "object" }],
            [{ "not": { "contains": {} } }, {}],
            [{ "default": { "const": 1 }, "enum": [{ "type": ["a"] }] }, { "default": { "const": 1 }, "enum": [{ "type": ["a"] }] }],
            [{ "properties": { "const": { "const": 1 }, "default": { "const": 2 } } },
                { "properties": {
                    "const": { "enum": [1], "type": "integer" }, "default": { "enum": [2], "type": "integer" },
                } }],
        ]);
        for case in cases.as_array().into_iter().flatten() {
            assert_eq!(converted(case[0].clone()), case[1], "{}", case[0]);
            assert_eq!(converted(case[1].clone()), case[1], "again");
        }
    }

    #[test]
    fn what_stands_beside_a_reference_is_left_alone_in_3_0() {
        let mut document = json!({
            "openapi": "3.0.1",
            "paths": { "/a": { "get": { "parameters": [{ "schema": { "$ref": "#/B", "nullable": true } }] } } },
        });
        let before = document.clone();
        convert(&mut document);
        assert_eq!(document, before);
    }

    #[test]
    fn habits_of_older_dialects_are_read() {
        let mut document = json!({ "openapi": "3.0.1", "components": { "schemas": { "A": { "properties": {
            "a": { "type": "string", "required": true },
            "b": { "type": "any" },
            "c": { "type": "file" },
            "d": { "oneOf": [{ "$ref": "#/B" }], "nullable": true },
            "e": { "oneOf": [{ "type": "string" }] },
        } } } } });
        convert(&mut document);
        assert_eq!(
            document["components"]["schemas"]["A"]["properties"],
            json!({
                "a": { "type": "string" },
                "b": {},
                "c": { "type": "string", "format": "binary" },
                "d": { "allOf": [{ "$ref": "#/B" }], "nullable": true },
                "e": { "oneOf": [{ "type": "string" }] },
            })
        );
    }
}
