//! Data messages: the records of read and subscribe actions.

use ampersand_types::RawJson;
use ampersand_types::messages::WebhookMessage;
use serde::Deserialize;

use test_support::corpus::payloads;
use test_support::json::difference;

#[derive(Deserialize)]
struct Record {
    data: RawJson,
}

fn round_trip(name: &str, json: &str) -> WebhookMessage {
    let message: WebhookMessage = serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(difference(json, &serde_json::to_string(&message).unwrap()), None, "{name}");
    message
}

#[test]
fn every_message_is_encoded_as_it_was_sent() {
    for payload in payloads("messages") {
        let message = round_trip(&payload.name, &payload.text);
        insta::assert_debug_snapshot!(format!("message--{}", payload.name), message);
    }
}

#[test]
fn messages_on_kinesis_and_s3_are_the_same_and_may_lack_result_info() {
    for payload in payloads("messages-kinesis") {
        let record: Record = serde_json::from_str(&payload.text).unwrap();
        round_trip(&payload.name, record.data.as_str());
    }
    for payload in payloads("messages-s3") {
        assert_eq!(round_trip(&payload.name, &payload.text).result_info, None);
    }
}

#[test]
fn debug_shows_neither_records_nor_signatures() {
    for payload in payloads("messages") {
        let shown = format!("{:?}", round_trip(&payload.name, &payload.text));
        assert!(!shown.contains("Signature="), "{}", payload.name);
    }
}

#[test]
fn counts_are_as_they_were_written() {
    for payload in payloads("messages").into_iter().filter(|payload| payload.text.contains("\"numRecords\"")) {
        for count in ["0", "1.0", "1e3", "18446744073709551616"] {
            let (before, after) = payload.text.split_once("\"numRecords\": ").unwrap();
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
            round_trip(&payload.name, &format!("{before}\"numRecords\": {count}{after}"));
        }
    }
}
