use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

/// How far a signature's time may be from now, either way: what Standard Webhooks recommends.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What signatures are made with and checked against. `Debug` does not show it.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// Reads a signing secret: `whsec_` and the key in base64. The prefix may be left out.
    ///
    /// # Errors
    ///
    /// When what follows the prefix is not base64, or is empty.
    pub fn new(secret: &str) -> Result<Self, SecretError> {
        let key = secret.trim().trim_start_matches("whsec_");
        match BASE64.decode(key) {
            Ok(key) if !key.is_empty() => Hmac::new_from_slice(&key).map(Self).map_err(|_| SecretError),
            _ => Err(SecretError),
        }
    }

    /// Signs a body as the sender does, and returns the value of the `svix-signature` header. For tests.
    pub fn sign(&self, id: &str, timestamp: Timestamp, body: &[u8]) -> String {
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

/// Some senders leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A text that is not a signing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretError;

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a signing secret, which is `whsec_` followed by base64: copy it again from the webhook's settings",
        )
    }
}

impl std::error::Error for SecretError {}

/// Checks that a webhook was sent by who holds the secret, and lately.
///
/// The scheme is [Standard Webhooks](https://www.standardwebhooks.com), which Ampersand sends by way of Svix: an
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
/// let verified = verifier.verify(&headers[..], body)?;
/// assert_eq!(verified.id, "msg_1");
/// assert!(verifier.verify(&headers[..], b"{}").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    secrets: Vec<Secret>,
    tolerance: SignedDuration,
}

impl Verifier {
    /// A verifier with one secret.
    ///
    /// # Errors
    ///
    /// When it is not a secret: see [`Secret::new`].
    pub fn new(secret: &str) -> Result<Self, SecretError> {
        Ok(Self { secrets: vec![Secret::new(secret)?], tolerance: TOLERANCE })
    }

    /// Accepts another secret too, as is needed while one is being replaced. [`Verified::secret`] says which it was.
    ///
    /// # Errors
    ///
    /// When it is not a secret: see [`Secret::new`].
    pub fn or_secret(mut self, secret: &str) -> Result<Self, SecretError> {
        self.secrets.push(Secret::new(secret)?);
        Ok(self)
    }

    /// Accepts times that are this far from now, either way, in place of [`TOLERANCE`].
    pub fn with_tolerance(self, tolerance: SignedDuration) -> Self {
        Self { tolerance, ..self }
    }

    /// Verifies the bytes of a body, as they came: before anything parses them.
    ///
    /// A body that is handed over as a `Vec` is never copied on its way to a [`Notification`](crate::Notification); one
    /// that is lent is copied once, and is still yours when it is refused.
    ///
    /// # Errors
    ///
    /// When headers are missing, the time is not now, or no signature is right: see [`VerifyError`].
    pub fn verify<'a>(
        &self,
        headers: &'a (impl Headers + ?Sized),
        body: impl Into<Cow<'a, [u8]>>,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_at(headers, body, Timestamp::now())
    }

    /// As [`verify`](Self::verify), at a time of your choice.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_at<'a>(
        &self,
        headers: &'a (impl Headers + ?Sized),
        body: impl Into<Cow<'a, [u8]>>,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        let Signed { id, timestamp: sent, signatures } = signed(headers)?;
        let seconds = if sent.iter().all(u8::is_ascii_digit) { std::str::from_utf8(sent).ok() } else { None };
        let timestamp = seconds
            .and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok())
            .ok_or(VerifyError::NotATime)?;
        let age = timestamp.duration_until(now);
        if age > self.tolerance {
            return Err(VerifyError::TooOld { age });
        }
        if -age > self.tolerance {
            return Err(VerifyError::TooNew { ahead: -age });
        }

        let body = body.into();
        let v1 = || signatures.split(|byte| *byte == b' ').filter_map(|signature| signature.strip_prefix(b"v1,"));
        let tags: Vec<Vec<u8>> = v1().filter_map(|tag| BASE64.decode(tag).ok()).collect();
        if tags.is_empty() {
            let is_there = v1().next().is_some();
            return Err(if is_there { VerifyError::NotBase64 } else { VerifyError::NoSignature });
        }
        for (secret, key) in self.secrets.iter().enumerate() {
            let mac = key.mac(id.as_bytes(), sent, &body);
            if tags.iter().any(|tag| mac.clone().verify_slice(tag).is_ok()) {
                return Ok(Verified { id, timestamp, body, secret });
            }
        }
        Err(VerifyError::WrongSignature)
    }
}

