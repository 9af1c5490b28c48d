//! Reads an OpenAPI document as a JSON value, checks it, and finds its schemas and references.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Map, Value};

use crate::dialect;
use crate::keywords::{DATA, NAMED, among};

/// Keywords by which a schema refuses values of its type.
pub(crate) const BOUNDS: &str = "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength \
    pattern minItems maxItems uniqueItems minProperties maxProperties";

/// Reads an OpenAPI document, 3.0 or 3.1, and converts it into 3.0.
pub(crate) fn read(file: &str, text: &[u8]) -> Result<Value> {
    let mut document = parse(file, text)?;
    check_version(file, &document)?;
    dialect::convert(&mut document);
    check_structure(file, &document)?;
    Ok(document)
}

/// Reads YAML or JSON, and refuses duplicate keys.
pub(crate) fn parse(file: &str, text: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(text).with_context(|| format!("{file}: not UTF-8"))?;
    let mut document: Value = yaml(file, &printable(text))?;
    if let Some(version) = document.get_mut("openapi").filter(|version| version.is_number()) {
        *version = version.to_string().into();
    }
    Ok(document)
}

/// Escapes the characters that JSON allows in a string, but which the reader of YAML refuses.
fn printable(text: &str) -> Cow<'_, str> {
    let is_odd = |char: &char| matches!(char, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    let odd: BTreeSet<char> = text.chars().filter(is_odd).collect();
    let json = text.trim_start_matches('\u{feff}');
    if odd.is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(json).is_err() {
        return text.into();
    }
    let escape = |text: String, char: &char| text.replace(*char, &format!("\\u{:04x}", u32::from(*char)));
    odd.iter().fold(text.to_owned(), escape).into()
}

pub(crate) fn check_version(file: &str, document: &Value) -> Result<()> {
    let Some(version) = document.get("openapi").and_then(Value::as_str) else {
        bail!("{file}: at /openapi: not an OpenAPI document, which says `openapi: 3.0.x` or `openapi: 3.1.x`");
    };
    match version.split('.').collect::<Vec<_>>()[..] {
        ["3", "0" | "1", ..] => Ok(()),
        _ => bail!("{file}: at /openapi: version {version}, where 3.0 or 3.1 is expected"),
    }
}

/// Reads YAML 1.2, in which `no`, `on` and `y` are strings.
pub(crate) fn yaml<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T> {
    // The most that the largest file which `fetch` reads can hold.
    let budget = serde_saphyr::budget! {
        max_nodes: 20_000_000,
        max_events: 40_000_000,
        max_depth: 128,
        enforce_alias_anchor_ratio: false,
    };
    let options = serde_saphyr::options! { strict_booleans: true, emit_comments: false, budget: budget };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        // This advice is for programs that call the parser.
        let error = error.to_string().replace(", set DuplicateKeyPolicy in Options if acceptable", "");
        anyhow!("{file}: {error}")
    })
}

/// Refuses components that no reader of OpenAPI could understand, before anything uses them.
pub(crate) fn check_structure(file: &str, document: &Value) -> Result<()> {
    let Some(components) = document.get("components") else { return Ok(()) };
    let sections = object(file, "/components", components)?;
    for (section, named) in sections.iter().filter(|(section, _)| !section.starts_with("x-")) {
        let place = format!("/components/{section}");
        for (name, component) in object(file, &place, named)? {
            let place = format!("{place}/{name}");
            object(file, &place, component)?;
            if section == "schemas" {
                check_schema(file, &place, component)?;
            }
        }
    }
    check_aliases(file, document)
}

/// Refuses schemas that are aliases of each other, and so describe nothing.
pub(crate) fn check_aliases(file: &str, document: &Value) -> Result<()> {
    let aliases =
        schemas(document).filter_map(|(name, schema)| Some((name.as_str(), schema_name(schema["$ref"].as_str()?)?)));
    let aliases: BTreeMap<&str, &str> = aliases.collect();
    for start in aliases.keys() {
        let end = std::iter::successors(aliases.get(start), |name| aliases.get(*name)).take(aliases.len());
        if end.into_iter().any(|name| name == start) {
            bail!("{file}: at /components/schemas/{start}: refers to itself and to nothing else");
        }
    }
    Ok(())
}

