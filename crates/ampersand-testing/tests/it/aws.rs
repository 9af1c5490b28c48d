//! The Lambda events parse as the types of `aws_lambda_events`.

use ampersand_notifications::{Delivery, Verifier, from_attributes, from_kinesis};
use ampersand_testing::{Envelope, Fixture, aws};
use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use aws_lambda_events::kinesis::KinesisEvent;
use aws_lambda_events::s3::S3Event;
use aws_lambda_events::sqs::SqsEvent;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn the_events_of_lambda_are_those_that_its_own_types_read() {
    let fixtures: Vec<Fixture> = Fixture::all()
        .chain([Fixture::records(), Fixture::changes(), Fixture::new("connection.error").with_id("50%+a b")])
        .collect();
    let expected =
        |envelope| -> Vec<Delivery> { fixtures.iter().map(|fixture| fixture.delivery(envelope).unwrap()).collect() };

    let event: KinesisEvent = serde_json::from_value(aws::kinesis_event(&fixtures)).unwrap();
    let read = event.records.iter().map(|record| from_kinesis(record.kinesis.data.0.clone()).unwrap());
    assert_eq!(read.collect::<Vec<_>>(), expected(Envelope::Kinesis));
    assert!(event.records.is_sorted_by_key(|record| record.kinesis.sequence_number.clone()));

    let event: SqsEvent = serde_json::from_value(aws::sqs_event(&fixtures)).unwrap();
    let read = event.records.into_iter().map(|message| {
        let attributes = message.message_attributes.into_iter();
        from_attributes(message.body.unwrap(), attributes.map(|(name, value)| (name, value.string_value.unwrap())))
            .unwrap()
    });
    assert_eq!(read.collect::<Vec<_>>(), expected(Envelope::Sqs));

    let event: S3Event = serde_json::from_value(aws::s3_event(&fixtures)).unwrap();
    for (record, fixture) in event.records.iter().zip(&fixtures) {
        assert_eq!(record.s3.bucket.name.as_deref(), Some(aws::BUCKET));
        let key = record.s3.object.key.as_deref().unwrap().replace('+', " ");
        let key = ["%3A:", "%3D=", "%2B+", "%25%"].iter().fold(key, |key, code| key.replace(&code[..3], &code[3..]));
        assert_eq!(key, aws::s3_key(fixture));
        assert_ne!(record.s3.object.key.as_deref(), Some(&*key), "it is encoded");
    }
}

#[test]
fn a_webhook_in_a_request_of_lambda_is_verified() {
    let sent = Fixture::new("connection.created").signed_now(SECRET).unwrap();
    let verifier = Verifier::new(SECRET).unwrap();
    let v1: ApiGatewayProxyRequest = serde_json::from_value(aws::api_gateway_event(&sent)).unwrap();
    let v2: ApiGatewayV2httpRequest = serde_json::from_value(aws::http_api_event(&sent)).unwrap();
    let single: AlbTargetGroupRequest = serde_json::from_value(aws::alb_event(&sent)).unwrap();
    let multi: AlbTargetGroupRequest = serde_json::from_value(aws::alb_multi_value_event(&sent)).unwrap();
    for (headers, body) in [
        (&v1.headers, &v1.body),
        (&v1.multi_value_headers, &v1.body),
        (&v2.headers, &v2.body),
        (&single.headers, &single.body),
        (&multi.multi_value_headers, &multi.body),
    ] {
        verifier.verify(headers, body.as_deref().unwrap()).unwrap();
    }
}
