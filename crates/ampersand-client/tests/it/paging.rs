//! A list in pages is one stream, which is whole or ends in an error.

use ampersand_client::types::Operation;
use ampersand_client::{Error, ErrorKind, Retry};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

use crate::peer::Peer;

const PATH: &str = "GET /api/projects/p/integrations/i/installations/n/operations?pageSize=1";

fn page(id: &str, pagination: &str) -> (u16, &'static str, String) {
    let operation = format!(
        r#"{{"id":"{id}","projectId":"p","integrationId":"i","configId":"c","installationId":"n","actionType":"read",
            "status":"success","createTime":"t"}}"#
    );
    (200, "x-request-id: r1", format!(r#"{{"results":[{operation}],"pagination":{pagination}}}"#))
}

fn list(peer: &Peer) -> impl Stream<Item = Result<Operation, Error>> + Unpin {
    peer.client.operations().list_operations("p", "i", "n").page_size(1).stream()
}

/// The identifiers that a stream gives, and the error that it ends in.
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
    let peer = Peer::script([
        page("1", r#"{"done":false,"nextPageToken":"x/y"}"#),
        (200, "", r#"{"results":[],"pagination":{"done":false,"nextPageToken":"z"}}"#.to_owned()),
        page("2", r#"{"done":false,"nextPageToken":"w"}"#),
        page("3", r#"{"done":true,"nextPageToken":"w"}"#),
    ]);
    let all: Vec<Operation> = list(&peer).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|operation| operation.id.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    let lines: Vec<String> = peer.seen().into_iter().map(|seen| seen.line).collect();
    let tokens = ["", "&pageToken=x%2Fy", "&pageToken=z", "&pageToken=w"];
    assert_eq!(lines, tokens.map(|token| format!("{PATH}{token}")));
}

#[tokio::test]
async fn a_page_is_asked_for_when_it_is_needed() {
    let peer = Peer::script([page("1", r#"{"done":false,"nextPageToken":"x"}"#), page("2", r#"{"done":true}"#)]);
    let mut stream = list(&peer);
    assert_eq!(peer.seen().len(), 0);
    stream.next().await.unwrap().unwrap();
    assert_eq!(peer.seen().len(), 1);
    drop(stream);
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn a_list_that_is_cut_short_does_not_look_whole() {
    let to = |token: &str| format!(r#"{{"done":false,"nextPageToken":"{token}"}}"#);
    let circle = "listOperations: the list is not whole: a page leads to one that was there already (request r1)";
    let nowhere = "listOperations: the list is not whole: a page leads to none, and is not the last one (request r1)";
    for (pages, ids, shown) in [
        ([page("1", &to("a")), page("2", &to("a")), page("3", &to("b"))], vec!["1", "2"], circle),
        ([page("1", &to("a")), page("2", &to("b")), page("3", &to("a"))], vec!["1", "2", "3"], circle),
        ([page("1", &to("a")), page("2", &to("")), page("3", &to("b"))], vec!["1", "2"], nowhere),
        ([page("1", &to("a")), page("2", r#"{"done":false}"#), page("3", &to("b"))], vec!["1", "2"], nowhere),
        (
            [page("1", r#"{"done":false,"nextPageToken":null}"#), page("2", &to("b")), page("3", &to("b"))],
            vec!["1"],
            nowhere,
        ),
    ] {
        let peer = Peer::with(pages, Retry::NEVER);
        let (found, error) = collect(list(&peer)).await;
        let error = error.unwrap();
        assert_eq!((found, error.to_string().as_str()), (ids.iter().map(ToString::to_string).collect(), shown));
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Response, 200));
        assert_eq!(peer.seen().len(), ids.len());
    }
}

#[tokio::test]
async fn an_error_comes_behind_what_was_there_and_ends_the_stream() {
    let peer = Peer::script([page("1", r#"{"done":false,"nextPageToken":"a"}"#), (500, "", String::new())]);
    let (ids, error) = collect(list(&peer)).await;
    assert_eq!((ids, error.unwrap().status().unwrap().as_u16()), (vec!["1".to_owned()], 500));
    assert_eq!(peer.seen().len(), 2);
}
