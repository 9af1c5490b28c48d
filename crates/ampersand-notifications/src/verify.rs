use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use ampersand_types::Timestamp;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use sha2::Sha256;

use crate::Body;

/// How far the time of a signature may be from now, either way: as Standard Webhooks recommends.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// A signing secret. `Debug` does not show it.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// Reads a signing secret: `whsec_` and the key in base64. The prefix is optional.
    ///
    /// # Errors
    ///
    /// When the text after the prefix is empty or not base64, or when there is text before the prefix.
    pub fn new(secret: &str) -> Result<Self, SecretError> {
        let secret = secret.trim();
        let key = secret.trim_start_matches(PREFIX);
        let hmac = BASE64.decode(key).ok().filter(|key| !key.is_empty()).map(|key| Hmac::new_from_slice(&key));
        match hmac {
            Some(Ok(hmac)) => Ok(Self(hmac)),
            _ if key.contains(PREFIX) && key != secret => Err(SecretError::Several),
            _ if key.contains(PREFIX) => Err(SecretError::Prefixed),
            _ => Err(SecretError::NotASecret),
        }
    }

    /// Signs a body as the sender does, and returns the value of the `svix-signature` header. For tests.
    pub fn sign(&self, id: &str, timestamp: jiff::Timestamp, body: &[u8]) -> String {
        let timestamp = timestamp.as_second().to_string();
        let tag = self.mac(id.as_bytes(), timestamp.as_bytes(), body).finalize().into_bytes();
        format!("v1,{}", BASE64.encode(tag))
    }

    fn mac(&self, id: &[u8], timestamp: &[u8], body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [id, b".", timestamp, b".", body] {
            mac.update(part);
        }
        mac
    }
}

/// The prefix of a signing secret.
const PREFIX: &str = "whsec_";

/// Padding is optional: some senders leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a text is not a signing secret. It shows no part of the text.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretError {
    /// The text is not `whsec_` followed by base64.
    NotASecret,
    /// Some text comes before `whsec_`: some tools show a secret as `v1,whsec_…`, or as the value of a variable.
    Prefixed,
    /// The text contains several secrets: pass them one by one to [`Verifier::any_of`].
    Several,
    /// [`Verifier::any_of`] got no secret.
    Missing,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotASecret => {
                "not a signing secret, which is `whsec_` followed by base64: copy it again from the webhook's settings"
            }
            Self::Prefixed => {
                "not a signing secret: something stands before `whsec_`, such as `v1,` or a quotation mark: remove it"
            }
            Self::Several => "several signing secrets in one text: give each on its own",
            Self::Missing => "no signing secret was given: copy it from the webhook's settings",
        })
    }
}

/// Shows the same as `Display`, for a `main` that returns the error.
impl fmt::Debug for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SecretError {}

/// Verifies that a sender with the secret sent a webhook, and sent it recently.
///
/// The scheme is [Standard Webhooks](https://www.standardwebhooks.com), which Ampersand sends through Svix: an
/// HMAC-SHA256 over the id, the time and the raw bytes of the body.
///
/// ```
/// use ampersand_notifications::{Secret, Verifier};
///
/// let secret = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkb2N1bWVudA==";
/// let verifier = Verifier::new(secret)?;
///
/// // What the sender does:
/// let now = jiff::Timestamp::now();
/// let body = br#"{"notificationType": "connection.deleted", "data": {}}"#;
/// let headers = [
///     ("svix-id", "msg_1".to_owned()),
///     ("svix-timestamp", now.as_second().to_string()),
///     ("svix-signature", Secret::new(secret)?.sign("msg_1", now, body)),
/// ];
///
/// let verified = verifier.verify(&headers, body)?;
/// assert_eq!(verified.id, "msg_1");
/// assert!(verifier.verify(&headers, "{}").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    secrets: Vec<Secret>,
    tolerance: SignedDuration,
}

impl Verifier {
    /// Returns a verifier with one secret.
    ///
    /// # Errors
    ///
    /// When the text is not a secret: see [`Secret::new`].
    pub fn new(secret: &str) -> Result<Self, SecretError> {
        Self::any_of([secret])
    }

    /// Returns a verifier with several secrets, any of which may match: those of several endpoints, or the new and the old
    /// one during a rotation. [`Verified::secret`] tells which one matched.
    ///
    /// ```
    /// use ampersand_notifications::Verifier;
    ///
    /// let variable = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkb2N1bWVudA==,whsec_YW5vdGhlciBvbmUgb2YgdGhlIHNhbWU=";
    /// let verifier = Verifier::any_of(variable.split(','))?;
    /// # Ok::<(), ampersand_notifications::SecretError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there are no secrets, or one of the texts is not a secret: see [`Secret::new`].
    pub fn any_of<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, SecretError> {
        let secrets: Vec<Secret> =
            secrets.into_iter().map(|secret| Secret::new(secret.as_ref())).collect::<Result<_, _>>()?;
        if secrets.is_empty() {
            return Err(SecretError::Missing);
        }
        Ok(Self { secrets, tolerance: TOLERANCE })
    }

