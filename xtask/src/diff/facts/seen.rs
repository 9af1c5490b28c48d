//! A schema together with its place, as the comparison sees it, and a pair of them.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::model::{
    Choice, Document, Field, Group, Kind, Model, Need, Node, Object, Others, Place, Rust, Schema, Type,
};

#[derive(Clone)]
pub(crate) struct Seen<'m> {
    pub(crate) model: &'m Model,
    pub(crate) node: Node,
    pub(crate) place: Place,
    /// The name of the schema, if it is compared at a place other than its own.
    pub(crate) called: Option<String>,
    /// The fields that each alternative requires, if this is one of those that become one struct.
    pub(crate) all_require: Option<Rc<BTreeSet<String>>>,
}

/// A field of an object, as the comparison sees it.
#[derive(Clone)]
pub(crate) struct SeenField<'m> {
    pub(crate) value: Seen<'m>,
    pub(crate) place: Place,
    pub(crate) need: Need,
    pub(crate) need_place: Place,
    /// The need that the struct has. That of several alternatives requires what each of them does.
    pub(crate) need_in_rust: Need,
}

/// An old and a new schema to compare, and where their values stand.
#[derive(Clone)]
pub(crate) struct Pair<'m> {
    pub(crate) old: Seen<'m>,
    pub(crate) new: Seen<'m>,
    pub(crate) slot: Slot,
}

/// Where a value stands. This decides what a program with the old types does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// It is required, and has its own type.
    Value,
    /// It is an item of a list, or a value of a map, and has its own type.
    Item,
    /// It may be absent or `null`.
    Optional,
    /// The types keep it as raw JSON.
    Raw,
    /// It is a parameter of an operation: programs send it, and never decode it.
    Parameter,
    /// It is the body of an event. The crates take it apart, so it has no type of its own.
    Body,
}

impl Slot {
    pub(crate) fn of(need: Need, outer: Self) -> Self {
        match (outer, need) {
            (Self::Raw, _) => Self::Raw,
            (_, Need::Required) => Self::Value,
            _ => Self::Optional,
        }
    }

    /// Returns the slot of the items of a list here, or of the values of a map.
    pub(crate) fn inner(self) -> Self {
        if self == Self::Raw { Self::Raw } else { Self::Item }
    }

    /// Whether a value has to be here.
    pub(crate) fn is_required(self) -> bool {
        matches!(self, Self::Value | Self::Item)
    }

    /// Whether code can name the fields of what stands here.
    pub(crate) fn has_type(self) -> bool {
        !matches!(self, Self::Raw | Self::Body)
    }
}

impl<'m> Pair<'m> {
    pub(crate) fn new(old: &Seen<'m>, new: &Seen<'m>, slot: Slot) -> Self {
        Self { old: old.clone(), new: new.clone(), slot }
    }

    pub(crate) fn ids(&self) -> (*const Schema, *const Schema) {
        (self.old.id(), self.new.id())
    }

