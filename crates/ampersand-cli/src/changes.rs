//! Finds the changes that an update made to the configuration of an installation.

use ampersand_notifications::Delivery;
use ampersand_types::config::ConfigContent;
use ampersand_types::notifications::{InstallationUpdatedData, NotificationType};
use ampersand_types::{ConfigChange, ConfigSource};

/// Where to look for configurations that were too large to send.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    /// Nowhere: only configurations in the payload are compared.
    Sent,
    /// In the payload: available configurations were downloaded into it.
    Downloaded,
}

/// Returns the changes of an `installation.updated`, or why they are unknown. `None` for any other delivery.
pub(crate) fn of(delivery: &Delivery, data: &str, reach: Reach) -> Option<Result<Vec<ConfigChange>, String>> {
    match delivery {
        Delivery::Notification(notification)
            if notification.notification_type == NotificationType::InstallationUpdated =>
        {
            Some(compare(data, reach))
        }
        _ => None,
    }
}

fn compare(data: &str, reach: Reach) -> Result<Vec<ConfigChange>, String> {
    let data: InstallationUpdatedData = serde_json::from_str(data).map_err(|error| error.to_string())?;
    let after = configuration(data.config_source(), "the configuration", reach)?;
    let before = configuration(data.last_config_source(), "the configuration before the update", reach)?;
    Ok(after.changes_since(&before))
}

fn configuration(source: ConfigSource<'_>, name: &str, reach: Reach) -> Result<ConfigContent, String> {
    match (source, reach) {
        (ConfigSource::Inline(config), _) => config.parse().map_err(|error| format!("{name} is {error}")),
        (ConfigSource::Url(_), Reach::Sent) => {
            Err(format!("{name} was too large to send; `ampersand resolve --changes` downloads it"))
        }
        (ConfigSource::Url(_), Reach::Downloaded) => Err(format!("{name} could not be downloaded")),
        (ConfigSource::Missing, _) => Err(format!("{name} was not sent")),
    }
}
