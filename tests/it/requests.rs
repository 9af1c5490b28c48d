//! Calls every operation, with all arguments and with the required ones, and shows the request and the decoded
//! response.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ampersand_client::Endpoint;
use serde_json::{Map, Value, json};

use test_support::contract::{Fields, arguments, contract, resolve};
use test_support::server::{Request, Server, response};
use test_support::values::Members;
use tests::generated::calls::call;

use crate::api::client;
use test_support::json::difference;

#[tokio::test]
async fn every_operation_sends_what_it_is_given_and_gives_what_comes() {
    let mut contracts = BTreeMap::new();
    let mut requests = BTreeMap::<String, String>::new();
    for operation in Endpoint::ALL {
        let contract = contracts.entry(operation.host).or_insert_with(|| contract(operation.host.name()));
        let described = &contract["paths"][operation.path][operation.method.to_lowercase()];
        let takes = arguments(operation.method, operation.path, contract);
        for members in [Members::Required, Members::All] {
            let mut given = example("", &takes, contract, members);
            for (name, value) in given.as_object_mut().unwrap() {
                if value == name {
                    *value = format!("&/ {name}").into();
                }
            }
            let (status, content_type, answer) = answer(described, contract, members);
            let server = Server::script([response(status, &format!("content-type: {content_type}\r\n"), &answer)]);
            let received = call(&client(&server), operation.id, given.as_object().unwrap()).await;
            let [seen] = server.requests().try_into().unwrap();
            let received = received.unwrap_or_else(|error| panic!("{error:?}: {answer}"));

            assert_eq!(received.0, status, "{}", operation.id);
            assert_eq!(difference(&answer_in_json(&answer, content_type), &received.1), None, "{}", operation.id);
            let body = given.get("body").map_or(String::new(), Value::to_string);
            if !(body.is_empty() && seen.body.is_empty()) {
                assert_eq!(difference(&body, &seen.body), None, "{}", operation.id);
            }
            if members == Members::All {
                let tag = described["tags"][0].as_str().unwrap_or(operation.host.name());
                write!(requests.entry(tag.to_owned()).or_default(), "{}\n{}\n", operation.id, shown(seen)).unwrap();
            }
        }
    }
    for (tag, requests) in requests {
        let tag = tag.replace(|c: char| !c.is_alphanumeric(), "-").to_lowercase();
        insta::assert_snapshot!(format!("requests-{tag}"), requests);
    }
}

/// A request, without the parts that all requests have in common.
fn shown(seen: Request) -> String {
    let Request { line, mut headers, body, .. } = seen;
    assert_eq!(headers.remove("accept").unwrap(), "application/json, text/plain, application/problem+json");
    assert!(headers.remove("user-agent").unwrap().starts_with("ampersand-client/"));
    assert!(headers.remove("host").unwrap().starts_with("127.0.0.1:"));
    assert_eq!(headers.remove("content-length").map_or(0, |length| length.parse().unwrap()), body.len());
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let body = serde_json::from_str(&body).map_or(body, |body: Value| format!("{body:#}\n"));
    format!("{line}\n{headers}{body}")
}

/// The successful response by the contract: status, content type and body.
fn answer(described: &Value, contract: &Value, members: Members) -> (u16, &'static str, String) {
    let responses = described["responses"].as_object().unwrap();
    let (status, response) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
    let content = &resolve(response, contract)["content"];
    let status = status.parse().unwrap();
    if let Some(media) = content.get("application/json") {
        (status, "application/json", example("", &media["schema"], contract, members).to_string())
    } else if content.get("text/plain").is_some() {
        (status, "text/plain", "text".to_owned())
    } else {
        (status, "", String::new())
    }
}

/// The response as a caller gets it.
fn answer_in_json(answer: &str, content_type: &str) -> String {
    match content_type {
        "application/json" => answer.to_owned(),
        "text/plain" => json!(answer).to_string(),
        _ => "null".to_owned(),
    }
}

/// A value that a schema allows, and that shows its place.
fn example(name: &str, schema: &Value, contract: &Value, members: Members) -> Value {
    let schema = resolve(schema, contract);
    let of = |name: &str, schema: &Value| example(name, schema, contract, members);
    if schema.get("allOf").is_some() || schema.get("properties").is_some() {
        let mut fields = Fields::default();
        fields.add(schema, contract);
        let is_there = |name: &str| match fields.one_of.iter().find(|group| group.contains(&name)) {
            Some(group) => group.first() == Some(&name),
            None => members == Members::All || fields.required.contains(&name),
        };
        let there = fields.properties.iter().filter(|(name, _)| is_there(name));
        return there.map(|(name, property)| ((*name).to_owned(), of(name, property))).collect::<Map<_, _>>().into();
    }
    if let Some(first) = schema.pointer("/enum/0") {
        return first.clone();
    }
    if let Some(first) = schema.pointer("/oneOf/0") {
        return of(name, first);
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("date-time")) => json!("2026-08-19T10:00:00Z"),
        (Some("string"), Some("uri")) => json!(format!("https://{name}.example/")),
        (Some("string"), Some("email")) => json!(format!("{name}@example.org")),
        (Some("string"), Some("uuid")) => json!("b6e8c9d0-0000-4000-8000-000000000000"),
        (Some("string"), _) => json!(name),
        (Some("boolean"), _) => json!(true),
        (Some("integer"), _) => schema.get("minimum").cloned().unwrap_or(json!(1)),
        (Some("number"), _) => json!(1.5),
        (Some("array"), _) => json!([of(name, &schema["items"])]),
        _ if schema["additionalProperties"].is_object() => json!({ name: of(name, &schema["additionalProperties"]) }),
        _ => json!({ "any": [null, 1.5] }),
    }
}
