//! Published files, each as a document whose references all lead to components.
//!
//! A reference may lead to a whole file, or to any place in one. What stands there becomes a component of that file, in
//! the section that the reference asks for, so that what comes after knows components alone.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context as _, Result, bail};
use heck::ToPascalCase as _;
use serde_json::{Value, json};

use crate::bundle::{self, Tree};
use crate::canonical::{self, stem};
use crate::{dialect, document};

/// Reads files, and what they refer to. `read` finds a file; one that nothing asks for may be absent.
pub(crate) struct Files<R> {
    read: R,
    words: bool,
    /// Whether a reference to what is not published stands for any value.
    allow_missing: bool,
    raw: BTreeMap<String, Value>,
    tree: Tree,
    /// Where each component stands in its file, by file, section and name.
    places: BTreeMap<(String, String, String), String>,
    /// What is to be taken into the tree: a file's part, or without one the file.
    waiting: VecDeque<(String, Option<Part>)>,
    notes: Vec<String>,
}

/// What is to be a component, and where it stands in its file.
struct Part {
    section: String,
    name: String,
    place: String,
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

    /// Reads a document and all that it leads to; `false` where it is not there and need not be.
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

    /// The documents, and what there is to say about them.
    pub(crate) fn finish(self) -> (Tree, Vec<String>) {
        (self.tree, self.notes)
    }

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

    fn take(&mut self, file: &str, part: Option<&Part>) -> Result<()> {
        let raw = &self.raw[file];
        let mut document = match part {
            None => raw.clone(),
            Some(Part { section, name, place }) => json!({
                "openapi": raw.get("openapi").unwrap_or(&json!("3.1.0")),
                "components": { section: { name: raw.pointer(place) } },
            }),
        };
        dialect::convert(file, &mut document, &mut self.notes);
        document::check_structure(file, &document)?;
        canonical::strip(file, &mut document, self.words);
        self.localize(file, &mut document, part)?;
        let known = self.tree.entry(file.to_owned()).or_default();
        match part {
            None => *known = document,
            Some(Part { section, name, .. }) => {
                known["components"][section][name] = document["components"][section][name].take();
            }
        }
        Ok(())
    }

    /// Makes every reference lead to a component, which waits to be taken.
    fn localize(&mut self, file: &str, document: &mut Value, part: Option<&Part>) -> Result<()> {
        let mut references = Vec::new();
        document::for_each_ref(document, &mut |place, reference| {
            references.extend(
                document::keyword(place)
                    .map(|keyword| (place.to_owned(), reference.to_owned(), section(keyword).to_owned())),
            );
            Ok(())
        })?;
        for (place, reference, section) in references {
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
            let here = part.map_or(&place, |part| &part.place);
            let Some(pointer) = find(&self.raw[&target], here, &document::unescaped(pointer)) else {
                bail!("{}: `{reference}` refers to nothing", by());
            };
            let (section, name) = self.name(&target, section, pointer).with_context(by)?;
            bundle::set(document, &place, format!("{path}{}", bundle::pointer(&section, &name)));
        }
        Ok(())
    }

    /// The section and the name of what stands at a place of a file.
    fn name(&mut self, file: &str, section: String, place: String) -> Result<(String, String)> {
        let raw = &self.raw[file];
        let keys: Vec<String> = place.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
        let is_document = raw.get("openapi").is_some();
        if let [first, section, name] = keys.as_slice()
            && first == "components"
            && is_document
        {
            return Ok((section.clone(), name.clone()));
        }
        let short = match keys.as_slice() {
            [] => stem(file).to_pascal_case(),
            [name] | [_, name] if !is_document => name.clone(),
            [.., holder, name] if document::NAMED.contains(&holder.as_str()) && holder != "properties" => name.clone(),
            _ => String::new(),
        };
        let words =
            keys.iter().skip_while(|key| ["components", "schemas", "definitions", "$defs"].contains(&key.as_str()));
        let words: Vec<&str> = words.map(String::as_str).filter(|key| !["properties", "$defs"].contains(key)).collect();
        let mut other = String::new();
        for name in [short, words.join(" ").to_pascal_case()] {
            let key = (file.to_owned(), section.clone(), name.clone());
            let published = bundle::pointer(&section, &name).trim_start_matches('#').to_owned();
            let known = self.places.get(&key).cloned().or_else(|| raw.pointer(&published).map(|_| published));
            match known.filter(|known| *known != place) {
                _ if name.is_empty() => continue,
                Some(known) if raw.pointer(&known) != raw.pointer(&place) => other = known,
                _ => {
                    if self.places.insert(key, place.clone()).is_none() {
                        let part = Part { section: section.clone(), name: name.clone(), place };
                        self.waiting.push_back((file.to_owned(), Some(part)));
                    }
                    return Ok((section, name));
                }
            }
        }
        bail!("`{place}` and `{other}` of {file} would have one name")
    }
}

/// The section that holds what may stand under a keyword.
fn section(keyword: &str) -> &str {
    match keyword {
        "parameters" | "responses" | "headers" | "requestBodies" | "callbacks" | "links" | "securitySchemes" => keyword,
        "requestBody" => "requestBodies",
        "paths" | "webhooks" | "pathItems" => "pathItems",
        _ => "schemas",
    }
}

/// The place that a pointer means. One to definitions may count from the schema that has them.
fn find(raw: &Value, here: &str, pointer: &str) -> Option<String> {
    let starts = std::iter::once("").chain(here.rmatch_indices('/').map(|(end, _)| &here[..end]));
    let starts = starts.chain([here]);
    let is_own = ["/$defs/", "/definitions/"].iter().any(|own| pointer.starts_with(own));
    starts
        .map(|start| format!("{start}{pointer}"))
        .take(if is_own { usize::MAX } else { 1 })
        .find(|place| raw.pointer(place).is_some())
}
