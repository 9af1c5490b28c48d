use std::time::Duration;

use http::StatusCode;

use crate::{Error, ErrorKind};

/// Limits how often and for how long the client retries an operation.
///
/// The client retries idempotent operations when that [may help](Error::is_retryable): operations that read, replace or
/// delete, and those that the contract's overlay marks as idempotent. It retries any other operation only if the API
/// has not carried it out: the connection failed, or the API returned 429. Before each retry the client waits, twice as
/// long each time, with jitter, and at least as long as the API asks.
///
/// ```
/// use std::time::Duration;
/// use ampersand_client::{Client, Retry};
///
/// let patient = Retry { max_attempts: 8, max_elapsed: Duration::from_secs(600), ..Retry::default() };
/// let client = Client::builder().api_key("key").retry(patient).build()?;
/// # Ok::<(), ampersand_client::ClientError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// The maximum number of attempts, including the first. Default: 3.
    pub max_attempts: u32,
    /// The latest start of an attempt, counted from the first attempt. If the API asks the client to wait longer, the
    /// client returns the error at once. Default: 60 seconds.
    pub max_elapsed: Duration,
    /// The pause before the first retry. Jitter shortens it by up to half. Default: half a second.
    pub backoff: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { max_attempts: 3, max_elapsed: Duration::from_secs(60), backoff: Duration::from_millis(500) }
    }
}

impl Retry {
    /// Sends every operation once, without retries.
    pub const NEVER: Self = Self { max_attempts: 1, max_elapsed: Duration::ZERO, backoff: Duration::ZERO };

    /// Returns the pause before the next attempt, or `None` to stop. `chance` is between 0 and 1.
    pub(crate) fn pause(&self, attempts: u32, elapsed: Duration, error: &Error, chance: f64) -> Option<Duration> {
        let was_not_done =
            error.kind() == ErrorKind::Connection || error.status() == Some(StatusCode::TOO_MANY_REQUESTS);
        let may_repeat = error.is_retryable() && (error.operation().idempotent || was_not_done);
        if !may_repeat || attempts >= self.max_attempts {
            return None;
        }
        let backoff = self.backoff.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        let backoff = backoff.min(self.max_elapsed).mul_f64(1.0 - chance / 2.0);
        let pause = error.retry_after().map_or(backoff, |asked| asked.saturating_add(backoff / 10).max(backoff));
        (elapsed.saturating_add(pause) <= self.max_elapsed).then_some(pause)
    }
}
