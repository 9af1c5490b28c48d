//! Reads JSON into schemas: merges the parts of an `allOf`, folds alternatives into their object, and keeps references.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::take;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::{Choice, Facet, Field, Group, Kind, Need, Node, Object, Others, Place, Schema, Type};
use crate::document;
use crate::keywords::{among, variant};

/// Keywords that may stand beside a reference, and apply to any type.
const BESIDE: &str = "default deprecated description nullable readOnly writeOnly";

/// The most choices that are folded in a document. Alternatives that lead to each other may multiply without end.
const MOST_FOLDED: usize = 20_000;

/// A schema as a document has it, and its place.
#[derive(Clone)]
struct Part<'a> {
    schema: &'a Value,
    place: Place,
    /// Whether another part replaces it. Only its documentation still counts.
    replaced: bool,
}

/// The parts of a field, which refine each other; several lists of parts where alternatives differ.
#[derive(Clone)]
struct Described<'a> {
    either: Vec<Vec<Part<'a>>>,
    place: Place,
}

struct Alternatives<'a> {
    exclusive: bool,
    parts: Vec<Part<'a>>,
    place: Place,
    /// Whether they are in a part of an `allOf`, and so describe an object further.
    in_part: bool,
}

/// What the parts of a schema say together.
#[derive(Default)]
struct Gathered<'a> {
    kind: Option<Type>,
    nullable: Option<bool>,
    values: Option<Vec<Value>>,
    fields: BTreeMap<&'a str, Described<'a>>,
    needs: BTreeMap<String, (Need, Place)>,
    items: Option<Vec<Part<'a>>>,
    /// `None` where any other field is allowed, `Some(None)` where none is.
    others: Option<Option<Vec<Part<'a>>>>,
    choices: Vec<Alternatives<'a>>,
    groups: Vec<Group>,
    of_other_alternatives: BTreeSet<String>,
    facets: BTreeMap<String, Facet>,
    says: super::Says,
}

