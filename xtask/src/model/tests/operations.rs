//! How operations are read.

use serde_json::{Value, json};

use super::super::Way;
use super::{Document, show_all};
use crate::keywords::word;
use crate::model::testing::{document, reference, show};

/// Shows operations in short: a line for each operation, parameter and body.
fn show_operations(document: &Document) -> String {
    let mut lines = Vec::new();
    for operation in &document.operations {
        let scheme =
            |(name, scopes): (&String, &_)| [vec![name.clone()], Vec::from_iter(Clone::clone(scopes))].concat();
        let way = |way: &Way| way.iter().map(|one| scheme(one).join(" ")).collect::<Vec<_>>();
        let security: Vec<String> = operation.security.iter().map(|one| way(one).join("+")).collect();
        lines.push(format!("{} {} {} [{}]", operation.id, operation.method, operation.path, security.join(", ")));
        for one in &operation.parameters {
            let (place, need) = (word(one.location), if one.required { '!' } else { '?' });
            let explode = if one.explode { ", exploded" } else { "" };
            let style = one.media.as_ref().unwrap_or(&one.style);
            lines.push(format!("  {place} {}{need}: {} ({style}{explode})", one.name, show(&one.schema)));
        }
        if let Some(body) = &operation.body {
            let need = if body.required { '!' } else { '?' };
            lines.extend(body.content.iter().map(|(media, node)| format!("  body{need} {media}: {}", show(node))));
        }
        for (status, response) in &operation.responses {
            lines.push(format!("  {status}"));
            lines.extend(response.content.iter().map(|(media, node)| format!("    {media}: {}", show(node))));
        }
    }
    lines.join("\n")
}

fn operations(paths: Value) -> String {
    show_operations(&document("api", json!({ "paths": paths })))
}

