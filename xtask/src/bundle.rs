//! Bundles documents that refer to each other into one self-contained document.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use heck::ToPascalCase as _;
use serde_json::{Map, Value};

use crate::canonical::stem;
use crate::document;
use crate::graph;

/// Published documents by path, in canonical form.
pub(crate) type Tree = BTreeMap<String, Value>;

/// A component of a published file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Component {
    pub(crate) section: String,
    pub(crate) name: String,
    pub(crate) file: String,
}

/// The section and the name of a component.
type Key<'a> = (&'a str, &'a str);

impl Component {
    /// Returns the component that a reference in `file` leads to.
    fn of(file: &str, reference: &str) -> Result<Self> {
        let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let pointer = document::unescaped(pointer);
        let component = pointer.strip_prefix("/components/").and_then(|pointer| pointer.split_once('/'));
        let Some((section, name)) = component.filter(|(_, name)| !name.contains('/')) else {
            bail!("`{reference}` refers to nothing");
        };
        let file = if path.is_empty() { file.to_owned() } else { beside(file, &document::unescaped(path))? };
        Ok(Self { section: section.to_owned(), name: document::key(name), file })
    }

    fn key(&self) -> Key<'_> {
        (&self.section, &self.name)
    }

    /// Follows a component that only refers to one of the same name: files list theirs as `User: {$ref: user.yaml}`.
    fn meant(self, tree: &Tree) -> Self {
        let mut meant = self.clone();
        for _ in 0..tree.len() {
            let listed = meant.find(tree).and_then(Value::as_object).filter(|members| members.len() == 1);
            let target = listed.and_then(|members| Self::of(&meant.file, members.get("$ref")?.as_str()?).ok());
            let Some(target) = target.filter(|target| target.key() == meant.key() && *target != meant) else { break };
            meant = target;
        }
        meant
    }

    fn find<'a>(&self, tree: &'a Tree) -> Option<&'a Value> {
        tree.get(&self.file)?.get("components")?.get(&self.section)?.get(&self.name)
    }
}

/// Returns the path that `path` means in `file`.
pub(crate) fn beside(file: &str, path: &str) -> Result<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        let leaves = part.is_empty() || (part == ".." && parts.pop().is_none());
        if leaves {
            bail!("`{path}` lies outside of the published documents");
        }
        if part != "." && part != ".." {
            parts.push(part);
        }
    }
    Ok(parts.join("/"))
}

/// Returns every reference of a file: its place, and the component that it leads to.
fn references(file: &str, value: &Value, tree: &Tree) -> Result<Vec<(String, Component)>> {
    let found = document::published_refs(value).into_iter().map(|(place, reference, _)| {
        let target = Component::of(file, &reference).with_context(|| format!("{file}: at {place}"))?;
        Ok((place, target.meant(tree)))
    });
    found.collect()
}

/// Returns one document of the tree, with every component that it refers to.
pub(crate) fn bundle(file: &str, tree: &Tree) -> Result<Value> {
    let mut document = tree.get(file).with_context(|| file.to_owned())?.clone();
    let components = reachable(file, tree)?;
    let names = names(file, &components, tree)?;
    rewrite(&mut document, file, &names, tree)?;
    for (component, name) in &names {
        if component.file == file {
            continue;
        }
        let mut definition = component.find(tree).cloned().unwrap_or_default();
        rewrite(&mut definition, &component.file, &names, tree)?;
        document["components"][&component.section][name] = definition;
    }
    inline_path_items(&mut document);
    document::check_aliases(file, &document)?;
    Ok(document)
}

