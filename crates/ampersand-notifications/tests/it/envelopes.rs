//! Every event is the same in every envelope, and encodes to what was sent.

use std::collections::BTreeMap;

use ampersand_notifications::{
    Delivery, Metadata, NormalizeError, NormalizeErrorKind, Notification, Records, Source, from_any, from_attributes,
    from_kinesis, from_kinesis_as, from_s3, from_source, from_webhook,
};
use ampersand_types::RawJson;
use ampersand_types::notifications::{Event, NotificationType};

use test_support::corpus::{Payload, metadata, payloads};
use test_support::json::difference;

const ENVELOPES: [&str; 7] = ["webhook", "kinesis", "kinesis-wrapped", "kinesis-bare", "s3", "sqs", "attributes"];

/// Reads a payload of the corpus with the function for its envelope.
fn receive(envelope: &str, payload: &Payload) -> Result<Delivery, NormalizeError> {
    let body = payload.text.as_bytes();
    let attributes = || serde_json::from_str::<BTreeMap<String, String>>(&metadata(envelope, &payload.name)).unwrap();
    match envelope {
        "webhook" => from_webhook(body),
        "kinesis" => from_kinesis(body),
        "kinesis-wrapped" | "kinesis-bare" => from_kinesis_as(body, &payload.name.as_str().into()),
        "s3" => from_s3(body, attributes()),
        "sqs" | "attributes" => from_attributes(body, attributes()),
        other => panic!("no envelope {other}"),
    }
}

fn notification(delivery: Result<Delivery, NormalizeError>) -> Notification {
    match delivery {
        Ok(Delivery::Notification(notification)) => notification,
        other => panic!("{other:?}"),
    }
}

fn records(delivery: Result<Delivery, NormalizeError>) -> Records {
    match delivery {
        Ok(Delivery::Records(records)) => records,
        other => panic!("{other:?}"),
    }
}