    pub(crate) fn both<T>(&self, of: impl Fn(&Seen<'m>) -> T) -> [T; 2] {
        [of(&self.old), of(&self.new)]
    }

    /// Applies a function to both schemas.
    pub(crate) fn map(&self, of: impl Fn(&Seen<'m>) -> Seen<'m>) -> Self {
        Self { old: of(&self.old), new: of(&self.new), slot: self.slot }
    }

    /// Returns the schemas that both refer to, if they have the same place.
    pub(crate) fn referred(&self) -> Option<Self> {
        let (old, new) = (self.old.referred()?, self.new.referred()?);
        (old.place == new.place).then_some(Self { old, new, slot: self.slot })
    }
}

impl<'m> Seen<'m> {
    /// The schema of a node; for a plain reference, the schema that it refers to.
    pub(crate) fn new(model: &'m Model, node: &Node) -> Self {
        let node = Rc::clone(model.follow(node));
        Self { model, place: node.place.clone(), node, called: None, all_require: None }
    }

    /// The schema of a node at another place. A schema that the node refers to keeps its own place.
    pub(crate) fn new_at(model: &'m Model, node: &Node, place: Place) -> Self {
        let seen = Self::new(model, node);
        if Rc::ptr_eq(&seen.node, node) { Self { place, ..seen } } else { seen }
    }

    pub(crate) fn at(model: &'m Model, place: &Place) -> Option<Self> {
        model.at(place).map(|node| Self {
            model,
            node: Rc::clone(node),
            place: place.clone(),
            called: None,
            all_require: None,
        })
    }

    /// Identifies the schema, as long as somebody holds it.
    pub(crate) fn id(&self) -> *const Schema {
        Rc::as_ptr(&self.node)
    }

    /// Returns the schema that this one refers to, with keywords beside the reference.
    pub(crate) fn referred(&self) -> Option<Self> {
        let Kind::Reference(_, to) = &self.node.kind else { return None };
        Self::at(self.model, to)
    }

    /// Returns the schema merged with those that it refers to.
    pub(crate) fn whole(&self) -> Self {
        Self { node: self.model.whole(&self.node), ..self.clone() }
    }

    /// Returns the schema at another place.
    pub(crate) fn moved_to(&self, place: &Place) -> Self {
        let called = (self.place.path == "$").then(|| self.place.schema.clone());
        Self { place: place.clone(), called, ..self.clone() }
    }

    /// Returns the place of a part of the schema.
    pub(crate) fn place_of(&self, inner: &Place) -> Place {
        let own = &self.node.place;
        let is_inside = (&own.document, &own.schema) == (&inner.document, &inner.schema);
        match inner.path.strip_prefix(&own.path).filter(|_| is_inside && *own != self.place) {
            Some(rest) => self.place.below(rest),
            None => inner.clone(),
        }
    }

    /// Returns a part of the schema.
    pub(crate) fn inside(&self, node: &Node) -> Self {
        Self::new_at(self.model, node, self.place_of(&node.place))
    }

    pub(crate) fn object(&self) -> Option<&Object> {
        self.node.object()
    }

    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.node.fields().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.node.field(name).is_some()
    }

    pub(crate) fn field(&self, name: &str) -> Option<SeenField<'m>> {
        self.node.field(name).map(|field| self.seen(name, field))
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, SeenField<'m>)> {
        self.node.fields().map(|(name, field)| (name.as_str(), self.seen(name, field)))
    }

