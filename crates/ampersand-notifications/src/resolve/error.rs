use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use ampersand_types::JsonError;
use jiff::Timestamp;

use super::policy::Blocked;

/// Why a value could not be had.
///
/// It shows no part of the URL but, where that is the reason, its host. Where the value cannot be had any more
/// ([`is_lost`](Self::is_lost)), the REST API has the configuration that the installation has now: see
/// [`Resolver::config_or_current`](crate::Resolver::config_or_current).
#[derive(Debug)]
#[non_exhaustive]
pub enum ResolveError {
    /// The notification has neither the value nor a URL of it, as those sent before 2026 may.
    Missing,
    /// The URL was good for a time that is over.
    Expired {
        /// When it was over, where the URL says so. Where only the server does, it is not known.
        at: Option<Timestamp>,
    },
    /// The server refuses the URL (401 or 403), and does not say that it has expired.
    Forbidden {
        /// When the URL expires, where it says so: later than now.
        expires_at: Option<Timestamp>,
    },
    /// There is nothing at the URL any more (404 or 410).
    Gone,
    /// The [`Policy`](crate::Policy) does not let the URL, or what it redirects to, be asked.
    Blocked(Blocked),
    /// There is more than [`Policy::max_bytes`](crate::Policy::max_bytes).
    TooLarge {
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// The value is not JSON, or not of the shape that was asked for.
    NotJson(JsonError),
    /// The server, or all attempts together, took longer than the [`Policy`](crate::Policy) gives them.
    TimedOut,
    /// The server answered with another status than one of success.
    Status {
        /// The status.
        status: u16,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The body came compressed in a way that was not asked for, which is any but gzip.
    Encoding,
    /// The body came as gzip, and cannot be decompressed: the stored data is damaged. The cause is in `source()`.
    Corrupt(io::Error),
    /// The server was not reached, or broke the transfer off. The cause is in `source()`.
    Connection(Box<dyn Error + Send + Sync>),
    /// The writer that was to take the value failed. The cause is in `source()`.
    Write(io::Error),
    /// The server cannot be trusted: its certificate is not for its name, or by no one whom the system trusts, if the
    /// system has root certificates at all. The cause is in `source()`.
    Tls(Box<dyn Error + Send + Sync>),
    /// The configuration before an update could not be had. Only [`Resolver::changes`](crate::Resolver::changes) returns it.
    LastConfig(Box<ResolveError>),
    /// The configuration cannot be had any more, and the present one could not be had in its place. The cause of the
    /// latter is in `source()`.
    NoCurrent {
        /// Why the configuration cannot be had.
        lost: Box<ResolveError>,
        /// The error of the function that should get the present one.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ResolveError {
    /// Whether the value cannot be had any more: it was not sent, its URL has expired or is refused, or there is nothing
    /// at it.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Missing | Self::Expired { .. } | Self::Forbidden { .. } | Self::Gone | Self::NoCurrent { .. } => true,
            Self::LastConfig(error) => error.is_lost(),
            _ => false,
        }
    }

    /// Whether the same may go well later. The [`Resolver`](crate::Resolver) has tried as often, and waited as long, as
    /// its policy says; but for a [`download`](crate::Resolver::download) that broke off, which is to be begun anew, with
    /// an empty writer.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut | Self::Connection(_) => true,
            Self::LastConfig(error) => error.is_transient(),
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502..=504),
            _ => false,
        }
    }
}

/// Tells apart why the client failed, without the URL that it names.
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
        ResolveError::Blocked(Blocked::NotAUrl) // One that is too long, for instance.
    } else if error.is_timeout() {
        ResolveError::TimedOut
    } else {
        ResolveError::Connection(error.into())
    }
}

/// Failures of rustls come as `InvalidData`, in an `io::Error` that may be in another.
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
