//! `ampersand api` calls every operation, and Prism judges the requests.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use ampersand_client::Endpoint;
use heck::ToKebabCase as _;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use test_support::values::Members;

use crate::cli::ampersand;
use crate::prism::{NOT_MADE_UP, Prism, calls, contracts};

/// How a command gets the body of its request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// The whole body from stdin, with `--json -`.
    Stdin,
    /// Each field from a file, with `--set FIELD=@FILE`: arguments must not hold credentials.
    Fields,
}

/// The options that set the fields of a body. A body without fields comes from stdin.
fn set(fields: &Map<String, Value>, folder: &Path) -> Vec<String> {
    let options = fields.iter().map(|(name, value)| {
        let file = folder.join(name);
        fs::write(&file, text(value)).unwrap();
        format!("--set={name}=@{}", file.display())
    });
    options.collect()
}

/// A value as an argument: text stays as it is.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn run(prism: &Prism, arguments: &[String], stdin: &str) -> Output {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = ampersand(&arguments);
    for (host, url) in &prism.urls {
        command.env(format!("AMPERSAND_{}_URL", host.name().to_uppercase()), url);
    }
    command.env("AMPERSAND_API_KEY", "key").env("AMPERSAND_BEARER_TOKEN", "token");
    let mut command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Commands that need no stdin do not read it.
    let _ = command.stdin.take().unwrap().write_all(stdin.as_bytes());
    command.wait_with_output().unwrap()
}

/// Whether the response of success has a body in the contract.
fn has_content(operation: &Endpoint, contract: &Value) -> bool {
    let described = &contract["paths"][operation.path][operation.method.to_lowercase()];
    let responses = described["responses"].as_object().unwrap().iter();
    let mut successes = responses.filter(|(status, _)| status.starts_with('2'));
    successes.any(|(_, response)| response["content"].as_object().is_some_and(|content| !content.is_empty()))
}

/// The value, with its numbers as JavaScript reads them.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        other => other,
    }
}

/// Calls an operation with the command. Checks the request and the output.
fn call(prism: &mut Prism, operation: &Endpoint, contract: &Value, mut given: Map<String, Value>, way: Body) {
    let folder = TempDir::new().unwrap();
    let mut arguments = ["api".to_owned(), operation.id.to_kebab_case(), "--output=json".to_owned()].to_vec();
    let body = given.remove("body");
    let mut stdin = String::new();
    match &body {
        Some(Value::Object(fields)) if way == Body::Fields && !fields.is_empty() => {
            arguments.extend(set(fields, folder.path()));
        }
        Some(body) => {
            arguments.push("--json=-".to_owned());
            stdin = body.to_string();
        }
        None => {}
    }
    let (mut path, mut query) = (operation.path.to_owned(), Map::new());
    for (name, value) in &given {
        arguments.push(format!("--{}={}", name.to_kebab_case(), text(value)));
        let place = format!("{{{name}}}");
        if path.contains(&place) {
            path = path.replace(&place, &text(value));
        } else {
            query.insert(name.clone(), text(value).into());
        }
    }

    let output = run(prism, &arguments, &stdin);
    let said = format!("{arguments:?} of {stdin}: {}", String::from_utf8_lossy(&output.stderr));
    let expected =
        json!([{ "method": operation.method, "path": path, "query": query, "body": body, "violations": [] }]);
    assert_eq!(rounded(prism.requests()), rounded(expected), "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
    let printed = serde_json::from_slice::<Value>(&output.stdout);
    let is_fine = if has_content(operation, contract) { printed.is_ok() } else { output.stdout.is_empty() };
    assert!(is_fine, "{said} printed {}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn every_operation_is_called_with_what_it_needs() {
    let (mut prism, contracts) = (Prism::start(), contracts());
    prism.prefer(&json!({ "dynamic": false }));
    for (operation, (id, mut given)) in Endpoint::ALL.iter().zip(calls(Members::Required, 0)) {
        if id == "createOrgInvite" {
            // The contract requires an email address inside an optional body. The command requires both.
            given.insert("body".to_owned(), json!({ "email": "ada@example.com" }));
        }
        call(&mut prism, operation, &contracts[&operation.host], given, Body::Fields);
    }
}

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn every_operation_is_called_with_all_that_it_takes() {
    let (mut prism, contracts) = (Prism::start(), contracts());
    for (operation, (id, given)) in Endpoint::ALL.iter().zip(calls(Members::All, 1)) {
        prism.prefer(&json!({ "dynamic": !NOT_MADE_UP.contains(&id), "seed": 1 }));
        call(&mut prism, operation, &contracts[&operation.host], given, Body::Stdin);
    }
}
