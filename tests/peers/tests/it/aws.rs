//! How Kinesis, S3 and SQS deliver a notification.

use std::collections::BTreeMap;
use std::time::Duration;

use ampersand_notifications::{
    Delivery, NormalizeError, Notification, Policy, ResolveError, Resolver, from_attributes, from_kinesis, from_s3,
    from_webhook,
};
use ampersand_types::notifications::NotificationType;
use ampersand_types::{ConfigSource, SignedUrl};
use serde_json::{Value, json};

use crate::{Peer, decode};
use test_support::corpus::{Payload, metadata, payloads};

/// Amazon's own client, with a moto server.
struct Aws(Peer);

impl Aws {
    fn start() -> Self {
        Self(Peer::start("aws.py", &[]))
    }

    /// Returns a signed URL of an object in the bucket `events`.
    fn presign(&mut self, version: &str, key: &str, seconds: u32) -> SignedUrl {
        let object = json!({"Bucket": "events", "Key": key});
        let arguments = json!({"ClientMethod": "get_object", "Params": object, "ExpiresIn": seconds});
        let question = json!({"service": "s3", "signature_version": version, "call": "generate_presigned_url",
            "arguments": arguments});
        SignedUrl::from(self.0.ask(&question).as_str().unwrap())
    }

    fn call(&mut self, service: &str, call: &str, arguments: Value) -> Value {
        self.0.ask(&json!({"service": service, "call": call, "arguments": arguments}))
    }
}

/// The payloads of an envelope. Checks that there is one of every type.
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

/// Checks that a delivery is byte for byte what was sent.
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

/// This does not test how S3 refuses expired and forged URLs, because moto serves both.
#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn what_was_put_on_s3_is_downloaded_to_the_byte() {
    let mut aws = Aws::start();
    aws.call("s3", "create_bucket", json!({"Bucket": "events"}));
    let policy = Policy { allow_http: true, allow_private_addresses: true, ..Policy::default() };
    let resolver = Resolver::new(policy).unwrap();
    for Payload { name, text } in payloads("config") {
        let key = format!("a b/ü?&+{name}");
        aws.call("s3", "put_object", json!({"Bucket": "events", "Key": key, "Body": text}));
        for version in ["s3v4", "s3"] {
            let url = aws.presign(version, &key, 900);
            let config = resolver.config(ConfigSource::Url(&url)).await.unwrap();
            assert_eq!(config.as_str(), text.trim(), "{name}");
            let mut written = Vec::new();
            assert_eq!(resolver.download(&url, &mut written).await.unwrap(), text.len() as u64);
            assert_eq!(written, text.as_bytes(), "{name}");
        }
    }
    for version in ["s3v4", "s3"] {
        let missing = aws.presign(version, "missing", 900);
        let error = resolver.config(ConfigSource::Url(&missing)).await.unwrap_err();
        assert!(matches!(error, ResolveError::Gone), "{error}");

        let short = aws.presign(version, "missing", 1);
        std::thread::sleep(Duration::from_millis(2100)); // because the URL's time is in whole seconds
        let error = resolver.config(ConfigSource::Url(&short)).await.unwrap_err();
        assert!(matches!(error, ResolveError::Expired { at } if at == short.expires_at() && at.is_some()), "{error}");
    }
}

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn records_that_are_on_s3_are_downloaded() {
    let mut aws = Aws::start();
    aws.call("s3", "create_bucket", json!({"Bucket": "events"}));
    let Payload { text, .. } =
        payloads("messages").into_iter().find(|payload| payload.name == "read.triggered.inline").unwrap();
    let mut message: Value = serde_json::from_str(&text).unwrap();
    let many: Vec<&Value> = message["result"].as_array().unwrap().iter().cycle().take(20_000).collect();
    let body = json!(many).to_string();
    let count = many.len();
    aws.call("s3", "put_object", json!({"Bucket": "events", "Key": "records", "Body": body}));
    let url = aws.presign("s3v4", "records", 900);
    message["result"] = json!([]);
    message["resultInfo"] = json!({"type": "url", "numRecords": count, "downloadUrl": url.expose_secret()});

    let Ok(Delivery::Records(records)) = from_webhook(message.to_string().as_bytes()) else { panic!("{message}") };
    let policy = Policy { allow_http: true, allow_private_addresses: true, ..Policy::default() };
    let downloaded = Resolver::new(policy).unwrap().records(&records).await.unwrap().into_owned();
    assert_eq!(downloaded.len(), count);
    assert_eq!(serde_json::to_value(&downloaded).unwrap(), serde_json::from_str::<Value>(&body).unwrap());
}
