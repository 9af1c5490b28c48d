//! Tests of calls of the client, as the API understands them.

use ampersand_client::Client;
use ampersand_client::types::{PauseReadsRequest, ReadRequest, WriteRequest};
use ampersand_testing::fake_api::FakeApi;
use futures_util::TryStreamExt as _;
use serde_json::json;

#[tokio::test]
async fn operations_and_streams_outlive_the_function_that_made_them() {
    let api = FakeApi::start().unwrap();
    let operation = |client: &Client| client.destinations().list_topics("p");
    let spawned = tokio::spawn(operation(&api.client()).into_future());
    let topics = spawned.await.unwrap().unwrap();
    assert_eq!(*operation(&api.client()).await.unwrap(), *topics);
    assert_eq!(*operation(&api.client()).send().await.unwrap(), *topics);
    let mut names = Vec::new();
    for topic in &topics {
        names.push(topic.name.clone());
    }
    assert_eq!(names.len(), 1);

    let stream = {
        let client = api.client();
        client.operations().list_operations("p", "i", "x").stream()
    };
    api.on("listOperations").answer(json!({ "results": [], "pagination": { "done": true } }));
    assert!(tokio::spawn(stream.try_collect::<Vec<_>>()).await.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn hosts_that_share_a_path_are_told_apart() {
    let api = FakeApi::start().unwrap();
    let client = api.client();
    client.reads().trigger_read("p", "i", "contact", ReadRequest::new("g", "async")).await.unwrap();
    let write = WriteRequest::new("g", "create").record(json!({ "id": 5 }));
    client.writes().write_records("p", "i", "contact", write).await.unwrap();
    let [read, write] = api.requests().try_into().unwrap();
    assert_eq!((read.operation.as_deref(), write.operation.as_deref()), (Some("triggerRead"), Some("writeRecords")));
    assert_eq!(read.path, write.path);
}

#[tokio::test]
async fn an_optional_body_is_sent_where_something_was_said_of_it() {
    let api = FakeApi::start().unwrap();
    let pause = || api.client().reads().pause_reads("p", "i", "n");
    pause().await.unwrap();
    pause().body(PauseReadsRequest::new().objects(["contact"])).await.unwrap();
    let bodies = api.requests().into_iter().map(|request| request.body);
    assert_eq!(bodies.collect::<Vec<_>>(), [None, Some(json!({ "objects": ["contact"] }))]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_before_a_request_is_made() {
    let api = FakeApi::start().unwrap();
    for id in ["", ".", ".."] {
        let deleted = api.client().connections().delete_connection("p", id).await;
        let expected = format!("deleteConnection: `connectionId` is {id:?}, which no path can hold");
        assert_eq!(deleted.unwrap_err().to_string(), expected);
    }
    assert_eq!(api.requests().len(), 0);
}
