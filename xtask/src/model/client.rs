//! Joins the documents that have operations into the one that the client is generated from.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use super::{Document, names, same, together};
use crate::project::Project;

/// A module of the types' crate, whose types the client shares.
pub(crate) struct Module {
    /// The document that it is generated from, as published.
    published: Document,
    path: String,
    /// The names of its types.
    types: BTreeSet<String>,
    /// The published names of schemas that have another name here.
    renamed: BTreeMap<String, String>,
}

/// The schemas of the client that mean the same in a module, and the paths of their types; `None` for one without a type
/// there.
pub(crate) type Shared = BTreeMap<String, Option<String>>;

impl Module {
    /// Describes the module that `generate` makes of a document: `published` has no overlays, and `document` has taken all
    /// steps.
    pub(crate) fn new(path: &str, published: Document, document: &Document, project: &Project) -> Self {
        let list = project.event.iter().filter(|_| !document.events.is_empty()).map(|event| event.list.clone());
        let enums = document.enums.iter().map(|open| open.name.clone());
        let types = document.taken().into_iter().chain(enums).chain(list).collect();
        Self { published, path: path.to_owned(), types, renamed: document.renamed.clone() }
    }

    /// Returns the path of the type of a published schema.
    fn path_of(&self, schema: &str) -> Option<String> {
        let renamed = self.renamed.iter().find(|(_, published)| *published == schema);
        let name = names::pascal(renamed.map_or(schema, |(name, _)| name));
        self.types.contains(&name).then(|| format!("{}::{name}", self.path))
    }
}

/// Joins documents, each with its published form, and finds the types that they share with the modules. Call
/// `tell_apart` on each document first.
pub(crate) fn joined(documents: Vec<(Document, Document)>, modules: &[Module]) -> Result<(Document, Shared)> {
    let (mut all, mut shared) = (Vec::new(), Shared::new());
    for (published, mut document) in documents {
        for module in modules {
            let same = same(&published, &module.published).into_iter();
            shared.extend(same.map(|schema| (schema.clone(), module.path_of(&schema))));
        }
        for (schema, definition) in &document.schemas {
            let Some(name) = &definition.says.same_as else { continue };
            let module = modules.iter().find(|module| module.types.contains(name));
            let module = module.with_context(|| {
                format!(
                    "openapi/contract/{}.json: `{schema}`: no module has the type `{name}` that `x-same-as` names",
                    document.name
                )
            })?;
            shared.insert(schema.clone(), Some(format!("{}::{name}", module.path)));
        }
        document.name_schemas_of_operations();
        all.push(document);
    }
    Ok((together(all), shared))
}
