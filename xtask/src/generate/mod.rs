//! Generates Rust code from the model, in memory.
//!
//! `ty` has the types. `structs`, `enums` and `events` generate the items of a module. `requests` says what code needs of
//! an operation. `client` builds the client with `operations`, `users`, `samples` and `mocks`. `tables` is for the tests.

mod client;
mod enums;
mod events;
mod format;
mod mocks;
mod operations;
mod requests;
mod samples;
mod structs;
mod tables;
#[cfg(test)]
mod tests;
mod ty;
mod users;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use structs::Struct;
use tables::{Typed, Types};

use crate::document;
use crate::model::{Context, Document, Enum, Module, names};
use crate::output::{self, Plan};
use crate::overlay::Overlay;
use crate::project::Project;
use crate::sources::{CONTRACT, Lock};

/// The files that `generate` would write, and its summary.
pub(crate) struct Generated {
    pub(crate) plan: Plan,
    pub(crate) summary: String,
}

/// Findings that are reported at the end.
#[derive(Default)]
struct Findings {
    /// Overlay actions and steps that match nothing.
    stale: Vec<String>,
    /// Operations that the client cannot express.
    left_out: Vec<String>,
    /// Items of the generated code that no overlay describes.
    undocumented: Vec<String>,
}

pub(crate) fn generate(root: &Path, allow_stale: bool) -> Result<Generated> {
    let project = Project::load(root)?;
    let mut generator = Generator {
        root,
        allow_stale,
        project: &project,
        overlays: Overlay::load_all(root)?,
        lock: Lock::load(root)?,
        plan: Plan::default(),
        types: Types::default(),
        steps: BTreeMap::new(),
        findings: Findings::default(),
        summary: String::new(),
        documents: serde_json::Map::new(),
    };
    let mut modules = Vec::new();
    for module in &project.modules {
        if names::fit(names::snake(&module.name), "", "") != module.name {
            bail!("openapi/project.toml: `{}` is not the name of a module in Rust", module.name);
        }
        let Contract { file, origin, published, mut document } = generator.read(&module.document)?;
        if let Some(bench) = &project.bench
            && document.schemas.contains_key(&bench.schema)
        {
            let published = generator.text(&module.document)?;
            let items = structs::plain(&published, &bench.schema)?;
            generator.write(format!("{}/plain.rs", bench.folder), &origin, None, items)?;
        }
        let path = project.types.path(&module.name);
        let context = Context { project: &project, path: &path, shared: &BTreeMap::new() };
        document.take_steps(&context).with_context(|| file.clone())?;
        generator.count(&document);

        let mut docs = Docs::of_module(&module.name, &project, &mut generator.findings);
        let structs = structs::structs(&document, |_| module.sent)?;
        let items = items(&document, &structs, &mut docs).with_context(|| file.clone())?;
        let words = document.words.clone().unwrap_or_else(|| format!("What `{}` describes.", module.document));
        generator.write(format!("{}/{}.rs", project.types.folder, module.name), &origin, Some(&words), items)?;
        let typed = |schema: &String| Typed::new(&path, module.document.clone(), schema, &document);
        // Schemas inside another schema or an event have no name in the contract.
        let schemas = document.schemas.keys().map(typed).filter(|one| published.schemas.contains_key(&one.schema));
        generator.types.schemas.extend(schemas);
        generator.types.structs.extend(structs.iter().map(|one| (path.clone(), one.name.clone())));
        modules.push(Module::new(&path, published, &document, &project));
    }
    if !project.types.folder.is_empty() {
        let names = project.modules.iter().map(|module| format_ident!("{}", module.name));
        let items = quote! { #(pub mod #names;)* };
        generator.write(format!("{}/mod.rs", project.types.folder), "openapi/project.toml", None, items)?;
    }
    client::generate(&mut generator, &modules)?;
    if !project.tests.is_empty() {
        let items = tables::table(&generator.types, &project);
        generator.write(format!("{}/mod.rs", project.tests), "openapi/contract", None, items)?;
    }
    if let Some(samples) = &project.samples {
        let text = lines(&Value::from(std::mem::take(&mut generator.documents)), 0);
        generator.plan.add(format!("{}/contract.json", samples.folder), text + "\n");
    }
    for directory in project.folders() {
        generator.plan.nothing_else_in(root, &directory)?;
    }
    generator.finish()
}

/// Returns JSON with a line for each path and each schema, so that a change of one is one line of a diff.
fn lines(value: &Value, depth: usize) -> String {
    const DEEPEST: usize = 4;
    match value.as_object() {
        Some(members) if depth < DEEPEST && !members.is_empty() => {
            let line =
                |(key, value): (&String, &Value)| format!("{}:{}", Value::from(key.as_str()), lines(value, depth + 1));
            format!("{{\n{}\n}}", members.iter().map(line).collect::<Vec<_>>().join(",\n"))
        }
        _ => value.to_string(),
    }
}

/// The inputs of the generator, and what it has found so far.
struct Generator<'a> {
    root: &'a Path,
    allow_stale: bool,
    project: &'a Project,
    overlays: Vec<Overlay>,
    lock: Lock,
    plan: Plan,
    types: Types,
    steps: BTreeMap<&'static str, usize>,
    findings: Findings,
    summary: String,
    /// The documents by name, with all overlays applied except kept ones.
    documents: serde_json::Map<String, Value>,
}

/// A document of the contract.
struct Contract {
    file: String,
    /// The file, and its commit.
    origin: String,
    published: Document,
    /// The document with its overlays applied.
    document: Document,
}

