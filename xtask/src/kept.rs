//! Keeps Rust types as they were, where the contract changed and the old type still serves: a `String` holds any value
//! of an enum. `update` writes overlay actions that undo such changes before code is generated, so that the release can
//! be a minor one. A maintainer deletes the actions with the next major release.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use crate::document;
use crate::graph::reachable;
use crate::model::Documents;
use crate::overlay::{Action, KEPT, OVERLAYS, Overlay};
use crate::project::Project;

/// Two contracts with the actions that keep types applied, but without corrections.
pub(crate) struct Kept {
    pub(crate) old: Documents,
    pub(crate) new: Documents,
}

impl Kept {
    /// Applies the actions that `overlays` have already, and those that `update` would add.
    pub(crate) fn between(old: &Documents, new: &Documents, overlays: &[Overlay], project: &Project) -> Result<Self> {
        let mut kept = Self { old: old.clone(), new: new.clone() };
        let received = received(old.iter().chain(new), project);
        for (name, now) in &mut kept.new {
            let overlays = || overlays.iter().filter(|overlay| overlay.is_kept() && overlay.extends(name));
            overlays().try_for_each(|overlay| overlay.apply(now).map(drop))?;
            let Some(before) = kept.old.get_mut(name) else { continue };
            overlays().try_for_each(|overlay| overlay.apply(before).map(drop))?;
            for action in to_keep(before, now, &received, "") {
                action.apply(now)?;
            }
        }
        Ok(kept)
    }
}

/// Returns the overlays that keep the types of `old` when `new`, of the commit `since`, replaces it: the text of each
/// file, or `None` if nothing is kept. Existing actions that no longer change anything are dropped.
pub(crate) fn files(
    old: &Documents,
    new: &Documents,
    overlays: &[Overlay],
    since: &str,
    project: &Project,
) -> Result<Vec<(String, Option<String>)>> {
    let (received, mut files) = (received(old.iter().chain(new), project), Vec::new());
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
        actions.extend(to_keep(&before, &now, &received, since).iter().map(Action::to_yaml));
        let text = (!actions.is_empty()).then(|| head(name) + &actions);
        files.push((format!("{OVERLAYS}/{name}{KEPT}"), text));
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

/// Returns the actions that give `new` the types of `old`, wherever these can hold the values of `new`.
fn to_keep(old: &Value, new: &Value, received: &BTreeSet<String>, since: &str) -> Vec<Action> {
    let mut keeper = Keeper { new, received, since, actions: Vec::new() };
    keeper.walk("$", old, new, Stands::Anywhere);
    keeper.actions
}

/// Returns the names of the schemas that someone receives: from an operation, or in a module of types.
fn received<'a>(documents: impl Iterator<Item = (&'a String, &'a Value)>, project: &Project) -> BTreeSet<String> {
    let mut received = BTreeSet::new();
    for (name, document) in documents {
        if project.module(name).is_some() {
            received.extend(document::schemas(document).map(|(name, _)| name.clone()));
        }
        let paths = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
        let operations = paths.filter_map(Value::as_object).flat_map(|methods| methods.values());
        let start = operations.flat_map(|operation| document::referred(&operation["responses"]));
        let found = reachable(start, |name| document::referred(&document["components"]["schemas"][name]));
        received.extend(found.into_iter().map(str::to_owned));
    }
    received
}

/// Whether a schema says that a value is an object, and nothing else about it.
fn is_opaque(schema: &Value) -> bool {
    const MORE: [&str; 6] = ["$ref", "allOf", "anyOf", "not", "oneOf", "properties"];
    schema["type"] == "object"
        && !schema["additionalProperties"].is_object()
        && MORE.iter().all(|key| schema.get(key).is_none())
}

/// Where a value occurs.
#[derive(Clone, Copy, PartialEq)]
enum Stands {
    Anywhere,
    /// Only in requests.
    Sent,
    /// In a parameter, whose type takes strings and values of an enum alike.
    Parameter,
}

struct Keeper<'a> {
    new: &'a Value,
    received: &'a BTreeSet<String>,
    since: &'a str,
    actions: Vec<Action>,
}

