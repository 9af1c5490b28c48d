//! Keeps Rust types as they were, where the contract changed and the old type still serves: a `String` holds any value of an
//! enum. `update` writes overlay actions that undo such a change in what code is generated from, so that the release can be a
//! minor one. A maintainer deletes them with the next major release.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Value, json};

use crate::overlay::{Action, OVERLAYS, Overlay};
use crate::{document, lower};

/// How the name of an overlay ends that `update` writes.
pub(crate) const SUFFIX: &str = ".kept.yaml";

type Documents = BTreeMap<String, Value>;

/// Two contracts as Rust types are made of them, before corrections.
pub(crate) struct Kept {
    pub(crate) old: Documents,
    pub(crate) new: Documents,
}

impl Kept {
    /// Keeps what `overlays` keep already, and what `update` would add.
    pub(crate) fn between(old: &Documents, new: &Documents, overlays: &[Overlay]) -> Result<Self> {
        let mut kept = Self { old: old.clone(), new: new.clone() };
        for (name, now) in &mut kept.new {
            let overlays = || overlays.iter().filter(|overlay| overlay.is_kept() && overlay.extends(name));
            overlays().try_for_each(|overlay| overlay.apply(now).map(drop))?;
            let Some(before) = kept.old.get_mut(name) else { continue };
            overlays().try_for_each(|overlay| overlay.apply(before).map(drop))?;
            for action in to_keep(before, now, "") {
                action.apply(now)?;
            }
        }
        Ok(kept)
    }
}

/// The overlays that keep the types of `old` where `new`, which is of the commit `since`, takes its place: for each file its
/// text, or nothing where nothing is kept. An action that was there goes where it changes nothing any more.
pub(crate) fn files(
    old: &Documents,
    new: &Documents,
    overlays: &[Overlay],
    since: &str,
) -> Result<Vec<(String, Option<String>)>> {
    let mut files = Vec::new();
    for (name, document) in new {
        let (kept, others): (Vec<_>, Vec<_>) =
            overlays.iter().filter(|overlay| overlay.extends(name)).partition(|overlay| overlay.is_kept());
        let (mut before, mut now) = (old.get(name).cloned().unwrap_or_default(), document.clone());
        for overlay in others {
            overlay.apply(&mut before)?;
            overlay.apply(&mut now)?;
        }
        let mut actions = String::new();
        for action in kept.iter().flat_map(|overlay| &overlay.actions) {
            action.apply(&mut before)?;
            if action.apply(&mut now)? {
                actions.push_str(&action.to_yaml());
            }
        }
        actions.extend(to_keep(&before, &now, since).iter().map(Action::to_yaml));
        let text = (!actions.is_empty()).then(|| head(name) + &actions);
        files.push((format!("{OVERLAYS}/{name}{SUFFIX}"), text));
    }
    Ok(files)
}

fn head(name: &str) -> String {
    format!(
        "# Keeps Rust types as they were. `cargo xtask update` writes this file: for changes of the contract that the old types\n\
         # can hold, it undoes the change in what code is generated from. For a major release, delete the file, or some of its\n\
         # actions, then `cargo xtask generate`: the types follow the contract again.\n\
         overlay: 1.0.0\ninfo:\n  title: Types of {name} that are kept\n  version: 1.0.0\n\
         extends: ../contract/{name}.json\nactions:\n"
    )
}

/// The actions by which the types of `new` are those of `old`, wherever these can hold what `new` says.
fn to_keep(old: &Value, new: &Value, since: &str) -> Vec<Action> {
    let only_sent = only_sent(old).intersection(&only_sent(new)).cloned().collect();
    let mut keeper = Keeper { new, only_sent, since, actions: Vec::new() };
    keeper.walk("$", old, new, Stands::Anywhere);
    keeper.actions
}

/// The schemas of a published document that its operations send and never receive.
fn only_sent(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let operations = || paths.clone().filter_map(Value::as_object).flat_map(|methods| methods.values());
    let sent = operations().flat_map(|one| [&one["parameters"], &one["requestBody"]]).flat_map(lower::references);
    let received = operations().map(|one| &one["responses"]).flat_map(lower::references);
    let (sent, received) =
        (lower::reachable(document, &sent.collect()), lower::reachable(document, &received.collect()));
    sent.difference(&received).cloned().collect()
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq)]
enum Stands {
    Anywhere,
    /// In a request, and nowhere else.
    Sent,
    /// In a parameter, whose type takes texts and values of an enum alike.
    Parameter,
}

struct Keeper<'a> {
    new: &'a Value,
    only_sent: BTreeSet<String>,
    since: &'a str,
    actions: Vec<Action>,
}

