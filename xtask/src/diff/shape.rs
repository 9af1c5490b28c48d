//! What a schema says, however it says it: references followed, parts of an `allOf` put together, rewrites undone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::side::{Node, Place, Side};

/// What values a schema describes.
pub(super) struct Shape<'a> {
    pub(super) place: Place,
    /// The name of the schema, where it is compared as if it stood elsewhere.
    pub(super) called: Option<String>,
    /// The types of JSON, without `null`; none where any will do.
    pub(super) types: BTreeSet<&'a str>,
    pub(super) nullable: bool,
    /// The values of an enum.
    pub(super) values: Option<Vec<&'a Value>>,
    pub(super) fields: BTreeMap<&'a str, Field<'a>>,
    /// Names that are required and described nowhere, and where that is said.
    pub(super) undescribed: BTreeMap<&'a str, Place>,
    /// Fields of which some have to be there.
    pub(super) groups: Vec<Group<'a>>,
    pub(super) items: Option<Node<'a>>,
    pub(super) others: Others<'a>,
    /// What the value is one of; empty when there is no choice.
    pub(super) choices: Vec<Node<'a>>,
    /// Whether it may be no more than one of them.
    pub(super) exclusive: bool,
    /// Every other keyword.
    pub(super) facets: BTreeMap<&'a str, (&'a Value, Place)>,
}

#[derive(Clone)]
pub(super) struct Field<'a> {
    pub(super) node: Node<'a>,
    pub(super) place: Place,
    pub(super) need: Need,
    /// Where it is said to be required.
    pub(super) need_place: Place,
}

/// Whether a field has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    /// It or another.
    Conditional,
    Optional,
}

/// `oneOf: [{required: [config]}, {required: [configURL]}]`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group<'a> {
    /// Whether exactly one of the alternatives may be met.
    pub(super) exclusive: bool,
    pub(super) alternatives: BTreeSet<BTreeSet<&'a str>>,
}

/// The fields that have no name in the contract.
#[derive(Clone)]
pub(super) enum Others<'a> {
    Any,
    None,
    Of(Node<'a>),
}

impl Shape<'_> {
    pub(super) fn is_struct(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Whether there may be values that are refused for being two of the choices.
    pub(super) fn excludes(&self) -> bool {
        let choices: Vec<Shape<'_>> = self.choices.iter().map(Node::shape).collect();
        let mut pairs =
            choices.iter().enumerate().flat_map(|(at, one)| choices.iter().skip(at + 1).map(move |o| (one, o)));
        self.exclusive && pairs.any(|(one, other)| !one.is_apart_from(other))
    }

    /// Whether no value is both: their types differ, or those of a field that both require.
    fn is_apart_from(&self, other: &Shape<'_>) -> bool {
        let differ = |one: &Shape<'_>, other: &Shape<'_>| {
            !one.types.is_empty() && !other.types.is_empty() && one.types.is_disjoint(&other.types)
        };
        let required = |shape: &Shape<'_>, name: &str| shape.need(name) == Need::Required;
        let mut both = self.fields.iter().filter_map(|(name, field)| Some((name, field, other.fields.get(name)?)));
        differ(self, other)
            || both.any(|(name, one, another)| {
                let (one, another) = (one.node.shape(), another.node.shape());
                required(self, name) && required(other, name) && differ(&one, &another)
            })
    }

    pub(super) fn need(&self, field: &str) -> Need {
        match self.undescribed.contains_key(field) {
            true => Need::Required,
            false => self.fields.get(field).map_or(Need::Optional, |field| field.need),
        }
    }
}

impl Group<'_> {
    pub(super) fn describe(&self) -> String {
        let alternatives: Vec<String> = self
            .alternatives
            .iter()
            .map(|names| if names.is_empty() { "none".to_owned() } else { joined(names, " and ") })
            .collect();
        let which = if self.exclusive { "exactly one of" } else { "at least one of" };
        format!("{which} {}", alternatives.join(", "))
    }

    /// Whether every value that has the fields that were required, and any of those that were known, meets this.
    pub(super) fn is_met_by(&self, old: &Shape<'_>) -> bool {
        let always = |names: &BTreeSet<&str>| names.iter().all(|name| old.need(name) == Need::Required);
        let possible = |names: &BTreeSet<&str>| names.iter().all(|name| old.fields.contains_key(name));
        let count = self.alternatives.iter().filter(|names| possible(names)).count();
        let same = old.groups.iter().any(|group| {
            group.alternatives.is_subset(&self.alternatives)
                && (group.exclusive || !self.exclusive)
                && (!self.exclusive || count == group.alternatives.len())
        });
        same || (self.alternatives.iter().any(always) && (!self.exclusive || count == 1))
    }
}

