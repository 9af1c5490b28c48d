//! How a client gets its settings, its tokens and its protocol.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ampersand_client::{Client, ClientBuilder, Error, ErrorKind, Host, Retry};
use axum::extract::Request;
use axum::http::Version;
use axum::serve::Listener;
use test_support::tls::tls;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::peer::Peer;

async fn get(client: &Client) -> Result<(), Error> {
    client.projects().list_projects().send().await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_says_who_calls_and_where() {
    let set = |name: &'static str, value: &str| (name, value.to_owned());
    for (variables, expected) in [
        (vec![set("API_KEY", "k")], Ok(("k", ""))),
        (vec![set("API_KEY", " k\n")], Ok(("k", ""))),
        (vec![set("BEARER_TOKEN", "t")], Ok(("", "Bearer t"))),
        (vec![set("API_KEY", "k"), set("BEARER_TOKEN", "t")], Ok(("k", ""))),
        (vec![set("API_KEY", ""), set("BEARER_TOKEN", "t")], Ok(("", "Bearer t"))),
        (vec![set("API_KEY", "")], Err("there is neither an API key nor a bearer token: set AMPERSAND_API_KEY")),
        (vec![set("API_KEY", "a\nb")], Err("the API key holds what no header can hold, such as a line break")),
        (
            vec![set("API_KEY", "k"), set("READ_URL", "host")],
            Err("the base URL of Read is none: it is to be as https://read.withampersand.com/v1, without a query"),
        ),
    ] {
        let peer = Peer::answering(200, "application/json", "[]");
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "transport::what_the_environment_says"])
            .env("AMPERSAND_API_URL", format!("{}/there", peer.server.url))
            .envs(variables.iter().map(|(name, value)| (format!("AMPERSAND_{name}"), value)))
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(output.contains("1 passed"), "{output}");
        match expected {
            Ok((api_key, authorization)) => {
                let seen = peer.only();
                assert_eq!(seen.line, "GET /there/projects");
                assert_eq!((seen.header("x-api-key"), seen.header("authorization")), (api_key, authorization));
            }
            Err(message) => assert!(output.contains(&format!("refused: {message}\n")), "{variables:?}: {output}"),
        }
    }
}

#[tokio::test]
#[ignore = "run by the test above, in processes of their own"]
async fn what_the_environment_says() {
    match Client::from_env() {
        Ok(client) => get(&client).await.unwrap(),
        Err(error) => writeln!(io::stdout(), "refused: {error}").unwrap(),
    }
}

fn with_tokens<F, E>(peer: &Peer, provider: impl Fn() -> F + Send + Sync + 'static) -> ClientBuilder
where
    F: Future<Output = Result<String, E>> + Send + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let retry = Retry { backoff: Duration::from_millis(1), ..Retry::default() };
    Client::builder().token_provider(provider).base_url(Host::Api, &*peer.server.url).retry(retry)
}

#[tokio::test]
async fn every_attempt_has_the_token_of_its_time() {
    let peer = Peer::script([(503, "", String::new()), (200, "", "[]".to_owned())]);
    let asked = AtomicU32::new(0);
    let provider = move || {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        async move { Ok::<_, io::Error>(format!("t{number}\n")) }
    };
    let client = with_tokens(&peer, provider).build().unwrap();
    get(&client).await.unwrap();
    get(&client.clone()).await.unwrap();
    let tokens: Vec<String> = peer.seen().into_iter().map(|seen| seen.header("authorization").to_owned()).collect();
    assert_eq!(tokens, ["Bearer t0", "Bearer t1", "Bearer t2"]);

    let broken = with_tokens(&peer, || async { Ok::<_, io::Error>("a\nb".to_owned()) }).build().unwrap();
    let error = get(&broken).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), peer.seen().len()), (ErrorKind::Credentials, 1, 3));
}

#[tokio::test]
async fn a_slow_token_holds_up_its_own_call_alone_and_not_for_ever() {
    let peer = Peer::script([(200, "", "[]".to_owned())]);
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok::<_, io::Error>("t".to_owned())
    };
    let patient = with_tokens(&peer, slow).build().unwrap();
    let ticks = async {
        let mut every = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..10 {
            every.tick().await;
        }
        peer.client.projects().list_projects().send().await.unwrap();
        peer.seen().len()
    };
    let (done, seen_meanwhile) = tokio::join!(get(&patient), ticks);
    done.unwrap();
    assert_eq!((seen_meanwhile, peer.seen().len()), (1, 2), "others go on in the same thread");

    let never = || std::future::pending::<io::Result<String>>();
    let impatient = with_tokens(&peer, never).timeout(Duration::from_millis(50)).build().unwrap();
    assert_eq!(get(&impatient).await.unwrap_err().kind(), ErrorKind::Credentials);

    // The time spent on the token counts towards the limit of the response.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let late = with_tokens(&peer, slow).base_url(Host::Api, url).timeout(Duration::from_millis(400));
    let (begun, late) = (std::time::Instant::now(), late.retry(Retry::NEVER).build().unwrap());
    assert_eq!(get(&late).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(begun.elapsed() < Duration::from_millis(650), "{:?}", begun.elapsed());
}

/// Accepts TLS connections.
struct Encrypted(TcpListener, TlsAcceptor);

impl Listener for Encrypted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[tokio::test]
async fn the_protocol_is_the_newest_that_the_server_has() {
    for (protocols, version) in [
        (vec![b"h2".to_vec(), b"http/1.1".to_vec()], Version::HTTP_2),
        (vec![b"http/1.1".to_vec()], Version::HTTP_11),
        (vec![], Version::HTTP_11),
    ] {
        let (mut config, root) = tls();
        config.alpn_protocols = protocols;
        let listener = Encrypted(TcpListener::bind("127.0.0.1:0").await.unwrap(), TlsAcceptor::from(Arc::new(config)));
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let versions = Arc::new(Mutex::new(Vec::new()));
        let seen = versions.clone();
        let answer = move |request: Request| async move {
            seen.lock().unwrap().push(request.version());
            "[]"
        };
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });

        let stranger = Client::builder().api_key("k").base_url(Host::Api, &*url).retry(Retry::NEVER).build().unwrap();
        assert_eq!(get(&stranger).await.unwrap_err().kind(), ErrorKind::Connection, "its certificate is not trusted");

        let root = reqwest::Certificate::from_pem(root.as_bytes()).unwrap();
        test_support::tls::install();
        let http = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
        let client = Client::builder().api_key("k").base_url(Host::Api, url).http_client(http).build().unwrap();
        let (first, second) = tokio::join!(get(&client), get(&client));
        first.unwrap();
        second.unwrap();
        assert_eq!(*versions.lock().unwrap(), [version; 2]);
    }
}
