use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ampersand_types::SignedUrl;
use jiff::Timestamp;

/// A loopback server of signed URLs, for tests of payloads that are too large to send. It runs until the process ends.
///
/// A `Resolver` can reach it if its policy has `allow_http` and `allow_private_addresses`.
///
/// ```
/// use ampersand_testing::{Fixture, UrlServer};
///
/// let server = UrlServer::start()?;
/// let url = server.url(r#"{"provider": "hubspot"}"#);
/// let fixture = Fixture::new("installation.created").too_large(&url);
/// assert_eq!(fixture.payload()["configURL"], url.expose_secret());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct UrlServer {
    address: SocketAddr,
    files: Arc<Mutex<HashMap<String, File>>>,
    requests: Arc<AtomicUsize>,
}

/// The content behind a signed URL, and how the server behaves when it is requested.
#[derive(Clone, Debug)]
struct File {
    content: Vec<u8>,
    behaviour: Behaviour,
}

#[derive(Clone, Copy, Debug)]
enum Behaviour {
    Serves,
    Expired,
    Waits(Duration),
    BreaksOff,
    Fails(u16),
}

impl UrlServer {
    /// Starts a server on a free port.
    ///
    /// # Errors
    ///
    /// If the system has no free port.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let server = Self { address: listener.local_addr()?, files: Arc::default(), requests: Arc::default() };
        let (files, requests) = (Arc::clone(&server.files), Arc::clone(&server.requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                requests.fetch_add(1, Ordering::Relaxed);
                let files = Arc::clone(&files);
                thread::spawn(move || answer(&stream, &files));
            }
        });
        Ok(server)
    }

    /// Returns a URL that serves `content` for the next 15 minutes.
    pub fn url(&self, content: impl Into<Vec<u8>>) -> SignedUrl {
        self.add(content.into(), Behaviour::Serves, FIFTEEN_MINUTES)
    }

    /// Returns a URL whose own expiry time has passed. A resolver should not request it.
    pub fn expired(&self) -> SignedUrl {
        self.add(Vec::new(), Behaviour::Expired, -FIFTEEN_MINUTES)
    }

    /// Returns a URL whose own expiry time is 15 minutes away, but which the server treats as expired.
    pub fn expired_for_the_server(&self) -> SignedUrl {
        self.add(Vec::new(), Behaviour::Expired, FIFTEEN_MINUTES)
    }

    /// Returns a URL that serves `content` after a delay.
    pub fn slow(&self, content: impl Into<Vec<u8>>, after: Duration) -> SignedUrl {
        self.add(content.into(), Behaviour::Waits(after), FIFTEEN_MINUTES)
    }

    /// Returns a URL that serves half of `content` and then closes the connection.
    pub fn broken(&self, content: impl Into<Vec<u8>>) -> SignedUrl {
        self.add(content.into(), Behaviour::BreaksOff, FIFTEEN_MINUTES)
    }

    /// Returns a URL that responds with a status, such as 404 for a deleted file or 503 for an unavailable server.
    pub fn failing(&self, status: u16) -> SignedUrl {
        self.add(Vec::new(), Behaviour::Fails(status), FIFTEEN_MINUTES)
    }

    /// Returns the number of requests so far. It shows requests that were not needed, and retries.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn add(&self, content: Vec<u8>, behaviour: Behaviour, seconds: i64) -> SignedUrl {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let expires = Timestamp::now().as_second() + seconds;
        let place = format!("/{}.json?Expires={expires}&Signature=c0ffee", files.len());
        let url = SignedUrl::from(format!("http://{}{place}", self.address));
        files.insert(place, File { content, behaviour });
        url
    }
}

const FIFTEEN_MINUTES: i64 = 15 * 60;

/// Responds to the one request of a connection. Errors of the connection are ignored.
fn answer(stream: &TcpStream, files: &Mutex<HashMap<String, File>>) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next()?.ok()?;
    let place = request.split(' ').nth(1)?;
    while !lines.next()?.ok()?.is_empty() {}
    let file = files.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned();
    let expired = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let denied = "<Error><Code>SignatureDoesNotMatch</Code></Error>";
    match file {
        None => respond(stream, 403, denied.as_bytes()),
        Some(File { behaviour: Behaviour::Expired, .. }) => respond(stream, 403, expired.as_bytes()),
        Some(File { behaviour: Behaviour::Fails(status), .. }) => respond(stream, status, b""),
        Some(File { content, behaviour }) => {
            let sent = match behaviour {
                Behaviour::BreaksOff => content.get(..content.len() / 2)?,
                _ => &content[..],
            };
            if let Behaviour::Waits(after) = behaviour {
                thread::sleep(after);
            }
            head(stream, 200, content.len()).and_then(|()| (&*stream).write_all(sent))
        }
    }
    .ok()
}

fn respond(stream: &TcpStream, status: u16, body: &[u8]) -> io::Result<()> {
    head(stream, status, body.len())?;
    (&*stream).write_all(body)
}

fn head(mut stream: &TcpStream, status: u16, length: usize) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
}