fn joined(names: &BTreeSet<&str>, with: &str) -> String {
    names.iter().copied().collect::<Vec<_>>().join(with)
}

/// A choice that is still to be understood.
struct Choice<'a> {
    exclusive: bool,
    alternatives: Vec<Node<'a>>,
}

/// A shape in the making.
struct Making<'a> {
    side: &'a Side<'a>,
    document: &'a str,
    shape: Shape<'a>,
    kind: Option<&'a str>,
    nullable: Option<bool>,
    required: BTreeMap<&'a str, Place>,
    choices: Vec<(Choice<'a>, Place)>,
    within: Vec<*const Value>,
    /// The schema, and those that it is a choice of.
    outer: Vec<*const Value>,
}

impl<'a> Node<'a> {
    pub(super) fn shape(&self) -> Shape<'a> {
        self.shape_within(&[])
    }

    /// The shape of a choice. What it is a choice of is no choice of its own.
    fn shape_within(&self, outer: &[*const Value]) -> Shape<'a> {
        let shape = Shape {
            place: self.place(),
            called: self.called.clone(),
            types: BTreeSet::new(),
            nullable: false,
            values: None,
            fields: BTreeMap::new(),
            undescribed: BTreeMap::new(),
            groups: Vec::new(),
            items: None,
            others: Others::Any,
            choices: Vec::new(),
            exclusive: false,
            facets: BTreeMap::new(),
        };
        let mut making = Making {
            side: self.side,
            document: self.document,
            shape,
            kind: None,
            nullable: None,
            required: BTreeMap::new(),
            choices: Vec::new(),
            within: outer.to_vec(),
            outer: [outer, &self.id()].concat(),
        };
        for (schema, place) in &self.parts {
            making.absorb(schema, place);
        }
        making.finish()
    }
}

