//! A webhook gets its response once it is stored, and not before.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ampersand_inbox::{Inbox, Options, State};
use ampersand_notifications::Verifier;
use ampersand_testing::{Fixture, Sent};
use axum::Router;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const SECRET: &str = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkb2N1bWVudA==";

/// Serves an inbox on a free port.
pub(crate) async fn serve(inbox: &Inbox) -> SocketAddr {
    let app = Router::new().route("/ampersand", inbox.webhook(Verifier::new(SECRET).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

pub(crate) fn signed(id: &str, installation: &str) -> Sent {
    let fixture = Fixture::new("installation.deleted").with_id(id).set("installationId", installation);
    fixture.signed_now(SECRET).unwrap()
}

/// The head of a request.
fn head(headers: impl IntoIterator<Item = (String, String)>, length: usize) -> String {
    let headers = headers.into_iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers: String = headers.collect();
    format!("POST /ampersand HTTP/1.1\r\nhost: here\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n")
}

/// The status of the response; `None` if there is none.
pub(crate) async fn post(address: SocketAddr, sent: &Sent) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(head(sent.headers.clone(), sent.body.len()).as_bytes()).await.ok()?;
    stream.write_all(&sent.body).await.ok()?;
    status(&mut stream).await
}

async fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

pub(crate) async fn inbox(options: Options) -> (TempDir, Inbox) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("inbox.db").display());
    let inbox = Inbox::open_with(&url, options).await.unwrap();
    (folder, inbox)
}

#[tokio::test]
async fn what_is_stored_is_acknowledged_and_what_is_not_is_not() {
    let (_folder, inbox) = inbox(Options::default()).await;
    let address = serve(&inbox).await;
    let good = signed("msg_1", "n");
    let forged = Sent { body: b"{}".to_vec(), ..good.clone() };
    for (sent, expected) in [(&good, 204), (&good, 204), (&forged, 401)] {
        assert_eq!(post(address, sent).await, Some(expected));
    }
    let status = inbox.status().await.unwrap();
    assert_eq!((status.ready, status.dead), (1, 0), "a repeat changes nothing");

    let unreadable = Fixture::unknown("x").with_id("msg_2").set("a", "b").signed_now(SECRET).unwrap();
    assert_eq!(post(address, &unreadable).await, Some(204), "an event that is new is no dead letter");
    let secret = ampersand_notifications::Secret::new(SECRET).unwrap();
    let (body, now) = (b"not JSON".to_vec(), ampersand_testing::jiff::Timestamp::now());
    let mut headers = good.headers.clone();
    headers.insert("svix-id".to_owned(), "msg_3".to_owned());
    headers.insert("svix-timestamp".to_owned(), now.as_second().to_string());
    headers.insert("svix-signature".to_owned(), secret.sign("msg_3", now, &body));
    assert_eq!(post(address, &Sent { body, headers }).await, Some(204), "it is verified, and put aside");
    let dead = inbox.list(State::Dead, 9).await.unwrap();
    assert_eq!((dead[0].id.as_str(), dead[0].reason.as_deref()), ("msg_3", Some("not valid JSON at line 1 column 2")));
}

#[tokio::test]
async fn a_full_store_asks_for_it_again() {
    let mut options = Options::default();
    options.limit = Some(1);
    let (_folder, inbox) = inbox(options).await;
    let address = serve(&inbox).await;
    assert_eq!(post(address, &signed("msg_1", "n")).await, Some(503));
}

#[tokio::test]
async fn a_body_that_is_too_long_or_too_slow_is_refused() {
    let (_folder, inbox) = inbox(Options::default()).await;
    let address = serve(&inbox).await;
    let long = Sent { body: vec![b' '; 3 << 20], ..signed("msg_1", "n") };
    let answer = post(address, &long).await;
    assert!(answer.is_none_or(|status| status == 413), "{answer:?}");

    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(signed("msg_2", "n").headers, 100).as_bytes()).await.unwrap();
    stream.write_all(b"{").await.unwrap();
    assert_eq!(status(&mut stream).await, Some(408));
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(inbox.status().await.unwrap().ready, 0);
}
