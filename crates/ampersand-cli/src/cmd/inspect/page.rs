//! The server of the page. It serves only this machine, only clients that know its URL, and only its own pages.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ampersand_notifications::{Delivery, Resolver, Secret, Verifier};
use ampersand_types::ConfigChange;
use anyhow::{Context as _, Result};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::{TcpListener, lookup_host};
use tokio::time::sleep;

use super::again::{Again, Answer, curl};
use super::arrival::{Arrival, Summary};
use super::log::Log;
use super::signature::{Step, steps};
use super::snippet;
use super::token::token;
use super::tree::{Node, about, tree};
use crate::changes::{self, Reach};
use crate::cmd::resolve::{Resolved, resolved};
use crate::drift::Contract;
use crate::gaps::{Gap, gaps};
use crate::kept;
use crate::usage::usage;

/// Deliveries that arrive within this time are shown together.
const PAUSE: Duration = Duration::from_millis(100);

/// A body of 1 MiB, the limit of `listen`, is longer as a JSON text.
const MOST_BYTES: usize = 8 << 20;

/// The files of the page.
const FILES: [(&str, &str, &str); 5] = [
    ("", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("preact.mjs", "text/javascript; charset=utf-8", include_str!("page/vendor/preact.mjs")),
    ("htm.mjs", "text/javascript; charset=utf-8", include_str!("page/vendor/htm.mjs")),
];

/// The headers of every response: the page loads only its own files, and no other page can load them.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What the page can do with deliveries.
pub(in crate::cmd) struct Tools {
    pub(in crate::cmd) secrets: Vec<String>,
    pub(in crate::cmd) verifier: Option<Verifier>,
    pub(in crate::cmd) resolver: Resolver,
    /// The URL to which a delivery is sent again, unless the page names another one.
    pub(in crate::cmd) to: String,
    /// Whether that receiver may have any certificate.
    pub(in crate::cmd) insecure: bool,
}

/// A page with its server.
pub(in crate::cmd) struct Page {
    listener: TcpListener,
    router: Router,
    pub(in crate::cmd) url: String,
}

struct Inner {
    log: Arc<Log>,
    tools: Tools,
    contract: Contract,
}

impl Page {
    /// Opens the page at an address of this machine.
    pub(in crate::cmd) async fn open(address: &str, log: Arc<Log>, tools: Tools) -> Result<Self> {
        let addresses = lookup_host(address).await.with_context(|| address.to_owned())?;
        let own: Vec<SocketAddr> = addresses.filter(|address| address.ip().is_loopback()).collect();
        if own.is_empty() {
            return Err(usage(format!(
                "{address}: the page is for this machine alone: name 127.0.0.1, ::1 or localhost"
            )));
        }
        let listener = TcpListener::bind(own.as_slice()).await.with_context(|| address.to_owned())?;
        let (address, token) = (listener.local_addr()?, token()?);
        let at = |path: &str| format!("/{token}/{path}");
        let mut router = Router::new()
            .route(&at("events"), get(events))
            .route(&at("delivery/{n}"), get(delivery))
            .route(&at("body/{n}"), get(body))
            .route(&at("headers/{n}"), get(headers))
            .route(&at("curl/{n}"), get(command))
            .route(&at("search"), get(search))
            .route(&at("send"), post(send).layer(DefaultBodyLimit::max(MOST_BYTES)))
            .route(&at("resolve/{n}"), post(resolve));
        for (path, kind, text) in FILES {
            router = router.route(&at(path), get(move || async move { ([(header::CONTENT_TYPE, kind)], text) }));
        }
        let inner = Arc::new(Inner { log, tools, contract: Contract::known() });
        let router =
            router.with_state(inner).layer(middleware::from_fn(move |request, next| guard(address, request, next)));
        Ok(Self { listener, router, url: format!("http://{address}/{token}/") })
    }

    pub(in crate::cmd) async fn serve(self) -> Result<()> {
        axum::serve(self.listener, self.router).await.context("the page's server failed")
    }
}

/// Refuses requests that do not come from this page: DNS names that lead to this address, and pages of other sites.
async fn guard(address: SocketAddr, request: Request, next: Next) -> Response {
    let mut response = match is_own(address, request.headers()) {
        true => next.run(request).await,
        false => (StatusCode::FORBIDDEN, "this page answers only itself").into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn is_own(address: SocketAddr, headers: &HeaderMap) -> bool {
    let value = |name| headers.get(name).map(HeaderValue::as_bytes);
    let named = [address.to_string(), format!("localhost:{}", address.port())];
    // A browser leaves out the port of HTTP.
    let unnumbered = named.iter().filter_map(|host| host.strip_suffix(":80"));
    let mut hosts = named.iter().map(String::as_str).chain(unnumbered);
    let Some(host) = hosts.find(|host| value(header::HOST) == Some(host.as_bytes())) else { return false };
    let is_origin = |origin: &[u8]| origin == format!("http://{host}").as_bytes();
    let is_site = |site: &[u8]| [&b"same-origin"[..], b"none"].contains(&site);
    value(header::ORIGIN).is_none_or(is_origin) && value(HeaderName::from_static("sec-fetch-site")).is_none_or(is_site)
}

/// The reason why something cannot be shown or done.
struct Failure(StatusCode, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self(StatusCode::BAD_GATEWAY, format!("{error:#}"))
    }
}

impl Inner {
    fn get(&self, number: u64) -> Result<Arc<Arrival>, Failure> {
        let gone =
            || Failure(StatusCode::NOT_FOUND, "this delivery is no longer kept: newer ones took its place".to_owned());
        self.log.get(number).ok_or_else(gone)
    }
}

/// Sends the settings, and then new and changed deliveries, while the page is open.
async fn events(State(inner): State<Arc<Inner>>) -> impl IntoResponse {
    let settings = json!({ "to": inner.tools.to, "signs": !inner.tools.secrets.is_empty() });
    let first = Event::default().event("settings").data(settings.to_string());
    let news = stream::unfold((inner.log.watch(), 0, true), move |(mut watch, version, is_first)| {
        let inner = inner.clone();
        async move {
            if !is_first {
                sleep(PAUSE).await;
                watch.changed().await.ok()?;
            }
            watch.mark_unchanged();
            let news = inner.log.since(version);
            let data = json!({ "first": news.first, "changed": news.changed }).to_string();
            Some((Event::default().data(data), (watch, news.version, false)))
        }
    });
    Sse::new(stream::iter([first]).chain(news).map(Ok::<_, Infallible>)).keep_alive(KeepAlive::default())
}

/// Everything that the page shows of a delivery.
#[derive(Serialize)]
struct Details {
    #[serde(flatten)]
    summary: Summary,
    headers: Vec<(String, String)>,
    metadata: Vec<(String, String)>,
    signature: Vec<Step>,
    /// The kind of event, in the words of the contract.
    about: String,
    payload: Option<Node>,
    /// The new members outside of the payload.
    new: Vec<String>,
    downloads: Vec<Download>,
    /// The changes of an update, or the reason why they are unknown.
    changes: Option<Result<Vec<String>, String>>,
    raw: String,
    /// The body that is sent again, unless the user edits it.
    webhook: String,
    test: Option<String>,
}

/// A value that was too large to send.
#[derive(Serialize)]
struct Download {
    member: &'static str,
    host: String,
    /// Milliseconds since 1970.
    expires: Option<i64>,
}

async fn delivery(State(inner): State<Arc<Inner>>, Path(number): Path<u64>) -> Result<Response, Failure> {
    let arrival = inner.get(number)?;
    let verifier = inner.tools.verifier.as_ref().map(|verifier| (verifier, inner.tools.secrets.len()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = arrival.headers.iter().flatten();
    let signature = arrival.headers.as_ref().map(|headers| steps(headers, &arrival.body, arrival.at, verifier));
    let mut details = Details {
        summary: arrival.summary(number),
        headers: headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        metadata: Vec::new(),
        signature: signature.unwrap_or_default(),
        about: String::new(),
        payload: None,
        new: Vec::new(),
        downloads: Vec::new(),
        changes: None,
        raw: text(&arrival.body),
        webhook: text(&arrival.webhook()),
        test: None,
    };
    if let (Some(delivery), Some(data)) = (arrival.delivery.as_deref(), arrival.payload()) {
        let (payload, new) = tree(&inner.contract, delivery, data);
        (details.payload, details.new) = (Some(payload), new);
        details.about = about(delivery);
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        details.metadata = delivery.metadata().iter().map(own).collect();
        let gaps = gaps(data, matches!(delivery, Delivery::Records(_)));
        details.downloads = gaps.iter().map(Download::of).collect();
        let reach = if arrival.whole.is_some() { Reach::Downloaded } else { Reach::Sent };
        let sentences = |changes: Vec<ConfigChange>| changes.iter().map(ToString::to_string).collect();
        details.changes = changes::of(delivery, data, reach).map(|changes| changes.map(sentences));
        details.test = snippet::test(delivery);
    }
    Ok(Json(details).into_response())
}

impl Download {
    fn of(gap: &Gap) -> Self {
        let host = Url::parse(gap.url.expose_secret()).ok().and_then(|url| url.host_str().map(str::to_owned));
        Self {
            member: gap.member,
            host: host.unwrap_or_default(),
            expires: gap.url.expires_at().map(Timestamp::as_millisecond),
        }
    }
}

/// Returns the body as a file.
async fn body(State(inner): State<Arc<Inner>>, Path(number): Path<u64>) -> Result<Response, Failure> {
    let arrival = inner.get(number)?;
    Ok(file(number, "json", arrival.body.clone()))
}

/// Returns the headers as the file that `listen --save` stores beside the body.
async fn headers(State(inner): State<Arc<Inner>>, Path(number): Path<u64>) -> Result<Response, Failure> {
    let arrival = inner.get(number)?;
    Ok(file(number, kept::HEADERS, arrival.headers.as_ref().map(kept::lines).unwrap_or_default().into()))
}

fn file(number: u64, extension: &str, content: Bytes) -> Response {
    let name = format!("attachment; filename=\"{:04}.{extension}\"", number + 1);
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, &name)];
    (headers, content).into_response()
}

#[derive(Deserialize)]
struct To {
    to: String,
}

async fn command(
    State(inner): State<Arc<Inner>>,
    Path(number): Path<u64>,
    Query(To { to }): Query<To>,
) -> Result<String, Failure> {
    Ok(curl(&*inner.get(number)?, &to))
}

#[derive(Deserialize)]
struct Wanted {
    text: String,
}

async fn search(State(inner): State<Arc<Inner>>, Query(Wanted { text }): Query<Wanted>) -> Json<Vec<u64>> {
    let found = tokio::task::spawn_blocking(move || inner.log.search(&text)).await;
    Json(found.unwrap_or_default())
}

async fn send(State(inner): State<Arc<Inner>>, Json(again): Json<Again>) -> Result<Json<Answer>, Failure> {
    let arrival = inner.get(again.n)?;
    let secret = inner.tools.secrets.first().and_then(|secret| Secret::new(secret).ok());
    Ok(Json(again.send(&arrival, secret.as_ref(), inner.tools.insecure).await?))
}

/// Downloads the values that were too large to send. The page then shows the delivery with them.
async fn resolve(State(inner): State<Arc<Inner>>, Path(number): Path<u64>) -> Result<(), Failure> {
    let arrival = inner.get(number)?;
    let Some(delivery) = arrival.delivery.as_deref().cloned() else { return Ok(()) };
    let Resolved { data, failures, .. } = resolved(&inner.tools.resolver, delivery, "the download").await;
    if let Some(failure) = failures.into_iter().next() {
        return Err(Failure(StatusCode::BAD_GATEWAY, failure));
    }
    inner.log.put(number, Arrival { whole: Some(data), ..Arrival::clone(&arrival) });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_for_the_page_if_it_names_its_address() {
        let passes = |address: &str, headers: &[(HeaderName, &'static str)]| {
            let headers = headers.iter().cloned().map(|(name, value)| (name, HeaderValue::from_static(value)));
            is_own(address.parse().unwrap(), &headers.collect())
        };
        let (host, origin, site) = (header::HOST, header::ORIGIN, HeaderName::from_static("sec-fetch-site"));
        assert!(passes("127.0.0.1:8080", &[(host.clone(), "127.0.0.1:8080")]));
        assert!(passes("[::1]:8080", &[(host.clone(), "localhost:8080"), (origin.clone(), "http://localhost:8080")]));
        assert!(passes("[::1]:80", &[(host.clone(), "[::1]"), (site.clone(), "same-origin")]));
        assert!(passes("127.0.0.1:80", &[(host.clone(), "localhost"), (origin.clone(), "http://localhost")]));

        assert!(!passes("127.0.0.1:8080", &[]));
        assert!(!passes("127.0.0.1:8080", &[(host.clone(), "localhost")]));
        assert!(!passes("127.0.0.1:8080", &[(host.clone(), "rebound.example:8080")]));
        assert!(!passes("127.0.0.1:8080", &[(host.clone(), "127.0.0.1:8080"), (origin, "http://localhost:8080")]));
        assert!(!passes("127.0.0.1:8080", &[(host, "127.0.0.1:8080"), (site, "cross-site")]));
    }
}
