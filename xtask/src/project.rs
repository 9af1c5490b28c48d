//! What is this contract's own: `openapi/project.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::output;

const PROJECT: &str = "openapi/project.toml";

/// The crate of the types that are written by hand, and are the same for any contract.
pub(crate) const BY_HAND: &str = "ampersand_types";

/// All that the rest of xtask does not know of a contract by OpenAPI alone.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Project {
    /// How the name of a field ends that has the URL of what another field would hold.
    #[serde(default, rename = "signed-urls")]
    pub(crate) signed_urls: Vec<String>,
    /// The steps of making the model that have something to do in this contract: one that no longer has may have stopped
    /// matching what it is there for.
    #[serde(default)]
    pub(crate) steps: Vec<String>,
    /// The folder of what is generated for tests.
    #[serde(default)]
    pub(crate) tests: String,
    pub(crate) event: Option<Event>,
    #[serde(default)]
    pub(crate) credentials: Credentials,
    #[serde(default)]
    pub(crate) types: Crate,
    #[serde(default, rename = "module")]
    pub(crate) modules: Vec<Module>,
    #[serde(default)]
    pub(crate) client: Client,
    /// The crates that are built on those two.
    #[serde(default, rename = "dependent")]
    pub(crate) dependents: Vec<Dependent>,
    pub(crate) samples: Option<Samples>,
    pub(crate) bench: Option<Bench>,
}

/// How the body of an event is known, and what is said of events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    /// The field that has the type of the event.
    pub(crate) kind: String,
    /// The field that has the rest.
    pub(crate) data: String,
    /// The schema that lists the types, and the name of their enum.
    pub(crate) list: String,
    /// What is said of the enum.
    pub(crate) words: String,
    /// What an event carries as opaque JSON, and where that is described.
    pub(crate) carries: Option<Carried>,
    /// What most events tell of, whichever their type: each becomes an accessor.
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

/// The words that tell credentials, each the last of a name.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    pub(crate) names: Vec<String>,
    /// Of what holds nothing else: an API key may be sent as the name of a user.
    pub(crate) holders: Vec<String>,
    /// Those that say that it is none, though the last one would be.
    pub(crate) harmless: Vec<String>,
}

/// The crate that has the types of events.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crate {
    /// As paths in Rust begin.
    pub(crate) name: String,
    /// What is generated of it.
    pub(crate) folder: String,
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

/// The crate that calls operations.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) folder: String,
    /// The documents that have operations. Each has a host of its own.
    pub(crate) documents: Vec<String>,
    /// The parameter of a path that most operations begin with: those have a group with it filled in.
    pub(crate) scope: Option<String>,
    /// How the names of the schemas end that any refusal may have.
    #[serde(default)]
    pub(crate) problem: String,
    pub(crate) paging: Option<Paging>,
}

/// How a list comes in pages: a parameter for the token, and the fields of a response.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    pub(crate) token: String,
    pub(crate) results: String,
    /// The field that holds the next two.
    pub(crate) state: String,
    pub(crate) done: String,
    pub(crate) next: String,
}

/// A crate that is built on the types or the client, and what its next version is when they change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Dependent {
    pub(crate) name: String,
    pub(crate) uses: Vec<String>,
    /// Whether its API has types of what it uses: then their major release is one of it.
    pub(crate) exposes: bool,
    /// Why an event that is gone is a major release.
    pub(crate) gone_event: Option<String>,
    /// Why a new event is a minor one.
    pub(crate) new_event: Option<String>,
    /// Why a new type of the client is one.
    pub(crate) new_type: Option<String>,
    /// Why anything else is a patch.
    pub(crate) otherwise: String,
}

/// Values of what is received, for other people's tests.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Samples {
    pub(crate) folder: String,
    /// Switches that are off, as they would contradict what stands beside them.
    pub(crate) off: Vec<String>,
    /// Last words of the names of texts that are identifiers.
    pub(crate) identifiers: Vec<String>,
    /// Values that say more than the name of their field, by that name, or by those of the type and the field.
    pub(crate) values: BTreeMap<String, String>,
}

/// What the benchmark compares with: a schema as plain typify makes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bench {
    pub(crate) folder: String,
    pub(crate) schema: String,
}

impl Project {
    /// The file on disk; without one, a contract has nothing of its own.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        if !root.join(PROJECT).exists() {
            return Ok(Self::default());
        }
        toml::from_str(&output::read(root, PROJECT)?).with_context(|| PROJECT.to_owned())
    }

    /// `config` for `configURL`.
    pub(crate) fn replaced_by_url<'a>(&self, field: &'a str) -> Option<&'a str> {
        self.signed_urls.iter().find_map(|ending| field.strip_suffix(ending.as_str()))
    }

    /// The module that is made of a document.
    pub(crate) fn module(&self, document: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.document == document)
    }

    /// The documents that code is made of.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &str> {
        let modules = self.modules.iter().map(|module| module.document.as_str());
        modules.chain(self.client.documents.iter().map(String::as_str))
    }

    /// The folders that have generated files alone.
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
    /// As Cargo has it.
    pub(crate) fn package(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The path of one of its modules.
    pub(crate) fn path(&self, module: &str) -> String {
        format!("{}::{module}", self.name)
    }
}

impl Client {
    /// As Cargo has it.
    pub(crate) fn package(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The path of the module of types.
    pub(crate) fn types_path(&self) -> String {
        format!("{}::types", self.name)
    }
}