/// A webhook that was sent by who holds the secret.
#[derive(Clone)]
pub struct Verified<'a> {
    /// Identifies the event: it is the same in every delivery, and the key to drop repeats by.
    pub id: &'a str,
    /// When this delivery was signed.
    pub timestamp: Timestamp,
    /// The body, as it came.
    pub body: Cow<'a, [u8]>,
    /// The secret that matched: 0 for that of [`Verifier::new`], 1 for the first [`Verifier::or_secret`].
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

/// Why a webhook is not verified. It shows no header, no secret and no part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// A header is not there, or is empty, or its value is not text.
    MissingHeader(&'static str),
    /// The three headers are there, some with one prefix and some with the other.
    MixedHeaders,
    /// The time is not a count of seconds since 1970.
    NotATime,
    /// It was signed too long ago: it may be a repeat by someone who listened.
    TooOld {
        /// How long ago.
        age: SignedDuration,
    },
    /// It was signed in the future: a clock is wrong, here or there.
    TooNew {
        /// How far in the future.
        ahead: SignedDuration,
    },
    /// No signature is of a version that is understood, which is `v1`.
    NoSignature,
    /// No signature of version `v1` is base64: the header was changed on the way, or is not whole.
    NotBase64,
    /// No signature is right: it was signed with another secret, or the body is not what was sent.
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

impl std::error::Error for VerifyError {}

/// What the three headers say.
struct Signed<'a> {
    id: &'a str,
    /// As text, which is what was signed.
    timestamp: &'a [u8],
    signatures: &'a [u8],
}

/// Takes the three headers of one prefix. A mixture is none: one of the two sets may have been added on the way.
fn signed(headers: &(impl Headers + ?Sized)) -> Result<Signed<'_>, VerifyError> {
    const NAMES: [[&str; 3]; 2] =
        [["svix-id", "svix-timestamp", "svix-signature"], ["webhook-id", "webhook-timestamp", "webhook-signature"]];
    let sets = NAMES.map(|names| names.map(|name| headers.get(name).filter(|value| !value.is_empty())));
    for (set, [id_name, ..]) in sets.iter().zip(NAMES) {
        if let [Some(id), Some(timestamp), Some(signatures)] = *set {
            let id = std::str::from_utf8(id).map_err(|_| VerifyError::MissingHeader(id_name))?;
            return Ok(Signed { id, timestamp, signatures });
        }
    }
    let [svix, webhook] = sets;
    if svix.iter().zip(&webhook).all(|(a, b)| a.is_some() || b.is_some()) {
        return Err(VerifyError::MixedHeaders);
    }
    let [svix_names, webhook_names] = NAMES;
    let (set, names) = if webhook.iter().any(Option::is_some) { (webhook, webhook_names) } else { (svix, svix_names) };
    let missing = set.iter().zip(names).find(|(value, _)| value.is_none());
    Err(VerifyError::MissingHeader(missing.map_or("svix-id", |(_, name)| name)))
}

/// The headers of a request, of whichever framework.
pub trait Headers {
    /// The first value of a header, whose name is compared ignoring ASCII case.
    fn get(&self, name: &str) -> Option<&[u8]>;
}

#[cfg(feature = "http")]
impl Headers for http::HeaderMap {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.get(name).map(http::HeaderValue::as_bytes)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn get(&self, name: &str) -> Option<&[u8]> {
        first(self.iter().map(|(known, value)| (known, value)), name)
    }
}

impl<V: AsRef<[u8]>> Headers for HashMap<String, V> {
    fn get(&self, name: &str) -> Option<&[u8]> {
        first(self, name)
    }
}

impl<V: AsRef<[u8]>> Headers for BTreeMap<String, V> {
    fn get(&self, name: &str) -> Option<&[u8]> {
        first(self, name)
    }
}

fn first<'a, N: AsRef<str> + 'a, V: AsRef<[u8]> + 'a>(
    headers: impl IntoIterator<Item = (&'a N, &'a V)>,
    name: &str,
) -> Option<&'a [u8]> {
    let mut headers = headers.into_iter();
    headers.find_map(|(known, value)| known.as_ref().eq_ignore_ascii_case(name).then(|| value.as_ref()))
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn a_header_map_is_headers() {
        let mut headers = http::HeaderMap::new();
        headers.insert("Svix-Id", http::HeaderValue::from_static("msg_1"));
        assert_eq!(Headers::get(&headers, "svix-id"), Some(&b"msg_1"[..]));
        assert_eq!(Headers::get(&headers, "webhook-id"), None);
    }
}
