//! The model of a contract: its schemas, operations and events. `generate` writes code from it, and `diff` compares
//! two.
//!
//! `read` turns JSON into schemas, `operations` and `document` read what refers to them, and `events` finds the bodies
//! of events. `steps` then decides what becomes of each, one step at a time (`api`, `credentials`, `events`, `named`).
//! `rust` says which Rust type that is, and `names` how it is called. No module here depends on how the model is used.

mod api;
mod calls;
mod client;
mod context;
mod credentials;
mod document;
mod events;
mod named;
pub(crate) mod names;
mod operations;
mod place;
mod read;
mod rust;
mod steps;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

pub(crate) use crate::keywords::Type;
pub(crate) use api::{Directions, same, together};
pub(crate) use calls::{Content, FORM, Form, is_json};
pub(crate) use client::{Module, Shared, joined};
pub(crate) use context::Context;
pub(crate) use events::{Body as EventBody, bodies};
pub(crate) use operations::{Location, Operation, Parameter, Response, Way};
pub(crate) use place::{Documents, Place};
pub(crate) use rust::{Rust, may_be_absent};

/// The longest chain of references that is followed. A longer one is a cycle.
const DEEPEST: usize = 32;

/// A contract: its documents by name.
pub(crate) struct Model {
    pub(crate) documents: BTreeMap<String, Document>,
}

/// A document of a contract.
#[derive(Clone, Default)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) words: Option<String>,
    pub(crate) schemas: BTreeMap<String, Node>,
    /// The schemas that were sent and received before `inline_aliases` dropped the alternatives of choices.
    pub(crate) before_choices: Directions,
    /// The published names of schemas that have another name here.
    pub(crate) renamed: BTreeMap<String, String>,
    pub(crate) operations: Vec<Operation>,
    /// The events, once `split_events` has found them by their bodies.
    pub(crate) events: Vec<Event>,
    /// The enums, once each has a name.
    pub(crate) enums: Vec<Enum>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) servers: Vec<String>,
    pub(crate) security_schemes: BTreeMap<String, Value>,
    /// How the rest of the document uses each schema. Unused schemas are missing.
    pub(crate) uses: BTreeMap<String, Use>,
    /// The schemas that are copies of another document's, with the places where that document publishes them.
    pub(crate) copies: BTreeMap<String, Place>,
    /// What the model cannot express, and where it is.
    pub(crate) problems: Vec<String>,
    /// How often each step did something.
    pub(crate) steps: BTreeMap<&'static str, usize>,
}

/// A tag, which groups operations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) words: Option<String>,
    /// The name of the group, where an overlay changes it.
    pub(crate) group: Option<String>,
}

/// An event type and its data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    /// The name of the schema of its data.
    pub(crate) data: String,
    pub(crate) words: Option<String>,
}

/// A string with known values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) words: Option<String>,
    pub(crate) values: Vec<String>,
    /// The documentation of each value.
    pub(crate) value_words: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Use {
    /// Other schemas only extend it: it is a part of their `allOf`.
    Base,
    Value,
}

/// A schema at a place. Several places may share one.
pub(crate) type Node = Rc<Schema>;

/// The values that are allowed at a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schema {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    /// The values of an enum, without `null`.
    pub(crate) values: Option<Vec<Value>>,
    /// Other keywords of the contract: formats, bounds, defaults.
    pub(crate) facets: BTreeMap<String, Facet>,
    pub(crate) says: Says,
    /// Its type in Rust, where its kind alone does not decide that.
    pub(crate) becomes: Option<Rust>,
}

/// The value of a keyword, and the place of that keyword.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facet {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// The name of a schema of the same document, and the place where that is published.
    Reference(String, Place),
    Object(Object),
    /// An array; `None` where its items are not described.
    List(Option<Node>),
    Boolean,
    Integer,
    Number,
    Text,
    Choice(Choice),
    Any,
}

/// An object: one with fields becomes a struct, one with a schema for additional properties a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object {
    pub(crate) fields: BTreeMap<String, Field>,
    /// Names that are required but not described, and the places that require them.
    pub(crate) undescribed: BTreeMap<String, Place>,
    /// Sets of fields of which some are required.
    pub(crate) groups: Vec<Group>,
    pub(crate) others: Others,
    /// The fields that only alternatives after the first have or require, if alternatives were folded into the object.
    pub(crate) of_other_alternatives: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) schema: Node,
    pub(crate) place: Place,
    pub(crate) need: Need,
    /// The place that says whether it is required.
    pub(crate) need_place: Place,
}

/// Whether a field is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    /// The field or another one is required.
    Conditional,
    Optional,
}

/// Sets of required fields to choose from: `oneOf: [{required: [config]}, {required: [configURL]}]`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    /// Whether a value must match exactly one of the alternatives.
    pub(crate) exclusive: bool,
    pub(crate) alternatives: BTreeSet<BTreeSet<String>>,
}