fn check_schema(file: &str, place: &str, schema: &Value) -> Result<()> {
    const TYPES: &str = "array boolean integer number object string";
    let members = object(file, place, schema)?;
    for (key, child) in members {
        let place = format!("{place}/{key}");
        match key.as_str() {
            "$ref" if !child.is_string() => bail!("{file}: at {place}: a reference is a string"),
            "type" if !child.as_str().is_some_and(|kind| among(TYPES, kind)) => {
                bail!(
                    "{file}: at {place}: {child} is none of the types of OpenAPI 3.0, which are {}",
                    TYPES.replace(' ', ", ")
                )
            }
            "required" if !child.as_array().is_some_and(|names| names.iter().all(Value::is_string)) => {
                bail!("{file}: at {place}: a list of names is expected")
            }
            "properties" => {
                for (name, property) in object(file, &place, child)? {
                    check_schema(file, &format!("{place}/{name}"), property)?;
                }
            }
            "items" | "not" => check_schema(file, &place, child)?,
            "additionalProperties" if !child.is_boolean() => check_schema(file, &place, child)?,
            "allOf" | "oneOf" | "anyOf" => {
                let Some(parts) = child.as_array() else { bail!("{file}: at {place}: a list of schemas is expected") };
                for (index, part) in parts.iter().enumerate() {
                    check_schema(file, &format!("{place}/{index}"), part)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn object<'a>(file: &str, place: &str, value: &'a Value) -> Result<&'a Map<String, Value>> {
    value.as_object().with_context(|| format!("{file}: at {place}: an object is expected"))
}

/// Returns the schemas of a document; empty if it has none.
pub(crate) fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
}

/// Returns the place (a JSON pointer) and the text of every `$ref`.
pub(crate) fn refs(value: &Value) -> Vec<(String, &str)> {
    let mut found = texts(value, String::new());
    found.retain(|(place, _)| place.ends_with("/$ref"));
    found
}

/// Returns the names of the schemas that a value refers to.
pub(crate) fn referred(value: &Value) -> Vec<&str> {
    refs(value).into_iter().filter_map(|(_, target)| schema_name(target)).collect()
}

/// Returns the place and the text of every string in the value at a place.
fn texts(value: &Value, place: String) -> Vec<(String, &str)> {
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(key, child)| texts(child, format!("{place}/{}", step(key)))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, child)| texts(child, format!("{place}/{index}"))).collect()
        }
        Value::String(text) => vec![(place, text)],
        _ => Vec::new(),
    }
}

/// Returns the references of a published document: the place, the text and the keyword of each.
pub(crate) fn published_refs(document: &Value) -> Vec<(String, String, String)> {
    const FILES: [&str; 3] = [".json", ".yaml", ".yml"];
    let reference = |(place, text): (String, &str)| {
        let mut holders = place.rsplit('/').skip(1);
        let is_mapped = (holders.next(), holders.next()) == (Some("mapping"), Some("discriminator"))
            && (text.contains(['#', '/']) || FILES.iter().any(|end| text.ends_with(end)));
        let keyword = if is_mapped { Some("mapping") } else { keyword(&place).filter(|_| place.ends_with("/$ref")) };
        let keyword = keyword?.to_owned();
        Some((place, text.to_owned(), keyword))
    };
    texts(document, String::new()).into_iter().filter_map(reference).collect()
}

/// Returns the keyword that holds a place in a published document; `None` in data, where a `$ref` is not a reference.
fn keyword(place: &str) -> Option<&str> {
    let (mut keyword, mut is_name) = ("", false);
    for key in place.split('/').skip(1).filter(|key| *key != "$ref") {
        if std::mem::take(&mut is_name) {
            continue;
        }
        if among(DATA, key) {
            return None;
        }
        (keyword, is_name) = (key, among(NAMED, key));
    }
    Some(keyword)
}

/// Refuses a document with a reference to another file, or to a value that it does not have.
pub(crate) fn check_refs(file: &str, document: &Value) -> Result<()> {
    for (place, target) in refs(document).into_iter().filter(|(place, _)| keyword(place).is_some()) {
        match target.strip_prefix('#').map(|pointer| document.pointer(&unescaped(pointer))) {
            Some(Some(_)) => {}
            Some(None) => bail!("{file}: at {place}: `{target}` refers to nothing"),
            None => bail!("{file}: at {place}: `{target}` refers to another file, which `fetch` would have brought in"),
        }
    }
    Ok(())
}

/// Decodes the URL escapes of a JSON pointer.
pub(crate) fn unescaped(pointer: &str) -> String {
    percent_encoding::percent_decode_str(pointer).decode_utf8_lossy().into_owned()
}

