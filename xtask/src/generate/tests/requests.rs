//! How operations are called.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::requests::{Coded, requests};
use super::super::ty::Ty;
use crate::model::Form;
use crate::model::testing::{document, reference};

/// Shows how each operation is called and what it answers, and which operations cannot be called.
fn calls(paths: Value) -> String {
    let document =
        document("api", json!({ "paths": paths, "components": { "schemas": { "A": { "properties": { "a": {} } } } } }));
    let (mut left_out, mut text) = (Vec::new(), String::new());
    for request in requests(&document, &mut left_out).expect("operations") {
        let parameters = request.in_order().map(|one| {
            let need = if one.of.is_argument() { '!' } else { '?' };
            format!("{}{need}: {}", one.ident, ty(&one.ty))
        });
        let body = request.body.iter().map(|body| {
            let need = if request.requires_body() { '!' } else { '?' };
            let form = match body.form {
                Form::Pairs => "Form".to_owned(),
                form => format!("{form:?}({:?})", body.media),
            };
            format!("body{need}: {} {form}", ty(&body.ty))
        });
        let given: Vec<String> = parameters.chain(body).collect();
        let answer = match &request.answer {
            None => "Empty".to_owned(),
            Some(Coded { form: form @ (Form::Text | Form::Bytes), .. }) => format!("{form:?}"),
            Some(Coded { ty, .. }) => format!("Json({ty:?})"),
        };
        writeln!(text, "{}({}) -> {} {answer}", request.method, given.join(", "), request.status).expect("a text");
        for (status, ty) in &request.errors {
            writeln!(text, "  {status}: {}", self::ty(ty)).expect("a text");
        }
    }
    text + &left_out.join("\n")
}

fn ty(ty: &Ty) -> String {
    super::brief(&ty.rust().to_string().replace(' ', ""))
}

#[test]
fn a_parameter_has_a_name_of_its_own_in_rust() {
    let one = |name: &str, place: &str| json!({ "name": name, "in": place, "schema": { "type": "string" } });
    insta::assert_snapshot!(calls(json!({
        "/{type}/{id}": { "get": { "operationId": "type", "parameters": [
            one("id", "query"), one("id", "header"), one("X-Id", "header"), one("body", "query"), one("2nd", "query"), one("id", "cookie"),
        ] } },
    })), @"
    type_(type_!: String, path_id!: String, id?: String, x_id?: String, _2nd?: String, body_?: String, query_id?: String) -> 200 Empty
    `id` of GET /{type}/{id} (api) is left out: the client sends no cookies
    ");
}

#[test]
fn bodies_and_answers_are_json_where_they_can_be() {
    let json = || json!({ "application/json": { "schema": reference("A") } });
    let of = |media: &str| json!({ media: { "schema": { "type": "string" } } });
    let answer = |content: Value| json!({ "content": content });
    insta::assert_snapshot!(calls(json!({
        "/1": { "get": { "operationId": "getNothing", "responses": { "204": {} } } },
        "/2": { "get": { "operationId": "getText", "responses": { "200": answer(of("text/csv")), "404": answer(json()) } } },
        "/3": { "get": { "operationId": "getBytes", "responses": { "200": answer(of("image/png")), "default": answer(of("text/plain")) } } },
        "/4": { "get": { "operationId": "getJson", "responses": { "200": answer(json!({ "text/plain": {}, "application/vnd.a+json": { "schema": reference("A") } })), "204": {} } } },
        "/5": { "put": { "operationId": "putJson", "requestBody": { "required": true, "content": json() } } },
        "/6": { "put": { "operationId": "putBytes", "requestBody": { "content": of("application/pdf") } } },
        "/7": { "put": { "operationId": "putForm", "requestBody": { "content": { "application/x-www-form-urlencoded": { "schema": reference("A") } } } } },
    })), @r#"
    get_nothing() -> 204 Empty
    get_text() -> 200 Text
      404: types::A
    get_bytes() -> 200 Bytes
    get_json() -> 200 Json(Struct("A"))
    put_json(body!: types::A Json("application/json")) -> 200 Empty
    put_bytes(body?: ::bytes::Bytes Bytes("application/pdf")) -> 200 Empty
    put_form(body?: types::A Form) -> 200 Empty
    "#);
}

#[test]
fn what_cannot_be_called_is_left_out_and_said_why() {
    let with = |parameter: Value| json!({ "get": { "operationId": "get", "parameters": [parameter] } });
    let parts = json!({ "multipart/form-data": { "schema": { "type": "object" } } });
    insta::assert_snapshot!(calls(json!({
        "/1": { "options": {} },
        "/2": with(json!({ "name": "a", "in": "cookie", "required": true, "schema": { "type": "string" } })),
        "/3": { "get": { "operationId": "kept", "parameters": [{ "name": "a", "in": "cookie", "schema": { "type": "string" } }] } },
        "/4/{a}": with(json!({ "name": "a", "in": "path", "style": "matrix", "schema": { "type": "string" } })),
        "/5": { "post": { "operationId": "post", "requestBody": { "content": parts } } },
    })), @"
    kept() -> 200 Empty
    OPTIONS /1 (api) is left out: its method is for what stands between a client and a server
    GET /2 (api) is left out: `a` is a cookie, which the client does not send
    `a` of GET /3 (api) is left out: the client sends no cookies
    GET /4/{a} (api) is left out: the style `matrix` of `a` is not supported
    POST /5 (api) is left out: its body has parts, which the client does not write
    ");
}
