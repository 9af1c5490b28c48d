//! Reads deliveries in documents of AWS and Pub/Sub.

use std::fs;

use ampersand_testing::{Fixture, aws};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cases::{METADATA, PAYLOAD, assert_is_created, data, decode};
use crate::command::{Run, run, run_on};

/// Every notification and data message.
fn fixtures() -> Vec<Fixture> {
    Fixture::all().chain([Fixture::records(), Fixture::changes(), Fixture::unknown("something.new")]).collect()
}

/// Returns the type, the source and the id of each delivery.
fn told(run: &Run) -> Vec<(Value, Value, Value)> {
    let lines = run.lines().into_iter().map(|line| serde_json::from_str(line).unwrap());
    lines.map(|line: Value| (line["notificationType"].clone(), line["source"].clone(), line["id"].clone())).collect()
}

/// Returns what `told` should return for all fixtures.
fn expected(source: &str, id: impl Fn(&Fixture) -> String) -> Vec<(Value, Value, Value)> {
    let of = |fixture: &Fixture| (json!(fixture.notification_type()), json!(source), json!(id(fixture)));
    fixtures().iter().map(of).collect()
}

#[test]
fn every_delivery_of_an_event_of_lambda_is_read_in_order() {
    let fixtures = fixtures();
    for (event, source) in [(aws::kinesis_event(&fixtures), "kinesis"), (aws::sqs_event(&fixtures), "attributes")] {
        for document in [event.to_string(), serde_json::to_string_pretty(&event).unwrap(), event["Records"].to_string()]
        {
            for from in ["auto", source] {
                let run = run_on(&document, &["decode", "--output", "json", "--from", from]);
                assert_eq!((run.code, run.stderr.as_str()), (0, ""));
                assert_eq!(told(&run), expected(source, Fixture::id), "{from}");
            }
        }
        let found = run_on(event.to_string(), &["decode", "--drift"]);
        assert!(found.code == 0 && found.stdout.contains("something.new"), "{found}");
    }
}

