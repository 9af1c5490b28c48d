use ampersand_types::__private::object::OtherFields;
use ampersand_types::RawJson;

use crate::{Client, Error};

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
    /// `config_or_current` of `ampersand-notifications`. And what is parsed as an [`UpdateInstallationConfigContent`],
    /// changed and sent is what was there, but for the change:
    ///
    /// ```no_run
    /// # use ampersand_client::{Client, types};
    /// # async fn pause(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use ampersand_types::config::UpdateInstallationConfigContent;
    ///
    /// let config = client.current_config("my-project", "integration", "installation").await?;
    /// let mut content: UpdateInstallationConfigContent = config.parse()?;
    /// if let Some(contact) = content.read.as_mut().and_then(|read| read.objects.get_mut("contact")) {
    ///     contact.disabled = Some(true);
    /// }
    /// let config = types::UpdateInstallationRequestInstallationConfig::builder().content(content);
    /// let installation = types::UpdateInstallationRequestInstallation::builder().config(config);
    /// let update = client.installations().update_installation().project_id_or_name("my-project");
    /// let update = update.integration_id("integration").installation_id("installation");
    /// let mask = ["config.content.read.objects.contact"]; // the rest is left as it is
    /// update.body_map(|body| body.update_mask(mask).installation(installation)).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`UpdateInstallationConfigContent`]: ampersand_types::config::UpdateInstallationConfigContent
    ///
    /// # Errors
    ///
    /// As [`get_installation`](crate::operations::installations::Installations::get_installation): there is no such
    /// installation any more, for instance.
    pub async fn current_config(&self, project: &str, integration: &str, installation: &str) -> Result<RawJson, Error> {
        let get = self.installations().get_installation();
        let get = get.project_id_or_name(project).integration_id(integration).installation_id(installation);
        Ok(self.json::<Installation>(get.call()?).await?.into_inner().config.content)
    }
}
