//! The contract, read once: which values its schemas describe, which operations and events it has. `generate` makes code of
//! it, and `diff` compares two.
//!
//! `read` makes schemas of JSON, `operations` and `document` what refers to them, and `events` tells the bodies of events.
//! `steps` then decides what becomes of each, one step at a time (`api`, `credentials`, `events`, `named`); `rust` says what
//! that is, and `names` how it is called. No module here knows what is made of the model.

mod api;
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

pub(crate) use api::{Directions, reachable, same, together};
pub(crate) use context::Context;
pub(crate) use events::{Body as EventBody, bodies};
pub(crate) use operations::{Location, Operation, Parameter, Response, json};
pub(crate) use place::{Documents, Place};
pub(crate) use rust::{Rust, may_be_absent};

/// So many references follow each other at most; more of them is a circle.
const DEEPEST: usize = 32;

/// A contract: its documents, by their names.
pub(crate) struct Model {
    pub(crate) documents: BTreeMap<String, Document>,
}

/// A document of a contract.
#[derive(Clone, Default)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) words: Option<String>,
    pub(crate) schemas: BTreeMap<String, Node>,
    /// What is sent and received where nothing but choices leads to it, whose alternatives are forgotten.
    pub(crate) before_choices: Directions,
    /// The names that schemas are published with, of those that have another one here.
    pub(crate) renamed: BTreeMap<String, String>,
    pub(crate) operations: Vec<Operation>,
    /// The events, once they are told from their bodies.
    pub(crate) events: Vec<Event>,
    /// The enums, once each has a name.
    pub(crate) enums: Vec<Enum>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) servers: Vec<String>,
    pub(crate) security_schemes: BTreeMap<String, Value>,
    /// How each schema is used by the rest of the document; one that nothing uses is not here.
    pub(crate) uses: BTreeMap<String, Use>,
    /// The schemas that another document publishes, and of which this one has a copy.
    pub(crate) copies: BTreeMap<String, Place>,
    /// What cannot be expressed, and where it is.
    pub(crate) problems: Vec<String>,
    /// How often each step of reading did something.
    pub(crate) steps: BTreeMap<&'static str, usize>,
}

/// What operations are kept together by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) words: Option<String>,
    /// What an overlay calls the group instead.
    pub(crate) group: Option<String>,
}

/// A type of event, and what comes with it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    /// The name of the schema of its data.
    pub(crate) data: String,
    pub(crate) words: Option<String>,
}

/// A string of which some values are known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) words: Option<String>,
    pub(crate) values: Vec<String>,
    /// What is known of the values, by the value.
    pub(crate) value_words: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Use {
    /// Others are only built on it: it is a part of their `allOf`.
    Base,
    Value,
}

/// A schema that stands somewhere. Several places may share one.
pub(crate) type Node = Rc<Schema>;

/// Which values may stand at a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schema {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    /// The values of an enum, without `null`.
    pub(crate) values: Option<Vec<Value>>,
    /// What else the contract says, by its keyword: formats, bounds, defaults.
    pub(crate) facets: BTreeMap<String, Facet>,
    pub(crate) says: Says,
    /// What it becomes in Rust, where more than its kind decides.
    pub(crate) becomes: Option<Rust>,
}

/// What is said of a value, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facet {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A schema of the same document by its name, and the place where that is published.
    Reference(String, Place),
    Object(Object),
    /// Of anything, where no item is described.
    List(Option<Node>),
    Boolean,
    Integer,
    Number,
    Text,
    Choice(Choice),
    Any,
}

/// An object: one with fields becomes a struct, one with a schema for all others a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object {
    pub(crate) fields: BTreeMap<String, Field>,
    /// Names that are required and described nowhere, and where that is said.
    pub(crate) undescribed: BTreeMap<String, Place>,
    /// Fields of which some have to be there.
    pub(crate) groups: Vec<Group>,
    pub(crate) others: Others,
    /// Of an object that alternatives were folded into, the fields that only those after the first have or require.
    pub(crate) of_other_alternatives: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) schema: Node,
    pub(crate) place: Place,
    pub(crate) need: Need,
    /// Where it is said to be required.
    pub(crate) need_place: Place,
}

/// Whether a field has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    /// It or another.
    Conditional,
    Optional,
}

/// `oneOf: [{required: [config]}, {required: [configURL]}]`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    /// Whether exactly one of the alternatives may be met.
    pub(crate) exclusive: bool,
    pub(crate) alternatives: BTreeSet<BTreeSet<String>>,
}

/// The fields that have no name in the contract.
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
    /// Whether a value may be no more than one of them.
    pub(crate) exclusive: bool,
    /// The type of all of them, where it is said beside them.
    pub(crate) of: Option<Type>,
}

/// The types of JSON, in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Type {
    Array,
    Boolean,
    Integer,
    Null,
    Number,
    Object,
    String,
}

/// What overlays say of a schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Says {
    pub(crate) words: Option<String>,
    /// Of the values of an enum.
    pub(crate) value_words: BTreeMap<String, String>,
    /// Whether it is a credential, where its name does not tell or tells it wrong.
    pub(crate) credential: Option<bool>,
    /// That it is a signed URL, where its name does not tell.
    pub(crate) signed_url: bool,
    /// The type that a hand-written crate, or a crate made of another document, has for it.
    pub(crate) same_as: Option<String>,
    /// The schema that this one is, but that less is required: so that what was received can be sent back.
    pub(crate) from: Option<String>,
    /// The order of required fields, where that of the alphabet is not the best.
    pub(crate) order: Vec<String>,
}

