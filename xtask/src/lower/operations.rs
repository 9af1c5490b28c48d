use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Context, is_struct, pascal, reference, refers_to, walk};
use crate::document;

/// Where the operations are kept in a lowered document.
pub(crate) const OPERATIONS: &str = "x-operations";

/// What an overlay says of an operation that may be sent again though its method does not promise it.
pub(crate) const IDEMPOTENT: &str = "x-idempotent";

/// One call that an API offers.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) tag: Option<String>,
    /// The name of the document, which has a host of its own.
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) description: Option<String>,
    /// Its page in the public reference.
    pub(crate) page: Option<String>,
    pub(crate) deprecated: bool,
    pub(crate) idempotent: bool,
    /// The security schemes of which it takes one; none where anyone may call it.
    pub(crate) security: Vec<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) response: Content,
    /// What it may answer instead.
    pub(crate) errors: Vec<Value>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// `path`, `query` or `header`.
    #[serde(rename = "in")]
    pub(crate) place: String,
    pub(crate) required: bool,
    pub(crate) description: Option<String>,
    pub(crate) schema: Value,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) schema: Value,
}

/// What a response holds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Content {
    Empty,
    Text,
    Json(Value),
}

/// Takes the operations out of the paths, into a list that says of each what a caller has to know: of its responses the one
/// of success and the shapes of the others. Schemas that stand in an operation become named ones: `CreateTopicRequest`,
/// `CreateTopicResponse`.
///
/// progenitor asserts that there is one type of success and one of error, and makes errors of `default` and of
/// `application/problem+json` that lose the status. The client reads every error in one place, by hand.
pub(super) fn list_operations(document: &mut Value, context: &Context<'_>) -> Result<usize> {
    let Some(paths) = document.as_object_mut().and_then(|members| members.remove("paths")) else { return Ok(0) };
    let mut operations = Vec::new();
    let mut named = Map::new();
    for (path, item) in paths.as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if ["get", "put", "post", "patch", "delete"].contains(&method.as_str()) {
                let place = format!("{} {path}", method.to_uppercase());
                let found = self::operation(document, context.module, (path, item), (method, operation), &mut named);
                operations.push(found.with_context(|| place)?);
            }
        }
    }
    let hits = operations.len();
    if hits > 0 {
        document[OPERATIONS] = serde_json::to_value(operations)?;
    }
    for (name, schema) in named {
        let schemas = &mut document["components"]["schemas"];
        if schemas.get(&name).is_some() {
            bail!("an operation would name a schema `{name}`, which there is already");
        }
        schemas[name] = schema;
    }
    Ok(hits)
}

fn operation(
    document: &Value,
    host: &str,
    (path, item): (&str, &Value),
    (method, operation): (&str, &Value),
    named: &mut Map<String, Value>,
) -> Result<Operation> {
    let id = operation["operationId"].as_str().context("has no operationId")?;
    let mut parameters = BTreeMap::new();
    for list in [&item["parameters"], &operation["parameters"]] {
        for parameter in list.as_array().into_iter().flatten() {
            let parameter = pointed(document, parameter);
            let name = parameter["name"].as_str().context("a parameter has no name")?;
            let schema = name_inline(&parameter["schema"], &format!("{}{}", pascal(id), pascal(name)), named);
            let place = parameter["in"].as_str().unwrap_or_default().to_owned();
            let required = parameter["required"] == true;
            let description = parameter["description"].as_str().map(str::to_owned);
            let parameter = Parameter { name: name.to_owned(), place, required, description, schema };
            parameters.insert(name.to_owned(), parameter);
        }
    }
    let body = match operation.get("requestBody").map(|body| pointed(document, body)) {
        None => None,
        Some(body) => {
            let Content::Json(schema) = content(body)? else { bail!("its body is not JSON") };
            let schema = name_inline(&schema, &format!("{}Request", pascal(id)), named);
            Some(Body { required: body["required"] == true, schema })
        }
    };
    let responses = operation["responses"].as_object().into_iter().flatten();
    let (succeeded, failed): (Vec<_>, Vec<_>) = responses
        .map(|(status, response)| (status, pointed(document, response)))
        .partition(|(status, _)| status.starts_with('2'));
    let mut response = Content::Empty;
    for (_, success) in succeeded {
        match (content(success)?, &response) {
            (Content::Empty, _) => {}
            (Content::Json(schema), _) => {
                response = Content::Json(name_inline(&schema, &format!("{}Response", pascal(id)), named));
            }
            (text, Content::Empty) => response = text,
            _ => {}
        }
    }
    let mut errors = Vec::new();
    for (status, failure) in failed {
        if let Ok(Content::Json(schema)) = content(failure) {
            errors.push(name_inline(&schema, &format!("{}Response{}", pascal(id), pascal(status)), named));
        }
    }
    let security = operation.get("security").unwrap_or(&document["security"]);
    let schemes = security.as_array().into_iter().flatten().filter_map(Value::as_object).flat_map(Map::keys);
    Ok(Operation {
        id: id.to_owned(),
        tag: operation["tags"][0].as_str().map(str::to_owned),
        host: host.to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        description: operation["description"].as_str().map(str::to_owned),
        page: operation["externalDocs"]["url"].as_str().map(str::to_owned),
        deprecated: operation["deprecated"] == true,
        idempotent: ["get", "put", "delete"].contains(&method) || operation[IDEMPOTENT] == true,
        security: schemes.cloned().collect(),
        parameters: parameters.into_values().collect(),
        body,
        response,
        errors,
    })
}

