//! One self-contained document out of several that refer to each other.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use heck::ToPascalCase as _;
use serde_json::{Map, Value};

use crate::canonical::stem;
use crate::document;

/// Published documents by their path, without their prose.
pub(crate) type Tree = BTreeMap<String, Value>;

/// A component of a published file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Component {
    section: String,
    name: String,
    file: String,
}

/// What a `$ref` in a published file stands for.
pub(crate) struct Target {
    component: Component,
    /// What follows the component's name, if the reference goes on into it.
    rest: String,
}

impl Target {
    /// Reads a reference that stands in `file`.
    fn of(file: &str, reference: &str) -> Result<Self> {
        let Some((path, pointer)) = reference.split_once('#') else {
            bail!("`{reference}` names a file and no place in it, such as #/components/schemas/Name");
        };
        let file = if path.is_empty() { file.to_owned() } else { beside(file, &document::unescaped(path))? };
        let pointer = document::unescaped(pointer);
        let mut parts = pointer.strip_prefix("/components/").unwrap_or_default().splitn(3, '/');
        let (section, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if section.is_empty() || name.is_empty() {
            bail!("`{reference}` refers to nothing: it should end like #/components/schemas/Name");
        }
        let rest = parts.next().map(|rest| format!("/{rest}")).unwrap_or_default();
        let name = name.replace("~1", "/").replace("~0", "~");
        let component = Component { section: section.to_owned(), name, file };
        Ok(Self { component, rest })
    }

    pub(crate) fn file(&self) -> &str {
        &self.component.file
    }

    fn find<'a>(&self, tree: &'a Tree) -> Option<&'a Value> {
        self.component.find(tree)?.pointer(&self.rest)
    }
}

/// The section and the name of a component.
type Key<'a> = (&'a str, &'a str);

impl Component {
    fn key(&self) -> Key<'_> {
        (&self.section, &self.name)
    }

    fn find<'a>(&self, tree: &'a Tree) -> Option<&'a Value> {
        tree.get(&self.file)?.get("components")?.get(&self.section)?.get(&self.name)
    }
}

/// The path that `path` means when it stands in `file`.
fn beside(file: &str, path: &str) -> Result<String> {
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

/// Every reference of a file: where it stands, as text and as what it stands for.
pub(crate) fn references(file: &str, value: &Value) -> Result<Vec<(String, String, Target)>> {
    let mut found = Vec::new();
    document::for_each_ref(value, &mut |place, reference| {
        let target = Target::of(file, reference).with_context(|| format!("{file}: at {place}"))?;
        found.push((place.to_owned(), reference.to_owned(), target));
        Ok(())
    })?;
    Ok(found)
}

/// Refuses references to nothing, and files that refer to each other in a circle.
pub(crate) fn check_references(tree: &Tree) -> Result<()> {
    let mut uses: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for (file, document) in tree {
        let mut used = BTreeMap::new();
        for (place, reference, target) in references(file, document)? {
            if target.find(tree).is_none() {
                bail!("{file}: at {place}: `{reference}` refers to nothing");
            }
            if let Some((other, _)) = tree.get_key_value(target.file()).filter(|(other, _)| *other != file) {
                used.entry(other.as_str()).or_insert(place);
            }
        }
        uses.insert(file, used);
    }
    while let Some(leaf) = uses.iter().find(|(_, used)| used.is_empty()).map(|(file, _)| *file) {
        uses.remove(leaf);
        uses.values_mut().for_each(|used| {
            used.remove(leaf);
        });
    }
    // Each file that is left uses another one that is left.
    let mut seen = Vec::new();
    let mut next = uses.keys().next().copied();
    while let Some(file) = next.filter(|file| !seen.contains(file)) {
        seen.push(file);
        next = uses.get(file).and_then(|used| used.keys().next().copied());
    }
    let Some(first) = next else { return Ok(()) };
    let circle = seen.iter().skip_while(|file| **file != first).map(|file| {
        let place = uses.get(file).and_then(|used| used.values().next());
        format!("{file} at {}", place.map_or("", String::as_str))
    });
    let circle: Vec<String> = circle.collect();
    bail!("files refer to each other in a circle: {}, and back to {first}", circle.join(", which uses "))
}

/// One document of the tree with all that it refers to in it.
pub(crate) fn bundle(file: &str, tree: &Tree) -> Result<Value> {
    let mut document = tree.get(file).with_context(|| file.to_owned())?.clone();
    let components = reachable(file, tree)?;
    let names = names(file, &components, tree)?;
    rewrite(&mut document, file, &names)?;
    for (component, name) in &names {
        if component.file == file {
            continue;
        }
        let mut definition = component.find(tree).cloned().unwrap_or_default();
        rewrite(&mut definition, &component.file, &names)?;
        let section = member(member(&mut document, "components"), &component.section);
        if let Some(section) = section.as_object_mut() {
            section.insert(name.clone(), definition);
        }
    }
    Ok(document)
}

fn member<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    &mut value[key]
}

