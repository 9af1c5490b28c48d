//! OpenAPI 3.1, and what the field writes, as OpenAPI 3.0 says it: the one dialect that the rest knows.
//!
//! The result never allows less than the original. A keyword that 3.0 cannot say is dropped.

use serde_json::{Map, Value, json};

use crate::document::{DATA, NAMED};

/// Keywords under which a schema stands, or several.
const SCHEMAS: [&str; 10] = [
    "schema",
    "schemas",
    "properties",
    "patternProperties",
    "additionalProperties",
    "items",
    "not",
    "allOf",
    "oneOf",
    "anyOf",
];

/// Keywords that 3.0 has no word for.
const DROPPED: [&str; 22] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$schema",
    "contains",
    "contentSchema",
    "definitions",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "examples",
    "if",
    "maxContains",
    "minContains",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "dependencies",
];

/// Keywords that may stand beside a `$ref` without narrowing it.
const ANNOTATIONS: [&str; 8] =
    ["$ref", "deprecated", "description", "example", "externalDocs", "summary", "title", "xml"];

/// Rewrites a document, and notes where it reads a common mistake as what was meant.
pub(crate) fn convert(file: &str, document: &mut Value, notes: &mut Vec<String>) {
    let version = document["openapi"].as_str().unwrap_or_default();
    let mut dialect = Dialect { file, beside_ref: !version.starts_with("3.0"), notes };
    dialect.walk(document, "", "");
    if let Some(root) = document.as_object_mut().filter(|root| root.contains_key("openapi"))
        && dialect.beside_ref
    {
        root.insert("openapi".to_owned(), json!("3.0.3"));
        root.remove("jsonSchemaDialect");
    }
}

struct Dialect<'a> {
    file: &'a str,
    /// Whether what stands beside a `$ref` counts: 3.0 ignores it.
    beside_ref: bool,
    notes: &'a mut Vec<String>,
}

impl Dialect<'_> {
    /// Rewrites the schemas in what stands under `keyword`, inner ones first.
    fn walk(&mut self, value: &mut Value, keyword: &str, place: &str) {
        let is_schema = SCHEMAS.contains(&keyword);
        match value {
            Value::Bool(any) if is_schema && keyword != "additionalProperties" => {
                *value = if *any { json!({}) } else { json!({ "not": {} }) };
            }
            Value::Array(parts) => {
                for (index, part) in parts.iter_mut().enumerate() {
                    self.walk(part, keyword, &format!("{place}/{index}"));
                }
            }
            Value::Object(members) => {
                if is_schema {
                    drop_keywords(members);
                }
                for (key, child) in members.iter_mut() {
                    let place = format!("{place}/{key}");
                    match child {
                        _ if DATA.contains(&key.as_str()) || key.starts_with("x-") => {}
                        Value::Object(named) if NAMED.contains(&key.as_str()) => {
                            for (name, child) in named {
                                self.walk(child, key, &format!("{place}/{name}"));
                            }
                        }
                        child => self.walk(child, key, &place),
                    }
                }
                if is_schema {
                    self.mistakes(members, place);
                    schema(members, self.beside_ref);
                }
            }
            _ => {}
        }
    }

    /// Reads what Swagger 2.0 and JSON Schema draft 3 allowed.
    fn mistakes(&mut self, members: &mut Map<String, Value>, place: &str) {
        let mut note = |what: &str| self.notes.push(format!("warning: {}: at {place}: {what}", self.file));
        if members.get("required").is_some_and(Value::is_boolean) {
            members.remove("required");
            note("`required` is no list of names, and is left out");
        }
        match members.get("type").and_then(Value::as_str) {
            Some("any") => {
                members.remove("type");
                note("the type `any` is read as no type");
            }
            Some("file") => {
                members.insert("type".to_owned(), json!("string"));
                members.insert("format".to_owned(), json!("binary"));
                note("the type `file` is read as a binary string");
            }
            _ => {}
        }
    }
}

fn drop_keywords(members: &mut Map<String, Value>) {
    let is_dropped = |key: &str| DROPPED.contains(&key);
    // Less in a `not` refuses more.
    if members.get("not").and_then(Value::as_object).is_some_and(|not| not.keys().any(|key| is_dropped(key))) {
        members.remove("not");
    }
    members.retain(|key, _| !is_dropped(key));
}

fn schema(members: &mut Map<String, Value>, beside_ref: bool) {
    if let Some(only) = members.remove("const") {
        members.entry("enum").or_insert(json!([only]));
        let kind = match &only {
            Value::String(_) => Some("string"),
            Value::Bool(_) => Some("boolean"),
            Value::Number(number) => Some(if number.is_f64() { "number" } else { "integer" }),
            _ => None,
        };
        if let Some(kind) = kind {
            members.entry("type").or_insert(json!(kind));
        }
    }
    types(members);
    null_among_values(members);
    ["oneOf", "anyOf"].iter().for_each(|choice| null_among_alternatives(members, choice));
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        // Where both say a bound, either alone allows more.
        if let Some(limit) = members.get(exclusive).filter(|limit| limit.is_number()).cloned() {
            members.insert(exclusive.to_owned(), json!(true));
            members.insert(bound.to_owned(), limit);
        }
    }
    content(members);
    let is_tuple = members.remove("prefixItems").is_some() || members.get("items").is_some_and(Value::is_array);
    if is_tuple {
        members.insert("items".to_owned(), json!({}));
    }
    if let Some(Value::Object(patterns)) = members.remove("patternProperties") {
        let other = members.remove("additionalProperties");
        let mut patterns: Vec<Value> = patterns.into_iter().map(|(_, schema)| schema).collect();
        let is_map = patterns.len() == 1 && !members.contains_key("properties");
        if let Some(schema) = patterns.pop().filter(|_| is_map && other.is_none_or(|other| other == false)) {
            members.insert("additionalProperties".to_owned(), schema);
        }
    }
    let is_narrow = |key: &String| !ANNOTATIONS.contains(&key.as_str()) && !key.starts_with("x-");
    if beside_ref
        && members.keys().any(is_narrow)
        && let Some(target) = members.remove("$ref")
    {
        also(members, json!({ "$ref": target }));
    }
}

