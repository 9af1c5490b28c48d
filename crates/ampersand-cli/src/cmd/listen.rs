//! Receives webhooks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ampersand_notifications::{Delivery, Verifier, Webhook, from_webhook};
use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Sender, channel};

use crate::args;
use crate::cmd::verify::{VARIABLE, knowing, secrets};
use crate::output::{Messages, Output};

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
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
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
            let _ = tokio::signal::ctrl_c().await;
        });
        let server = tokio::spawn(async move { server.await });
        let mut output = Output::new(options.output.output);
        while let Some(line) = printed.recv().await {
            match line {
                Line::Received(delivery) => {
                    output.delivery(&delivery, delivery.raw().data())?;
                    output.flush()?;
                }
                Line::Refused(status, why) => messages.say(format_args!("refused with {}: {why}", status.as_u16())),
            }
        }
        server.await?.context("the server failed")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What there is to tell.
enum Line {
    Received(Box<Delivery>),
    Refused(StatusCode, String),
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
    match receiver.take(request).await {
        Ok(answer) => answer,
        Err((status, why)) => {
            let _ = receiver.lines.send(Line::Refused(status, why.clone())).await;
            (status, why).into_response()
        }
    }
}

impl Receiver {
    async fn take(&self, request: Request) -> Result<Response, Refusal> {
        if request.method() != Method::POST {
            return Err((StatusCode::METHOD_NOT_ALLOWED, format!("{}: a webhook is a POST", request.method())));
        }
        let headers = request.headers().clone();
        if headers.get(header::CONTENT_TYPE).is_some_and(|kind| !is_json(kind.as_bytes())) {
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "a webhook is application/json".to_owned()));
        }
        let body = Bytes::from_request(request, &()).await;
        let body = body.map_err(|rejection| (rejection.status(), rejection.body_text()))?;
        let delivery = self.read(&headers, &body)?;
        if let Some(folder) = &self.save {
            let kept = save(folder, self.count.fetch_add(1, Ordering::Relaxed) + 1, &headers, &body).await;
            kept.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, format!("{}: {error}", folder.display())))?;
        }
        let answer = match &self.forward {
            Some(url) => self.pass_on(url, headers, body).await?,
            None => StatusCode::NO_CONTENT.into_response(),
        };
        let _ = self.lines.send(Line::Received(Box::new(delivery))).await;
        Ok(answer)
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

    /// Passes a request on, but for what is about the connection, and takes the answer.
    async fn pass_on(&self, url: &str, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
        let unreachable = |error: reqwest::Error| {
            let why = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
            (StatusCode::SERVICE_UNAVAILABLE, format!("the receiver behind {why}"))
        };
        let request = self.client.post(url).headers(end_to_end(headers)).body(body);
        let answer = request.send().await.map_err(unreachable)?;
        let (status, headers) = (answer.status(), end_to_end(answer.headers().clone()));
        Ok((status, headers, answer.bytes().await.map_err(unreachable)?).into_response())
    }
}

fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json")
}

/// The headers without those of one connection: see [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#field.connection).
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    const HOP: [HeaderName; 6] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::TE,
        header::UPGRADE,
    ];
    for name in HOP {
        headers.remove(name);
    }
    headers
}

/// Keeps a request as `0001.headers` and `0001.json`.
async fn save(folder: &Path, number: usize, headers: &HeaderMap, body: &[u8]) -> std::io::Result<()> {
    let mut lines = Vec::new();
    for (name, value) in headers {
        lines.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    tokio::fs::write(folder.join(format!("{number:04}.headers")), lines).await?;
    tokio::fs::write(folder.join(format!("{number:04}.json")), body).await
}
