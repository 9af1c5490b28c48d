use std::fmt;
use std::time::Duration;

use ampersand_types::__private::reason;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::auth::Sent;
use crate::types::InputValidationProblem;
use crate::{Endpoint, json_path};

/// An error of an operation.
///
/// [`kind`](Self::kind) says what went wrong. If there was a response, the error holds its status, headers and body,
/// whether the API or a proxy sent it. If the body is a problem ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)),
/// [`problem`](Self::problem) returns it.
///
/// ```
/// use ampersand_client::{Error, ErrorKind};
///
/// fn tell(error: &Error) -> String {
///     match (error.kind(), error.problem()) {
///         (ErrorKind::Problem, Some(problem)) => {
///             let issues = problem.issues.iter().filter_map(|issue| issue.name.as_deref());
///             format!("{error}; see {}", issues.collect::<Vec<_>>().join(", "))
///         }
///         _ if error.is_retryable() => format!("{error}; later it may work"),
///         _ => error.to_string(),
///     }
/// }
/// ```
///
/// `Display` and `Debug` show no credentials and no URLs. Of the body, `Display` shows only the texts of a problem.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    operation: Endpoint,
    kind: ErrorKind,
    /// The fault of the request, of the response, or of the page tokens.
    reason: Option<String>,
    answer: Option<Answer>,
    attempts: u32,
    source: Option<Source>,
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The kind of an error, which decides what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request was not sent, because a value is invalid in it. The message names the value.
    Request,
    /// The request was not sent, because the token provider failed.
    Credentials,
    /// The connection failed: no server listens, the name does not resolve, or TLS failed. Nothing was sent.
    Connection,
    /// The complete response did not arrive in time. The outcome of the request is unknown.
    Timeout,
    /// The connection broke during the request. The outcome of the request is unknown.
    Interrupted,
    /// The API refused the request and says why: see [`Error::problem`].
    Problem,
    /// The status is not 2xx, and the body is not a problem: a proxy's error page, for instance, or an empty body.
    Status,
    /// The status is 2xx, but the body does not match the contract.
    Response,
}

