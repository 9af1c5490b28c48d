//! `credentials`: strings that `Debug` must not show.

use serde_json::json;

use super::{after, take};
use crate::model::testing::{document, reference, schemas, show};

#[test]
fn credentials_are_told_by_their_names_by_what_holds_them_and_by_overlays() {
    let text = || json!({ "type": "string" });
    let said = |is: bool| json!({ "type": "string", "x-credential": is });
    insta::assert_snapshot!(after("credentials", json!({
        "ByHolder": { "properties": {
            "basicAuth": { "properties": { "username": text(), "realm": said(false) } },
            "headers": { "additionalProperties": text() },
        } },
        "ByName": { "properties": {
            "apiKey": { "type": "string", "description": "Kept." },
            "clientSecret": text(),
            "tokens": { "type": "array", "items": text() },
        } },
        "ByOverlay": { "properties": {
            "callback": { "type": "object", "x-credential": true, "additionalProperties": text() },
            "sessionId": said(true),
        } },
        "None": { "properties": {
            "includeToken": { "type": "boolean" },
            "key": { "type": "string", "enum": ["a"] },
            "nextPageToken": text(),
            "publicKey": text(),
            "tokenURL": text(),
            "secret": reference("ByName"),
        } },
    })), @r#"
    ByHolder: {basicAuth?: {realm?: text, username?: text as Credential}, headers?: {*: text as Credential}}
    ByName: {apiKey?: text as Credential 'Kept.', clientSecret?: text as Credential, tokens?: [text as Credential]}
    ByOverlay: {callback?: {*: text as Credential}, sessionId?: text as Credential}
    None: {includeToken?: boolean, key?: text("a"), nextPageToken?: text, publicKey?: text, secret?: #ByName, tokenURL?: text}
    credentials: 7
    "#);
}

#[test]
fn parameters_are_credentials_too() {
    let parameter = json!({ "name": "apiKey", "in": "query", "schema": { "type": "string" } });
    let operation = json!({ "operationId": "a", "parameters": [parameter], "responses": {} });
    let mut document = document("api", json!({ "paths": { "/a": { "get": operation } } }));
    assert_eq!(take(&mut document, "credentials").expect("the step is taken"), 1);
    assert_eq!(show(&document.operations[0].parameters[0].schema), "text as Credential");
}

#[test]
fn what_the_name_says_is_not_said_again() {
    for (name, is) in [("apiKey", true), ("label", false)] {
        let mut document =
            schemas(&json!({ "A": { "properties": { name: { "type": "string", "x-credential": is } } } }));
        let error = take(&mut document, "credentials").expect_err(name);
        assert_eq!(error.to_string(), format!("`x-credential` says what the name does, and has to go: {name}"));
    }
}
