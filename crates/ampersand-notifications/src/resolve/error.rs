use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use ampersand_types::JsonError;
use jiff::Timestamp;

use super::policy::Blocked;

/// Why the resolver could not get a value.
///
/// It shows no part of the URL, except the host if that is the reason. If the value is lost
/// ([`is_lost`](Self::is_lost)), the REST API still has the current configuration of the installation: see
/// [`Resolver::config_or_current`](crate::Resolver::config_or_current).
#[derive(Debug)]
#[non_exhaustive]
pub enum ResolveError {
    /// The notification has neither the value nor its URL, which may happen if it was sent before 2026.
    Missing,
    /// The URL has expired.
    Expired {
        /// When it expired, if the URL says so. `None` if only the server says that it has expired.
        at: Option<Timestamp>,
    },
    /// The server refuses the URL (401 or 403), and does not say that it has expired.
    Forbidden {
        /// When the URL expires, if it says so: later than now.
        expires_at: Option<Timestamp>,
    },
    /// The URL has no content any more (404 or 410).
    Gone,
    /// The [`Policy`](crate::Policy) forbids the URL or a redirect of it.
    Blocked(Blocked),
    /// The value is larger than [`Policy::max_bytes`](crate::Policy::max_bytes).
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The value is not JSON, or does not have the requested shape.
    NotJson(JsonError),
    /// The server, or all attempts together, exceeded a timeout of the [`Policy`](crate::Policy).
    TimedOut,
    /// The server responded with another status than success.
    Status {
        /// The status.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The body is compressed in a way that was not requested: anything but gzip.
    Encoding,
    /// The body is gzip that cannot be decompressed: the stored data is damaged. `source()` has the cause.
    Corrupt(io::Error),
    /// The connection failed, or the transfer broke off. `source()` has the cause.
    Connection(Box<dyn Error + Send + Sync>),
    /// The writer failed. `source()` has the cause.
    Write(io::Error),
    /// The server is not trusted: its certificate is not for its name, or the system does not trust its issuer. The system
    /// may also have no root certificates. `source()` has the cause.
    Tls(Box<dyn Error + Send + Sync>),
    /// The configuration before an update could not be resolved. Only [`Resolver::changes`](crate::Resolver::changes)
    /// returns it.
    LastConfig(Box<ResolveError>),
    /// The configuration is lost, and getting the current one failed. `source()` has the cause of the latter.
    NoCurrent {
        /// Why the configuration is lost.
        lost: Box<ResolveError>,
        /// The error of the function that gets the current configuration.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ResolveError {
    /// Whether the value is lost: it was not sent, its URL has expired or is refused, or the URL has no content.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Missing | Self::Expired { .. } | Self::Forbidden { .. } | Self::Gone | Self::NoCurrent { .. } => true,
            Self::LastConfig(error) => error.is_lost(),
            _ => false,
        }
    }

    /// Whether a later try may succeed. The [`Resolver`](crate::Resolver) has already retried as its policy says. The
    /// exception is a [`download`](crate::Resolver::download) that broke off: call it again with an empty writer.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut | Self::Connection(_) => true,
            Self::LastConfig(error) => error.is_transient(),
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502..=504),
            _ => false,
        }
    }
}

/// Converts an error of the client, and removes its URL.
pub(super) fn failed(error: reqwest::Error) -> ResolveError {
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(blocked) = inner.downcast_ref::<Blocked>() {
            return ResolveError::Blocked(blocked.clone());
        }
        if error.is_connect() && is_tls(inner) {
            return ResolveError::Tls(error.into());
        }
        cause = inner.source();
    }
    if error.is_builder() {
        ResolveError::Blocked(Blocked::NotAUrl) // For example, a URL that is too long.
    } else if error.is_timeout() {
        ResolveError::TimedOut
    } else {
        ResolveError::Connection(error.into())
    }
}

/// Whether an error is of rustls: those are `InvalidData`, in an `io::Error` that may be inside another.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|error| {
        error.kind() == io::ErrorKind::InvalidData || error.get_ref().is_some_and(|inner| is_tls(inner))
    })
}

impl From<Blocked> for ResolveError {
    fn from(blocked: Blocked) -> Self {
        Self::Blocked(blocked)
    }
}

impl From<JsonError> for ResolveError {
    fn from(error: JsonError) -> Self {
        Self::NotJson(error)
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "neither the value nor a URL of it was sent{ELSEWHERE}"),
            Self::Expired { at: Some(at) } => write!(f, "the URL expired at {at}{ELSEWHERE}"),
            Self::Expired { at: None } => write!(f, "the URL has expired{ELSEWHERE}"),
            Self::Forbidden { expires_at: Some(at) } => {
                write!(f, "the server refuses the URL, which expires only at {at}{ELSEWHERE}")
            }
            Self::Forbidden { expires_at: None } => write!(f, "the server refuses the URL{ELSEWHERE}"),
            Self::Gone => write!(f, "there is nothing at the URL any more{ELSEWHERE}"),
            Self::Blocked(why) => write!(f, "the policy does not let the URL be asked: {why}"),
            Self::TooLarge { limit } => {
                write!(f, "there is more than {limit} bytes: raise `max_bytes`, or download it to a writer")
            }
            Self::NotJson(error) => write!(f, "the value is {error}"),
            Self::TimedOut => f.write_str("the server took too long: try later"),
            Self::Status { status, retry_after: Some(after) } => {
                write!(f, "the server answered {status}: try again in {} s", after.as_secs())
            }
            Self::Status { status, retry_after: None } => write!(f, "the server answered {status}"),
            Self::Connection(_) => f.write_str("the server was not reached, or broke the transfer off"),
            Self::Write(_) => f.write_str("what was downloaded could not be written"),
            Self::Encoding => f.write_str("the server compressed the value in a way that was not asked for"),
            Self::Corrupt(_) => f.write_str("the stored value is damaged: its gzip cannot be decompressed"),
            Self::Tls(_) => f.write_str("the server cannot be trusted: see its certificate, and those of the system"),
            Self::LastConfig(error) => {
                let error = error.to_string();
                write!(f, "the configuration before the update: {}", error.trim_end_matches(ELSEWHERE))
            }
            Self::NoCurrent { lost, .. } => {
                let lost = lost.to_string();
                write!(f, "{}, and the present one could not be had either", lost.trim_end_matches(ELSEWHERE))
            }
        }
    }
}

const ELSEWHERE: &str = "; of a configuration, the REST API has the present one";

impl Error for ResolveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connection(cause) | Self::Tls(cause) | Self::NoCurrent { source: cause, .. } => Some(cause.as_ref()),
            Self::Corrupt(cause) | Self::Write(cause) => Some(cause),
            Self::LastConfig(error) => error.source(),
            _ => None,
        }
    }
}
