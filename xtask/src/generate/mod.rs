//! From the contract to Rust, in memory.

mod accessors;
mod arguments;
mod calls;
mod client;
mod conversions;
mod enums;
mod events;
mod fields;
mod format;
mod mocks;
mod operations;
mod samples;
mod setters;
mod types;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use types::Typed;

use crate::document;
use crate::lower::{self, Context, ENUMS, EVENTS, Event, FIRST, OpenEnum, PASSES, Pass};
use crate::output::{self, Plan};
use crate::overlay::Overlay;
use crate::sources::{CONTRACT, Lock};

/// A module of `ampersand-types` and the contract file that it is made of.
struct Module {
    name: &'static str,
    path: &'static str,
    document: &'static str,
    /// Whether its structs are sent too, by operations of the client.
    is_sent: bool,
}

const MODULES: [Module; 3] = [
    Module { name: "notifications", path: "ampersand_types::notifications", document: "notifications", is_sent: false },
    Module { name: "messages", path: "ampersand_types::messages", document: "webhook", is_sent: false },
    Module { name: "config", path: "ampersand_types::config", document: "config", is_sent: true },
];

/// Whether a module of `ampersand-types` is made of a document.
pub(crate) fn is_module(document: &str) -> bool {
    MODULES.iter().any(|module| module.document == document)
}

const TYPES: &str = "crates/ampersand-types/src/generated";
const TESTS: &str = "tests/it/generated";
const BENCHES: &str = "benches/generated";
/// What the benchmark decodes.
const BENCHED: &str = "InstallationCreatedNotificationPayload";

/// What `generate` would have on disk, and what there is to say about it.
pub(crate) struct Generated {
    pub(crate) plan: Plan,
    pub(crate) summary: String,
}

/// What does not stop the generator, and is to be told.
#[derive(Default)]
struct Findings {
    /// Overlay actions and passes that match nothing.
    stale: Vec<String>,
    /// Items of the generated code that no overlay describes.
    undocumented: Vec<String>,
}

pub(crate) fn generate(root: &Path, allow_stale: bool) -> Result<Generated> {
    let mut generator = Generator {
        root,
        allow_stale,
        overlays: Overlay::load_all(root)?,
        lock: Lock::load(root)?,
        hits: PASSES.iter().chain([&FIRST]).map(|(name, _)| (*name, 0)).collect(),
        findings: Findings::default(),
        summary: String::new(),
    };
    let (mut plan, mut table, mut structs, mut ours) = (Plan::default(), Vec::new(), Vec::new(), Vec::new());
    for module in &MODULES {
        let Contract { file, origin, published, mut document } = generator.read(module.document)?;
        if document::schemas(&published).any(|(name, _)| name == BENCHED) {
            let text = format::file(&origin, None, types::plain(&published, BENCHED)?)?;
            plan.add(format!("{BENCHES}/plain.rs"), text);
        }
        let context = Context { module: module.name, path: module.path, shared: &BTreeMap::new() };
        generator.lower(&file, &mut document, &context)?;

        let mut docs = Docs::of_module(module.name, &mut generator.findings.undocumented);
        let items = items(&document, &mut docs, &mut generator.findings.stale).with_context(|| file.clone())?;
        let items = setters::with_setters(items, &document, |_| module.is_sent, &mut generator.findings.stale)?;
        let conversions = conversions::conversions(&items, &document, &mut generator.findings.stale)?;
        let items = quote! { #items #conversions };
        let text = format::file(&origin, document["info"]["description"].as_str(), items)?;
        plan.add(format!("{TYPES}/{}.rs", module.name), text);
        table.extend(document::schemas(&document).map(|(schema, _)| Typed {
            module: module.path,
            document: module.document.to_owned(),
            schema: schema.clone(),
        }));
        structs.extend(document::schemas(&document).map(|(schema, _)| (module.path, lower::pascal(schema))));
        ours.push(client::Ours { published, path: module.path, types: type_names(&document)? });
    }
    let (received, types) = client::generate(&mut generator, &ours, &mut plan)?;
    table.extend(received);
    structs.extend(types);
    plan.add(format!("{TESTS}/mod.rs"), format::file("openapi/contract", None, types::table(&table, &structs)?)?);
    for directory in [TYPES, TESTS, BENCHES, client::FOLDER, client::GROUPS_FOLDER, samples::FOLDER] {
        plan.nothing_else_in(root, directory)?;
    }
    let summary = generator.finish()?;
    Ok(Generated { plan, summary })
}

/// What it takes to follow a contract, and what was found on the way.
struct Generator<'a> {
    root: &'a Path,
    allow_stale: bool,
    overlays: Vec<Overlay>,
    lock: Lock,
    hits: BTreeMap<&'static str, usize>,
    findings: Findings,
    summary: String,
}

/// A document of the contract.
struct Contract {
    file: String,
    /// The file, and the commit that it is of.
    origin: String,
    published: Value,
    /// It as the overlays have it.
    document: Value,
}