impl Keeper<'_> {
    /// Compares what stands at one place in both documents.
    fn walk(&mut self, path: &str, old: &Value, new: &Value, stands: Stands) {
        let (Some(before), Some(now)) = (old.as_object(), new.as_object()) else { return };
        self.values(path, old, new, stands);
        self.required(path, old, new, stands);
        let is_operation = before.contains_key("responses");
        for (key, was, is) in before.iter().filter_map(|(key, was)| Some((key.as_str(), was, now.get(key)?))) {
            let inner = format!("{path}{}", step(key));
            match (key, was, is) {
                ("enum" | "required" | "default", ..) => {}
                ("requestBody", ..) if is_operation => self.walk(&inner, was, is, Stands::Sent),
                ("parameters", Value::Array(was), Value::Array(is)) => {
                    for is in is {
                        let same = |was: &&Value| was["name"] == is["name"] && was["in"] == is["in"];
                        let (Some(was), Some(name), Some(place)) =
                            (was.iter().find(same), is["name"].as_str(), is["in"].as_str())
                        else {
                            continue;
                        };
                        let inner = format!("{inner}[?@.name == {} && @.in == {}]", quoted(name), quoted(place));
                        self.walk(&inner, was, is, Stands::Parameter);
                    }
                }
                ("allOf", Value::Array(was), Value::Array(is)) if was.len() == is.len() => {
                    for (index, (was, is)) in was.iter().zip(is).enumerate() {
                        self.walk(&format!("{inner}[{index}]"), was, is, stands);
                    }
                }
                (name, ..) if path == "$.components.schemas" && self.only_sent.contains(name) => {
                    self.walk(&inner, was, is, Stands::Sent);
                }
                _ => self.walk(&inner, was, is, stands),
            }
        }
    }

    /// A `String` holds any value of an enum and any time, and an open enum holds any text.
    fn values(&mut self, path: &str, old: &Value, new: &Value, stands: Stands) {
        let is_text = |schema: &Value| schema["type"] == "string";
        let named = new["$ref"].as_str().and_then(document::schema_name);
        let named = named.map_or(&Value::Null, |name| &self.new["components"]["schemas"][name]);
        let takes_both = stands == Stands::Parameter;
        let is_time = |schema: &Value| schema["format"] == "date-time";
        if !is_text(old) {
            return;
        }
        if is_text(new) && !is_time(old) && is_time(new) {
            self.remove(format!("{path}.format"), "it is a time");
        }
        if is_text(named) && !named["enum"].is_null() && old["enum"].is_null() && !takes_both {
            self.remove(format!("{path}['$ref']"), "any string is allowed no more");
            self.update(path, json!({ "type": "string" }), "and so the type stays a string");
        } else if is_text(new) && old["enum"].is_null() && !new["enum"].is_null() && !takes_both {
            self.remove(format!("{path}.enum"), "any string is allowed no more");
        } else if is_text(new) && !old["enum"].is_null() && new["enum"].is_null() {
            self.update(path, json!({ "enum": old["enum"] }), "any string is allowed");
        }
    }

    /// An `Option` holds what is always there, and a request that has what it may leave out is valid.
    fn required(&mut self, path: &str, old: &Value, new: &Value, stands: Stands) {
        if old["required"] == true && new["required"] != true {
            self.update(path, json!({ "required": true }), "it may be left out");
        }
        let names = |schema: &Value| -> BTreeSet<String> {
            let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            names.filter(|name| schema["properties"].get(name).is_some()).map(str::to_owned).collect()
        };
        let (before, now) = (names(old), names(new));
        let is_in = |schema: &Value, name: &str| schema["properties"].get(name).is_some();
        for name in now.difference(&before).filter(|name| stands != Stands::Sent && is_in(old, name)) {
            self.remove(format!("{path}.required[?@ == {}]", quoted(name)), "it is always there");
        }
        for name in before.difference(&now).filter(|name| stands == Stands::Sent && is_in(new, name)) {
            self.update(path, json!({ "required": [name] }), "it may be left out");
        }
    }

    fn remove(&mut self, target: String, what: &str) {
        self.actions.push(Action { target, description: Some(self.words(what)), update: None, remove: true });
    }

    fn update(&mut self, target: &str, update: Value, what: &str) {
        let description = Some(self.words(what));
        self.actions.push(Action { target: target.to_owned(), description, update: Some(update), remove: false });
    }

    fn words(&self, what: &str) -> String {
        format!("Since commit {}, {what}.", self.since)
    }
}

/// A step of a JSON path.
fn step(key: &str) -> String {
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match is_plain && key.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => format!(".{key}"),
        false => format!("[{}]", quoted(key)),
    }
}

/// A text in a JSON path.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