    fn seen(&self, name: &str, field: &Field) -> SeenField<'m> {
        let by_all = self.all_require.as_ref().is_none_or(|required| required.contains(name));
        SeenField {
            value: self.inside(&field.schema),
            place: self.place_of(&field.place),
            need: field.need,
            need_place: self.place_of(&field.need_place),
            need_in_rust: if by_all { field.need } else { Need::Optional },
        }
    }

    pub(crate) fn need(&self, field: &str) -> Need {
        self.object().map_or(Need::Optional, |object| object.need(field))
    }

    pub(crate) fn groups(&self) -> &[Group] {
        self.object().map_or(&[], |object| &object.groups)
    }

    pub(crate) fn items(&self) -> Option<Self> {
        let Kind::List(items) = &self.node.kind else { return None };
        items.as_ref().map(|items| self.inside(items))
    }

    /// Returns what undeclared fields may be; `None` unless it is an object.
    pub(crate) fn others(&self) -> Option<&Others> {
        self.object().map(|object| &object.others)
    }

    pub(crate) fn choices(&self) -> Vec<Self> {
        let alternatives = self.node.choice().into_iter().flat_map(|choice| &choice.alternatives);
        alternatives.map(|one| self.inside(one)).collect()
    }

    /// Returns the fields that each alternative requires, if the alternatives become one struct: in an API, where all of
    /// them have fields.
    pub(crate) fn required_by_all(&self) -> Option<Rc<BTreeSet<String>>> {
        let of_api = |document: &Document| !document.operations.is_empty();
        if !self.model.documents.get(&self.node.place.document).is_some_and(of_api) {
            return None;
        }
        let required = |one: &Self| -> Option<BTreeSet<String>> {
            let whole = one.whole();
            whole.object().filter(|_| whole.is_struct()).map(Object::required)
        };
        let all = self.choices().iter().map(required).collect::<Option<Vec<_>>>()?;
        all.into_iter().reduce(|one, other| &one & &other).map(Rc::new)
    }

    /// Returns the type in Rust: a struct for a choice of objects in an API, and a string for any choice of strings. The code
    /// has an enum for a choice of enums.
    pub(crate) fn rust(&self) -> Rust {
        let is_choice = self.node.choice().is_some();
        match self.types().first() {
            _ if self.required_by_all().is_some() => Rust::Struct,
            Some(Type::String) if is_choice && self.types().len() == 1 => Rust::Text,
            _ => self.node.rust(),
        }
    }

    /// Returns the JSON types of the values, without `null`; an empty set if any type is allowed.
    pub(crate) fn types(&self) -> BTreeSet<Type> {
        types(self.model, &self.node, 0)
    }

    pub(crate) fn is_struct(&self) -> bool {
        self.node.is_struct()
    }

    /// Whether the schema may refuse a value because it matches two alternatives.
    pub(crate) fn excludes(&self) -> bool {
        let choices: Vec<Self> = self.choices().iter().map(Self::whole).collect();
        let overlaps = |(at, one): (usize, &Self)| choices.iter().skip(at + 1).any(|other| !one.is_apart_from(other));
        self.node.choice().is_some_and(|choice| choice.exclusive) && choices.iter().enumerate().any(overlaps)
    }

    /// Whether no value matches both: their types differ, or the types of a field that both require.
    fn is_apart_from(&self, other: &Self) -> bool {
        let differ = |one: &Self, other: &Self| {
            let (one, other) = (one.types(), other.types());
            !one.is_empty() && !other.is_empty() && one.is_disjoint(&other)
        };
        differ(self, other)
            || self.fields().any(|(name, one)| {
                let required = self.need(name) == Need::Required && other.need(name) == Need::Required;
                required && other.field(name).is_some_and(|another| differ(&one.value.whole(), &another.value.whole()))
            })
    }

    /// Turns a choice of objects that differ in one field into an object with a choice in that field, which allows the same
    /// values.
    pub(crate) fn as_object(&self) -> Option<Self> {
        let alternatives: Vec<Self> = self.choices().iter().map(Self::whole).collect();
        let objects: Vec<&Object> = alternatives.iter().map(Self::object).collect::<Option<_>>()?;
        let (first, rest) = objects.split_first()?;
        let is_alike = |other: &&Object| {
            other.fields.keys().eq(first.fields.keys())
                && first.fields.keys().all(|name| other.need(name) == first.need(name))
                && other.others == first.others
                && other.groups == first.groups
        };
        let differs = |name: &&String| {
            let one = |object: &Object| {
                object.fields.get(*name).map(|field| (field.schema.kind.clone(), field.schema.nullable))
            };
            rest.iter().any(|other| one(other) != one(first))
        };
        let mut differing = first.fields.keys().filter(differs);
        let (Some(name), None) = (differing.next().filter(|_| rest.iter().all(is_alike)), differing.next()) else {
            return None;
        };
        let fields = objects.iter().filter_map(|object| object.fields.get(name)).map(|field| Rc::clone(&field.schema));
        let choice = Choice { alternatives: fields.collect(), exclusive: false, of: None };
        let mut object = (*first).clone();
        let field = object.fields.get_mut(name)?;
        field.place = self.place.field(name);
        field.schema = Rc::new(Schema::new(field.place.clone(), Kind::Choice(choice)));
        let mut node = Schema::new(self.node.place.clone(), Kind::Object(object));
        node.nullable = self.node.nullable;
        Some(Self { node: Rc::new(node), ..self.clone() })
    }
}

fn types(model: &Model, node: &Node, depth: usize) -> BTreeSet<Type> {
    if depth > 8 {
        return BTreeSet::new();
    }
    let node = model.whole(node);
    let one = match &node.kind {
        Kind::Object(_) => Type::Object,
        Kind::List(_) => Type::Array,
        Kind::Boolean => Type::Boolean,
        Kind::Integer => Type::Integer,
        Kind::Number => Type::Number,
        Kind::Text => Type::String,
        Kind::Choice(Choice { of: Some(one), .. }) => *one,
        Kind::Choice(choice) => {
            let each: Vec<_> = choice.alternatives.iter().map(|one| types(model, one, depth + 1)).collect();
            let is_any = each.iter().any(BTreeSet::is_empty);
            return each.into_iter().filter(|_| !is_any).flatten().collect();
        }
        Kind::Any | Kind::Reference(..) => return node.values.iter().flatten().map(Type::of).collect(),
    };
    BTreeSet::from([one])
}

/// Whether every value that the old schema allows meets the condition of a group.
pub(crate) fn is_met(group: &Group, old: &Seen<'_>) -> bool {
    let always = |names: &BTreeSet<String>| names.iter().all(|name| old.need(name) == Need::Required);
    let possible = |names: &&BTreeSet<String>| names.iter().all(|name| old.node.field(name).is_some());
    let count = group.alternatives.iter().filter(possible).count();
    let same = old.groups().iter().any(|known| {
        known.alternatives.is_subset(&group.alternatives)
            && (known.exclusive || !group.exclusive)
            && (!group.exclusive || count == known.alternatives.len())
    });
    same || (group.alternatives.iter().any(always) && (!group.exclusive || count == 1))
}
