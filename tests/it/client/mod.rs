//! The generated client, against servers on loopback and against the contract.

mod operations;
mod types;

use std::sync::{Arc, Mutex};

use ampersand_client::{Client, Host};
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};

/// What a server saw of a request.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    line: String,
    api_key: String,
    content_type: String,
    body: String,
}

/// A server that answers everything alike, and a client whose hosts are paths of it.
struct Peer {
    client: Client,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Peer {
    async fn answering(status: u16, content_type: &'static str, body: &str) -> Self {
        let (seen, body) = (Arc::new(Mutex::new(Vec::new())), Bytes::copy_from_slice(body.as_bytes()));
        let (requests, status) = (seen.clone(), StatusCode::from_u16(status).unwrap());
        let answer = move |request: Request| async move {
            let (head, sent) = request.into_parts();
            let header = |name: &str| head.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let sent = to_bytes(sent, usize::MAX).await.unwrap();
            requests.lock().unwrap().push(Seen {
                line: format!("{} {}", head.method, head.uri),
                api_key: header("x-api-key"),
                content_type: header("content-type"),
                body: String::from_utf8(sent.to_vec()).unwrap(),
            });
            (status, [("content-type", content_type)], body)
        };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
        let url = move |host: Host| format!("http://127.0.0.1:{port}/{}", host.name());
        Self { client: Client::with(reqwest::Client::new(), HeaderValue::from_static("secret"), url), seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The one request that came.
    fn only(&self) -> Seen {
        let [one] = self.seen().try_into().unwrap();
        one
    }
}