/// A response as it was received.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    problem: Option<InputValidationProblem>,
    retry_after: Option<Duration>,
    /// The credential that the API refused (401 or 403).
    refused: Option<Sent>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Error {
    fn new(operation: Endpoint, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { operation, kind, reason: None, answer: None, attempts: 1, source: None }))
    }

    pub(crate) fn request(operation: Endpoint, reason: String) -> Self {
        let mut error = Self::new(operation, ErrorKind::Request);
        error.0.reason = Some(reason);
        error
    }

    pub(crate) fn credentials(operation: Endpoint, source: Source) -> Self {
        let mut error = Self::new(operation, ErrorKind::Credentials);
        error.0.source = Some(source);
        error
    }

    /// Removes the URL, because a base URL may hold credentials.
    pub(crate) fn transport(operation: Endpoint, error: reqwest::Error) -> Self {
        let kind = if error.is_connect() {
            ErrorKind::Connection
        } else if error.is_timeout() {
            ErrorKind::Timeout
        } else if error.is_builder() {
            ErrorKind::Request
        } else {
            ErrorKind::Interrupted
        };
        let mut failed = Self::new(operation, kind);
        failed.0.source = Some(error.without_url().into());
        failed
    }

    /// A response that ended too early.
    pub(crate) fn broken(operation: Endpoint, status: StatusCode, headers: HeaderMap, error: reqwest::Error) -> Self {
        Self::transport(operation, error).answered(status, headers, Bytes::new())
    }

    /// A response whose status is not 2xx.
    pub(crate) fn refused(
        operation: Endpoint,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        sent: Sent,
    ) -> Self {
        let media = headers.get(CONTENT_TYPE).map(|media| media.as_bytes().to_ascii_lowercase());
        let is = |kind: &[u8]| media.as_ref().is_some_and(|media| media.starts_with(kind));
        let problem = problem(&body).filter(|_| !is(b"text/"));
        let problem = problem.filter(|problem| is(b"application/problem+json") || says_something(problem));
        let retry_after = retry_after(&headers, problem.as_ref(), Timestamp::now());
        let kind = if problem.is_some() { ErrorKind::Problem } else { ErrorKind::Status };
        let mut error = Self::new(operation, kind);
        let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN).then_some(sent);
        error.0.answer = Some(Answer { status, headers, body, problem, retry_after, refused });
        error
    }

    /// A response whose body cannot be read.
    pub(crate) fn unreadable(
        operation: Endpoint,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        error: &serde_json::Error,
    ) -> Self {
        let (line, column) = (error.line(), error.column());
        let place = || json_path::at(&String::from_utf8_lossy(&body), line, column);
        let reason = match reason(error) {
            Some(reason) => format!("at {}: {reason}", place()),
            None if error.is_data() => format!("at {}: the value is not what the contract says", place()),
            None => format!("the response is not valid JSON at line {line} column {column}"),
        };
        let mut unreadable = Self::new(operation, ErrorKind::Response).answered(status, headers, body);
        unreadable.0.reason = Some(reason);
        unreadable
    }

    /// A page without a usable token for the next page.
    pub(crate) fn cut_short(operation: Endpoint, status: StatusCode, headers: HeaderMap, reason: &str) -> Self {
        let mut error = Self::new(operation, ErrorKind::Response).answered(status, headers, Bytes::new());
        error.0.reason = Some(reason.to_owned());
        error
    }

    /// Adds the response, without a problem of the API.
    fn answered(mut self, status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        let retry_after = retry_after(&headers, None, Timestamp::now());
        self.0.answer = Some(Answer { status, headers, body, problem: None, retry_after, refused: None });
        self
    }

    pub(crate) fn after(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Returns the operation that failed.
    pub fn operation(&self) -> &Endpoint {
        &self.0.operation
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the number of attempts.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.answer.as_ref().map(|answer| answer.status)
    }

    /// Returns the headers of the response, if there was one.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.answer.as_ref().map(|answer| &answer.headers)
    }

    /// Returns the body of the response as it was received. It is empty if the response ended too early.
    pub fn body(&self) -> Option<&Bytes> {
        self.0.answer.as_ref().map(|answer| &answer.body)
    }

    /// Returns the reason that the API gave for its refusal. Every member of the problem may be missing.
    pub fn problem(&self) -> Option<&InputValidationProblem> {
        self.0.answer.as_ref()?.problem.as_ref()
    }

    /// Returns the id to quote when you ask Ampersand about this request: from the problem, or else from a header.
    pub fn request_id(&self) -> Option<&str> {
        let of_header = || REQUEST_ID.iter().find_map(|name| self.headers()?.get(*name)?.to_str().ok());
        self.problem().and_then(|problem| problem.request_id.as_deref()).or_else(of_header)
    }

    /// Returns whether the same request may succeed later. A problem's `retryable` decides. Without it, the status does
    /// (408, 425, 429, 500, 502, 503, 504), or the lack of a complete response.
    ///
    /// Unless the [kind](Self::kind) is [`Connection`](ErrorKind::Connection) or the status is 429, the API may have
    /// carried out the request. The client has then retried it only if it is [idempotent](Endpoint::idempotent).
    pub fn is_retryable(&self) -> bool {
        let said = self.problem().and_then(|problem| problem.retryable);
        match self.kind() {
            ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Interrupted => true,
            ErrorKind::Problem | ErrorKind::Status => {
                said.unwrap_or_else(|| self.status().is_some_and(|status| TRANSIENT.contains(&status.as_u16())))
            }
            ErrorKind::Request | ErrorKind::Credentials | ErrorKind::Response => false,
        }
    }

    /// Returns how long the API asked the client to wait, counted from the arrival of the response: the header
    /// [`Retry-After`](https://www.rfc-editor.org/rfc/rfc9110#field.retry-after), or else the problem's `retryAfter`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.answer.as_ref()?.retry_after
    }
}

