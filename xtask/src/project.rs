//! The settings for this contract: `openapi/project.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::output;

const PROJECT: &str = "openapi/project.toml";

/// The crate of the hand-written types, which are the same for any contract.
pub(crate) const BY_HAND: &str = "ampersand_types";

/// All that xtask needs to know of a contract beyond OpenAPI.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Project {
    /// How the names of fields end that have the URL of another field's value.
    pub(crate) signed_urls: Vec<String>,
    /// The steps that find something to do in this contract. A step that no longer does may have stopped matching its
    /// target.
    pub(crate) steps: Vec<String>,
    /// The folder of the files that are generated for tests.
    pub(crate) tests: String,
    pub(crate) event: Option<Event>,
    pub(crate) credentials: Credentials,
    pub(crate) types: Crate,
    #[serde(rename = "module")]
    pub(crate) modules: Vec<Module>,
    pub(crate) client: Client,
    /// The crates that depend on the types or the client.
    #[serde(rename = "dependent")]
    pub(crate) dependents: Vec<Dependent>,
    pub(crate) samples: Option<Samples>,
    pub(crate) bench: Option<Bench>,
}

/// How the body of an event is recognized, and how events are documented.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    /// The field with the event type.
    pub(crate) kind: String,
    /// The field with the data.
    pub(crate) data: String,
    /// The schema that lists the event types, and the name of their enum.
    pub(crate) list: String,
    /// The documentation of the enum.
    pub(crate) words: String,
    /// The fields that hold opaque JSON in events, and the schema that describes it.
    pub(crate) carries: Option<Carried>,
    /// The fields that most events have, whatever their type: each becomes an accessor.
    #[serde(default, rename = "subject")]
    pub(crate) subjects: Vec<Subject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Carried {
    pub(crate) fields: Vec<String>,
    pub(crate) document: String,
    pub(crate) schema: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    pub(crate) field: String,
    pub(crate) words: String,
}

/// The words that mark credentials, as the last word of a name.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    pub(crate) names: Vec<String>,
    /// Words for what holds only credentials: an API key may be sent as a user name.
    pub(crate) holders: Vec<String>,
    /// Words that mark harmless values, even if the last word marks a credential.
    pub(crate) harmless: Vec<String>,
}

/// The crate that has the types of events.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crate {
    /// The name in Rust paths.
    pub(crate) name: String,
    /// The folder of its generated files.
    pub(crate) folder: String,
}

/// A module of types, and the document that it is generated from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) document: String,
    /// Whether operations of the client send its structs too.
    #[serde(default)]
    pub(crate) sent: bool,
}

/// The crate that calls operations.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) folder: String,
    /// The documents that have operations. Each has a host of its own.
    pub(crate) documents: Vec<String>,
    /// The path parameter that most operations begin with. Those operations also have a group with it filled in.
    pub(crate) scope: Option<String>,
    /// The end of the names of the schemas that any error response may have.
    #[serde(default)]
    pub(crate) problem: String,
    pub(crate) paging: Option<Paging>,
}

/// How a list comes in pages: the parameter for the token, and the fields of the response.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    pub(crate) token: String,
    pub(crate) results: String,
    /// The field that holds `done` and `next`.
    pub(crate) state: String,
    pub(crate) done: String,
    pub(crate) next: String,
}

/// A crate that depends on the types or the client, and the reasons for its next version when they change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Dependent {
    pub(crate) name: String,
    pub(crate) uses: Vec<String>,
    /// Whether its API has types of the crates that it uses: then a major release of those is one of it.
    pub(crate) exposes: bool,
    /// Why a removed event type needs a major release.
    pub(crate) gone_event: Option<String>,
    /// Why a new event type needs a minor release.
    pub(crate) new_event: Option<String>,
    /// Why a new type of the client needs a minor release.
    pub(crate) new_type: Option<String>,
    /// Why any other change needs a patch release.
    pub(crate) otherwise: String,
}

/// Values of received types, for other people's tests.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Samples {
    pub(crate) folder: String,
    /// Booleans that are `false`, because `true` would contradict other fields.
    pub(crate) off: Vec<String>,
    /// The last words of the names of strings that are identifiers.
    pub(crate) identifiers: Vec<String>,
    /// Values that say more than the name of their field, by `field` or `Type.field`.
    pub(crate) values: BTreeMap<String, String>,
}

/// A schema that plain typify generates, for the benchmark to compare with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bench {
    pub(crate) folder: String,
    pub(crate) schema: String,
}

impl Project {
    /// Reads the file; without one, a contract has no settings of its own.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        if !root.join(PROJECT).exists() {
            return Ok(Self::default());
        }
        toml::from_str(&output::read(root, PROJECT)?).with_context(|| PROJECT.to_owned())
    }

    /// Returns `config` for `configURL`.
    pub(crate) fn replaced_by_url<'a>(&self, field: &'a str) -> Option<&'a str> {
        self.signed_urls.iter().find_map(|ending| field.strip_suffix(ending.as_str()))
    }

    /// Returns the module that is generated from a document.
    pub(crate) fn module(&self, document: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.document == document)
    }

    /// Returns the documents that code is generated from.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &str> {
        let modules = self.modules.iter().map(|module| module.document.as_str());
        modules.chain(self.client.documents.iter().map(String::as_str))
    }

    /// Returns the folders that only have generated files.
    pub(crate) fn folders(&self) -> Vec<String> {
        let client = [self.client.folder.clone(), format!("{}/groups", self.client.folder)];
        let others = [self.types.folder.clone(), self.tests.clone()];
        let samples = self.samples.as_ref().map(|samples| samples.folder.clone());
        let bench = self.bench.as_ref().map(|bench| bench.folder.clone());
        let all = client.into_iter().chain(others).chain(samples).chain(bench);
        all.filter(|folder| !folder.is_empty()).collect()
    }
}

impl Crate {
    /// Returns the name of its Cargo package.
    pub(crate) fn package(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Returns the path of one of its modules.
    pub(crate) fn path(&self, module: &str) -> String {
        format!("{}::{module}", self.name)
    }
}

impl Client {
    /// Returns the name of its Cargo package.
    pub(crate) fn package(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Returns the path of the module of types.
    pub(crate) fn types_path(&self) -> String {
        format!("{}::types", self.name)
    }
}
