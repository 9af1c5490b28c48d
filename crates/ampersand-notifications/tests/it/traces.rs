//! With the feature `tracing`, refusals are events that show no body, header or secret.

use ampersand_notifications::Verifier;
use ampersand_notifications::axum::{ReceiveError, Received};
use axum::Router;
use axum::routing::post;
use test_support::log::Log;
use tokio::net::TcpListener;

#[tokio::test]
async fn refused_deliveries_are_events() {
    async fn receive(received: Result<Received, ReceiveError>) -> &'static str {
        received.map_or("put aside", |_| "received")
    }
    let (log, _guard) = Log::of_this_thread();
    let verifier = Verifier::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(
        async move { axum::serve(listener, Router::new().route("/", post(receive)).with_state(verifier)).await },
    );
    test_support::tls::install();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(client.post(url).body("SECRET").send().await.unwrap().text().await.unwrap(), "put aside");
    insta::assert_snapshot!(log.lines("ampersand_notifications"), @"WARN ampersand_notifications::axum: refused a delivery status=401 reason=the request has no header `svix-id`: was it sent as a webhook?");
}