impl Keeper<'_> {
    /// Compares the values at the same place of both documents.
    fn walk(&mut self, path: &str, old: &Value, new: &Value, stands: Stands) {
        let (Some(before), Some(now)) = (old.as_object(), new.as_object()) else { return };
        self.values(path, old, new, stands);
        if is_opaque(old) && new["type"] == "object" && new["properties"].is_object() {
            self.remove(format!("{path}.properties"), "an object of known fields");
            return;
        }
        // A map is valid where any object is.
        if stands == Stands::Sent && old["additionalProperties"].is_object() && is_opaque(new) {
            self.update(path, json!({ "additionalProperties": old["additionalProperties"] }), "any object");
        }
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
                    // A part that does not describe its fields is not a value by itself.
                    for (index, (was, is)) in was.iter().zip(is).enumerate().filter(|(_, (was, _))| !is_opaque(was)) {
                        self.walk(&format!("{inner}[{index}]"), was, is, stands);
                    }
                }
                (name, ..) if path == "$.components.schemas" && !self.received.contains(name) => {
                    self.walk(&inner, was, is, Stands::Sent);
                }
                _ => self.walk(&inner, was, is, stands),
            }
        }
    }

    /// Keeps a `String`, which holds any value of an enum and any time, and an open enum, which holds any string.
    fn values(&mut self, path: &str, old: &Value, new: &Value, stands: Stands) {
        let is_text = |schema: &Value| schema["type"] == "string";
        let named = new["$ref"].as_str().and_then(document::schema_name);
        let named = named.map_or(&Value::Null, |name| &self.new["components"]["schemas"][name]);
        let is_time = |schema: &Value| schema["format"] == "date-time";
        let (was, is) = (!old["enum"].is_null(), !new["enum"].is_null());
        let comes = !was && stands != Stands::Parameter;
        if !is_text(old) {
            return;
        }
        if is_text(new) && !is_time(old) && is_time(new) {
            self.remove(format!("{path}.format"), "a time");
        }
        if is_text(named) && !named["enum"].is_null() && (was || comes) {
            let inline =
                if was { json!({ "type": "string", "enum": old["enum"] }) } else { json!({ "type": "string" }) };
            self.remove(format!("{path}['$ref']"), "one of a list of values that has a name");
            self.update(path, inline, "one of a list of values that has a name");
        } else if is_text(new) && comes && is {
            self.remove(format!("{path}.enum"), "one of a list of values");
        } else if is_text(new) && was && !is {
            self.update(path, json!({ "enum": old["enum"] }), "any string");
        }
    }

    /// Keeps the `Option` of a field that is now always there, and the argument that a request may now leave out.
    fn required(&mut self, path: &str, old: &Value, new: &Value, stands: Stands) {
        if old["required"] == true && new["required"] != true {
            self.update(path, json!({ "required": true }), "optional");
        }
        fn names(schema: &Value) -> BTreeSet<&str> {
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        }
        let (before, now) = (names(old), names(new));
        let is_in = |schema: &Value, name: &str| schema["properties"].get(name).is_some();
        // The field is an `Items` anyway.
        let is_list = |name: &str| new["properties"][name]["type"] == "array";
        for name in now.difference(&before).filter(|name| stands != Stands::Sent && is_in(old, name) && !is_list(name))
        {
            self.remove(format!("{path}.required[?@ == {}]", quoted(name)), "required");
        }
        for name in before.difference(&now).filter(|name| stands == Stands::Sent && is_in(new, name)) {
            self.update(path, json!({ "required": [name] }), "optional");
        }
    }

    fn remove(&mut self, target: String, what: &str) {
        self.actions.push(Action { target, description: Some(self.words(what)), remove: true, ..Action::default() });
    }

    fn update(&mut self, target: &str, update: Value, what: &str) {
        let description = Some(self.words(what));
        self.actions.push(Action { target: target.to_owned(), description, update: Some(update), ..Action::default() });
    }

    fn words(&self, what: &str) -> String {
        format!("Since commit {}: {what}", self.since)
    }
}

/// Returns a step of a JSON path.
fn step(key: &str) -> String {
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match is_plain && key.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => format!(".{key}"),
        false => format!("[{}]", quoted(key)),
    }
}

/// Returns a string literal of a JSON path.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the targets of the actions that keep types in a document of the client.
    fn kept(old: &Value, new: &Value) -> Vec<String> {
        let documents = |document: &Value| Documents::from([("api".to_owned(), document.clone())]);
        let (old, new) = (documents(old), documents(new));
        let received = received(old.iter().chain(&new), &Project::default());
        to_keep(&old["api"], &new["api"], &received, "c").into_iter().map(|action| action.target).collect()
    }

    /// Returns a document with the same schema twice: one is received, and one is only sent.
    fn api(schema: Value, parameters: Value) -> Value {
        let body = |name: &str| json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } });
        json!({
            "paths": { "/a": { "post": { "parameters": parameters, "requestBody": body("Sent"), "responses": { "200": body("Got") } } } },
            "components": { "schemas": { "Sent": schema, "Got": schema } },
        })
    }

    #[test]
    fn what_is_kept_depends_on_who_has_the_value() {
        let object =
            |required: Value| json!({ "required": required, "properties": { "a": {}, "l": { "type": "array" } } });
        let map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        let any = json!({ "type": "object", "additionalProperties": true });
        for (old, new, expected) in [
            (object(json!([])), object(json!(["a", "l"])), "Got.required[?@ == 'a']"),
            (object(json!(["a"])), object(json!([])), "Sent"),
            (map, any, "Sent"),
        ] {
            let kept = kept(&api(old, json!([])), &api(new, json!([])));
            assert_eq!(kept, [format!("$.components.schemas.{expected}")]);
        }
    }

    #[test]
    fn a_part_of_an_object_may_have_more_fields() {
        let parts = |part: Value| api(json!({ "allOf": [part] }), json!([]));
        let fields = json!({ "type": "object", "properties": { "a": {} } });
        assert_eq!(kept(&parts(json!({ "type": "object" })), &parts(fields)), Vec::<String>::new());
    }

    #[test]
    fn a_parameter_is_known_by_its_name() {
        let parameter = |name: &str, schema: Value| json!({ "name": name, "in": "query", "schema": schema });
        let (text, values) = (json!({ "type": "string" }), json!({ "type": "string", "enum": ["a"] }));
        let one = |schema: &Value| api(json!({}), json!([parameter("it's", schema.clone())]));
        let two =
            |schema: &Value| api(json!({}), json!([parameter("b", text.clone()), parameter("it's", schema.clone())]));
        assert_eq!(kept(&one(&text), &two(&values)), Vec::<String>::new());
        let target = r"$.paths['/a'].post.parameters[?@.name == 'it\'s' && @.in == 'query'].schema";
        assert_eq!(kept(&one(&values), &two(&text)), [target]);
        let action = Action {
            target: target.to_owned(),
            description: None,
            update: Some(json!({ "enum": ["a"] })),
            ..Action::default()
        };
        assert!(action.apply(&mut two(&text)).expect("a path"));
    }
}
