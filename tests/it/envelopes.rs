//! Every event decodes to the same whichever envelope carried it, and encodes to what was sent.

use std::collections::BTreeMap;

use ampersand_types::RawJson;
use ampersand_types::notifications::{Event, NotificationType};
use serde::Deserialize;

use crate::corpus::{Payload, metadata, payloads};
use crate::json::difference;

/// The body of a webhook, and of a Kinesis record that is wrapped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    notification_type: Option<NotificationType>,
    metadata: Option<BTreeMap<String, String>>,
    data: RawJson,
}

/// The type and the data of a payload, as the table of envelopes has them.
fn open(envelope: &str, payload: &Payload) -> (NotificationType, RawJson) {
    let bare = || RawJson::new(payload.text.as_str()).unwrap();
    let wrapped = || serde_json::from_str::<Body>(&payload.text).unwrap();
    let flat = |text: &str| serde_json::from_str::<BTreeMap<String, String>>(text).unwrap();
    let named = |map: &BTreeMap<String, String>, key: &str| NotificationType::from(map[key].as_str());
    let told_apart = || NotificationType::from(payload.name.as_str());
    match envelope {
        "webhook" => {
            let body = wrapped();
            (body.notification_type.unwrap(), body.data)
        }
        "kinesis" => {
            let body = wrapped();
            (named(&body.metadata.unwrap(), "notificationType"), body.data)
        }
        "kinesis-wrapped" => (told_apart(), wrapped().data),
        "kinesis-bare" => (told_apart(), bare()),
        "s3" => (named(&flat(&metadata("s3", &payload.name)), "notificationtype"), bare()),
        "sqs" => {
            let attribute = &flat(&metadata("sqs", &payload.name))["metadata"];
            (named(&flat(attribute), "notificationType"), bare())
        }
        "attributes" => (named(&flat(&metadata("attributes", &payload.name)), "notificationType"), bare()),
        other => panic!("no envelope {other}"),
    }
}

fn decode(notification_type: &NotificationType, data: &RawJson) -> Event {
    Event::parse(notification_type, data).unwrap_or_else(|error| panic!("{notification_type}: {error}"))
}

fn encode(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

#[test]
fn every_event_is_the_same_in_every_envelope() {
    let mut snapshots = BTreeMap::new();
    for envelope in ["webhook", "kinesis", "kinesis-wrapped", "kinesis-bare", "s3", "sqs", "attributes"] {
        let payloads = payloads(envelope);
        let names: Vec<&str> = payloads.iter().map(|payload| payload.name.as_str()).collect();
        let known: Vec<&str> = NotificationType::KNOWN.iter().map(NotificationType::as_str).collect();
        assert_eq!(names, known, "{envelope} has every type of the contract");

        for payload in &payloads {
            let (notification_type, data) = open(envelope, payload);
            assert_eq!(notification_type.as_str(), payload.name, "{envelope}");
            let event = decode(&notification_type, &data);
            assert!(!matches!(event, Event::Unknown(_)), "{envelope} {}", payload.name);
            assert_eq!(difference(data.as_str(), &encode(&event)), None, "{envelope} {}", payload.name);

            let first = snapshots.entry(payload.name.clone()).or_insert_with(|| event.clone());
            assert_eq!(difference(&encode(first), &encode(&event)), None, "{envelope} {}", payload.name);
        }
    }
    for (name, event) in snapshots {
        insta::assert_debug_snapshot!(name, event);
    }
}

#[test]
fn an_event_of_a_type_that_is_new_arrives_whole() {
    for payload in payloads("unknown") {
        let (notification_type, data) = open("webhook", &payload);
        assert!(matches!(notification_type, NotificationType::Unknown(_)), "{}", payload.name);
        let event = decode(&notification_type, &data);
        assert_eq!(event, Event::Unknown(data.clone()), "{}", payload.name);
        assert_eq!(encode(&event), data.as_str(), "to the byte");
    }
}

#[test]
fn a_field_that_is_new_is_no_error_and_is_kept() {
    for payload in payloads("webhook") {
        let (notification_type, data) = open("webhook", &payload);
        let wider = RawJson::new(data.as_str().replacen('{', r#"{"brandNew": {"a": [1e400]},"#, 1)).unwrap();
        let encoded = encode(&decode(&notification_type, &wider));
        assert_eq!(difference(wider.as_str(), &encoded), None, "{}", payload.name);
    }
}

#[test]
fn data_of_another_shape_is_an_error_that_says_what_is_missing() {
    let data = RawJson::new(r#"{"projectId": "p"}"#).unwrap();
    let error = Event::parse(&NotificationType::ReadBackfillDone, &data).unwrap_err();
    insta::assert_snapshot!(
        error,
        @"not the JSON of a `ampersand_types::notifications::Event` at line 1 column 18: missing field `connectionId`"
    );
}
