//! OpenAPI Overlay 1.0: our corrections and our documentation of the contract.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json_path::{JsonPath, NormalizedPath};

use crate::sources::CONTRACT;
use crate::{document, output};

pub(crate) const OVERLAYS: &str = "openapi/overlays";
/// The end of the names of the overlays that `update` writes.
pub(crate) const KEPT: &str = ".kept.yaml";

#[derive(Deserialize)]
pub(crate) struct Overlay {
    overlay: String,
    #[expect(dead_code, reason = "required by the specification, of no use here")]
    info: Value,
    extends: String,
    pub(crate) actions: Vec<Action>,
    /// The path, for messages.
    #[serde(skip)]
    pub(crate) file: String,
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Action {
    pub(crate) target: String,
    pub(crate) description: Option<String>,
    /// `null` is an update too.
    #[serde(default, deserialize_with = "some")]
    pub(crate) update: Option<Value>,
    #[serde(default)]
    pub(crate) remove: bool,
    #[serde(flatten)]
    pub(crate) more: BTreeMap<String, Value>,
}

fn some<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

/// Refuses members that the specification does not have, except extensions.
fn check_more(place: &str, more: &BTreeMap<String, Value>) -> Result<()> {
    match more.keys().find(|name| !name.starts_with("x-")) {
        Some(name) => bail!("{place}: `{name}` is no member of OpenAPI Overlay 1.0; extensions begin with `x-`"),
        None => Ok(()),
    }
}

impl Overlay {
    /// Reads every overlay of the workspace, sorted by name. Those that `update` writes come last.
    pub(crate) fn load_all(root: &Path) -> Result<Vec<Self>> {
        let mut files = output::list(root, OVERLAYS)?;
        files.sort_by_key(|file| file.ends_with(KEPT));
        files.iter().map(|file| Self::parse(file, &output::read(root, file)?)).collect()
    }

    pub(crate) fn parse(file: &str, text: &str) -> Result<Self> {
        let overlay: Self = document::yaml(file, text)?;
        if !overlay.overlay.starts_with("1.0.") {
            bail!("{file}: version {} of OpenAPI Overlay, where 1.0 is expected", overlay.overlay);
        }
        check_more(file, &overlay.more)?;
        for action in &overlay.actions {
            check_more(&format!("{file}: action on `{}`", action.target), &action.more)?;
        }
        Ok(Self { file: file.to_owned(), ..overlay })
    }

    /// Whether this overlay extends a contract file.
    pub(crate) fn extends(&self, name: &str) -> bool {
        self.extends.rsplit('/').next() == Some(&format!("{name}.json"))
            && CONTRACT.ends_with(self.extends.rsplit('/').nth(1).unwrap_or_default())
    }

    /// Whether `update` wrote it.
    pub(crate) fn is_kept(&self) -> bool {
        self.file.ends_with(KEPT)
    }

    /// Applies the actions in order, and returns a message for each that changed nothing.
    pub(crate) fn apply(&self, document: &mut Value) -> Result<Vec<String>> {
        let mut stale = Vec::new();
        for action in &self.actions {
            let place = || format!("{}: action on `{}`", self.file, action.target);
            if !action.apply(document).with_context(place)? {
                stale.push(format!("{} changes nothing", place()));
            }
        }
        Ok(stale)
    }
}

impl Action {
    /// Returns the action as YAML, with values in JSON, which is YAML too.
    pub(crate) fn to_yaml(&self) -> String {
        let mut text = format!("  - target: {}\n", Value::from(self.target.as_str()));
        if let Some(description) = &self.description {
            text += &format!("    description: {}\n", Value::from(description.as_str()));
        }
        match &self.update {
            Some(update) => text += &format!("    update: {update}\n"),
            None => text += "    remove: true\n",
        }
        text
    }