/// What a `$ref` outside of schemas points to.
fn pointed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.and_then(|pointer| document.pointer(&document::unescaped(pointer))).unwrap_or(value)
}

fn content(holder: &Value) -> Result<Content> {
    let types = || holder["content"].as_object().into_iter().flatten();
    let json = types().find(|(name, _)| {
        let name = name.split(';').next().unwrap_or_default().trim();
        name == "application/json" || name.ends_with("+json")
    });
    match json {
        Some((_, media)) => Ok(Content::Json(media["schema"].clone())),
        None if types().next().is_none() => Ok(Content::Empty),
        None if types().any(|(name, _)| name.starts_with("text/")) => Ok(Content::Text),
        None => bail!("its content is neither JSON nor text"),
    }
}

/// Makes a named schema of one that stands in an operation, or of what the list that stands there holds.
fn name_inline(schema: &Value, name: &str, named: &mut Map<String, Value>) -> Value {
    let mut outside = schema.clone();
    if outside.get("items").is_some() {
        outside["items"] = name_inline(&schema["items"], &format!("{name}Item"), named);
        return outside;
    }
    let is_plain = schema.get("enum").is_none()
        && (schema.get("$ref").is_some()
            || ["string", "boolean", "integer"].iter().any(|kind| schema["type"] == *kind));
    if is_plain {
        return outside;
    }
    // The same shape in an answer of another status is the same.
    named.insert(name.to_owned(), outside);
    reference(name)
}

/// One document of several, each of which has operations. A schema that two define differently is qualified by the
/// document that comes later.
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
            schemas.extend(own);
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

/// The names that do not mean the same everywhere: their text differs, or that of what they refer to.
fn differing(documents: &[(&str, Value)]) -> BTreeSet<String> {
    let mut differing = BTreeSet::new();
    loop {
        let known = differing.len();
        let mut first: BTreeMap<&String, &Value> = BTreeMap::new();
        for (name, schema) in documents.iter().flat_map(|(_, document)| document::schemas(document)) {
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

/// The names of the schemas that a value refers to.
pub(crate) fn references(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let _ = document::for_each_ref(value, &mut |_, target| {
        names.extend(document::schema_name(target).map(str::to_owned));
        Ok(())
    });
    names
}

/// The names of the schemas that values lead to.
fn reachable<'a>(document: &Value, from: impl Iterator<Item = &'a Value>) -> BTreeSet<String> {
    let mut next: Vec<String> = from.flat_map(references).collect();
    let mut found = BTreeSet::new();
    while let Some(name) = next.pop() {
        if found.insert(name.clone()) {
            next.extend(references(&document["components"]["schemas"][&name]));
        }
    }
    found
}

/// The names of the schemas that a client sends, and of those that it receives. One can be both.
pub(crate) fn directions(document: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let operations = || document[OPERATIONS].as_array().into_iter().flatten();
    let sent = operations().flat_map(|operation| [&operation["parameters"], &operation["body"]]);
    let received = operations().flat_map(|operation| [&operation["response"], &operation["errors"]]);
    (reachable(document, sent), reachable(document, received))
}

/// The names of the schemas that a client sends and never receives.
pub(super) fn only_sent(document: &Value) -> BTreeSet<String> {
    let (sent, received) = directions(document);
    sent.difference(&received).cloned().collect()
}

/// Drops the schemas of an API that no operation leads to: no one could come by them.
pub(super) fn prune(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    if document.get(OPERATIONS).is_none() {
        return Ok(0);
    }
    let (sent, received) = directions(document);
    let Some(schemas) = document::schemas_mut(document) else { return Ok(0) };
    let before = schemas.len();
    schemas.retain(|name, _| sent.contains(name) || received.contains(name));
    Ok(before - schemas.len())
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
                hits += super::all_of::fold(schema, &before);
            }
        });
    }
    Ok(hits)
}