#[test]
fn a_webhook_is_read_from_a_request_with_its_id_and_time() {
    let at = "2026-08-19T17:03:10Z".parse().unwrap();
    for event in [aws::api_gateway_event, aws::http_api_event, aws::alb_event, aws::alb_multi_value_event] {
        let event = |fixture: &Fixture| event(&fixture.signed("whsec_c2VjcmV0IG9mIGEgdGVzdA==", at).unwrap());
        let stream: String = fixtures().iter().map(|fixture| event(fixture).to_string() + "\n").collect();
        for from in ["auto", "webhook"] {
            let run = run_on(&stream, &["decode", "--output", "json", "--from", from]);
            assert_eq!((run.code, run.stderr.as_str()), (0, ""));
            assert_eq!(told(&run), expected("webhook", Fixture::webhook_id));
            assert!(run.lines().iter().all(|line| line.contains(r#""timestamp":"2026-08-19T17:03:10Z""#)), "{run}");
        }
    }
}

#[test]
fn trigger_prints_events_of_lambda_that_decode_reads_again() {
    for (service, source, events) in [
        ("kinesis", "kinesis", 1),
        ("sqs", "attributes", 1),
        ("apigw", "webhook", 17),
        ("url", "webhook", 17),
        ("alb", "webhook", 17),
    ] {
        let printed = run(&["trigger", "--all", "--lambda", service]);
        assert_eq!((printed.code, printed.stderr.as_str(), printed.lines().len()), (0, "", events), "{service}");
        let read = run_on(&printed.stdout, &["decode", "--output", "json", "--from", source]);
        assert_eq!((read.code, read.lines().len()), (0, 17), "{service}: {read}");
    }
    let printed = run(&["trigger", "connection.created", "--count", "2", "--lambda", "s3"]);
    assert!(run_on(&printed.stdout, &["decode"]).stderr.ends_with("0 decoded, 2 failed\n"), "each has to be fetched");
    let wrong = run(&["trigger", "connection.created", "--lambda", "sqs", "--envelope", "sqs"]);
    assert_eq!(wrong.code, 2, "{wrong}");
}

/// Returns attributes, one for each metadata entry.
fn attributes(of: impl Fn(Value) -> Value) -> Value {
    let metadata: Value = serde_json::from_str(METADATA).unwrap();
    let entries = metadata.as_object().unwrap().iter();
    entries.map(|(name, value)| (name.clone(), of(value.clone()))).collect()
}

fn sns() -> Value {
    let attributes = attributes(|value| json!({"Type": "String", "Value": value}));
    json!({"Type": "Notification", "MessageId": "1", "Message": PAYLOAD, "MessageAttributes": attributes})
}

#[test]
fn a_message_is_read_with_its_attributes() {
    let pub_sub = json!({"data": STANDARD.encode(PAYLOAD), "messageId": "1", "attributes": attributes(|value| value)});
    let lambda = json!({
        "messageId": "1",
        "receiptHandle": "AQEB",
        "body": PAYLOAD,
        "attributes": {"SenderId": "AIDA", "notificationType": "not.this"},
        "messageAttributes": attributes(|value| json!({"stringValue": value, "dataType": "String"})),
    });
    let in_sqs = json!({"messageId": "1", "receiptHandle": "AQEB", "body": sns().to_string(), "messageAttributes": {}});
    let printed = json!({"MessageId": "1", "Body": sns().to_string()});
    for document in [
        sns(),
        json!({"Records": [{"EventSource": "aws:sns", "Sns": sns()}]}),
        json!({"Records": [in_sqs]}),
        json!({"Messages": [printed]}),
        json!({"Records": [lambda]}),
        json!([lambda]),
        lambda,
        json!({"message": pub_sub, "subscription": "projects/p/subscriptions/s"}),
        json!({"message": pub_sub}),
        json!([{"ackId": "1", "message": pub_sub}]),
        pub_sub,
    ] {
        assert_is_created(&decode(document.to_string()), "attributes");
    }
}

#[test]
fn a_record_of_kinesis_is_read_alone_and_from_pipes() {
    let piped = json!({"eventSource": "aws:kinesis", "sequenceNumber": "1", "partitionKey": "evt_1", "data": data()});
    for document in [
        json!([piped]),
        piped,
        json!({"kinesis": {"data": data()}, "eventName": "aws:kinesis:record"}),
        json!({"SequenceNumber": "1", "Data": data(), "PartitionKey": "evt_1"}),
    ] {
        assert_is_created(&decode(document.to_string()), "kinesis");
    }
}

#[test]
fn a_body_in_base64_is_decoded_and_the_headers_of_an_edge_are_lists() {
    let webhook = format!(r#"{{"notificationType": "connection.created", "data": {PAYLOAD}}}"#);
    let headers = json!({"Webhook-Id": "evt_1", "webhook-timestamp": "1787158990"});
    let edge = json!({
        "webhook-id": [{"key": "Webhook-Id", "value": "evt_1"}],
        "webhook-timestamp": [{"key": "webhook-timestamp", "value": "1787158990"}],
    });
    let body = json!({"action": "read-only", "data": STANDARD.encode(&webhook), "encoding": "base64"});
    let request = json!({"method": "POST", "uri": "/", "headers": edge, "body": body});
    for document in [
        json!({"version": "2.0", "headers": headers, "body": STANDARD.encode(&webhook), "isBase64Encoded": true}),
        json!({"multiValueHeaders": {}, "headers": headers, "body": webhook, "isBase64Encoded": false}),
        json!({"Records": [{"cf": {"config": {"requestId": "1"}, "request": request}}]}),
    ] {
        assert_is_created(&decode(document.to_string()), "webhook");
    }
}

#[test]
fn a_record_that_cannot_be_read_does_not_hide_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("bad.jsonl").to_str().unwrap().to_owned();
    let record = |data: Value| json!({"kinesis": {"data": data}});
    let good = || record(json!(data()));
    let encoded = |body: &str| record(json!(STANDARD.encode(body)));
    let message = |body: Value, attributes: Value| json!({"receiptHandle": "AQEB", "body": body, "messageAttributes": attributes});
    let records = json!([
        good(),
        record(json!("%")),
        record(json!(5)),
        record(json!(null)),
        {"kinesis": "data"},
        good(),
        encoded("not json"),
        encoded("{\"data\": {}}"),
        encoded(&PAYLOAD.replace("Ada", r"\ud83d")),
        good(),
        message(json!(5), json!({})),
        message(json!(PAYLOAD), json!({"metadata": {"stringValue": "{\"event-id\": \"evt_2\"}"}})),
        message(json!(PAYLOAD), json!({"metadata": ["a"]})),
        message(json!(PAYLOAD), json!(5)),
        {"unknown": true},
        7,
        good(),
    ]);
    let read =
        run_on(json!({"Records": records}).to_string(), &["decode", "--output", "json", "--dead-letter", &letters]);
    assert_eq!((read.code, read.lines().len()), (1, 4));
    insta::assert_snapshot!(read.stderr, @"
    stdin:1: $.Records[1]: `data` of the record is not valid base64
    stdin:1: $.Records[2]: `data` of the record is not a valid string
    stdin:1: $.Records[3]: the record has no `data`
    stdin:1: $.Records[4]: `kinesis` of the record is not an object
    stdin:1: $.Records[6]: in the body: not valid JSON at line 1 column 2
    stdin:1: $.Records[7]: in the body: nothing names the notification type: no `notificationType` stands beside `data` in the body, nor in metadata; no known type has this shape
    stdin:1: $.Records[8]: in the body: at $.consumerName: found a string with a lone surrogate, which is half of a character
    stdin:1: $.Records[10]: `body` of the record is not a valid string
    stdin:1: $.Records[11]: in the body: nothing names the notification type: no `notificationType` stands beside `data` in the body, nor in the metadata, which has `event-id`; by its shape it may be connection.created, connection.deleted, connection.error, connection.refreshed, connection.updated: pass the type (option --type)
    stdin:1: $.Records[12]: the attributes of the record are not an object of strings
    stdin:1: $.Records[13]: the attributes of the record are not an object of strings
    stdin:1: $.Records[14]: not a record of Kinesis, SQS, SNS, S3, Pub/Sub or Lambda@Edge
    stdin:1: $.Records[15]: not a record of Kinesis, SQS, SNS, S3, Pub/Sub or Lambda@Edge
    4 decoded, 13 failed
    ");
    insta::assert_snapshot!(fs::read_to_string(&letters).unwrap(), @r#"
    {"kinesis":{"data":"%"}}
    {"kinesis":{"data":5}}
    {"kinesis":{"data":null}}
    {"kinesis":"data"}
    not json
    {"data": {}}
    {"projectId":"p1","connectionId":"c1","provider":"salesforce","groupRef":"acme","consumerRef":"u1","consumerName":"\ud83d"}
    {"body":5,"messageAttributes":{},"receiptHandle":"AQEB"}
    {"body":"{\"projectId\":\"p1\",\"connectionId\":\"c1\",\"provider\":\"salesforce\",\"groupRef\":\"acme\",\"consumerRef\":\"u1\",\"consumerName\":\"Ada\"}","messageAttributes":{"metadata":{"stringValue":"{\"event-id\": \"evt_2\"}"}},"receiptHandle":"AQEB"}
    {"body":"{\"projectId\":\"p1\",\"connectionId\":\"c1\",\"provider\":\"salesforce\",\"groupRef\":\"acme\",\"consumerRef\":\"u1\",\"consumerName\":\"Ada\"}","messageAttributes":{"metadata":["a"]},"receiptHandle":"AQEB"}
    {"body":"{\"projectId\":\"p1\",\"connectionId\":\"c1\",\"provider\":\"salesforce\",\"groupRef\":\"acme\",\"consumerRef\":\"u1\",\"consumerName\":\"Ada\"}","messageAttributes":5,"receiptHandle":"AQEB"}
    {"unknown":true}
    7
    "#);
    let again = run(&["decode", "--output", "json", "--type", "connection.created", &letters]);
    assert_eq!(told(&again), [(json!("connection.created"), json!("attributes"), json!("evt_2"))]);
    assert!(again.stderr.ends_with("1 decoded, 12 failed\n"), "{again}");
}

#[test]
fn a_notification_of_s3_says_how_to_fetch_each_object() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("bad.jsonl").to_str().unwrap().to_owned();
    let event = aws::s3_event([&Fixture::new("connection.created"), &Fixture::records()]);
    let direct = run_on(event.to_string(), &["decode", "--dead-letter", &letters]);
    assert_eq!((direct.code, direct.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(direct.stderr, @"
    stdin:1: $.Records[0]: S3 sends only the name of an object: bucket `ampersand-deliveries`, key `topic=crm events/2025-12-27T12:03:27Z/2a59d158-e463-4e31-9cf4-7201b28a39ac.json`; fetch it with `aws s3api get-object --bucket ampersand-deliveries --key 'topic=crm events/2025-12-27T12:03:27Z/2a59d158-e463-4e31-9cf4-7201b28a39ac.json' object.json > head.json`, then read it with `ampersand decode --from s3 --metadata head.json object.json`
    stdin:1: $.Records[1]: S3 sends only the name of an object: bucket `ampersand-deliveries`, key `topic=crm events/2025-12-27T12:03:27Z/01d092a2-97ce-45da-9435-fb660f96541e.json`; fetch it with `aws s3api get-object --bucket ampersand-deliveries --key 'topic=crm events/2025-12-27T12:03:27Z/01d092a2-97ce-45da-9435-fb660f96541e.json' object.json > head.json`, then read it with `ampersand decode --from s3 --metadata head.json object.json`
    0 decoded, 2 failed
    ");
    let again = run(&["decode", &letters]);
    assert!(
        again.code == 1 && again.stderr.contains("s3api get-object") && again.stderr.ends_with("0 decoded, 2 failed\n"),
        "{again}"
    );

    let in_sqs = json!({"Messages": [{"ReceiptHandle": "AQEB", "Body": event.to_string()}]});
    let in_sns = json!({"Type": "Notification", "Message": event.to_string()});
    for document in [in_sqs, in_sns] {
        for from in ["auto", "s3", "kinesis"] {
            let run = run_on(document.to_string(), &["decode", "--from", from]);
            assert!(run.code == 1 && run.stderr.ends_with("0 decoded, 2 failed\n"), "{run}");
            assert!(run.stderr.contains("bucket `ampersand-deliveries`, key `topic=crm events/"), "{run}");
        }
    }

    let named = |bucket: Value, object: Value| json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": bucket, "object": object}});
    let records = json!([
        named(json!({"name": "b"}), json!({"key": "it%27s+%C3%A9/$(id).json", "versionId": "v1"})),
        named(json!({"name": "b"}), json!({"key": "a%1b%5B31m"})),
        named(json!({"name": "b"}), json!({"key": "100%"})),
        named(json!({"name": "b"}), json!({"key": 5})),
        named(json!(null), json!({"key": "k"})),
    ]);
    insta::assert_snapshot!(decode(json!({"Records": records}).to_string()).stderr, @r"
    stdin:1: $.Records[0]: S3 sends only the name of an object: bucket `b`, key `it's é/$(id).json`; fetch it with `aws s3api get-object --bucket b --key 'it'\''s é/$(id).json' --version-id v1 object.json > head.json`, then read it with `ampersand decode --from s3 --metadata head.json object.json`
    stdin:1: $.Records[1]: S3 sends only the name of an object: bucket `b`, key `a�[31m`; fetch it with `aws s3api get-object --bucket b --key 'a�[31m' object.json > head.json`, then read it with `ampersand decode --from s3 --metadata head.json object.json`
    stdin:1: $.Records[2]: the key of the object is not URL-encoded
    stdin:1: $.Records[3]: `key` of the record is not a valid string
    stdin:1: $.Records[4]: the record has no `bucket`
    0 decoded, 5 failed
    ");
}

#[test]
fn what_services_say_for_themselves_is_no_failure() {
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-08-19T17:03:10Z", "Bucket": "b"});
    let confirmation = json!({"Type": "SubscriptionConfirmation", "Message": "You have chosen", "SubscribeURL": "https://sns/?Token=secret"});
    let documents = [
        test.clone(),
        json!({"Records": [{"messageId": "1", "body": test.to_string()}]}),
        json!({"Type": "Notification", "Message": test.to_string()}),
        confirmation,
        json!({"Records": [], "NextShardIterator": "AAAA", "MillisBehindLatest": 0}),
    ];
    let stream: String = documents.iter().map(|document| document.to_string() + "\n").collect();
    insta::assert_snapshot!(run_on(stream, &["decode"]), @"
    exit code 0
    -- stdout
    -- stderr
    stdin:1: ignored: the test event of S3 carries no delivery
    stdin:2: $.Records[0]: ignored: the test event of S3 carries no delivery
    stdin:3: ignored: the test event of S3 carries no delivery
    stdin:4: ignored: a confirmation of a subscription to SNS carries no delivery
    stdin:5: there are no records in it
    0 decoded, 0 failed
    ");
}

#[test]
fn what_is_said_on_the_command_line_counts_for_each_record() {
    let bare = STANDARD.encode(PAYLOAD);
    let event = json!({"Records": [{"kinesis": {"data": bare}}, {"kinesis": {"data": bare}}]}).to_string();
    for notification_type in ["connection.created", "something.new"] {
        let said = ["--type", notification_type, "--metadata", "event-id=evt_said"];
        let run = run_on(&event, &[&["decode", "--output", "json"][..], &said].concat());
        let one = (json!(notification_type), json!("kinesis"), json!("evt_said"));
        assert_eq!(told(&run), [one.clone(), one], "{run}");
    }
    let wrong = run_on(&event, &["decode", "--from", "attributes", "--type", "connection.created"]);
    insta::assert_snapshot!(wrong, @"
    exit code 1
    -- stdout
    -- stderr
    stdin:1: $.Records[0]: the record is not of the envelope that `--from` names: leave `--from` out
    stdin:1: $.Records[1]: the record is not of the envelope that `--from` names: leave `--from` out
    0 decoded, 2 failed
    ");
    let object = run_on(&event, &["decode", "--from", "s3", "--type", "something.new"]);
    assert!(object.code == 0 && object.lines().len() == 1, "the object of S3 is the payload: {object}");
}

#[test]
fn resolve_names_the_record_that_it_could_not_download_for() {
    let url = "https://storage.googleapis.com/b/config.json?X-Goog-Signature=secret".into();
    let event =
        aws::sqs_event([&Fixture::new("connection.created"), &Fixture::new("installation.created").too_large(&url)]);
    let run = run_on(event.to_string(), &["resolve", "--allow-host", "other.example.com"]);
    assert_eq!((run.code, run.lines().len()), (1, 2));
    insta::assert_snapshot!(run.stderr, @"
    stdin:1: $.Records[1]: config of https://storage.googleapis.com/b/config.json?…: the policy does not let the URL be asked: storage.googleapis.com is not one of the hosts that are allowed (option --allow-host)
    2 decoded, 0 failed; 0 downloaded, 1 failed
    ");
}

#[test]
fn what_only_resembles_a_batch_is_reported_as_a_document() {
    let deep = |document: &str| document.replace("DEEP", &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    for document in [
        r#"{"Records": 5}"#.to_owned(),
        r#"{"Records": [{"a": 1}]}"#.to_owned(),
        r#"{"message": "text", "subscription": 5}"#.to_owned(),
        r#"{"notificationType": "connection.created", "data": {}, "Records": []}"#.to_owned(),
        r#"[{"a": 1}]"#.to_owned(),
        "[]".to_owned(),
        deep(r#"{"Records": DEEP}"#),
        deep(
            r#"{"Records": [{"kinesis": DEEP}, {"receiptHandle": "", "body": "", "messageAttributes": {"a": DEEP}}]}"#,
        ),
        deep(r#"{"body": "{}", "requestContext": {}, "headers": {"a": DEEP}}"#),
        deep(r#"{"Type": "Notification", "Message": DEEP}"#),
    ] {
        let run = run_on(&document, &["decode"]);
        assert!(run.code == 1 && run.stdout.is_empty() && run.stderr.len() < 1000, "{document:.100}: {run}");
    }
    insta::assert_snapshot!(run_on(r#"[{"a": 1}]"#, &["decode"]).stderr, @"
    stdin:1: an array is no document, but its items may be: `jq -c '.[]'` prints each on a line
    0 decoded, 1 failed
    ");
}

#[test]
fn a_message_in_a_message_in_a_message_is_opened() {
    let mut document = PAYLOAD.to_owned();
    for _ in 0..12 {
        document = json!({"Type": "Notification", "Message": document}).to_string();
    }
    let run = run_on(&document, &["decode", "--output", "json", "--type", "connection.created"]);
    assert_eq!(told(&run), [(json!("connection.created"), json!("attributes"), json!(null))]);
}

#[test]
fn attributes_and_headers_of_any_number_take_linear_time() {
    let many = |value: &str| (0..200_000).map(|n| (format!("n{n}"), json!(value))).collect::<Value>();
    let message = json!({"receiptHandle": "AQEB", "body": PAYLOAD, "messageAttributes": many("v")});
    let request = json!({"requestContext": {}, "body": PAYLOAD, "headers": many("v")});
    let start = std::time::Instant::now();
    for document in [message, request] {
        let run = run_on(document.to_string(), &["decode", "--type", "connection.created"]);
        assert_eq!((run.code, run.lines().len()), (0, 1), "{:.1000}", run.stderr);
    }
    // Comparing name by name would take minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn what_is_still_encoded_is_told_from_other_text() {
    for document in [data(), format!("\"{}\"", data()), format!(" {}\r\n", data())] {
        let run = decode(document);
        assert!(run.code == 1 && run.stderr.contains("; the body is base64: decode it first\n"), "{run}");
    }
    assert!(!decode("plain text").stderr.contains("base64"));
}

#[test]
fn a_document_of_a_type_that_is_named_is_read_as_that_though_it_resembles_a_batch() {
    for document in [
        json!({"a": 1, "Messages": []}),
        json!({"Event": "s3:TestEvent", "a": 1}),
        json!({"a": 1, "subscription": "gold"}),
        json!({"partitionKey": "p", "kinesis": 5, "s3": {}, "cf": {}, "requestContext": {}}),
    ] {
        for named in [&["--type", "x.new"][..], &["--metadata", "notificationtype=x.new"]] {
            let run = run_on(document.to_string(), &[&["decode", "--output", "json"], named].concat());
            let line: Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!((run.code, &line["notificationType"], &line["data"]), (0, &json!("x.new"), &document), "{run}");
        }
        // The same in a message whose attributes name the type.
        let attributes = attributes(|value| json!({ "stringValue": value, "dataType": "String" }));
        let message = json!({"messageId": "m", "receiptHandle": "r", "body": document.to_string(), "messageAttributes": attributes});
        let run = run_on(message.to_string(), &["decode", "--output", "json"]);
        assert!(!run.stderr.contains("ignored") && run.code == 1, "not a connection.created: {run}");
    }
    let enveloped = json!({"messageId": "1", "data": serde_json::from_str::<Value>(PAYLOAD).unwrap()});
    let run = run_on(enveloped.to_string(), &["decode"]);
    assert!(run.stderr.contains("it may be connection.created"), "{run}");
}

#[test]
fn a_message_without_attributes_says_how_to_ask_for_them() {
    let message = json!({"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": PAYLOAD}]});
    let run = run_on(message.to_string(), &["decode"]);
    assert!(run.stderr.contains("aws sqs receive-message --message-attribute-names All"), "{run}");
}