/// Returns a key as a step of a JSON pointer.
pub(crate) fn step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Returns the key that a step of a JSON pointer stands for.
pub(crate) fn key(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// Replaces the value at a place by a text, if there is one.
pub(crate) fn set(value: &mut Value, place: &str, text: String) {
    if let Some(old) = value.pointer_mut(place) {
        *old = text.into();
    }
}

/// Refuses references to a place inside a schema, which has no type.
pub(crate) fn check_schema_refs(file: &str, document: &Value) -> Result<()> {
    let is_inner = |(place, target): &(String, &str)| {
        place.starts_with("/components/schemas/") && keyword(place).is_some() && schema_name(target).is_none()
    };
    match refs(document).into_iter().find(is_inner) {
        Some((place, target)) => bail!("{file}: at {place}: `{target}` is no schema of its own, so has no type"),
        None => Ok(()),
    }
}

/// Returns the name of the schema that a `$ref` leads to.
pub(crate) fn schema_name(reference: &str) -> Option<&str> {
    let name = reference.strip_prefix("#/components/schemas/")?;
    (!name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn error(text: &str) -> String {
        format!("{:#}", read("a.yaml", text.as_bytes()).expect_err(text))
    }

    #[test]
    fn a_document_that_is_not_openapi_3_is_refused() {
        assert_eq!(error("openapi: 4.0.0"), "a.yaml: at /openapi: version 4.0.0, where 3.0 or 3.1 is expected");
        assert_eq!(error("openapi: 3.10.0"), "a.yaml: at /openapi: version 3.10.0, where 3.0 or 3.1 is expected");
        assert!(error("swagger: '2.0'").starts_with("a.yaml: at /openapi: not an OpenAPI document"));
        assert!(error("just text").starts_with("a.yaml: at /openapi: not an OpenAPI document"));
    }

    #[test]
    fn syntax_errors_and_repeated_keys_name_line_and_column() {
        assert!(error("openapi: 3.0.1\n  a: [").contains("a.yaml: error: line 2"));
        let twice = error("openapi: 3.0.1\ncomponents:\n  schemas:\n    A: {}\n    A: {}\n");
        assert!(twice.contains("line 5 column 5: duplicate mapping key: A"), "{twice}");
    }

    #[test]
    fn response_codes_become_text() {
        let document = read("a.yaml", b"openapi: 3.0.1\npaths: {200: {x: 1}}").expect("reads");
        assert_eq!(document, json!({"openapi": "3.0.1", "paths": {"200": {"x": 1}}}));
    }

    #[test]
    fn a_document_may_be_long() {
        let text = format!("{{\"openapi\": \"3.0.1\", \"x\": [{}0]}}", "0, ".repeat(300_000));
        assert_eq!(read("a.json", text.as_bytes()).expect("reads")["x"].as_array().map(Vec::len), Some(300_001));
    }

    #[test]
    fn a_string_in_json_may_hold_what_yaml_refuses() {
        let text = "{\"openapi\": \"3.0.1\", \"x\": \"\u{7f}\u{80}\u{9f}\u{85}\u{ffff}\\ud83d\\ude00\"}";
        assert_eq!(read("a.json", text.as_bytes()).expect("reads")["x"], "\u{7f}\u{80}\u{9f}\u{85}\u{ffff}\u{1f600}");
        assert!(read("a.json", format!("\u{feff}{text}").as_bytes()).is_ok());
        assert!(error("{ openapi: 3.0.1, x: 'a\u{7f}' }").contains("unexpected character"));
    }

    #[test]
    fn words_that_were_booleans_once_are_text() {
        let document = read("a.yaml", b"openapi: 3.0.1\nx: [y, no, on, Off, true]").expect("reads");
        assert_eq!(document["x"], json!(["y", "no", "on", "Off", true]));
    }

    #[test]
    fn comments_may_be_as_long_as_they_like() {
        let text = format!("openapi: 3.0.1\n{}info: {{}} # and here\n", "# some words\n".repeat(1000));
        assert_eq!(read("a.yaml", text.as_bytes()).expect("reads"), json!({"openapi": "3.0.1", "info": {}}));
    }

    #[test]
    fn what_is_no_schema_is_refused_with_its_place() {
        for (components, message) in [
            ("[]", "a.yaml: at /components: an object is expected"),
            ("{schemas: }", "a.yaml: at /components/schemas: an object is expected"),
            ("{schemas: {A: text}}", "a.yaml: at /components/schemas/A: an object is expected"),
            ("{schemas: {A: {properties: [a]}}}", "a.yaml: at /components/schemas/A/properties: an object is expected"),
            (
                "{schemas: {A: {properties: {b: }}}}",
                "a.yaml: at /components/schemas/A/properties/b: an object is expected",
            ),
            (
                "{schemas: {A: {items: {type: strng}}}}",
                "a.yaml: at /components/schemas/A/items/type: \"strng\" is none of the types",
            ),
            (
                "{schemas: {A: {required: [1]}}}",
                "a.yaml: at /components/schemas/A/required: a list of names is expected",
            ),
            ("{schemas: {A: {$ref: 5}}}", "a.yaml: at /components/schemas/A/$ref: a reference is a string"),
            (
                "{schemas: {A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}}}",
                "a.yaml: at /components/schemas/A: refers to itself and to nothing else",
            ),
        ] {
            let error = error(&format!("openapi: 3.0.1\ncomponents: {components}"));
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn odd_yaml_is_read() {
        for (text, rest) in [
            (
                "openapi: 3.0\nx: {on: 1, yes: 2, 200: 3, true: 4, 1.5: 5}",
                json!({"x": {"on": 1, "yes": 2, "200": 3, "true": 4, "1.5": 5}}),
            ),
            ("\u{feff}openapi: '3.0'\nx: 1", json!({"x": 1})),
            (
                "openapi: 3.0\nx: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: *x",
                json!({"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}, "z": {"a": 1, "b": 2}}),
            ),
            ("{\n\t\"openapi\":\t\"3.0\",\n\t\"x\": \"a\\/b\"\n}\n", json!({"x": "a/b"})),
            ("---\nopenapi: 3.0\nx: 2020-01-01\ncomponents: {}\n", json!({"x": "2020-01-01", "components": {}})),
        ] {
            let mut document = read("a.yaml", text.as_bytes()).expect(text);
            assert_eq!(document.as_object_mut().and_then(|root| root.remove("openapi")), Some(json!("3.0")), "{text}");
            assert_eq!(document, rest);
        }
        assert!(
            error("{\"openapi\": \"3.0.1\",\n\"a\": 1,\n\"a\": 2}")
                .contains("line 3 column 1: duplicate mapping key: a")
        );
    }

    #[test]
    fn a_document_of_3_1_is_handed_on_as_one_of_3_0() {
        let document = read(
            "a.yaml",
            b"openapi: 3.1.0\njsonSchemaDialect: https://example.com\nwebhooks: {title: {post: {requestBody: {content: {a/b: {schema: {type: [string, 'null']}}}}}}}",
        );
        assert_eq!(
            document.expect("reads"),
            json!({"openapi": "3.0.3", "webhooks": {"title": {"post": {"requestBody": {
                "content": {"a/b": {"schema": {"type": "string", "nullable": true}}},
            }}}}})
        );
    }

    #[test]
    fn data_has_no_references() {
        for (place, expected) in [
            ("/paths/~1a/get/parameters/0/$ref", Some("parameters")),
            ("/components/schemas/A/properties/default/$ref", Some("properties")),
            ("/components/schemas/default/default/a/$ref", None),
            ("/components/schemas/A/enum/0/$ref", None),
            ("/components/schemas/A/properties/example/example/$ref", None),
        ] {
            assert_eq!(keyword(place), expected, "{place}");
        }
        let property = json!({"properties": {"$ref": {"type": "string"}}, "default": {"$ref": "#/nowhere"}});
        let document = json!({"components": {"schemas": {"A": property}}});
        check_structure("a.yaml", &document).and_then(|()| check_refs("a.yaml", &document)).expect("no reference");
    }

    #[test]
    fn escapes_of_urls_are_read() {
        assert_eq!(unescaped("/components/schemas/A%20b~1c%2"), "/components/schemas/A b~1c%2");
    }

    #[test]
    fn dangling_references_name_their_place() {
        let document = json!({"components": {"schemas": {"A": {"items": {"$ref": "#/components/schemas/B"}}}}});
        let error = check_refs("a.json", &document).expect_err("dangling");
        assert_eq!(
            error.to_string(),
            "a.json: at /components/schemas/A/items/$ref: `#/components/schemas/B` refers to nothing"
        );
    }
}
