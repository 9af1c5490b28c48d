//! What is this contract's own: `openapi/project.toml`.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::output;

const PROJECT: &str = "openapi/project.toml";

/// All that the rest of xtask does not know of a contract by OpenAPI alone.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Project {
    pub(crate) event: Option<Event>,
    #[serde(default, rename = "module")]
    pub(crate) modules: Vec<Module>,
}

/// How the body of an event is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    /// The field that has the type of the event.
    pub(crate) kind: String,
    /// The field that has the rest.
    pub(crate) data: String,
    /// The schema that lists the types, and the name of their enum.
    pub(crate) list: String,
    /// What an event carries as opaque JSON, and where that is described.
    pub(crate) carries: Option<Carried>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Carried {
    pub(crate) fields: Vec<String>,
    pub(crate) document: String,
    pub(crate) schema: String,
}

/// A module of types, and the document that it is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) document: String,
    /// Whether its structs are sent too, by operations of the client.
    #[serde(default)]
    pub(crate) sent: bool,
}

impl Project {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        toml::from_str(&output::read(root, PROJECT)?).with_context(|| PROJECT.to_owned())
    }

    /// The module that is made of a document.
    pub(crate) fn module(&self, document: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.document == document)
    }
}