/// Puts path items where they are used: OpenAPI 3.0 has no section for them.
fn inline_path_items(document: &mut Value) {
    let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) else { return };
    let Some(items) = components.remove("pathItems") else { return };
    // A path item may refer to another.
    for _ in 0..items.as_object().map_or(0, Map::len) {
        for (place, reference, _) in document::published_refs(document) {
            let found = reference.strip_prefix("#/components/pathItems").and_then(|name| items.pointer(name));
            let holder = place.strip_suffix("/$ref").and_then(|holder| document.pointer_mut(holder));
            if let (Some(Value::Object(found)), Some(Value::Object(item))) = (found, holder) {
                item.remove("$ref");
                for (key, value) in found {
                    item.entry(key).or_insert_with(|| value.clone());
                }
            }
        }
    }
}

/// Returns the components of a file, and those of other files that they lead to.
fn reachable(file: &str, tree: &Tree) -> Result<BTreeSet<Component>> {
    let root = tree.get(file).context("a document of the tree")?;
    let mut found = BTreeSet::new();
    let mut waiting: Vec<Component> = references(file, root, tree)?.into_iter().map(|(_, target)| target).collect();
    for (section, named) in root.get("components").and_then(Value::as_object).into_iter().flatten() {
        for name in named.as_object().into_iter().flatten().map(|(name, _)| name) {
            let component = Component { section: section.clone(), name: name.clone(), file: file.to_owned() };
            waiting.push(component.meant(tree));
        }
    }
    while let Some(component) = waiting.pop() {
        if let Some(definition) = component.find(tree).filter(|_| !found.contains(&component)) {
            waiting.extend(references(&component.file, definition, tree)?.into_iter().map(|(_, target)| target));
            found.insert(component);
        }
    }
    Ok(found)
}

/// A component with local references only.
struct Definition<'a> {
    component: &'a Component,
    text: Value,
    targets: Vec<Component>,
}

/// Returns the name of each component in the bundle of `root`. If files define a name differently, `root` keeps it and
/// the others qualify it by their document. They add no number, so a name does not depend on other components.
fn names(root: &str, components: &BTreeSet<Component>, tree: &Tree) -> Result<BTreeMap<Component, String>> {
    let mut groups: BTreeMap<Key<'_>, Vec<Definition<'_>>> = BTreeMap::new();
    for component in components {
        let mut text = component.find(tree).cloned().unwrap_or_default();
        let targets = references(&component.file, &text, tree)?.into_iter().map(|(_, target)| target).collect();
        rewrite(&mut text, &component.file, &BTreeMap::new(), tree)?;
        groups.entry(component.key()).or_default().push(Definition { component, text, targets });
    }
    // A definition that leads to a conflict is a conflict too, even if its text is the same.
    let conflicts = graph::differing(
        &groups,
        |one, other| one.text == other.text,
        |definition| definition.targets.iter().map(Component::key),
    );
    let mut names = BTreeMap::new();
    let mut taken: BTreeMap<(String, String), &Component> = BTreeMap::new();
    for (key, group) in &groups {
        for Definition { component, .. } in group {
            let own = Component { file: root.to_owned(), ..(*component).clone() }.meant(tree);
            let name = if conflicts.contains(key) && own != **component {
                format!("{}{}", qualifier(component), component.name)
            } else {
                component.name.clone()
            };
            let other = taken.insert((component.section.clone(), name.clone()), component);
            if let Some(other) = other.filter(|other| (other.name != component.name) || conflicts.contains(key)) {
                bail!(
                    "`{name}` is the name of two {}: of one in {} and one in {}",
                    component.section,
                    other.file,
                    component.file
                );
            }
            names.insert((*component).clone(), name);
        }
    }
    Ok(names)
}

/// Returns the qualifier of a component: its file's name, or its folder's if the file has the name of the component.
fn qualifier(component: &Component) -> String {
    let file = stem(&component.file).to_pascal_case();
    if file != component.name {
        return file;
    }
    component.file.rsplit('/').nth(1).unwrap_or_default().to_pascal_case()
}

/// Makes every reference in `file` local. A component that `names` does not have keeps its name.
fn rewrite(value: &mut Value, file: &str, names: &BTreeMap<Component, String>, tree: &Tree) -> Result<()> {
    for (place, target) in references(file, value, tree)? {
        let name = names.get(&target).unwrap_or(&target.name);
        document::set(value, &place, pointer(&target.section, name));
    }
    Ok(())
}

