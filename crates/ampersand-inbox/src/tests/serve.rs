//! Slow and hostile senders cannot use up the server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::serve::serve_within;

const MOMENT: Duration = Duration::from_millis(300);

/// Serves `/` at once, `/slow` after a moment and `/large` with many bytes, until the sender is dropped.
async fn start(connections: usize, patience: Duration) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let slow = async || {
        tokio::time::sleep(MOMENT).await;
        "late"
    };
    let app = Router::new().route("/", get(async || "here")).route("/slow", get(slow));
    let app = app.route("/large", get(async || "y".repeat(64 << 20)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(serve_within(connections, patience, listener, app, async { drop(stopped.await) }));
    (address, stop, server)
}

async fn open(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("a request");
    stream
}

/// Reads until the connection is closed.
async fn all(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset connection is closed too.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn slow_heads_are_closed_in_time_and_others_wait_for_their_places() {
    let (address, _stop, _server) = start(4, MOMENT).await;
    let begun = Instant::now();
    let mut slow = Vec::new();
    for request in ["", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: here\r\nx: "] {
        slow.push(open(address, request).await);
    }
    let good = open(address, "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await;
    let answer = all(good).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer}");
    assert!(begun.elapsed() >= MOMENT, "it waited for a place");
    for stream in slow {
        let answer = all(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    assert!(begun.elapsed() < 10 * MOMENT);
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_long_head_is_refused() {
    let (address, _stop, _server) = start(9, MOMENT).await;
    let begun = Instant::now();
    let idle = open(address, "GET / HTTP/1.1\r\nhost: here\r\n\r\n").await;
    assert!(all(idle).await.ends_with("here"));
    assert!((MOMENT..10 * MOMENT).contains(&begun.elapsed()));
    let long = format!("GET / HTTP/1.1\r\nhost: here\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nhost: here\r\n{}\r\n", "x: y\r\n".repeat(200));
    for head in [long, many] {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        drop(stream.write_all(head.as_bytes()).await);
        let answer = all(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn a_sender_that_reads_nothing_loses_its_place() {
    let (address, _stop, _server) = start(1, MOMENT).await;
    let begun = Instant::now();
    let _deaf = open(address, "GET /large HTTP/1.1\r\nhost: here\r\n\r\n").await;
    let good = open(address, "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await;
    let answer = tokio::time::timeout(10 * MOMENT, all(good)).await.expect("a place");
    assert!(answer.ends_with("here"), "{answer}");
    assert!(begun.elapsed() >= MOMENT, "it waited for a place");
}

#[tokio::test]
async fn requests_are_answered_before_it_stops() {
    let (address, stop, server) = start(9, 10 * MOMENT).await;
    let slow = open(address, "GET /slow HTTP/1.1\r\nhost: here\r\n\r\n").await;
    tokio::time::sleep(MOMENT / 3).await;
    drop(stop);
    assert!(all(slow).await.ends_with("late"));
    server.await.expect("it stops");
    assert!(TcpStream::connect(address).await.is_err(), "it listens no more");
}