impl<'a> Making<'a> {
    /// Adds what a schema says to what is known. What comes later is said of the same value, and has the last word.
    fn absorb(&mut self, schema: &'a Value, place: &Place) {
        let Some(members) = schema.as_object().filter(|_| !self.within.contains(&std::ptr::from_ref(schema))) else {
            return;
        };
        self.within.push(schema);
        if let Some((target, place)) =
            members.get("$ref").and_then(Value::as_str).and_then(|r| self.side.target(self.document, r))
        {
            self.absorb(target, &place);
        }
        for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.absorb(part, place);
        }
        for (key, exclusive) in [("oneOf", true), ("anyOf", false)] {
            if let Some(alternatives) = members.get(key).and_then(Value::as_array) {
                self.choose(alternatives, exclusive, place);
            }
        }
        for (key, value) in members {
            self.keyword(key, value, place);
        }
        self.within.pop();
    }

    fn choose(&mut self, alternatives: &'a [Value], exclusive: bool, place: &Place) {
        let (nulls, alternatives): (Vec<&Value>, Vec<&Value>) = alternatives
            .iter()
            .partition(|schema| schema["enum"].as_array().is_some_and(|values| values == &[Value::Null]));
        if !nulls.is_empty() {
            self.nullable = Some(true);
        }
        match alternatives.as_slice() {
            [one] => self.absorb(one, place),
            several => {
                let alternatives = several.iter().map(|schema| self.side.node(self.document, schema, place.clone()));
                self.choices.push((Choice { exclusive, alternatives: alternatives.collect() }, place.clone()));
            }
        }
    }

    fn keyword(&mut self, key: &'a str, value: &'a Value, place: &Place) {
        let shape = &mut self.shape;
        match (key, value) {
            ("$ref" | "allOf" | "oneOf" | "anyOf", _) => {}
            ("type", Value::String(kind)) => self.kind = Some(kind),
            ("nullable", Value::Bool(nullable)) => self.nullable = Some(*nullable),
            ("enum", Value::Array(values)) => shape.values = Some(values.iter().collect()),
            ("required", Value::Array(names)) => {
                for name in names.iter().filter_map(Value::as_str) {
                    self.required.entry(name).or_insert_with(|| place.clone());
                }
            }
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    let node = self.side.node(self.document, schema, place.field(name));
                    add(&mut shape.fields, name, node, place.field(name), schema.get("$ref").is_some());
                }
            }
            ("items", items) if has_content(items) => {
                shape.items = Some(self.side.node(self.document, items, place.below("[*]")));
            }
            ("additionalProperties", Value::Bool(false)) => shape.others = Others::None,
            ("additionalProperties", others) if has_content(others) => {
                shape.others = Others::Of(self.side.node(self.document, others, place.below(".*")));
            }
            // What anything will do for says nothing, and leaves what another part says.
            ("items" | "additionalProperties", _) => {}
            // What says nothing.
            (_, Value::Bool(false)) if key != "default" => {}
            ("minLength" | "minItems" | "minProperties", Value::Number(least)) if least.as_u64() == Some(0) => {}
            _ => drop(shape.facets.insert(key, (value, place.clone()))),
        }
    }

    fn finish(mut self) -> Shape<'a> {
        let choices = std::mem::take(&mut self.choices);
        for (choice, place) in choices {
            let only_required = choice.alternatives.iter().all(|node| {
                let mut members = node.parts.iter().filter_map(|(schema, _)| schema.as_object()).flatten();
                members.all(|(key, value)| match key.as_str() {
                    "required" | "not" => true,
                    "type" => value == "object",
                    _ => false,
                })
            });
            if only_required || self.shape.is_struct() {
                self.fold(&choice, &place);
            } else {
                self.shape.choices.extend(choice.alternatives);
                self.shape.exclusive |= choice.exclusive;
            }
        }
        for (name, need_place) in std::mem::take(&mut self.required) {
            match self.shape.fields.get_mut(name) {
                Some(field) => (field.need, field.need_place) = (Need::Required, need_place),
                None => drop(self.shape.undescribed.insert(name, need_place)),
            }
        }
        self.shape.nullable = self.nullable.unwrap_or_default();
        if let Some(values) = &mut self.shape.values {
            self.shape.nullable |= values.iter().any(|value| value.is_null());
            values.retain(|value| !value.is_null());
        }
        self.shape.groups.sort();
        self.shape.types = self.types();
        self.shape
    }

    /// Makes the fields of alternatives optional fields of the object, and keeps which of them have to be there.
    fn fold(&mut self, choice: &Choice<'a>, place: &Place) {
        let mut group = Group { exclusive: choice.exclusive, alternatives: BTreeSet::new() };
        for alternative in &choice.alternatives {
            let shape = alternative.shape_within(&self.outer);
            let required = shape.fields.keys().chain(shape.undescribed.keys()).copied();
            group.alternatives.insert(required.filter(|name| shape.need(name) == Need::Required).collect());
            for (name, field) in shape.fields {
                add(&mut self.shape.fields, name, field.node, field.place, false);
            }
        }
        let names: BTreeSet<&str> = group.alternatives.iter().flatten().copied().collect();
        for name in names {
            if group.alternatives.iter().all(|names| names.contains(name)) {
                self.required.entry(name).or_insert_with(|| place.clone());
            } else if let Some(field) = self.shape.fields.get_mut(name) {
                (field.need, field.need_place) = (Need::Conditional, place.clone());
            }
        }
        if group.alternatives.len() > 1 {
            self.shape.groups.push(group);
        }
    }

    fn types(&self) -> BTreeSet<&'a str> {
        let shape = &self.shape;
        if let Some(kind) = self.kind {
            return BTreeSet::from([kind]);
        }
        if let Some(values) = &shape.values {
            return values.iter().map(|value| type_of(value)).collect();
        }
        if shape.is_struct() || !shape.undescribed.is_empty() || !matches!(shape.others, Others::Any) {
            return BTreeSet::from(["object"]);
        }
        if shape.items.is_some() {
            return BTreeSet::from(["array"]);
        }
        let choices: Vec<_> = shape.choices.iter().map(|node| node.shape_within(&self.outer).types).collect();
        if choices.iter().any(BTreeSet::is_empty) { BTreeSet::new() } else { choices.into_iter().flatten().collect() }
    }
}

/// Adds a field, or what one more schema says of it. A reference takes the place of what was said before; what says
/// nothing leaves it.
fn add<'a>(fields: &mut BTreeMap<&'a str, Field<'a>>, name: &'a str, node: Node<'a>, place: Place, reference: bool) {
    match fields.get_mut(name) {
        Some(_) if !node.parts.iter().any(|(schema, _)| has_content(schema)) => {}
        Some(field) => {
            if reference || field.node.parts.iter().any(|part| node.id().contains(&std::ptr::from_ref(part.0))) {
                field.node = node;
            } else {
                field.node.parts.extend(node.parts);
            }
            field.place = place;
        }
        None => {
            let need_place = place.clone();
            fields.insert(name, Field { node, place, need: Need::Optional, need_place });
        }
    }
}

fn has_content(schema: &Value) -> bool {
    schema.as_object().is_some_and(|members| !members.is_empty())
}

pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
