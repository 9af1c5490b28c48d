use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::direction::references;
use super::{Context, OPERATIONS, become_type_at, for_each_schema, pascal, reference, refers_to, wordless};
use crate::document;

/// One document of several, each of which has operations. A schema that two define differently is qualified by the
/// document that comes later. Of a schema that they share, the first one's words are kept.
pub(crate) fn together(documents: Vec<(&str, Value)>) -> Value {
    let differing = differing(&documents);
    let mut together = json!({ "openapi": "3.0.3", "info": { "title": "client", "version": "" } });
    let (mut schemas, mut operations) = (Map::new(), Vec::new());
    for (host, mut document) in documents {
        let qualified: Vec<String> =
            differing.iter().filter(|name| schemas.contains_key(*name)).map(|name| (*name).clone()).collect();
        for name in &qualified {
            rename(&mut document, name, &format!("{}{name}", pascal(host)));
        }
        if let Some(Value::Object(own)) = document.pointer_mut("/components/schemas").map(Value::take) {
            for (name, schema) in own {
                schemas.entry(name).or_insert(schema);
            }
        }
        if let Some(Value::Array(own)) = document.get_mut(OPERATIONS).map(Value::take) {
            operations.extend(own);
        }
        if let Some(Value::Array(tags)) = document.get_mut("tags").map(Value::take) {
            let known = together.as_object_mut().map(|members| members.entry("tags").or_insert_with(|| json!([])));
            known.and_then(Value::as_array_mut).into_iter().for_each(|known| known.extend(tags.iter().cloned()));
        }
    }
    together["components"] = json!({ "schemas": schemas });
    together[OPERATIONS] = operations.into();
    together
}

/// The names that do not mean the same everywhere: their text differs, or that of what they refer to. Words do not count.
fn differing(documents: &[(&str, Value)]) -> BTreeSet<String> {
    let schemas = documents.iter().flat_map(|(_, document)| document::schemas(document));
    let schemas: Vec<(&String, Value)> = schemas.map(|(name, schema)| (name, wordless(schema))).collect();
    let mut differing = BTreeSet::new();
    loop {
        let known = differing.len();
        let mut first: BTreeMap<&String, &Value> = BTreeMap::new();
        for &(name, ref schema) in &schemas {
            match first.get(name) {
                None => drop(first.insert(name, schema)),
                Some(other) if *other != schema || references(schema).iter().any(|name| differing.contains(name)) => {
                    differing.insert(name.clone());
                }
                Some(_) => {}
            }
        }
        if differing.len() == known {
            return differing;
        }
    }
}

fn rename(document: &mut Value, name: &str, to: &str) {
    fn refer(value: &mut Value, name: &str, to: &str) {
        if refers_to(value, name) {
            value["$ref"] = reference(to)["$ref"].clone();
        }
        match value {
            Value::Object(members) => members.values_mut().for_each(|child| refer(child, name, to)),
            Value::Array(items) => items.iter_mut().for_each(|child| refer(child, name, to)),
            _ => {}
        }
    }
    refer(document, name, to);
    if let Some(schemas) = document::schemas_mut(document)
        && let Some(schema) = schemas.remove(name)
    {
        schemas.insert(to.to_owned(), schema);
    }
}

/// Takes a type from `ampersand_types` where that has the same schema: a configuration is one type, whether it comes with
/// an event or is sent by a caller.
pub(super) fn share_types(document: &mut Value, context: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    for (name, path) in context.shared.iter().filter_map(|(name, path)| Some((name, path.as_ref()?))) {
        let known = document::schemas_mut(document).and_then(|schemas| schemas.remove(name));
        hits += usize::from(known.is_some());
        for_each_schema(document, &mut |schema| {
            if refers_to(schema, name) {
                become_type_at(schema, path, &[]);
            }
        });
    }
    Ok(hits)
}

/// Of the schemas of an API, those that mean the same in another document.
pub(crate) fn same(document: &Value, other: &Value) -> BTreeSet<String> {
    let documents = [("", document.clone()), ("", other.clone())];
    let differing = differing(&documents);
    let theirs = document::schemas(other).map(|(name, _)| name);
    theirs
        .filter(|name| !differing.contains(*name) && document["components"]["schemas"].get(name).is_some())
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing::{run_document, with_operation};

    fn reference_to(name: &str) -> Value {
        json!({ "schema": reference(name) })
    }

    #[test]
    fn types_that_are_there_are_used() -> Result<()> {
        let schemas = json!({ "Received": { "properties": { "a": reference("Shared") } }, "Shared": {} });
        let (document, hits) = run_document(share_types, with_operation(schemas))?;
        let schemas = &document["components"]["schemas"];
        let path = &schemas["Received"]["properties"]["a"]["x-rust-type"]["path"];
        assert_eq!(path, "ampersand_types::config::Shared");
        assert!(schemas.get("Shared").is_none());
        assert_eq!(hits, 1);
        Ok(())
    }

    #[test]
    fn what_two_documents_define_differently_is_qualified_by_the_later_one() {
        let document = |kind: &str| {
            json!({
                OPERATIONS: [{ "body": reference_to("Holder") }],
                "components": { "schemas": {
                    "Holder": { "items": reference("Thing") }, "Thing": { "type": kind }, "Same": { "type": "string" },
                } },
            })
        };
        let document = together(vec![("api", document("string")), ("read", document("boolean"))]);
        let schemas: Vec<&String> = document::schemas(&document).map(|(name, _)| name).collect();
        assert_eq!(schemas, ["Holder", "ReadHolder", "ReadThing", "Same", "Thing"]);
        assert_eq!(document["components"]["schemas"]["ReadHolder"]["items"], reference("ReadThing"));
        assert_eq!(document[OPERATIONS][1]["body"], reference_to("ReadHolder"));
    }

    #[test]
    fn a_schema_that_is_described_once_is_described_for_all() {
        let document = |schema: Value| json!({ "components": { "schemas": { "Problem": schema } } });
        let described = json!({ "description": "Words.", "properties": { "description": { "description": "More." } } });
        let bare = json!({ "properties": { "description": {} } });
        let document = together(vec![("api", document(described.clone())), ("read", document(bare))]);
        assert_eq!(document["components"]["schemas"], json!({ "Problem": described }));
    }

    #[test]
    fn the_same_is_what_leads_to_the_same() {
        let document = |kind: &str| {
            json!({ "components": { "schemas": {
                "Holder": { "items": reference("Thing") }, "Thing": { "type": kind }, "Same": { "type": "string" },
            } } })
        };
        assert_eq!(same(&document("string"), &document("boolean")), BTreeSet::from(["Same".to_owned()]));
    }
}