    /// Applies the action, and returns whether it changed anything.
    pub(crate) fn apply(&self, document: &mut Value) -> Result<bool> {
        let path = JsonPath::parse(&self.target)?;
        let located = path.query_located(document);
        let mut targets: Vec<_> = located.locations().collect();
        // In reverse, so that the removal of an element does not move the next target. Siblings are all names or all
        // indices, so any two paths compare.
        targets.sort_by(|one, other| other.partial_cmp(one).unwrap_or(Ordering::Equal));
        let targets: Vec<String> = targets.into_iter().map(NormalizedPath::to_json_pointer).collect();
        let mut changed = false;
        for target in targets {
            match (&self.update, self.remove) {
                (_, true) => {
                    remove(document, &target);
                    changed = true;
                }
                (Some(update), false) => {
                    changed |= document.pointer_mut(&target).is_some_and(|value| merge(value, update));
                }
                (None, false) => bail!("has neither `update` nor `remove`"),
            }
        }
        Ok(changed)
    }
}

/// Removes what a JSON pointer leads to.
fn remove(document: &mut Value, target: &str) {
    let Some((parent, last)) = target.rsplit_once('/') else { return };
    match (document.pointer_mut(parent), last.parse()) {
        (Some(Value::Object(members)), _) => drop(members.remove(&document::key(last))),
        (Some(Value::Array(items)), Ok(index)) if index < items.len() => drop(items.remove(index)),
        _ => {}
    }
}

/// Merges as the specification says: objects are merged, arrays appended to, other values replaced. An array does not
/// get an element again that it has already. Returns whether anything changed.
fn merge(value: &mut Value, update: &Value) -> bool {
    match (value, update) {
        (Value::Object(members), Value::Object(updates)) => updates
            .iter()
            .fold(false, |changed, (key, update)| merge(members.entry(key).or_insert(Value::Null), update) || changed),
        (Value::Array(items), update) => {
            let before = items.len();
            for one in update.as_array().map_or(std::slice::from_ref(update), Vec::as_slice) {
                if !items.contains(one) {
                    items.push(one.clone());
                }
            }
            items.len() > before
        }
        (value, update) => std::mem::replace(value, update.clone()) != *update,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn apply(actions: &str, document: Value) -> Result<(Value, Vec<String>)> {
        let text = format!("overlay: 1.0.0\ninfo: {{}}\nextends: ../contract/a.json\nactions:\n{actions}");
        let mut document = document;
        let stale = Overlay::parse("o.yaml", &text)?.apply(&mut document)?;
        Ok((document, stale))
    }

    #[test]
    fn updates_merge_objects_append_to_arrays_and_replace_the_rest() -> Result<()> {
        let (document, stale) = apply(
            "- {target: $.a, update: {b: 2, c: {e: 3}}}\n- {target: $.list, update: [3]}\n- {target: $.n, update: 2}",
            json!({"a": {"b": 1, "c": {"d": 1}}, "list": [1, 2], "n": 1}),
        )?;
        assert_eq!(document, json!({"a": {"b": 2, "c": {"d": 1, "e": 3}}, "list": [1, 2, 3], "n": 2}));
        assert!(stale.is_empty());
        Ok(())
    }

    #[test]
    fn every_match_is_removed() -> Result<()> {
        let (document, _) = apply(
            "- {target: \"$..required[?@ != 'keep']\", remove: true}\n- {target: $.gone, remove: true}",
            json!({"required": ["a", "keep", "b", "c"], "gone": 1}),
        )?;
        assert_eq!(document, json!({"required": ["keep"]}));
        Ok(())
    }

    #[test]
    fn an_action_that_changes_nothing_is_named() -> Result<()> {
        let (_, stale) = apply("- {target: $.a.b, update: {}}", json!({"a": {}}))?;
        assert_eq!(stale, ["o.yaml: action on `$.a.b` changes nothing"]);
        Ok(())
    }

    #[test]
    fn mistakes_name_file_and_action() {
        let error = |actions| format!("{:#}", apply(actions, json!({"a": 1})).expect_err(actions));
        assert!(error("- {target: '$.[', update: 1}").starts_with("o.yaml: action on `$.[`: "));
        assert_eq!(error("- {target: $.a}"), "o.yaml: action on `$.a`: has neither `update` nor `remove`");
        assert_eq!(
            error("- {target: $.a, updates: 1}"),
            "o.yaml: action on `$.a`: `updates` is no member of OpenAPI Overlay 1.0; extensions begin with `x-`"
        );
    }

    #[test]
    fn extensions_are_left_alone_and_null_is_an_update() -> Result<()> {
        let (document, stale) =
            apply("- {target: $.a, update: null, x-why: words}\nx-more: {b: 1}", json!({"a": 1, "b": 2}))?;
        assert_eq!(document, json!({"a": null, "b": 2}));
        assert!(stale.is_empty());
        Ok(())
    }
}
