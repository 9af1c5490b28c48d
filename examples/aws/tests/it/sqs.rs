//! Tests of the consumer of a queue, without Lambda.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ampersand_inbox::{Inbox, State};
use ampersand_testing::{Fixture, aws};
use axum::Router;
use axum::body::Bytes;
use axum::extract;
use axum::http::HeaderMap;
use axum::routing::post;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// A queue like one of SQS, except that it hides received messages forever.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<Messages>>);

#[derive(Default)]
struct Messages {
    waiting: VecDeque<Value>,
    deleted: Vec<String>,
}

impl Queue {
    /// A queue with the messages of a Lambda event.
    fn new(event: &Value) -> Self {
        let messages = event["Records"].as_array().unwrap().iter().map(|record| {
            let metadata = &record["messageAttributes"]["metadata"]["stringValue"];
            json!({
                "MessageId": record["messageId"],
                "ReceiptHandle": record["messageId"],
                "Body": record["body"],
                "MessageAttributes": {"metadata": {"StringValue": metadata, "DataType": "String"}},
            })
        });
        Self(Arc::new(Mutex::new(Messages { waiting: messages.collect(), ..Messages::default() })))
    }

    async fn serve(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/", post(call)).with_state(self);
        tokio::spawn(async { axum::serve(listener, app).await });
        address
    }

    fn deleted(&self) -> Vec<String> {
        self.0.lock().unwrap().deleted.clone()
    }
}

async fn call(extract::State(queue): extract::State<Queue>, headers: HeaderMap, body: Bytes) -> String {
    let body: Value = serde_json::from_slice(&body).unwrap();
    match headers["x-amz-target"].to_str().unwrap() {
        "AmazonSQS.ReceiveMessage" => {
            assert_eq!(body["MessageAttributeNames"], json!(["All"]));
            let messages: Vec<Value> = {
                let waiting = &mut queue.0.lock().unwrap().waiting;
                let count = waiting.len().min(body["MaxNumberOfMessages"].as_u64().unwrap() as usize);
                waiting.drain(..count).collect()
            };
            if messages.is_empty() {
                sleep(Duration::from_secs(body["WaitTimeSeconds"].as_u64().unwrap())).await;
            }
            json!({ "Messages": messages }).to_string()
        }
        "AmazonSQS.DeleteMessageBatch" => {
            let entries = body["Entries"].as_array().unwrap().iter();
            let handles = entries.map(|entry| entry["ReceiptHandle"].as_str().unwrap().to_owned());
            queue.0.lock().unwrap().deleted.extend(handles);
            json!({"Successful": [], "Failed": []}).to_string()
        }
        other => panic!("{other}"),
    }
}

/// Returns the command that runs the consumer of a queue.
pub(crate) fn consumer(endpoint: &str, queue: &str, inbox: &str) -> Command {
    let mut consumer = Command::new(crate::SQS);
    consumer
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("QUEUE_URL", queue)
        .env("INBOX_URL", inbox)
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    consumer
}

fn start(endpoint: &str, inbox: &str) -> Child {
    consumer(endpoint, &format!("{endpoint}/123456789012/ampersand"), inbox).spawn().unwrap()
}

/// Asks the consumer to stop, and waits until it has.
pub(crate) async fn stop(consumer: &mut Child) {
    let pid = consumer.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let status = timeout(Duration::from_secs(10), consumer.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn messages_are_deleted_once_they_are_stored_and_a_stop_is_graceful() {
    let fixtures: Vec<Fixture> =
        (0..25).map(|index| Fixture::new("connection.created").with_id(format!("evt_{index}"))).collect();
    let mut event = aws::sqs_event(&fixtures);
    event["Records"][3]["body"] = "{".into();
    let queue = Queue::new(&event);
    let endpoint = queue.clone().serve().await;
    let place = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", place.path().join("inbox.db").display());
    let mut consumer = start(&endpoint, &url);

    let all_deleted = async {
        while queue.deleted().len() < fixtures.len() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), all_deleted).await.unwrap();
    // The consumer waits for more messages now.
    stop(&mut consumer).await;

    let inbox = Inbox::open(&url).await.unwrap();
    let [done, dead] = [inbox.list(State::Done, 100).await.unwrap(), inbox.list(State::Dead, 100).await.unwrap()];
    assert_eq!((done.len(), dead.len()), (24, 1));
    assert_eq!(dead[0].id, "evt_3");
}

#[tokio::test]
async fn messages_that_cannot_be_stored_are_not_deleted() {
    let queue = Queue::new(&aws::sqs_event([&Fixture::new("connection.created")]));
    let endpoint = queue.clone().serve().await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("inbox.db");
    let url = format!("sqlite:{}", file.display());
    drop(Inbox::open(&url).await.unwrap());
    let refusal = "CREATE TRIGGER refusal BEFORE INSERT ON delivery BEGIN SELECT RAISE(ABORT, 'refused'); END";
    Connection::open(&file).unwrap().execute_batch(refusal).unwrap();

    let mut consumer = start(&endpoint, &url);
    let mut log = BufReader::new(consumer.stdout.take().unwrap()).lines();
    let is_refused = async { while !log.next_line().await.unwrap().unwrap().contains("messages were not taken") {} };
    timeout(Duration::from_secs(30), is_refused).await.unwrap();
    assert_eq!(queue.deleted().len(), 0);
}
