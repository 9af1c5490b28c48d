//! Receives webhooks.

use std::borrow::Cow;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ampersand_notifications::{Delivery, NormalizeError, Resolver, Verifier, Webhook, from_webhook};
use anstyle::AnsiColor;
use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use reqwest::{Client, Url};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::args;
use crate::changes::Reach;
use crate::cmd::inspect::{Arrival, Forwarded, Log, Page, Tone, Tools, Verdict};
use crate::cmd::{client_for, http_url, is_loopback};
use crate::connection::why_of_receiver;
use crate::kept::{self, Folder, end_to_end};
use crate::output::{Column, Messages, Output, plain};
use crate::secrets::{VARIABLE, knowing, secrets};
use crate::signals::Ends;

/// More than three times the limit of the sender. A forwarded response has the same limit.
const MOST_BYTES: usize = 1 << 20;

/// Less than the 15 seconds that the sender waits.
const PATIENCE: Duration = Duration::from_secs(12);

/// The time for late lines to be printed.
const A_MOMENT: Duration = Duration::from_secs(1);

/// The number of unprinted lines at which requests have to wait.
const BACKLOG: usize = 1024;

pub(crate) fn run(options: args::Listen) -> Result<ExitCode> {
    let messages = Messages::default();
    let secrets = secrets(options.secret_file.as_deref())?;
    let verifier = knowing(&secrets)?;
    if verifier.is_none() {
        messages.say(format_args!(
            "WARNING: anybody can send anything, as nothing is verified: set {VARIABLE}, or pass --secret-file FILE"
        ));
    }
    let tools = Tools {
        secrets,
        verifier: verifier.clone(),
        resolver: Resolver::new(options.policy.into())?,
        to: options.forward.clone().unwrap_or_else(|| args::APPLICATION.to_owned()),
        insecure: options.insecure,
    };
    let log = options.inspect.is_some().then(|| Arc::new(Log::new()));
    let forward = options.forward.map(|url| http_url("--forward", &url)).transpose()?;
    let save = options.save.map(|folder| Folder::open(&folder)).transpose()?.map(Arc::new);
    let client = match &forward {
        Some(url) => Some(client_for(url, options.insecure, |client| client)?),
        None => None,
    };
    let forward = forward.zip(client);
    let (lines, received) = mpsc::channel(BACKLOG);
    let verified = verifier.is_some();
    let in_flight = AtomicUsize::new(0);
    let receiver = Arc::new(Receiver { verifier, forward, save, log, lines, in_flight, messages });

    // Prints in a thread, because writing blocks until the reader of stdout continues.
    let (ended, printed) = oneshot::channel();
    let mut output = Output::new(options.output.output);
    if options.changes {
        output = output.with_changes(Reach::Sent);
    }
    std::thread::spawn(move || ended.send(print(received, output, verified)));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let ends = Ends::new().context("signals cannot be handled")?;
        let (stop, stopped) = oneshot::channel();
        let listener = TcpListener::bind(&options.address).await.with_context(|| options.address.clone())?;
        receiver.messages.say(format_args!("listening at http://{}/, until ctrl-C", listener.local_addr()?));
        let page = match options.inspect.as_deref().zip(receiver.log.clone()) {
            Some((address, log)) => Some(Page::open(address, log, tools).await?),
            None => None,
        };
        if let Some(page) = &page {
            receiver.messages.say(format_args!("see what comes at {}", page.url));
        }
        let app = Router::new().fallback(receive);
        let server = axum::serve(listener, app.with_state(receiver.clone())).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        tokio::select! {
            served = async { server.await } => served.context("the server failed"),
            served = async {
                match page {
                    Some(page) => page.serve().await,
                    None => std::future::pending().await,
                }
            } => served,
            printed = printed => {
                let _ = timeout(Duration::from_secs(1), receiver.all_answered()).await;
                printed.context("nothing can be printed")?
            }
            in_time = receiver.impatience(ends, stop) => in_time,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The facts about a request that are printed.
struct Line {
    at: Timestamp,
    /// The size of the body.
    bytes: Option<usize>,
    /// `None` for a refused request.
    delivery: Option<Arc<Delivery>>,
    verdict: Verdict,
    printed: oneshot::Sender<()>,
}

/// Prints requests, until no more can come or the output fails.
fn print(mut lines: mpsc::Receiver<Line>, mut output: Output, verified: bool) -> Result<()> {
    while let Some(Line { at, bytes, delivery, verdict, printed }) = lines.blocking_recv() {
        let colour = match verdict.tone {
            Tone::Good => AnsiColor::Green,
            Tone::Fair => AnsiColor::Yellow,
            Tone::Bad => AnsiColor::Red,
        };
        let verdict = Column::last(verdict.text, colour);
        output.request(at, delivery.as_deref().map(|delivery| (delivery, verified)), bytes, verdict)?;
        let _ = printed.send(());
    }
    Ok(())
}

struct Receiver {
    verifier: Option<Verifier>,
    /// The receiver to which requests are forwarded.
    forward: Option<(Url, Client)>,
    save: Option<Arc<Folder>>,
    /// The log of the page, if there is a page.
    log: Option<Arc<Log>>,
    lines: mpsc::Sender<Line>,
    /// The number of requests without a response yet.
    in_flight: AtomicUsize,
    messages: Messages,
}

/// The reason why a request is refused.
struct Refusal {
    status: StatusCode,
    /// The text for the sender.
    why: Cow<'static, str>,
    /// More text, only for the terminal.
    more: String,
}

async fn receive(State(receiver): State<Arc<Receiver>>, request: Request) -> Response {
    // The task finishes and reports the request, even if the sender disconnects.
    let handled = tokio::spawn(async move {
        receiver.in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = receiver.handle(request).await;
        receiver.in_flight.fetch_sub(1, Ordering::Relaxed);
        answer
    });
    handled.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

impl Receiver {
    async fn handle(&self, request: Request) -> Response {
        let (at, deadline) = (Timestamp::now(), Instant::now() + PATIENCE);
        let (Parts { method, headers, .. }, body) = request.into_parts();
        let (mut taken, mut bytes, mut extent) = (Vec::new(), None, ", without its body");
        let is_small = announced(&headers).is_none_or(|length| length <= MOST_BYTES as u64);
        let mut fit = check(&method, &headers).and(if is_small { Ok(()) } else { too_large() });
        // The body of a refused request is read only to be kept or shown.
        if fit.is_ok() || (is_small && (self.save.is_some() || self.log.is_some())) {
            let came = timeout_at(deadline, take(body, &mut taken)).await;
            let came = came.unwrap_or_else(|_| refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"));
            bytes = came.is_ok().then_some(taken.len());
            extent = if came.is_ok() { "" } else { ", its body cut off" };
            fit = fit.and(came);
        }
        let (body, mut kept) = (Bytes::from(taken), String::new());
        if let Some(folder) = &self.save {
            match self.keep(folder, &headers, &body).await {
                Ok(name) => kept = format!(", kept as {name}{extent}"),
                Err(refusal) => fit = fit.and(Err(refusal)),
            }
        }
        let (start, shown) = (Instant::now(), self.log.as_ref().map(|log| (log, headers.clone(), body.clone())));
        let answered = match fit {
            Ok(()) => self.answer(headers, body, deadline).await,
            Err(refusal) => Err(refusal),
        };
        let took = start.elapsed();
        let (answer, delivery, verdict) = match answered {
            Ok((answer, read)) => {
                let verdict = self.verdict(answer.status(), &kept, read.as_ref().err());
                (answer, read.ok().map(Arc::new), verdict)
            }
            Err(Refusal { status, why, more }) => {
                let verdict = format!("refused with {}{kept}: {why}{more}", status.as_u16());
                let mut answer = (status, why).into_response();
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
                }
                (answer, None, Verdict { tone: Tone::Bad, text: verdict })
            }
        };
        if let Some((log, headers, body)) = shown {
            let forwarded = self.forward.as_ref().map(|_| Forwarded::new(answer.status().as_u16(), took));
            // The body of a refused request may show which delivery it was meant to be.
            let delivery = delivery.clone().or_else(|| from_webhook(&*body).ok().map(Arc::new));
            let (headers, verdict) = (Some(headers), verdict.clone());
            log.add(Arrival { at, headers, body, delivery, verdict, forwarded, whole: None });
        }
        let (printed, shown) = oneshot::channel();
        let (taken, line) = (delivery.is_some(), Line { at, bytes, delivery, verdict, printed });
        let told = async { self.lines.send(line).await.is_ok() && shown.await.is_ok() };
        match timeout_at(deadline + A_MOMENT, told).await {
            // Without `--forward`, nobody has the delivery before it is printed.
            Err(_) | Ok(false) if taken && self.forward.is_none() => {
                (StatusCode::SERVICE_UNAVAILABLE, "the delivery cannot be printed").into_response()
            }
            _ => answer,
        }
    }

    /// Verifies, reads and forwards a request. The receiver behind may accept a body that cannot be read here.
    async fn answer(
        &self,
        headers: HeaderMap,
        body: Bytes,
        deadline: Instant,
    ) -> Result<(Response, Result<Delivery, NormalizeError>), Refusal> {
        let read = self.read(&headers, &body)?;
        let Some((url, client)) = &self.forward else {
            return match read {
                Ok(_) => Ok((StatusCode::NO_CONTENT.into_response(), read)),
                Err(error) => refuse(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            };
        };
        let late = |_| refuse(StatusCode::SERVICE_UNAVAILABLE, "the receiver behind did not answer in time");
        match timeout_at(deadline, pass_on(client, url, headers, body)).await.unwrap_or_else(late) {
            Ok(answer) => Ok((answer, read)),
            Err(refusal) => {
                let unread = read.err().map(|error| format!("; the body could not be read: {error}"));
                Err(Refusal { more: refusal.more + &unread.unwrap_or_default(), ..refusal })
            }
        }
    }

    fn read(&self, headers: &HeaderMap, body: &Bytes) -> Result<Result<Delivery, NormalizeError>, Refusal> {
        let body = body.to_vec();
        let webhook: Webhook<'_> = match &self.verifier {
            Some(verifier) => match verifier.verify(headers, body) {
                Ok(verified) => verified.into(),
                Err(error) => return refuse(StatusCode::UNAUTHORIZED, error.to_string()),
            },
            None => body.into(),
        };
        Ok(from_webhook(webhook))
    }

    /// Stores a request, and returns the name of its files.
    async fn keep(&self, folder: &Arc<Folder>, headers: &HeaderMap, body: &Bytes) -> Result<String, Refusal> {
        let (folder, headers, body) = (folder.clone(), kept::lines(headers), body.clone());
        let kept = tokio::task::spawn_blocking(move || folder.keep(kept::HEADERS, &headers, &body)).await;
        kept.unwrap_or_else(|error| Err(error.into())).or_else(|error| {
            self.messages.say(format_args!("--save: {error}")); // with details that the sender must not see
            refuse(StatusCode::SERVICE_UNAVAILABLE, "the request cannot be kept")
        })
    }

    /// Returns the verdict on a request that was accepted, or that was forwarded although it could not be read.
    fn verdict(&self, answer: StatusCode, kept: &str, unread: Option<&NormalizeError>) -> Verdict {
        let (verified, mut tone) = match &self.verifier {
            Some(_) => ("verified", Tone::Good),
            None => ("not verified", Tone::Fair),
        };
        let mut text = verified.to_owned();
        if self.forward.is_some() {
            text += &format!(", answered with {}", answer.as_u16());
            tone = if answer.is_success() && unread.is_none() { tone } else { Tone::Bad };
        }
        text += kept;
        if let Some(error) = unread {
            text += &format!("; the body could not be read: {error}");
        }
        Verdict { tone, text }
    }

    /// Lets the server stop at a first signal. Completes at a second one, or if requests do not finish in time. It does
    /// not wait for connections without a request.
    async fn impatience(&self, mut ends: Ends, stop: oneshot::Sender<()>) -> Result<()> {
        ends.next().await;
        let _ = stop.send(());
        let again = ends.next();
        tokio::pin!(again);
        if timeout(Duration::from_secs(1), &mut again).await.is_err() {
            if self.in_flight.load(Ordering::Relaxed) > 0 {
                self.messages.say("requests are being answered: ctrl-C again ends at once");
            }
            tokio::select! {
                () = self.all_answered() => return Ok(()),
                _ = timeout(PATIENCE, again) => {}
            }
        }
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            bail!("ended before all requests were answered");
        }
        Ok(())
    }

    async fn all_answered(&self) {
        while self.in_flight.load(Ordering::Relaxed) > 0 {
            sleep(Duration::from_millis(50)).await;
        }
        sleep(Duration::from_millis(200)).await; // to let the last response be written
    }
}

fn refuse<T>(status: StatusCode, why: impl Into<Cow<'static, str>>) -> Result<T, Refusal> {
    Err(Refusal { status, why: why.into(), more: String::new() })
}

fn too_large() -> Result<(), Refusal> {
    refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 1 MiB")
}

/// Refuses a request whose method or headers are not those of a webhook.
fn check(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    const NOT_JSON: StatusCode = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    if method != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "a webhook is a POST");
    }
    if let Some(kind) = headers.get(header::CONTENT_TYPE).filter(|kind| !is_json(kind.as_bytes())) {
        return refuse(NOT_JSON, format!("a webhook is application/json, and this is `{}`", short(kind.as_bytes())));
    }
    let encodings = headers.get_all(header::CONTENT_ENCODING).into_iter();
    let compression =
        encodings.flat_map(|list| list.as_bytes().split(|byte| *byte == b',')).find(|e| is_compression(e));
    match compression {
        Some(encoding) => refuse(NOT_JSON, format!("a webhook is not compressed, and this is `{}`", short(encoding))),
        None => Ok(()),
    }
}

