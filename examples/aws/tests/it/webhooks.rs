//! Tests of the function for webhooks, with its inbox in a file.

use std::time::Duration;

use ampersand_inbox::{Inbox, State};
use ampersand_testing::{Fixture, Sent, aws};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::WEBHOOKS;
use crate::runtime_api::{Answer, Function};

const SECRET: &str = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkb2N1bWVudA==";
const OTHER: &str = "whsec_YSBzZWNyZXQgb2Ygc29tZWJvZHkgZWxzZSwgaXQgc2VlbXM=";
const MINUTE: Duration = Duration::from_secs(60);

fn shapes(webhook: &Sent) -> [(&'static str, Value); 5] {
    let mut function_url = aws::http_api_event(webhook);
    function_url["requestContext"]["domainName"] = "abc.lambda-url.us-east-1.on.aws".into();
    [
        ("REST API", aws::api_gateway_event(webhook)),
        ("HTTP API", aws::http_api_event(webhook)),
        ("function URL", function_url),
        ("ALB", aws::alb_event(webhook)),
        ("ALB with multi-value headers", aws::alb_multi_value_event(webhook)),
    ]
}

async fn start() -> (Function, String, TempDir) {
    let place = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", place.path().join("inbox.db").display());
    let function = Function::start(WEBHOOKS, &[("INBOX_URL", &url), ("WEBHOOK_SECRET", SECRET)]).await;
    (function, url, place)
}

async fn status(function: &Function, event: &Value) -> u64 {
    match function.invoke(event, MINUTE).await {
        Answer::Response(response) => response["statusCode"].as_u64().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_webhook_of_every_shape_is_stored_before_it_is_answered() {
    let (function, url, _place) = start().await;
    println!("the first request for an event came after {:?}", function.cold_start);
    let mut stored = Vec::new();
    for index in 0..5 {
        let webhook = Fixture::new("installation.created").with_id(format!("evt_{index}")).signed_now(SECRET).unwrap();
        let (shape, mut event) = shapes(&webhook).into_iter().nth(index).unwrap();
        if index % 2 == 0 {
            event["body"] = STANDARD.encode(&webhook.body).into();
            event["isBase64Encoded"] = true.into();
        }
        assert_eq!(status(&function, &event).await, 204, "{shape}");
        stored.push(webhook.body);
    }
    let inbox = Inbox::open(&url).await.unwrap();
    let entries = inbox.list(State::Ready, 10).await.unwrap();
    assert_eq!(entries.len(), 5);
    for entry in entries {
        let found = inbox.show(&entry.source, &entry.id).await.unwrap().unwrap();
        assert!(stored.contains(&found.body.unwrap()), "{}", entry.id);
    }
}

#[tokio::test]
async fn a_webhook_of_every_shape_is_refused_where_its_signature_is_wrong() {
    let (function, url, _place) = start().await;
    for (shape, event) in shapes(&Fixture::new("installation.created").signed_now(OTHER).unwrap()) {
        assert_eq!(status(&function, &event).await, 401, "{shape}");
    }
    let inbox = Inbox::open(&url).await.unwrap();
    assert_eq!(inbox.list(State::Ready, 10).await.unwrap(), []);
}

#[tokio::test]
async fn hostile_requests_end_no_function() {
    let (function, _, _place) = start().await;
    let webhook = Fixture::new("installation.created").signed_now(SECRET).unwrap();
    let good = aws::http_api_event(&webhook);
    let mut events = vec![json!({}), json!("")];
    for (path, value) in [
        ("/headers/host", json!("[")),
        ("/headers/host", json!("a b")),
        ("/rawPath", json!("//")),
        ("/rawPath", json!(null)),
        ("/body", json!("%")),
        ("/requestContext/stage", json!("../")),
    ] {
        let mut event = good.clone();
        event["isBase64Encoded"] = (path == "/body").into();
        event["headers"]["host"] = "example.com".into();
        *event.pointer_mut(path).unwrap() = value;
        events.push(event);
    }
    for event in events {
        let answer = function.invoke(&event, MINUTE).await;
        let is_refused = match &answer {
            Answer::Response(response) => response["statusCode"] == 404,
            Answer::Error(_) => true,
            Answer::Timeout => false,
        };
        assert!(is_refused, "{event}: {answer:?}");
    }
    assert_eq!(status(&function, &good).await, 204);
}