pub(super) struct Reader<'a> {
    pub(super) name: &'a str,
    pub(super) document: &'a Value,
    pub(super) copies: BTreeMap<String, Place>,
    known: HashMap<(Vec<*const Value>, Place), Node>,
    /// The schemas that are being read, outermost first.
    reading: Vec<Vec<*const Value>>,
    pub(super) problems: Vec<String>,
    pub(super) steps: BTreeMap<&'static str, usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(name: &'a str, document: &'a Value, copies: BTreeMap<String, Place>) -> Self {
        let steps = BTreeMap::from([("fold_alternatives", 0), ("merge_all_of", 0)]);
        Self { name, document, copies, known: HashMap::new(), reading: Vec::new(), problems: Vec::new(), steps }
    }

    /// Returns the place where a schema of this document is published.
    pub(super) fn place(&self, schema: &str) -> Place {
        self.copies.get(schema).cloned().unwrap_or_else(|| Place::new(self.name, schema))
    }

    /// Returns the value that a `$ref` leads to, and its place.
    pub(super) fn target(&self, value: &Value) -> Option<(&'a Value, Place)> {
        let reference = value["$ref"].as_str()?;
        let pointer = document::unescaped(reference.strip_prefix('#')?);
        let found = self.document.pointer(&pointer)?;
        let place = match document::schema_name(reference) {
            Some(name) => self.place(name),
            None => Place::new(self.name, pointer.trim_start_matches("/components/")),
        };
        Some((found, place))
    }

    /// Reads the schema at a place.
    pub(super) fn node(&mut self, schema: &'a Value, place: Place) -> Node {
        self.node_of(&[Part::new(schema, place)])
    }

    fn node_of(&mut self, parts: &[Part<'a>]) -> Node {
        let place = parts.last().map_or_else(|| Place::new(self.name, ""), |part| part.place.clone());
        let key = (parts.iter().map(|part| std::ptr::from_ref(part.schema)).collect(), place.clone());
        if let Some(node) = self.known.get(&key) {
            return Rc::clone(node);
        }
        // A schema that contains itself other than by a reference would never end: there it may be anything.
        if self.reading.contains(&key.0) {
            return Rc::new(Schema::new(place, Kind::Any));
        }
        self.reading.push(key.0.clone());
        let schema = self.schema(parts, place);
        self.reading.pop();
        let node = Rc::new(schema);
        self.known.insert(key, Rc::clone(&node));
        node
    }

    fn schema(&mut self, parts: &[Part<'a>], place: Place) -> Schema {
        let referring = parts.iter().filter(|part| !part.replaced && !part.is_beside());
        if let [one] = referring.collect::<Vec<_>>()[..]
            && let Some((name, or_null)) = referred(one.schema)
            && self.document["components"]["schemas"].get(name).is_some()
        {
            let mut schema = Schema::new(place, Kind::Reference(name.to_owned(), self.place(name)));
            let mut beside = Gathered::default();
            for part in parts {
                self.beside(&mut beside, part);
            }
            schema.nullable = or_null || beside.nullable.unwrap_or_default();
            (schema.facets, schema.says) = (beside.facets, beside.says);
            return schema;
        }
        let mut gathered = self.gather(parts, &[]);
        let mut schema = Schema::new(place, Kind::Any);
        schema.nullable = gathered.nullable.unwrap_or_default();
        (schema.facets, schema.says) = (take(&mut gathered.facets), take(&mut gathered.says));
        schema.values = gathered.values.take();
        schema.kind = self.kind(gathered, schema.values.as_deref());
        fold_values(schema)
    }

    /// Merges the parts of a schema. `within` are the schemas that are being merged around them.
    fn gather(&mut self, parts: &[Part<'a>], within: &[*const Value]) -> Gathered<'a> {
        let mut gathered = Gathered::default();
        let mut within = within.to_vec();
        within.push(std::ptr::null());
        for part in parts {
            match part.replaced {
                true => self.beside(&mut gathered, part),
                false => self.absorb(&mut gathered, part, false, &mut within),
            }
        }
        within.extend(parts.iter().map(|part| std::ptr::from_ref(part.schema)));
        self.fold(&mut gathered, &within);
        gathered
    }

    /// Merges the keywords that apply to any type; of a replaced part, only the documentation.
    fn beside(&mut self, gathered: &mut Gathered<'a>, part: &Part<'a>) {
        const TOLD: &str = "deprecated description x-enum-descriptions";
        for (key, value) in members(part.schema) {
            if among(TOLD, key) || (!part.replaced && is_beside(key)) {
                self.keyword(gathered, key, value, &part.place);
            }
        }
    }

    /// Merges a schema into what is known of the same value. Later keywords override earlier ones.
    fn absorb(&mut self, gathered: &mut Gathered<'a>, part: &Part<'a>, in_part: bool, within: &mut Vec<*const Value>) {
        let Part { schema, place, .. } = part;
        if !schema.is_object() {
            return;
        }
        if let Some(start) = within.iter().position(|one| std::ptr::eq(*one, *schema)) {
            // An alternative that extends the schema which lists it adds nothing to that schema.
            if within[start..].contains(&std::ptr::null()) {
                return;
            }
            // The model cannot express this.
            return self.problems.push(format!("at schema `{}`: it is an `allOf` of itself", place.schema));
        }
        within.push(*schema);
        if let Some((schema, place)) = self.target(schema) {
            // The documentation of a schema is not that of the schemas that extend it.
            let said = (gathered.says.words.take(), take(&mut gathered.says.value_words));
            let deprecated = gathered.facets.remove("deprecated");
            self.absorb(gathered, &Part::new(schema, place), in_part, within);
            (gathered.says.words, gathered.says.value_words) = said;
            gathered.facets.remove("deprecated");
            gathered.facets.extend(deprecated.map(|facet| ("deprecated".to_owned(), facet)));
        }
        let all = schema["allOf"].as_array().map_or(&[][..], Vec::as_slice);
        if !all.is_empty() {
            self.count("merge_all_of");
        }
        for schema in all {
            let part = Part::new(schema, place.clone());
            self.absorb(gathered, &part, in_part || all.len() > 1, within);
        }
        for (key, exclusive) in [("oneOf", true), ("anyOf", false)] {
            let alternatives = schema[key].as_array().into_iter().flatten();
            let (nulls, others): (Vec<&Value>, Vec<&Value>) = alternatives.partition(|one| is_null(one));
            if !nulls.is_empty() {
                gathered.nullable = Some(true);
            }
            let parts: Vec<_> = others.into_iter().map(|schema| Part::new(schema, place.clone())).collect();
            match parts.as_slice() {
                [] => {}
                [one] => self.absorb(gathered, one, in_part, within),
                // A base schema that lists the schemas that extend it. This is one of them.
                several if several.iter().any(|one| within.contains(&(self.pointed(one.schema) as *const _))) => {}
                _ => gathered.choices.push(Alternatives { exclusive, parts, place: place.clone(), in_part }),
            }
        }
        for (key, value) in members(schema) {
            self.keyword(gathered, key, value, place);
        }
        within.pop();
    }

    /// Returns the schema that a reference leads to, or the schema itself.
    fn pointed(&self, schema: &'a Value) -> &'a Value {
        self.target(schema).map_or(schema, |(schema, _)| schema)
    }

    fn keyword(&mut self, gathered: &mut Gathered<'a>, key: &'a str, value: &'a Value, place: &Place) {
        let part = |schema, step: &str| vec![Part::new(schema, place.below(step))];
        match (key, value) {
            ("$ref" | "allOf" | "oneOf" | "anyOf", _) => {}
            ("type", Value::String(kind)) => gathered.kind = variant(kind),
            ("nullable", Value::Bool(nullable)) => gathered.nullable = Some(*nullable),
            ("enum", Value::Array(values)) => {
                if values.contains(&Value::Null) {
                    gathered.nullable = Some(true);
                }
                gathered.values = Some(values.iter().filter(|value| !value.is_null()).cloned().collect());
            }
            ("required", Value::Array(names)) => {
                for name in names.iter().filter_map(Value::as_str) {
                    gathered.require(name, Need::Required, place);
                }
            }
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    gathered.describe(name, Part::new(schema, place.field(name)));
                }
            }
            ("items", items) if has_content(items) => gathered.items = Some(part(items, "[*]")),
            ("additionalProperties", Value::Bool(false)) => gathered.others = Some(None),
            ("additionalProperties", others) if has_content(others) => {
                gathered.others = Some(Some(part(others, ".*")));
            }
            // A schema that allows anything says nothing, and does not override another part.
            ("items" | "additionalProperties", _) => {}
            ("description", words) => gathered.says.words = text(words),
            (key, value) if key.starts_with("x-") => gathered.says.hear(key, value),
            // `false` and a lower bound of 0 are the defaults, and say nothing.
            (_, Value::Bool(false)) if key != "default" => {}
            ("minLength" | "minItems" | "minProperties", Value::Number(least)) if least.as_u64() == Some(0) => {}
            _ => drop(gathered.facets.insert(key.to_owned(), Facet { value: value.clone(), place: place.clone() })),
        }
    }

    /// Folds the alternatives of an object into it: it gets their fields, and a group keeps which are required. Most
    /// say only which are required: `oneOf: [{required: [config]}, {required: [configURL]}]`.
    ///
    /// typify's untagged enum of `Variant0` and `Variant1` takes the first variant that fits, and so loses `configURL`
    /// when `config` is `{}`. Folded in, both are optional fields.
    fn fold(&mut self, gathered: &mut Gathered<'a>, within: &[*const Value]) {
        for choice in take(&mut gathered.choices) {
            let only_required = choice.parts.iter().all(|part| {
                members(part.schema).all(|(key, value)| match key {
                    "required" | "not" => true,
                    "type" => value == "object",
                    _ => false,
                })
            });
            let is_part = choice.in_part && choice.parts.iter().all(|part| self.is_object(part.schema));
            if only_required || !gathered.fields.is_empty() || is_part {
                self.fold_one(gathered, &choice, within);
            } else {
                gathered.choices.push(choice);
            }
        }
    }

    /// Returns the alternatives of a part that is only a choice, or else the part. An `allOf` of one schema is that schema.
    fn alternatives(&self, part: &Part<'a>, depth: usize) -> Vec<Part<'a>> {
        const DEEPEST: usize = 4;
        let mut says = members(self.pointed(part.schema)).filter(|(key, _)| !among("description discriminator", key));
        let inner = match (says.next(), says.next()) {
            (Some(("oneOf" | "anyOf", Value::Array(inner))), None) => inner,
            (Some(("allOf", Value::Array(inner))), None) if inner.len() == 1 => inner,
            _ => return vec![part.clone()],
        };
        if depth == DEEPEST {
            return vec![part.clone()];
        }
        let parts = inner.iter().map(|schema| Part::new(schema, part.place.clone()));
        parts.flat_map(|part| self.alternatives(&part, depth + 1)).collect()
    }

    fn fold_one(&mut self, gathered: &mut Gathered<'a>, choice: &Alternatives<'a>, within: &[*const Value]) {
        self.count("fold_alternatives");
        if self.steps.get("fold_alternatives") > Some(&MOST_FOLDED) {
            let why = "its alternatives lead to each other in too many ways";
            return self.problems.push(format!("at schema `{}`: {why}", choice.place.schema));
        }
        let parts: Vec<Part<'a>> = choice.parts.iter().flat_map(|part| self.alternatives(part, 0)).collect();
        let parts: Vec<Gathered<'a>> =
            parts.iter().map(|part| self.gather(std::slice::from_ref(part), within)).collect();
        let mut group = Group { exclusive: choice.exclusive, alternatives: BTreeSet::new() };
        let (mut fields, mut first) = (BTreeMap::<&str, Described<'a>>::new(), None);
        for part in parts {
            let required = part.needs.iter().filter(|(_, (need, _))| *need == Need::Required).map(|(name, _)| name);
            let required: BTreeSet<String> = required.cloned().collect();
            let described = part.fields.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
            let (first_described, first_required) = first.get_or_insert_with(|| (described.clone(), required.clone()));
            let more = (&described - first_described).into_iter().chain(&required - first_required);
            gathered.of_other_alternatives.extend(more);
            group.alternatives.insert(required);
            for (name, described) in part.fields {
                match fields.get_mut(name) {
                    None => drop(fields.insert(name, described)),
                    Some(known) => {
                        for parts in described.either {
                            if !known.either.iter().any(|one| say_the_same(one, &parts)) {
                                known.either.push(parts);
                            }
                        }
                    }
                }
            }
        }
        for (name, described) in fields {
            match gathered.fields.get_mut(name) {
                None => drop(gathered.fields.insert(name, described)),
                Some(own) if described.either.iter().all(|b| own.either.iter().any(|a| say_the_same(a, b))) => {}
                Some(own) if own.either.iter().flatten().any(|part| has_content(part.schema)) => {
                    own.either.extend(described.either);
                }
                Some(own) => *own = described,
            }
        }
        let names: BTreeSet<String> = group.alternatives.iter().flatten().cloned().collect();
        for name in names {
            if group.alternatives.iter().all(|names| names.contains(&name)) {
                gathered.require(&name, Need::Required, &choice.place);
            } else if gathered.fields.contains_key(name.as_str()) {
                gathered.require(&name, Need::Conditional, &choice.place);
            }
        }
        if group.alternatives.len() > 1 {
            gathered.groups.push(group);
        }
    }

    fn is_object(&self, schema: &'a Value) -> bool {
        let schema = self.pointed(schema);
        schema["properties"].is_object() || schema["type"] == "object"
    }

    fn kind(&mut self, gathered: Gathered<'a>, values: Option<&[Value]>) -> Kind {
        if !gathered.choices.is_empty() {
            let exclusive = gathered.choices.iter().any(|choice| choice.exclusive);
            let parts = gathered.choices.into_iter().flat_map(|choice| choice.parts);
            let alternatives = parts.map(|part| self.node_of(&[part])).collect();
            return Kind::Choice(Choice { alternatives, exclusive, of: gathered.kind });
        }
        let is_object = !gathered.fields.is_empty() || !gathered.needs.is_empty() || gathered.others.is_some();
        let of_values = || -> Option<Type> {
            let types: BTreeSet<Type> = values.into_iter().flatten().map(Type::of).collect();
            types.first().copied().filter(|_| types.len() == 1)
        };
        match gathered.kind.or_else(of_values) {
            Some(Type::Object) => self.object(gathered),
            Some(Type::Array) => Kind::List(gathered.items.map(|items| self.node_of(&items))),
            Some(Type::Boolean) => Kind::Boolean,
            Some(Type::Integer) => Kind::Integer,
            Some(Type::Number) => Kind::Number,
            Some(Type::String) => Kind::Text,
            Some(Type::Null) => Kind::Any,
            None if values.is_some() => Kind::Any,
            None if is_object => self.object(gathered),
            None => gathered.items.map_or(Kind::Any, |items| Kind::List(Some(self.node_of(&items)))),
        }
    }

    fn object(&mut self, mut gathered: Gathered<'a>) -> Kind {
        gathered.groups.sort();
        let others = match gathered.others {
            None => Others::Any,
            Some(None) => Others::None,
            Some(Some(values)) => Others::Of(self.node_of(&values)),
        };
        let mut fields = BTreeMap::new();
        for (name, Described { either, place }) in gathered.fields {
            let schema = match either.as_slice() {
                [parts] => self.node_of(parts),
                several => Schema::any_of(place.clone(), several.iter().map(|parts| self.node_of(parts)).collect()),
            };
            let (need, need_place) = gathered.needs.remove(name).unwrap_or((Need::Optional, place.clone()));
            fields.insert(name.to_owned(), Field { schema, place, need, need_place });
        }
        let undescribed = gathered.needs.into_iter().filter(|(_, (need, _))| *need == Need::Required);
        Kind::Object(Object {
            fields,
            undescribed: undescribed.map(|(name, (_, place))| (name, place)).collect(),
            groups: gathered.groups,
            others,
            of_other_alternatives: gathered.of_other_alternatives,
        })
    }

    fn count(&mut self, step: &'static str) {
        *self.steps.entry(step).or_default() += 1;
    }
}

impl<'a> Gathered<'a> {
    fn require(&mut self, name: &str, need: Need, place: &Place) {
        match self.needs.get_mut(name) {
            Some((known, _)) if *known == Need::Required || need == Need::Conditional => {}
            _ => drop(self.needs.insert(name.to_owned(), (need, place.clone()))),
        }
    }

    /// Adds a field, or what another part says of it. A reference replaces what was said before. An empty schema
    /// changes nothing.
    fn describe(&mut self, name: &'a str, part: Part<'a>) {
        let Some(known) = self.fields.get_mut(name) else {
            let place = part.place.clone();
            self.fields.insert(name, Described { either: vec![vec![part]], place });
            return;
        };
        if !has_content(part.schema) {
            return;
        }
        known.place = part.place.clone();
        let mut parts: Vec<Part<'a>> = known.either.drain(..).flatten().collect();
        let replaces = part.schema.get("$ref").is_some() || parts.iter().any(|known| known.is(&part));
        let was_reference = parts.iter().any(|known| !known.replaced && known.schema.get("$ref").is_some());
        if replaces || (was_reference && part.schema.get("type").is_some()) {
            parts.retain(|known| !known.is(&part));
            parts.iter_mut().for_each(|known| known.replaced = true);
        }
        parts.push(part);
        known.either.push(parts);
    }
}

impl<'a> Part<'a> {
    fn new(schema: &'a Value, place: Place) -> Self {
        Self { schema, place, replaced: false }
    }

    /// Whether it only has keywords that apply to any type.
    fn is_beside(&self) -> bool {
        members(self.schema).all(|(key, _)| is_beside(key))
    }

    fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.schema, other.schema)
    }
}

impl super::Says {
    fn hear(&mut self, key: &str, value: &Value) {
        match key {
            "x-enum-descriptions" => {
                self.value_words =
                    members(value).filter_map(|(value, words)| Some((value.to_owned(), text(words)?))).collect();
            }
            "x-credential" => self.credential = value.as_bool(),
            "x-signed-url" => self.signed_url = value == true,
            "x-same-as" => self.same_as = text(value),
            "x-from" => self.from = text(value),
            "x-order" => self.order = value.as_array().into_iter().flatten().filter_map(text).collect(),
            _ => {}
        }
    }
}

/// Merges alternatives that are all enums of strings into one enum. Some contracts describe each value that way.
fn fold_values(mut schema: Schema) -> Schema {
    let Kind::Choice(choice) = &schema.kind else { return schema };
    let is_enum = |one: &Node| matches!(one.kind, Kind::Text) && one.values.is_some();
    if !choice.alternatives.iter().all(is_enum) {
        return schema;
    }
    for one in &choice.alternatives {
        if let (Some(words), [value]) = (&one.says.words, one.texts().as_slice()) {
            schema.says.value_words.entry((*value).to_owned()).or_insert_with(|| words.clone());
        }
    }
    let alternatives = choice.alternatives.clone();
    schema.become_text(&alternatives);
    schema
}

fn is_beside(keyword: &str) -> bool {
    among(BESIDE, keyword) || keyword.starts_with("x-")
}

/// Returns the name that a reference leads to, and whether the value may be `null` instead. An `allOf`, `oneOf` or
/// `anyOf` of one reference is a reference too, if only keywords for any type stand beside it.
fn referred(schema: &Value) -> Option<(&str, bool)> {
    if let Some(reference) = schema["$ref"].as_str() {
        return document::schema_name(reference).map(|name| (name, false));
    }
    let own = schema.as_object()?;
    let mut others = own.iter().filter(|(key, value)| !(is_beside(key) || *key == "type" && *value == "object"));
    let ((key, Value::Array(parts)), None) = (others.next()?, others.next()) else { return None };
    if !["allOf", "oneOf", "anyOf"].contains(&key.as_str()) {
        return None;
    }
    // `allOf: [{$ref: …}, {nullable: true}]` allows `null`, as an alternative for `null` does.
    let says_null = |part: &Value| match key.as_str() {
        "allOf" => part["nullable"] == true && members(part).all(|(key, _)| is_beside(key)),
        _ => is_null(part),
    };
    let (nulls, parts): (Vec<&Value>, Vec<&Value>) = parts.iter().partition(|part| says_null(part));
    let [one] = parts[..] else { return None };
    let name = document::schema_name(one["$ref"].as_str()?)?;
    (one.as_object()?.len() == 1).then_some((name, !nulls.is_empty()))
}

/// Whether a schema allows only `null`.
fn is_null(schema: &Value) -> bool {
    schema["enum"].as_array().is_some_and(|values| values == &[Value::Null])
}

fn has_content(schema: &Value) -> bool {
    schema.as_object().is_some_and(|members| !members.is_empty())
}

/// Whether two descriptions of a field differ only in their documentation.
fn say_the_same(one: &[Part<'_>], other: &[Part<'_>]) -> bool {
    let without_words = |parts: &[Part<'_>]| parts.iter().map(|part| wordless(part.schema)).collect::<Vec<_>>();
    without_words(one) == without_words(other)
}

/// Returns a schema without its documentation.
fn wordless(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let said = members
                .iter()
                .filter(|(key, value)| !(*key == "description" && value.is_string()) && *key != "x-enum-descriptions");
            said.map(|(key, value)| (key.clone(), wordless(value))).collect()
        }
        Value::Array(items) => items.iter().map(wordless).collect(),
        other => other.clone(),
    }
}

pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

pub(super) fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().map(Map::iter).into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

pub(super) fn owned((key, value): (&str, &Value)) -> (String, Value) {
    (key.to_owned(), value.clone())
}
