//! Fixtures in every envelope, with changed fields and with signatures.

use std::collections::BTreeSet;

use ampersand_notifications::{Delivery, Notification, Records, Verifier, from_webhook};
use ampersand_testing::{Envelope, Fixture, Sent, assert_delivery_snapshot};
use ampersand_types::RawJson;
use ampersand_types::messages::ResultEntrySubscribeEventType as SubscribeEventType;
use ampersand_types::notifications::{Event, InstallationCreatedData, InstallationUpdatedData, NotificationType};
use jiff::Timestamp;
use serde_json::json;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn the_data_of_a_fixture_are_those_of_its_event() {
    let fixture = Fixture::seeded("installation.updated", 3).set("groupRef", "acme");
    let data: InstallationUpdatedData = fixture.data();
    assert_eq!(fixture.delivery(Envelope::S3).unwrap().raw().data(), serde_json::to_string(&data).unwrap());
    let new: RawJson = Fixture::unknown("next.month").data();
    assert!(new.as_str().contains("projectId"));
}

#[test]
#[should_panic(expected = "a fixture of `installation.deleted` has no `InstallationCreatedData`")]
fn data_of_another_event_are_refused_though_they_would_decode() {
    Fixture::new("installation.deleted").data::<InstallationCreatedData>();
}

#[test]
#[should_panic(expected = "not a `installation.created`: at $.data: missing field `consumerName`")]
fn data_that_no_longer_decode_say_why() {
    Fixture::new("installation.created").without("consumerName").data::<InstallationCreatedData>();
}

#[test]
fn a_fixture_is_the_same_event_in_every_envelope() {
    assert_eq!(Fixture::all().count(), NotificationType::KNOWN.len());
    for fixture in Fixture::all() {
        let events: Vec<(Option<String>, Event)> = Envelope::ALL
            .into_iter()
            .map(|envelope| match fixture.delivery(envelope) {
                Ok(Delivery::Notification(Notification { notification_type, event, id, .. })) => {
                    assert_eq!(Some(&notification_type), fixture.notification_type(), "{envelope}");
                    assert!(!matches!(event, Event::Unknown(_)), "{envelope}");
                    if envelope == Envelope::Webhook {
                        assert_eq!(id, Some(fixture.webhook_id()));
                        return (None, event);
                    }
                    (id, event)
                }
                other => panic!("{envelope}: {other:?}"),
            })
            .collect();
        assert!(events.iter().all(|(_, event)| *event == events[0].1));
        let ids: BTreeSet<&String> = events.iter().filter_map(|(id, _)| id.as_ref()).collect();
        assert_eq!(ids, BTreeSet::from([&fixture.id()]));
    }
    for envelope in Envelope::ALL {
        let delivery = Fixture::records().delivery(envelope);
        assert!(
            matches!(&delivery, Ok(Delivery::Records(records)) if records.message.result.len() == 2),
            "{delivery:?}"
        );
        let Ok(Delivery::Records(changes)) = Fixture::changes().delivery(envelope) else { panic!("{envelope}") };
        let kinds = changes.message.result.iter().filter_map(|entry| entry.subscribe_event_type.as_ref());
        let kinds: Vec<&str> = kinds.map(SubscribeEventType::as_str).collect();
        assert_eq!(
            (changes.message.action.as_deref(), &kinds[..]),
            (Some("subscribe"), &["create", "update", "delete"][..])
        );
    }
}

/// Returns what a handler stores to drop repeats.
fn id_and_time(delivery: Delivery) -> (Option<String>, Option<String>) {
    let (id, time) = match delivery {
        Delivery::Notification(Notification { id, timestamp, .. }) => (id, timestamp),
        Delivery::Records(Records { id, timestamp, .. }) => (id, timestamp),
    };
    (id, time.map(|time| time.as_str().to_owned()))
}

#[test]
fn a_webhook_has_the_id_and_the_time_that_its_headers_say() {
    for fixture in Fixture::all().chain([Fixture::records(), Fixture::changes()]) {
        let Sent { body, headers } = fixture.signed(SECRET, fixture.timestamp()).unwrap();
        let verifier = Verifier::new(SECRET).unwrap();
        let verified = verifier.verify_at(&headers, body, fixture.timestamp()).unwrap();
        let received = id_and_time(from_webhook(verified).unwrap());
        assert!(received.0.is_some() && received.1.is_some(), "{}", fixture.name());
        assert_eq!(id_and_time(fixture.delivery(Envelope::Webhook).unwrap()), received);
        assert_eq!(
            id_and_time(fixture.clone().set("groupRef", "other").delivery(Envelope::Webhook).unwrap()),
            received
        );
    }
    let ids = Fixture::all().chain([Fixture::records(), Fixture::changes()]).map(|fixture| fixture.webhook_id());
    assert_eq!(ids.collect::<BTreeSet<_>>().len(), NotificationType::KNOWN.len() + 2);
}

#[test]
fn what_is_said_beside_the_payload_can_be_set() {
    let at = "2026-08-19T17:03:10Z";
    let fixture = Fixture::changes().with_id("evt_1").at(at.parse().unwrap()).with_metadata("topic", "other");
    for envelope in [Envelope::Webhook, Envelope::Kinesis, Envelope::S3, Envelope::Sqs, Envelope::Attributes] {
        let delivery = fixture.delivery(envelope).unwrap();
        assert_eq!(id_and_time(delivery), (Some("evt_1".to_owned()), Some(at.to_owned())), "{envelope}");
    }
    let Delivery::Records(records) = fixture.delivery(Envelope::S3).unwrap() else { panic!("records") };
    assert_eq!(records.metadata.get("topic"), Some("other"));
}

