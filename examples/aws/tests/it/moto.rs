//! A queue of moto, filled as Ampersand fills it, and an event source mapping of the queue.

use std::fs;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::peers;

pub(crate) struct Queue {
    client: Client,
    pub(crate) url: String,
    arn: String,
    /// The URL of the dead letter queue.
    dead: String,
}

impl Queue {
    /// Creates a queue that hides received messages for `visibility` seconds. After `receives` times, they become dead
    /// letters.
    pub(crate) async fn create(name: &str, receives: u32, visibility: u32) -> Self {
        let (name, receives, visibility) =
            (format!("{name}-{}", std::process::id()), receives.to_string(), visibility.to_string());
        let created = queues(&["queue", &name, "--receives", &receives, "--visibility", &visibility]);
        let text = |name: &str| created[0][name].as_str().unwrap().to_owned();
        Self { client: Client::new(&config().await), url: text("url"), arn: text("arn"), dead: text("dead") }
    }

    /// Sends Kinesis records as queue messages.
    pub(crate) fn send(&self, records: &[String]) -> Vec<Value> {
        with_file(records, |file| queues(&["send", &self.url, file]))
    }

    /// Puts Kinesis records as objects into a bucket, which notifies the queue.
    pub(crate) fn put(&self, bucket: &str, records: &[String]) -> Vec<Value> {
        with_file(records, |file| queues(&["put", bucket, file, "--queue", &self.url]))
    }

    /// Invokes a function with messages, and deletes those that it does not report as failed, until the queue is empty.
    /// Failed messages come again, and become dead letters in the end.
    pub(crate) async fn map(&self, mut function: impl AsyncFnMut(Value) -> Option<Vec<String>>) {
        while !self.is_empty().await {
            let messages = self.receive(&self.url).await;
            if messages.is_empty() {
                sleep(Duration::from_millis(50)).await;
                continue;
            }
            let records: Vec<Value> = messages.iter().map(|message| self.as_lambda_has_it(message)).collect();
            let Some(failed) = function(json!({"Records": records})).await else { continue };
            for message in messages {
                if !failed.contains(&message.message_id.unwrap()) {
                    let handle = message.receipt_handle.unwrap();
                    self.client.delete_message().queue_url(&self.url).receipt_handle(handle).send().await.unwrap();
                }
            }
        }
    }

    fn as_lambda_has_it(&self, message: &Message) -> Value {
        let attributes = message.message_attributes.iter().flatten().map(|(name, value)| {
            (name.clone(), json!({"stringValue": value.string_value, "dataType": value.data_type}))
        });
        json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": {},
            "messageAttributes": attributes.collect::<Map<_, _>>(),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.arn,
        })
    }

    async fn receive(&self, url: &str) -> Vec<Message> {
        let receive = self.client.receive_message().queue_url(url).message_attribute_names("All");
        receive.max_number_of_messages(10).send().await.unwrap().messages.unwrap_or_default()
    }

    /// How many messages are visible, and how many are hidden. moto counts one after the other, so it misses a message that
    /// becomes visible in between.
    pub(crate) async fn count(&self) -> [usize; 2] {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let get = self.client.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names.to_vec()));
        let attributes = get.send().await.unwrap().attributes.unwrap();
        names.map(|name| attributes[&name].parse().unwrap())
    }

    /// Counts twice: the second count finds a message that the first one missed.
    pub(crate) async fn is_empty(&self) -> bool {
        self.count().await == [0, 0] && self.count().await == [0, 0]
    }

    /// The dead letters.
    pub(crate) async fn dead(&self) -> Vec<Message> {
        let mut dead = Vec::new();
        loop {
            match self.receive(&self.dead).await {
                more if more.is_empty() => return dead,
                more => dead.extend(more),
            }
        }
    }
}

fn with_file<T>(records: &[String], work: impl FnOnce(&str) -> T) -> T {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("records");
    fs::write(&file, records.join("\n")).unwrap();
    work(file.to_str().unwrap())
}

/// Deletes an object.
pub(crate) async fn remove(bucket: &str, key: &str) {
    let client = aws_sdk_s3::Client::new(&config().await);
    client.delete_object().bucket(bucket).key(key).send().await.unwrap();
}

async fn config() -> SdkConfig {
    let config = aws_examples::aws()
        .credentials_provider(Credentials::new("key", "secret", None, None, "the test"))
        .endpoint_url(peers::setting("PEERS_MOTO"))
        .region(Region::from_static("us-east-1"));
    config.load().await
}

/// Runs `queues.py`, and returns what it prints.
fn queues(arguments: &[&str]) -> Vec<Value> {
    let output = peers::python("queues.py", "PEERS_MOTO").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = str::from_utf8(&output.stdout).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}
