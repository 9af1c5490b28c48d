use std::fmt::Display;

use ampersand_types::config::UpdateInstallationConfigContent;
use ampersand_types::{OtherFields, RawJson};

use crate::groups::installations::UpdateInstallation;
use crate::types::{
    UpdateInstallationRequest, UpdateInstallationRequestInstallation, UpdateInstallationRequestInstallationConfig,
};
use crate::{Client, Error, Project};

/// The part of an installation that holds its configuration, kept as the text of the response.
struct Installation {
    config: Config,
    other_fields: OtherFields,
}
crate::object::object!(Installation { required config = "config", });

struct Config {
    content: RawJson,
    other_fields: OtherFields,
}
crate::object::object!(Config { required content = "content", });

impl Client {
    /// Returns the current configuration of an installation, as the text of the response.
    ///
    /// It is the configuration that notifications carry. If that cannot be downloaded any more, use this one: pass it
    /// to `config_or_current` of `ampersand-notifications`. To change it, use [`update_config`](Self::update_config).
    ///
    /// # Errors
    ///
    /// As [`get_installation`](crate::groups::installations::Installations::get_installation), for instance if the
    /// installation no longer exists.
    pub async fn current_config(
        &self,
        project: impl Display,
        integration: impl Display,
        installation: impl Display,
    ) -> Result<RawJson, Error> {
        let get = self.installations().get_installation(project, integration, installation);
        Ok(self.json::<Installation>(get.call).await?.into_inner().config.content)
    }

    /// Changes the parts of an installation's configuration that the mask names. `.await` sends the request.
    ///
    /// The mask is a list of paths: names with dots between them, starting at the installation. Ampersand replaces the
    /// value at each path with the value from `content`, which has to have one, and leaves the rest unchanged. Escape a
    /// dot or a colon in a name with a backslash. Ampersand knows these paths:
    ///
    /// | path | replaces |
    /// | --- | --- |
    /// | `config.content.read.objects.NAME` | how one object is read |
    /// | `config.content.write.objects`, `….objects.NAME` | how all objects, or one, are written |
    /// | `config.content.subscribe.objects`, `….objects.NAME` | the subscription of all objects, or of one |
    /// | `config.content.proxy.enabled` | whether Ampersand forwards calls to the provider |
    ///
    /// `NAME` is the provider's name of the object, such as `contact`. The connection and the creator of the
    /// configuration are not part of it: to change them, use
    /// [`update_installation`](crate::groups::installations::Installations::update_installation).
    ///
    /// You can parse a configuration, change it and send it back. Everything else in it stays the same:
    ///
    /// ```no_run
    /// # async fn pause(client: &ampersand_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use ampersand_types::config::UpdateInstallationConfigContent;
    ///
    /// let config = client.current_config("my-project", "integration", "installation").await?;
    /// let mut content: UpdateInstallationConfigContent = config.parse()?;
    /// if let Some(contact) = content.read.as_mut().and_then(|read| read.objects.get_mut("contact")) {
    ///     contact.disabled = Some(true);
    /// }
    /// let mask = ["config.content.read.objects.contact"];
    /// client.update_config("my-project", "integration", "installation", mask, content).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `content` may also be a [`ConfigContent`](ampersand_types::config::ConfigContent), the type in notifications.
    pub fn update_config(
        &self,
        project: impl Display,
        integration: impl Display,
        installation: impl Display,
        mask: impl IntoIterator<Item = impl Into<String>>,
        content: impl Into<UpdateInstallationConfigContent>,
    ) -> UpdateInstallation {
        let config = UpdateInstallationRequestInstallationConfig::new().content(content);
        let changed = UpdateInstallationRequestInstallation::new().config(config);
        let body = UpdateInstallationRequest::new(changed, mask);
        self.installations().update_installation(project, integration, installation, body)
    }
}

impl Project {
    /// Returns the current configuration of an installation: see [`Client::current_config`].
    ///
    /// # Errors
    ///
    /// As [`Client::current_config`].
    pub async fn current_config(
        &self,
        integration: impl Display,
        installation: impl Display,
    ) -> Result<RawJson, Error> {
        self.client.current_config(&self.name, integration, installation).await
    }

    /// Changes the configuration of an installation: see [`Client::update_config`], which documents the mask.
    pub fn update_config(
        &self,
        integration: impl Display,
        installation: impl Display,
        mask: impl IntoIterator<Item = impl Into<String>>,
        content: impl Into<UpdateInstallationConfigContent>,
    ) -> UpdateInstallation {
        self.client.update_config(&self.name, integration, installation, mask, content)
    }
}
