//! `Debug` of requests, clients, responses and errors shows no credential.

use std::error::Error as _;

use ampersand_client::types::{
    CreateDestinationRequest, CreateDestinationRequestMetadata, CreateDestinationRequestSecrets,
};
use ampersand_client::{Client, Host};
use reqwest::header::{COOKIE, HeaderMap};
use test_support::json::difference;

use crate::peer::Peer;

#[test]
fn requests_and_operations_show_none_and_send_all() {
    let mut secrets = CreateDestinationRequestSecrets::new().password("MARKER");
    secrets.other_fields.insert("pin".to_owned(), "MARKER".into());
    let metadata = CreateDestinationRequestMetadata::new().headers([("authorization", "MARKER")]);
    let destination = CreateDestinationRequest::new("n", "webhook", metadata).secrets(secrets);
    let client = Client::builder().api_key("MARKER").build().unwrap();
    let create = client.destinations().create_destination("p", destination.clone());
    let delete = client.api_keys().delete_api_key("p", "MARKER");
    for shown in [format!("{destination:?}"), format!("{create:?}"), format!("{delete:?}")] {
        assert!(!shown.contains("MARKER"), "{shown}");
    }
    let sent = serde_json::to_string(&destination).unwrap();
    let expected = r#"{"metadata":{"headers":{"authorization":"MARKER"}},"name":"n","secrets":{"password":"MARKER","pin":"MARKER"},
        "type":"webhook"}"#;
    assert_eq!(difference(expected, &sent), None);
}

#[test]
fn a_client_shows_none() {
    test_support::tls::install();
    let http = reqwest::Client::builder().default_headers(HeaderMap::from_iter([(COOKIE, "MARKER".parse().unwrap())]));
    let builder = Client::builder()
        .api_key("MARKER")
        .bearer_token("MARKER")
        .base_url(Host::Api, "https://ada:MARKER@proxy.test/api")
        .http_client(http.build().unwrap());
    let builder_shown = format!("{builder:?}");
    let client = builder.build().unwrap();
    for shown in [builder_shown, format!("{client:?}"), format!("{:?}", client.destinations())] {
        assert!(!shown.contains("MARKER") && shown.contains("https://…@proxy.test/api"), "{shown}");
    }
    let client = Client::builder().api_key("k").base_url(Host::Api, "https:///ada:MARKER@proxy.test/api/ ").build();
    let shown = format!("{:?}", client.unwrap());
    assert!(!shown.contains("MARKER") && shown.contains("https://…@proxy.test/api"), "{shown}");
    let refused = Client::builder().api_key("k").base_url(Host::Api, "https://ada:MARKER@proxy.test/?x=MARKER").build();
    let refused = refused.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("MARKER"), "{refused:?}");
}

#[tokio::test]
async fn neither_a_response_nor_an_error_shows_what_came() {
    const TOPICS: &str = r#"[{"id":"t","name":"n","projectId":"p","createTime":"t","new":"MARKER"}]"#;
    for (status, body) in [
        (200, TOPICS),
        (200, r#"[{"id":"t","name":["MARKER"]}]"#),
        (200, r#""MARKER""#),
        (200, "MARKER"),
        (500, "MARKER"),
        (422, r#"{"title":"t","issues":[{"name":"n","value":"MARKER"}],"new":"MARKER"}"#),
    ] {
        let peer = Peer::script([(status, "set-cookie: MARKER", body.to_owned())]);
        let mut shown = match peer.client.destinations().list_topics("p").send().await {
            Ok(response) => format!("{response:?}"),
            Err(error) => format!("{error} {error:?} {:?}", error.source().map(ToString::to_string)),
        };
        shown.make_ascii_uppercase();
        assert!(!shown.contains("MARKER"), "{shown}");
    }
}
