//! A schema as it is compared: whole, and where it stands.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::model::{Choice, Field, Group, Kind, Model, Need, Node, Object, Others, Place, Schema, Type};

#[derive(Clone)]
pub(in crate::diff) struct Seen<'m> {
    pub(in crate::diff) model: &'m Model,
    pub(in crate::diff) node: Node,
    pub(in crate::diff) place: Place,
    /// The name of the schema, where it is compared as if it stood elsewhere.
    pub(in crate::diff) called: Option<String>,
}

/// A field of an object, as it is compared.
#[derive(Clone)]
pub(in crate::diff) struct SeenField<'m> {
    pub(in crate::diff) value: Seen<'m>,
    pub(in crate::diff) place: Place,
    pub(in crate::diff) need: Need,
    pub(in crate::diff) need_place: Place,
}

impl<'m> Seen<'m> {
    /// What stands at a place; a reference that says nothing else is what it refers to.
    pub(in crate::diff) fn new(model: &'m Model, node: &Node) -> Self {
        let node = Rc::clone(model.follow(node));
        Self { model, place: node.place.clone(), node, called: None }
    }

    pub(in crate::diff) fn at(model: &'m Model, place: &Place) -> Option<Self> {
        model.at(place).map(|node| Self { model, node: Rc::clone(node), place: place.clone(), called: None })
    }

    /// Which schema it is, to tell whether it was seen before.
    pub(in crate::diff) fn id(&self) -> *const Schema {
        Rc::as_ptr(&self.node)
    }

    /// The schema that is meant where something is said beside a reference.
    pub(in crate::diff) fn referred(&self) -> Option<Self> {
        match &self.node.kind {
            Kind::Reference(_, to) => Self::at(self.model, to),
            _ => None,
        }
    }

    /// The same, with what it refers to in it.
    pub(in crate::diff) fn whole(&self) -> Self {
        Self { node: self.model.whole(&self.node), ..self.clone() }
    }

    /// As if it stood elsewhere.
    pub(in crate::diff) fn moved_to(&self, place: &Place) -> Self {
        let called = (self.place.path == "$").then(|| self.place.schema.clone());
        Self { place: place.clone(), called, ..self.clone() }
    }

    /// Where something in it is.
    pub(in crate::diff) fn place_of(&self, inner: &Place) -> Place {
        let own = &self.node.place;
        let is_inside = (&own.document, &own.schema) == (&inner.document, &inner.schema);
        match inner.path.strip_prefix(&own.path).filter(|_| is_inside && *own != self.place) {
            Some(rest) => self.place.below(rest),
            None => inner.clone(),
        }
    }

    fn inside(&self, node: &Node) -> Self {
        let place = self.place_of(&node.place);
        match self.model.follow(node) {
            followed if Rc::ptr_eq(followed, node) => {
                Self { model: self.model, node: Rc::clone(node), place, called: None }
            }
            followed => Self::new(self.model, followed),
        }
    }

    pub(in crate::diff) fn object(&self) -> Option<&Object> {
        self.node.object()
    }

    pub(in crate::diff) fn names(&self) -> BTreeSet<&str> {
        self.node.fields().map(|(name, _)| name.as_str()).collect()
    }

    pub(in crate::diff) fn field(&self, name: &str) -> Option<SeenField<'m>> {
        self.node.field(name).map(|field| self.seen(field))
    }

    pub(in crate::diff) fn fields(&self) -> impl Iterator<Item = (&str, SeenField<'m>)> {
        self.node.fields().map(|(name, field)| (name.as_str(), self.seen(field)))
    }

    fn seen(&self, field: &Field) -> SeenField<'m> {
        SeenField {
            value: self.inside(&field.schema),
            place: self.place_of(&field.place),
            need: field.need,
            need_place: self.place_of(&field.need_place),
        }
    }

    pub(in crate::diff) fn need(&self, field: &str) -> Need {
        self.object().map_or(Need::Optional, |object| object.need(field))
    }

    pub(in crate::diff) fn groups(&self) -> &[Group] {
        self.object().map_or(&[], |object| &object.groups)
    }

    pub(in crate::diff) fn items(&self) -> Option<Self> {
        match &self.node.kind {
            Kind::List(items) => items.as_ref().map(|items| self.inside(items)),
            _ => None,
        }
    }

    /// What fields without a name may be; nothing for what is no object.
    pub(in crate::diff) fn others(&self) -> Option<&Others> {
        self.object().map(|object| &object.others)
    }

    pub(in crate::diff) fn values_of(&self, others: &Node) -> Self {
        self.inside(others)
    }

    pub(in crate::diff) fn choices(&self) -> Vec<Self> {
        let alternatives = self.node.choice().into_iter().flat_map(|choice| &choice.alternatives);
        alternatives.map(|one| self.inside(one)).collect()
    }

    /// The types of JSON, without `null`; none where any will do.
    pub(in crate::diff) fn types(&self) -> BTreeSet<Type> {
        types(self.model, &self.node, 0)
    }

    pub(in crate::diff) fn is_struct(&self) -> bool {
        self.node.is_struct()
    }

    /// Whether there may be values that are refused for being two of the choices.
    pub(in crate::diff) fn excludes(&self) -> bool {
        let choices: Vec<Self> = self.choices().iter().map(Self::whole).collect();
        let mut pairs =
            choices.iter().enumerate().flat_map(|(at, one)| choices.iter().skip(at + 1).map(move |o| (one, o)));
        self.node.choice().is_some_and(|choice| choice.exclusive) && pairs.any(|(one, other)| !one.is_apart_from(other))
    }

    /// Whether no value is both: their types differ, or those of a field that both require.
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

    /// A choice of objects that differ in one field, as an object with a choice there: that is the same values.
    pub(in crate::diff) fn as_object(&self) -> Option<Self> {
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
    match &node.kind {
        Kind::Object(_) => BTreeSet::from([Type::Object]),
        Kind::List(_) => BTreeSet::from([Type::Array]),
        Kind::Boolean => BTreeSet::from([Type::Boolean]),
        Kind::Integer => BTreeSet::from([Type::Integer]),
        Kind::Number => BTreeSet::from([Type::Number]),
        Kind::Text => BTreeSet::from([Type::String]),
        Kind::Choice(choice) => match choice.of {
            Some(one) => BTreeSet::from([one]),
            None => {
                let each: Vec<_> = choice.alternatives.iter().map(|one| types(model, one, depth + 1)).collect();
                if each.iter().any(BTreeSet::is_empty) { BTreeSet::new() } else { each.into_iter().flatten().collect() }
            }
        },
        Kind::Any | Kind::Reference(..) => node.values.iter().flatten().map(Type::of).collect(),
    }
}

/// Fields of which some have to be there, in words.
pub(in crate::diff) fn describe(groups: &[&Group]) -> String {
    let one = |group: &&Group| {
        let alternatives: Vec<String> = group
            .alternatives
            .iter()
            .map(|names| match names.is_empty() {
                true => "none".to_owned(),
                false => names.iter().cloned().collect::<Vec<_>>().join(" and "),
            })
            .collect();
        let which = if group.exclusive { "exactly one of" } else { "at least one of" };
        format!("{which} {}", alternatives.join(", "))
    };
    groups.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Whether every value that has the fields that were required, and any of those that were known, meets a condition.
pub(in crate::diff) fn is_met(group: &Group, old: &Seen<'_>) -> bool {
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