#[test]
fn operations_are_read_with_what_is_sent_and_answered() {
    let problem = json!({ "content": { "application/problem+json": { "schema": reference("Problem") } } });
    let text = json!({ "content": { "text/plain; charset=utf-8": {}, "Application/JSON ; charset=utf-8": { "schema": { "type": "boolean" } } } });
    let inline = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    let mut document = document(
        "api",
        json!({
            "security": [{ "Key": [] }, { "Bearer": ["read"], "Tenant": [] }],
            "paths": { "/a/{id}": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                "put": {
                    "operationId": "putA", "tags": ["Group", "Other"],
                    "parameters": [{ "$ref": "#/components/parameters/Mode" }],
                    "requestBody": { "content": { "application/json": { "schema": inline } } },
                    "responses": {
                        "200": { "content": { "application/json": { "schema": { "items": inline } } } },
                        "204": {}, "400": problem, "default": { "$ref": "#/components/responses/Problem" },
                    },
                },
                "post": {
                    "operationId": "postA", "security": [], "x-idempotent": true,
                    "requestBody": { "$ref": "#/components/requestBodies/A" }, "responses": { "201": text },
                },
            } },
            "components": {
                "parameters": { "Mode": { "name": "mode", "in": "query", "schema": { "enum": ["x"] } } },
                "requestBodies": { "A": { "required": true, "content": { "application/json": { "schema": { "type": "integer" } } } } },
                "responses": { "Problem": problem },
                "schemas": { "Problem": {} },
            },
        }),
    );
    insta::assert_snapshot!(show_operations(&document), @r#"
    postA POST /a/{id} []
      path id!: text (simple)
      body! application/json: integer
      201
        application/json: boolean
        text/plain: any
    putA PUT /a/{id} [Bearer read+Tenant, Key]
      path id!: text (simple)
      query mode?: text("x") (form, exploded)
      body? application/json: {a?: text}
      200
        application/json: [{a?: text}]
      204
      400
        application/problem+json: #Problem
      default
        application/problem+json: #Problem
    "#);
    let told: Vec<_> =
        document.operations.iter().map(|one| (one.tag.as_deref(), one.idempotent, one.inherits_security)).collect();
    assert_eq!(told, [(None, true, false), (Some("Group"), true, true)]);

    document.name_schemas_of_operations();
    insta::assert_snapshot!(show_all(&document), @r#"
    Problem: any
    PutAMode: text("x")
    PutARequest: {a?: text}
    PutAResponseItem: {a?: text}
    "#);
    insta::assert_snapshot!(show_operations(&document), @r#"
    postA POST /a/{id} []
      path id!: text (simple)
      body! application/json: integer
      201
        application/json: boolean
        text/plain: any
    putA PUT /a/{id} [Bearer read+Tenant, Key]
      path id!: text (simple)
      query mode?: #PutAMode (form, exploded)
      body? application/json: #PutARequest
      200
        application/json: [#PutAResponseItem]
      204
      400
        application/problem+json: #Problem
      default
        application/problem+json: #Problem
    "#);
}

#[test]
fn what_an_operation_sends_or_answers_in_several_shapes_has_a_name_for_each() {
    let content = |content: Value| json!({ "content": content });
    let object = |field: &str| json!({ "schema": { "properties": { field: {} } } });
    let mut document = document(
        "api",
        json!({
            "paths": { "/": { "post": {
                "operationId": "create",
                "requestBody": content(json!({ "application/json": object("a"), "application/x-www-form-urlencoded": object("b") })),
                "responses": {
                    "200": content(json!({ "application/json": object("c") })),
                    "201": content(json!({ "application/json": object("c") })),
                    "202": content(json!({ "application/json": object("d") })),
                    "400": content(json!({ "application/json": object("e") })),
                },
            } } },
            "components": { "schemas": { "create_request": { "properties": { "of the contract": {} } } } },
        }),
    );
    document.name_schemas_of_operations();
    insta::assert_snapshot!(show_all(&document), @"
    CreateRequestBody: {a?: any}
    CreateRequestBody2: {b?: any}
    CreateResponse: anyOf({c?: any}, {d?: any})
    CreateResponse400: {e?: any}
    create_request: {of the contract?: any}
    ");
    insta::assert_snapshot!(show_operations(&document), @"
    create POST / []
      body? application/json: #CreateRequestBody
      body? application/x-www-form-urlencoded: #CreateRequestBody2
      200
        application/json: #CreateResponse
      201
        application/json: #CreateResponse
      202
        application/json: #CreateResponse
      400
        application/json: #CreateResponse400
    ");
}

#[test]
fn lists_are_written_as_openapi_has_it_for_the_place_of_a_parameter() {
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let one = |name: &str, place: &str| json!({ "name": name, "in": place, "schema": list });
    insta::assert_snapshot!(operations(json!({ "/{a}": { "get": { "operationId": "get", "parameters": [
        one("a", "path"), one("b", "query"), one("c", "header"), one("d", "cookie"),
        { "name": "e", "in": "query", "explode": false, "schema": list },
        { "name": "f", "in": "query", "style": "pipeDelimited", "schema": list },
        { "name": "g", "in": "query", "style": "deepObject", "explode": true, "schema": { "type": "object" } },
        { "name": "h", "in": "query", "content": { "application/json": { "schema": list } } },
        { "name": "i", "in": "elsewhere", "schema": list },
    ] } } })), @"
    get GET /{a} []
      cookie d?: [text] (form, exploded)
      header c?: [text] (simple)
      path a!: [text] (simple)
      query b?: [text] (form, exploded)
      query e?: [text] (form)
      query f?: [text] (pipeDelimited)
      query g?: {} (deepObject, exploded)
      query h?: [text] (application/json, exploded)
    ");
}

#[test]
fn a_parameter_is_told_by_its_place_and_its_name_and_headers_in_any_case() {
    let one = |name: &str, place: &str, kind: &str| json!({ "name": name, "in": place, "schema": { "type": kind } });
    insta::assert_snapshot!(operations(json!({ "/{id}": {
        "parameters": [one("id", "path", "string"), one("X-Mode", "header", "string"), one("limit", "query", "string")],
        "get": { "operationId": "get", "parameters": [
            one("x-mode", "header", "boolean"), one("limit", "query", "integer"), one("Limit", "query", "string"),
            one("id", "query", "string"), one("id", "header", "string"), one("id", "cookie", "string"),
        ] },
    } })), @"
    get GET /{id} []
      cookie id?: text (form, exploded)
      header id?: text (simple)
      header x-mode?: boolean (simple)
      path id!: text (simple)
      query Limit?: text (form, exploded)
      query id?: text (form, exploded)
      query limit?: integer (form, exploded)
    ");
}

#[test]
fn a_parameter_of_the_path_that_is_declared_nowhere_is_a_text() {
    let declared = json!({ "name": "b", "in": "path", "schema": { "type": "integer" } });
    let document = document(
        "api",
        json!({ "paths": { "/x/{a}/{b}:go": { "get": { "operationId": "get", "parameters": [declared] } } } }),
    );
    insta::assert_snapshot!(show_operations(&document), @"
    get GET /x/{a}/{b}:go []
      path a!: text (simple)
      path b!: integer (simple)
    ");
    let operation = &document.operations[0];
    assert_eq!((operation.path_parameters(), operation.route()), (vec!["a", "b"], "/x/{}/{}:go".to_owned()));
}

#[test]
fn arguments_come_in_the_order_of_the_path() {
    let one = |name: &str, place: &str, required: bool| json!({ "name": name, "in": place, "required": required, "schema": {} });
    let document = document(
        "api",
        json!({ "paths": { "/{z}/{a}": { "get": { "parameters": [
        one("a", "path", true), one("q", "query", true), one("o", "query", false), one("z", "path", true),
    ] } } } }),
    );
    let names: Vec<&str> = document.operations[0].arguments().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["z", "a", "q"]);
}

#[test]
fn an_operation_without_a_name_is_named_after_its_method_and_path() {
    insta::assert_snapshot!(operations(json!({
        "/things": { "get": {}, "post": {}, "summary": "No operation." },
        "/things/id": { "get": {} },
        "/things/{id}": { "get": {} },
        "/items": { "get": { "operationId": "getThings" } },
    })), @"
    getThings GET /items []
    getThings2 GET /things []
    postThings POST /things []
    getThingsId GET /things/id []
    getThingsId2 GET /things/{id} []
      path id!: text (simple)
    ");
}

#[test]
fn an_operation_may_have_a_server_of_its_own() {
    let server = |url: &str| json!([{ "url": url, "variables": { "region": { "default": "eu" } } }]);
    let document = document(
        "api",
        json!({
            "servers": server("https://{region}.example"),
            "paths": {
                "/a": { "get": {}, "servers": server("https://a.example") },
                "/b": { "get": { "servers": server("https://eu.example") } },
                "/c": { "get": { "servers": server("/relative") }, "post": { "servers": server("https://{region}.c.example") } },
            },
        }),
    );
    assert_eq!(document.servers, ["https://eu.example"]);
    let servers: Vec<_> = document.operations.iter().map(|one| (one.id.as_str(), one.server.as_deref())).collect();
    assert_eq!(
        servers,
        [
            ("getA", Some("https://a.example")),
            ("getB", None),
            ("getC", Some("/relative")),
            ("postC", Some("https://eu.c.example")),
        ]
    );
}

#[test]
fn what_is_referred_to_may_be_a_reference() {
    let to = |place: &str| json!({ "$ref": format!("#/components/{place}") });
    let document = document(
        "api",
        json!({
            "paths": {
                "/a": { "get": {
                    "operationId": "get",
                    "parameters": [to("parameters/Alias")],
                    "requestBody": to("requestBodies/Alias"),
                    "responses": { "200": to("responses/Alias"), "400": to("responses/Circle") },
                } },
                "/b": { "$ref": "#/paths/~1c" },
                "/c": { "get": {} },
            },
            "components": {
                "parameters": { "Alias": to("parameters/A"), "A": { "name": "a", "in": "query", "schema": { "type": "string" } } },
                "requestBodies": { "Alias": to("requestBodies/A"), "A": { "content": { "text/plain": {} } } },
                "responses": { "Alias": to("responses/A"), "A": { "content": { "text/plain": {} } }, "Circle": to("responses/Circle") },
            },
        }),
    );
    insta::assert_snapshot!(show_operations(&document), @"
    get GET /a []
      query a?: text (form, exploded)
      body? text/plain: any
      200
        text/plain: any
      400
    getB GET /b []
    getC GET /c []
    ");
}