impl Generator<'_> {
    fn read(&mut self, name: &str) -> Result<Contract> {
        let file = format!("{CONTRACT}/{name}.json");
        let published = if self.allow_stale && !self.root.join(&file).exists() {
            self.findings.stale.push(format!("{file} is not there, and nothing is made of it"));
            Value::Null
        } else {
            document::read(&file, output::read(self.root, &file)?.as_bytes())?
        };
        document::check_refs(&file, &published)?;
        document::check_schema_refs(&file, &published)?;
        writeln!(self.summary, "read {file}: {} schemas", document::schemas(&published).count())?;
        let commit = self.lock.contract.get(&format!("{name}.json")).and_then(|known| known.since.as_deref());
        let origin = format!("{file}, which is as of commit {}", commit.unwrap_or("unknown"));
        let mut document = published.clone();
        for overlay in self.overlays.iter().filter(|overlay| overlay.extends(name)) {
            self.findings.stale.extend(overlay.apply(&mut document)?);
        }
        Ok(Contract { file, origin, published, document })
    }

    fn lower(&mut self, file: &str, document: &mut Value, context: &Context<'_>) -> Result<()> {
        PASSES.iter().try_for_each(|pass| self.pass(pass, file, document, context))
    }

    fn pass(&mut self, pass: &Pass, file: &str, document: &mut Value, context: &Context<'_>) -> Result<()> {
        let (name, run) = pass;
        let found = run(document, context).with_context(|| format!("{file}: pass `{name}`"))?;
        *self.hits.entry(name).or_default() += found;
        Ok(())
    }

    fn finish(mut self) -> Result<String> {
        let used = |overlay: &Overlay| {
            let mut documents = MODULES.iter().map(|module| module.document).chain(client::DOCUMENTS);
            documents.any(|document| overlay.extends(document))
        };
        // `diff` reads all that are kept.
        for overlay in self.overlays.iter().filter(|overlay| !used(overlay) && !overlay.is_kept()) {
            let stale = format!("{} extends no contract file that code is generated from", overlay.file);
            self.findings.stale.push(stale);
        }
        let idle = self.hits.iter().filter(|(_, found)| **found == 0);
        let idle = idle.map(|(name, _)| format!("pass `{name}` finds nothing to do in the whole contract"));
        self.findings.stale.extend(idle);
        self.findings.report(self.allow_stale, &mut self.summary)?;
        Ok(self.summary.trim_end().to_owned())
    }
}

impl Findings {
    fn report(&self, allow_stale: bool, summary: &mut String) -> Result<()> {
        if !self.stale.is_empty() && !allow_stale {
            let lines = self.stale.join("\n  ");
            bail!(
                "what no longer applies has to go (--allow-stale makes these warnings, for an older contract):\n  {lines}"
            );
        }
        for line in &self.stale {
            writeln!(summary, "warning: {line}")?;
        }
        for item in &self.undocumented {
            writeln!(summary, "warning: {item} is not documented in openapi/overlays")?;
        }
        Ok(())
    }
}

fn items(document: &Value, docs: &mut Docs<'_>, stale: &mut Vec<String>) -> Result<TokenStream> {
    let enums = open_enums(document)?;
    check_names(document, &enums)?;
    for open in &enums {
        let described = open.descriptions.keys().filter(|value| !open.values.contains(value));
        stale.extend(
            described.map(|value| format!("openapi/overlays describe `{value}`, which is no value of {}", open.name)),
        );
    }
    let mut tokens = types::structs(document, docs)?;
    let events: Option<Vec<Event>> =
        document.get(EVENTS).map(|events| serde_json::from_value(events.clone())).transpose()?;
    // A list of the types in the contract is what we have of our own.
    let (types, enums): (Vec<_>, Vec<_>) =
        enums.into_iter().partition(|open| events.is_some() && open.name == "NotificationType");
    for open in &enums {
        tokens.extend(enums::open_enum(open, docs)?);
    }
    if let Some(events) = events {
        let values = types.into_iter().flat_map(|listed| listed.values).collect();
        tokens.extend(events::events(&events, values, document, docs)?);
    }
    Ok(tokens)
}

fn open_enums(document: &Value) -> Result<Vec<OpenEnum>> {
    Ok(document.get(ENUMS).map(|enums| serde_json::from_value(enums.clone())).transpose()?.unwrap_or_default())
}

/// The names in Rust of what a lowered document has a type for.
fn type_names(document: &Value) -> Result<BTreeSet<String>> {
    let structs = document::schemas(document).map(|(name, _)| lower::pascal(name));
    let events = document.get(EVENTS).map(|_| "NotificationType".to_owned());
    Ok(structs.chain(open_enums(document)?.into_iter().map(|open| open.name)).chain(events).collect())
}

/// Refuses schemas whose names differ in the contract and are the same in Rust.
fn check_names(document: &Value, enums: &[OpenEnum]) -> Result<()> {
    let types = document::schemas(document).map(|(name, _)| (lower::pascal(name), format!("the schema `{name}`")));
    let enums = enums.iter().map(|open| (open.name.clone(), "an enum".to_owned()));
    let mut taken = BTreeMap::new();
    for (name, what) in types.chain(enums) {
        if let Some(other) = taken.insert(name.clone(), what.clone()) {
            bail!("{other} and {what} would both be named `{name}` in Rust");
        }
    }
    Ok(())
}

/// What is said of the items of a module.
struct Docs<'a> {
    module: &'static str,
    /// The items for which words are missing.
    undocumented: &'a mut Vec<String>,
    /// What is said of a type beside its words: the operations that send it or receive it.
    users: BTreeMap<String, String>,
}

impl<'a> Docs<'a> {
    fn of_module(module: &'static str, undocumented: &'a mut Vec<String>) -> Self {
        Self { module, undocumented, users: BTreeMap::new() }
    }

    /// The words for an item; where there are none, these say so.
    fn of(&mut self, item: &str, words: Option<&str>) -> String {
        let words = words.map(str::trim).filter(|words| !words.is_empty());
        if words.is_none() {
            self.undocumented.push(format!("{}::{item}", self.module));
        }
        let words =
            words.unwrap_or("Not documented yet: the contract has it, and our words for it are still to be written.");
        match self.users.get(item) {
            Some(users) => format!("{words}\n\n{users}"),
            None => words.to_owned(),
        }
    }
}
