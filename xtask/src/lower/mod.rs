//! Rewrites what the generator cannot express, or would express with loss, into what it can.
//!
//! Each pass is one function over an OpenAPI document, does one thing, and says how often it did it. A pass that has
//! nothing to do in the whole contract is an error: it may have stopped matching what it is there for.

mod all_of;
mod collections;
mod credentials;
mod direction;
mod events;
mod inbound;
mod names;
mod operations;
mod scalars;
mod together;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Value, json};

use crate::document;

pub(crate) use all_of::OTHERS;
pub(crate) use direction::{directions, reachable, references};
pub(crate) use events::{EVENTS, Event};
pub(crate) use names::{ENUMS, OpenEnum, pascal};
pub(crate) use operations::{Content, OPERATIONS, Operation, Parameter};
pub(crate) use scalars::{SIGNED_URL, replaced_by_url};
pub(crate) use together::{same, together};

/// What a pass may know of the module that it works for.
pub(crate) struct Context<'a> {
    /// The name of the document's module, or of the host whose document it is.
    pub(crate) module: &'a str,
    /// The path of the module.
    pub(crate) path: &'a str,
    /// The schemas that mean the same elsewhere, and the paths of their types; none for those that are no type there.
    pub(crate) shared: &'a BTreeMap<String, Option<String>>,
}

type Run = fn(&mut Value, &Context<'_>) -> Result<usize>;

/// A pass: its name, and what it does.
pub(crate) type Pass = (&'static str, Run);

/// The passes, in their order.
pub(crate) const PASSES: [Pass; 16] = [
    ("fold_alternatives", all_of::fold_alternatives),
    ("merge_all_of", all_of::merge_all_of),
    ("flatten_alternatives", all_of::flatten_alternatives),
    ("prune", direction::prune),
    ("share_types", together::share_types),
    ("split_events", events::split_events),
    ("drop_validation", inbound::drop_validation),
    ("set_defaults_aside", inbound::set_defaults_aside),
    ("inline_aliases", names::inline_aliases),
    ("signed_urls", scalars::signed_urls),
    ("timestamps", scalars::timestamps),
    ("credentials", credentials::credentials),
    ("opaque_values", scalars::opaque_values),
    ("name_inline_schemas", names::name_inline_schemas),
    ("integers", scalars::integers),
    ("optional_collections", collections::optional_collections),
];

/// The passes that name schemas as their types are named, and leave in them what values they allow.
const NAMING: [Run; 5] = [
    all_of::fold_alternatives,
    all_of::merge_all_of,
    all_of::flatten_alternatives,
    names::inline_aliases,
    names::name_inline_schemas,
];

/// A document whose schemas say what values they allow, under the names of their types.
pub(crate) fn named(mut document: Value) -> Result<Value> {
    let context = Context { module: "", path: "", shared: &BTreeMap::new() };
    NAMING.iter().try_for_each(|run| run(&mut document, &context).map(drop))?;
    Ok(document)
}

/// The pass that comes before them, for each document of an API; then its documents are put together.
pub(crate) const FIRST: Pass = ("list_operations", operations::list_operations);

/// A type that is there already, as typify takes it.
fn rust_type(path: &str, parameters: &[Value]) -> Value {
    let krate = path.split("::").next().unwrap_or_default().replace('_', "-");
    json!({ "crate": krate, "version": "*", "path": path, "parameters": parameters })
}

pub(crate) const RUST_TYPE: &str = "x-rust-type";

/// Turns a schema into a type that `ampersand_types` has by hand. What is said beside the type stays.
fn become_rust_type(schema: &mut Value, name: &str, parameters: &[Value]) {
    become_type_at(schema, &format!("ampersand_types::{name}"), parameters);
}

fn become_type_at(schema: &mut Value, path: &str, parameters: &[Value]) {
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

/// Of that, what overlays say in words.
const WORDS: [&str; 2] = ["description", "x-enum-descriptions"];

/// What is said of a value whatever its type, and beside a `$ref`.
pub(crate) const BESIDE: [&str; 5] = ["description", "deprecated", "x-enum-descriptions", "nullable", DEFAULT];

/// What an absent value means, in a lowered document.
pub(crate) const DEFAULT: &str = "x-default";

/// Calls `visit` on every schema of a document, inner ones first.
fn for_each_schema(document: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    for_each_schema_of(document, |_| true, visit);
}

/// Where a schema of a document stands.
enum Holder<'a> {
    Component(&'a str),
    Sent,
    Received,
}

impl Holder<'_> {
    /// Whether a client sends what stands here and never receives it; of named schemas, it is these.
    fn is_only_sent(&self, names: &BTreeSet<String>) -> bool {
        match self {
            Self::Component(name) => names.contains(*name),
            Self::Sent => true,
            Self::Received => false,
        }
    }
}

/// Calls `visit` on the schemas that stand somewhere, inner ones first.
fn for_each_schema_of(document: &mut Value, is: impl Fn(Holder<'_>) -> bool, visit: &mut dyn FnMut(&mut Value)) {
    for (name, schema) in document::schemas_mut(document).into_iter().flatten() {
        if is(Holder::Component(name)) {
            walk(schema, visit);
        }
    }
    for operation in document.get_mut(OPERATIONS).and_then(Value::as_array_mut).into_iter().flatten() {
        if is(Holder::Sent) {
            let parameters = operation["parameters"].as_array_mut().into_iter().flatten();
            parameters.for_each(|parameter| walk(&mut parameter["schema"], visit));
            operation.pointer_mut("/body/schema").into_iter().for_each(|schema| walk(schema, visit));
        }
        if is(Holder::Received) {
            operation.pointer_mut("/response/json").into_iter().for_each(|schema| walk(schema, visit));
            operation["errors"].as_object_mut().into_iter().flatten().for_each(|(_, schema)| walk(schema, visit));
        }
    }
}

fn walk(schema: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    for_each_child(schema, &mut |_, child| walk(child, visit));
    visit(schema);
}

/// A schema without what overlays say of it in words: no type depends on those.
fn wordless(schema: &Value) -> Value {
    let mut schema = schema.clone();
    walk(&mut schema, &mut |schema| {
        if let Some(members) = schema.as_object_mut() {
            members.retain(|key, _| !WORDS.contains(&key.as_str()));
        }
    });
    schema
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

    /// A document with one operation, which sends a `Sent`, and receives a `Received` or a `Problem`.
    pub(super) fn with_operation(schemas: Value) -> Value {
        let operation = json!({
            "parameters": [], "body": { "schema": reference("Sent") }, "response": { "json": reference("Received") },
            "errors": [reference("Problem")],
        });
        json!({ OPERATIONS: [operation], "components": { "schemas": schemas } })
    }

    pub(super) fn run_document(pass: Run, mut document: Value) -> Result<(Value, usize)> {
        let shared = BTreeMap::from([("Shared".to_owned(), Some("ampersand_types::config::Shared".to_owned()))]);
        let context = Context { module: "config", path: "ampersand_types::config", shared: &shared };
        let hits = pass(&mut document, &context)?;
        Ok((document, hits))
    }
}