/// The additional properties of an object: those that it does not name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Others {
    #[default]
    Any,
    None,
    Of(Node),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) alternatives: Vec<Node>,
    /// Whether a value may match only one of them.
    pub(crate) exclusive: bool,
    /// The type of all alternatives, where the schema says it beside them.
    pub(crate) of: Option<Type>,
}

/// The documentation of a schema, and the extensions that overlays set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Says {
    pub(crate) words: Option<String>,
    /// The documentation of each value of an enum.
    pub(crate) value_words: BTreeMap<String, String>,
    /// Whether it is a credential, where its name does not say so or is wrong.
    pub(crate) credential: Option<bool>,
    /// Whether it is a signed URL, where its name does not say so.
    pub(crate) signed_url: bool,
    /// The name of the type that another crate has for it.
    pub(crate) same_as: Option<String>,
    /// The schema that converts into this one, which requires less, so that callers can send back what they received.
    pub(crate) from: Option<String>,
    /// The order of the required fields, where the alphabetical order is not the best.
    pub(crate) order: Vec<String>,
}

impl Model {
    pub(crate) fn read(documents: &Documents) -> Self {
        Self::as_published(documents, documents)
    }

    /// Reads documents that were changed after their publication. `published` decides which schemas are copies.
    pub(crate) fn as_published(documents: &Documents, published: &Documents) -> Self {
        let read = |(name, document): (&String, &Value)| {
            (name.clone(), Document::read(name, document, place::copies(published, name)))
        };
        Self { documents: documents.iter().map(read).collect() }
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.documents.values().flat_map(|document| &document.operations)
    }

    /// Whether a document serves operations: it has some, or a document with operations has copies of its schemas.
    pub(crate) fn is_for_operations(&self, name: &str) -> bool {
        let takes =
            |document: &Document| document.name == name || document.copies.values().any(|copy| copy.document == name);
        self.documents.values().any(|document| !document.operations.is_empty() && takes(document))
    }

    /// Returns the named schema of a place; `None` for a place inside of a schema.
    pub(crate) fn at(&self, place: &Place) -> Option<&Node> {
        self.documents.get(&place.document)?.schemas.get(&place.schema).filter(|_| place.path == "$")
    }

    fn is_named(&self, node: &Node) -> bool {
        self.at(&node.place).is_some_and(|named| Rc::ptr_eq(named, node))
    }

    /// Returns the schema that a node stands for: what it refers to, if it is a reference that says nothing else.
    pub(crate) fn follow<'m>(&'m self, node: &'m Node) -> &'m Node {
        last(node, |node| match &node.kind {
            // A named schema that is an alias is a schema of its own.
            Kind::Reference(_, to) if node.is_plain() && !self.is_named(node) => self.at(to),
            _ => None,
        })
    }

    /// Returns the schema with its references resolved.
    pub(crate) fn whole(&self, node: &Node) -> Node {
        last(Rc::clone(node), |whole| match &whole.kind {
            Kind::Reference(_, to) => Some(Rc::new(self.at(to)?.beside(whole))),
            _ => None,
        })
    }
}

impl Document {
    /// Whether a value may be `null`, by this schema or by the one that it refers to.
    pub(crate) fn is_nullable(&self, node: &Node) -> bool {
        node.nullable || (node.becomes.is_none() && self.resolve(node).nullable)
    }

    /// Returns the schema that a reference leads to, or the schema itself.
    pub(crate) fn resolve<'d>(&'d self, node: &'d Node) -> &'d Node {
        last(node, |node| self.schemas.get(node.target()?))
    }
}

/// Follows `next` to the end of a chain of references.
fn last<T>(mut from: T, next: impl Fn(&T) -> Option<T>) -> T {
    for _ in 0..DEEPEST {
        match next(&from) {
            Some(to) => from = to,
            None => break,
        }
    }
    from
}

impl Schema {
    pub(crate) fn new(place: Place, kind: Kind) -> Self {
        let (nullable, values, facets, says, becomes) = Default::default();
        Self { place, kind, nullable, values, facets, says, becomes }
    }

    /// Returns a schema for any of some alternatives.
    fn any_of(place: Place, alternatives: Vec<Node>) -> Node {
        Rc::new(Self::new(place, Kind::Choice(Choice { alternatives, exclusive: false, of: None })))
    }

    /// Returns this schema in the place of a `reference` to it, with what the reference says beside.
    fn beside(&self, reference: &Self) -> Self {
        let mut whole = Self { place: reference.place.clone(), ..self.clone() };
        whole.nullable |= reference.nullable;
        whole.facets.extend(reference.facets.clone());
        whole
    }

    /// Whether a reference says nothing else about the value.
    pub(crate) fn is_plain(&self) -> bool {
        !self.nullable && self.facets.is_empty()
    }

    /// Returns the name of the schema that it refers to, if it is a reference.
    fn target(&self) -> Option<&str> {
        let Kind::Reference(name, _) = &self.kind else { return None };
        Some(name)
    }

