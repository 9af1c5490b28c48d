//! From the contract to Rust, in memory.

mod accessors;
mod enums;
mod events;
mod fields;
mod format;
mod types;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use proc_macro2::TokenStream;
use serde_json::Value;

use crate::document;
use crate::lower::{self, ENUMS, EVENTS, Event, OpenEnum, PASSES};
use crate::output::{self, Plan};
use crate::overlay::Overlay;
use crate::sources::{CONTRACT, Lock};

/// A module of `ampersand-types` and the contract file that it is made of.
struct Module {
    name: &'static str,
    document: &'static str,
}

const MODULES: [Module; 3] = [
    Module { name: "notifications", document: "notifications" },
    Module { name: "messages", document: "webhook" },
    Module { name: "config", document: "config" },
];

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
    let overlays = Overlay::load_all(root)?;
    let lock = Lock::load(root)?;
    let (mut plan, mut findings, mut summary) = (Plan::default(), Findings::default(), String::new());
    let mut hits = BTreeMap::from(PASSES.map(|(name, _)| (name, 0)));
    let mut table = Vec::new();

    for module in &MODULES {
        let file = format!("{CONTRACT}/{}.json", module.document);
        let mut document = if allow_stale && !root.join(&file).exists() {
            findings.stale.push(format!("{file} is not there, and its module is empty"));
            Value::Null
        } else {
            document::read(&file, output::read(root, &file)?.as_bytes())?
        };
        document::check_refs(&file, &document)?;
        document::check_schema_refs(&file, &document)?;
        let published = document::schemas(&document).count();
        let commit = lock.contract.get(&format!("{}.json", module.document)).and_then(|known| known.since.as_deref());
        let origin = format!("{file}, which is as of commit {}", commit.unwrap_or("unknown"));
        if document::schemas(&document).any(|(name, _)| name == BENCHED) {
            let text = format::file(&origin, None, types::plain(&document, BENCHED)?)?;
            plan.add(format!("{BENCHES}/plain.rs"), text);
        }

        for overlay in overlays.iter().filter(|overlay| overlay.extends(module.document)) {
            findings.stale.extend(overlay.apply(&mut document)?);
        }
        let context = lower::Context { module: module.name };
        for (name, run) in PASSES {
            let found = run(&mut document, &context).with_context(|| format!("{file}: pass `{name}`"))?;
            *hits.entry(name).or_default() += found;
        }

        let items = items(&document, module, &mut findings).with_context(|| file.clone())?;
        let text = format::file(&origin, document["info"]["description"].as_str(), items)?;
        writeln!(summary, "read {file}: {published} schemas")?;
        plan.add(format!("{TYPES}/{}.rs", module.name), text);
        table.extend(document::schemas(&document).map(|(schema, _)| (module.name, module.document, schema.clone())));
    }
    plan.add(format!("{TESTS}/mod.rs"), format::file("openapi/contract", None, types::table(&table))?);
    for directory in [TYPES, TESTS, BENCHES] {
        plan.nothing_else_in(root, directory)?;
    }

    for overlay in overlays.iter().filter(|overlay| !MODULES.iter().any(|module| overlay.extends(module.document))) {
        findings.stale.push(format!("{} extends no contract file that code is generated from", overlay.file));
    }
    let idle = hits.iter().filter(|(_, found)| **found == 0);
    findings.stale.extend(idle.map(|(name, _)| format!("pass `{name}` finds nothing to do in the whole contract")));
    findings.report(allow_stale, &mut summary)?;
    Ok(Generated { plan, summary: summary.trim_end().to_owned() })
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

fn items(document: &Value, module: &Module, findings: &mut Findings) -> Result<TokenStream> {
    let mut docs = Docs { module: module.name, undocumented: &mut findings.undocumented };
    let enums: Vec<OpenEnum> = match document.get(ENUMS) {
        Some(enums) => serde_json::from_value(enums.clone())?,
        None => Vec::new(),
    };
    check_names(document, &enums)?;
    for open in &enums {
        let described = open.descriptions.keys().filter(|value| !open.values.contains(value));
        findings.stale.extend(
            described.map(|value| format!("openapi/overlays describe `{value}`, which is no value of {}", open.name)),
        );
    }
    let mut tokens = types::structs(document, &mut docs)?;
    let events: Option<Vec<Event>> =
        document.get(EVENTS).map(|events| serde_json::from_value(events.clone())).transpose()?;
    // A list of the types in the contract is what we have of our own.
    let (types, enums): (Vec<_>, Vec<_>) =
        enums.into_iter().partition(|open| events.is_some() && open.name == "NotificationType");
    for open in &enums {
        tokens.extend(enums::open_enum(open, &mut docs)?);
    }
    if let Some(events) = events {
        let values = types.into_iter().flat_map(|listed| listed.values).collect();
        tokens.extend(events::events(&events, values, document, &mut docs)?);
    }
    Ok(tokens)
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
    undocumented: &'a mut Vec<String>,
}

impl Docs<'_> {
    /// The words for an item; where there are none, these say so.
    fn of(&mut self, item: &str, words: Option<&str>) -> String {
        match words.map(str::trim).filter(|words| !words.is_empty()) {
            Some(words) => words.to_owned(),
            None => {
                self.undocumented.push(format!("{}::{item}", self.module));
                "Not documented yet: the contract has it, and our words for it are still to be written.".to_owned()
            }
        }
    }
}
