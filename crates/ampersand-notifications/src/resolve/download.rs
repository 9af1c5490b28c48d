use std::io::Write as _;
use std::mem;
use std::time::Duration;

use ampersand_types::SignedUrl;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use jiff::Timestamp;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use super::error::failed;
use super::{Blocked, ResolveError, Resolver};

impl Resolver {
    /// Downloads the content of a URL, of any size, to a writer. Returns the number of bytes.
    ///
    /// It keeps only one piece in memory, and [`Policy::max_bytes`](crate::Policy::max_bytes) does not apply: the writer
    /// may set a limit. [`Policy::timeout`](crate::Policy::timeout) and retries cover the time until the server begins to
    /// respond. After that, only [`Policy::idle_timeout`](crate::Policy::idle_timeout) applies. If the transfer breaks off,
    /// call this again with an empty writer.
    ///
    /// # Errors
    ///
    /// As [`config`](Self::config), except that it does not check for JSON; and when the writer fails.
    pub async fn download<W: AsyncWrite + Unpin>(&self, url: &SignedUrl, writer: &mut W) -> Result<u64, ResolveError> {
        let mut body = self.retry(|| self.open(url)).await?;
        let mut written = 0;
        while let Some(piece) = body.next().await? {
            writer.write_all(&piece).await.map_err(ResolveError::Write)?;
            written += piece.len() as u64;
        }
        writer.flush().await.map_err(ResolveError::Write)?;
        Ok(written)
    }

    /// Downloads the content of a URL into memory.
    pub(super) async fn get(&self, url: &SignedUrl) -> Result<Vec<u8>, ResolveError> {
        let limit = self.policy.max_bytes;
        let too_large = || ResolveError::TooLarge { limit };
        self.retry(|| async {
            let mut body = self.open(url).await?;
            let announced = usize::try_from(body.announced()).unwrap_or(usize::MAX);
            if announced > limit {
                return Err(too_large());
            }
            let mut taken = Vec::new();
            taken.try_reserve_exact(announced).map_err(|_| too_large())?;
            while let Some(piece) = body.next().await? {
                if piece.len() > limit - taken.len() {
                    return Err(too_large());
                }
                taken.extend_from_slice(&piece);
            }
            Ok(taken)
        })
        .await
    }

    /// Retries transient errors until the timeout or the last attempt.
    async fn retry<T, F: Future<Output = Result<T, ResolveError>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<T, ResolveError> {
        let start = Instant::now();
        let left = || self.policy.timeout.saturating_sub(start.elapsed());
        let mut attempts = 1;
        loop {
            let download = attempt();
            #[cfg(feature = "tracing")]
            let download =
                tracing::Instrument::instrument(download, tracing::debug_span!("download", attempt = attempts));
            let result = timeout(left(), download).await.unwrap_or(Err(ResolveError::TimedOut));
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let wait = pause(attempts, &error);
            let again = error.is_transient() && attempts < self.policy.max_attempts && wait < left();
            #[cfg(feature = "tracing")]
            tracing::warn!(attempt = attempts, reason = %error, again_in = ?again.then_some(wait), "a download failed");
            if !again {
                return Err(error);
            }
            sleep(wait).await;
            attempts += 1;
        }
    }

    /// Requests a URL and follows its redirects to a successful response, whose body is still unread.
    async fn open(&self, signed: &SignedUrl) -> Result<Body, ResolveError> {
        if has_expired(signed) {
            return Err(ResolveError::Expired { at: signed.expires_at() });
        }
        let mut url = Url::parse(signed.expose_secret()).map_err(|_| Blocked::NotAUrl)?;
        for _ in 0..=self.policy.max_redirects {
            self.policy.check(&url, self.rule)?;
            let response = self.client.get(url.clone()).send().await.map_err(failed)?;
            match location(&response) {
                Some(to) => url = url.join(to).map_err(|_| Blocked::NotAUrl)?,
                None if response.status() == StatusCode::OK => return Body::new(response),
                None => return Err(refusal(signed, response).await),
            }
        }
        Err(Blocked::Redirects.into())
    }
}

