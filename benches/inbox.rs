//! Signed webhooks over loopback, acknowledged once they are stored. Compared, in the same run, with three upper
//! limits: the same router without a store, synced writes of as many bytes, and verifying on one core. Large webhooks
//! are also passed to the router without a network, which costs more than all else.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ampersand_inbox::{Inbox, Put};
use ampersand_notifications::axum::Received;
use ampersand_notifications::{Secret, Source, Verifier};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::post;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, Notify};
use tower::ServiceExt as _;

use super::{SECRET, data, met};

type Failed = Box<dyn Error + Send + Sync>;

const CONNECTIONS: usize = 256;
const TIME: Duration = Duration::from_secs(2);
/// How often each is measured, in turns. The median round counts.
const ROUNDS: usize = 3;
/// How many deliveries share a sync of the disk in the measurement of the disk.
const GROUP: usize = 16;

/// Requests that are signed in advance, because signing is the sender's work. Each has its own id.
struct Requests {
    path: &'static str,
    body: Bytes,
    signed: Timestamp,
    /// The id and the signature of each request.
    heads: Vec<(String, String)>,
    next: AtomicUsize,
}

impl Requests {
    fn new(path: &'static str, body: &str, count: usize) -> Result<Arc<Self>, Failed> {
        let (secret, signed) = (Secret::new(SECRET)?, Timestamp::now());
        let head = |number| {
            let id = format!("msg_{path}_{number}");
            let signature = secret.sign(&id, signed, body.as_bytes());
            (id, signature)
        };
        let (heads, next) = ((0..count).map(head).collect(), AtomicUsize::new(0));
        Ok(Arc::new(Self { path, body: body.to_owned().into(), signed, heads, next }))
    }

