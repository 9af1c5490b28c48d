//! Snapshots of deliveries.

use ampersand_notifications::from_webhook;
use ampersand_testing::{Envelope, Fixture, assert_delivery_snapshot, redacted};

#[test]
fn a_snapshot_has_a_name_and_its_numbers_are_as_written() {
    let body = br#"{"notificationType": "new", "data": {"b": [1742558812455698401, 1.10, 1e400], "a": {}}}"#;
    assert_delivery_snapshot!("numbers", from_webhook(&body[..]).unwrap());
}

#[test]
fn snapshots_show_what_refers_to_what_and_nothing_that_changes() {
    let snapshot = |seed| {
        let fixture = Fixture::seeded("read.triggered.done", seed).set("groupRef", "g").set("groupName", "G");
        let fixture =
            fixture.set("consumerRef", "c").set("consumerName", "C").set("provider", "p").set("objectName", "o");
        redacted(&fixture.set("integrationName", "i").delivery(Envelope::Kinesis).unwrap())
    };
    assert_eq!(snapshot(1), snapshot(2));
    insta::assert_snapshot!(snapshot(1), @r#"
    {
      "data": {
        "connectionId": "[uuid 1]",
        "consumerName": "C",
        "consumerRef": "c",
        "fromTimestamp": "[time 1]",
        "groupName": "G",
        "groupRef": "g",
        "installationId": "[uuid 2]",
        "integrationId": "[uuid 3]",
        "integrationName": "i",
        "objectName": "o",
        "projectId": "[uuid 4]",
        "provider": "p",
        "untilTimestamp": "[time 2]"
      },
      "id": "[uuid 5]",
      "kind": "notification",
      "metadata": {
        "connectionId": "[uuid 1]",
        "event-id": "[uuid 5]",
        "installationId": "[uuid 2]",
        "notificationType": "read.triggered.done",
        "objectName": "o",
        "projectId": "[uuid 4]",
        "timestamp": "[time 3]",
        "topic": "crm-events"
      },
      "notificationType": "read.triggered.done",
      "timestamp": "[time 3]"
    }
    "#);
}

#[test]
fn nesting_of_any_depth_is_no_danger() {
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let delivery = from_webhook(format!(r#"{{"notificationType": "x.new", "data": {{"a": {deep}}}}}"#)).unwrap();
    let shown = redacted(&delivery).replace(char::is_whitespace, "");
    assert!(shown.contains(&format!(r#""a":{deep}"#)), "{} bytes", shown.len());
}
