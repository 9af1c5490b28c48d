use crate::{RawJson, SignedUrl};

/// The place of a notification's configuration: in the notification, or behind a signed URL.
///
/// If a configuration is too large to send, Ampersand sends a signed URL. The configuration's own field is then `{}`,
/// `null` or absent; this type handles all these forms. `config_source()` returns it for every event that carries a
/// configuration, and `last_config_source()` for the configuration before an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource<'a> {
    /// The notification holds the configuration. A URL may be sent as well. Without a URL, `{}` is also inline.
    Inline(&'a RawJson),
    /// The configuration has to be downloaded: a GET request returns it as JSON.
    Url(&'a SignedUrl),
    /// Neither the configuration nor a URL was sent.
    Missing,
}

impl<'a> ConfigSource<'a> {
    /// Chooses between the configuration and the URL of a notification.
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
