use std::collections::BTreeMap;

use crate::project::Project;

/// What a step may know about the module that it works for.
pub(crate) struct Context<'a> {
    pub(crate) project: &'a Project,
    /// The path of the module in Rust.
    pub(crate) path: &'a str,
    /// The schemas that mean the same elsewhere, and the paths of their types; `None` for one without a type there.
    pub(crate) shared: &'a BTreeMap<String, Option<String>>,
}

impl Context<'_> {
    /// Whether the module is the client's. There, a body is what a client sends, not an event.
    pub(super) fn is_of_client(&self) -> bool {
        self.path == self.project.client.types_path()
    }
}
