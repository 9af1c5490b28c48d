//! Converts published files into documents whose references all lead to components.
//!
//! A reference may lead to a whole file, or to any place in one. The value there becomes a component of that file, in
//! the section that the reference needs. Later modules then only have to know components.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context as _, Result, bail};
use heck::ToPascalCase as _;
use serde_json::{Value, json};

use crate::bundle::{self, Component, Tree};
use crate::canonical::{self, stem};
use crate::dialect;
use crate::document;
use crate::keywords::among;

/// The sections of components, except schemas.
const SECTIONS: [&str; 8] =
    ["callbacks", "headers", "links", "parameters", "pathItems", "requestBodies", "responses", "securitySchemes"];

/// Reads files, and those that they refer to. `read` finds a file, which may be absent if nothing asks for it.
pub(crate) struct Files<R> {
    read: R,
    words: bool,
    /// Whether a reference to an unpublished file stands for any value.
    allow_missing: bool,
    raw: BTreeMap<String, Value>,
    tree: Tree,
    /// The place in its file of each value that becomes a component.
    places: BTreeMap<Component, String>,
    /// The parts of files, or whole files, that are not in the tree yet.
    waiting: VecDeque<(String, Option<Component>)>,
    notes: Vec<String>,
}

impl<R: FnMut(&str, Option<&str>) -> Result<Option<Value>>> Files<R> {
    pub(crate) fn new(words: bool, allow_missing: bool, read: R) -> Self {
        Self {
            read,
            words,
            allow_missing,
            raw: BTreeMap::new(),
            tree: Tree::new(),
            places: BTreeMap::new(),
            waiting: VecDeque::new(),
            notes: Vec::new(),
        }
    }

    /// Reads a document and all that it leads to. Returns `false` if the document is missing and optional.
    pub(crate) fn add(&mut self, path: &str, by: Option<&str>) -> Result<bool> {
        if !self.load(path, by)? {
            return Ok(false);
        }
        document::check_version(path, &self.raw[path])?;
        while let Some((file, part)) = self.waiting.pop_front() {
            self.take(&file, part.as_ref())?;
        }
        Ok(true)
    }

    /// Returns the documents, and notes about them.
    pub(crate) fn finish(self) -> (Tree, Vec<String>) {
        (self.tree, self.notes)
    }

    /// Reads a file. The tree takes a document as a whole, and from any other file the parts that something refers to.
    fn load(&mut self, path: &str, by: Option<&str>) -> Result<bool> {
        if self.raw.contains_key(path) {
            return Ok(true);
        }
        let Some(document) = (self.read)(path, by)? else { return Ok(false) };
        if document.get("openapi").is_some() {
            document::check_version(path, &document)?;
            self.waiting.push_back((path.to_owned(), None));
        }
        self.raw.insert(path.to_owned(), document);
        self.tree.insert(path.to_owned(), json!({}));
        Ok(true)
    }

    fn take(&mut self, file: &str, part: Option<&Component>) -> Result<()> {
        let raw = &self.raw[file];
        let mut document = match part {
            None => raw.clone(),
            Some(part) => json!({
                "openapi": raw.get("openapi").unwrap_or(&json!("3.1.0")),
                "components": { &part.section: { &part.name: raw.pointer(&self.places[part]) } },
            }),
        };
        dialect::convert(&mut document);
        document::check_structure(file, &document)?;
        canonical::strip(file, &mut document, self.words);
        self.localize(file, &mut document, part)?;
        let known = self.tree.entry(file.to_owned()).or_default();
        match part {
            None => *known = document,
            Some(Component { section, name, .. }) => {
                known["components"][section][name] = document["components"][section][name].take();
            }
        }
        Ok(())
    }

