use std::time::Duration;

use ampersand_types::SignedUrl;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, Url};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout_at};

use super::{Blocked, ResolveError, Resolver};

impl Resolver {
    /// Downloads what a URL leads to, whatever its size, and returns how many bytes it was.
    ///
    /// It takes no more memory than a piece of it, and [`Policy::max_bytes`](crate::Policy::max_bytes) is no limit: what
    /// is too much is for the writer to say. [`Policy::timeout`](crate::Policy::timeout) is for the server to begin
    /// in. Until then it is tried again as other downloads are; what broke off after that is not, as some of it is
    /// written.
    ///
    /// # Errors
    ///
    /// As [`config`](Self::config), but for what is no JSON, which is not looked at; and when the writer fails.
    pub async fn download<W: AsyncWrite + Unpin>(&self, url: &SignedUrl, writer: &mut W) -> Result<u64, ResolveError> {
        let mut response = self.retry(|| self.open(url)).await?;
        let mut written = 0;
        while let Some(piece) = response.chunk().await? {
            writer.write_all(&piece).await.map_err(ResolveError::Write)?;
            written += piece.len() as u64;
        }
        writer.flush().await.map_err(ResolveError::Write)?;
        Ok(written)
    }

    /// Downloads what a URL leads to into memory.
    pub(super) async fn get(&self, url: &SignedUrl) -> Result<Vec<u8>, ResolveError> {
        self.retry(|| async {
            let mut response = self.open(url).await?;
            let limit = self.policy.max_bytes;
            let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
            if announced > limit {
                return Err(ResolveError::TooLarge { limit });
            }
            let mut body = Vec::with_capacity(announced);
            while let Some(piece) = response.chunk().await? {
                if piece.len() > limit - body.len() {
                    return Err(ResolveError::TooLarge { limit });
                }
                body.extend_from_slice(&piece);
            }
            Ok(body)
        })
        .await
    }

    /// Tries again what may go well later, as long as there is time.
    async fn retry<T, F: Future<Output = Result<T, ResolveError>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<T, ResolveError> {
        let deadline = Instant::now() + self.policy.timeout;
        let mut attempts = 1;
        loop {
            let error = match timeout_at(deadline, attempt()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => return Err(ResolveError::TimedOut),
            };
            let wait = pause(attempts, &error);
            if !error.is_transient() || attempts >= self.policy.max_attempts || Instant::now() + wait >= deadline {
                return Err(error);
            }
            sleep(wait).await;
            attempts += 1;
        }
    }

    /// Asks a URL, and those that it redirects to, until one answers with success. The body is yet to be read.
    async fn open(&self, signed: &SignedUrl) -> Result<Response, ResolveError> {
        if has_expired(signed) {
            return Err(ResolveError::Expired { at: signed.expires_at() });
        }
        let mut url = Url::parse(signed.expose_secret()).map_err(|_| Blocked::NotAUrl)?;
        for _ in 0..=self.policy.max_redirects {
            self.policy.check(&url, self.rule)?;
            let response = self.client.get(url.clone()).send().await?;
            match location(&response) {
                Some(to) => url = url.join(to).map_err(|_| Blocked::NotAUrl)?,
                None if response.status().is_success() => return Ok(response),
                None => return Err(refusal(signed, response).await),
            }
        }
        Err(Blocked::Redirects.into())
    }
}

fn has_expired(url: &SignedUrl) -> bool {
    url.expires_at().is_some_and(|at| at <= Timestamp::now())
}

/// Where a response redirects to.
fn location(response: &Response) -> Option<&str> {
    let redirects = matches!(response.status().as_u16(), 301..=303 | 307 | 308);
    response.headers().get(LOCATION).filter(|_| redirects)?.to_str().ok()
}

/// What it means that a server does not give what a URL leads to.
async fn refusal(url: &SignedUrl, mut response: Response) -> ResolveError {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    match status {
        400 | 401 | 403 if has_expired(url) || says_expired(&mut response).await => {
            ResolveError::Expired { at: url.expires_at() }
        }
        401 | 403 => ResolveError::Forbidden,
        404 | 410 => ResolveError::Gone,
        _ => ResolveError::Status { status, retry_after },
    }
}

/// Whether the server says that a URL has expired: the clocks may differ, and not every URL tells its time. Amazon's
/// message is `Request has expired`, Google's code `ExpiredToken`.
async fn says_expired(response: &mut Response) -> bool {
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() > ENOUGH {
            break;
        }
    }
    body.make_ascii_lowercase();
    body.windows(EXPIRED.len()).any(|window| window == EXPIRED)
}

const ENOUGH: usize = 4096;
const EXPIRED: &[u8] = b"expired";

/// How long to wait after so many attempts: longer each time, as the server asks, and not all clients at once.
fn pause(attempts: u32, error: &ResolveError) -> Duration {
    let backoff = Duration::from_millis(200) * 2_u32.saturating_pow(attempts.saturating_sub(1).min(6));
    let jittered = backoff.mul_f64(0.5 + fastrand::f64() / 2.0);
    match error {
        ResolveError::Status { retry_after: Some(after), .. } => after.saturating_add(jittered),
        _ => jittered,
    }
}

/// The header `Retry-After`: [seconds or a date](https://www.rfc-editor.org/rfc/rfc9110#field.retry-after).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(Timestamp::now().duration_until(at)).unwrap_or_default())
}
