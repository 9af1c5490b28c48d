//! Tests of the command `ampersand` with the libraries of Svix and of Standard Webhooks as its peers.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use ampersand_types::notifications::NotificationType;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::Value;

use crate::signatures::{Library, OTHER, SECRET, VERIFIED, headers, now};
use test_support::corpus::payloads;

/// The command from the current build.
pub(crate) fn ampersand(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("PEERS_AMPERSAND").expect("run by `cargo xtask peers`"));
    command.args(arguments).env("AMPERSAND_WEBHOOK_SECRET", SECRET).stdin(Stdio::null());
    command
}

type Request = (BTreeMap<String, String>, Bytes);

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn what_is_triggered_their_libraries_verify() {
    async fn receive(State(taken): State<Arc<Mutex<Vec<Request>>>>, headers: HeaderMap, body: Bytes) {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        taken.lock().unwrap().push((headers.collect(), body));
    }
    let taken = Arc::<Mutex<Vec<Request>>>::default();
    let app = Router::new().fallback(receive).with_state(taken.clone());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, app).await });

    assert!(ampersand(&["trigger", "--all", "--to", &url]).output().unwrap().status.success());
    let taken = std::mem::take(&mut *taken.lock().unwrap());
    assert_eq!(taken.len(), NotificationType::KNOWN.len() + 2);
    for mut library in Library::all().into_iter().filter(|library| library.svix) {
        for (headers, body) in &taken {
            assert_eq!(library.verify(SECRET, headers, body), VERIFIED, "{library}");
            assert_ne!(library.verify(OTHER, headers, body), VERIFIED, "{library}");
        }
    }
}

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn what_their_libraries_sign_is_let_in() {
    let arguments = ["listen", "127.0.0.1:0", "--output", "json"];
    let mut listen = ampersand(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(listen.stderr.take().unwrap()).read_line(&mut said).unwrap();
    let url = said.strip_prefix("listening at ").unwrap().split(',').next().unwrap();
    test_support::tls::install();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let status = |headers: &BTreeMap<String, String>, body: &str| {
        let request = client.post(url).header("content-type", "application/json").body(body.to_owned());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        runtime.block_on(request.send()).unwrap().status().as_u16()
    };
    let mut sent = Vec::new();
    for mut library in Library::all() {
        for payload in payloads("webhook") {
            let (id, now) = (format!("msg_{}", sent.len()), now());
            let mut signed = |secret: &str| {
                let signature = library.sign(secret, &id, now, payload.text.as_bytes());
                headers(library.names()[0], &id, now, &signature)
            };
            assert_eq!(status(&signed(SECRET), &payload.text), 204, "{library}: {}", payload.name);
            assert_eq!(status(&signed(OTHER), &payload.text), 401, "{library}: {}", payload.name);
            sent.push(id);
        }
    }
    listen.kill().unwrap();
    let mut printed = String::new();
    listen.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    listen.wait().unwrap();
    let ids: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].take()).collect();
    assert_eq!(ids, sent, "each was read as it was sent");
}