/// Returns the pointer to a component.
pub(crate) fn pointer(section: &str, name: &str) -> String {
    format!("#/components/{section}/{}", document::step(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tree(files: &[(&str, Value)]) -> Tree {
        files.iter().map(|(file, document)| ((*file).to_owned(), document.clone())).collect()
    }

    fn schemas(schemas: Value) -> Value {
        json!({ "components": { "schemas": schemas } })
    }

    #[test]
    fn bundling_follows_references_and_qualifies_what_differs() -> Result<()> {
        let tree = tree(&[
            (
                "api/api.yaml",
                schemas(json!({
                    "Own": { "items": { "$ref": "../b/b.yaml#/components/schemas/Outer" } },
                    "Same": { "type": "string" },
                    "Other": { "type": "string" },
                    "Chain": { "$ref": "#/components/schemas/Other" },
                })),
            ),
            (
                "b/b.yaml",
                schemas(json!({
                    "Outer": { "properties": {
                        "same": { "$ref": "#/components/schemas/Same" },
                        "other": { "$ref": "#/components/schemas/Other" },
                        "chain": { "$ref": "#/components/schemas/Chain" },
                    } },
                    "Same": { "type": "string" },
                    "Other": { "type": "integer" },
                    "Chain": { "$ref": "#/components/schemas/Other" },
                    "Unused": {},
                })),
            ),
        ]);
        assert_eq!(
            bundle("api/api.yaml", &tree)?,
            schemas(json!({
                "Own": { "items": { "$ref": "#/components/schemas/Outer" } },
                "Outer": { "properties": {
                    "same": { "$ref": "#/components/schemas/Same" },
                    "other": { "$ref": "#/components/schemas/BOther" },
                    "chain": { "$ref": "#/components/schemas/BChain" },
                } },
                "Same": { "type": "string" },
                "Other": { "type": "string" },
                "BOther": { "type": "integer" },
                "Chain": { "$ref": "#/components/schemas/Other" },
                "BChain": { "$ref": "#/components/schemas/BOther" },
            }))
        );
        Ok(())
    }

    #[test]
    fn a_qualified_name_that_is_taken_is_an_error() -> Result<()> {
        let tree = tree(&[
            (
                "a.yaml",
                schemas(json!({
                    "X": { "items": { "$ref": "b.yaml#/components/schemas/X" } },
                    "BX": {},
                })),
            ),
            ("b.yaml", schemas(json!({ "X": { "type": "string" } }))),
        ]);
        let error = bundle("a.yaml", &tree).expect_err("taken");
        assert_eq!(error.to_string(), "`BX` is the name of two schemas: of one in a.yaml and one in b.yaml");
        Ok(())
    }

    #[test]
    fn files_may_refer_to_each_other_unless_nothing_comes_of_it() -> Result<()> {
        let circle = |a: Value, b: Value| {
            tree(&[("a.yaml", schemas(json!({ "A": a }))), ("b.yaml", schemas(json!({ "B": b })))])
        };
        let (to_a, to_b) =
            (json!({ "$ref": "a.yaml#/components/schemas/A" }), json!({ "$ref": "b.yaml#/components/schemas/B" }));
        let bundled = bundle("a.yaml", &circle(json!({ "items": to_b }), json!({ "properties": { "a": to_a } })))?;
        assert_eq!(
            bundled,
            schemas(json!({
                "A": { "items": { "$ref": "#/components/schemas/B" } },
                "B": { "properties": { "a": { "$ref": "#/components/schemas/A" } } },
            }))
        );
        let error = bundle("a.yaml", &circle(to_b, to_a)).expect_err("aliases");
        assert_eq!(error.to_string(), "a.yaml: at /components/schemas/A: refers to itself and to nothing else");
        Ok(())
    }
}