    /// Accepts another secret too, for a rotation. [`Verified::secret`] tells which one matched.
    ///
    /// # Errors
    ///
    /// When the text is not a secret: see [`Secret::new`].
    pub fn or_secret(mut self, secret: &str) -> Result<Self, SecretError> {
        self.secrets.push(Secret::new(secret)?);
        Ok(self)
    }

    /// Accepts times up to this far from now, either way, instead of [`TOLERANCE`].
    pub fn with_tolerance(self, tolerance: SignedDuration) -> Self {
        Self { tolerance, ..self }
    }

    /// Verifies the raw bytes of a body: call it before anything parses them.
    ///
    /// An owned body (`Vec<u8>`, `String`, or `Bytes` with one owner) is never copied on its way to a
    /// [`Notification`](crate::Notification). A borrowed body is copied once, and is still yours after an error.
    ///
    /// # Errors
    ///
    /// When headers are missing, the time is too far from now, or no signature matches: see [`VerifyError`].
    pub fn verify<'a>(
        &self,
        headers: &'a (impl Headers + ?Sized),
        body: impl Into<Body<'a>>,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_at(headers, body, jiff::Timestamp::now())
    }

    /// Verifies like [`verify`](Self::verify), at a time of your choice: for a stored request, and for tests.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_at<'a>(
        &self,
        headers: &'a (impl Headers + ?Sized),
        body: impl Into<Body<'a>>,
        now: jiff::Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        let Signed { id, timestamp: sent, signature_name } = signed(headers)?;
        let seconds = if sent.iter().all(u8::is_ascii_digit) { std::str::from_utf8(sent).ok() } else { None };
        let timestamp = seconds
            .and_then(|seconds| jiff::Timestamp::from_second(seconds.parse().ok()?).ok())
            .ok_or(VerifyError::NotATime)?;
        let age = timestamp.duration_until(now);
        if age > self.tolerance {
            return Err(VerifyError::TooOld { age });
        }
        if -age > self.tolerance {
            return Err(VerifyError::TooNew { ahead: -age });
        }

        let body = body.into().0;
        let v1 = || v1(headers.values(signature_name));
        let tags: Vec<Vec<u8>> = v1().filter_map(|tag| BASE64.decode(tag).ok()).collect();
        if tags.is_empty() {
            let is_there = v1().next().is_some();
            return Err(if is_there { VerifyError::NotBase64 } else { VerifyError::NoSignature });
        }
        for (secret, key) in self.secrets.iter().enumerate() {
            let mac = key.mac(id.as_bytes(), sent, &body);
            if tags.iter().any(|tag| mac.clone().verify_slice(tag).is_ok()) {
                return Ok(Verified { id, timestamp: timestamp.into(), body, secret });
            }
        }
        Err(VerifyError::WrongSignature)
    }
}

/// The `v1` signatures in all values of the header. Spaces separate them, or commas if a proxy joined several values. A
/// comma also separates a version from its signature, so each part belongs to the version before it.
fn v1<'h>(values: impl Iterator<Item = &'h [u8]>) -> impl Iterator<Item = &'h [u8]> {
    let mut is_v1 = false;
    values.flat_map(|value| value.split(|byte| matches!(byte, b' ' | b','))).filter(move |part| {
        if is_version(part) {
            is_v1 = *part == b"v1";
            return false;
        }
        is_v1
    })
}

/// Whether a part of the header is a version, such as `v1a`. A signature is longer.
fn is_version(part: &[u8]) -> bool {
    matches!(part, [b'v', digit, rest @ ..] if digit.is_ascii_digit() && rest.len() < 3 && rest.is_ascii())
}

/// A verified webhook: its sender has the secret.
#[derive(Clone)]
pub struct Verified<'a> {
    /// The id of the event: every delivery of the event has the same id. Deduplicate by it.
    pub id: &'a str,
    /// When this delivery was signed.
    pub timestamp: Timestamp,
    /// The body, as it came.
    pub body: Cow<'a, [u8]>,
    /// The position of the secret that matched: 0 for that of [`Verifier::new`] or the first of [`Verifier::any_of`].
    pub secret: usize,
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, timestamp, body, secret } = self;
        let body = format_args!("{} bytes", body.len());
        f.debug_struct("Verified")
            .field("id", id)
            .field("timestamp", timestamp)
            .field("body", &body)
            .field("secret", secret)
            .finish()
    }
}

