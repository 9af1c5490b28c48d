use std::collections::BTreeMap;

use crate::project::Project;

/// What a step may know of the module that it works for.
pub(crate) struct Context<'a> {
    pub(crate) project: &'a Project,
    /// The path of the module.
    pub(crate) path: &'a str,
    /// The schemas that mean the same elsewhere, and the paths of their types; none for those that are no type there.
    pub(crate) shared: &'a BTreeMap<String, Option<String>>,
}

impl Context<'_> {
    /// Whether the module is that of the client, in which a body is what is sent and no event.
    pub(super) fn is_of_client(&self) -> bool {
        self.path == self.project.client.types_path()
    }
}
