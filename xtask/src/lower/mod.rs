//! Rewrites what the generator cannot express, or would express with loss, into what it can.
//!
//! Each pass is one function over an OpenAPI document, does one thing, and says how often it did it. A pass that has
//! nothing to do in the whole contract is an error: it may have stopped matching what it is there for.

mod all_of;
mod collections;
mod events;
mod inbound;
mod names;
mod scalars;

use anyhow::Result;
use serde_json::{Value, json};

use crate::document;

pub(crate) use events::{EVENTS, Event};
pub(crate) use names::{ENUMS, OpenEnum, pascal};
pub(crate) use scalars::{SIGNED_URL, replaced_by_url};

/// What a pass may know of the module that it works for.
pub(crate) struct Context {
    /// The module's name in `ampersand_types`.
    pub(crate) module: &'static str,
}

type Run = fn(&mut Value, &Context) -> Result<usize>;

/// The passes, in their order.
pub(crate) const PASSES: [(&str, Run); 12] = [
    ("fold_alternatives", all_of::fold_alternatives),
    ("merge_all_of", all_of::merge_all_of),
    ("split_events", events::split_events),
    ("drop_validation", inbound::drop_validation),
    ("set_defaults_aside", inbound::set_defaults_aside),
    ("inline_aliases", names::inline_aliases),
    ("signed_urls", scalars::signed_urls),
    ("timestamps", scalars::timestamps),
    ("integers", scalars::integers),
    ("opaque_values", scalars::opaque_values),
    ("name_inline_schemas", names::name_inline_schemas),
    ("optional_collections", collections::optional_collections),
];

/// A type that is written by hand, as typify takes it.
fn rust_type(path: &str, parameters: &[Value]) -> Value {
    json!({ "crate": "ampersand-types", "version": "*", "path": format!("ampersand_types::{path}"), "parameters": parameters })
}

const RUST_TYPE: &str = "x-rust-type";

/// Turns a schema into a type that is written by hand. What is said beside the type stays.
fn become_rust_type(schema: &mut Value, path: &str, parameters: &[Value]) {
    let Some(members) = schema.as_object_mut() else { return };
    members.retain(|key, _| BESIDE.contains(&key.as_str()));
    members.insert(RUST_TYPE.to_owned(), rust_type(path, parameters));
}

/// Whether a schema has become the type at this path.
pub(crate) fn is_rust_type(schema: &Value, path: &str) -> bool {
    schema[RUST_TYPE]["path"] == format!("ampersand_types::{path}")
}

/// What says something to a reader and nothing to the generator.
const DOCUMENTATION: [&str; 3] = ["description", "deprecated", "x-enum-descriptions"];

/// What is said of a value whatever its type, and beside a `$ref`.
pub(crate) const BESIDE: [&str; 5] = ["description", "deprecated", "x-enum-descriptions", "nullable", DEFAULT];

/// What an absent value means, in a lowered document.
pub(crate) const DEFAULT: &str = "x-default";

/// Calls `visit` on every schema of a document, inner ones first.
fn for_each_schema(document: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    for schema in document::schemas_mut(document).into_iter().flat_map(serde_json::Map::values_mut) {
        walk(schema, visit);
    }
}

fn walk(schema: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    for_each_child(schema, &mut |_, child| walk(child, visit));
    visit(schema);
}

/// Where a schema stands in another one.
enum Child<'a> {
    Property(&'a str),
    Item,
    MapValue,
    Part,
}

/// Calls `visit` on the schemas that stand directly in a schema.
fn for_each_child(schema: &mut Value, visit: &mut dyn FnMut(Child<'_>, &mut Value)) {
    let Some(members) = schema.as_object_mut() else { return };
    for (key, child) in members {
        match (key.as_str(), child) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    visit(Child::Property(name), property);
                }
            }
            ("items", item) => visit(Child::Item, item),
            ("additionalProperties", value @ Value::Object(_)) => visit(Child::MapValue, value),
            ("allOf" | "oneOf" | "anyOf", Value::Array(parts)) => {
                for part in parts {
                    visit(Child::Part, part);
                }
            }
            ("not", part) => visit(Child::Part, part),
            _ => {}
        }
    }
}

/// Whether a schema is an object with named fields, and so becomes a struct.
pub(crate) fn is_struct(schema: &Value) -> bool {
    schema["properties"].as_object().is_some_and(|properties| !properties.is_empty())
}

/// Whether a schema is an object whose fields' names are free and whose values have a schema.
fn is_map(schema: &Value) -> bool {
    !is_struct(schema) && schema["additionalProperties"].as_object().is_some_and(|values| !values.is_empty())
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn refers_to(schema: &Value, name: &str) -> bool {
    schema["$ref"].as_str().and_then(document::schema_name) == Some(name)
}

#[cfg(test)]
mod testing {
    use super::*;

    /// Runs a pass over one document with these schemas; the schemas after it, and how often it did something.
    pub(super) fn run(pass: Run, schemas: Value) -> (Value, usize) {
        let (document, hits) = run_document(pass, json!({ "components": { "schemas": schemas } })).expect("passes");
        (document["components"]["schemas"].clone(), hits)
    }

    pub(super) fn run_document(pass: Run, mut document: Value) -> Result<(Value, usize)> {
        let hits = pass(&mut document, &Context { module: "config" })?;
        Ok((document, hits))
    }
}
