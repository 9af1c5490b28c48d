use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use anyhow::Result;

use super::context::Context;
use super::{
    Document, Facet, Field, Kind, Need, Node, Object, Operation, Others, Place, Response, Rust, Schema, names,
};
use crate::graph::{self, reachable};

/// The names of the schemas that a client sends and receives. A schema can be in both sets.
#[derive(Clone, Default)]
pub(crate) struct Directions {
    pub(crate) sent: BTreeSet<String>,
    pub(crate) received: BTreeSet<String>,
}

impl Directions {
    /// Whether a client sends a schema and never receives it.
    pub(crate) fn is_only_sent(&self, name: &str) -> bool {
        self.sent.contains(name) && !self.received.contains(name)
    }
}

impl Document {
    pub(crate) fn directions(&self) -> Directions {
        let Directions { sent, received } = &self.before_choices;
        Directions { sent: self.led_to(Operation::sent, sent), received: self.led_to(Operation::received, received) }
    }

    /// Returns the names of the schemas that the operations' nodes (`of`) or the schemas in `before` lead to.
    fn led_to<'d>(&'d self, of: fn(&'d Operation) -> Vec<&'d Node>, before: &'d BTreeSet<String>) -> BTreeSet<String> {
        let referred = self.operations.iter().flat_map(of).flat_map(|node| node.references());
        let before = before.iter().map(String::as_str).filter(|name| self.schemas.contains_key(*name));
        self.reachable(referred.chain(before)).into_iter().map(str::to_owned).collect()
    }

    /// Returns the names in `from`, and those of all schemas that these lead to.
    pub(crate) fn reachable<'d>(&'d self, from: impl IntoIterator<Item = &'d str>) -> BTreeSet<&'d str> {
        reachable(from, |name| self.schemas.get(name).into_iter().flat_map(|node| node.references()))
    }

    /// Calls `change` with every schema, innermost first.
    pub(super) fn change_schemas(&mut self, change: &mut dyn FnMut(&mut Schema)) {
        self.schemas.values_mut().for_each(|node| Rc::make_mut(node).change_all(change));
        for operation in &mut self.operations {
            operation.nodes_mut().for_each(|node| Rc::make_mut(node).change_all(change));
        }
    }

    /// Replaces each reference to a schema by the type that `becomes` returns for it, if any.
    pub(super) fn replace_references(&mut self, becomes: impl Fn(&str) -> Option<Rust>) {
        let schemas = self.schemas.clone();
        self.change_schemas(&mut |schema| {
            let Some((name, rust)) = schema.target().and_then(|name| Some((name.to_owned(), becomes(name)?))) else {
                return;
            };
            (schema.kind, schema.becomes) = (Kind::Any, Some(rust));
            if let Some(target) = schemas.get(&name) {
                schema.nullable |= target.nullable;
                schema.values.clone_from(&target.values);
            }
        });
    }

    /// Returns the names of its schemas in Rust.
    pub(crate) fn taken(&self) -> BTreeSet<String> {
        self.schemas.keys().map(|name| names::pascal(name)).collect()
    }

    /// Renames schemas that would have the same name in Rust. `renamed` keeps the published names.
    pub(crate) fn tell_apart(&mut self) {
        let mut taken = BTreeSet::new();
        for name in self.schemas.keys().cloned().collect::<Vec<_>>() {
            let apart = names::claim(&name, &mut taken);
            if apart != name {
                self.rename(&name, &apart);
                self.renamed.insert(apart, name);
            }
        }
    }

    /// Names the schemas inside operations: `CreateTopicRequest`, `CreateTopicResponse`.
    pub(crate) fn name_schemas_of_operations(&mut self) {
        let mut named = Named { taken: self.taken(), nodes: BTreeMap::new() };
        for operation in &mut self.operations {
            let id = names::pascal(&operation.id);
            for parameter in &mut operation.parameters {
                named.inline(&mut parameter.schema, &format!("{id}{}", names::part(&parameter.name)));
            }
            for node in operation.body.iter_mut().flat_map(|body| body.content.values_mut()) {
                named.inline(node, &format!("{id}Request"));
            }
            operation.choose_among_successes();
            for (status, response) in &mut operation.responses {
                let status = if status.starts_with('2') { String::new() } else { names::part(status) };
                for node in response.content.values_mut() {
                    named.inline(node, &format!("{id}Response{status}"));
                }
            }
        }
        self.schemas.extend(named.nodes);
    }
}

impl Operation {
    /// Where the bodies of successful responses differ, makes each of them a choice among all.
    fn choose_among_successes(&mut self) {
        let shapes = self.successes();
        let [first, _, ..] = shapes.as_slice() else { return };
        let choice = Schema::any_of(first.place.clone(), shapes.clone());
        let succeeds: Vec<String> = self.responses.keys().filter(|status| self.is_success(status)).cloned().collect();
        for status in succeeds {
            let node = self.responses.get_mut(&status).and_then(Response::json_mut);
            node.into_iter().for_each(|node| *node = Rc::clone(&choice));
        }
    }
}

