//! Tests of the extractor in an axum server.

use ampersand_notifications::axum::{ReceiveError, Received};
use ampersand_notifications::{Delivery, Secret, Verifier};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use test_support::corpus::payloads;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn receive(Received { delivery, secret }: Received) -> String {
    assert_eq!(secret, 0, "there is one");
    match delivery {
        Delivery::Notification(notification) => {
            format!("{} {}", notification.notification_type, notification.id.unwrap())
        }
        Delivery::Records(records) => format!("{} records", records.message.result.len()),
    }
}

async fn put_aside(received: Result<Received, ReceiveError>) -> Result<String, ReceiveError> {
    match received {
        Ok(_) => Ok("read".to_owned()),
        Err(ReceiveError::Normalize(error)) => Ok(format!("{} bytes put aside", error.into_body().len())),
        Err(error) => Err(error),
    }
}

/// Serves the handlers above, and returns the address.
async fn serve() -> String {
    let app = Router::new()
        .route("/", post(receive))
        .route("/small", post(receive).layer(DefaultBodyLimit::max(100)))
        .route("/put-aside", post(put_aside))
        .with_state(Verifier::new(SECRET).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// The client. It uses no TLS, but still needs a cryptography provider.
fn sender() -> Client {
    test_support::tls::install();
    Client::builder().no_proxy().build().unwrap()
}

fn signed(url: String, body: &str, at: Timestamp) -> RequestBuilder {
    let signature = Secret::new(SECRET).unwrap().sign("msg_1", at, body.as_bytes());
    sender()
        .post(url)
        .header("svix-id", "msg_1")
        .header("svix-timestamp", at.as_second())
        .header("svix-signature", signature)
        .body(body.to_owned())
}

async fn answer(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn every_event_of_a_webhook_is_received() {
    let address = serve().await;
    for payload in payloads("webhook") {
        let request = signed(format!("http://{address}/"), &payload.text, Timestamp::now());
        assert_eq!(answer(request).await, (200, format!("{} msg_1", payload.name)));
    }
}

#[tokio::test]
async fn each_failure_has_its_status_and_says_no_more_than_why() {
    let address = serve().await;
    let body = r#"{"notificationType": "connection.deleted", "data": {"MARKER": 1}}"#;
    let request = |path: &str, body: &str| signed(format!("http://{address}{path}"), body, Timestamp::now());
    let stale = signed(format!("http://{address}/"), body, Timestamp::now() - jiff::SignedDuration::from_hours(1));
    let unsigned = sender().post(format!("http://{address}/")).body(body);
    let (status, text) = answer(stale).await;
    assert!(status == 401 && text.starts_with("it was signed 1h "), "{status} {text}");
    let mut answers = String::new();
    for (name, request) in [
        ("unsigned", unsigned),
        ("changed after it was signed", request("/", body).body("{}")),
        ("not JSON", request("/", "MARKER")),
        ("not its shape", request("/", body)),
        ("larger than the limit", request("/small", &" ".repeat(101))),
        ("within the limit", request("/small", &" ".repeat(100))),
        ("larger than the default limit", request("/", &" ".repeat(3 << 20))),
        ("not its shape, put aside", request("/put-aside", body)),
        ("forged, put aside", request("/put-aside", body).body("{}")),
    ] {
        let (status, text) = answer(request).await;
        assert!(!text.contains("MARKER"), "{text}");
        answers.push_str(&format!("{name}: {status} {text}\n"));
    }
    insta::assert_snapshot!(answers, @"
    unsigned: 401 the request has no header `svix-id`: was it sent as a webhook?
    changed after it was signed: 401 the signature is wrong: check the secret, and that the body is the bytes that came, not parsed and encoded again
    not JSON: 422 not valid JSON at line 1 column 1
    not its shape: 422 not a `connection.deleted`: at $.data: missing field `connectionId`
    larger than the limit: 413 the body is larger than the limit
    within the limit: 422 not valid JSON at line 1 column 100; the body is empty
    larger than the default limit: 413 the body is larger than the limit
    not its shape, put aside: 200 65 bytes put aside
    forged, put aside: 401 the signature is wrong: check the secret, and that the body is the bytes that came, not parsed and encoded again
    ");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_bad_request() {
    let mut stream = TcpStream::connect(serve().await).await.unwrap();
    let chunks =
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\r\nno chunk";
    stream.write_all(chunks.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
}
