//! Tests of the function for a Kinesis stream.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ampersand_testing::{Fixture, aws};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::put;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::runtime_api::{Answer, Function};
use crate::{KINESIS, SCRIPTED, script};

const MINUTE: Duration = Duration::from_secs(60);

type Objects = Arc<Mutex<Vec<(String, Bytes)>>>;

/// A bucket `parked`, which is full or takes every object.
async fn bucket(is_full: bool) -> (String, Objects) {
    let objects = Objects::default();
    let stored = objects.clone();
    let store = put(async move |Path(key): Path<String>, body: Bytes| {
        if is_full {
            return (StatusCode::FORBIDDEN, "<Error><Code>AccessDenied</Code></Error>");
        }
        stored.lock().unwrap().push((key, body));
        (StatusCode::OK, "")
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/{*key}", store);
    tokio::spawn(async { axum::serve(listener, app).await });
    (address, objects)
}

async fn start(endpoint: &str) -> Function {
    Function::start(KINESIS, &[("PARK_BUCKET", "parked"), ("AWS_ENDPOINT_URL", endpoint)]).await
}

fn numbered(count: usize) -> Vec<Fixture> {
    (0..count).map(|index| Fixture::new("connection.created").with_id(index.to_string())).collect()
}

fn number(event: &Value, index: usize) -> &str {
    event["Records"][index]["kinesis"]["sequenceNumber"].as_str().unwrap()
}

fn failed(number: &str) -> Answer {
    Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": number}]}))
}

fn all_done() -> Answer {
    Answer::Response(json!({"batchItemFailures": []}))
}

#[tokio::test]
async fn it_starts_fast() {
    let function = start("http://127.0.0.1:1").await;
    println!("the first request for an event came after {:?}", function.cold_start);
    assert!(function.cold_start < Duration::from_millis(250), "{:?}", function.cold_start);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_parked_and_blocks_nobody() {
    let (endpoint, objects) = bucket(false).await;
    let function = start(&endpoint).await;
    let mut event = aws::kinesis_event(&numbered(3));
    event["Records"][1]["kinesis"]["data"] = "%".into();
    assert_eq!(function.invoke(&event, MINUTE).await, all_done());
    // A repeat stores the same object.
    assert_eq!(function.invoke(&event, MINUTE).await, all_done());
    let objects = objects.lock().unwrap();
    let [(key, body), (again, _)] = objects.as_slice() else { panic!("{objects:?}") };
    assert_eq!(*key, format!("parked/unreadable/{}.json", number(&event, 1)));
    assert_eq!(key, again);
    assert_eq!(serde_json::from_slice::<Value>(body).unwrap(), event["Records"][1]);
    assert!(function.log().contains("a record that cannot be read is parked"), "{}", function.log());
}

#[tokio::test]
async fn a_record_that_cannot_be_parked_comes_again() {
    let (endpoint, _) = bucket(true).await;
    let function = start(&endpoint).await;
    let mut event = aws::kinesis_event(&numbered(3));
    event["Records"][1]["kinesis"]["data"] = "c2VjcmV0".into();
    assert_eq!(function.invoke(&event, MINUTE).await, failed(number(&event, 1)));
    let log = function.log();
    assert!(log.contains("Lambda sends a record again") && log.contains(number(&event, 1)), "{log}");
    assert!(log.contains("AccessDenied"), "{log}");
    assert!(!log.contains("c2VjcmV0") && !log.contains("secret"), "{log}");
}

#[tokio::test]
async fn a_string_that_is_not_valid_is_a_fault_of_its_record_alone() {
    let (endpoint, objects) = bucket(false).await;
    let function = start(&endpoint).await;
    let event = aws::kinesis_event(&numbered(2)).to_string();
    let event = event.replacen("\"partitionKey\":\"1\"", r#""partitionKey":"\ud800""#, 1);
    assert_eq!(function.invoke_raw(event, MINUTE).await, all_done());
    assert!(objects.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_event_is_an_error_and_the_function_goes_on() {
    let function = start("http://127.0.0.1:1").await;
    for event in ["{", "null", r#"{"Records": [{"sequenceNumber": ""}]}"#] {
        let Answer::Error(error) = function.invoke_raw(event.to_owned(), MINUTE).await else { panic!("{event}") };
        assert!(error["errorMessage"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    }
    assert_eq!(function.invoke(&aws::kinesis_event(&numbered(1)), MINUTE).await, all_done());
}

#[tokio::test]
async fn a_batch_of_large_records_is_handled() {
    let function = start("http://127.0.0.1:1").await;
    let large = Fixture::new("connection.created").set("/connection/note", "x".repeat(300_000));
    // 15 records of 300 KB, in base64, reach Lambda's limit of 6 MB.
    let event = aws::kinesis_event(std::iter::repeat_n(&large, 15));
    assert!(event.to_string().len() > 5_900_000 && event.to_string().len() < 6 * 1024 * 1024);
    let begun = Instant::now();
    assert_eq!(function.invoke(&event, MINUTE).await, all_done());
    println!("15 records of 300 KB took {:?}", begun.elapsed());
}

#[tokio::test]
async fn the_first_record_that_fails_is_reported_whatever_the_handler_does() {
    for outcome in ["fail", "panic", "hang"] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let questions = asked.clone();
        let script = script::serve(move |question| {
            questions.lock().unwrap().push(question.to_owned());
            if question == "1" { outcome } else { "ok" }
        });
        let function = script::start(SCRIPTED, "kinesis", &script.await).await;
        let event = aws::kinesis_event(&numbered(3));
        // One second of it is the margin for the response.
        let answer = function.invoke(&event, Duration::from_secs(3)).await;
        assert_eq!(answer, failed(number(&event, 1)), "{outcome}");
        assert_eq!(*asked.lock().unwrap(), ["0", "1"], "{outcome}");
    }
}

#[tokio::test]
async fn every_message_that_fails_is_reported_whatever_the_handler_does() {
    let outcomes = ["ok", "fail", "panic", "hang"];
    let script = script::serve(move |question| outcomes[question.parse::<usize>().unwrap()]).await;
    let function = script::start(SCRIPTED, "sqs", &script).await;
    let answer = function.invoke(&aws::sqs_event(&numbered(4)), Duration::from_secs(3)).await;
    let failures: Vec<Value> = ["1", "2", "3"].map(|id| json!({ "itemIdentifier": id })).to_vec();
    assert_eq!(answer, Answer::Response(json!({ "batchItemFailures": failures })));
}
