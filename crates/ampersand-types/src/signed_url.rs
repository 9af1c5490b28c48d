use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::{Timestamp, ToSpan, civil::DateTime, tz::Offset};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A URL that grants access by itself: anyone who has it can read the customer's configuration.
///
/// `Debug` and `Display` show the scheme, the host and the path, and `…` instead of the rest. They also show `…` for a
/// host that clients rewrite, such as `0x7f.1`. Only [`expose_secret`](Self::expose_secret) and `Serialize` give the
/// whole URL. Decoding accepts every text: an invalid URL fails when it is fetched.
///
/// ```
/// use ampersand_types::SignedUrl;
///
/// let url = SignedUrl::from(
///     "https://storage.googleapis.com/bucket/config.json\
///      ?X-Goog-Date=20260819T170310Z&X-Goog-Expires=900&X-Goog-Signature=c0ffee",
/// );
/// assert_eq!(url.to_string(), "https://storage.googleapis.com/bucket/config.json?…");
/// assert_eq!(url.expires_at(), Some("2026-08-19T17:18:10Z".parse()?));
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SignedUrl(String);

impl SignedUrl {
    /// Returns the whole URL, including the signature. Keep it out of logs and error messages.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// Returns the time at which the signature expires, if the URL states it.
    ///
    /// It understands Google Cloud Storage V4 and V2, Amazon S3 V4 and V2, and CloudFront with a canned policy. It
    /// returns `None` for other URLs and for unreadable times: those URLs may or may not have expired.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let v4 = [("X-Goog-Date", "X-Goog-Expires"), ("X-Amz-Date", "X-Amz-Expires")];
        for (made, lasts) in v4 {
            if let Some(made) = self.parameter(made) {
                let made = DateTime::strptime("%Y%m%dT%H%M%SZ", made).ok()?;
                let made = Offset::UTC.to_timestamp(made).ok()?;
                return made.checked_add(self.seconds(lasts)?.seconds()).ok();
            }
        }
        Timestamp::from_second(self.seconds("Expires")?).ok()
    }

    /// Returns a parameter that counts seconds, or `None` if a time span cannot hold it.
    fn seconds(&self, name: &str) -> Option<i64> {
        let digits = self.parameter(name).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok().filter(|seconds| *seconds <= MOST)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let (url, _fragment) = self.0.split_once('#').unwrap_or((&self.0, ""));
        let (_, query) = url.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }
}

/// The last second of the year 9999, which is the latest supported time.
const MOST: i64 = 253_402_300_799;

impl Serialize for SignedUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SignedUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl From<String> for SignedUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl From<&String> for SignedUrl {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl From<&str> for SignedUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl fmt::Display for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_scheme = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        };
        let printable = !self.0.contains(char::is_control);
        let Some((scheme, rest)) = self.0.split_once("://").filter(|(scheme, _)| printable && is_scheme(scheme)) else {
            return f.write_str("…"); // Not a URL, so no part of it is known to be harmless.
        };
        // URL parsers skip slashes before the host.
        let rest = rest.trim_start_matches(['/', '\\']);
        let place = rest.find(['?', '#']).map_or(rest, |end| &rest[..end]);
        let secret = &rest[place.len()..];
        // URL parsers treat a backslash as a slash.
        let (authority, path) = place.split_at(place.find(['/', '\\']).unwrap_or(place.len()));
        let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(_user, host)| ("…@", host));
        let host = if is_as_asked(host) { host } else { "…" };
        write!(f, "{scheme}://{user}{host}{path}")?;
        match secret.chars().next() {
            Some(mark) => write!(f, "{mark}…"),
            None => Ok(()),
        }
    }
}

/// Returns whether clients use a host, with or without a port, exactly as it is written. They rewrite hosts that have
/// escapes, letters other than ASCII, or a number instead of an address.
fn is_as_asked(host: &str) -> bool {
    let (name, port) = match host.rfind(':') {
        Some(colon) if !host.ends_with(']') => host.split_at(colon),
        _ => (host, ""),
    };
    let is_port = port.bytes().skip(1).all(|byte| byte.is_ascii_digit());
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_host = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !last.is_empty() && is_name && (!is_number(last) || name.parse::<Ipv4Addr>().is_ok()),
    };
    is_port && is_host
}

