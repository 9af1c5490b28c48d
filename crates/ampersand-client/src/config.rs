use std::fmt::Display;

use ampersand_types::config::UpdateInstallationConfigContent;
use ampersand_types::{OtherFields, RawJson};

use crate::groups::installations::UpdateInstallation;
use crate::types::{
    UpdateInstallationRequest, UpdateInstallationRequestInstallation, UpdateInstallationRequestInstallationConfig,
};
use crate::{Client, Error, Project};

/// An installation as far as its configuration, which stays the text that came.
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
    /// The configuration that an installation has now, as the text that came.
    ///
    /// It is what a notification carries, so it stands in for one that cannot be had any more: it is made for
    /// `config_or_current` of `ampersand-notifications`. To change it, see [`update_config`](Self::update_config).
    ///
    /// # Errors
    ///
    /// As [`get_installation`](crate::groups::installations::Installations::get_installation): there is no such
    /// installation any more, for instance.
    pub async fn current_config(
        &self,
        project: impl Display,
        integration: impl Display,
        installation: impl Display,
    ) -> Result<RawJson, Error> {
        let get = self.installations().get_installation(project, integration, installation);
        Ok(self.json::<Installation>(get.call).await?.into_inner().config.content)
    }

    /// Changes the configuration of an installation, as far as the mask names it. `.await` sends the request.
    ///
    /// The mask is a list of paths of names with dots in between, from the installation down. Ampersand takes what a path
    /// leads to from `content`, where it has to be, and leaves the rest as it is. A dot or a colon within a name has a
    /// backslash before it. It knows these:
    ///
    /// | path | replaces |
    /// | --- | --- |
    /// | `config.content.read.objects.NAME` | how one object is read |
    /// | `config.content.write.objects`, `….objects.NAME` | how all objects, or one, are written |
    /// | `config.content.subscribe.objects`, `….objects.NAME` | what of all objects, or of one, is subscribed to |
    /// | `config.content.proxy.enabled` | whether calls are passed through to the provider |
    ///
    /// `NAME` is the provider's name of the object, such as `contact`. To change the connection or who made the
    /// configuration, which are no part of it, take
    /// [`update_installation`](crate::groups::installations::Installations::update_installation).
    ///
    /// A configuration that is parsed, changed and sent back is as it was, but for the change:
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
    /// `content` may also be a [`ConfigContent`](ampersand_types::config::ConfigContent), as notifications carry it.
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
    /// As [`Client::current_config`].
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn current_config(
        &self,
        integration: impl Display,
        installation: impl Display,
    ) -> Result<RawJson, Error> {
        self.client.current_config(&self.name, integration, installation).await
    }

    /// As [`Client::update_config`], which documents the mask.
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