    /// Makes every reference lead to a component, and queues that component.
    fn localize(&mut self, file: &str, document: &mut Value, part: Option<&Component>) -> Result<()> {
        for (place, reference, keyword) in document::published_refs(document) {
            let section = section(&keyword);
            let by = || format!("{file}: at {place}");
            let (path, pointer) = reference.split_once('#').unwrap_or((&reference, ""));
            let target =
                if path.is_empty() { Ok(file.to_owned()) } else { bundle::beside(file, &document::unescaped(path)) };
            let target = match target {
                Err(_) if self.allow_missing && section != "parameters" => {
                    let note = "is not published, and is read as any value";
                    self.notes.push(format!("warning: {file}: at {place}: `{reference}` {note}"));
                    let holder = place.strip_suffix("/$ref").and_then(|holder| document.pointer_mut(holder));
                    holder.into_iter().for_each(|holder| *holder = json!({}));
                    continue;
                }
                target => target.with_context(by)?,
            };
            self.load(&target, Some(&format!("{file} at {place}")))?;
            let here = part.map_or(&place, |part| &self.places[part]);
            let Some(pointer) = find(&self.raw[&target], here, &document::unescaped(pointer)) else {
                bail!("{}: `{reference}` refers to nothing", by());
            };
            let Component { section, name, .. } = self.name(target, section.to_owned(), pointer).with_context(by)?;
            document::set(document, &place, format!("{path}{}", bundle::pointer(&section, &name)));
        }
        Ok(())
    }

    /// Returns the component that has the value at a place of a file. A file that is not a document names its parts.
    fn name(&mut self, file: String, section: String, place: String) -> Result<Component> {
        let raw = &self.raw[&file];
        let keys: Vec<String> = place.split('/').skip(1).map(document::key).collect();
        let name = match (keys.as_slice(), raw.get("openapi")) {
            ([first, section, name], Some(_)) if first == "components" => {
                return Ok(Component { section: section.clone(), name: name.clone(), file });
            }
            ([], Some(_)) => bail!("{file} is a document: say which part of it, such as #/components/schemas/Name"),
            ([], None) => stem(&file).to_pascal_case(),
            ([.., name], None) => name.clone(),
            (keys, Some(_)) => {
                let keys = keys.iter().filter(|key| !among("components schemas properties $defs", key));
                keys.map(|key| key.to_pascal_case()).collect()
            }
        };
        // A place inside a document has no name of its own, and gives way to a component that has.
        let is_named = raw.get("openapi").is_none();
        let mut component = Component { section, name, file };
        for number in 2.. {
            let Component { section, name, file } = &component;
            let published = format!("/components/{section}/{name}");
            let published = raw.get("openapi").and(raw.pointer(&published)).map(|_| published);
            match self.places.get(&component).cloned().or(published) {
                Some(known) if raw.pointer(&known) == raw.pointer(&place) => break,
                Some(known) if is_named => {
                    bail!("`{place}` and `{known}` of {file} would both be the component `{name}`");
                }
                Some(_) => component.name = format!("{}{number}", name.trim_end_matches(|c: char| c.is_ascii_digit())),
                None => {
                    self.waiting.push_back((file.clone(), Some(component.clone())));
                    self.places.insert(component.clone(), place);
                    break;
                }
            }
        }
        Ok(component)
    }
}

/// Returns the section for values under a keyword.
fn section(keyword: &str) -> &'static str {
    match keyword {
        "requestBody" => "requestBodies",
        "paths" | "webhooks" => "pathItems",
        // The URL of a callback, which is in the request.
        url if url.starts_with('{') => "pathItems",
        _ => SECTIONS.into_iter().find(|section| *section == keyword).unwrap_or("schemas"),
    }
}

/// Returns the place that a pointer means: in the file, or in the component that the reference is in.
fn find(raw: &Value, here: &str, pointer: &str) -> Option<String> {
    let component = here.match_indices('/').nth(3).map_or(here, |(end, _)| &here[..end]);
    ["", component].iter().map(|start| format!("{start}{pointer}")).find(|place| raw.pointer(place).is_some())
}
