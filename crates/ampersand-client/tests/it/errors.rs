//! Errors have the right kind and hold the whole response. The client retries those that may succeed later.

use std::time::Duration;

use ampersand_client::{Client, ClientError, Error, ErrorKind, Host, Retry};

use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use test_support::server::Server;

use crate::peer::Peer;

const PROBLEM: &str = r#"{"title":"Invalid","detail":"see issues","status":422,"requestId":"r1","retryable":false,"new":1,
    "issues":[{"in":"body","name":"name","detail":"is taken"}]}"#;

fn quick() -> Retry {
    Retry { backoff: Duration::from_millis(1), ..Retry::default() }
}

async fn get(peer: &Peer) -> Result<(), Error> {
    peer.client.destinations().list_topics("p").send().await.map(|_| ())
}

#[tokio::test]
async fn whatever_the_server_sent_is_there() {
    const HTML: &str = "<html>Bad Gateway</html>";
    for (status, header, body, kind, retryable, shown) in [
        (
            422,
            "content-type: application/problem+json",
            PROBLEM,
            ErrorKind::Problem,
            false,
            "listTopics: 422 Unprocessable Entity: Invalid: see issues; `name`: is taken (request r1)",
        ),
        (
            502,
            "content-type: text/html",
            HTML,
            ErrorKind::Status,
            true,
            "listTopics: 502 Bad Gateway, with a body (`text/html`) that tells no RFC 9457 problem",
        ),
        (429, "", "", ErrorKind::Status, true, "listTopics: 429 Too Many Requests"),
        (
            503,
            "content-type: application/problem+json",
            r#"{"title":"Down","retryable":false}"#,
            ErrorKind::Problem,
            false,
            "listTopics: 503 Service Unavailable: Down",
        ),
        (
            503,
            "content-type: application/problem+json",
            r#"{"status":503,"retryable":false,"requestId":"r3"}"#,
            ErrorKind::Problem,
            false,
            "listTopics: 503 Service Unavailable (request r3)",
        ),
        (
            400,
            "content-type: application/problem+json",
            r#"{"title":"Bad","detail":["not text"],"status":"400"}"#,
            ErrorKind::Problem,
            false,
            "listTopics: 400 Bad Request: Bad",
        ),
        (
            404,
            "x-request-id: r2",
            "{}",
            ErrorKind::Status,
            false,
            "listTopics: 404 Not Found, with a JSON body (`text/plain; charset=utf-8`) that tells no RFC 9457 problem (request r2)",
        ),
        (302, "location: https://elsewhere.example/", "", ErrorKind::Status, false, "listTopics: 302 Found"),
        (200, "", "[{]", ErrorKind::Response, false, "listTopics: the response is not valid JSON at line 1 column 3"),
        (
            200,
            "",
            r#"[{"id": "t", "name": "n", "projectId": "p", "createTime": "t"}, {"id": 5}]"#,
            ErrorKind::Response,
            false,
            "listTopics: at $[1].id: found integer, expected a string",
        ),
        (200, "", r#"[{"id": "t"}]"#, ErrorKind::Response, false, "listTopics: at $[0]: missing field `createTime`"),
        (401, "", "", ErrorKind::Status, false, "listTopics: 401 Unauthorized; the request had an API key"),
        (
            403,
            "content-type: application/problem+json",
            r#"{"title":"No"}"#,
            ErrorKind::Problem,
            false,
            "listTopics: 403 Forbidden: No; the request had an API key",
        ),
    ] {
        let error = get(&Peer::script([(status, header, body.to_owned())])).await.unwrap_err();
        assert_eq!(error.to_string(), shown);
        assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{shown}");
        assert_eq!((error.status().unwrap().as_u16(), error.body().unwrap().as_ref()), (status, body.as_bytes()));
        if let Some((name, value)) = header.split_once(": ") {
            assert_eq!(error.headers().unwrap()[name], value);
        }
        assert!(!format!("{error:?}").contains("secret") && !format!("{error:?}").contains("html>"), "{error:?}");
    }
}

#[tokio::test]
async fn what_was_never_answered_is_told_apart() {
    let nobody = Client::builder().api_key("secret").base_url(Host::Api, "http://127.0.0.1:1").retry(Retry::NEVER);
    let error = nobody.build().unwrap().projects().list_projects().send().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable(), error.status()), (ErrorKind::Connection, true, None));

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let slow = Client::builder().api_key("secret").base_url(Host::Api, url).retry(Retry::NEVER);
    let slow = slow.timeout(Duration::from_millis(100)).build().unwrap();
    assert_eq!(slow.projects().list_projects().send().await.unwrap_err().kind(), ErrorKind::Timeout);

    let no_token = Client::builder().token_provider(|| async { Err::<String, _>("the vault is sealed") });
    let error = no_token.build().unwrap().projects().list_projects().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the vault is sealed");
}

#[tokio::test]
async fn how_long_to_wait_may_be_a_date_and_may_be_over() {
    let at = |seconds: i64| {
        let at = Timestamp::now() + SignedDuration::from_secs(seconds);
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap();
        &*format!("retry-after: {date}").leak()
    };
    let waits = |peer: Peer| async move { get(&peer).await.unwrap_err().retry_after().map(|wait| wait.as_secs()) };
    for (header, body, least, most) in [
        (at(3600), "", 3590, 3600),
        ("retry-after: Fri, 31 Dec 1999 23:59:59 GMT", "", 0, 0),
        ("retry-after: 18446744073709551615", "", u64::MAX, u64::MAX),
        ("content-type: application/problem+json", r#"{"title":"t","retryAfter":"2000-01-01T00:00:00Z"}"#, 0, 0),
    ] {
        let waited = waits(Peer::script([(503, header, body.to_owned())])).await.unwrap();
        assert!((least..=most).contains(&waited), "{header}: {waited}");
    }
    for header in ["retry-after: soon", "retry-after: -5", "retry-after: 1.5", "retry-after: ", ""] {
        assert_eq!(waits(Peer::script([(503, header, String::new())])).await, None, "{header}");
    }

    let cut = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 99\r\nconnection: close\r\n\r\n{";
    let server = Server::script([cut]);
    let client =
        Client::builder().api_key("secret").base_url(Host::Api, &server.url).retry(Retry::NEVER).build().unwrap();
    let error = client.destinations().list_topics("p").send().await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Interrupted, Some(Duration::from_secs(30))));

    // The client retries if the time has passed, and not if it is too far away.
    for (header, attempts) in [(at(-60), 3), (at(3600), 1)] {
        let peer = Peer::with([(503, header, String::new())], quick());
        assert_eq!((get(&peer).await.unwrap_err().attempts(), peer.seen().len()), (attempts, attempts as usize));
    }
}

#[test]
fn a_client_says_what_it_lacks() {
    for nothing in [Client::builder(), Client::builder().api_key(" "), Client::builder().bearer_token(" ")] {
        assert!(matches!(nothing.build(), Err(ClientError::NoCredentials)));
    }
    assert!(matches!(Client::builder().api_key("a\nb").build(), Err(ClientError::NotAHeader(_))));
    let not_a_url = Client::builder().api_key("k").base_url(Host::Read, "ftp://host/").build();
    assert!(matches!(not_a_url, Err(ClientError::NotAUrl(Host::Read))));
}
