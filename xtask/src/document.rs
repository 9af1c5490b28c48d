//! One OpenAPI document as a JSON value: reading it, and finding its way around in it.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

/// Reads YAML or JSON, and refuses what is not an OpenAPI 3.0 document or says a key twice.
pub(crate) fn read(file: &str, text: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(text).with_context(|| format!("{file}: not UTF-8"))?;
    let document: Value = match serde_saphyr::from_str(text) {
        Ok(document) => document,
        Err(error) => bail!("{file}: {error}"),
    };
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version == "3.0" || version.starts_with("3.0.") => Ok(document),
        Some(version) => bail!("{file}: at /openapi: version {version}, where 3.0 is expected"),
        None => bail!("{file}: at /openapi: not an OpenAPI document, which says `openapi: 3.0.x`"),
    }
}

/// The schemas of a document; empty where it has none.
pub(crate) fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
}

/// The schemas of a document, to be changed.
pub(crate) fn schemas_mut(document: &mut Value) -> Option<&mut Map<String, Value>> {
    document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
}

/// Calls `visit` with the place (a JSON pointer) and the text of every `$ref`.
pub(crate) fn for_each_ref<'a>(value: &'a Value, visit: &mut dyn FnMut(&str, &'a str) -> Result<()>) -> Result<()> {
    fn walk<'a>(
        value: &'a Value,
        place: &mut String,
        visit: &mut dyn FnMut(&str, &'a str) -> Result<()>,
    ) -> Result<()> {
        let mut step = |key: &str, child: &'a Value| {
            let length = place.len();
            place.push('/');
            place.push_str(&key.replace('~', "~0").replace('/', "~1"));
            let result = match child {
                Value::String(target) if key == "$ref" => visit(place, target),
                child => walk(child, place, visit),
            };
            place.truncate(length);
            result
        };
        match value {
            Value::Object(members) => members.iter().try_for_each(|(key, child)| step(key, child)),
            Value::Array(items) => {
                let mut numbered = items.iter().enumerate();
                numbered.try_for_each(|(index, child)| step(&index.to_string(), child))
            }
            _ => Ok(()),
        }
    }
    walk(value, &mut String::new(), visit)
}

/// Refuses a document that refers to what it does not have, or to another file.
pub(crate) fn check_refs(file: &str, document: &Value) -> Result<()> {
    for_each_ref(document, &mut |place, target| {
        let found = target.strip_prefix('#').map(|pointer| document.pointer(pointer));
        match found {
            Some(Some(_)) => Ok(()),
            Some(None) => bail!("{file}: at {place}: `{target}` refers to nothing"),
            None => bail!("{file}: at {place}: `{target}` refers to another file, which `fetch` would have brought in"),
        }
    })
}

/// The name of the schema that a `$ref` stands for.
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
    fn a_document_that_is_not_openapi_3_0_is_refused() {
        assert_eq!(error("openapi: 3.1.0"), "a.yaml: at /openapi: version 3.1.0, where 3.0 is expected");
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
    fn dangling_references_name_their_place() {
        let document = json!({"components": {"schemas": {"A": {"items": {"$ref": "#/components/schemas/B"}}}}});
        let error = check_refs("a.json", &document).expect_err("dangling");
        assert_eq!(
            error.to_string(),
            "a.json: at /components/schemas/A/items/$ref: `#/components/schemas/B` refers to nothing"
        );
    }
}
