//! Advice on the likely mistake when a body is not a delivery: a service wraps it, or it is encoded.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

type Object<'t> = BTreeMap<String, &'t RawValue>;

/// Advice from the body.
pub(crate) fn of_body(body: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}').trim();
    let Some(first) = text.as_bytes().first() else { return Some("the body is empty") };
    match first {
        b'{' => wrapper(&serde_json::from_str(text).ok()?),
        b'[' => Some("the body is an array: read each of its items"),
        b'"' => {
            let text: String = serde_json::from_str(text).ok()?;
            let is_json = text.trim_start().starts_with('{');
            if is_json { Some("the body is JSON in a JSON string: decode the string first") } else { encoded(&text) }
        }
        _ => encoded(text),
    }
}

/// Advice from the names in the metadata.
pub(crate) fn of_metadata(names: &[String]) -> Option<&'static str> {
    const SYSTEM: [&str; 4] =
        ["ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "SenderId", "SentTimestamp"];
    let is_system = names.iter().any(|name| SYSTEM.contains(&name.as_str()));
    let is_packed = names.iter().any(|name| name == "metadata");
    match () {
        () if is_system => Some("these are the `attributes` that SQS itself sets: pass the `messageAttributes`"),
        () if is_packed => Some("the attribute `metadata` should hold a JSON object, and does not"),
        () => None,
    }
}

/// Recognises JSON in base64, also with line breaks or without padding.
fn encoded(text: &str) -> Option<&'static str> {
    let start: String = text.chars().filter(|c| !c.is_ascii_whitespace()).take(16).collect();
    let start = STANDARD.decode(start).ok()?;
    let json = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start).trim_ascii_start();
    json.starts_with(b"{").then_some("the body is base64: decode it first")
}

/// Recognises the wrapper of a service by its members.
fn wrapper(body: &Object<'_>) -> Option<&'static str> {
    let has = |names: &[&str]| names.iter().all(|name| body.contains_key(*name));
    if let Some(records) = body.get("Records") {
        let records: Vec<Object<'_>> = serde_json::from_str(records.get()).unwrap_or_default();
        return records
            .first()
            .map(|first| record(first).unwrap_or("the body is a batch of records: read each record"));
    }
    if let Some(wrapped) = record(body) {
        return Some(wrapped);
    }
    Some(match () {
        () if has(&["Messages"]) => {
            "the body is the output of `aws sqs receive-message`: read the `Body` of each message, with its `MessageAttributes`"
        }
        () if has(&["notificationType"]) && !has(&["data"]) && body.len() > 1 => {
            "`notificationType` stands among the members of the payload, which belongs in `data` beside it"
        }
        () if is_wrapped_twice(body) => "`data` holds an envelope of its own: read that one",
        () if has(&["SubscribeURL", "TopicArn"]) => {
            "the body is a confirmation of a subscription to SNS, which carries no delivery: visit its `SubscribeURL`"
        }
        () if has(&["Type", "Message", "TopicArn"]) => {
            "the body is a notification of SNS: read its `Message`, with its `MessageAttributes`"
        }
        () if has(&["requestContext"]) || has(&["isBase64Encoded", "body"]) => {
            "the body is a request as API Gateway, a function URL or a load balancer hands it to Lambda: verify and read \
             its `body`, decoded where `isBase64Encoded` is true"
        }
        () if has(&["message", "subscription"]) && is_object(body, "message") => {
            "the body is a push of Pub/Sub: read `message.data`, decoded from base64, with `message.attributes`"
        }
        () if has(&["detail", "detail-type"]) => "the body is an event of EventBridge: read its `detail`",
        () if has(&["Event", "Bucket"]) => "the body is a test event of S3, which carries no delivery: ignore it",
        () if has(&["Metadata", "ETag"]) => {
            "the body describes an object of S3: read the object itself, with this `Metadata`"
        }
        () => return None,
    })
}

fn is_object(body: &Object<'_>, name: &str) -> bool {
    body.get(name).is_some_and(|value| value.get().starts_with('{'))
}

fn is_wrapped_twice(body: &Object<'_>) -> bool {
    let data = body.get("data").and_then(|data| serde_json::from_str::<Object<'_>>(data.get()).ok());
    data.is_some_and(|data| {
        is_object(&data, "data") && (data.contains_key("notificationType") || data.contains_key("metadata"))
    })
}

/// Recognises one item of a batch.
fn record(record: &Object<'_>) -> Option<&'static str> {
    let has = |names: &[&str]| names.iter().all(|name| record.contains_key(*name));
    Some(match () {
        () if has(&["kinesis"]) => {
            "the body is an event of Lambda from Kinesis: read the `kinesis.data` of each record, decoded from base64"
        }
        () if has(&["Data", "SequenceNumber"]) => {
            "the body is the output of `aws kinesis get-records`: read the `Data` of each record, decoded from base64"
        }
        () if has(&["data", "sequenceNumber"]) => {
            "the body is a record of Kinesis: read its `data`, decoded from base64"
        }
        () if has(&["body", "receiptHandle"]) => {
            "the body is an event of Lambda from SQS: read the `body` of each record, with its `messageAttributes`"
        }
        () if has(&["Body", "ReceiptHandle"]) => {
            "the body is a message of SQS: read its `Body`, with its `MessageAttributes`"
        }
        () if has(&["Sns"]) => {
            "the body is an event of Lambda from SNS: read the `Sns.Message` of each record, with its `MessageAttributes`"
        }
        () if has(&["s3", "eventName"]) => {
            "the body is a notification of S3, which only names objects: fetch each object, and read it with its user metadata"
        }
        () if has(&["cf"]) => "the body is an event of Lambda@Edge: verify and read the body of `cf.request`",
        () => return None,
    })
}