/// Takes a type from `ampersand_types` where that has the same schema: a configuration is one type, whether it comes with
/// an event or is sent by a caller.
pub(super) fn share_types(document: &mut Value, context: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    for (name, path) in context.shared.iter().filter_map(|(name, path)| Some((name, path.as_ref()?))) {
        let known = document::schemas_mut(document).and_then(|schemas| schemas.remove(name));
        hits += usize::from(known.is_some());
        super::for_each_schema(document, &mut |schema| {
            if refers_to(schema, name) {
                super::become_type_at(schema, path, &[]);
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
    use crate::lower::testing::{run, run_document};

    fn reference_to(name: &str) -> Value {
        json!({ "schema": reference(name) })
    }

    #[test]
    fn operations_are_listed_and_their_schemas_named() -> Result<()> {
        let text = json!({ "content": { "text/plain; charset=utf-8": {} } });
        let problem = json!({ "content": { "application/problem+json": reference_to("Problem") } });
        let inline = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let (document, hits) = run_document(
            list_operations,
            json!({
                "security": [{ "Key": [] }, { "Bearer": [] }],
                "paths": { "/a/{id}": {
                    "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                    "put": {
                        "operationId": "putA", "tags": ["Group"],
                        "parameters": [{ "$ref": "#/components/parameters/Mode" }],
                        "requestBody": { "content": { "application/json": { "schema": inline } } },
                        "responses": {
                            "200": { "content": { "application/json": { "schema": { "items": inline } } } },
                            "204": {}, "400": problem, "default": problem,
                        },
                    },
                    "post": { "operationId": "postA", "security": [], "responses": { "201": text, "500": text } },
                } },
                "components": {
                    "parameters": { "Mode": { "name": "mode", "in": "query", "schema": { "enum": ["x"] } } },
                    "schemas": { "Problem": {} },
                },
            }),
        )?;
        let operations: Vec<Operation> = serde_json::from_value(document[OPERATIONS].clone())?;
        let [post, put] = operations.as_slice() else { bail!("two operations") };
        assert_eq!(put.body, Some(Body { required: false, schema: reference("PutARequest") }));
        assert_eq!(put.response, Content::Json(json!({ "items": reference("PutAResponseItem") })));
        assert_eq!(put.errors, [reference("Problem"), reference("Problem")]);
        assert_eq!((put.security.len(), put.idempotent, put.tag.as_deref()), (2, true, Some("Group")));
        let places: Vec<_> = put.parameters.iter().map(|p| (p.name.as_str(), p.place.as_str(), p.required)).collect();
        assert_eq!(places, [("id", "path", true), ("mode", "query", false)]);
        assert_eq!((&post.response, post.security.len(), post.idempotent), (&Content::Text, 0, false));
        let schemas: Vec<&String> = document::schemas(&document).map(|(name, _)| name).collect();
        assert_eq!(schemas, ["Problem", "PutAMode", "PutARequest", "PutAResponseItem"]);
        assert!(document.get("paths").is_none());
        assert_eq!(hits, 2);
        Ok(())
    }

    #[test]
    fn a_name_that_is_taken_is_an_error() {
        let body = json!({ "content": { "application/json": { "schema": { "properties": { "a": {} } } } } });
        let error = run_document(
            list_operations,
            json!({
                "paths": { "/": { "post": { "operationId": "create", "requestBody": body } } },
                "components": { "schemas": { "CreateRequest": {} } },
            }),
        );
        let error = error.expect_err("taken").to_string();
        assert_eq!(error, "an operation would name a schema `CreateRequest`, which there is already");
    }

    fn with_operation(schemas: Value) -> Value {
        let operation = json!({
            "parameters": [], "body": reference_to("Sent"), "response": { "json": reference("Received") },
            "errors": [reference("Problem")],
        });
        json!({ OPERATIONS: [operation], "components": { "schemas": schemas } })
    }

    #[test]
    fn what_is_also_received_is_not_only_sent() -> Result<()> {
        let mut schemas = json!({ "Unused": {}, "Inner": { "items": reference("Sent") }, "Problem": {}, "Both": {} });
        schemas["Sent"] = json!({ "properties": { "a": reference("Inner"), "b": reference("Both") } });
        schemas["Received"] = json!({ "items": reference("Both") });
        let (document, hits) = run_document(prune, with_operation(schemas))?;
        assert_eq!(only_sent(&document), BTreeSet::from(["Inner".to_owned(), "Sent".to_owned()]));
        assert!(document["components"]["schemas"].get("Unused").is_none());
        assert_eq!(hits, 1);
        assert_eq!(run(prune, json!({ "A": {} })).1, 0, "there is nothing that would lead to it");
        Ok(())
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
            json!({ "required": ["id"], "properties": { "id": text, "a": text, "b": text } })
        );
        assert_eq!((&found["Sent"], &found["Shared"]), (&schemas["Sent"], &schemas["Shared"]));
        assert_eq!(hits, 1);
        Ok(())
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
    fn the_same_is_what_leads_to_the_same() {
        let document = |kind: &str| {
            json!({ "components": { "schemas": {
                "Holder": { "items": reference("Thing") }, "Thing": { "type": kind }, "Same": { "type": "string" },
            } } })
        };
        assert_eq!(same(&document("string"), &document("boolean")), BTreeSet::from(["Same".to_owned()]));
    }
}
