//! With the feature `tracing`, what goes wrong can be observed, and shows no body, URL or secret.

use std::io;
use std::sync::{Arc, Mutex};

use ampersand_client::{Client, Host};
use ampersand_notifications::Verifier;
use ampersand_notifications::axum::{ReceiveError, Received};
use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;

use crate::server::{Server, response};

/// Where the log is written to.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs what happens on this thread, as long as the guard lives.
fn logged() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone());
    (log, tracing::subscriber::set_default(subscriber.finish()))
}

/// The lines of one crate.
fn lines(log: &Log, target: &str) -> String {
    log.text().lines().filter(|line| line.contains(target)).map(|line| format!("{}\n", line.trim_start())).collect()
}

#[tokio::test]
async fn refused_deliveries_are_events() {
    async fn receive(received: Result<Received, ReceiveError>) -> &'static str {
        received.map_or("put aside", |_| "received")
    }
    let (log, _guard) = logged();
    let verifier = Verifier::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(
        async move { axum::serve(listener, Router::new().route("/", post(receive)).with_state(verifier)).await },
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(client.post(url).body("SECRET").send().await.unwrap().text().await.unwrap(), "put aside");
    insta::assert_snapshot!(lines(&log, "ampersand_notifications"), @"WARN ampersand_notifications::axum: refused a delivery status=401 reason=the request has no header `svix-id`: was it sent as a webhook?");
}

#[tokio::test]
async fn attempts_of_calls_are_spans_and_those_that_fail_are_events() {
    let (log, _guard) = logged();
    let busy = response(503, "Retry-After: 0\r\n", r#"{"detail": "SECRET"}"#);
    let server = Server::script([busy.clone(), busy, response(200, "", "[]")]);
    let url = server.url("/").expose_secret().to_owned();
    let client = Client::builder().api_key("SECRET").base_url(Host::Api, url).build().unwrap();
    client.projects().list_projects().send().await.unwrap();
    let lines = lines(&log, "ampersand_client");
    assert!(!log.text().contains("SECRET"));
    let told = lines.split(" again_in=").collect::<Vec<_>>();
    assert!(told.len() == 3 && told[1].starts_with("Some("), "{lines}");
    insta::assert_snapshot!(told[0], @r#"WARN ampersand_client::client: an attempt failed operation="listProjects" attempt=1 status=503"#);
}