/// Why a webhook does not verify. It shows no header, no secret and no part of a body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// A header is missing, empty or not text.
    MissingHeader(&'static str),
    /// The three headers have different prefixes.
    MixedHeaders,
    /// The time is not a number of seconds since 1970.
    NotATime,
    /// It was signed too long ago: it may be a replay by an eavesdropper.
    TooOld {
        /// The time since it was signed.
        age: SignedDuration,
    },
    /// It was signed in the future: the clock of the sender or of this machine is wrong.
    TooNew {
        /// How far in the future it was signed.
        ahead: SignedDuration,
    },
    /// No signature has the supported version, `v1`.
    NoSignature,
    /// No signature of version `v1` is base64: the header was changed or cut on the way.
    NotBase64,
    /// No signature matches: it was signed with another secret, or the body is not the one that was sent.
    WrongSignature,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |duration: &SignedDuration| SignedDuration::from_secs(duration.as_secs());
        match self {
            Self::MissingHeader(name) => write!(f, "the request has no header `{name}`: was it sent as a webhook?"),
            Self::MixedHeaders => f.write_str("the headers are partly `webhook-…` and partly `svix-…`: one set must be whole"),
            Self::NotATime => f.write_str("the time that was signed is not a count of seconds"),
            Self::TooOld { age } => write!(f, "it was signed {:#} ago: a repeat, or this machine's clock is ahead", whole(age)),
            Self::TooNew { ahead } => write!(f, "it was signed {:#} from now: this machine's clock is behind", whole(ahead)),
            Self::NoSignature => f.write_str("there is no signature of version v1"),
            Self::NotBase64 => f.write_str("the signature of version v1 is not base64: was all of the header kept?"),
            Self::WrongSignature => f.write_str(
                "the signature is wrong: check the secret, and that the body is the bytes that came, not parsed and encoded again",
            ),
        }
    }
}

/// Shows the same as `Display`, for a `main` that returns the error.
impl fmt::Debug for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for VerifyError {}

/// The values of the three headers.
struct Signed<'h> {
    id: &'h str,
    /// The text, because the signature covers that.
    timestamp: &'h [u8],
    /// The name of the header with the signatures, which may have several values.
    signature_name: &'static str,
}

/// Returns the three headers of one prefix; a mix of both is an error. Something on the way may have added a set, so an
/// incomplete one does not count.
fn signed(headers: &(impl Headers + ?Sized)) -> Result<Signed<'_>, VerifyError> {
    const NAMES: [[&str; 3]; 2] =
        [["svix-id", "svix-timestamp", "svix-signature"], ["webhook-id", "webhook-timestamp", "webhook-signature"]];
    let value = |name| headers.values(name).find(|value| !value.is_empty());
    for [id_name, timestamp_name, signature_name] in NAMES {
        if let Some(id) = value(id_name)
            && let Some(timestamp) = value(timestamp_name)
            && value(signature_name).is_some()
        {
            let id = std::str::from_utf8(id).map_err(|_| VerifyError::MissingHeader(id_name))?;
            return Ok(Signed { id, timestamp, signature_name });
        }
    }
    let sets = NAMES.map(|names| names.map(value));
    let [svix, webhook] = sets;
    if svix.iter().zip(&webhook).all(|(a, b)| a.is_some() || b.is_some()) {
        return Err(VerifyError::MixedHeaders);
    }
    let [svix_names, webhook_names] = NAMES;
    let (set, names) = if webhook.iter().any(Option::is_some) { (webhook, webhook_names) } else { (svix, svix_names) };
    let missing = set.iter().zip(names).find(|(value, _)| value.is_none());
    Err(VerifyError::MissingHeader(missing.map_or("svix-id", |(_, name)| name)))
}

/// The headers of a request from any framework: an `http::HeaderMap` (feature `http`), pairs of names and values, or a
/// map.
pub trait Headers {
    /// Returns all values of a header, in the order they came. The name ignores ASCII case.
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]>;
}

impl<T: Headers + ?Sized> Headers for &T {
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        (**self).values(name)
    }
}

#[cfg(feature = "http")]
impl Headers for http::HeaderMap {
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.get_all(name).into_iter().map(http::HeaderValue::as_bytes)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        named(self.iter().map(|(known, value)| (known, value)), name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self[..].values(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self[..].values(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, S> Headers for HashMap<N, V, S> {
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        named(self, name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for BTreeMap<N, V> {
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        named(self, name)
    }
}

fn named<'h, N: AsRef<str> + 'h, V: AsRef<[u8]> + 'h>(
    headers: impl IntoIterator<Item = (&'h N, &'h V)>,
    name: &str,
) -> impl Iterator<Item = &'h [u8]> {
    let headers = headers.into_iter().filter(move |(known, _)| known.as_ref().eq_ignore_ascii_case(name));
    headers.map(|(_, value)| value.as_ref())
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn a_header_map_is_headers() {
        let mut headers = http::HeaderMap::new();
        headers.append("Svix-Signature", http::HeaderValue::from_static("v1"));
        headers.append("svix-signature", http::HeaderValue::from_static("AAAA"));
        assert_eq!(Headers::values(&headers, "svix-signature").collect::<Vec<_>>(), [b"v1", &b"AAAA"[..]]);
        assert_eq!(Headers::values(&headers, "webhook-id").next(), None);
    }
}
