//! Receives webhooks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ampersand_notifications::{Delivery, Verifier, Webhook, from_webhook};
use anstyle::AnsiColor;
use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::args;
use crate::cmd::verify::{VARIABLE, knowing, secrets};
use crate::kept::{self, end_to_end};
use crate::output::{Column, Messages, Output};

/// More than three times what the sender sends.
const MOST_BYTES: usize = 1 << 20;

/// Within the 15 seconds that the sender waits.
const PATIENCE: Duration = Duration::from_secs(12);

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
    if let Some(folder) = &options.save {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let (lines, mut printed) = channel(BACKLOG);
    let receiver = Arc::new(Receiver {
        verifier,
        client: client.build().context("TLS cannot be set up")?,
        forward: options.forward,
        save: options.save,
        count: AtomicUsize::new(0),
        lines,
    });
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(options.address).await.with_context(|| options.address.to_string())?;
        messages.say(format_args!("listening at http://{}/, until ctrl-C", listener.local_addr()?));
        let app = Router::new().fallback(receive).layer(DefaultBodyLimit::max(MOST_BYTES)).with_state(receiver);
        let server = axum::serve(listener, app).with_graceful_shutdown(async {
            let _ = ctrl_c().await;
        });
        let server = tokio::spawn(async move { server.await });
        let mut output = Output::new(options.output.output);
        let served = async {
            while let Some(Line { at, bytes, received }) = printed.recv().await {
                match received {
                    Ok((delivery, verdict)) => output.request(at, Some(&delivery), bytes, verdict)?,
                    Err(verdict) => output.request(at, None, bytes, verdict)?,
                }
            }
            server.await?.context("the server failed")
        };
        tokio::select! {
            served = served => served,
            () = impatience(&messages) => bail!("ended before all requests were answered"),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Is over when a second ctrl-C comes, or the first one does not end all in time.
async fn impatience(messages: &Messages) {
    let _ = ctrl_c().await;
    sleep(Duration::from_secs(1)).await;
    messages.say("requests are being answered: ctrl-C again ends at once");
    let _ = timeout(PATIENCE, ctrl_c()).await;
}

/// What there is to tell of a request.
struct Line {
    at: Timestamp,
    /// Of the body.
    bytes: Option<usize>,
    received: Result<(Box<Delivery>, Column), Column>,
}

struct Receiver {
    verifier: Option<Verifier>,
    client: reqwest::Client,
    forward: Option<String>,
    save: Option<PathBuf>,
    count: AtomicUsize,
    lines: Sender<Line>,
}

/// A status that is no success, and why.
type Refusal = (StatusCode, String);

async fn receive(State(receiver): State<Arc<Receiver>>, request: Request) -> Response {
    let (at, deadline, mut bytes) = (Timestamp::now(), Instant::now() + PATIENCE, None);
    let taken = match timeout_at(deadline, receiver.take(request, &mut bytes)).await {
        Ok(taken) => taken,
        // The sender was as slow, or whoever is behind.
        Err(_) if bytes.is_none() => Err((StatusCode::REQUEST_TIMEOUT, "the body did not come in time".to_owned())),
        Err(_) => Err(unavailable("the receiver behind did not answer in time")),
    };
    let (answer, received) = match taken {
        Ok((answer, delivery)) => {
            let verdict = receiver.verdict(answer.status());
            (answer, Ok((Box::new(delivery), verdict)))
        }
        Err((status, why)) => {
            let verdict = Column::last(format!("refused with {}: {why}", status.as_u16()), AnsiColor::Red);
            ((status, why).into_response(), Err(verdict))
        }
    };
    let told = timeout_at(deadline, receiver.lines.send(Line { at, bytes, received })).await;
    match told {
        Ok(Ok(())) => answer,
        _ if receiver.forward.is_some() => answer,
        _ => unavailable("nobody reads what is printed").into_response(),
    }
}

fn unavailable(why: &str) -> Refusal {
    (StatusCode::SERVICE_UNAVAILABLE, why.to_owned())
}

impl Receiver {
    async fn take(&self, request: Request, bytes: &mut Option<usize>) -> Result<(Response, Delivery), Refusal> {
        if request.method() != Method::POST {
            return Err((StatusCode::METHOD_NOT_ALLOWED, format!("{}: a webhook is a POST", request.method())));
        }
        let headers = request.headers().clone();
        if headers.get(header::CONTENT_TYPE).is_some_and(|kind| !is_json(kind.as_bytes())) {
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "a webhook is application/json".to_owned()));
        }
        let body = Bytes::from_request(request, &()).await;
        let body = body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => (rejection.status(), "the body has more than 1 MiB".to_owned()),
            status => (status, rejection.body_text()),
        })?;
        *bytes = Some(body.len());
        if let Some(folder) = &self.save {
            let kept = self.keep(folder, &headers, &body).await;
            kept.map_err(|error| unavailable(&format!("{}: {error}", folder.display())))?;
        }
        let delivery = self.read(&headers, &body)?;
        let answer = match &self.forward {
            Some(url) => self
                .pass_on(url, headers, body)
                .await
                .map_err(|_| unavailable("the receiver behind cannot be reached"))?,
            None => StatusCode::NO_CONTENT.into_response(),
        };
        Ok((answer, delivery))
    }

    fn read(&self, headers: &HeaderMap, body: &Bytes) -> Result<Delivery, Refusal> {
        let body = body.to_vec();
        let webhook: Webhook<'_> = match &self.verifier {
            Some(verifier) => {
                verifier.verify(headers, body).map_err(|error| (StatusCode::UNAUTHORIZED, error.to_string()))?.into()
            }
            None => body.into(),
        };
        from_webhook(webhook).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
    }

    async fn keep(&self, folder: &Path, headers: &HeaderMap, body: &[u8]) -> std::io::Result<()> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let [headers_file, body_file] = kept::files(folder, number);
        tokio::fs::write(headers_file, kept::lines(headers)).await?;
        tokio::fs::write(body_file, body).await
    }

    /// Passes a request on, but for what is about the connection, and takes the answer.
    async fn pass_on(&self, url: &str, headers: HeaderMap, body: Bytes) -> reqwest::Result<Response> {
        let answer = self.client.post(url).headers(end_to_end(headers)).body(body).send().await?;
        let (status, headers) = (answer.status(), end_to_end(answer.headers().clone()));
        Ok((status, headers, answer.bytes().await?).into_response())
    }

    /// What became of a request that could be read.
    fn verdict(&self, answer: StatusCode) -> Column {
        let (mut text, mut colour) = match &self.verifier {
            Some(_) => ("verified".to_owned(), AnsiColor::Green),
            None => ("not verified".to_owned(), AnsiColor::Yellow),
        };
        if self.forward.is_some() {
            text += &format!(", answered with {}", answer.as_u16());
            colour = if answer.is_success() { colour } else { AnsiColor::Red };
        }
        Column::last(text, colour)
    }
}

fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json")
}
