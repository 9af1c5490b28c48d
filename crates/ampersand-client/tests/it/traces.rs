//! With the feature `tracing`, attempts are spans and failed attempts are events, without body or credential.

use ampersand_client::{Client, Host};
use test_support::log::Log;
use test_support::server::{Server, response};

#[tokio::test]
async fn attempts_of_calls_are_spans_and_those_that_fail_are_events() {
    let (log, _guard) = Log::of_this_thread();
    let busy = response(503, "Retry-After: 0\r\n", r#"{"detail": "SECRET"}"#);
    let server = Server::script([busy.clone(), busy, response(200, "", "[]")]);
    let client = Client::builder().api_key("SECRET").base_url(Host::Api, server.at::<String>("/")).build().unwrap();
    client.projects().list_projects().send().await.unwrap();
    let lines = log.lines("ampersand_client");
    assert!(!log.text().contains("SECRET"));
    let told = lines.split(" again_in=").collect::<Vec<_>>();
    assert!(told.len() == 3 && told[1].starts_with("Some("), "{lines}");
    insta::assert_snapshot!(told[0], @r#"WARN ampersand_client::client: an attempt failed operation="listProjects" attempt=1 status=503"#);
}
