//! Fills deliveries with content that was too large to send.

use std::collections::BTreeMap;

use ampersand_types::messages::ResultInfoType;
use ampersand_types::{ConfigSource, JsonError, RawJson, SignedUrl};

use super::{ResolveError, Resolver};
use crate::{Delivery, Records};

/// The field name of the records in a message.
const RESULT: &str = "result";

impl Resolver {
    /// Downloads configurations and records that were too large to send, and puts them into the delivery, as if they had
    /// been sent. Returns the downloads by field name. Store them: [`Delivery::fill`] can put them in again after the URLs
    /// have expired.
    ///
    /// Content that is [lost](ResolveError::is_lost) is left as a URL. The raw body of the delivery does not change.
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
    /// As [`config`](Self::config), except that lost content is not an error. On an error, the delivery is unchanged.
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

/// The fields for which a delivery has a URL instead of content.
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
    /// Puts earlier [downloads](Resolver::complete) into the delivery, as if they had been sent.
    ///
    /// # Errors
    ///
    /// When the records are not an array of records. The delivery is then unchanged.
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