/// The schemas inside operations, by the names that they got.
struct Named {
    /// The names in Rust that are in use, here and by other schemas.
    taken: BTreeSet<String>,
    nodes: BTreeMap<String, Node>,
}

impl Named {
    /// Names a schema inside an operation, or for an array the schema of its items.
    fn inline(&mut self, node: &mut Node, name: &str) {
        let is_plain = !node.is_enum()
            && matches!(node.kind, Kind::Reference(..) | Kind::Text | Kind::Boolean | Kind::Integer | Kind::Any);
        if is_plain {
            return;
        }
        if let Kind::List(Some(items)) = &mut Rc::make_mut(node).kind {
            return self.inline(items, &format!("{name}Item"));
        }
        // An equal schema in a response with another status keeps the same name.
        let is_same = |name: &str| self.nodes.get(name).is_some_and(|known| known.bare() == node.bare());
        let is_taken = |name: &str| self.taken.contains(&names::pascal(name)) && !is_same(name);
        let name = if is_taken(name) { names::apart(&format!("{name}Body"), is_taken) } else { name.to_owned() };
        self.taken.insert(names::pascal(&name));
        let reference = Schema::new(node.place.clone(), Kind::Reference(name.clone(), node.place.clone()));
        self.nodes.insert(name, std::mem::replace(node, Rc::new(reference)));
    }
}

/// Merges documents that have operations into one. Where two define a schema differently, the later one's schema gets
/// its document's name as a prefix. A schema that they share keeps the documentation of the first.
pub(crate) fn together(documents: Vec<Document>) -> Document {
    let differing = differing(&documents.iter().collect::<Vec<_>>());
    let mut together = Document { name: "client".to_owned(), ..Document::default() };
    let (mut ids, mut given) = (BTreeSet::new(), BTreeSet::new());
    for mut document in documents {
        let (taken, mut own) = (together.taken(), document.taken());
        let is_shared =
            |name: &String| together.schemas.contains_key(name) && !differing.contains(name) && !given.contains(name);
        let qualified = document.schemas.keys().filter(|name| !is_shared(name) && taken.contains(&names::pascal(name)));
        for name in qualified.cloned().collect::<Vec<_>>() {
            let is_taken = |name: &str| taken.contains(&names::pascal(name)) || own.contains(&names::pascal(name));
            let to = names::apart(&format!("{}{name}", names::pascal(&document.name)), is_taken);
            own.insert(names::pascal(&to));
            document.rename(&name, &to);
            given.insert(to);
        }
        for (name, node) in document.schemas {
            together.schemas.entry(name).or_insert(node);
        }
        for mut operation in document.operations {
            operation.id = names::claim(&operation.id, &mut ids);
            together.operations.push(operation);
        }
        together.renamed.extend(document.renamed);
        together.tags.extend(document.tags);
        together.problems.extend(document.problems);
        for (step, count) in document.steps {
            *together.steps.entry(step).or_default() += count;
        }
    }
    together
}

/// Returns the names that differ in meaning: their schemas differ, or those referred to. Documentation does not count.
fn differing(documents: &[&Document]) -> BTreeSet<String> {
    let mut schemas: BTreeMap<&str, Vec<Schema>> = BTreeMap::new();
    for (name, node) in documents.iter().flat_map(|document| &document.schemas) {
        schemas.entry(name).or_default().push(node.bare());
    }
    let differing = graph::differing(&schemas, Schema::eq, Schema::references);
    differing.into_iter().map(str::to_owned).collect()
}

/// Returns the names of the schemas that mean the same in both documents.
pub(crate) fn same(document: &Document, other: &Document) -> BTreeSet<String> {
    let differing = differing(&[document, other]);
    let both = other.schemas.keys().filter(|name| document.schemas.contains_key(*name));
    both.filter(|name| !differing.contains(*name)).cloned().collect()
}

impl Schema {
    /// Returns the schema without its documentation and its places: no type depends on those.
    pub(super) fn bare(&self) -> Self {
        let mut bare = self.clone();
        bare.change_all(&mut |schema| {
            let nowhere = || Place::new("", "");
            schema.place = nowhere();
            (schema.says.words, schema.says.value_words) = (None, BTreeMap::new());
            schema.facets.values_mut().for_each(|facet: &mut Facet| facet.place = nowhere());
            match &mut schema.kind {
                Kind::Reference(_, to) => *to = nowhere(),
                Kind::Object(object) => {
                    object.undescribed.values_mut().for_each(|place| *place = nowhere());
                    for field in object.fields.values_mut() {
                        (field.place, field.need_place) = (nowhere(), nowhere());
                    }
                }
                _ => {}
            }
        });
        bare
    }
}

