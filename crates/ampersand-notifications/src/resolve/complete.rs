//! Puts into a delivery what was too large to send with it.

use std::collections::BTreeMap;

use ampersand_types::messages::ResultInfoType;
use ampersand_types::{ConfigSource, JsonError, RawJson, SignedUrl};

use super::{ResolveError, Resolver};
use crate::{Delivery, Records};

/// The name of the records of a message.
const RESULT: &str = "result";

impl Resolver {
    /// Downloads what was too large to send, and puts it into the delivery, as if it had been sent: configurations and
    /// records. Gives what was downloaded, by the names of its fields: keep that, and [`Delivery::fill`] puts it in again
    /// after the URLs have expired.
    ///
    /// What [cannot be had any more](ResolveError::is_lost) is left as it came. The body of the delivery stays as it came too.
    ///
    /// ```no_run
    /// # async fn on_delivery(mut delivery: ampersand_notifications::Delivery) -> Result<(), Box<dyn std::error::Error>> {
    /// # let resolver = ampersand_notifications::Resolver::new(Default::default())?;
    /// let downloads = resolver.complete(&mut delivery).await?;
    /// std::fs::write("downloads.json", serde_json::to_vec(&downloads)?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`config`](Self::config), but for what cannot be had any more. Nothing was changed then.
    pub async fn complete(&self, delivery: &mut Delivery) -> Result<BTreeMap<String, RawJson>, ResolveError> {
        let mut downloads = BTreeMap::new();
        for (name, url) in left_out(delivery) {
            match self.json(url).await {
                Ok(json) => drop(downloads.insert(name.to_owned(), json)),
                Err(error) if error.is_lost() => {}
                Err(error) => return Err(error),
            }
        }
        delivery.fill(downloads.clone())?;
        Ok(downloads)
    }
}

/// What a delivery has a URL of instead.
fn left_out(delivery: &Delivery) -> Vec<(&'static str, &SignedUrl)> {
    match delivery {
        Delivery::Notification(notification) => {
            let sources = notification.event.config_sources().into_iter();
            let urls = sources.filter_map(|(name, source)| match source {
                ConfigSource::Url(url) => Some((name, url)),
                ConfigSource::Inline(_) | ConfigSource::Missing => None,
            });
            urls.collect()
        }
        Delivery::Records(records) => url_of(records).map(|url| (RESULT, url)).into_iter().collect(),
    }
}

/// The URL of records that were not sent.
pub(super) fn url_of(records: &Records) -> Option<&SignedUrl> {
    let url = records.message.result_info.as_ref()?.download_url.as_ref()?;
    (records.message.result.is_empty() && !url.expose_secret().is_empty()).then_some(url)
}

/// Whether a message says that its records are at a URL.
pub(super) fn is_at_url(records: &Records) -> bool {
    records.message.result_info.as_ref().is_some_and(|info| info.type_ == ResultInfoType::Url)
}

impl Delivery {
    /// Puts what was [downloaded](Resolver::complete) before into the delivery, as if it had been sent.
    ///
    /// # Errors
    ///
    /// When the records are not an array of records. Nothing was changed then.
    pub fn fill(&mut self, downloads: BTreeMap<String, RawJson>) -> Result<(), JsonError> {
        for (name, json) in downloads {
            match self {
                Self::Notification(notification) => notification.event.set_config(&name, json),
                Self::Records(records) if name == RESULT => records.message.result = json.parse::<Vec<_>>()?.into(),
                Self::Records(_) => {}
            }
        }
        Ok(())
    }
}
