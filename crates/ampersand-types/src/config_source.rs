use crate::{RawJson, SignedUrl};

/// Where the configuration of a notification is.
///
/// A configuration that is too large to send is replaced by a signed URL. What remains in its own place is `{}`,
/// `null` or nothing; this is the one reading of all these forms. It is what `config_source()` gives on the data of
/// every event that carries a configuration, and `last_config_source()` for the one before an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource<'a> {
    /// The notification holds it. Also when there is a URL as well, and when it is `{}` and there is no URL.
    Inline(&'a RawJson),
    /// It has to be downloaded: a GET answers it as JSON.
    Url(&'a SignedUrl),
    /// Neither was sent.
    Missing,
}

impl<'a> ConfigSource<'a> {
    /// Chooses between the two fields of a notification.
    pub fn new(inline: Option<&'a RawJson>, url: Option<&'a SignedUrl>) -> Self {
        let url = url.filter(|url| !url.expose_secret().is_empty());
        match (inline, url) {
            (Some(inline), _) if !inline.is_blank() => Self::Inline(inline),
            (_, Some(url)) => Self::Url(url),
            (Some(inline), None) if !inline.is_null() => Self::Inline(inline),
            _ => Self::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_when_filled_else_url_else_what_is_there() {
        let raw = |text| RawJson::new(text).expect(text);
        let (filled, empty, null) = (raw(r#"{"provider":"hubspot"}"#), raw("{ }"), raw("null"));
        let (url, blank) = (SignedUrl::from("https://host/config"), SignedUrl::from(""));

        for (inline, link, expected) in [
            (Some(&filled), None, ConfigSource::Inline(&filled)),
            (Some(&filled), Some(&url), ConfigSource::Inline(&filled)),
            (Some(&empty), Some(&url), ConfigSource::Url(&url)),
            (Some(&null), Some(&url), ConfigSource::Url(&url)),
            (None, Some(&url), ConfigSource::Url(&url)),
            (Some(&empty), None, ConfigSource::Inline(&empty)),
            (Some(&empty), Some(&blank), ConfigSource::Inline(&empty)),
            (Some(&null), None, ConfigSource::Missing),
            (None, Some(&blank), ConfigSource::Missing),
            (None, None, ConfigSource::Missing),
        ] {
            assert_eq!(ConfigSource::new(inline, link), expected);
        }
    }
}
