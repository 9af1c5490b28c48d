//! Brings published documents into canonical form: only facts that can change code, in one order.

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::keywords::{DATA, NAMED, among};

/// Keys that mean nothing to a program.
const PROSE: &str = "description summary example examples title externalDocs xml";

/// Drops what is not part of the contract, and sorts sets. The result is still an OpenAPI document, which needs a
/// title. With `words`, descriptions are part of the contract.
pub(crate) fn strip(file: &str, document: &mut Value, words: bool) {
    strip_object(document, words);
    let Some(root) = document.as_object_mut() else { return };
    if words {
        root.get_mut("tags").into_iter().for_each(|tags| strip_object(tags, words));
    } else {
        root.remove("tags");
    }
    root.insert("info".to_owned(), json!({ "title": stem(file), "version": "" }));
}

/// Returns `api` for `api/api.yaml`.
pub(crate) fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split('.').next().unwrap_or(name)
}

fn strip_object(value: &mut Value, words: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| strip_object(item, words)),
        Value::Object(members) => {
            let description = words.then(|| description(members)).flatten();
            members.retain(|key, _| !among(PROSE, key) && !key.starts_with("x-"));
            members.extend(description.map(|text| ("description".to_owned(), text)));
            for (key, child) in members.iter_mut() {
                match (key.as_str(), &mut *child) {
                    ("required" | "enum", Value::Array(set)) => sort(set),
                    (key, Value::Object(named)) if among(NAMED, key) => {
                        for child in named.values_mut() {
                            strip_object(child, words);
                            if key == "responses" {
                                describe(child);
                            }
                        }
                    }
                    (key, _) if among(DATA, key) => {}
                    _ => strip_object(child, words),
                }
            }
        }
        _ => {}
    }
}

fn description(members: &Map<String, Value>) -> Option<Value> {
    ["description", "summary"].iter().filter_map(|key| members.get(*key)).find(|text| text.is_string()).cloned()
}

/// Adds a description to a response: OpenAPI requires one there, and in no other object.
fn describe(response: &mut Value) {
    if let Some(response) = response.as_object_mut().filter(|members| !members.contains_key("$ref")) {
        response.entry("description").or_insert(json!(""));
    }
}

/// Sorts a set, and drops duplicates.
pub(crate) fn sort(set: &mut Vec<Value>) {
    set.sort_by_key(Value::to_string);
    set.dedup();
}

/// Returns the text of a contract file. Its keys are sorted, whatever the order of this build's maps.
pub(crate) fn to_text(document: &Value) -> Result<String> {
    let mut sorted = document.clone();
    sorted.sort_all_objects();
    Ok(serde_json::to_string_pretty(&sorted)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_goes_and_names_stay() {
        let mut document = json!({
            "openapi": "3.0.1",
            "info": { "title": "t", "license": {} },
            "tags": [{ "name": "T", "description": "d" }],
            "paths": { "/a": { "get": {
                "summary": "s", "tags": ["T"],
                "parameters": [{ "name": "p", "in": "query", "description": "d" }],
                "responses": { "200": { "description": "d", "content": { "application/json": { "example": 1 } } } },
            } } },
            "components": { "schemas": { "A": {
                "title": "t", "x-go-type": "any", "required": ["title", "example", "title"],
                "properties": {
                    "title": { "type": "string", "enum": ["b", "a"] },
                    "example": { "description": "d", "default": { "description": "data" } },
                },
            } } },
        });
        strip("api/api.yaml", &mut document, false);
        assert_eq!(
            document,
            json!({
                "openapi": "3.0.1",
                "info": { "title": "api", "version": "" },
                "paths": { "/a": { "get": {
                    "tags": ["T"],
                    "parameters": [{ "name": "p", "in": "query" }],
                    "responses": { "200": { "description": "", "content": { "application/json": {} } } },
                } } },
                "components": { "schemas": { "A": {
                    "required": ["example", "title"],
                    "properties": {
                        "title": { "type": "string", "enum": ["a", "b"] },
                        "example": { "default": { "description": "data" } },
                    },
                } } },
            })
        );
    }

    #[test]
    fn words_are_kept_where_they_are_wanted() {
        let mut document = json!({
            "tags": [{ "name": "T", "description": "d", "x-a": 1 }],
            "paths": { "/a": { "get": { "summary": "s", "responses": { "200": { "description": "d" }, "404": {} } } } },
            "components": { "schemas": { "A": {
                "title": "t", "summary": "s", "description": "d", "example": 1, "properties": { "summary": {} },
            } } },
        });
        strip("a.yaml", &mut document, true);
        assert_eq!(
            document,
            json!({
                "info": { "title": "a", "version": "" },
                "tags": [{ "name": "T", "description": "d" }],
                "paths": { "/a": { "get": {
                    "description": "s", "responses": { "200": { "description": "d" }, "404": { "description": "" } },
                } } },
                "components": { "schemas": { "A": { "description": "d", "properties": { "summary": {} } } } },
            })
        );
    }

    #[test]
    fn text_does_not_depend_on_order() -> Result<()> {
        let text = to_text(&json!({ "b": [{ "d": 1, "c": 2 }], "a": null }))?;
        assert_eq!(text, "{\n  \"a\": null,\n  \"b\": [\n    {\n      \"c\": 2,\n      \"d\": 1\n    }\n  ]\n}\n");
        Ok(())
    }
}
