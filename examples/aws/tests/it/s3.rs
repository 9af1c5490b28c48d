//! Tests of objects that `Batch::s3` fetches. They are here so that the tests of `ampersand-aws` need not build the AWS
//! SDK.

use ampersand_aws::{Batch, EventError};
use ampersand_notifications::Delivery;
use ampersand_testing::{Envelope, Fixture, aws};
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::{Client, Config};
use axum::Router;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use tokio::net::TcpListener;

/// A client of a bucket with one object, in the version `v1/+`.
async fn client(fixture: &Fixture) -> Client {
    let object = fixture.send(Envelope::S3);
    let named = |(name, value): (String, String)| {
        (format!("x-amz-meta-{name}").parse::<HeaderName>().unwrap(), value.parse().unwrap())
    };
    let metadata: HeaderMap = object.headers.into_iter().map(named).collect();
    let get = move |uri: Uri| async move {
        if uri.query().is_some_and(|query| query.contains("versionId=v1%2F%2B")) {
            return (StatusCode::OK, metadata, object.body);
        }
        (StatusCode::NOT_FOUND, HeaderMap::new(), b"<Error><Code>NoSuchKey</Code></Error>".to_vec())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("key", "secret", None, None, "the test"))
        .http_client(aws_examples::http())
        .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
        .region(Region::from_static("us-east-1"));
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(get)).await });
    Client::from_conf(config.build())
}

#[tokio::test]
async fn get_object_gives_the_body_the_metadata_and_the_version() {
    let fixture = Fixture::new("connection.created");
    let mut event = aws::s3_event([&fixture]);
    event["Records"][0]["s3"]["object"]["versionId"] = "v1/+".into();
    let expected = fixture.delivery(Envelope::S3).unwrap();
    let handle = async |delivery: Delivery| if delivery == expected { Ok(()) } else { Err(()) };
    assert_eq!(Batch::new().s3(client(&fixture).await).all(&event, handle).await, Ok(()));
}

#[tokio::test]
async fn an_object_that_is_missing_fails() {
    let fixture = Fixture::new("connection.created");
    let batch = Batch::new().s3(client(&fixture).await);
    let error = batch.all(aws::s3_event([&fixture]), async |_| Ok::<_, ()>(())).await.unwrap_err();
    assert!(matches!(error, EventError::Failed { failed: 1, total: 1, .. }), "{error}");
}
