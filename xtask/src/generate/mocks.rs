use anyhow::Result;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator};
use serde_json::{Map, Value, json};
use typify::UnknownPolicy;

use super::types;
use crate::lower::{self, Content, Operation, Parameter, is_rust_type};

/// Typed mocks of every operation, by progenitor as it is: a trait of a mock server, with a method for each operation that
/// says when it is called and what it then answers.
///
/// progenitor is given the names of the types and no more; typify has made them, as everywhere.
pub(super) fn mocks(operations: &[Operation]) -> Result<TokenStream> {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for operation in operations {
        // Two hosts have the same path: the mock server has a folder for each host.
        let path = format!("/{}{}", operation.host, operation.path);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[operation.method.to_lowercase()] = described(operation, &mut schemas);
    }
    let document = serde_json::from_value(json!({
        "openapi": "3.0.3",
        "info": { "title": "mocks", "version": "" },
        "paths": paths,
        "components": { "schemas": schemas },
    }))?;
    let mut settings = GenerationSettings::new();
    settings.with_unknown_crates(UnknownPolicy::Allow);
    types::quietly("progenitor", || Generator::new(&settings).httpmock(&document, "ampersand_client"))
}

fn described(operation: &Operation, schemas: &mut Map<String, Value>) -> Value {
    let parameters: Vec<Value> = operation.parameters.iter().map(parameter).collect();
    let answer = match &operation.response {
        Content::Json(schema) => json!({ "application/json": { "schema": named(schema, schemas) } }),
        Content::Empty | Content::Text => json!({}),
    };
    let mut responses = json!({ operation.status.to_string(): { "description": "", "content": answer } });
    for (status, failure) in &operation.errors {
        let content = json!({ "application/json": { "schema": named(failure, schemas) } });
        responses[status] = json!({ "description": "", "content": content });
    }
    let mut described = json!({
        "operationId": operation.id,
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(body) = &operation.body {
        let media = json!({ "schema": named(&body.schema, schemas) });
        described["requestBody"] = json!({ "required": true, "content": { "application/json": media } });
    }
    described
}

fn parameter(parameter: &Parameter) -> Value {
    // A mock compares texts, and a credential is none that could be shown.
    let schema = match is_rust_type(&parameter.schema, "Credential") {
        true => json!({ "type": "string" }),
        false => plain(&parameter.schema),
    };
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.is_argument(),
        "schema": schema,
    })
}

/// A schema in which types are named, each of which has a stand-in among the schemas.
fn named(schema: &Value, schemas: &mut Map<String, Value>) -> Value {
    let stand_in = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    let schema = if is_rust_type(schema, "Items") { &schema["x-rust-type"]["parameters"][0] } else { schema };
    for name in lower::references(schema) {
        schemas.insert(name, stand_in.clone());
    }
    plain(schema)
}

/// The type alone.
fn plain(schema: &Value) -> Value {
    let kept = schema.as_object().into_iter().flatten().filter(|(key, _)| !lower::BESIDE.contains(&key.as_str()));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>().into()
}