/// Reads a list of types, or `null` as one.
fn types(members: &mut Map<String, Value>) {
    let name = |kind: &Value| if kind.is_null() { json!("null") } else { kind.clone() };
    let mut kinds: Vec<Value> = match members.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().map(name).collect(),
        Some(kind @ Value::Null) => vec![name(kind)],
        Some(kind) if kind == "null" => vec![kind.clone()],
        _ => return,
    };
    members.remove("type");
    let count = kinds.len();
    kinds.retain(|kind| kind != "null");
    if kinds.len() < count {
        members.insert("nullable".to_owned(), json!(true));
    }
    match kinds.as_mut_slice() {
        [] if count > 0 => drop(members.insert("enum".to_owned(), json!([null]))),
        [kind] => drop(members.insert("type".to_owned(), kind.take())),
        // What lists its values or alternatives has their types.
        _ if ["enum", "oneOf", "anyOf", "$ref"].iter().any(|key| members.contains_key(*key)) => {}
        [] => {}
        kinds => {
            let alternatives = kinds.iter().map(|kind| {
                let own = members.iter().filter(|(key, value)| is_about(key, value, kind));
                let own = own.map(|(key, value)| (key.clone(), value.clone()));
                own.chain([("type".to_owned(), kind.clone())]).collect::<Value>()
            });
            let alternatives: Vec<Value> = alternatives.collect();
            members.retain(|key, value| !kinds.iter().any(|kind| is_about(key, value, kind)));
            members.insert("anyOf".to_owned(), alternatives.into());
        }
    }
}

/// Whether a keyword says something of values of this type alone.
fn is_about(key: &str, value: &Value, kind: &Value) -> bool {
    let of_number = ["int32", "int64", "float", "double"].iter().any(|format| value == format);
    let kinds: &[&str] = match key {
        "minLength" | "maxLength" | "pattern" | "contentEncoding" | "contentMediaType" => &["string"],
        "format" if !of_number => &["string"],
        "format" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            &["integer", "number"]
        }
        "items" | "prefixItems" | "minItems" | "maxItems" | "uniqueItems" => &["array"],
        "properties"
        | "required"
        | "additionalProperties"
        | "patternProperties"
        | "minProperties"
        | "maxProperties" => &["object"],
        _ => &[],
    };
    kinds.iter().any(|name| kind == name)
}

fn null_among_values(members: &mut Map<String, Value>) {
    let Some(Value::Array(values)) = members.get_mut("enum") else { return };
    if values.iter().any(Value::is_null) {
        if values.iter().any(|value| !value.is_null()) {
            values.retain(|value| !value.is_null());
        }
        members.insert("nullable".to_owned(), json!(true));
    }
}

fn null_among_alternatives(members: &mut Map<String, Value>, choice: &str) {
    let Some(Value::Array(alternatives)) = members.get_mut(choice) else { return };
    let count = alternatives.len();
    alternatives.retain(|alternative| alternative["enum"] != json!([null]));
    if alternatives.len() == count {
        return;
    }
    members.insert("nullable".to_owned(), json!(true));
    let Some(Value::Array(mut rest)) = members.remove(choice) else { return };
    match rest.pop() {
        None => drop(members.insert("enum".to_owned(), json!([null]))),
        Some(Value::Object(one))
            if rest.is_empty()
                && !one.contains_key("$ref")
                && !one.keys().any(|key| !ANNOTATIONS.contains(&key.as_str()) && members.contains_key(key)) =>
        {
            for (key, value) in one {
                members.entry(key).or_insert(value);
            }
        }
        Some(one) if rest.is_empty() => also(members, one),
        Some(last) => {
            rest.push(last);
            members.insert(choice.to_owned(), rest.into());
        }
    }
}

/// Reads what a string holds as the format that says so.
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

/// Adds what has to hold as well.
fn also(members: &mut Map<String, Value>, schema: Value) {
    if let Value::Array(parts) = members.entry("allOf").or_insert_with(|| json!([])) {
        parts.insert(0, schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schema of a 3.1 document as 3.0 says it.
    fn converted(schema: Value) -> Value {
        let mut document = json!({ "openapi": "3.1.0", "components": { "schemas": { "A": schema } } });
        let mut notes = Vec::new();
        convert("a.yaml", &mut document, &mut notes);
        assert_eq!(notes, Vec::<String>::new());
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
        convert("a.yaml", &mut document, &mut Vec::new());
        assert_eq!(document, before);
    }

    #[test]
    fn common_mistakes_are_noted_with_their_place() {
        let mut document = json!({ "openapi": "3.0.1", "components": { "schemas": { "A": { "properties": {
            "a": { "type": "string", "required": true },
            "b": { "type": "any" },
            "c": { "type": "file" },
        } } } } });
        let mut notes = Vec::new();
        convert("a.yaml", &mut document, &mut notes);
        assert_eq!(
            document["components"]["schemas"]["A"]["properties"],
            json!({ "a": { "type": "string" }, "b": {}, "c": { "type": "string", "format": "binary" } })
        );
        assert_eq!(notes.len(), 3);
        assert_eq!(
            notes.first().map(String::as_str),
            Some(
                "warning: a.yaml: at /components/schemas/A/properties/a: \
                 `required` is no list of names, and is left out"
            )
        );
    }
}
