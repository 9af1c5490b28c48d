//! Downloads content that was too large to send.

mod complete;
mod download;
mod error;
mod policy;
mod tls;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use ampersand_types::config::ConfigContent;
use ampersand_types::messages::ResultEntry;
use ampersand_types::notifications::InstallationUpdatedData;
use ampersand_types::{ConfigChange, ConfigSource, RawJson, SignedUrl};
use reqwest::dns::Resolve;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};

use crate::Records;
use policy::{Guard, Rule, System};
use tls::tls;

pub use error::ResolveError;
pub use policy::{Blocked, Policy};

/// Gets configurations and records, as sent or downloaded from their signed URLs.
///
/// It needs a [Tokio](https://docs.rs/tokio) runtime with I/O and time enabled, and panics without one.
///
/// Make one and keep it: clones share its connections. URLs come from outside, so it requests them only within a
/// [`Policy`], without cookies, credentials or a proxy.
///
/// ```no_run
/// # async fn on_update(data: &ampersand_types::notifications::InstallationUpdatedData)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// use ampersand_notifications::{Policy, Resolver};
/// use ampersand_types::config::ConfigContent;
///
/// let resolver = Resolver::new(Policy::default())?; // once
/// let config: ConfigContent = resolver.config(data).await?.parse()?;
/// println!("{} uses {:?}", data.group_ref, config.provider);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Resolver {
    client: reqwest::Client,
    policy: Arc<Policy>,
    rule: Rule,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Resolver {
    /// Returns a resolver with a policy.
    ///
    /// # Errors
    ///
    /// [`ResolveError::Tls`], when the system has no trusted root certificates, or rustls has no cryptography provider.
    pub fn new(policy: Policy) -> Result<Self, ResolveError> {
        let rule = policy.rule();
        Self::build(policy, rule, System)
    }

    fn build(policy: Policy, rule: Rule, lookup: impl Resolve + 'static) -> Result<Self, ResolveError> {
        let client = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]))
            .tls_backend_preconfigured(tls().map_err(ResolveError::Tls)?)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Guard { lookup, rule })
            // A proxy would be the peer of the connection, and would look up names itself.
            .no_proxy()
            // Another crate may turn on features of reqwest that decompress: that is done here, within limits.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(policy.connect_timeout.min(A_YEAR))
            .read_timeout(policy.idle_timeout.min(A_YEAR))
            .build()
            .map_err(|error| ResolveError::Tls(error.into()))?;
        Ok(Self { client, policy: Arc::new(policy), rule })
    }

    /// Returns the configuration of an event, from its data or any [`ConfigSource`]. It borrows a configuration that was
    /// sent, without a request.
    ///
    /// # Errors
    ///
    /// [`ResolveError`]: it was not sent, its URL has expired or is refused, the policy forbids the URL, the server cannot
    /// be reached, or the content is not JSON.
    pub async fn config<'a>(&self, data: impl Into<ConfigSource<'a>>) -> Result<Cow<'a, RawJson>, ResolveError> {
        match data.into() {
            ConfigSource::Inline(config) => Ok(Cow::Borrowed(config)),
            ConfigSource::Url(url) => Ok(Cow::Owned(self.json(url).await?)),
            ConfigSource::Missing => Err(ResolveError::Missing),
        }
    }

    /// Returns the configuration of an event or, if that is [lost](ResolveError::is_lost), the current one from `current`.
    /// `ampersand-client` can get it from the REST API. The result tells which of the two it is.
    ///
    /// ```no_run
    /// # async fn on_update(data: &ampersand_types::notifications::InstallationUpdatedData)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// # use ampersand_types::{JsonError, RawJson};
    /// # async fn from_the_api(_: &str) -> Result<RawJson, JsonError> { RawJson::new("{}") }
    /// # let resolver = ampersand_notifications::Resolver::new(Default::default())?;
    /// let config = resolver.config_or_current(data, || from_the_api(&data.installation_id)).await?;
    /// if config.is_current() {
    ///     println!("{} may have changed since", data.group_ref);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`config`](Self::config); and [`ResolveError::NoCurrent`] when `current` fails.
    pub async fn config_or_current<'a, F, E>(
        &self,
        data: impl Into<ConfigSource<'a>>,
        current: impl FnOnce() -> F,
    ) -> Result<Config<'a>, ResolveError>
    where
        F: Future<Output = Result<RawJson, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        match self.config(data).await {
            Ok(config) => Ok(Config::OfEvent(config)),
            Err(lost) if lost.is_lost() => match current().await {
                Ok(config) => Ok(Config::Current(config)),
                Err(error) => Err(ResolveError::NoCurrent { lost: Box::new(lost), source: error.into() }),
            },
            Err(error) => Err(error),
        }
    }

    /// Returns the configuration before an update.
    ///
    /// # Errors
    ///
    /// As [`config`](Self::config).
    pub async fn last_config<'a>(&self, data: &'a InstallationUpdatedData) -> Result<Cow<'a, RawJson>, ResolveError> {
        self.config(data.last_config_source()).await
    }

    /// Returns the configurations after and before an update. It downloads both at the same time, if needed.
    ///
    /// Each has its own result, as either may be missing. For their errors see [`config`](Self::config).
    pub async fn configs<'a>(
        &self,
        data: &'a InstallationUpdatedData,
    ) -> (Result<Cow<'a, RawJson>, ResolveError>, Result<Cow<'a, RawJson>, ResolveError>) {
        futures_util::future::join(self.config(data), self.last_config(data)).await
    }

    /// Returns the changes that an update made to the configuration: [resolves](Self::configs) both sides at the same time,
    /// parses them and [compares](ConfigContent::changes_since) them.
    ///
    /// ```no_run
    /// # async fn on_update(data: &ampersand_types::notifications::InstallationUpdatedData)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// # let resolver = ampersand_notifications::Resolver::new(Default::default())?;
    /// use ampersand_types::ConfigChange;
    ///
    /// for change in resolver.changes(data).await? {
    ///     match &change {
    ///         ConfigChange::FieldSelected { object, field, .. } => println!("read {field} of all {object} again"),
    ///         other => println!("{}: {other}", data.group_ref),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`config`](Self::config), and [`ResolveError::NotJson`] when a value is not a configuration.
    /// [`ResolveError::LastConfig`] holds an error of the configuration before the update. If both sides fail, it returns
    /// the error of the configuration after the update.
    pub async fn changes(&self, data: &InstallationUpdatedData) -> Result<Vec<ConfigChange>, ResolveError> {
        let (after, before) = self.configs(data).await;
        let after: ConfigContent = after?.parse()?;
        let before = before.and_then(|before| Ok(before.parse::<ConfigContent>()?));
        Ok(after.changes_since(&before.map_err(|error| ResolveError::LastConfig(Box::new(error)))?))
    }

    /// Returns the records of a message. It borrows records that were sent, without a request.
    ///
    /// Otherwise their URL expires 15 minutes after the message was made.
    ///
    /// # Errors
    ///
    /// As [`config`](Self::config); and when the content is not an array of records.
    pub async fn records<'a>(&self, records: &'a Records) -> Result<Cow<'a, [ResultEntry]>, ResolveError> {
        match complete::url_of(records) {
            Some(url) => Ok(Cow::Owned(self.json(url).await?.parse()?)),
            None if records.message.result.is_empty() && complete::is_at_url(records) => Err(ResolveError::Missing),
            None => Ok(Cow::Borrowed(&records.message.result)),
        }
    }

    async fn json(&self, url: &SignedUrl) -> Result<RawJson, ResolveError> {
        let mut json = self.get(url).await?;
        if json.starts_with(BYTE_ORDER_MARK) {
            json.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(RawJson::from_bytes(json)?)
    }
}

/// A configuration, and its time. It dereferences to the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Config<'a> {
    /// The configuration when the event happened.
    OfEvent(Cow<'a, RawJson>),
    /// The configuration when it was requested, which is later: it may have changed since the event.
    Current(RawJson),
}

impl Config<'_> {
    /// Whether it may have changed since the event.
    pub fn is_current(&self) -> bool {
        matches!(self, Self::Current(_))
    }
}

impl Deref for Config<'_> {
    type Target = RawJson;

    fn deref(&self) -> &RawJson {
        match self {
            Self::OfEvent(config) => config,
            Self::Current(config) => config,
        }
    }
}

/// Some programs write it before UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The longest timeout: the client adds timeouts to the current time, which must not overflow.
const A_YEAR: Duration = Duration::from_secs(31_536_000);
