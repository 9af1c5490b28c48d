//! The deliveries in an event.

use ampersand_aws::{Content, EventError, Item, RecordError, Request, UnreadableError, deliveries};
use ampersand_notifications::{Delivery, Source, Verifier};
use ampersand_testing::{Envelope, Fixture, Sent, aws};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const SECRET: &str = "whsec_c2VjcmV0IG9mIGEgdGVzdA==";

fn fixtures() -> Vec<Fixture> {
    Fixture::all().chain([Fixture::records(), Fixture::changes(), Fixture::unknown("something.new")]).collect()
}

fn delivery(item: &Item) -> &Delivery {
    match &item.content {
        Ok(Content::Delivery(delivery)) => delivery,
        other => panic!("{other:?}"),
    }
}

fn request(event: Value) -> Request {
    match deliveries(event).unwrap().remove(0) {
        Item { content: Ok(Content::Webhook(request)), id: None, .. } => request,
        other => panic!("{other:?}"),
    }
}

fn message(body: &str, attributes: Value) -> Value {
    json!({
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SenderId": "AIDAIENQZJOLO23YVJ4VO", "metadata": "a trap"},
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:ampersand",
    })
}

#[test]
fn every_delivery_of_a_stream_and_of_a_queue_is_read_with_the_identifier_that_the_answer_needs() {
    let fixtures = fixtures();
    let stream = aws::kinesis_event(&fixtures);
    for document in [stream.clone(), stream["Records"].clone()] {
        let items = deliveries(&document).unwrap();
        assert_eq!(items.len(), fixtures.len());
        for ((item, fixture), record) in items.iter().zip(&fixtures).zip(stream["Records"].as_array().unwrap()) {
            assert_eq!(item.id.as_deref(), record["kinesis"]["sequenceNumber"].as_str());
            assert_eq!(*delivery(item), fixture.delivery(Envelope::Kinesis).unwrap());
        }
    }
    let queue = aws::sqs_event(&fixtures);
    let items = deliveries(queue.to_string()).unwrap();
    for (item, fixture) in items.iter().zip(&fixtures) {
        assert_eq!(item.id, Some(fixture.id()));
        assert_eq!(*delivery(item), fixture.delivery(Envelope::Sqs).unwrap());
    }
}

#[test]
fn records_are_read_as_pipes_and_the_command_aws_have_them() {
    let fixture = Fixture::new("connection.created");
    let data = STANDARD.encode(fixture.send(Envelope::Kinesis).body);
    let Sent { body, headers } = fixture.send(Envelope::Sqs);
    let (body, metadata) = (String::from_utf8(body).unwrap(), &headers["metadata"]);
    for (document, id) in [
        (
            json!([{"eventSource": "aws:kinesis", "sequenceNumber": "49590338", "partitionKey": "p", "data": data}]),
            "49590338",
        ),
        (
            json!({"Records": [{"SequenceNumber": "49590338", "PartitionKey": "p", "Data": data}], "MillisBehindLatest": 0}),
            "49590338",
        ),
        (
            json!([message(&body, json!({"metadata": {"stringValue": metadata, "dataType": "String"}}))]),
            "059f36b4-87a3-44ab-83d2-661975830a7d",
        ),
        (
            json!({"Messages": [{"MessageId": "m", "ReceiptHandle": "AQEB", "Body": body, "MessageAttributes": {"metadata": {"StringValue": metadata, "DataType": "String"}}}]}),
            "m",
        ),
    ] {
        let items = deliveries(&document).unwrap();
        assert_eq!((items.len(), items[0].id.as_deref()), (1, Some(id)), "{document}");
        assert_eq!(delivery(&items[0]).id(), Some(fixture.id().as_str()), "{document}");
        assert_eq!(
            delivery(&items[0]).group_ref().as_deref(),
            fixture.delivery(Envelope::Sqs).unwrap().group_ref().as_deref()
        );
    }
}

#[test]
fn a_notification_of_sns_is_opened_in_a_message_and_alone() {
    let fixture = Fixture::new("installation.created");
    let Sent { body, headers } = fixture.send(Envelope::Sqs);
    let notification = json!({
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-east-2:123456789012:ampersand",
        "Message": String::from_utf8(body).unwrap(),
        "MessageAttributes": {"metadata": {"Type": "String", "Value": headers["metadata"]}},
    });
    for (document, id) in [
        (json!({"Records": [message(&notification.to_string(), json!({}))]}), "059f36b4-87a3-44ab-83d2-661975830a7d"),
        (json!({"Records": [{"EventSource": "aws:sns", "Sns": notification}]}), "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"),
        (notification, "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"),
    ] {
        let items = deliveries(&document).unwrap();
        assert_eq!((items.len(), items[0].id.as_deref()), (1, Some(id)));
        let found = delivery(&items[0]);
        assert_eq!((found.id(), found.source()), (Some(fixture.id().as_str()), Source::Attributes));
    }
}