impl Model {
    pub(crate) fn read(documents: &Documents) -> Self {
        Self::as_published(documents, documents)
    }

    /// Reads documents that were changed after they were published: where a schema is published, the latter say.
    pub(crate) fn as_published(documents: &Documents, published: &Documents) -> Self {
        let read = |(name, document): (&String, &Value)| {
            (name.clone(), Document::read(name, document, place::copies(published, name)))
        };
        Self { documents: documents.iter().map(read).collect() }
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.documents.values().flat_map(|document| &document.operations)
    }

    /// Whether a document is there for operations: it has some, or one that has takes schemas from it.
    pub(crate) fn is_for_operations(&self, name: &str) -> bool {
        let takes =
            |document: &Document| document.name == name || document.copies.values().any(|copy| copy.document == name);
        self.documents.values().any(|document| !document.operations.is_empty() && takes(document))
    }

    /// The schema that a place names.
    pub(crate) fn at(&self, place: &Place) -> Option<&Node> {
        self.documents.get(&place.document)?.schemas.get(&place.schema).filter(|_| place.path == "$")
    }

    fn is_named(&self, node: &Node) -> bool {
        self.at(&node.place).is_some_and(|named| Rc::ptr_eq(named, node))
    }

    /// What stands at a place; for a reference that says nothing else, what it leads to.
    pub(crate) fn follow<'m>(&'m self, node: &'m Node) -> &'m Node {
        last(node, |node| match &node.kind {
            // A schema that is another name of one is a schema of its own.
            Kind::Reference(_, to) if node.is_plain() && !self.is_named(node) => self.at(to),
            _ => None,
        })
    }

    /// A schema with what it refers to in it.
    pub(crate) fn whole(&self, node: &Node) -> Node {
        last(Rc::clone(node), |whole| match &whole.kind {
            Kind::Reference(_, to) => Some(Rc::new(self.at(to)?.beside(whole))),
            _ => None,
        })
    }
}

impl Document {
    /// Whether a value may be `null`, here or where the schema is that is referred to.
    pub(crate) fn is_nullable(&self, node: &Node) -> bool {
        node.nullable || (node.becomes.is_none() && self.resolve(node).nullable)
    }

    /// The schema that a schema stands for: itself, or the one that it refers to.
    pub(crate) fn resolve<'d>(&'d self, node: &'d Node) -> &'d Node {
        last(node, |node| self.schemas.get(node.target()?))
    }
}

/// Where references lead of which each leads to the `next`.
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

    /// What may be any of some alternatives.
    fn any_of(place: Place, alternatives: Vec<Node>) -> Node {
        Rc::new(Self::new(place, Kind::Choice(Choice { alternatives, exclusive: false, of: None })))
    }

    /// What is referred to, with what is said beside the reference, as it stands where that does.
    fn beside(&self, reference: &Self) -> Self {
        let mut whole = Self { place: reference.place.clone(), ..self.clone() };
        whole.nullable |= reference.nullable;
        whole.facets.extend(reference.facets.clone());
        whole
    }

    /// Whether a reference says nothing else.
    pub(crate) fn is_plain(&self) -> bool {
        !self.nullable && self.facets.is_empty()
    }

    /// The name of the schema that it is a reference to.
    fn target(&self) -> Option<&str> {
        match &self.kind {
            Kind::Reference(name, _) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn object(&self) -> Option<&Object> {
        match &self.kind {
            Kind::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The fields of a struct; none of anything else.
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

    /// Whether it is a text of which some values are known.
    pub(crate) fn is_enum(&self) -> bool {
        matches!(self.kind, Kind::Text) && self.values.is_some() && self.becomes.is_none()
    }

    /// Says of it what was said beside a reference to it.
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
        match &self.kind {
            Kind::Choice(choice) => Some(choice),
            _ => None,
        }
    }

    /// The texts of an enum.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.values.iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Makes a text of it, which is any of some texts. It has known values where each of them has.
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

    /// The schemas that stand directly in it.
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

    /// Gives each schema that stands directly in it to `change`, with the step that leads there.
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

    /// Gives it, and all that stands in it, to `change`, inner ones first.
    pub(crate) fn change_all(&mut self, change: &mut dyn FnMut(&mut Schema)) {
        self.change_children(&mut |_, child| child.change_all(change));
        change(self);
    }

    /// The names of the schemas that it refers to.
    pub(crate) fn references(&self) -> BTreeSet<&str> {
        match &self.kind {
            _ if self.becomes.is_some() => BTreeSet::new(),
            Kind::Reference(name, _) => BTreeSet::from([name.as_str()]),
            _ => self.children().into_iter().flat_map(|child| child.references()).collect(),
        }
    }
}

/// How a schema leads to one in it.
pub(crate) enum Step<'a> {
    Field(&'a str),
    Item,
    Value,
    Part,
}

impl Object {
    pub(crate) fn need(&self, field: &str) -> Need {
        match self.undescribed.contains_key(field) {
            true => Need::Required,
            false => self.fields.get(field).map_or(Need::Optional, |field| field.need),
        }
    }
}

impl Type {
    pub(crate) const ANY: [Self; 7] =
        [Self::Array, Self::Boolean, Self::Integer, Self::Null, Self::Number, Self::Object, Self::String];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ANY.into_iter().find(|one| one.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Null => "null",
            Self::Number => "number",
            Self::Object => "object",
            Self::String => "string",
        }
    }

    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}
