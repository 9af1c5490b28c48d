//! The resolver checks the addresses of a name when it connects. Here the lookup is ours, and `127.0.0.1` is the only
//! public address.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use ampersand_types::{ConfigSource, SignedUrl};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{Blocked, Policy, ResolveError, Resolver};

const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

fn is_public(address: IpAddr) -> bool {
    address == PUBLIC
}

/// Answers each lookup with the next of these, and then with the last one.
struct Changing {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: Arc<AtomicUsize>,
}

impl Resolve for Changing {
    fn resolve(&self, _: Name) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().expect("a lock");
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async { Ok(Box::new(answer.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs) })
    }
}

/// Returns a resolver, and the count of its lookups.
fn resolver(answers: &[&[IpAddr]]) -> (Resolver, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let answers = Mutex::new(answers.iter().map(|answer| answer.to_vec()).collect());
    let policy = Policy { allow_http: true, ..Policy::default() };
    (Resolver::build(policy, is_public, Changing { answers, asked: asked.clone() }).expect("a resolver"), asked)
}

/// Serves `answer` to every request, and closes. Counts the connections.
fn serve(address: IpAddr, port: u16, answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((address, port)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.expect("a connection");
            let _request = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (port, connections)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
const ELSEWHERE: &str =
    "HTTP/1.1 302 Found\r\nLocation: //other.test/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

async fn config(resolver: &Resolver, port: u16) -> Result<String, ResolveError> {
    let url = SignedUrl::from(format!("http://config.test:{port}/"));
    Ok(resolver.config(ConfigSource::Url(&url)).await?.as_str().to_owned())
}

fn assert_blocked(result: Result<String, ResolveError>, address: IpAddr) {
    match result {
        Err(ResolveError::Blocked(blocked)) => assert_eq!(blocked, Blocked::Address(address)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_what_is_checked_is_connected_to() {
    let (port, public) = serve(PUBLIC, 0, OK);
    let (_, private) = serve(PRIVATE, port, OK);
    let (resolver, asked) = resolver(&[&[PUBLIC], &[PRIVATE]]);
    assert_eq!(config(&resolver, port).await.expect("the public server"), "{}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a second lookup would have given the private address");
    assert_eq!((public.load(Ordering::SeqCst), private.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn a_name_that_comes_to_stand_for_a_private_address_is_blocked() {
    let (port, public) = serve(PUBLIC, 0, BUSY);
    let (_, private) = serve(PRIVATE, port, OK);
    let (resolver, asked) = resolver(&[&[PUBLIC], &[PRIVATE]]);
    assert_blocked(config(&resolver, port).await, PRIVATE);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!((public.load(Ordering::SeqCst), private.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn a_name_that_stands_for_a_private_address_among_others_is_blocked() {
    let (port, public) = serve(PUBLIC, 0, OK);
    for answer in [[PUBLIC, PRIVATE], [PRIVATE, PUBLIC]] {
        let (resolver, _) = resolver(&[&answer]);
        assert_blocked(config(&resolver, port).await, PRIVATE);
    }
    assert_eq!(public.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_to_a_name_that_stands_for_a_private_address_is_blocked() {
    let (port, public) = serve(PUBLIC, 0, ELSEWHERE);
    let (resolver, asked) = resolver(&[&[PUBLIC], &[PRIVATE]]);
    assert_blocked(config(&resolver, port).await, PRIVATE);
    assert_eq!((public.load(Ordering::SeqCst), asked.load(Ordering::SeqCst)), (1, 2));
}