    pub(crate) fn object(&self) -> Option<&Object> {
        let Kind::Object(object) = &self.kind else { return None };
        Some(object)
    }

    /// Returns the fields of a struct; empty for any other schema.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&String, &Field)> {
        self.object().into_iter().flat_map(|object| &object.fields)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.object()?.fields.get(name)
    }

    /// Whether it is an object with named fields.
    pub(crate) fn is_struct(&self) -> bool {
        self.object().is_some_and(|object| !object.fields.is_empty())
    }

    /// Whether it is a string with known values.
    pub(crate) fn is_enum(&self) -> bool {
        matches!(self.kind, Kind::Text) && self.values.is_some() && self.becomes.is_none()
    }

    /// Takes over what a reference to it says: its place, documentation and keywords.
    fn take_beside(&mut self, reference: Self) {
        self.place = reference.place;
        self.nullable |= reference.nullable;
        self.says.words = reference.says.words.or(self.says.words.take());
        if !reference.says.value_words.is_empty() {
            self.says.value_words = reference.says.value_words;
        }
        self.says.credential = reference.says.credential.or(self.says.credential);
        self.says.signed_url |= reference.says.signed_url;
        let beside = ["default", "deprecated"].map(|key| Some((key.to_owned(), reference.facets.get(key)?.clone())));
        self.facets.extend(beside.into_iter().flatten());
    }

    pub(crate) fn choice(&self) -> Option<&Choice> {
        let Kind::Choice(choice) = &self.kind else { return None };
        Some(choice)
    }

    /// Returns the string values of an enum.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.values.iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Turns it into a string that may be any of `texts`. It has known values if each of them has.
    fn become_text<'n>(&mut self, texts: impl IntoIterator<Item = &'n Node>) {
        let (mut known, mut values) = (true, Vec::new());
        for text in texts {
            known &= text.values.is_some();
            values.extend(text.values.iter().flatten().cloned());
            self.nullable |= text.nullable;
        }
        values.sort_by_key(Value::to_string);
        values.dedup();
        (self.kind, self.values) = (Kind::Text, known.then_some(values));
    }

    pub(crate) fn facet(&self, keyword: &str) -> Option<&Value> {
        self.facets.get(keyword).map(|facet| &facet.value)
    }

    pub(crate) fn is_deprecated(&self) -> bool {
        self.facet("deprecated") == Some(&Value::Bool(true))
    }

    /// Returns the schemas directly inside of it.
    pub(crate) fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Object(object) => {
                let others = match &object.others {
                    Others::Of(values) => Some(values),
                    Others::Any | Others::None => None,
                };
                object.fields.values().map(|field| &field.schema).chain(others).collect()
            }
            Kind::List(items) => items.iter().collect(),
            Kind::Choice(choice) => choice.alternatives.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Calls `change` with each schema directly inside of it, and the step that leads there.
    pub(crate) fn change_children(&mut self, change: &mut dyn FnMut(Step<'_>, &mut Schema)) {
        match &mut self.kind {
            Kind::Object(object) => {
                for (name, field) in &mut object.fields {
                    change(Step::Field(name), Rc::make_mut(&mut field.schema));
                }
                if let Others::Of(values) = &mut object.others {
                    change(Step::Value, Rc::make_mut(values));
                }
            }
            Kind::List(Some(items)) => change(Step::Item, Rc::make_mut(items)),
            Kind::Choice(choice) => {
                choice.alternatives.iter_mut().for_each(|one| change(Step::Part, Rc::make_mut(one)));
            }
            _ => {}
        }
    }

    /// Calls `change` with every schema inside of it, innermost first, and then with itself.
    pub(crate) fn change_all(&mut self, change: &mut dyn FnMut(&mut Schema)) {
        self.change_children(&mut |_, child| child.change_all(change));
        change(self);
    }

    /// Returns the names of the schemas that it refers to.
    pub(crate) fn references(&self) -> BTreeSet<&str> {
        match &self.kind {
            _ if self.becomes.is_some() => BTreeSet::new(),
            Kind::Reference(name, _) => BTreeSet::from([name.as_str()]),
            _ => self.children().into_iter().flat_map(|child| child.references()).collect(),
        }
    }
}

/// The step from a schema to one directly inside of it.
pub(crate) enum Step<'a> {
    Field(&'a str),
    Item,
    Value,
    Part,
}

impl Object {
    /// Returns the fields that it requires, described or not.
    pub(crate) fn required(&self) -> BTreeSet<String> {
        let names = self.fields.keys().chain(self.undescribed.keys());
        names.filter(|name| self.need(name) == Need::Required).cloned().collect()
    }

    pub(crate) fn need(&self, field: &str) -> Need {
        match self.undescribed.contains_key(field) {
            true => Need::Required,
            false => self.fields.get(field).map_or(Need::Optional, |field| field.need),
        }
    }
}
