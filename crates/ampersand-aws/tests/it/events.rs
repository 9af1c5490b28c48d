//! Typed events give the same items as raw JSON.

use ampersand_aws::{Content, Event, Item, Request, deliveries, kinesis, sqs};
use ampersand_notifications::{Delivery, Verifier};
use ampersand_testing::{Fixture, aws};
use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use aws_lambda_events::kinesis::KinesisEvent;
use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use aws_lambda_events::s3::S3Event;
use aws_lambda_events::sns::SnsEvent;
use aws_lambda_events::sqs::SqsEvent;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const SECRET: &str = "whsec_c2VjcmV0IG9mIGEgdGVzdA==";

fn typed<T: DeserializeOwned>(event: &Value) -> T {
    serde_json::from_value(event.clone()).unwrap()
}

/// Returns the items, without the text of unreadable records: a typed event does not keep the original text.
fn items<'e>(event: impl Into<Event<'e>>) -> Vec<Item> {
    let mut items = deliveries(event).unwrap();
    for item in &mut items {
        if let Err(unreadable) = &mut item.content {
            unreadable.record.clear();
        }
    }
    items
}

fn fixtures() -> Vec<Fixture> {
    Fixture::all().chain([Fixture::records(), Fixture::changes(), Fixture::unknown("something.new")]).collect()
}

#[test]
fn typed_batches_give_what_raw_json_gives() {
    let fixtures = fixtures();
    let mut event = aws::kinesis_event(&fixtures);
    event["Records"][1]["kinesis"]["data"] = "bm90IGpzb24=".into();
    assert_eq!(items(typed::<KinesisEvent>(&event)), items(&event));
    let mut event = aws::sqs_event(&fixtures);
    event["Records"][1]["body"] = "not json".into();
    event["Records"][2]["messageAttributes"]["bytes"] = json!({"binaryValue": "AA==", "dataType": "Binary"});
    assert_eq!(items(typed::<SqsEvent>(&event)), items(&event));
    let event = aws::s3_event(&fixtures);
    assert_eq!(items(typed::<S3Event>(&event)), items(&event));
    let notification = json!({
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-east-2:123456789012:ampersand",
        "Timestamp": "2026-08-19T17:03:10Z",
        "SignatureVersion": "1",
        "Signature": "tcc6faL2yUC6dgZdmrwh1Y4cGa",
        "SigningCertURL": "https://sns.us-east-2.amazonaws.com/cert.pem",
        "UnsubscribeURL": "https://sns.us-east-2.amazonaws.com/?Action=Unsubscribe",
        "Message": "{}",
        "MessageAttributes": {
            "metadata": {"Type": "String", "Value": r#"{"notificationType": "something.new", "event-id": "evt_1"}"#},
        },
    });
    let event = json!({"Records": [{
        "EventVersion": "1.0", "EventSource": "aws:sns", "EventSubscriptionArn": "arn:aws:sns:us-east-2:123:a:b", "Sns": notification,
    }]});
    assert_eq!(items(typed::<SnsEvent>(&event)), items(&event));
    assert!(items(&event)[0].content.is_ok());
}

#[test]
fn typed_requests_give_headers_and_bodies_that_verify() {
    let verifier = Verifier::new(SECRET).unwrap();
    let request = |mut items: Vec<Item>| -> Request {
        match items.remove(0).content {
            Ok(Content::Webhook(mut request)) => {
                // Typed events do not keep the order of headers.
                request.headers.sort();
                request
            }
            other => panic!("{other:?}"),
        }
    };
    let sent = Fixture::new("connection.created").signed_now(SECRET).unwrap();
    let (rest, http) = (aws::api_gateway_event(&sent), aws::http_api_event(&sent));
    let (alb, lists) = (aws::alb_event(&sent), aws::alb_multi_value_event(&sent));
    for (typed, raw) in [
        (items(typed::<ApiGatewayProxyRequest>(&rest)), rest),
        (items(typed::<ApiGatewayV2httpRequest>(&http)), http.clone()),
        (items(typed::<LambdaFunctionUrlRequest>(&http)), http),
        (items(typed::<AlbTargetGroupRequest>(&alb)), alb),
        (items(typed::<AlbTargetGroupRequest>(&lists)), lists),
    ] {
        let (typed, raw) = (request(typed), request(items(&raw)));
        assert_eq!(typed, raw);
        assert!(verifier.verify(&typed.headers, typed.body).is_ok());
    }
}

#[tokio::test]
async fn typed_batches_are_answered_as_raw_json_is() {
    let fixtures = fixtures();
    let refuse = async |delivery: Delivery| delivery.group_ref().map(drop).ok_or(());
    let stream = aws::kinesis_event(&fixtures);
    let answer = kinesis(typed::<KinesisEvent>(&stream), refuse).await;
    assert_eq!(answer, kinesis(&stream, refuse).await);
    let queue = aws::sqs_event(&fixtures);
    assert_eq!(sqs(typed::<SqsEvent>(&queue), refuse).await, sqs(&queue, refuse).await);
    assert!(!sqs(&queue, async |_| Err::<(), _>(())).await.unwrap().failures().is_empty());
    let mut fifo = queue.clone();
    for record in fifo["Records"].as_array_mut().unwrap() {
        record["eventSourceARN"] = "arn:aws:sqs:us-east-2:123456789012:ampersand.fifo".into();
        record["attributes"]["MessageGroupId"] = "g".into();
    }
    let fail = async |_| Err::<(), _>(());
    assert_eq!(sqs(typed::<SqsEvent>(&fifo), fail).await, sqs(&fifo, fail).await);
}