fn encode(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

#[test]
fn every_event_is_the_same_in_every_envelope() {
    let mut snapshots = BTreeMap::new();
    for envelope in ENVELOPES {
        let payloads = payloads(envelope);
        let names: Vec<&str> = payloads.iter().map(|payload| payload.name.as_str()).collect();
        let known: Vec<&str> = NotificationType::KNOWN.iter().map(NotificationType::as_str).collect();
        assert_eq!(names, known, "{envelope} has every type of the contract");

        for payload in &payloads {
            let Notification { notification_type, event, raw, .. } = notification(receive(envelope, payload));
            assert_eq!(notification_type.as_str(), payload.name, "{envelope}");
            assert!(!matches!(event, Event::Unknown(_)), "{envelope} {}", payload.name);
            assert_eq!(raw.body(), payload.text, "to the byte");
            assert_eq!(difference(raw.data(), &encode(&event)), None, "{envelope} {}", payload.name);

            let first = snapshots.entry(payload.name.clone()).or_insert_with(|| event.clone());
            assert_eq!(difference(&encode(first), &encode(&event)), None, "{envelope} {}", payload.name);
        }
    }
    for (name, event) in snapshots {
        insta::assert_debug_snapshot!(name, event);
    }
}

#[test]
fn what_the_envelopes_say_is_the_same_too() {
    for payload in payloads("kinesis") {
        let kinesis = notification(receive("kinesis", &payload));
        assert!(kinesis.id.is_some() && kinesis.timestamp.is_some());
        assert_eq!(kinesis.metadata.get("NOTIFICATIONTYPE"), Some(payload.name.as_str()));
        for (envelope, source) in [("s3", Source::S3), ("sqs", Source::Attributes), ("attributes", Source::Attributes)]
        {
            let payload = payloads(envelope).into_iter().find(|other| other.name == payload.name).unwrap();
            let other = notification(receive(envelope, &payload));
            assert_eq!((&other.id, &other.timestamp, other.source), (&kinesis.id, &kinesis.timestamp, source));
            for (name, value) in kinesis.metadata.iter() {
                assert_eq!(other.metadata.get(name), Some(value), "{envelope} {name}");
            }
        }
    }
}

#[test]
fn an_envelope_that_is_not_known_is_recognised() {
    for (envelope, source) in [("webhook", Source::Webhook), ("kinesis", Source::Kinesis)] {
        for payload in payloads(envelope) {
            let recognised = notification(from_any(payload.text.as_bytes()));
            assert_eq!(recognised.source, source);
            assert_eq!(recognised, notification(receive(envelope, &payload)));
        }
    }
}

#[test]
fn a_source_that_is_chosen_at_run_time_reads_the_same() {
    for (envelope, source) in [
        ("webhook", Source::Webhook),
        ("kinesis", Source::Kinesis),
        ("kinesis-bare", Source::Kinesis),
        ("s3", Source::S3),
        ("sqs", Source::Attributes),
        ("attributes", Source::Attributes),
    ] {
        for payload in payloads(envelope) {
            let has_metadata = matches!(source, Source::S3 | Source::Attributes);
            let metadata: Metadata = match has_metadata {
                true => serde_json::from_str(&metadata(envelope, &payload.name)).unwrap(),
                false => Metadata::default(),
            };
            let notification_type = NotificationType::from(payload.name.as_str());
            let body = payload.text.as_bytes();
            let chosen = notification(from_source(body, source, metadata.clone(), Some(&notification_type)));
            assert_eq!(chosen, notification(receive(envelope, &payload)), "{envelope}");
            if envelope != "sqs" {
                let any = notification(from_source(body, Source::Bare, metadata, Some(&notification_type)));
                assert_eq!((any.event, any.id, any.metadata), (chosen.event, chosen.id, chosen.metadata), "{envelope}");
            }
        }
    }
    // A type in the body or in the metadata overrides the argument.
    let beforehand = NotificationType::from("beforehand");
    let metadata = || Metadata::from_iter([("NotificationType", "in.the.metadata")]);
    let read = |body: &[u8], metadata| from_source(body, Source::Bare, metadata, Some(&beforehand));
    for (body, metadata, expected) in [
        (&br#"{"notificationType": "in.the.body", "data": {}}"#[..], metadata(), "in.the.body"),
        (b"{}", metadata(), "in.the.metadata"),
        (b"{}", Metadata::default(), "beforehand"),
    ] {
        assert_eq!(notification(read(body, metadata)).notification_type.as_str(), expected);
    }
}

#[test]
fn where_no_one_says_the_type_those_that_fit_are_listed() {
    for envelope in ["kinesis-wrapped", "kinesis-bare"] {
        for payload in payloads(envelope) {
            let error = from_kinesis(payload.text.as_bytes()).unwrap_err();
            assert_eq!(error.body(), payload.text.as_bytes());
            assert!(error.to_string().contains(&payload.name), "{envelope}: {error}");
        }
    }
    let only =
        from_any(br#"{"projectId": "p", "destinationId": "d", "destinationName": "n", "url": "u"}"#).unwrap_err();
    insta::assert_snapshot!(only, @"nothing names the notification type: no `notificationType` stands beside `data` in the body, nor in metadata; by its shape it may be destination.webhook.disabled: pass the type");
    insta::assert_snapshot!(from_any(b"{}").unwrap_err(), @"nothing names the notification type: no `notificationType` stands beside `data` in the body, nor in metadata; no known type has this shape");
    insta::assert_snapshot!(from_any(br#"{"data": {}}"#).unwrap_err(), @"nothing names the notification type: no `notificationType` stands beside `data` in the body, nor in metadata; no known type has this shape");
}

#[test]
fn messages_are_records_in_every_envelope() {
    for payload in payloads("messages") {
        let body = payload.text.as_bytes();
        let webhook = records(from_webhook(body));
        assert_eq!(webhook.raw.data(), payload.text.trim());
        let none: [(&str, &str); 0] = [];
        assert_eq!(records(from_s3(body, none)).message, webhook.message);
        assert_eq!(records(from_attributes(body, [("topic", "t")])).message, webhook.message);
        let wrapped = format!(r#"{{"data": {}, "metadata": {{"event-id": "e"}}}}"#, payload.text);
        let kinesis = records(from_kinesis(wrapped.as_bytes()));
        assert_eq!((&kinesis.message, kinesis.id.as_deref()), (&webhook.message, Some("e")));
    }
    for payload in payloads("messages-kinesis") {
        assert_eq!(records(from_kinesis(payload.text.as_bytes())).source, Source::Kinesis);
    }
    for payload in payloads("messages-s3") {
        let none: [(&str, &str); 0] = [];
        assert_eq!(records(from_s3(payload.text.as_bytes(), none)).message.result_info, None);
    }
}

#[test]
fn an_event_of_a_type_that_is_new_arrives_whole() {
    for payload in payloads("unknown") {
        let Notification { notification_type, event, raw, .. } = notification(receive("webhook", &payload));
        assert!(matches!(notification_type, NotificationType::Unknown(_)), "{}", payload.name);
        assert_eq!(event, Event::Unknown(RawJson::new(raw.data()).unwrap()), "{}", payload.name);
        assert_eq!(encode(&event), raw.data(), "to the byte");
    }
}

#[test]
fn a_field_that_is_new_is_no_error_and_is_kept() {
    for payload in payloads("kinesis-bare") {
        let wider = payload.text.replacen('{', r#"{"brandNew": {"a": [1e400]},"#, 1);
        let event = notification(from_kinesis_as(wider.as_bytes(), &payload.name.as_str().into())).event;
        assert_eq!(difference(&wider, &encode(&event)), None, "{}", payload.name);
    }
}

/// Data of `connection.deleted`, with members that look like those of an envelope.
const DATA: &str = r#"{"projectId": "p", "connectionId": "c", "provider": "x", "groupRef": "g", "consumerRef": "r",
    "consumerName": "\"notificationType\": \"connection.error\"", "notificationType": "read.backfill.done"}"#;

#[test]
fn members_come_in_any_order_and_decoys_are_not_believed() {
    let deleted = |body: String| {
        let notification = notification(from_any(body.as_bytes()));
        assert_eq!(notification.notification_type, NotificationType::ConnectionDeleted, "{body}");
        assert!(matches!(notification.event, Event::ConnectionDeleted(_)), "{body}");
        assert_eq!(notification.raw.data(), DATA);
    };
    let last = format!(r#"{{"new": [{{}}], "data": {DATA}, "notificationType" : "connection.deleted"}}"#);
    deleted(last);
    deleted(format!(r#"{{"notificationType": "connection.deleted", "data": {DATA}}}"#));
    deleted(format!(
        r#"{{"data": {DATA}, "notificationType": "connection.deleted", "z": "\"notificationType\": \"no\""}}"#
    ));
    deleted(format!(r#"{{"data": {DATA}, "metadata": {{"notificationtype": "connection.deleted"}}}}"#));
    deleted(format!(r#"{{"metadata": {{"NotificationType": "connection.deleted"}}, "data": {DATA}}}"#));
    deleted(format!(r#"{{"\u0064ata": {DATA}, "notification\u0054ype": "connection\u002edeleted"}}"#));
    // The member after the type is long, so the type is far from the end.
    let far = "x".repeat(10_000);
    deleted(format!(r#"{{"data": {DATA}, "notificationType": "connection.deleted", "far": "{far}"}}"#));
}

#[test]
fn a_member_that_comes_twice_is_refused() {
    for body in [
        format!(r#"{{"notificationType": "connection.deleted", "data": {DATA}, "data": {DATA}}}"#),
        format!(r#"{{"notificationType": "connection.deleted", "notificationType": "x", "data": {DATA}}}"#),
        format!(r#"{{"data": {DATA}, "metadata": {{"notificationType": "x"}}, "metadata": {{}}}}"#),
        format!(r#"{{"data": {DATA}, "metadata": {{"notificationType": "x", "notificationType": "y"}}}}"#),
        format!(r#"{{"notificationType": "x", "data": {DATA}, "metadata": {{"a": null, "a": "y"}}}}"#),
        format!(
            r#"{{"notificationType": "connection.deleted", "data": {}}}"#,
            DATA.replacen('{', r#"{"projectId": "q", "#, 1)
        ),
    ] {
        for error in [from_any(&body).unwrap_err(), from_kinesis_as(&body, &"x.new".into()).unwrap_err()] {
            assert!(error.to_string().contains("twice") || error.to_string().contains("duplicate"), "{error}");
        }
    }
}

#[test]
fn errors_say_where_and_what_and_give_the_body_back() {
    let mut errors = String::new();
    for body in [
        &b""[..],
        b"{\"notificationType\": \"connection.deleted\", \"da",
        b"{} {}",
        b"{\"a\":\n \"\xff\"}",
        b"[1, 2]",
        b"\"text\"",
        br#"{"notificationType": 5, "data": {}}"#,
        br#"{"notificationType": "connection.deleted"}"#,
        br#"{"notificationType": "SECRET"}"#,
        br#"{"notificationType": "connection.deleted", "data": [SECRET]}"#,
        br#"{"notificationType": "connection.deleted", "data": ["SECRET"]}"#,
        br#"{"notificationType": "connection.deleted", "data": {"projectId": "SECRET"}}"#,
        br#"{"data": {"projectId": {"SECRET": 1}}, "metadata": {"notificationType": "connection.deleted"}}"#,
        br#"{"data": {}, "metadata": ["SECRET"]}"#,
        br#"{"action": "read", "result": [{"fieldsUpdated": ["a", 5]}]}"#,
        br#"{"data": {"action": "read", "result": [{"fieldsUpdated": ["a", 5]}]}}"#,
        br#"{"action": "read", "result": [{"associations": {"it's 1": {}}}]}"#,
    ] {
        let error = from_any(body).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
        assert_eq!(error.body(), body);
        errors.push_str(&format!("{}\n    {error}\n", String::from_utf8_lossy(body).replace('\n', " ")));
        assert_eq!(error.into_body(), body);
    }
    insta::assert_snapshot!(errors, @r#"

        not valid JSON at line 1 column 0; the body is empty
    {"notificationType": "connection.deleted", "da
        not valid JSON at line 1 column 46
    {} {}
        not valid JSON at line 1 column 4
    {"a":  "�"}
        not valid JSON at line 2 column 3
    [1, 2]
        at $: found sequence, expected an object; the body is an array: read each of its items
    "text"
        at $: found string, expected an object
    {"notificationType": 5, "data": {}}
        at $.notificationType: found integer, expected a string
    {"notificationType": "connection.deleted"}
        not a `connection.deleted`: at $: missing field `data`
    {"notificationType": "SECRET"}
        at $: missing field `data`
    {"notificationType": "connection.deleted", "data": [SECRET]}
        not valid JSON at line 1 column 53
    {"notificationType": "connection.deleted", "data": ["SECRET"]}
        not a `connection.deleted`: at $.data: found sequence, expected an object (ConnectionData)
    {"notificationType": "connection.deleted", "data": {"projectId": "SECRET"}}
        not a `connection.deleted`: at $.data: missing field `connectionId`
    {"data": {"projectId": {"SECRET": 1}}, "metadata": {"notificationType": "connection.deleted"}}
        not a `connection.deleted`: at $.data.projectId: found map, expected a string
    {"data": {}, "metadata": ["SECRET"]}
        at $.metadata: found sequence, expected an object of strings
    {"action": "read", "result": [{"fieldsUpdated": ["a", 5]}]}
        at $.result[0].fieldsUpdated[1]: found integer, expected a string
    {"data": {"action": "read", "result": [{"fieldsUpdated": ["a", 5]}]}}
        at $.data.result[0].fieldsUpdated[1]: found integer, expected a string
    {"action": "read", "result": [{"associations": {"it's 1": {}}}]}
        at $.result[0].associations['it\'s 1']: found map, expected a sequence
    "#);
}

#[test]
fn a_body_that_is_handed_over_is_not_copied() {
    for payload in payloads("webhook") {
        let (body, length) = (payload.text.clone().into_bytes(), payload.text.len());
        let address = body.as_ptr();
        let raw = notification(from_webhook(body)).raw;
        assert_eq!((raw.body().as_ptr(), raw.body().len()), (address, length));
    }
    let bytes = b"{".to_vec();
    let address = bytes.as_ptr();
    let back = from_any(bytes).unwrap_err().into_body();
    assert_eq!(back.as_ptr(), address);
}

#[test]
fn nesting_of_any_depth_is_no_danger() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let event =
        notification(from_any(format!(r#"{{"notificationType": "new", "data": {}}}"#, deep(100_000)).as_bytes()));
    assert_eq!(encode(&event.event), deep(100_000));
    assert!(from_any(deep(100_000).as_bytes()).is_err());
    assert!(from_any("[".repeat(100_000).as_bytes()).is_err());
    assert!(from_any(r#"{"data":"#.repeat(100_000).as_bytes()).is_err());
}

#[test]
fn a_member_beside_the_payload_does_not_make_the_envelope_a_payload() {
    let beside = [
        r#""projectId": "p""#,
        r#""action": "notify""#,
        r#""result": [1]"#,
        r#""resultInfo": null"#,
        r#""id": {"data": {}}"#,
        r#""sentAt": 5, "projectId": {"deep": []}"#,
    ];
    for payload in payloads("kinesis-bare") {
        let data = payload.text.trim();
        let kind = format!(r#""notificationType": "{}""#, payload.name);
        let metadata = format!(r#""metadata": {{{kind}, "event-id": "e"}}"#);
        for named in [&kind, &metadata] {
            for beside in beside {
                for members in [
                    format!(r#"{beside}, {named}, "data": {data}"#),
                    format!(r#"{named}, {beside}, "data": {data}"#),
                    format!(r#"{named}, "data": {data}, {beside}"#),
                    format!(r#""data": {data}, {named}, {beside}"#),
                    format!(r#""data": {data}, {beside}, {named}"#),
                    format!(r#"{beside}, "data": {data}, {named}"#),
                ] {
                    let body = format!("{{{members}}}");
                    let other = NotificationType::from("something.else");
                    for delivery in
                        [from_webhook(&body), from_kinesis(&body), from_kinesis_as(&body, &other), from_any(&body)]
                    {
                        let notification = notification(delivery);
                        assert_eq!(notification.notification_type.as_str(), payload.name, "{body}");
                        assert_eq!(notification.raw.data(), data);
                        assert_eq!(difference(data, &encode(&notification.event)), None);
                    }
                }
            }
        }
    }
}

#[test]
fn metadata_beside_a_type_may_be_anything() {
    for metadata in [r#""text""#, "5", "[1]", "null", "true", "1e400", r#"{"a": {"b": 1}}"#, r#""\ud83d""#] {
        for body in [
            format!(r#"{{"notificationType": "connection.deleted", "metadata": {metadata}, "data": {DATA}}}"#),
            format!(r#"{{"data": {DATA}, "metadata": {metadata}, "notificationType": "connection.deleted"}}"#),
        ] {
            let read = notification(from_webhook(&body));
            assert_eq!(read.notification_type, NotificationType::ConnectionDeleted, "{body}");
        }
    }
    for metadata in [r#""text""#, "5", "[1]", "true"] {
        let told =
            from_kinesis_as(format!(r#"{{"data": {DATA}, "metadata": {metadata}}}"#), &"connection.deleted".into());
        assert_eq!(notification(told).raw.data(), DATA, "{metadata}");
        let message = payloads("messages-s3").remove(0).text;
        records(from_kinesis(format!(r#"{{"metadata": {metadata}, "data": {message}}}"#)));
        let error = from_kinesis(format!(r#"{{"metadata": {metadata}, "data": {{}}}}"#)).unwrap_err();
        assert!(error.to_string().contains("at $.metadata: found"), "{error}");
    }
}

#[test]
fn a_payload_with_metadata_beside_it_is_not_unwrapped() {
    for body in [
        r#"{"data": {"a": 1}, "metadata": {"k": "v"}, "kept": false}"#,
        r#"{"notificationType": "connection.deleted", "data": {"a": 1}}"#,
        r#"{"data": {"a": 1}}"#,
        r#"{"metadata": {"notificationType": "connection.deleted"}, "data": {}, "projectId": "p"}"#,
    ] {
        let told = [("notificationtype", "x.new"), ("event-id", "e1"), ("topic", "t")];
        let packed = serde_json::to_string(&BTreeMap::from(told)).unwrap();
        for delivery in
            [from_s3(body, told), from_attributes(body, told), from_attributes(body, [("metadata", packed)])]
        {
            let read = notification(delivery);
            assert_eq!((read.notification_type.as_str(), read.id()), ("x.new", Some("e1")), "{body}");
            assert_eq!((read.metadata().get("topic"), read.metadata().get("k")), (Some("t"), None));
            assert_eq!((read.raw.data(), encode(&read.event).as_str()), (body, body));
        }
    }
    // A type from the caller works too, and attributes beside `metadata` count too.
    let body = r#"{"data": {"a": 1}, "metadata": {"k": "v"}, "notificationType": "zz"}"#;
    let told = from_source(body, Source::S3, Metadata::default(), Some(&"x.new".into()));
    assert_eq!(notification(told).raw.data(), body);
    let beside = from_attributes(
        "{}",
        [("metadata", r#"{"event-id": "e1"}"#), ("notificationType", "x.new"), ("event-id", "e2")],
    );
    assert_eq!((notification(beside.clone()).notification_type.as_str(), beside.unwrap().id()), ("x.new", Some("e1")));
    // Records name no type. The metadata beside them shows that no envelope wraps them.
    let records_with_data = payloads("messages-s3").remove(0).text.replacen('{', r#"{"data": {}, "metadata": {},"#, 1);
    assert_eq!(records(from_s3(&records_with_data, [("event-id", "e1")])).id(), Some("e1"));
    // A body that is cut short says so, whatever its type is.
    let cut = from_s3(r#"{"action":"read""#, [("event-id", "e1")]).unwrap_err();
    assert!(matches!(cut.kind(), NormalizeErrorKind::NotJson { line: 1, column: 16 }), "{cut}");
}

#[test]
fn metadata_of_the_caller_is_added_to_that_of_the_body() {
    let body = r#"{"data":{"groupRef":"acme"},"metadata":{"notificationType":"x.new","Topic":"own"}}"#;
    let beside = [("event-id", "evt_1"), ("topic", "beside")].into_iter().collect();
    let read = notification(from_source(body, Source::Bare, beside, None));
    assert_eq!((read.notification_type.as_str(), read.id()), ("x.new", Some("evt_1")));
    assert_eq!(read.metadata().get("topic"), Some("own"));
}

#[test]
fn null_is_no_type() {
    let data = r#"{"projectId": "p", "destinationId": "d", "destinationName": "n", "url": "u"}"#;
    for body in [
        format!(r#"{{"notificationType": null, "data": {data}}}"#),
        format!(r#"{{"data": {data}, "metadata": {{"notificationType": null, "event-id": null}}}}"#),
        format!(r#"{{"projectId": "p", "notificationType": null, "data": {data}}}"#),
    ] {
        let error = from_any(&body).unwrap_err();
        assert!(error.to_string().contains("it may be destination.webhook.disabled: pass the type"), "{error}");
        let read = notification(from_kinesis_as(&body, &NotificationType::DestinationWebhookDisabled));
        assert_eq!((read.raw.data(), read.id()), (data, None), "{body}");
    }
    // An empty string does not name a type.
    let empty = format!(
        r#"{{"notificationType": "", "metadata": {{"notificationType": "", "event-id": ""}}, "data": {data}}}"#
    );
    assert!(matches!(from_any(&empty).unwrap_err().kind(), NormalizeErrorKind::TypeMissing { .. }));
    assert_eq!(notification(from_kinesis_as(&empty, &"x.new".into())).id(), None);
    // A message remains a message if a member is `null`.
    let message = payloads("messages-s3").remove(0).text;
    for null in [r#""notificationType": null"#, r#""metadata": null"#] {
        records(from_any(message.replacen('{', &format!(r#"{{{null}, "data": {{"x": 1}},"#), 1)));
    }
    let named = format!(r#"{{"notificationType": null, "metadata": {{"notificationType": "x.new"}}, "data": {data}}}"#);
    assert_eq!(notification(from_any(&named)).notification_type.as_str(), "x.new");
}

#[test]
fn notifications_and_messages_of_older_contracts_are_read() {
    for payload in payloads("older") {
        let read = notification(from_webhook(&payload.text));
        assert_eq!(read.notification_type.as_str(), payload.name);
        assert!(!matches!(read.event, Event::Unknown(_)));
    }
    // `result` or `resultInfo` marks a message without `action`. Without all three, it is not a message.
    let bare = payloads("messages").into_iter().find(|payload| payload.name == "read.without-action").unwrap().text;
    for (from, to) in [("\"result\"", "\"a\""), ("\"resultInfo\"", "\"b\"")] {
        let less = bare.replace(from, to);
        assert_eq!(records(from_any(&less)).group_ref().as_deref(), Some("acme-corp"), "{less}");
    }
    let nothing = bare.replace("\"result\"", "\"a\"").replace("\"resultInfo\"", "\"b\"");
    assert!(matches!(from_any(&nothing).unwrap_err().kind(), NormalizeErrorKind::TypeMissing { .. }));
}

#[test]
fn a_lone_surrogate_is_named_with_its_place_and_goes_through_where_nothing_is_typed() {
    let deleted = |name: &str| {
        let data = DATA.replace(r#""groupRef": "g""#, &format!(r#""groupRef": "{name}""#));
        from_any(format!(r#"{{"notificationType": "connection.deleted", "data": {data}}}"#))
    };
    for name in [r"Ada \ud83d", r"\udc00", r"\ud83d\n", r"\ud83dx"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(deleted(name).unwrap_err(), @"not a `connection.deleted`: at $.data.groupRef: found a string with a lone surrogate, which is half of a character");
        }
    }
    assert!(deleted(r"\ud83d\ude00").is_ok());
    insta::assert_snapshot!(from_any(r#"{"notificationType": "\ud83d", "data": {}}"#).unwrap_err(), @"at $.notificationType: found a string with a lone surrogate, which is half of a character");
    insta::assert_snapshot!(from_any(r#"{"action": "read", "groupName": "\ud83d"}"#).unwrap_err(), @"at $.groupName: found a string with a lone surrogate, which is half of a character");
    let bare = DATA.replace("\"g\"", r#""\ud83d""#);
    insta::assert_snapshot!(from_any(&bare).unwrap_err(), @"at $.groupRef: found a string with a lone surrogate, which is half of a character");
    insta::assert_snapshot!(deleted(r"\ud83d\u12").unwrap_err(), @"not valid JSON at line 1 column 133");

    let data = r#"{"new": "\ud83d", "config": {"a": "\udc00"}}"#;
    let read = notification(from_any(format!(r#"{{"notificationType": "x.new", "data": {data}}}"#)));
    assert_eq!(encode(&read.event), data);
    let config = RawJson::new(r#"{"provider": "\ud83d"}"#).unwrap().parse::<ampersand_types::config::ConfigContent>();
    insta::assert_snapshot!(config.unwrap_err(), @"not the JSON of a `ConfigContent` at line 1 column 21: found a string with a lone surrogate, which is half of a character");
}

#[test]
fn a_byte_order_mark_is_skipped_and_kept() {
    for envelope in ENVELOPES {
        for mut payload in payloads(envelope) {
            let plain = notification(receive(envelope, &payload));
            payload.text.insert(0, '\u{feff}');
            let marked = notification(receive(envelope, &payload));
            assert_eq!((&marked.event, marked.raw.data()), (&plain.event, plain.raw.data()), "{envelope}");
            assert_eq!(marked.raw.body(), payload.text, "to the byte");
        }
    }
    let bare = notification(from_kinesis_as("\u{feff} {}\n", &"x.new".into()));
    assert_eq!(bare.raw.data(), "{}");
}

#[test]
fn an_error_without_a_type_names_the_likely_mistake() {
    let base64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let mut hints = String::new();
    for body in [
        r#"{"Records": [{"kinesis": {"data": "e30="}, "eventSource": "aws:kinesis"}]}"#,
        r#"{"Records": [{"messageId": "m", "receiptHandle": "r", "body": "{}", "attributes": {}, "messageAttributes": {}}]}"#,
        r#"{"Records": [{"Sns": {"Message": "{}"}}]}"#,
        r#"{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "k"}}}]}"#,
        r#"{"Records": [{"cf": {}}]}"#,
        r#"{"Records": [{"SequenceNumber": "1", "Data": "e30=", "PartitionKey": "p"}], "MillisBehindLatest": 0}"#,
        r#"{"Records": [{"new": 1}]}"#,
        r#"{"Messages": [{"MessageId": "m", "Body": "{}"}]}"#,
        r#"{"Type": "Notification", "Message": "{}", "TopicArn": "arn"}"#,
        r#"{"resource": "/", "httpMethod": "POST", "requestContext": {}, "body": "{}", "isBase64Encoded": false}"#,
        r#"{"message": {"data": "e30="}, "subscription": "s"}"#,
        r#"{"version": "0", "detail-type": "d", "detail": {}}"#,
        r#"{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}"#,
        r#"{"AcceptRanges": "bytes", "ETag": "\"0\"", "Metadata": {"event-id": "e"}}"#,
        r#"[{"data": "e30=", "sequenceNumber": "1"}]"#,
        &base64(r#"{"data": {}}"#),
        &format!("\"{}\"", base64(r#" {"data": {}}"#)),
        r#""{\"data\": {}}""#,
        "eyJub3RpZmlj\nYXRpb25UeXBl",
        r#"{"projectId": "p", "notificationType": "connection.deleted"}"#,
        r#"{"data": {"notificationType": "x", "data": {}}}"#,
        r#"{"Type": "SubscriptionConfirmation", "Message": "m", "TopicArn": "a", "SubscribeURL": "u"}"#,
        r#"{"message": "hello", "subscription": "gold"}"#,
        r#"{"Records": []}"#,
        r#"{"unlike": "anything"}"#,
        "plain text",
        " ",
    ] {
        let error = from_any(body).unwrap_err();
        hints.push_str(&format!("{body}\n    {}\n", error.hint().unwrap_or("-")));
        assert!(!error.to_string().contains("pass the type"), "{error}");
        assert!(error.hint().is_none_or(|hint| error.to_string().ends_with(hint)), "{error}");
    }
    insta::assert_snapshot!(hints, @r#"
    {"Records": [{"kinesis": {"data": "e30="}, "eventSource": "aws:kinesis"}]}
        the body is an event of Lambda from Kinesis: read the `kinesis.data` of each record, decoded from base64
    {"Records": [{"messageId": "m", "receiptHandle": "r", "body": "{}", "attributes": {}, "messageAttributes": {}}]}
        the body is an event of Lambda from SQS: read the `body` of each record, with its `messageAttributes`
    {"Records": [{"Sns": {"Message": "{}"}}]}
        the body is an event of Lambda from SNS: read the `Sns.Message` of each record, with its `MessageAttributes`
    {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "k"}}}]}
        the body is a notification of S3, which only names objects: fetch each object, and read it with its user metadata
    {"Records": [{"cf": {}}]}
        the body is an event of Lambda@Edge: verify and read the body of `cf.request`
    {"Records": [{"SequenceNumber": "1", "Data": "e30=", "PartitionKey": "p"}], "MillisBehindLatest": 0}
        the body is the output of `aws kinesis get-records`: read the `Data` of each record, decoded from base64
    {"Records": [{"new": 1}]}
        the body is a batch of records: read each record
    {"Messages": [{"MessageId": "m", "Body": "{}"}]}
        the body is the output of `aws sqs receive-message`: read the `Body` of each message, with its `MessageAttributes`
    {"Type": "Notification", "Message": "{}", "TopicArn": "arn"}
        the body is a notification of SNS: read its `Message`, with its `MessageAttributes`
    {"resource": "/", "httpMethod": "POST", "requestContext": {}, "body": "{}", "isBase64Encoded": false}
        the body is a request as API Gateway, a function URL or a load balancer hands it to Lambda: verify and read its `body`, decoded where `isBase64Encoded` is true
    {"message": {"data": "e30="}, "subscription": "s"}
        the body is a push of Pub/Sub: read `message.data`, decoded from base64, with `message.attributes`
    {"version": "0", "detail-type": "d", "detail": {}}
        the body is an event of EventBridge: read its `detail`
    {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}
        the body is a test event of S3, which carries no delivery: ignore it
    {"AcceptRanges": "bytes", "ETag": "\"0\"", "Metadata": {"event-id": "e"}}
        the body describes an object of S3: read the object itself, with this `Metadata`
    [{"data": "e30=", "sequenceNumber": "1"}]
        the body is an array: read each of its items
    eyJkYXRhIjoge319
        the body is base64: decode it first
    "IHsiZGF0YSI6IHt9fQ=="
        the body is base64: decode it first
    "{\"data\": {}}"
        the body is JSON in a JSON string: decode the string first
    eyJub3RpZmlj
    YXRpb25UeXBl
        the body is base64: decode it first
    {"projectId": "p", "notificationType": "connection.deleted"}
        `notificationType` stands among the members of the payload, which belongs in `data` beside it
    {"data": {"notificationType": "x", "data": {}}}
        `data` holds an envelope of its own: read that one
    {"Type": "SubscriptionConfirmation", "Message": "m", "TopicArn": "a", "SubscribeURL": "u"}
        the body is a confirmation of a subscription to SNS, which carries no delivery: visit its `SubscribeURL`
    {"message": "hello", "subscription": "gold"}
        -
    {"Records": []}
        -
    {"unlike": "anything"}
        -
    plain text
        -
     
        the body is empty
    "#);
    let attributes = [("ApproximateReceiveCount", "1"), ("SenderId", "AIDA"), ("SentTimestamp", "1")];
    insta::assert_snapshot!(from_attributes("{}", attributes).unwrap_err(), @"nothing names the notification type: no `notificationType` stands beside `data` in the body, nor in the metadata, which has `ApproximateReceiveCount`, `SenderId`, `SentTimestamp`; no known type has this shape; these are the `attributes` that SQS itself sets: pass the `messageAttributes`");
    let packed = from_attributes("{}", [("metadata", "[1]")]).unwrap_err();
    assert_eq!(packed.hint(), Some("the attribute `metadata` should hold a JSON object, and does not"));
    let long = from_s3("{}", [("n".repeat(3_000), "SECRET")]).unwrap_err().to_string();
    assert!(long.contains("nnn…`") && long.len() < 300, "{long}");
    let many = (0..20).map(|n| (format!("name-{n:02}\u{1b}"), "SECRET"));
    insta::assert_snapshot!(from_s3(r#"{"projectId": "p"}"#, many).unwrap_err(), @r"nothing names the notification type: no `notificationType` stands beside `data` in the body, nor in the metadata, which has `name-00\u{1b}`, `name-01\u{1b}`, `name-02\u{1b}`, `name-03\u{1b}`, `name-04\u{1b}`, `name-05\u{1b}`, `name-06\u{1b}`, `name-07\u{1b}`, `name-08\u{1b}`, `name-09\u{1b}`, `name-10\u{1b}`, `name-11\u{1b}`, …; no known type has this shape");
}

#[test]
fn a_delivery_answers_without_a_match() {
    for envelope in ENVELOPES {
        for payload in payloads(envelope) {
            let delivery = receive(envelope, &payload).unwrap();
            let data: serde_json::Value = serde_json::from_str(delivery.raw().data()).unwrap();
            let metadata = |name: &str| delivery.metadata().get(name).map(str::to_owned);
            let told = |name: &str| data[name].as_str().map(str::to_owned).or_else(|| metadata(name));
            let answers =
                [delivery.group_ref(), delivery.project_id(), delivery.installation_id(), delivery.object_name()];
            for (answer, name) in answers.into_iter().zip(["groupRef", "projectId", "installationId", "objectName"]) {
                assert_eq!(answer.as_deref(), told(name).as_deref(), "{envelope} {} {name}", payload.name);
            }
            let Delivery::Notification(notification) = &delivery else { panic!("{envelope}") };
            assert_eq!(
                (delivery.id(), delivery.timestamp(), delivery.source()),
                (notification.id.as_deref(), notification.timestamp.as_ref(), notification.source)
            );
        }
    }
    for payload in payloads("messages") {
        let body = format!(r#"{{"data": {}, "metadata": {{"event-id": "e", "timestamp": "t"}}}}"#, payload.text);
        let delivery = from_kinesis(&body).unwrap();
        assert_eq!(
            (delivery.id(), delivery.timestamp().map(ampersand_types::Timestamp::as_str)),
            (Some("e"), Some("t"))
        );
        assert!(delivery.group_ref().is_some() && delivery.object_name().is_some());
    }
    let unknown =
        from_any(r#"{"notificationType": "x", "data": {"gro\u0075pRef": "\u00e9", "projectId": 5}}"#).unwrap();
    assert_eq!((unknown.group_ref().as_deref(), unknown.project_id()), (Some("é"), None));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = from_any(&body);
        let _ = from_kinesis_as(&body, &NotificationType::ConnectionDeleted);
    }

    #[test]
    fn no_damage_to_a_body_makes_it_panic(at in 0..2000_usize, byte in proptest::prelude::any::<u8>(), cut in 0..2000_usize) {
        for payload in payloads("webhook") {
            let mut body = payload.text.into_bytes();
            if let Some(hit) = body.get_mut(at) {
                *hit = byte;
            }
            let _ = from_any(&body);
            body.truncate(cut);
            let _ = from_any(&body);
        }
    }
}