impl Generator<'_> {
    /// Returns a document as published; `null` for a missing one with `allow_stale`.
    fn text(&self, name: &str) -> Result<Value> {
        let file = format!("{CONTRACT}/{name}.json");
        if self.allow_stale && !self.root.join(&file).exists() {
            return Ok(Value::Null);
        }
        document::read(&file, output::read(self.root, &file)?.as_bytes())
    }

    fn read(&mut self, name: &str) -> Result<Contract> {
        let (file, mut text) = (format!("{CONTRACT}/{name}.json"), self.text(name)?);
        format::tame(&mut text);
        if text.is_null() {
            self.findings.stale.push(format!("{file} is not there, and nothing is made of it"));
        }
        document::check_refs(&file, &text)?;
        document::check_schema_refs(&file, &text)?;
        writeln!(self.summary, "read {file}: {} schemas", document::schemas(&text).count())?;
        let commit = self.lock.contract.get(&format!("{name}.json")).and_then(|known| known.since.as_deref());
        let origin = format!("{file}, which is as of commit {}", commit.unwrap_or("unknown"));
        let published = Document::alone(name, &text);
        let (kept, own): (Vec<_>, Vec<_>) =
            self.overlays.iter().filter(|overlay| overlay.extends(name)).partition(|overlay| overlay.is_kept());
        for overlay in own {
            self.findings.stale.extend(overlay.apply(&mut text)?);
        }
        self.documents.insert(name.to_owned(), text.clone());
        for overlay in kept {
            self.findings.stale.extend(overlay.apply(&mut text)?);
        }
        let mut document = Document::alone(name, &text);
        document.tell_apart();
        if let Some(problem) = document.problems.first() {
            bail!("{file}: {problem}");
        }
        Ok(Contract { file, origin, published, document })
    }

    /// Adds a file of code to the plan.
    fn write(&mut self, path: String, origin: &str, words: Option<&str>, items: TokenStream) -> Result<()> {
        self.plan.add(path, format::file(origin, words, items)?);
        Ok(())
    }

    fn count(&mut self, document: &Document) {
        for (step, count) in &document.steps {
            *self.steps.entry(step).or_default() += count;
        }
    }

    fn finish(mut self) -> Result<Generated> {
        let used = |overlay: &Overlay| self.project.documents().any(|document| overlay.extends(document));
        // `diff` reads all kept overlays.
        for overlay in self.overlays.iter().filter(|overlay| !used(overlay) && !overlay.is_kept()) {
            let stale = format!("{} extends no contract file that code is generated from", overlay.file);
            self.findings.stale.push(stale);
        }
        let idle =
            self.project.steps.iter().filter(|name| self.steps.get(name.as_str()).is_none_or(|found| *found == 0));
        let idle = idle.map(|name| format!("step `{name}` finds nothing to do in the whole contract"));
        self.findings.stale.extend(idle);
        self.findings.report(self.allow_stale, &mut self.summary)?;
        Ok(Generated { plan: self.plan, summary: self.summary.trim_end().to_owned() })
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
        for line in self.stale.iter().chain(&self.left_out) {
            writeln!(summary, "warning: {line}")?;
        }
        for item in &self.undocumented {
            writeln!(summary, "warning: {item} is not documented in openapi/overlays")?;
        }
        Ok(())
    }
}

/// Returns the items of a module: structs, enums and events.
fn items(document: &Document, structs: &[Struct<'_>], docs: &mut Docs<'_>) -> Result<TokenStream> {
    for open in &document.enums {
        let described = open.value_words.keys().filter(|value| !open.values.contains(value));
        docs.findings.stale.extend(
            described.map(|value| format!("openapi/overlays describe `{value}`, which is no value of {}", open.name)),
        );
    }
    let (mut items, end) = structs::tokens(structs, document, docs)?;
    // A list of the event types in the contract becomes a part of our own enum.
    let event = docs.project.event.as_ref().filter(|_| !document.events.is_empty());
    let (lists, enums): (Vec<&Enum>, Vec<&Enum>) =
        document.enums.iter().partition(|open| event.is_some_and(|event| event.list == open.name));
    for open in enums {
        items.extend(enums::open_enum(open, docs)?);
    }
    if let Some(event) = event {
        let listed = lists.into_iter().flat_map(|open| open.values.clone());
        items.extend(events::events(document, structs, listed.collect(), event, docs)?);
    }
    items.extend(end);
    Ok(items)
}

/// The documentation of a module's items, and what is found while they are generated.
struct Docs<'a> {
    module: &'a str,
    project: &'a Project,
    findings: &'a mut Findings,
    /// For each type, the operations that send or receive it.
    users: BTreeMap<String, String>,
}

impl<'a> Docs<'a> {
    fn of_module(module: &'a str, project: &'a Project, findings: &'a mut Findings) -> Self {
        Self { module, project, findings, users: BTreeMap::new() }
    }

    /// Returns the documentation of an item, or a placeholder if it has none.
    fn of(&mut self, item: &str, words: Option<&str>) -> String {
        let words = words.map(str::trim).filter(|words| !words.is_empty());
        if words.is_none() {
            self.findings.undocumented.push(format!("{}::{item}", self.module));
        }
        let words =
            words.unwrap_or("Not documented yet: the contract has it, and our words for it are still to be written.");
        match self.users.get(item) {
            Some(users) => format!("{words}\n\n{users}"),
            None => words.to_owned(),
        }
    }
}
