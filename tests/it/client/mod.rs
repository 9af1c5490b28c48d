//! The generated client, against servers on loopback and against the contract.

mod config;
mod credentials;
mod errors;
mod operations;
mod paging;
mod requests;
mod transport;
mod types;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ampersand_client::{Client, ClientBuilder, Host, Retry};
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;

/// What a server saw of a request.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Seen {
    /// Empty where it was not sent.
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// A server that answers everything alike, and a client whose hosts are paths of it.
struct Peer {
    client: Client,
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Peer {
    async fn answering(status: u16, content_type: &str, body: &str) -> Self {
        Self::script([(status, format!("content-type: {content_type}").leak(), body.to_owned())]).await
    }

    /// A server that answers one after the other, and goes on with the last: status, a header, body.
    async fn script<const N: usize>(answers: [(u16, &'static str, String); N]) -> Self {
        Self::with(answers, Retry::NEVER).await
    }

    async fn with<const N: usize>(answers: [(u16, &'static str, String); N], retry: Retry) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (requests, answers) = (seen.clone(), Arc::new(answers));
        let answer = move |request: Request| async move {
            let (head, sent) = request.into_parts();
            let headers = head.headers.iter();
            let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
            let sent = to_bytes(sent, usize::MAX).await.unwrap();
            let mut requests = requests.lock().unwrap();
            let (status, with, body) = &answers[requests.len().min(N - 1)];
            let (name, value) = with.split_once(": ").unwrap_or(("x-none", ""));
            requests.push(Seen {
                line: format!("{} {}", head.method, head.uri),
                headers,
                body: String::from_utf8(sent.to_vec()).unwrap(),
            });
            (StatusCode::from_u16(*status).unwrap(), [(name, value)], body.clone())
        };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
        let builder = Client::builder().api_key("secret").bearer_token("secret").retry(retry);
        let at = |builder: ClientBuilder, host: &Host| builder.base_url(*host, format!("{url}/{}", host.name()));
        Self { client: Host::ALL.iter().fold(builder, at).build().unwrap(), url, seen }
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