/// Returns whether the last part of a host makes it an address, by the [URL
/// standard](https://url.spec.whatwg.org/#ends-in-a-number-checker).
fn is_number(part: &str) -> bool {
    let hex = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X"));
    part.bytes().all(|byte| byte.is_ascii_digit())
        || hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_of_every_kind_of_signature() {
        let cases = [
            (
                "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Date=20260819T170310Z&X-Goog-Expires=900",
                Some("2026-08-19T17:18:10Z"),
            ),
            ("GoogleAccessId=a@b&Expires=1787159890&Signature=x", Some("2026-08-19T17:18:10Z")),
            ("X-Amz-Date=20261231T235959Z&X-Amz-Expires=604800&X-Amz-Signature=x", Some("2027-01-07T23:59:59Z")),
            ("x-amz-expires=1&x-amz-date=20260101T000000Z", Some("2026-01-01T00:00:01Z")),
            ("AWSAccessKeyId=a&Signature=x&Expires=1787159890", Some("2026-08-19T17:18:10Z")),
            ("Expires=1787159890&Signature=x&Key-Pair-Id=K#Expires=1", Some("2026-08-19T17:18:10Z")),
            ("", None),
            ("Expires=", None),
            ("Expires=soon", None),
            ("Expires=+5", None),
            ("X-Amz-Date=20260819T170310Z&X-Amz-Expires=soon&Expires=5", None),
            ("Expires=99999999999999999999", None),
            ("Expires=9223372036854775807", None),
            ("X-Goog-Date=20260819T170310Z", None),
            ("X-Goog-Date=20261319T170310Z&X-Goog-Expires=900", None),
            ("X-Amz-Date=20260819T170310Z&X-Amz-Expires=-5", None),
            ("X-Amz-Date=99991230T220000Z&X-Amz-Expires=4294967295", None),
            ("Policy=eyJTdGF0ZW1lbnQi", None),
        ];
        for (query, expected) in cases {
            let url = SignedUrl::from(format!("https://host/path?{query}"));
            let expected = expected.map(|e| e.parse::<Timestamp>().expect(e));
            assert_eq!(url.expires_at(), expected, "{query}");
        }
        assert_eq!(SignedUrl::from("").expires_at(), None);
        assert_eq!(SignedUrl::from("Expires=5").expires_at(), None);
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        let cases = [
            ("https://host/a/b?X=SECRET", "https://host/a/b?…"),
            ("https://host/a/b?", "https://host/a/b?…"),
            ("https://host/a/b", "https://host/a/b"),
            ("https://host?SECRET/x@y", "https://host?…"),
            ("https://user:SECRET@host:8443/a@b?SECRET", "https://…@host:8443/a@b?…"),
            ("https://host/a#SECRET?x", "https://host/a#…"),
            ("https:///user:SECRET@host/a?x", "https://…@host/a?…"),
            ("https://\\/user:SECRET@host/a?x", "https://…@host/a?…"),
            ("host/a?SECRET", "…"),
            ("", "…"),
            ("host/a?X=SECRET&next=https://x/y", "…"),
            ("https://host/a\nb?SECRET", "…"),
            ("https://host\\@other/a?SECRET", "https://host\\@other/a?…"),
            ("https://h%6Fst/a", "https://…/a"),
            ("https://hөst/a", "https://…/a"),
            ("https://0x7f.1/a", "https://…/a"),
            ("https://2130706433:80/a", "https://…/a"),
            ("https://127.0.0.1:80/a", "https://127.0.0.1:80/a"),
            ("https://[::1]:80/a", "https://[::1]:80/a"),
            ("https://[::1", "https://…"),
            ("https://1a.2b:x/a", "https://…/a"),
            ("https://1a.2b:1/a", "https://1a.2b:1/a"),
        ];
        for (url, shown) in cases {
            let url = SignedUrl::from(url);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("SignedUrl({shown})"));
        }
    }
}
