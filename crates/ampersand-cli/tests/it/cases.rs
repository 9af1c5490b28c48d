//! Documents that users had, and how the command has to handle them.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::command::{Run, run, run_on};

pub(crate) const PAYLOAD: &str = r#"{"projectId":"p1","connectionId":"c1","provider":"salesforce","groupRef":"acme","consumerRef":"u1","consumerName":"Ada"}"#;
pub(crate) const METADATA: &str =
    r#"{"event-id":"evt_1","notificationType":"connection.created","timestamp":"2026-08-19T17:03:10Z","topic":"t"}"#;

pub(crate) fn decode(document: impl AsRef<[u8]>) -> Run {
    run_on(document, &["decode", "--output", "json"])
}

/// Checks the `connection.created` of all cases.
#[track_caller]
pub(crate) fn assert_is_created(run: &Run, source: &str) {
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let [line] = run.lines()[..] else { panic!("{run}") };
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["notificationType"], "connection.created");
    assert_eq!((&line["id"], &line["source"]), (&json!("evt_1"), &json!(source)));
    assert_eq!(line["timestamp"], "2026-08-19T17:03:10Z");
    assert_eq!(line["data"], serde_json::from_str::<Value>(PAYLOAD).unwrap());
}

#[test]
fn records_without_a_consumer_are_records() {
    let records = r#"{"action":"subscribe","projectId":"p","provider":"salesforce","groupRef":"g","groupName":"G","installationId":"i","installationUpdateTime":"2025-03-21T04:20:16Z","objectName":"account","result":[{"fields":{"name":"Acme"},"subscribeEventType":"update","providerEventType":"UPDATE"}],"resultInfo":{"numRecords":1,"type":"inline"}}"#;
    let run = run_on(records, &["decode"]);
    assert!(run.code == 0 && run.stdout.contains("records (subscribe) "), "{run}");
}