/// Merges alternatives that are all objects into one object. Fields that all of them require are required, others optional.
///
/// typify's enum of `oneOf: [{required: [redirect], …}, {required: [connection], …}]` refuses a response for one unknown
/// field, and takes the first variant that fits: as `WriteResponseSingleSuccess`, every batch would lose its counts.
pub(super) fn flatten_alternatives(document: &mut Document, context: &Context<'_>) -> Result<usize> {
    if document.operations.is_empty() {
        return Ok(0);
    }
    Ok(change_choices(document, context, |before, schema, alternatives| {
        let objects = alternatives.iter().map(|one| before.resolve(one).object());
        let objects: Option<Vec<&Object>> = objects.map(|one| one.filter(|one| !one.fields.is_empty())).collect();
        let flat = flat(&objects?);
        schema.nullable |= alternatives.iter().any(|one| before.is_nullable(one));
        schema.kind = Kind::Object(flat);
        Some(())
    }))
}

/// Calls `change` with each choice outside of the shared schemas, the document as it was before, and the alternatives.
/// Returns how many choices changed.
fn change_choices(
    document: &mut Document,
    context: &Context<'_>,
    change: fn(&Document, &mut Schema, &[Node]) -> Option<()>,
) -> usize {
    let before = document.clone();
    let mut hits = 0;
    for (_, node) in document.schemas.iter_mut().filter(|(name, _)| !context.shared.contains_key(*name)) {
        Rc::make_mut(node).change_all(&mut |schema| {
            let Some(choice) = schema.choice() else { return };
            let alternatives = choice.alternatives.clone();
            hits += usize::from(change(&before, schema, &alternatives).is_some());
        });
    }
    hits
}

fn flat(objects: &[&Object]) -> Object {
    let mut flat = Object { others: Others::Any, ..Object::default() };
    for object in objects {
        for (name, field) in &object.fields {
            match flat.fields.get_mut(name) {
                None => {
                    let all = objects.iter().all(|object| object.need(name) == Need::Required);
                    let need = if all { Need::Required } else { Need::Optional };
                    flat.fields.insert(name.clone(), Field { need, ..field.clone() });
                }
                Some(other) if other.schema.bare() == field.schema.bare() => {}
                // The field may be either.
                Some(other) => {
                    let either = vec![Rc::clone(&other.schema), Rc::clone(&field.schema)];
                    other.schema = Schema::any_of(other.place.clone(), either);
                }
            }
        }
    }
    if let Some((first, others)) = objects.split_first() {
        let described = |object: &Object| object.fields.keys().cloned().collect::<BTreeSet<_>>();
        for other in others {
            flat.of_other_alternatives.extend(&described(other) - &described(first));
            flat.of_other_alternatives.extend(&other.required() - &first.required());
        }
    }
    flat
}

/// Turns a choice of strings into one string: a name or an identifier. It has known values if each alternative has.
pub(super) fn texts_of_choices(document: &mut Document, context: &Context<'_>) -> Result<usize> {
    fn texts<'d>(document: &'d Document, node: &'d Node, deepest: usize, found: &mut Vec<&'d Node>) -> bool {
        let node = document.resolve(node);
        match node.choice() {
            // A choice that contains itself would never end.
            Some(choice) => {
                deepest > 0 && choice.alternatives.iter().all(|one| texts(document, one, deepest - 1, found))
            }
            None => {
                found.push(node);
                matches!(node.kind, Kind::Text) && node.becomes.is_none()
            }
        }
    }
    Ok(change_choices(document, context, |before, schema, alternatives| {
        let mut found = Vec::new();
        let are_texts = alternatives.iter().all(|one| texts(before, one, super::DEEPEST, &mut found));
        are_texts.then(|| schema.become_text(found))
    }))
}

/// Drops the schemas of an API that no operation leads to: nobody could get or send one.
pub(super) fn prune(document: &mut Document, _: &Context<'_>) -> Result<usize> {
    if document.operations.is_empty() {
        return Ok(0);
    }
    let Directions { sent, received } = document.directions();
    let before = document.schemas.len();
    document.schemas.retain(|name, _| sent.contains(name) || received.contains(name));
    Ok(before - document.schemas.len())
}

/// Uses another crate's type where that crate has the same schema: a configuration is one type, whether an event brings
/// it or a caller sends it.
pub(super) fn share_types(document: &mut Document, context: &Context<'_>) -> Result<usize> {
    let path = |name: &str| context.shared.get(name)?.as_ref();
    let before = document.schemas.len();
    document.replace_references(|name| path(name).cloned().map(Rust::Type));
    document.schemas.retain(|name, _| path(name).is_none());
    Ok(before - document.schemas.len())
}