/// The body of a response, decompressed.
struct Body {
    response: Response,
    gzip: Option<MultiGzDecoder<Vec<u8>>>,
    /// Bytes that are received and not decompressed yet.
    pending: Bytes,
}

/// The compression that the request accepts.
const GZIP: [&[u8]; 2] = [b"gzip", b"x-gzip"];

/// The [compressions](https://www.iana.org/assignments/http-parameters#content-coding) that it does not accept. Object
/// stores and proxies also send other tokens, such as `aws-chunked`, a charset or nothing: these compress nothing.
const UNREAD: [&[u8]; 9] =
    [b"br", b"compress", b"dcb", b"dcz", b"deflate", b"exi", b"pack200-gzip", b"x-compress", b"zstd"];

/// The bytes to decompress at a time. They become at most about a thousand times as many.
const STEP: usize = 8 << 10;

impl Body {
    fn new(response: Response) -> Result<Self, ResolveError> {
        let values = response.headers().get_all(CONTENT_ENCODING).iter().map(HeaderValue::as_bytes);
        let tokens = values.flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
        let is_any = |names: &[&[u8]], token: &[u8]| names.iter().any(|name| name.eq_ignore_ascii_case(token));
        let mut gzip = None;
        for token in tokens {
            if is_any(&UNREAD, token) || gzip.is_some() && is_any(&GZIP, token) {
                return Err(ResolveError::Encoding);
            }
            if is_any(&GZIP, token) {
                gzip = Some(MultiGzDecoder::new(Vec::new()));
            }
        }
        Ok(Self { response, gzip, pending: Bytes::new() })
    }

    /// The announced number of bytes; 0 if it is unknown.
    fn announced(&self) -> u64 {
        self.response.content_length().filter(|_| self.gzip.is_none()).unwrap_or(0)
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ResolveError> {
        let broken = ResolveError::Corrupt;
        loop {
            if self.pending.is_empty() {
                match self.response.chunk().await.map_err(failed)? {
                    Some(piece) => self.pending = piece,
                    None => {
                        return self.gzip.take().map(|gzip| gzip.finish().map(Bytes::from)).transpose().map_err(broken);
                    }
                }
            }
            let Some(gzip) = &mut self.gzip else { return Ok(Some(mem::take(&mut self.pending))) };
            gzip.write_all(&self.pending.split_to(STEP.min(self.pending.len()))).map_err(broken)?;
            if !gzip.get_ref().is_empty() {
                return Ok(Some(mem::take(gzip.get_mut()).into()));
            }
        }
    }
}

fn has_expired(url: &SignedUrl) -> bool {
    url.expires_at().is_some_and(|at| at <= Timestamp::now())
}

/// The target of a redirect.
fn location(response: &Response) -> Option<&str> {
    let redirects = matches!(response.status().as_u16(), 301..=303 | 307 | 308);
    response.headers().get(LOCATION).filter(|_| redirects)?.to_str().ok()
}

/// Converts a response without content to an error.
async fn refusal(url: &SignedUrl, mut response: Response) -> ResolveError {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    match status {
        400 | 401 | 403 if has_expired(url) => ResolveError::Expired { at: url.expires_at() },
        400 | 401 | 403 if says_expired(&mut response).await => ResolveError::Expired { at: None },
        401 | 403 => ResolveError::Forbidden { expires_at: url.expires_at() },
        404 | 410 => ResolveError::Gone,
        _ => ResolveError::Status { status, retry_after },
    }
}

/// Whether the server says that a URL has expired: the clocks may differ, and some URLs do not contain their time.
/// Amazon has a message for it, and Amazon and Google both have a code. The word alone may be part of a name.
async fn says_expired(response: &mut Response) -> bool {
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() > ENOUGH {
            break;
        }
    }
    body.make_ascii_lowercase();
    EXPIRED.iter().any(|text| body.windows(text.len()).any(|window| window == *text))
}

const ENOUGH: usize = 4096;
const EXPIRED: [&[u8]; 2] = [b"<message>request has expired", b"<code>expiredtoken"];

/// The pause after a number of attempts. It grows each time, includes the server's `Retry-After`, and has jitter.
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
