use std::collections::BTreeSet;

use ampersand_client::types::CreateTopicRequest;
use ampersand_client::{Client, Endpoint, ErrorKind, Host, Retry};
use ampersand_types::RawJson;
use ampersand_types::notifications::NotificationType;
use serde_json::Value;
use test_support::contract::contract;
use test_support::server::{Request, Server, response};

use crate::peer::Peer;

const TOPIC: &str = r#"{"id":"t1","name":"n","projectId":"p","createTime":"2026-08-19T10:00:00Z","new":[1.10]}"#;

#[tokio::test]
async fn an_operation_sends_what_was_said_and_gives_what_came() {
    let peer = Peer::answering(201, "application/json", TOPIC);
    let create = peer.client.destinations().create_topic("my project", CreateTopicRequest::new("n"));
    let topic = create.send().await.unwrap();
    assert_eq!(topic.status(), 201);
    assert_eq!((topic.id.as_str(), topic.other_fields["new"].as_str()), ("t1", "[1.10]"));
    let Request { line, headers, body, .. } = peer.only();
    assert_eq!((line.as_str(), body.as_str()), ("POST /api/projects/my%20project/topics", r#"{"name":"n"}"#));
    assert_eq!((headers["x-api-key"].as_str(), headers["content-type"].as_str()), ("secret", "application/json"));
}

#[tokio::test]
async fn a_request_that_the_contract_lacks_is_sent_as_all_others_are() {
    let busy = || (503, "retry-after: 0", String::new());
    let peer = Peer::with(
        [busy(), (200, "", r#"{"new": 1.10}"#.to_owned()), busy(), (204, "", String::new())],
        Retry::default(),
    );
    let raw = |method, path: &str| peer.client.raw(method, Host::Read, path);
    let got = raw("GET", "/novelties/a%2Fb?x=1").query("q&", "é =").await.unwrap();
    assert_eq!((got.status().as_u16(), got.as_str()), (200, r#"{"new": 1.10}"#));
    let refused = raw("POST", "/novelties").body(RawJson::new("[1.10]").unwrap()).await.unwrap_err();
    assert_eq!(refused.to_string(), "raw: 503 Service Unavailable");
    assert!(raw("DELETE", "/novelties").send().await.unwrap().is_null());
    let seen = peer.seen();
    let lines: Vec<(&str, &str)> = seen.iter().map(|seen| (seen.line.as_str(), seen.body.as_str())).collect();
    let get = ("GET /read/novelties/a%2Fb?x=1&q%26=%C3%A9%20%3D", "");
    assert_eq!(lines, [get, get, ("POST /read/novelties", "[1.10]"), ("DELETE /read/novelties", "")]);
    assert!(seen.iter().all(|seen| seen.headers["x-api-key"] == "secret"));

    for (method, path) in [("GET", "novelties"), ("GET", ""), ("G T", "/")] {
        assert_eq!(raw(method, path).await.unwrap_err().kind(), ErrorKind::Request, "{method} {path}");
    }
}

#[tokio::test]
async fn an_operation_that_is_chosen_at_run_time_is_sent_as_its_own_method_sends_it() {
    let operation = |id: &str| Endpoint::ALL.iter().find(|endpoint| endpoint.id == id).unwrap();
    let peer = Peer::script([
        (503, "retry-after: 0", String::new()),
        (200, "", "[]".to_owned()),
        (200, "content-type: text/plain", "https://example.com/".to_owned()),
    ]);
    let topics = peer.client.raw_operation(operation("listTopics")).path("projectIdOrName", "a/b");
    assert_eq!(topics.target(), "/projects/a%2Fb/topics");
    assert_eq!(topics.clone().await.unwrap_err().to_string(), "listTopics: 503 Service Unavailable");
    assert_eq!(topics.await.unwrap().as_str(), "[]");
    let body = RawJson::new("{}").unwrap();
    let url = peer.client.raw_operation(operation("oauthConnect")).body(body).text().await.unwrap();
    assert_eq!(url.into_inner(), "https://example.com/");
    let lines: Vec<String> = peer.seen().into_iter().map(|seen| seen.line).collect();
    let get = "GET /api/projects/a%2Fb/topics";
    assert_eq!(lines, [get, get, "POST /api/oauth-connect"]);

    let raw = || peer.client.raw_operation(operation("deleteTopic")).path("projectIdOrName", "p");
    for (raw, expected) in [
        (raw(), "deleteTopic: the path has no value for `topicId`"),
        (raw().path("topic", "t"), "deleteTopic: the path has no parameter `topic`"),
        (raw().path("topicId", ".."), r#"deleteTopic: `topicId` is "..", which no path can hold"#),
    ] {
        assert_eq!(raw.text().await.unwrap_err().to_string(), expected);
    }
    assert_eq!(peer.seen().len(), 3);
}

#[tokio::test]
async fn json_that_is_not_utf_8_is_refused() {
    let server = Server::script([response(200, "content-type: application/json\r\n", b"\"a\xffb\"")]);
    let client = Client::builder().api_key("k").base_url(Host::Api, &server.url).build().unwrap();
    let error = client.raw("GET", Host::Api, "/novelties").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Response);
    assert_eq!(error.body().unwrap().as_ref(), b"\"a\xffb\"");
}

#[tokio::test]
async fn parameters_of_the_query_are_sent_where_they_are_given() {
    let peer = Peer::answering(200, "application/json", "null");
    let routes = peer.client.notifications().list_event_topic_routes("p");
    let routes = routes.event_type(NotificationType::InstallationCreated).send().await.unwrap();
    assert!(routes.is_empty(), "a list that is null is empty");
    assert_eq!(peer.only().line, "GET /api/projects/p/notification-event-topic-routes?eventType=installation.created");
    assert!(!peer.only().headers.contains_key("content-type"));
}

#[tokio::test]
async fn text_is_text_and_nothing_is_nothing() {
    let peer = Peer::answering(200, "text/plain", "https://provider/authorize?state=a");
    let begun = peer.client.oauth().oauth_update("p", "c").send().await.unwrap();
    assert_eq!(begun.into_inner(), "https://provider/authorize?state=a");
    assert_eq!(peer.only().line, "PATCH /api/projects/p/connections/c:oauth-update");

    let peer = Peer::answering(204, "application/json", "");
    let deleted = peer.client.destinations().delete_topic("p", "t").send().await;
    let () = deleted.unwrap().into_inner();
}

#[tokio::test]
async fn an_error_keeps_its_status_and_its_body() {
    for (status, content_type, body) in [
        (502, "text/html", "<h1>Bad gateway</h1>"),
        (429, "", ""),
        (422, "application/problem+json", r#"{"issues":[{"in":"somewhere"}]}"#),
    ] {
        let peer = Peer::answering(status, content_type, body);
        let error = peer.client.projects().list_projects().send().await.unwrap_err();
        assert_eq!(error.status().unwrap(), status);
        assert_eq!(error.body().unwrap(), body);
    }
}

#[test]
fn every_operation_of_the_contract_is_there() {
    let mut expected = BTreeSet::new();
    for host in Host::ALL {
        let document = contract(host.name());
        assert_eq!(document["servers"][0]["url"], host.default_url());
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                expected.insert((*host, method.to_uppercase(), path.clone(), id, schemes(&document, operation)));
            }
        }
    }
    let found = |operation: &Endpoint| {
        let security = operation.security.iter().map(|scheme| (*scheme).to_owned()).collect();
        (operation.host, operation.method.to_owned(), operation.path.to_owned(), operation.id.to_owned(), security)
    };
    assert_eq!(Endpoint::ALL.iter().map(found).collect::<BTreeSet<_>>(), expected);
    assert_eq!(Endpoint::ALL.len(), 88);
}

fn schemes(document: &Value, operation: &Value) -> Vec<String> {
    let security = operation.get("security").unwrap_or(&document["security"]).as_array().unwrap();
    security.iter().flat_map(|scheme| scheme.as_object().unwrap().keys().cloned()).collect()
}