#[test]
fn a_member_beside_the_data_of_a_webhook_is_drift_alone() {
    let webhook = r#"{"notificationType":"destination.webhook.disabled","projectId":"p","data":{"projectId":"p","destinationId":"d","destinationName":"n","url":"https://h"}}"#;
    let read = decode(webhook);
    assert!(
        read.code == 0
            && read.stdout.contains(r#""notificationType":"destination.webhook.disabled","source":"webhook""#)
    );
    insta::assert_snapshot!(run_on(webhook, &["decode", "--drift"]), @"
    exit code 0
    -- stdout
           1  in envelope  destination.webhook.disabled  $.projectId  string
    -- stderr
    1 decoded, 0 failed; 1 thing is not in the contract that this version knows
    ");
}

#[test]
fn an_object_of_a_new_type_is_the_payload_whatever_members_it_has() {
    let said = ["--from", "s3", "--metadata", "notificationtype=x.new", "--metadata", "event-id=e1"];
    let object = r#"{"data":{"a":1},"metadata":{"k":"v"},"kept":false}"#;
    insta::assert_snapshot!(run_on(object, &[&["decode", "--output", "json"][..], &said].concat()), @r#"
    exit code 0
    -- stdout
    {"kind":"notification","notificationType":"x.new","source":"s3","id":"e1","timestamp":null,"metadata":{"event-id":"e1","notificationtype":"x.new"},"data":{"data":{"a":1},"metadata":{"k":"v"},"kept":false}}
    -- stderr
    "#);
}

#[test]
fn a_type_that_is_null_is_none_and_those_that_fit_are_listed() {
    insta::assert_snapshot!(decode(format!(r#"{{"notificationType":null,"data":{PAYLOAD}}}"#)), @"
    exit code 1
    -- stdout
    -- stderr
    stdin:1: nothing names the notification type: no `notificationType` stands beside `data` in the body, nor in metadata; by its shape it may be connection.created, connection.deleted, connection.error, connection.refreshed, connection.updated: pass the type (option --type)
    0 decoded, 1 failed
    ");
}

#[test]
fn an_object_is_read_with_what_get_object_printed() {
    let folder = tempfile::tempdir().unwrap();
    let head = folder.path().join("head.json").to_str().unwrap().to_owned();
    let metadata = METADATA.replace("notificationType", "notificationtype");
    fs::write(
        &head,
        format!("{{\n    \"AcceptRanges\": \"bytes\",\n    \"ETag\": \"\\\"0\\\"\",\n    \"Metadata\": {metadata}\n}}"),
    )
    .unwrap();
    let said = ["decode", "--output", "json", "--from", "s3", "--metadata", &head];
    assert_is_created(&run_on(PAYLOAD, &said), "s3");
}

#[test]
fn a_lone_surrogate_is_reported_with_its_place() {
    let payload = PAYLOAD.replace("Ada", r"Ada \ud83d");
    let run = decode(format!(r#"{{"notificationType":"connection.created","data":{payload}}}"#));
    insta::assert_snapshot!(run, @"
    exit code 1
    -- stdout
    -- stderr
    stdin:1: not a `connection.created`: at $.data.consumerName: found a string with a lone surrogate, which is half of a character
    0 decoded, 1 failed
    ");
}

/// Verifies a signed request with these headers.
fn verify(headers: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let body = file("body.json", &format!(r#"{{"notificationType":"connection.created","data":{PAYLOAD}}}"#));
    let (headers, secret) = (file("headers", headers), file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"));
    let at = "2026-08-19T17:03:10Z";
    run(&["verify", "--secret-file", &secret, "--at", at, "--headers", &headers, &body])
}

#[test]
fn signatures_are_found_in_lines_after_a_comma_and_in_lists() {
    for headers in [
        "svix-id: msg_1\nsvix-timestamp: 1787158990\nsvix-signature: v1,FuO6X1bKLnl+VYATtX5SiuTcDIdTm6qAyX8NynpBPfY=\n",
        "svix-id: msg_1\nsvix-timestamp: 1787158990\nsvix-signature: v1,FuO6X1bKLnl+VYATtX5SiuTcDIdTm6qAyX8NynpBPfY=, v1,QIcPWJ26cv2EyfSdyj/9o8bHZ7O2c0KsCdbcJk8EgX8=\n",
        r#"{"Svix-Id": ["msg_1"], "Svix-Timestamp": ["1787158990"], "Svix-Signature": ["v1", "FuO6X1bKLnl+VYATtX5SiuTcDIdTm6qAyX8NynpBPfY="]}"#,
    ] {
        let run = verify(headers);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{headers}");
        assert_eq!(run.stdout, "verified: msg_1, signed at 2026-08-19T17:03:10Z with secret 1 of 1\n", "{headers}");
    }
    assert_eq!(verify("svix-id: msg_2\nsvix-timestamp: 1787158990\nsvix-signature: v1,AAAA\n").code, 1);
}

/// Returns the data of a Kinesis record.
pub(crate) fn data() -> String {
    STANDARD.encode(format!(r#"{{"data":{PAYLOAD},"metadata":{METADATA}}}"#))
}

#[test]
fn what_get_records_prints_is_read() {
    let record = json!({
        "SequenceNumber": "49590338271490256608559692538361571095921575989136588898",
        "ApproximateArrivalTimestamp": "2026-08-19T17:03:10.432000+00:00",
        "Data": data(),
        "PartitionKey": "evt_1",
    });
    let printed = json!({"Records": [record], "NextShardIterator": "AAAAAAAAAAGdWH", "MillisBehindLatest": 0});
    assert_is_created(&decode(serde_json::to_string_pretty(&printed).unwrap()), "kinesis");
}

#[test]
fn an_event_of_lambda_from_kinesis_is_read() {
    let record = json!({
        "kinesis": {"partitionKey": "evt_1", "sequenceNumber": "4959033827", "data": data(), "approximateArrivalTimestamp": 1_545_084_650.987},
        "eventSource": "aws:kinesis",
        "eventID": "shardId-000000000006:4959",
        "eventName": "aws:kinesis:record",
    });
    assert_is_created(&decode(json!({"Records": [record]}).to_string()), "kinesis");
}

#[test]
fn what_receive_message_prints_is_read() {
    let message = json!({
        "MessageId": "b5353c6d-1d4d-4f25-9c2e-000000000001",
        "ReceiptHandle": "AQEB",
        "Body": PAYLOAD,
        "MessageAttributes": {"metadata": {"StringValue": METADATA, "DataType": "String"}},
    });
    let printed = serde_json::to_string_pretty(&json!({"Messages": [message]})).unwrap();
    assert_is_created(&decode(printed), "attributes");
}
