use std::collections::BTreeMap;

use heck::ToPascalCase as _;
use serde::Serialize;
use serde_json::Value;

use crate::document;

/// Documents as they were read, by name.
pub(crate) type Documents = BTreeMap<String, Value>;

/// A place in a schema or an operation of a document: the JSON path of the value that is described there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct Place {
    pub(crate) document: String,
    pub(crate) schema: String,
    pub(crate) path: String,
}

impl Place {
    pub(crate) fn new(document: &str, schema: &str) -> Self {
        Self { document: document.to_owned(), schema: schema.to_owned(), path: "$".to_owned() }
    }

    pub(crate) fn field(&self, name: &str) -> Self {
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        self.below(&if plain { format!(".{name}") } else { format!("[{}]", Value::from(name)) })
    }

    /// Returns the place one step further: `[*]` for each item of an array, `.*` for each value of a map.
    pub(crate) fn below(&self, step: &str) -> Self {
        Self { path: format!("{}{step}", self.path), ..self.clone() }
    }

    /// Returns the place of the whole schema or operation.
    pub(crate) fn outermost(&self) -> Self {
        Self::new(&self.document, &self.schema)
    }
}

/// Returns the schemas that a document has from others, each with the place where it is published.
///
/// Only documents without operations are referred to. Of two documents that have a schema, the larger one refers to the
/// smaller one.
pub(super) fn copies(published: &Documents, bundle: &str) -> BTreeMap<String, Place> {
    let size = |document: &Value| (has_operations(document), document::schemas(document).count());
    let Some(here) = published.get(bundle) else { return BTreeMap::new() };
    let mut others: Vec<(&String, &Value)> = published
        .iter()
        .filter(|(name, document)| *name != bundle && !has_operations(document) && size(document) < size(here))
        .collect();
    others.sort_by_key(|(_, document)| size(document));
    let origin = |name: &str, schema: &Value| {
        others.iter().find_map(|(other, document)| {
            let qualifier = other.to_pascal_case();
            let plain = name.strip_prefix(&qualifier).unwrap_or(name);
            [name, plain].into_iter().find_map(|name| {
                let there = document.pointer("/components/schemas")?.get(name)?;
                same_text(schema, there, &qualifier).then(|| Place::new(other, name))
            })
        })
    };
    document::schemas(here).filter_map(|(name, schema)| Some((name.clone(), origin(name, schema)?))).collect()
}

fn has_operations(document: &Value) -> bool {
    document["paths"].as_object().is_some_and(|paths| !paths.is_empty())
}

/// Whether a schema of a bundle is a copy. `fetch` adds a qualifier to names in a bundle that would clash.
fn same_text(bundled: &Value, published: &Value, qualifier: &str) -> bool {
    let mut plain = bundled.clone();
    for (place, target) in document::refs(bundled) {
        let target = target.replacen(&format!("/{qualifier}"), "/", 1);
        if published.pointer(&place).is_some_and(|other| *other == target) {
            document::set(&mut plain, &place, target);
        }
    }
    plain == *published
}
