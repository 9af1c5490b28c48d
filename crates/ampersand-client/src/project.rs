use std::fmt::Display;

use crate::Client;

/// A client for one project, with a method for each group of operations that belong to projects.
///
/// ```
/// use ampersand_client::{Client, types::CreateTopicRequest};
///
/// let client = Client::builder().api_key("key").build()?;
/// let project = client.project("my-project");
/// let topic = project.destinations().create_topic(CreateTopicRequest::new("acme")); // sent by `.await`
/// # Ok::<(), ampersand_client::ClientError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Project {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Client {
    /// Returns a client for the project with this id or name.
    pub fn project(&self, id_or_name: impl Display) -> Project {
        Project { client: self.clone(), name: id_or_name.to_string() }
    }
}
