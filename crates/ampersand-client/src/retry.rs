use std::time::Duration;

use http::StatusCode;

use crate::{Error, ErrorKind};

/// How often an operation is tried, and for how long.
///
/// What may be sent twice is tried again when that [may help](Error::is_retryable): what only reads, what replaces or
/// deletes, and what the contract's overlay marks so. Of the rest only what was not carried out is: there was no
/// connection, or the API had too much to do (429). Between two attempts it waits, twice as long each time, with jitter, and at
/// least as long as the API asks to.
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
    /// The attempts in all, the first one included. Default: 3.
    pub max_attempts: u32,
    /// No attempt begins later than so long after the first one. Where the API asks to wait for longer, the error comes
    /// at once. Default: 60 seconds.
    pub max_elapsed: Duration,
    /// The first pause; it is up to half as short, by chance. Default: half a second.
    pub backoff: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { max_attempts: 3, max_elapsed: Duration::from_secs(60), backoff: Duration::from_millis(500) }
    }
}

impl Retry {
    /// Every operation is tried once.
    pub const NEVER: Self = Self { max_attempts: 1, max_elapsed: Duration::ZERO, backoff: Duration::ZERO };

    /// How long to wait for another attempt, if there is to be one. `chance` is between 0 and 1.
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
