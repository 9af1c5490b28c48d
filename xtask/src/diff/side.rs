//! One of the two contracts, and where in it a schema stands.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToPascalCase as _;
use serde_json::Value;

use crate::document;

/// Documents by their name.
pub(super) type Documents = BTreeMap<String, Value>;

/// Where something is: in a schema or an operation of a document, by the JSON path of the value that it describes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) document: String,
    pub(super) schema: String,
    pub(super) path: String,
}

impl Place {
    pub(super) fn new(document: &str, schema: &str) -> Self {
        Self { document: document.to_owned(), schema: schema.to_owned(), path: "$".to_owned() }
    }

    pub(super) fn field(&self, name: &str) -> Self {
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        self.below(&if plain { format!(".{name}") } else { format!("[{}]", Value::from(name)) })
    }

    /// What every element of a list is, or every value of a map.
    pub(super) fn below(&self, step: &str) -> Self {
        Self { path: format!("{}{step}", self.path), ..self.clone() }
    }
}

/// A schema, as it stands in a document: in one place, or in several that refine each other.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) side: &'a Side<'a>,
    /// The bundle, in which its references are to be found.
    pub(super) document: &'a str,
    pub(super) parts: Vec<(&'a Value, Place)>,
    /// The name of the schema, where it is compared as if it stood elsewhere.
    pub(super) called: Option<String>,
}

impl<'a> Node<'a> {
    /// Which schemas these are, to tell whether they were seen before.
    pub(super) fn id(&self) -> Vec<*const Value> {
        self.parts.iter().map(|(schema, _)| std::ptr::from_ref(*schema)).collect()
    }

    /// The schema that is meant where nothing is said beside it but what goes for any type.
    pub(super) fn referred(&self) -> Option<Self> {
        const BESIDE: [&str; 7] = ["$ref", "allOf", "default", "deprecated", "nullable", "readOnly", "writeOnly"];
        let [(schema, _)] = self.parts.as_slice() else { return None };
        let is_beside = schema.as_object()?.keys().all(|key| BESIDE.contains(&key.as_str()));
        let reference = referred(schema).filter(|_| is_beside)?;
        let (schema, place) = self.side.target(self.document, reference)?;
        Some(self.side.node(self.document, schema, place))
    }

    /// The part that has the last word on the place.
    pub(super) fn place(&self) -> Place {
        self.parts.last().map_or_else(|| Place::new(self.document, ""), |(_, place)| place.clone())
    }
}

/// A contract, to be looked around in.
pub(super) struct Side<'a> {
    pub(super) documents: &'a Documents,
    /// Of each schema that another document publishes and a bundle has a copy of: that document, and its name there.
    origins: BTreeMap<(&'a str, &'a str), (&'a str, &'a str)>,
}

impl<'a> Side<'a> {
    pub(super) fn new(documents: &'a Documents) -> Self {
        Self::as_published(documents, documents)
    }

    /// Documents that were changed after they were published.
    pub(super) fn as_published(documents: &'a Documents, published: &'a Documents) -> Self {
        let mut origins = BTreeMap::new();
        for (bundle, document) in published {
            for (name, schema) in document::schemas(document) {
                if let Some(origin) = origin(published, bundle, name, schema) {
                    origins.insert((bundle.as_str(), name.as_str()), origin);
                }
            }
        }
        Self { documents, origins }
    }