const TRANSIENT: [u16; 7] = [408, 425, 429, 500, 502, 503, 504];

const REQUEST_ID: [&str; 3] = ["x-request-id", "request-id", "x-amzn-requestid"];

/// Decodes a problem. A member whose value has another type counts as absent, as RFC 9457 asks.
fn problem(body: &[u8]) -> Option<InputValidationProblem> {
    let decode = |members| serde_json::from_value(Value::Object(members));
    let mut members: Map<String, Value> = serde_json::from_slice(body).ok()?;
    members.retain(|name, value| {
        decode(Map::from_iter([(name.clone(), value.clone())])).is_ok_and(|_: InputValidationProblem| true)
    });
    decode(members).ok()
}

/// Any JSON object decodes as a problem without members, and many other errors have a `status`.
fn says_something(problem: &InputValidationProblem) -> bool {
    let texts = [&problem.title, &problem.detail, &problem.request_id];
    texts.iter().any(|text| text.is_some()) || problem.retryable.is_some() || !problem.issues.is_empty()
}

fn retry_after(headers: &HeaderMap, problem: Option<&InputValidationProblem>, now: Timestamp) -> Option<Duration> {
    let until = |at: Timestamp| Duration::try_from(now.duration_until(at)).unwrap_or_default();
    let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::trim);
    let of_header = header.and_then(|value| match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok().map(until),
    });
    of_header.or_else(|| problem?.retry_after.as_ref()?.parse().ok().map(until))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, kind, reason, attempts, .. } = &*self.0;
        write!(f, "{}: ", operation.id)?;
        match (kind, self.status()) {
            (ErrorKind::Request, _) => f.write_str(reason.as_deref().unwrap_or("the request cannot be made"))?,
            (ErrorKind::Credentials, _) => f.write_str("there is no token")?,
            (ErrorKind::Connection, _) => f.write_str("there is no connection")?,
            (ErrorKind::Timeout, _) => f.write_str("there was no whole response in time")?,
            (ErrorKind::Interrupted, _) => f.write_str("the connection broke")?,
            (ErrorKind::Problem | ErrorKind::Status, Some(status)) => write!(f, "{status}")?,
            (ErrorKind::Response, _) => {
                f.write_str(reason.as_deref().unwrap_or("the response is not what the contract says"))?;
            }
            (_, None) => f.write_str("no success")?,
        }
        if let Some(problem) = self.problem() {
            for text in [&problem.title, &problem.detail, &problem.remedy].into_iter().flatten() {
                write!(f, ": {text}")?;
            }
            for issue in &*problem.issues {
                let [name, detail] = [&issue.name, &issue.detail].map(|text| text.as_deref().unwrap_or("?"));
                write!(f, "; `{name}`: {detail}")?;
            }
        } else if *kind == ErrorKind::Status && self.body().is_some_and(|body| !body.is_empty()) {
            let kind = self.headers().and_then(|headers| headers.get(CONTENT_TYPE)?.to_str().ok());
            let kind = kind.map_or_else(String::new, |kind| format!(" (`{kind}`)"));
            let is_json = self.body().is_some_and(|body| serde_json::from_slice::<IgnoredAny>(body).is_ok());
            let json = if is_json { "JSON " } else { "" };
            write!(f, ", with a {json}body{kind} that tells no RFC 9457 problem")?;
        }
        f.write_str(match self.0.answer.as_ref().and_then(|answer| answer.refused) {
            Some(Sent::ApiKey) => "; the request had an API key",
            Some(Sent::Bearer) => "; the request had a bearer token",
            Some(Sent::Nothing) => "; the request had no credential, as the contract asks for none",
            None => "",
        })?;
        if let Some(id) = self.request_id() {
            write!(f, " (request {id})")?;
        }
        if *attempts > 1 {
            write!(f, ", after {attempts} attempts")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
