//! Objects that the AWS SDK fetches.

use ampersand_aws::{Batch, EventError};
use ampersand_notifications::Delivery;
use ampersand_testing::{Envelope, Fixture, aws};
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::SdkBody;
use aws_sdk_s3::{Client, Config};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

/// A bucket of S3 that has one object.
#[derive(Clone, Debug)]
struct Bucket {
    target: String,
    fixture: Fixture,
}

impl HttpConnector for Bucket {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_found = request.uri().ends_with(&self.target);
        let object = self.fixture.send(Envelope::S3);
        let (status, body) = if is_found {
            (200, SdkBody::from(object.body))
        } else {
            (404, SdkBody::from("<Error><Code>NoSuchKey</Code><Message>secret</Message></Error>"))
        };
        let mut response = HttpResponse::new(status.try_into().unwrap(), body);
        for (name, value) in object.headers.into_iter().filter(|_| is_found) {
            response.headers_mut().insert(format!("x-amz-meta-{name}"), value);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl Bucket {
    fn client(self) -> Client {
        let connector = SharedHttpConnector::new(self);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("key", "secret", None, None, "the test"))
            .endpoint_url("http://s3.test")
            .force_path_style(true)
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .region(Region::from_static("us-east-1"));
        Client::from_conf(config.build())
    }
}

#[tokio::test]
async fn get_object_gives_the_body_the_metadata_and_the_version() {
    let fixture = Fixture::new("connection.created");
    let mut event = aws::s3_event([&fixture]);
    event["Records"][0]["s3"]["object"]["versionId"] = "v1/+".into();
    let target = "?x-id=GetObject&versionId=v1%2F%2B".to_owned();
    let batch = Batch::new().s3(Bucket { target, fixture: fixture.clone() }.client());
    let expected = fixture.delivery(Envelope::S3).unwrap();
    let handled =
        batch.all(&event, async |delivery: Delivery| if delivery == expected { Ok(()) } else { Err(()) }).await;
    assert_eq!(handled, Ok(()));
}

#[tokio::test]
async fn an_object_that_is_missing_fails() {
    let fixture = Fixture::new("connection.created");
    let batch = Batch::new().s3(Bucket { target: "another".to_owned(), fixture: fixture.clone() }.client());
    let handled = batch.all(aws::s3_event([&fixture]), async |_| Ok::<_, ()>(())).await;
    let error = handled.unwrap_err();
    assert!(matches!(error, EventError::Failed { failed: 1, total: 1, .. }), "{error}");
}
