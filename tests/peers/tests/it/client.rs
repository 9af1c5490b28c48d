//! Tests of every operation of the client, with Prism as a server of the contract.

use std::collections::BTreeSet;

use ampersand_client::types::{CreateProjectRequest, GetConnectionRefresh};
use ampersand_client::{Client, ClientBuilder, Endpoint, Error, ErrorKind};
use ampersand_testing::fake_api::FakeApi;
use ampersand_types::RawJson;
use serde_json::{Value, json};
use test_support::contract::{Fields, resolve};
use test_support::values::Members;
use tests::generated::calls::call;

use crate::prism::{NOT_MADE_UP, Prism, calls, contracts};

fn key_and_token(builder: ClientBuilder) -> ClientBuilder {
    builder.api_key("key").bearer_token("token")
}

/// The violations that Prism found in a request.
fn violations(error: &Error) -> &str {
    error.headers().and_then(|headers| headers.get("sl-violations")?.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn every_operation_is_understood_and_understands_the_answer() {
    let prism = Prism::start();
    let plain = prism.client("dynamic=false", key_and_token);
    for (members, seeds) in [(Members::Required, 0..1), (Members::All, 1..3), (Members::Any, 3..10)] {
        for seed in seeds {
            let made_up = prism.client(&format!("dynamic=true, seed={seed}"), key_and_token);
            for (operation, arguments) in calls(members, seed) {
                let client = if NOT_MADE_UP.contains(&operation) { &plain } else { &made_up };
                if let Err(error) = call(client, operation, &arguments).await {
                    let arguments = Value::from(arguments);
                    panic!("{error}: {}, of {arguments}, answered {:?}", violations(&error), error.body());
                }
            }
        }
    }
}

/// Variants of a body in which a member is missing or is a list of lists.
fn spoiled(body: &Value) -> Vec<Value> {
    let Some(members) = body.as_object() else { return Vec::new() };
    let spoil = |name: &String, value: Option<Value>| {
        let mut spoiled = members.clone();
        spoiled.remove(name);
        spoiled.extend(value.map(|value| (name.clone(), value)));
        spoiled.into()
    };
    members.keys().flat_map(|name| [spoil(name, None), spoil(name, Some(json!([[]])))]).collect()
}

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn our_fake_api_and_prism_refuse_the_same() {
    let (prism, fake) = (Prism::start(), FakeApi::start().unwrap());
    let (theirs, ours) = (prism.client("dynamic=false", key_and_token), fake.client());
    let (mut taken, mut refused) = (0, 0);
    for (operation, (id, mut arguments)) in Endpoint::ALL.iter().zip(calls(Members::All, 1)) {
        call(&ours, id, &arguments).await.unwrap();
        assert_eq!(fake.refused(), Vec::<String>::new(), "what Prism takes is taken");
        let body = arguments.remove("body").unwrap_or_default();
        let mut path = operation.path.to_owned();
        for (name, value) in &arguments {
            path = path.replace(&format!("{{{name}}}"), "a");
            assert!(value.is_string() || !operation.path.contains(name.as_str()));
        }
        if operation.method == "GET" {
            continue;
        }
        for body in spoiled(&body) {
            let send = |client: &Client| {
                let raw = client.raw(operation.method, operation.host, &path);
                raw.body(RawJson::new(body.to_string()).unwrap())
            };
            let theirs = send(&theirs).await.err().is_some_and(|error| !violations(&error).is_empty());
            let _ = send(&ours).await;
            let why = fake.refused();
            assert_eq!(!why.is_empty(), theirs, "{id} of {body}: {why:?}");
            *(if theirs { &mut refused } else { &mut taken }) += 1;
        }
    }
    assert!(refused > 100 && taken > 50, "{refused} refused, {taken} taken");
}

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn prism_still_fails_where_its_made_up_answers_are_not_asked_for() {
    let prism = Prism::start();
    let client = prism.client("dynamic=true, seed=0", key_and_token);
    let mut failed = BTreeSet::new();
    for (operation, arguments) in calls(Members::Required, 0) {
        if let Err(error) = call(&client, operation, &arguments).await {
            assert!(error.to_string().contains("TypeError"), "{error}");
            failed.insert(operation);
        }
    }
    assert_eq!(failed, BTreeSet::from(NOT_MADE_UP));
}

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn every_error_that_the_contract_has_is_told_as_it_came() {
    let (prism, contracts) = (Prism::start(), contracts());
    let mut seen = 0;
    for (operation, (id, arguments)) in Endpoint::ALL.iter().zip(calls(Members::Required, 0)) {
        let contract = &contracts[&operation.host];
        let responses = &contract["paths"][operation.path][operation.method.to_lowercase()]["responses"];
        for (status, response) in responses.as_object().unwrap().iter().filter(|(status, _)| !status.starts_with('2')) {
            let status = status.parse().unwrap_or(418); // For the response `default`.
            let client = prism.client(&format!("dynamic=false, code={status}"), key_and_token);
            let error = call(&client, id, &arguments).await.expect_err("a failure");
            // A refused write responds with results, or with text.
            let mut content = resolve(response, contract)["content"].as_object().unwrap().values();
            let mut fields = Fields::default();
            fields.add(&content.next().unwrap()["schema"], contract);
            let is_problem = fields.properties.iter().any(|(name, _)| *name == "title");
            let kind = if is_problem { ErrorKind::Problem } else { ErrorKind::Status };
            assert_eq!((error.status().unwrap().as_u16(), error.kind()), (status, kind), "{error}: {:?}", error.body());
            seen += 1;
        }
    }
    assert!(seen > Endpoint::ALL.len(), "{seen}");
}

/// Shows that Prism checks requests at all.
#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn prism_refuses_what_the_contract_does_not_allow() {
    let prism = Prism::start();
    let client = prism.client("dynamic=false", key_and_token);
    let get = client.connections().get_connection("p", "c");
    let error = get.refresh(GetConnectionRefresh::from("never")).send().await.unwrap_err();
    assert!(
        violations(&error).contains(r#""location":["request","query","refresh"]"#),
        "{error}: {}",
        violations(&error)
    );

    let create = client.projects().create_project(CreateProjectRequest::new("a", "b", "c"));
    let error = create.send().await.unwrap_err();
    assert!(violations(&error).contains(r#""location":["request","body","name"]"#), "{error}: {}", violations(&error));

    let key = prism.client("dynamic=false", |builder| builder.api_key("key"));
    let error = key.users().get_my_info().send().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 401, "it takes a token alone");
}
