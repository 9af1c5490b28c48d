//! The client retries requests that it may send twice, and waits as long as the API asks.

use std::time::{Duration, Instant};

use ampersand_client::types::CreateTopicRequest;
use ampersand_client::{Client, Error, Retry};
use ampersand_testing::fake_api::FakeApi;

/// A client that waits for a millisecond if the API does not say how long.
fn quick(api: &FakeApi) -> Client {
    let retry = Retry { backoff: Duration::from_millis(1), ..Retry::default() };
    api.client_builder().retry(retry).build().unwrap()
}

async fn list(client: &Client) -> Result<(), Error> {
    client.destinations().list_topics("p").await.map(|_| ())
}

#[tokio::test]
async fn what_may_be_sent_twice_is_tried_again_and_the_rest_is_not() {
    for (status, again) in
        [(500, true), (502, true), (503, true), (429, true), (400, false), (404, false), (501, false)]
    {
        let api = FakeApi::start().unwrap();
        let client = quick(&api);
        api.on("listTopics").times(1).fail(status, "Failed");
        assert_eq!(list(&client).await.is_ok(), again, "{status}");
        api.on("createTopic").times(1).fail(status, "Failed");
        let _ = client.destinations().create_topic("p", CreateTopicRequest::new("n")).await;
        let created = api.requests().iter().filter(|request| request.method == "POST").count();
        assert_eq!(created, if status == 429 { 2 } else { 1 }, "a POST, {status}");
    }
    let api = FakeApi::start().unwrap();
    api.on("listTopics").fail(503, "Down");
    let error = list(&quick(&api)).await.unwrap_err();
    assert_eq!((error.attempts(), api.requests().len()), (3, 3));
    assert_eq!(error.to_string(), "listTopics: 503 Service Unavailable: Down, after 3 attempts");
}

#[tokio::test]
async fn what_would_do_it_again_is_not_sent_again() {
    for (rotates, calls) in [(false, 3), (true, 1)] {
        let api = FakeApi::start().unwrap();
        api.on("getDestination").fail(503, "Down");
        let get = quick(&api).destinations().get_destination("p", "d").include_secrets(true);
        let get = if rotates { get.rotate(true) } else { get };
        assert_eq!(get.await.unwrap_err().status().unwrap(), 503);
        assert_eq!(api.requests().len(), calls, "rotates: {rotates}");
    }
}

#[tokio::test]
async fn the_client_waits_as_long_as_it_is_asked_to_and_no_longer_than_there_is_time() {
    let api = FakeApi::start().unwrap();
    let (client, begun) = (quick(&api), Instant::now());
    api.on("listTopics").times(1).header("retry-after", "1").fail(503, "Down");
    list(&client).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());

    api.on("listTopics").header("retry-after", "3600").fail(429, "Too many");
    let begun = Instant::now();
    let error = list(&client).await.unwrap_err();
    assert_eq!((error.retry_after(), error.attempts()), (Some(Duration::from_secs(3600)), 1));
    assert!(begun.elapsed() < Duration::from_secs(1));
}
