//! Receives webhooks.

use std::borrow::Cow;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ampersand_notifications::{Delivery, Verifier, Webhook, from_webhook};
use anstyle::AnsiColor;
use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::args::{self, Form};
use crate::cmd::verify::{VARIABLE, knowing, secrets};
use crate::cmd::{http_url, straight};
use crate::kept::{self, Folder, end_to_end};
use crate::output::{Column, Messages, Output};

/// More than three times what the sender sends. An answer from behind may have as much.
const MOST_BYTES: usize = 1 << 20;

/// Within the 15 seconds that the sender waits.
const PATIENCE: Duration = Duration::from_secs(12);

/// For what is late to be printed.
const A_MOMENT: Duration = Duration::from_secs(1);

/// What there may be to print before requests have to wait.
const BACKLOG: usize = 1024;

pub(crate) fn run(options: args::Listen) -> Result<ExitCode> {
    let messages = Messages::default();
    let verifier = knowing(&secrets(options.secret_file.as_deref())?)?;
    if verifier.is_none() {
        messages.say(format_args!(
            "WARNING: anybody can send anything, as nothing is verified: set {VARIABLE}, or pass --secret-file FILE"
        ));
    }
    let forward = options.forward.map(|url| http_url("--forward", &url)).transpose()?;
    let save = options.save.map(|folder| Folder::open(&folder)).transpose()?.map(Arc::new);
    let client = straight().build().context("TLS cannot be set up")?;
    let (lines, received) = mpsc::channel(BACKLOG);
    let verified = verifier.is_some();
    let in_flight = AtomicUsize::new(0);
    let receiver = Arc::new(Receiver { verifier, client, forward, save, lines, in_flight, messages });

    // A thread, as writing waits for whoever reads.
    let (ended, printed) = oneshot::channel();
    std::thread::spawn(move || ended.send(print(received, options.output.output, verified)));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(&options.address).await.with_context(|| options.address.clone())?;
        receiver.messages.say(format_args!("listening at http://{}/, until ctrl-C", listener.local_addr()?));
        let app = Router::new().fallback(receive).layer(DefaultBodyLimit::max(MOST_BYTES));
        let server = axum::serve(listener, app.with_state(receiver.clone())).with_graceful_shutdown(async {
            let _ = ctrl_c().await;
        });
        tokio::select! {
            served = async { server.await } => served.context("the server failed"),
            printed = printed => {
                let _ = timeout(Duration::from_secs(1), receiver.all_answered()).await;
                printed.context("nothing can be printed")?
            }
            in_time = receiver.impatience() => in_time,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What there is to tell of a request.
struct Line {
    at: Timestamp,
    /// Of the body.
    bytes: Option<usize>,
    /// `None` of what was refused.
    delivery: Option<Box<Delivery>>,
    verdict: Column,
    printed: oneshot::Sender<()>,
}

/// Prints what comes. It ends when nothing more can come, or the output fails.
fn print(mut lines: mpsc::Receiver<Line>, form: Form, verified: bool) -> Result<()> {
    let mut output = Output::new(form);
    while let Some(Line { at, bytes, delivery, verdict, printed }) = lines.blocking_recv() {
        output.request(at, delivery.as_deref().map(|delivery| (delivery, verified)), bytes, verdict)?;
        let _ = printed.send(());
    }
    Ok(())
}

struct Receiver {
    verifier: Option<Verifier>,
    client: reqwest::Client,
    forward: Option<Url>,
    save: Option<Arc<Folder>>,
    lines: mpsc::Sender<Line>,
    /// Requests that are not answered yet.
    in_flight: AtomicUsize,
    messages: Messages,
}

/// A status that is no success, and why.
type Refusal = (StatusCode, Cow<'static, str>);

/// What is known of a request so far, should it end early.
#[derive(Default)]
struct Seen {
    bytes: Option<usize>,
    kept: Option<String>,
}

async fn receive(State(receiver): State<Arc<Receiver>>, request: Request) -> Response {
    // It is seen through and told of, even if the sender goes away.
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
        let (at, deadline, mut seen) = (Timestamp::now(), Instant::now() + PATIENCE, Seen::default());
        let taken = match timeout_at(deadline, self.take(request, &mut seen)).await {
            Ok(taken) => taken,
            // The sender was as slow, or whoever is behind.
            Err(_) if seen.bytes.is_none() => refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
            Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "the receiver behind did not answer in time"),
        };
        let kept = seen.kept.map(|name| format!(", kept as {name}")).unwrap_or_default();
        let (answer, delivery, verdict) = match taken {
            Ok((answer, delivery)) => {
                let verdict = self.verdict(answer.status(), &kept);
                (answer, Some(Box::new(delivery)), verdict)
            }
            Err((status, why)) => {
                let verdict = format!("refused with {}{kept}: {why}", status.as_u16());
                let mut answer = (status, why).into_response();
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
                }
                (answer, None, Column::last(verdict, AnsiColor::Red))
            }
        };
        let (printed, shown) = oneshot::channel();
        let (taken, line) = (delivery.is_some(), Line { at, bytes: seen.bytes, delivery, verdict, printed });
        let told = async { self.lines.send(line).await.is_ok() && shown.await.is_ok() };
        match timeout_at(deadline + A_MOMENT, told).await {
            // What has no answer from behind is in nobody's hands before it is printed.
            Err(_) | Ok(false) if taken && self.forward.is_none() => {
                (StatusCode::SERVICE_UNAVAILABLE, "the delivery cannot be printed").into_response()
            }
            _ => answer,
        }
    }

    async fn take(&self, request: Request, seen: &mut Seen) -> Result<(Response, Delivery), Refusal> {
        const NOT_JSON: StatusCode = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        if request.method() != Method::POST {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "a webhook is a POST");
        }
        let headers = request.headers().clone();
        if headers.get(header::CONTENT_TYPE).is_some_and(|kind| !is_json(kind.as_bytes())) {
            return refuse(NOT_JSON, "a webhook is application/json");
        }
        if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return refuse(NOT_JSON, "a webhook is not compressed");
        }
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: u64| length > MOST_BYTES as u64) {
            return Err(TOO_LARGE);
        }
        let body = Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => TOO_LARGE,
            status => (status, "the body broke off".into()),
        })?;
        seen.bytes = Some(body.len());
        if let Some(folder) = &self.save {
            seen.kept = Some(self.keep(folder, &headers, &body).await?);
        }
        let delivery = self.read(&headers, &body)?;
        let answer = match &self.forward {
            Some(url) => self.pass_on(url, headers, body).await?,
            None => StatusCode::NO_CONTENT.into_response(),
        };
        Ok((answer, delivery))
    }

    fn read(&self, headers: &HeaderMap, body: &Bytes) -> Result<Delivery, Refusal> {
        let body = body.to_vec();
        let webhook: Webhook<'_> = match &self.verifier {
            Some(verifier) => {
                let verified = verifier.verify(headers, body);
                verified.map_err(|error| (StatusCode::UNAUTHORIZED, error.to_string().into()))?.into()
            }
            None => body.into(),
        };
        from_webhook(webhook).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string().into()))
    }

    /// Keeps a request, and gives the name that it has.
    async fn keep(&self, folder: &Arc<Folder>, headers: &HeaderMap, body: &Bytes) -> Result<String, Refusal> {
        let (folder, headers, body) = (folder.clone(), kept::lines(headers), body.clone());
        let kept = tokio::task::spawn_blocking(move || folder.keep(kept::HEADERS, &headers, &body)).await;
        kept.unwrap_or_else(|error| Err(error.into())).map_err(|error| {
            self.messages.say(format_args!("--save: {error}")); // with what the sender is not to see
            (StatusCode::SERVICE_UNAVAILABLE, "the request cannot be kept".into())
        })
    }

    /// Passes a request on, but for what is about the connection, and takes the answer.
    async fn pass_on(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
        let unreachable = |_| (StatusCode::SERVICE_UNAVAILABLE, "the receiver behind cannot be reached".into());
        let request = self.client.post(url.clone()).headers(end_to_end(headers)).body(body);
        let mut behind = request.send().await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = behind.chunk().await.map_err(unreachable)? {
            body.extend(chunk);
            if body.len() > MOST_BYTES {
                return refuse(StatusCode::SERVICE_UNAVAILABLE, "the receiver behind answered more than 1 MiB");
            }
        }
        let mut answer = Response::new(Body::from(body));
        *answer.status_mut() = behind.status();
        *answer.headers_mut() = end_to_end(behind.headers().clone());
        Ok(answer)
    }

    /// What became of a request that could be read.
    fn verdict(&self, answer: StatusCode, kept: &str) -> Column {
        let (verified, mut colour) = match &self.verifier {
            Some(_) => ("verified", AnsiColor::Green),
            None => ("not verified", AnsiColor::Yellow),
        };
        let mut text = verified.to_owned();
        if self.forward.is_some() {
            text += &format!(", answered with {}", answer.as_u16());
            colour = if answer.is_success() { colour } else { AnsiColor::Red };
        }
        Column::last(text + kept, colour)
    }

    /// Is over when a second ctrl-C comes, or the first one does not end all in time. A connection without a request on
    /// it is not waited for.
    async fn impatience(&self) -> Result<()> {
        let _ = ctrl_c().await;
        let again = ctrl_c();
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
        sleep(Duration::from_millis(200)).await; // for the last answer to be written
    }
}

const TOO_LARGE: Refusal = (StatusCode::PAYLOAD_TOO_LARGE, Cow::Borrowed("the body has more than 1 MiB"));

fn refuse<T>(status: StatusCode, why: &'static str) -> Result<T, Refusal> {
    Err((status, why.into()))
}

fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json")
}