    fn next(&self) -> Option<&(String, String)> {
        self.heads.get(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The next request, for a connection.
    fn text(&self) -> Option<Vec<u8>> {
        let (id, signature) = self.next()?;
        let (path, seconds, length) = (self.path, self.signed.as_second(), self.body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: bench\r\nwebhook-id: {id}\r\nwebhook-timestamp: {seconds}\r\n\
             webhook-signature: {signature}\r\ncontent-length: {length}\r\n\r\n"
        );
        Some([head.as_bytes(), &self.body].concat())
    }

    /// The next request, for a router.
    fn request(&self) -> Option<http::Request<Body>> {
        let (id, signature) = self.next()?;
        let request = http::Request::post(self.path).header("webhook-id", id).header("webhook-signature", signature);
        request.header("webhook-timestamp", self.signed.as_second()).body(Body::from(self.body.clone())).ok()
    }
}

/// Calls a router from many tasks for a while, without a network. Returns the acknowledged requests per second.
async fn called(app: &Router, requests: &Arc<Requests>) -> Result<f64, Failed> {
    let start = Instant::now();
    let tasks = (0..CONNECTIONS).map(|_| {
        let (app, requests) = (app.clone(), requests.clone());
        tokio::spawn(async move {
            let mut count = 0;
            while start.elapsed() < TIME {
                let Some(request) = requests.request() else { break };
                let status = app.clone().oneshot(request).await.map(|response| response.status());
                if status != Ok(StatusCode::NO_CONTENT) {
                    return Err(format!("{status:?}"));
                }
                count += 1;
            }
            Ok(count)
        })
    });
    let mut count = 0;
    for task in tasks.collect::<Vec<_>>() {
        count += task.await??;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// Sends on many connections for a while, with the time `pace` between the requests of a connection. Returns the
/// acknowledged requests per second, and the 99th percentile of the response time in milliseconds.
async fn rate(address: SocketAddr, requests: &Arc<Requests>, pace: Duration) -> Result<(f64, f64), Failed> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let start = Instant::now();
    let connections = streams.into_iter().enumerate().map(|(connection, mut stream)| {
        let requests = requests.clone();
        tokio::spawn(async move {
            let (mut taken, mut answer) = (Vec::new(), [0; 1024]);
            let mut due = start + pace * connection as u32 / CONNECTIONS as u32;
            while start.elapsed() < TIME {
                tokio::time::sleep_until(due.into()).await;
                let Some(request) = requests.text() else { break };
                let lap = if pace.is_zero() { Instant::now() } else { due };
                stream.write_all(&request).await?;
                let length = stream.read(&mut answer).await?;
                if !answer[..length].starts_with(b"HTTP/1.1 204") {
                    return Err(std::io::Error::other(String::from_utf8_lossy(&answer[..length]).into_owned()));
                }
                taken.push(lap.elapsed().as_secs_f64() * 1e3);
                due += pace;
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

/// Returns how many bodies of a size a file takes per second, with one sync for each group.
fn synced(file: &mut File, bytes: usize) -> Result<f64, Failed> {
    let (group, start) = (vec![b'x'; bytes * GROUP], Instant::now());
    let mut count = 0;
    while start.elapsed() < TIME {
        file.write_all(&group)?;
        file.sync_data()?;
        count += GROUP;
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

/// Returns how many webhooks one core verifies per second.
fn verified(verifier: &Verifier, body: &str) -> Result<f64, Failed> {
    let now = Timestamp::now();
    let signature = Secret::new(SECRET)?.sign("msg_1", now, body.as_bytes());
    let headers = HeaderMap::from_iter([
        ("webhook-id".parse()?, HeaderValue::from_static("msg_1")),
        ("webhook-timestamp".parse()?, now.as_second().into()),
        ("webhook-signature".parse::<http::HeaderName>()?, signature.parse()?),
    ]);
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < TIME / 3 {
        verifier.verify(&headers, body.as_bytes())?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

async fn webhooks(out: &mut impl Write, size: usize, count: usize) -> Result<(), Failed> {
    let body = format!(r#"{{"notificationType":"installation.created","data":{}}}"#, data(size - 50));
    let (folder, verifier) = (tempfile::tempdir()?, Verifier::new(SECRET)?);
    let inbox = Inbox::open(&format!("sqlite:{}", folder.path().join("inbox.db").display())).await?;
    let bare = post(async |_: Received| StatusCode::NO_CONTENT).with_state(verifier.clone());
    let app = Router::new().route("/bare", bare).route("/stored", inbox.webhook(verifier.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(ampersand_inbox::serve(listener, app.clone(), std::future::pending()));

    let verify = verified(&verifier, &body)?;
    let packed = if body.len() > 4096 { lz4_flex::compress(body.as_bytes()).len() } else { body.len() };
    let disk = synced(&mut File::create(folder.path().join("raw"))?, packed)?;
    let (bare, requests) = (Requests::new("/bare", &body, count)?, Requests::new("/stored", &body, count)?);
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        bare.next.store(0, Ordering::Relaxed);
        rounds.push((rate(address, &bare, Duration::ZERO).await?, rate(address, &requests, Duration::ZERO).await?));
    }
    rounds.sort_by(|(bare, stored), (bare2, stored2)| (stored.0 / bare.0).total_cmp(&(stored2.0 / bare2.0)));
    let (bare, stored) = rounds[ROUNDS / 2];
    // Continues with ids that are not stored yet.
    let pace = Duration::from_secs_f64(2.0 * CONNECTIONS as f64 / stored.0);
    let half = rate(address, &requests, pace).await?;

    let title = format!("acknowledged, {} bytes", body.len());
    writeln!(out, "{title:28}{:>9}{:>10}{:>9}   goal", "a second", "p99, ms", "× floor")?;
    writeln!(out, "  {:26}{verify:9.0}", "verified on one core")?;
    writeln!(out, "  {:26}{disk:9.0}", format!("{packed} bytes, synced"))?;
    writeln!(out, "  {:26}{:9.0}{:10.1}", "without a store", bare.0, bare.1)?;
    let (ratio, goal) = match size {
        0..10_000 => (stored.0 / bare.0, format!("≥ 0.5 × without a store: {}", met(stored.0 / bare.0 >= 0.5))),
        _ => (stored.0 / bare.0, format!("≥ 1000 a second: {}", met(stored.0 >= 1000.0))),
    };
    writeln!(out, "  {:26}{:9.0}{:10.1}{ratio:9.2}   {goal}", "stored, and synced", stored.0, stored.1)?;
    let goal = format!("p99 ≤ 50 ms: {}", met(half.1 <= 50.0));
    writeln!(out, "  {:26}{:9.0}{:10.1}{:>9}   {goal}", "  at half of that", half.0, half.1, "")?;
    if size > 10_000 {
        let (called, floor) = (called(&app, &requests).await?, verify.min(disk));
        let goal = format!("≥ 0.8 × the lesser of the first two: {}", met(called / floor >= 0.8));
        writeln!(out, "  {:26}{called:9.0}{:>10}{:9.2}   {goal}", "  without the network", "", called / floor)?;
    }
    writeln!(out)?;
    Ok(())
}

/// Fills an inbox with deliveries from many tasks at once. Each delivery has its own lane, and neighbours have distant
/// lanes.
async fn fill(inbox: &Inbox, from: usize, to: usize) -> Result<(), Failed> {
    let next = Arc::new(AtomicUsize::new(from));
    let putters = (0..CONNECTIONS).map(|_| {
        let (inbox, next) = (inbox.clone(), next.clone());
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= to {
                    return Ok(());
                }
                let installation = (number as u32).wrapping_mul(0x9e37_79b1);
                let body = format!(
                    r#"{{"notificationType":"x.y","data":{{"installationId":"{installation}","number":{number}}}}}"#
                );
                let put = inbox.put(Source::Webhook, &format!("msg_{number}"), body.as_bytes()).await;
                if put != Ok(Put::Stored) {
                    return Err(format!("{put:?}"));
                }
            }
        })
    });
    for putter in putters.collect::<Vec<_>>() {
        putter.await??;
    }
    Ok(())
}

/// Returns the seconds that a worker takes to claim deliveries, and to claim and end them. Handlers return once the
/// worker has claimed all.
async fn handled(inbox: &Inbox, most: usize) -> Result<[f64; 2], Failed> {
    let (all, claimed, enough, start) = (Barrier::new(most), OnceLock::new(), Notify::new(), Instant::now());
    let shared = Arc::new((all, claimed, enough));
    let (handler, until) = (shared.clone(), shared.clone());
    let handler = move |_| {
        let shared = handler.clone();
        async move {
            let (all, claimed, enough) = &*shared;
            if all.wait().await.is_leader() {
                claimed.get_or_init(|| start.elapsed());
                enough.notify_one();
            }
            Ok(())
        }
    };
    inbox.worker().concurrency(most).until(async move { until.2.notified().await }).run(handler).await?;
    let claimed = shared.1.get().ok_or("none was claimed")?;
    Ok([claimed.as_secs_f64(), start.elapsed().as_secs_f64()])
}

/// The megabytes of memory that the process has, on Linux.
fn resident() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(statm.split(' ').nth(1)?.parse::<f64>().ok()? * 4096.0 / 1e6)
}

async fn backlog(out: &mut impl Write) -> Result<(), Failed> {
    const FEW: usize = 1000;
    const MANY: usize = 1_000_000;
    const TIMES: usize = 20;
    let folder = tempfile::tempdir()?;
    let open = async |name| Inbox::open(&format!("sqlite:{}", folder.path().join(name).display())).await;
    let many = open("many.db").await?;
    let before = resident();
    fill(&many, 0, MANY).await?;
    let after = resident();
    drop(many);
    let mut taken = Vec::new();
    for round in 0..TIMES {
        fill(&open("few.db").await?, round * FEW, (round + 1) * FEW).await?;
        // Opens both anew, so that neither has pages in its cache.
        taken.push([handled(&open("few.db").await?, FEW).await?, handled(&open("many.db").await?, FEW).await?]);
    }
    let rate = |inbox: usize, end: usize| FEW as f64 / median(taken.iter().map(|taken| taken[inbox][end]));
    writeln!(out, "{:28}{:>9}{:>9}{:>10}   goal", "a second, of", "1,000", "a million", "× few")?;
    for (end, title) in ["claimed", "claimed, handled and ended"].into_iter().enumerate() {
        let (few, many) = (rate(0, end), rate(1, end));
        let goal = if end == 0 { format!("≥ 1: {}", met(many >= few)) } else { String::new() };
        writeln!(out, "  {title:26}{few:9.0}{many:9.0}{:10.2}   {goal}", many / few)?;
    }
    if let (Some(before), Some(after)) = (before, after) {
        writeln!(out, "  memory: {before:.0} MB, and {after:.0} MB after a million were stored\n")?;
    }
    Ok(())
}

fn median(of: impl Iterator<Item = f64>) -> f64 {
    let mut of = of.collect::<Vec<_>>();
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

pub(crate) fn report(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = async {
        webhooks(out, 1000, 450_000).await?;
        webhooks(out, 300_000, 25_000).await?;
        backlog(out).await
    };
    runtime.block_on(report).map_err(|error: Failed| error as Box<dyn Error>)
}
