use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Context, pascal, reference};
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
    /// The status of success.
    pub(crate) status: u16,
    pub(crate) response: Content,
    /// What it may answer instead, by status.
    pub(crate) errors: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// `path`, `query` or `header`.
    #[serde(rename = "in")]
    pub(crate) place: String,
    pub(crate) required: bool,
    /// Whether an operation that may be sent again may be with this.
    pub(crate) idempotent: bool,
    pub(crate) description: Option<String>,
    pub(crate) schema: Value,
}

impl Operation {
    /// The parameters that every call has, those of the path first, in its order.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Parameter> {
        let place = |parameter: &&Parameter| match parameter.place.as_str() {
            "path" => self.path.find(&format!("{{{}}}", parameter.name)).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let mut arguments: Vec<&Parameter> = self.parameters.iter().filter(|one| one.is_argument()).collect();
        arguments.sort_by_key(place);
        arguments.into_iter()
    }
}

impl Parameter {
    /// Whether it is in every call.
    pub(crate) fn is_argument(&self) -> bool {
        self.required || self.place == "path"
    }
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
/// Of the statuses of success one is left, and errors are read by the client in one place, by hand: whatever the server sent
/// is kept.
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
            let idempotent = parameter[IDEMPOTENT] != false;
            let parameter = Parameter { name: name.to_owned(), place, required, idempotent, description, schema };
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
    let (mut status, mut response) = (200, Content::Empty);
    for (succeeded, success) in succeeded {
        let content = match (content(success)?, &response) {
            (Content::Json(schema), _) => {
                Content::Json(name_inline(&schema, &format!("{}Response", pascal(id)), named))
            }
            (content, Content::Empty) => content,
            _ => continue,
        };
        (status, response) = (succeeded.parse().unwrap_or(200), content);
    }
    let mut errors = BTreeMap::new();
    for (status, failure) in failed {
        if let Ok(Content::Json(schema)) = content(failure) {
            let schema = name_inline(&schema, &format!("{}Response{}", pascal(id), pascal(status)), named);
            errors.insert(status.clone(), schema);
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
        status,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing::run_document;
    use serde_json::json;

    #[test]
    fn operations_are_listed_and_their_schemas_named() -> Result<()> {
        let text = json!({ "content": { "text/plain; charset=utf-8": {} } });
        let problem = json!({ "content": { "application/problem+json": json!({ "schema": reference("Problem") }) } });
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
        assert!(put.errors.values().eq([&reference("Problem"), &reference("Problem")]));
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
}