/// The components of a file, and those of other files that they lead to.
fn reachable(file: &str, tree: &Tree) -> Result<BTreeSet<Component>> {
    let root = tree.get(file).context("a document of the tree")?;
    let mut found = BTreeSet::new();
    for (section, named) in root.get("components").and_then(Value::as_object).into_iter().flatten() {
        for name in named.as_object().into_iter().flatten().map(|(name, _)| name) {
            found.insert(Component { section: section.clone(), name: name.clone(), file: file.to_owned() });
        }
    }
    let mut waiting: Vec<Target> = references(file, root)?.into_iter().map(|(_, _, target)| target).collect();
    while let Some(Target { component, .. }) = waiting.pop() {
        if let Some(definition) = component.find(tree).filter(|_| !found.contains(&component)) {
            waiting.extend(references(&component.file, definition)?.into_iter().map(|(_, _, target)| target));
            found.insert(component);
        }
    }
    Ok(found)
}

/// A component, with every reference in it made local.
struct Definition<'a> {
    component: &'a Component,
    text: Value,
    targets: Vec<Target>,
}

/// What each component is called in the bundle of `root`. A name that files define differently stays with `root`, and
/// is qualified by its document elsewhere: never numbered, so that it does not depend on what else there is.
fn names(root: &str, components: &BTreeSet<Component>, tree: &Tree) -> Result<BTreeMap<Component, String>> {
    let mut groups: BTreeMap<Key<'_>, Vec<Definition<'_>>> = BTreeMap::new();
    for component in components {
        let mut text = component.find(tree).cloned().unwrap_or_default();
        let targets = references(&component.file, &text)?.into_iter().map(|(_, _, target)| target).collect();
        rewrite(&mut text, &component.file, &BTreeMap::new())?;
        groups.entry(component.key()).or_default().push(Definition { component, text, targets });
    }
    // A definition that leads to a conflict is one, though its text be the same.
    let mut conflicts: BTreeSet<Key<'_>> = BTreeSet::new();
    loop {
        let known = conflicts.len();
        for (key, group) in &groups {
            let differ = group.windows(2).any(|pair| matches!(pair, [a, b] if a.text != b.text));
            let mut targets = group.iter().flat_map(|definition| &definition.targets);
            if differ || group.len() > 1 && targets.any(|target| conflicts.contains(&target.component.key())) {
                conflicts.insert(*key);
            }
        }
        if conflicts.len() == known {
            break;
        }
    }
    let mut names = BTreeMap::new();
    let mut taken: BTreeMap<(String, String), &Component> = BTreeMap::new();
    for (key, group) in &groups {
        for Definition { component, .. } in group {
            let name = if conflicts.contains(key) && component.file != root {
                format!("{}{}", stem(&component.file).to_pascal_case(), component.name)
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

/// Makes every reference that stands in `file` a local one; to the name itself where `names` does not have it.
fn rewrite(value: &mut Value, file: &str, names: &BTreeMap<Component, String>) -> Result<()> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| rewrite(item, file, names)),
        Value::Object(members) => members.iter_mut().try_for_each(|(key, child)| match child {
            Value::String(reference) if key == "$ref" => {
                let Target { component, rest } = Target::of(file, reference)?;
                let name = names.get(&component).unwrap_or(&component.name);
                let name = name.replace('~', "~0").replace('/', "~1");
                *reference = format!("#/components/{}/{name}{rest}", component.section);
                Ok(())
            }
            child => rewrite(child, file, names),
        }),
        _ => Ok(()),
    }
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
        check_references(&tree)?;
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
    fn broken_references_name_file_and_place() {
        for (reference, message) in [
            (
                "#/components/schemas/No",
                "a/a.yaml: at /components/schemas/A/$ref: `#/components/schemas/No` refers to nothing",
            ),
            ("../b/b.yaml#/components/schemas/No", "`../b/b.yaml#/components/schemas/No` refers to nothing"),
            ("#../b/b.yaml/B", "a/a.yaml: at /components/schemas/A/$ref: `#../b/b.yaml/B` refers to nothing"),
            ("../b/b.yaml", "names a file and no place in it"),
            ("../../b.yaml#/components/schemas/B", "lies outside of the published documents"),
            ("https://host/b.yaml#/components/schemas/B", "lies outside of the published documents"),
        ] {
            let tree = tree(&[
                ("a/a.yaml", schemas(json!({ "A": { "$ref": reference } }))),
                ("b/b.yaml", schemas(json!({ "B": {} }))),
            ]);
            let error = format!("{:#}", check_references(&tree).expect_err(reference));
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn files_in_a_circle_are_named_with_their_places() {
        let tree = tree(&[
            ("a.yaml", schemas(json!({ "A": { "$ref": "b.yaml#/components/schemas/B" } }))),
            ("b.yaml", schemas(json!({ "B": { "$ref": "c.yaml#/components/schemas/C" } }))),
            ("c.yaml", schemas(json!({ "C": { "items": { "$ref": "b.yaml#/components/schemas/B" } } }))),
        ]);
        let error = check_references(&tree).expect_err("a circle");
        assert_eq!(
            error.to_string(),
            "files refer to each other in a circle: b.yaml at /components/schemas/B/$ref, \
             which uses c.yaml at /components/schemas/C/items/$ref, and back to b.yaml"
        );
    }

    #[test]
    fn a_schema_may_refer_to_itself() -> Result<()> {
        let tree = tree(&[("a.yaml", schemas(json!({ "A": { "items": { "$ref": "#/components/schemas/A" } } })))]);
        check_references(&tree)
    }
}