#[test]
fn a_notification_of_s3_names_decoded_objects_directly_and_in_messages() {
    let fixtures = [Fixture::new("connection.created"), Fixture::records()];
    let mut event = aws::s3_event(&fixtures);
    event["Records"][0]["s3"]["object"]["versionId"] = "v1".into();
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-08-19T17:03:10Z", "Bucket": "b"});
    let in_sns = json!({"Type": "Notification", "MessageId": "n", "Message": event.to_string()});
    for document in [
        event.clone(),
        json!({"Records": [message(&test.to_string(), json!({})), message(&event.to_string(), json!({}))]}),
        json!({"Records": [message(&in_sns.to_string(), json!({}))]}),
        json!({"Records": [{"EventSource": "aws:sns", "Sns": in_sns}]}),
    ] {
        let items = deliveries(&document).unwrap();
        assert_eq!(items.len(), 2, "{items:?}");
        for (item, fixture) in items.iter().zip(&fixtures) {
            let Ok(Content::Object(object)) = &item.content else { panic!("{item:?}") };
            assert_eq!((object.bucket.as_str(), &object.key), (aws::BUCKET, &aws::s3_key(fixture)));
        }
        let Ok(Content::Object(first)) = &items[0].content else { panic!() };
        assert_eq!((first.version.as_deref(), first.event.as_deref()), (Some("v1"), Some("ObjectCreated:Put")));
    }
    assert_eq!(deliveries(&event).unwrap()[0].id, Some(aws::s3_key(&fixtures[0])));
    assert_eq!(deliveries(test).unwrap(), []);

    event["Records"][0]["s3"]["object"]["key"] = "it%27s+%C3%A9/100%25".into();
    event["Records"][1]["eventName"] = "ObjectRemoved:Delete".into();
    let items = deliveries(&event).unwrap();
    assert_eq!((items.len(), items[0].id.as_deref()), (1, Some("it's é/100%")));
}

#[test]
fn a_webhook_is_verified_by_the_headers_and_the_decoded_body_of_a_request() {
    let verifier = Verifier::new(SECRET).unwrap();
    for fixture in fixtures() {
        let sent = fixture.signed_now(SECRET).unwrap();
        for event in [aws::api_gateway_event, aws::http_api_event, aws::alb_event, aws::alb_multi_value_event] {
            let plain = event(&sent);
            let mut encoded = plain.clone();
            encoded["body"] = STANDARD.encode(&sent.body).into();
            encoded["isBase64Encoded"] = true.into();
            for event in [plain, encoded] {
                let request = request(event);
                assert_eq!(request.body, sent.body);
                let verified = verifier.verify(&request.headers, request.body).unwrap();
                assert_eq!(verified.id, fixture.webhook_id());
            }
        }
    }
    // During the rotation of a secret, each signature is a separate value.
    let sent = fixtures()[0].signed_now(SECRET).unwrap();
    let mut event = aws::alb_multi_value_event(&sent);
    let signature = sent.headers["svix-signature"].clone();
    event["multiValueHeaders"]["svix-signature"] = json!(["v1,AAAA", signature]);
    let request = request(event);
    assert!(verifier.verify(&request.headers, &request.body).is_ok());
    assert!(verifier.verify(&request.headers, "{}").is_err());
}

#[test]
fn a_record_that_cannot_be_read_does_not_hide_the_others_and_is_handed_over_whole() {
    let mut event =
        aws::kinesis_event([&Fixture::records(), &Fixture::records(), &Fixture::records(), &Fixture::records()]);
    event["Records"][0]["kinesis"]["data"] = "%".into();
    event["Records"][1]["kinesis"]["data"] = STANDARD.encode("secret").into();
    event["Records"][2] = json!(7);
    let items = deliveries(&event).unwrap();
    let errors: Vec<_> = items.iter().map(|item| item.content.as_ref().err()).collect();
    assert_eq!(errors[0].unwrap().error, UnreadableError::Record(RecordError::NotBase64("data")));
    let UnreadableError::Body(error) = &errors[1].unwrap().error else { panic!() };
    assert_eq!(error.body(), b"secret");
    assert_eq!((errors[2].unwrap().id.as_deref(), errors[2].unwrap().record.as_str()), (None, "7"));
    assert!(errors[3].is_none());
    assert_eq!(errors[1].unwrap().id, items[1].id);
    let record: Value = serde_json::from_str(&errors[1].unwrap().record).unwrap();
    assert_eq!(record, event["Records"][1]);
    assert!(!format!("{items:?}").contains("c2VjcmV0"));
}

#[test]
fn what_is_no_event_is_an_error() {
    for event in ["", "{", "null", "[]", "{\"a\": 1}", "[{\"a\": 1}]", "{\"notificationType\": \"a\", \"data\": {}}"] {
        assert_eq!(deliveries(event), Err(EventError::Unknown), "{event}");
    }
    assert_eq!(deliveries(&b"\xff"[..]), Err(EventError::Unknown));
    assert_eq!(deliveries(r#"{"Records": []}"#), Ok(Vec::new()));
    let deep = format!(r#"{{"Records": [{{"kinesis": {}}}]}}"#, "[".repeat(100_000) + &"]".repeat(100_000));
    assert!(deliveries(deep).unwrap()[0].content.is_err());
}