/// Reads a body up to its limit. `taken` keeps what arrived, even if the body breaks off.
async fn take(body: Body, taken: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else { return refuse(StatusCode::BAD_REQUEST, "the body broke off") };
        let room = MOST_BYTES - taken.len();
        taken.extend(piece.iter().take(room));
        if piece.len() > room {
            return too_large();
        }
    }
    Ok(())
}

/// Forwards a request, without the headers of its connection, and returns the response.
async fn pass_on(client: &Client, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
    let unreachable = |error: reqwest::Error| Refusal {
        status: UNAVAILABLE,
        why: "the receiver behind cannot be reached".into(),
        more: format!(": {}", why_of_receiver(error, is_loopback(url))),
    };
    let request = client.post(url.clone()).headers(end_to_end(headers)).body(body);
    let mut behind = request.send().await.map_err(unreachable)?;
    let mut body = Vec::new();
    while let Some(chunk) = behind.chunk().await.map_err(unreachable)? {
        body.extend(chunk);
        if body.len() > MOST_BYTES {
            return refuse(UNAVAILABLE, "the receiver behind answered more than 1 MiB");
        }
    }
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = behind.status();
    *answer.headers_mut() = end_to_end(behind.headers().clone());
    Ok(answer)
}

/// Returns the length of the body that the sender announces.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| b";,".contains(byte)).next().unwrap_or_default().trim_ascii();
    kind.is_empty() || kind.eq_ignore_ascii_case(b"application/json")
}

/// Returns whether an encoding is a compression. Proxies also put other values there: a charset, `aws-chunked`,
/// nothing.
fn is_compression(encoding: &[u8]) -> bool {
    const COMPRESSIONS: [&[u8]; 7] = [b"gzip", b"x-gzip", b"deflate", b"br", b"zstd", b"compress", b"x-compress"];
    COMPRESSIONS.iter().any(|compression| encoding.trim_ascii().eq_ignore_ascii_case(compression))
}

/// Returns the beginning of a header's value, for a message.
fn short(value: &[u8]) -> String {
    const LONGEST: usize = 80;
    let text = String::from_utf8_lossy(value.trim_ascii());
    let text = plain(&text);
    let end = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    text.chars().take(LONGEST).chain(end.chars()).collect()
}
