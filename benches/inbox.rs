//! Signed webhooks that are acknowledged once they are stored, against the same router that stores nothing, over loopback:
//! the same requests, by the same connections.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ampersand_inbox::Inbox;
use ampersand_notifications::axum::Received;
use ampersand_notifications::{Secret, Verifier};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{SECRET, data, met};

const CONNECTIONS: usize = 64;
const TIME: Duration = Duration::from_secs(3);

/// Requests whose ids no other has.
struct Requests {
    path: &'static str,
    body: String,
    secret: Secret,
    number: AtomicUsize,
}

impl Requests {
    fn next(&self) -> Vec<u8> {
        let (id, now) = (format!("msg_{}", self.number.fetch_add(1, Ordering::Relaxed)), Timestamp::now());
        let signature = self.secret.sign(&id, now, self.body.as_bytes());
        let (path, length, seconds) = (self.path, self.body.len(), now.as_second());
        format!(
            "POST {path} HTTP/1.1\r\nhost: bench\r\nwebhook-id: {id}\r\nwebhook-timestamp: {seconds}\r\n\
             webhook-signature: {signature}\r\ncontent-length: {length}\r\n\r\n{}",
            self.body
        )
        .into_bytes()
    }
}

/// Sends by many connections for a while. Gives how many were acknowledged in a second, and the time that 99 of 100 took at
/// most, in milliseconds.
async fn rate(address: SocketAddr, requests: Arc<Requests>) -> Result<(f64, f64), Box<dyn Error>> {
    let start = Instant::now();
    let connections = (0..CONNECTIONS).map(|_| {
        let requests = requests.clone();
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (mut taken, mut answer) = (Vec::new(), [0; 1024]);
            while start.elapsed() < TIME {
                let lap = Instant::now();
                stream.write_all(&requests.next()).await?;
                let length = stream.read(&mut answer).await?;
                if !answer[..length].starts_with(b"HTTP/1.1 204") {
                    return Err(std::io::Error::other(String::from_utf8_lossy(&answer[..length]).into_owned()));
                }
                taken.push(lap.elapsed().as_secs_f64() * 1e3);
            }
            Ok(taken)
        })
    });
    let (connections, mut taken): (Vec<_>, Vec<f64>) = (connections.collect(), Vec::new());
    for connection in connections {
        taken.extend(connection.await??);
    }
    taken.sort_by(f64::total_cmp);
    Ok((taken.len() as f64 / start.elapsed().as_secs_f64(), taken[taken.len() * 99 / 100]))
}

pub(crate) fn report(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::tempdir()?;
    for (size, goal) in [(1000, 0.5), (300_000, 0.8)] {
        let body = format!(r#"{{"notificationType":"installation.created","data":{}}}"#, data(size - 50));
        let [bare, stored] = runtime.block_on(async {
            let verifier = Verifier::new(SECRET)?;
            let url = format!("sqlite:{}", folder.path().join(format!("{size}.db")).display());
            let inbox = Inbox::open(&url).await?;
            let bare = post(async |_: Received| StatusCode::NO_CONTENT).with_state(verifier.clone());
            let app = Router::new().route("/bare", bare).route("/stored", inbox.webhook(verifier));
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            tokio::spawn(async move { axum::serve(listener, app).await });
            let mut rates = [(0.0, 0.0); 2];
            for (path, best) in ["/bare", "/stored"].into_iter().zip(&mut rates) {
                let (body, number) = (body.clone(), AtomicUsize::new(0));
                let requests = Arc::new(Requests { path, body, secret: Secret::new(SECRET)?, number });
                *best = rate(address, requests).await?;
            }
            Ok::<_, Box<dyn Error>>(rates)
        })?;
        let title = format!("acknowledged, {} bytes", body.len());
        writeln!(out, "{title:28}{:>9}{:>10}{:>9}   goal", "a second", "p99, ms", "× floor")?;
        writeln!(out, "  {:26}{:9.0}{:10.1}", "without a store", bare.0, bare.1)?;
        let ratio = stored.0 / bare.0;
        let goal = format!("≥ {goal}: {}", met(ratio >= goal));
        writeln!(out, "  {:26}{:9.0}{:10.1}{ratio:9.2}   {goal}\n", "stored, and synced", stored.0, stored.1)?;
    }
    Ok(())
}
