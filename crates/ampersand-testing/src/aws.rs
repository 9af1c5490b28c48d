//! AWS Lambda events that hold fixtures, as JSON: the input of your function's handler.
//!
//! Use `serde_json::from_value` to turn them into the types of the crate `aws_lambda_events`.
//!
//! ```
//! use ampersand_testing::{Fixture, aws};
//!
//! let event = aws::sqs_event([&Fixture::new("installation.created"), &Fixture::records()]);
//! assert_eq!(event["Records"].as_array().map(Vec::len), Some(2));
//! // let event: SqsEvent = serde_json::from_value(event)?;
//! // assert!(handle(event).await.is_ok());
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::{Envelope, Fixture, Sent};

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";

/// The bucket that [`s3_event`] names.
pub const BUCKET: &str = "ampersand-deliveries";

/// Returns an event of a Kinesis stream, with a record for each fixture, in order. A record holds the metadata.
pub fn kinesis_event<'f>(fixtures: impl IntoIterator<Item = &'f Fixture>) -> Value {
    let stream = format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/ampersand");
    let records = fixtures.into_iter().enumerate().map(|(index, fixture)| {
        // As long as the sequence numbers of AWS, and ascending.
        let number = format!("4959033827149025660855969253836157109592157598913{index:07}");
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": fixture.id(),
                "sequenceNumber": number,
                "data": STANDARD.encode(fixture.send(Envelope::Kinesis).body),
                "approximateArrivalTimestamp": fixture.timestamp().as_second() as f64,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("shardId-000000000000:{number}"),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": format!("arn:aws:iam::{ACCOUNT}:role/lambda"),
            "awsRegion": REGION,
            "eventSourceARN": stream,
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// Returns an event of an SQS queue, with a message for each fixture. The message attribute `metadata` holds the
/// metadata; SQS itself sets `attributes`, which are different.
pub fn sqs_event<'f>(fixtures: impl IntoIterator<Item = &'f Fixture>) -> Value {
    let records = fixtures.into_iter().map(|fixture| {
        let Sent { body, headers } = fixture.send(Envelope::Sqs);
        let attribute =
            |value| json!({"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"});
        let attributes: Map<String, Value> =
            headers.into_iter().map(|(name, value)| (name, attribute(value))).collect();
        let sent = fixture.timestamp().as_millisecond().to_string();
        json!({
            "messageId": fixture.id(),
            "receiptHandle": format!("AQEB{}", STANDARD.encode(fixture.id())),
            "body": String::from_utf8_lossy(&body),
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": sent,
                "SenderId": "AIDACKCEVSQ6C2EXAMPLE",
                "ApproximateFirstReceiveTimestamp": sent,
            },
            "messageAttributes": attributes,
            "md5OfBody": "00000000000000000000000000000000",
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:ampersand"),
            "awsRegion": REGION,
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// Returns an event of an S3 bucket that names an object for each fixture, by [`BUCKET`] and [`s3_key`].
///
/// Your handler fetches the object: let the test's bucket return `fixture.send(Envelope::S3)`, whose `headers` are the
/// user metadata. The key in the event is URL-encoded, as S3 does it.
pub fn s3_event<'f>(fixtures: impl IntoIterator<Item = &'f Fixture>) -> Value {
    let records = fixtures.into_iter().map(|fixture| {
        let key = s3_key(fixture)
            .replace('%', "%25")
            .replace('+', "%2B")
            .replace(':', "%3A")
            .replace('=', "%3D")
            .replace(' ', "+");
        json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": REGION,
            "eventTime": fixture.timestamp().to_string(),
            "eventName": "ObjectCreated:Put",
            "userIdentity": { "principalId": "AWS:AIDACKCEVSQ6C2EXAMPLE" },
            "requestParameters": { "sourceIPAddress": "192.0.2.1" },
            "responseElements": { "x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8" },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "deliveries",
                "bucket": {
                    "name": BUCKET,
                    "ownerIdentity": { "principalId": "A3NL1KOZZKExample" },
                    "arn": format!("arn:aws:s3:::{BUCKET}"),
                },
                "object": {
                    "key": key,
                    "size": fixture.send(Envelope::S3).body.len(),
                    "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                    "sequencer": "0A1B2C3D4E5F678901",
                },
            },
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// Returns the key of a fixture's object in [`BUCKET`]. It has a space and a colon, which the event encodes.
pub fn s3_key(fixture: &Fixture) -> String {
    format!("topic=crm events/{}/{}.json", fixture.timestamp(), fixture.id())
}

/// Returns a webhook, such as `fixture.signed_now(secret)`, as an API Gateway REST API forwards it (format 1.0).
pub fn api_gateway_event(webhook: &Sent) -> Value {
    json!({
        "resource": "/{proxy+}",
        "path": "/ampersand",
        "httpMethod": "POST",
        "headers": webhook.headers,
        "multiValueHeaders": lists(webhook),
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": { "proxy": "ampersand" },
        "stageVariables": null,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "abcdef1234",
            "httpMethod": "POST",
            "identity": { "sourceIp": "192.0.2.1" },
            "path": "/prod/ampersand",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTimeEpoch": 0,
            "resourceId": "123456",
            "resourcePath": "/{proxy+}",
            "stage": "prod",
        },
        "body": text(webhook),
        "isBase64Encoded": false,
    })
}

/// Returns a webhook as an API Gateway HTTP API or a function URL forwards it (payload format 2.0).
pub fn http_api_event(webhook: &Sent) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/ampersand",
        "rawQueryString": "",
        "headers": webhook.headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "abcdef1234",
            "domainName": "abcdef1234.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "abcdef1234",
            "http": {
                "method": "POST",
                "path": "/ampersand",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "Svix-Webhooks/1.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/1970:00:00:00 +0000",
            "timeEpoch": 0,
        },
        "body": text(webhook),
        "isBase64Encoded": false,
    })
}

/// Returns a webhook as an Application Load Balancer forwards it, with one value for each header.
pub fn alb_event(webhook: &Sent) -> Value {
    let mut event = alb_multi_value_event(webhook);
    if let Some(event) = event.as_object_mut() {
        event.remove("multiValueHeaders");
        event.insert("headers".to_owned(), json!(webhook.headers));
    }
    event
}

/// Returns a webhook as an Application Load Balancer forwards it if its target group has multi-value headers enabled.
pub fn alb_multi_value_event(webhook: &Sent) -> Value {
    let target = format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/ampersand/49e9d65c45c6791a");
    json!({
        "requestContext": { "elb": { "targetGroupArn": target } },
        "httpMethod": "POST",
        "path": "/ampersand",
        "queryStringParameters": {},
        "multiValueHeaders": lists(webhook),
        "body": text(webhook),
        "isBase64Encoded": false,
    })
}

fn text(webhook: &Sent) -> String {
    String::from_utf8_lossy(&webhook.body).into_owned()
}

fn lists(webhook: &Sent) -> Map<String, Value> {
    webhook.headers.iter().map(|(name, value)| (name.clone(), json!([value]))).collect()
}