    pub(super) fn document(&self, name: &str) -> &'a Value {
        self.documents.get(name).unwrap_or(&Value::Null)
    }

    /// The document that publishes a schema of a bundle, and the schema's name there.
    pub(super) fn published<'n>(&self, bundle: &'n str, name: &'n str) -> (&'n str, &'n str)
    where
        'a: 'n,
    {
        self.origins.get(&(bundle, name)).copied().unwrap_or((bundle, name))
    }

    /// The schema that stands here; a reference that says nothing else is what it refers to. A schema that is built on
    /// one and has a name is one of its own.
    pub(super) fn node(&'a self, bundle: &'a str, schema: &'a Value, place: Place) -> Node<'a> {
        let (mut schema, mut place) = (schema, place);
        while let Some(reference) = referred(schema)
            .filter(|_| schema.as_object().is_some_and(|members| members.len() == 1))
            .filter(|_| place.path != "$" || schema.get("$ref").is_some())
        {
            let Some(target) = self.target(bundle, reference) else { break };
            (schema, place) = target;
        }
        Node { side: self, document: bundle, parts: vec![(schema, place)], called: None }
    }

    /// A schema of a document, by its name.
    pub(super) fn named(&'a self, bundle: &'a str, name: &'a str) -> Option<Node<'a>> {
        let schema = self.document(bundle).pointer("/components/schemas")?.get(name)?;
        let (document, name) = self.published(bundle, name);
        Some(self.node(bundle, schema, Place::new(document, name)))
    }

    /// The schema that has the name that a place has.
    pub(super) fn at(&'a self, place: &Place) -> Option<Node<'a>> {
        let (bundle, document) = self.documents.get_key_value(&place.document)?;
        let (name, _) = document["components"]["schemas"].as_object()?.get_key_value(&place.schema)?;
        self.named(bundle, name).filter(|_| place.path == "$")
    }

    /// Whether a schema is no more than another name of one, of which no type is made.
    pub(super) fn is_alias(&self, bundle: &str, name: &str) -> bool {
        let schema = &self.document(bundle)["components"]["schemas"][name];
        referred(schema).is_some() && schema.as_object().is_some_and(|members| members.len() == 1)
    }

    /// Whether every reference to a schema is a part of another one's `allOf`.
    pub(super) fn is_base(&self, bundle: &str, name: &str) -> bool {
        let is_part =
            |place: &str| matches!(place.split('/').collect::<Vec<_>>()[..], [_, _, _, _, "allOf", _, "$ref"]);
        let mut others = false;
        let found = document::for_each_ref(self.document(bundle), &mut |place, reference| {
            others |= document::schema_name(reference) == Some(name) && !is_part(place);
            Ok(())
        });
        debug_assert!(found.is_ok(), "the visitor never fails");
        !others
    }

    /// What a reference in a bundle stands for.
    pub(super) fn target(&self, bundle: &'a str, reference: &'a str) -> Option<(&'a Value, Place)> {
        let pointer = document::unescaped(reference.strip_prefix('#')?);
        let schema = self.document(bundle).pointer(&pointer)?;
        let place = match document::schema_name(reference) {
            Some(name) => {
                let (document, name) = self.published(bundle, name);
                Place::new(document, name)
            }
            None => Place::new(bundle, pointer.trim_start_matches("/components/")),
        };
        Some((schema, place))
    }

    /// The schemas of a document that nothing refers to, in it or in another.
    pub(super) fn unused(&self, bundle: &str) -> BTreeSet<&'a str> {
        let document = self.document(bundle);
        let mut unused: BTreeSet<&str> = document::schemas(document).map(|(name, _)| name.as_str()).collect();
        let found = document::for_each_ref(document, &mut |_, reference| {
            if let Some(name) = document::schema_name(reference) {
                unused.remove(name);
            }
            Ok(())
        });
        debug_assert!(found.is_ok(), "the visitor never fails");
        let copied: BTreeSet<&(&str, &str)> = self.origins.values().collect();
        unused.retain(|name| self.published(bundle, name).0 == bundle && !copied.contains(&(bundle, *name)));
        unused
    }
}

/// What a schema refers to, in one of the two ways to do so, whatever else it says.
fn referred(schema: &Value) -> Option<&str> {
    let part = schema["allOf"].as_array().filter(|parts| parts.len() == 1).and_then(|parts| parts.first());
    let part = part.filter(|part| part.as_object().is_some_and(|members| members.len() == 1));
    part.unwrap_or(schema)["$ref"].as_str()
}

/// Where a bundle's schema was brought in from. Documents without operations are what others refer to; of two that have
/// it, the smaller one is what the larger one refers to.
fn origin<'a>(documents: &'a Documents, bundle: &str, name: &'a str, schema: &Value) -> Option<(&'a str, &'a str)> {
    let size = |document: &Value| (has_operations(document), document::schemas(document).count());
    let here = size(documents.get(bundle)?);
    let mut others: Vec<_> =
        documents.iter().filter(|(other, document)| *other != bundle && size(document) < here).collect();
    others.sort_by_key(|(_, document)| size(document));
    others.into_iter().filter(|(_, document)| !has_operations(document)).find_map(|(other, document)| {
        let plain = name.strip_prefix(&other.to_pascal_case()).unwrap_or(name);
        [name, plain].into_iter().find_map(|name| {
            let there = document.pointer("/components/schemas")?.get(name)?;
            same_text(schema, there, &other.to_pascal_case()).then_some((other.as_str(), name))
        })
    })
}

pub(super) fn has_operations(document: &Value) -> bool {
    document["paths"].as_object().is_some_and(|paths| !paths.is_empty())
}

/// Whether a schema of a bundle is a copy: `fetch` qualifies names in it that would be those of two.
fn same_text(bundled: &Value, published: &Value, qualifier: &str) -> bool {
    match (bundled, published) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| match (value, other.get(key)) {
                    (Value::String(one), Some(Value::String(other))) if key == "$ref" => {
                        one == other || one.replacen(&format!("/{qualifier}"), "/", 1) == *other
                    }
                    (value, other) => other.is_some_and(|other| same_text(value, other, qualifier)),
                })
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_text(one, other, qualifier))
        }
        (one, other) => one == other,
    }
}
