//! A paged list is one stream, which is complete or ends in an error.

use ampersand_client::types::Operation;
use ampersand_client::{Error, ErrorKind};
use ampersand_testing::api::Sample;
use ampersand_testing::fake_api::FakeApi;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

/// Answers with these pages in turn: the identifiers of their items, and their pagination.
fn answer<'a>(api: &FakeApi, pages: impl IntoIterator<Item = (&'a [&'a str], Value)>) {
    for (ids, pagination) in pages {
        let item = |id: &&str| Sample::<Operation>::new().set("id", *id).data();
        let results: Vec<Operation> = ids.iter().map(item).collect();
        let page = json!({ "results": results, "pagination": pagination });
        api.on("listOperations").times(1).unchecked().header("x-request-id", "r1").answer(page);
    }
}

fn list(api: &FakeApi) -> impl Stream<Item = Result<Operation, Error>> + Unpin {
    api.client().operations().list_operations("p", "i", "n").page_size(1).stream()
}

fn to(token: &str) -> Value {
    json!({ "done": false, "nextPageToken": token })
}

/// Collects the identifiers of a stream, and the error that ends it.
async fn collect(mut stream: impl Stream<Item = Result<Operation, Error>> + Unpin) -> (Vec<String>, Option<Error>) {
    let mut ids = Vec::new();
    while let Some(item) = stream.next().await {
        match item {
            Ok(operation) => ids.push(operation.id),
            Err(error) => {
                assert!(stream.next().await.is_none(), "an error is the end");
                return (ids, Some(error));
            }
        }
    }
    (ids, None)
}

#[tokio::test]
async fn a_list_in_pages_is_one_stream() {
    let api = FakeApi::start().unwrap();
    let last = json!({ "done": true, "nextPageToken": "w" });
    answer(&api, [(&["1"][..], to("x/y")), (&[], to("z")), (&["2"], to("w")), (&["3"], last)]);
    let all: Vec<Operation> = list(&api).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|operation| operation.id.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    let queries = api.requests().into_iter().map(|request| Value::from_iter(request.query));
    let tokens = ["x/y", "z", "w"].map(|token| json!({ "pageSize": "1", "pageToken": token }));
    assert_eq!(queries.collect::<Vec<_>>(), [&[json!({ "pageSize": "1" })], &tokens[..]].concat());
}

#[tokio::test]
async fn a_page_is_asked_for_when_it_is_needed() {
    let api = FakeApi::start().unwrap();
    api.on("listOperations").pages([0, 1].map(|seed| vec![Sample::<Operation>::seeded(seed).data()]));
    let mut stream = list(&api);
    assert_eq!(api.requests().len(), 0);
    stream.next().await.unwrap().unwrap();
    assert_eq!(api.requests().len(), 1);
    drop(stream);
    assert_eq!(api.requests().len(), 1);
}

#[tokio::test]
async fn a_list_that_is_cut_short_does_not_look_whole() {
    let circle = "listOperations: the list is not whole: a page leads to one that was there already (request r1)";
    let nowhere = "listOperations: the list is not whole: a page leads to none, and is not the last one (request r1)";
    for (next, ids, shown) in [
        ([to("a"), to("a"), to("b")], &["1", "2"][..], circle),
        ([to("a"), to("b"), to("a")], &["1", "2", "3"], circle),
        ([to("a"), to(""), to("b")], &["1", "2"], nowhere),
        ([to("a"), json!({ "done": false }), to("b")], &["1", "2"], nowhere),
        ([json!({ "done": false, "nextPageToken": null }), to("b"), to("b")], &["1"], nowhere),
    ] {
        let api = FakeApi::start().unwrap();
        answer(&api, [&["1"][..], &["2"], &["3"]].into_iter().zip(next));
        let (found, error) = collect(list(&api)).await;
        let error = error.unwrap();
        assert_eq!((found, error.to_string().as_str()), (ids.iter().map(ToString::to_string).collect(), shown));
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Response, 200));
        assert_eq!(api.requests().len(), ids.len());
    }
}

#[tokio::test]
async fn an_error_comes_behind_what_was_there_and_ends_the_stream() {
    let api = FakeApi::start().unwrap();
    answer(&api, [(&["1"][..], to("a"))]);
    api.on("listOperations").times(1).fail(500, "Failed");
    let (ids, error) = collect(list(&api)).await;
    assert_eq!((ids, error.unwrap().status().unwrap().as_u16()), (vec!["1".to_owned()], 500));
    assert_eq!(api.requests().len(), 2);
}
