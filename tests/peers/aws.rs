//! What Kinesis, S3 and SQS make of a notification on its way.

use std::collections::BTreeMap;

use ampersand_notifications::{Delivery, NormalizeError, Notification, from_attributes, from_kinesis, from_s3};
use ampersand_types::notifications::NotificationType;
use serde_json::{Value, json};

use crate::corpus::{Payload, metadata, payloads};
use crate::{Peer, decode};

/// Amazon's own client, with a server of moto behind it.
struct Aws(Peer);

impl Aws {
    fn start() -> Self {
        Self(Peer::start("aws.py", &[]))
    }

    fn call(&mut self, service: &str, call: &str, arguments: Value) -> Value {
        self.0.ask(&json!({"service": service, "call": call, "arguments": arguments}))
    }
}

/// The corpus holds every type, so nothing of this runs on nothing.
fn all(envelope: &str) -> Vec<Payload> {
    let payloads = payloads(envelope);
    assert_eq!(payloads.len(), NotificationType::KNOWN.len());
    payloads
}

fn attributes(envelope: &str, payload: &Payload) -> BTreeMap<String, String> {
    serde_json::from_str(&metadata(envelope, &payload.name)).unwrap()
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(value.clone()).unwrap()
}

/// What was delivered is what was sent, to the byte.
fn check(sent: &Payload, delivered: Result<Delivery, NormalizeError>) -> Notification {
    let Ok(Delivery::Notification(notification)) = delivered else { panic!("{}: {delivered:?}", sent.name) };
    assert_eq!(notification.notification_type.as_str(), sent.name);
    assert_eq!(notification.raw.body(), sent.text);
    assert!(notification.id.is_some() && notification.timestamp.is_some(), "{}", sent.name);
    notification
}

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn a_record_of_kinesis_is_the_notification_that_was_put() {
    let mut aws = Aws::start();
    aws.call("kinesis", "create_stream", json!({"StreamName": "events", "ShardCount": 1}));
    let sent = all("kinesis");
    for payload in &sent {
        aws.call("kinesis", "put_record", json!({"StreamName": "events", "PartitionKey": "p", "Data": payload.text}));
    }
    let shard = json!({"StreamName": "events", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = aws.call("kinesis", "get_shard_iterator", shard)["ShardIterator"].take();
    let records = aws.call("kinesis", "get_records", json!({"ShardIterator": iterator}))["Records"].take();
    let records = records.as_array().unwrap();
    assert_eq!(records.len(), sent.len());
    for (payload, record) in sent.iter().zip(records) {
        check(payload, from_kinesis(decode(&record["Data"])));
    }
}

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn the_type_is_found_in_the_metadata_of_an_object_as_s3_spells_it() {
    let mut aws = Aws::start();
    aws.call("s3", "create_bucket", json!({"Bucket": "events"}));
    for payload in all("s3") {
        let metadata = attributes("attributes", &payload); // as the sender spells it
        let object = json!({"Bucket": "events", "Key": payload.name});
        let mut put = object.clone();
        put["Body"] = payload.text.as_str().into();
        put["Metadata"] = json!(metadata);
        aws.call("s3", "put_object", put);

        let body = decode(&aws.call("s3", "get_object", object.clone())["Body"]);
        let spelled = strings(&aws.call("s3", "head_object", object)["Metadata"]);
        assert!(spelled.contains_key("notificationtype"), "{spelled:?}");
        let notification = check(&payload, from_s3(body, spelled));
        for (name, value) in &metadata {
            assert_eq!(notification.metadata.get(name), Some(value.as_str()), "{}: {name}", payload.name);
        }
    }
}

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn the_type_is_found_in_the_attribute_of_an_sqs_message() {
    let mut aws = Aws::start();
    let queue = aws.call("sqs", "create_queue", json!({"QueueName": "events"}))["QueueUrl"].take();
    for payload in all("sqs") {
        let attributes: BTreeMap<String, Value> = attributes("sqs", &payload)
            .into_iter()
            .map(|(name, value)| (name, json!({"DataType": "String", "StringValue": value})))
            .collect();
        let message = json!({"QueueUrl": queue, "MessageBody": payload.text, "MessageAttributes": attributes});
        aws.call("sqs", "send_message", message);

        let wanted = json!({"QueueUrl": queue, "MessageAttributeNames": ["All"]});
        let received = aws.call("sqs", "receive_message", wanted)["Messages"][0].take();
        let attributes = received["MessageAttributes"].as_object().unwrap().iter();
        let attributes = attributes.map(|(name, value)| (name, value["StringValue"].as_str().unwrap()));
        check(&payload, from_attributes(received["Body"].as_str().unwrap().as_bytes(), attributes));

        let done = json!({"QueueUrl": queue, "ReceiptHandle": received["ReceiptHandle"]});
        aws.call("sqs", "delete_message", done);
    }
}
