use anyhow::Result;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator};
use serde_json::{Map, Value, json};
use typify::UnknownPolicy;

use super::requests::{Coded, Parameter, Request};
use super::structs;
use super::ty::Ty;
use crate::model::Form;

/// Generates typed mocks of every operation with plain progenitor: a trait of a mock server. It has a method for each
/// operation, which sets when the mock matches and what it then answers.
///
/// progenitor only gets the names of the types; typify generates the types, as everywhere.
pub(super) fn mocks<'a>(requests: impl Iterator<Item = &'a Request<'a>>, krate: &str) -> Result<TokenStream> {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for request in requests {
        // Two hosts may have the same path, so the mock server has a folder for each host.
        let path = format!("/{}{}", request.operation.host, request.operation.path);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[request.operation.method.to_lowercase()] = described(request, &mut schemas);
    }
    let document = serde_json::from_value(json!({
        "openapi": "3.0.3",
        "info": { "title": "mocks", "version": "" },
        "paths": paths,
        "components": { "schemas": schemas },
    }))?;
    let mut settings = GenerationSettings::new();
    settings.with_unknown_crates(UnknownPolicy::Allow);
    structs::quietly("progenitor", || Generator::new(&settings).httpmock(&document, krate))
}

fn described(request: &Request<'_>, schemas: &mut Map<String, Value>) -> Value {
    let parameters: Vec<Value> = request.parameters.iter().map(|one| parameter(one, schemas)).collect();
    let mut content = |ty: &Ty| json!({ "application/json": { "schema": named(ty, schemas) } });
    let answer = match &request.answer {
        Some(Coded { form: Form::Json | Form::Choice, ty, .. }) => content(ty),
        _ => json!({}),
    };
    let mut responses = json!({ request.status.to_string(): { "description": "", "content": answer } });
    for (status, ty) in &request.errors {
        responses[*status] = json!({ "description": "", "content": content(ty) });
    }
    let mut described = json!({
        "operationId": request.operation.id,
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(body) = &request.body {
        described["requestBody"] = json!({ "required": true, "content": content(&body.ty) });
    }
    described
}

fn parameter(parameter: &Parameter<'_>, schemas: &mut Map<String, Value>) -> Value {
    // A mock compares strings, and a `Credential` cannot be shown as one.
    let schema = match &parameter.ty {
        Ty::ByHand("Credential") => Ty::String.json_schema(),
        ty => named(ty, schemas),
    };
    json!({
        "name": parameter.of.name,
        "in": parameter.of.location,
        "required": parameter.of.is_argument(),
        "schema": schema,
    })
}

/// Returns the schema of a type, and adds a stand-in for its struct to `schemas`. A mock has a value where `null` is
/// allowed.
fn named(ty: &Ty, schemas: &mut Map<String, Value>) -> Value {
    match ty {
        Ty::Items(ty) | Ty::Option(ty) | Ty::Boxed(ty) => named(ty, schemas),
        Ty::Vec(item) => json!({ "type": "array", "items": named(item, schemas) }),
        Ty::Map(value) => json!({ "type": "object", "additionalProperties": named(value, schemas) }),
        Ty::Struct(name) => {
            schemas.insert(name.clone(), json!({ "type": "object", "properties": { "a": { "type": "string" } } }));
            ty.json_schema()
        }
        ty => ty.json_schema(),
    }
}
