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