#[test]
fn a_webhook_may_be_signed_twice_and_have_the_headers_of_the_standard() {
    let (old, new) = ("whsec_b2xkIHNlY3JldCBvZiBhIHRlc3Q=", "whsec_bmV3IHNlY3JldCBvZiBhIHRlc3Q=");
    let at = Fixture::records().timestamp();
    let sent = Fixture::records().with_id("msg_1").signed(old, at).unwrap();
    for sent in [
        sent.clone().and_signed(new).unwrap().with_webhook_headers(),
        sent.with_webhook_headers().and_signed(new).unwrap(),
    ] {
        assert_eq!(sent.headers["webhook-id"], "msg_1");
        assert!(sent.headers.keys().all(|name| !name.starts_with("svix-")), "{:?}", sent.headers);
        for secret in [old, new] {
            assert!(Verifier::new(secret).unwrap().verify_at(&sent.headers, &sent.body, at).is_ok());
        }
    }
}

#[test]
#[should_panic(expected = "there is no `config.nope` in the payload of `installation.created` that could be left out")]
fn what_is_not_there_cannot_be_left_out() {
    let _ = Fixture::new("installation.created").without("config.nope");
}

#[test]
fn equal_seeds_make_equal_fixtures_and_others_make_others() {
    let seeded = |seed| Fixture::seeded("installation.updated", seed).send(Envelope::Kinesis);
    assert_eq!(seeded(7), seeded(7));
    let bodies: BTreeSet<Vec<u8>> = (0..1000).map(|seed| seeded(seed).body).collect();
    assert_eq!(bodies.len(), 1000);
    insta::assert_snapshot!(String::from_utf8(Fixture::new("connection.created").send(Envelope::Kinesis).body).unwrap(), @r#"{"data":{"connectionId":"f961f595-6500-45b2-ac90-f779fc0e6c29","consumerName":"Hank Scorpio","consumerRef":"usr_1207","groupRef":"globex","projectId":"01d68c52-4547-42ab-afbc-01a2c22525b7","provider":"zendeskSupport"},"metadata":{"connectionId":"f961f595-6500-45b2-ac90-f779fc0e6c29","event-id":"2a59d158-e463-4e31-9cf4-7201b28a39ac","notificationType":"connection.created","projectId":"01d68c52-4547-42ab-afbc-01a2c22525b7","timestamp":"2025-12-27T12:03:27Z","topic":"crm-events"}}"#);
}

#[test]
fn any_field_can_be_set_or_left_out() {
    let fixture = Fixture::new("installation.created")
        .set("groupRef", "acme")
        .set("config.read.objects", json!({"a": [1, {"b": 2}]}))
        .set("config.read.objects.a.1.b", 3)
        .set("brand.new", true)
        .without("config.provider")
        .without("consumerName");
    assert_eq!(fixture.payload()["groupRef"], "acme");
    assert_eq!(fixture.payload()["config"], json!({"read": {"objects": {"a": [1, {"b": 3}]}}}));
    assert_eq!(fixture.payload()["brand"], json!({"new": true}));
    let error = fixture.delivery(Envelope::Webhook).unwrap_err();
    assert_eq!(error.to_string(), "not a `installation.created`: at $.data: missing field `consumerName`");
}

#[test]
fn a_type_that_is_new_has_a_fixture_too() {
    let delivery = Fixture::unknown("next.month").set("answer", 42).delivery(Envelope::S3).unwrap();
    assert_delivery_snapshot!(delivery, @r#"
    {
      "data": {
        "answer": 42,
        "projectId": "[uuid 1]"
      },
      "id": "[uuid 2]",
      "kind": "notification",
      "metadata": {
        "event-id": "[uuid 2]",
        "notificationtype": "next.month",
        "projectid": "[uuid 1]",
        "timestamp": "[time 1]",
        "topic": "crm-events"
      },
      "notificationType": "next.month",
      "timestamp": "[time 1]"
    }
    "#);
}

#[test]
fn what_is_signed_verifies_with_an_implementation_that_is_not_ours() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let theirs = standardwebhooks::Webhook::new(secret).unwrap();
    for fixture in Fixture::all() {
        let now = Timestamp::now();
        let Sent { body, headers } = fixture.signed(secret, now).unwrap();
        assert_eq!(theirs.sign(&headers["svix-id"], now.as_second(), &body).unwrap(), headers["svix-signature"]);
    }
    assert!(Fixture::records().signed("no secret", Timestamp::now()).is_err());
}

#[test]
fn a_type_that_the_contract_lacks_is_asked_for_by_that_name() {
    let message = |make: fn() -> Fixture| {
        let panic = std::panic::catch_unwind(make).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    insta::assert_snapshot!(message(|| Fixture::new("instalation.created")), @"the contract has no notification type `instalation.created`: did you mean `installation.created`? `Fixture::unknown` makes one that is new");
    insta::assert_snapshot!(message(|| Fixture::seeded("read.backfill.finished", 7)), @"the contract has no notification type `read.backfill.finished`: did you mean `read.backfill.done`? `Fixture::unknown` makes one that is new");
    insta::assert_snapshot!(message(|| Fixture::unknown("connection.error")), @"the contract has the notification type `connection.error`: `Fixture::new` makes it");
    let delivery = Fixture::unknown("integration.retired").set("groupRef", "acme").delivery(Envelope::Sqs).unwrap();
    assert_eq!(delivery.group_ref().as_deref(), Some("acme"));
    assert_ne!(Fixture::seeded_unknown("x", 1).id(), Fixture::seeded_unknown("x", 2).id());
}
