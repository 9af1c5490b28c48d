//! Finds the roots of the comparison: events, operations, and the schemas that nothing refers to.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::Kind;
use super::names::{matched, similar};
use super::seen::{Seen, Slot};
use super::walk::{RootKind, Walk};
use super::{About, Fact, operations};
use crate::keywords::word;
use crate::model::{Document, EventBody, Model, Node, Place, Rust, Use, bodies};
use crate::project::Event;

/// Compares the two contracts from each of their roots.
pub(crate) fn roots(walk: &mut Walk<'_>) {
    let (old, new, none) = (walk.old, walk.new, Document::default());
    let names: BTreeSet<&String> = old.documents.keys().chain(new.documents.keys()).collect();
    for name in &names {
        let [old, new] = [old, new].map(|model| model.documents.get(*name).unwrap_or(&none));
        let [before, now] = [old, new].map(|document| bodies(document, walk.project));
        operations::roots(walk, old, new);
        events(walk, name, &before, &now);
        schemas(walk, name, &before, &now);
    }
    for name in names {
        others(walk, name);
    }
}

type Bodies = BTreeMap<String, EventBody>;

fn events(walk: &mut Walk<'_>, document: &str, old: &Bodies, new: &Bodies) {
    let Some(event) = &walk.project.event else { return };
    for body in old.values().chain(new.values()) {
        explain_types(walk, document, body, event);
        walk.bodies.insert(Place::new(document, &body.schema));
    }
    let models = (walk.old, walk.new);
    let data = |was: &EventBody, is: &EventBody| {
        Some((Seen::new(models.0, was.data.as_ref()?), Seen::new(models.1, is.data.as_ref()?)))
    };
    let (both, mut alone) = matched(old, new);
    for ((_, before), (name, now)) in both {
        let (was, is) = (Seen::new(walk.old, &before.node), Seen::new(walk.new, &now.node));
        let mut start = vec![walk.pair(&was, &is, Slot::Value)];
        start.extend(data(before, now).and_then(|(was, is)| carried(walk, &was, &is)));
        walk.begin(name, RootKind::Used, start);
    }
    let found = alone.renamed(|(before, was), (now, is)| {
        // A schema that was and is the body of one event only is the body of the same event.
        let stays = was.schema == is.schema && was.types == 1 && is.types == 1;
        // Two events carry the same data if they share a schema, or if their schemas are equal.
        (stays || similar(before, now))
            && data(was, is)
                .is_some_and(|(was, is)| (was.place.path == "$" && was.place == is.place) || walk.same(&was, &is))
    });
    let place = |body: &EventBody| match Place::new(document, &body.schema) {
        listed if body.schema == event.list => listed,
        place => place.field(&event.kind),
    };
    for ((before, was), (now, is)) in found {
        let mut start = Vec::new();
        if let Some((was, is)) = data(was, is) {
            start.push(walk.pair(&was, &is, Slot::Value));
            start.extend(carried(walk, &was, &is));
        }
        let fact = Fact::changed(&place(is), Kind::EventTypeRenamed, [before, now], About::Itself);
        start.push(walk.put(fact.of(before).into()));
        walk.begin(now, RootKind::Used, start);
    }
    for (name, body, is_new) in alone.each() {
        let kinds = [Kind::EventTypeRemoved, Kind::EventTypeAdded];
        let fact = Fact::alone(&place(body), kinds, is_new, name, About::Itself).of(name);
        let start = vec![walk.put(fact.into())];
        walk.begin(name, RootKind::Used, start);
    }
}

/// Marks changes of the list of event types as explained: the report tells them as changes of events.
fn explain_types(walk: &mut Walk<'_>, document: &str, body: &EventBody, event: &Event) {
    let own = Place::new(document, &body.schema).field(&event.kind);
    let mut places = vec![own, Place::new(document, &event.list)];
    for model in [walk.old, walk.new] {
        let node = model.documents.get(document).and_then(|document| document.schemas.get(&body.schema));
        let kind = node.and_then(|node| node.field(&event.kind));
        places.extend(kind.map(|kind| Seen::new(model, &kind.schema).place));
    }
    for kind in [Kind::EnumValueAdded, Kind::EnumValueRemoved, Kind::EnumValueRenamed] {
        walk.explained.extend(places.iter().map(|place| (place.clone(), kind)));
    }
}

/// Compares the configuration that events carry, which the contract describes in another document.
fn carried<'m>(walk: &mut Walk<'m>, old: &Seen<'m>, new: &Seen<'m>) -> Option<usize> {
    let carried = walk.project.event.as_ref()?.carries.as_ref()?;
    let (before, now) = (old.whole(), new.whole());
    let place = Place::new(&carried.document, &carried.schema);
    let (old, new) = (Seen::at(walk.old, &place)?, Seen::at(walk.new, &place)?);
    let carries = carried.fields.iter().any(|name| before.has(name) || now.has(name));
    carries.then(|| walk.pair(&old, &new, Slot::Value))
}

/// Returns a schema of a document by its name.
fn named<'m>(model: &'m Model, document: &str, name: &str) -> Option<Seen<'m>> {
    let node = model.documents.get(document)?.schemas.get(name)?;
    Some(Seen { model, node: Node::clone(node), place: node.place.clone(), called: None, all_require: None })
}

/// Returns the schemas of a document that no document refers to.
fn unused<'m>(model: &'m Model, document: &str) -> BTreeSet<&'m str> {
    let Some(document) = model.documents.get(document) else { return BTreeSet::new() };
    let copied: BTreeSet<&Place> = model.documents.values().flat_map(|other| other.copies.values()).collect();
    let is_used =
        |name: &String| document.uses.contains_key(name) || copied.contains(&Place::new(&document.name, name));
    let own = document.schemas.keys().filter(|name| !document.copies.contains_key(*name));
    let alone: BTreeSet<&str> = own.clone().filter(|name| !is_used(name)).map(String::as_str).collect();
    // Schemas that only refer to each other are unused too.
    let operations = document.operations.iter().flat_map(|one| [one.sent(), one.received()].concat());
    let start: Vec<&str> = operations.flat_map(|node| node.references()).collect();
    let copied = copied.iter().filter(|place| place.document == document.name).map(|place| place.schema.as_str());
    let reached = document.reachable(start.into_iter().chain(copied).chain(alone.iter().copied()));
    let is_value = |name: &&String| document.uses.get(*name) == Some(&Use::Value);
    let circles = own.filter(is_value).map(String::as_str).filter(|name| !reached.contains(name));
    circles.chain(alone.iter().copied()).collect()
}

/// Compares the schemas of a document that nothing refers to.
fn schemas(walk: &mut Walk<'_>, document: &str, old_bodies: &Bodies, new_bodies: &Bodies) {
    let is_body = |bodies: &Bodies, name: &str| bodies.values().any(|body| body.schema == name);
    let names = &unused(walk.old, document) | &unused(walk.new, document);
    let of = |model| names.iter().filter_map(move |name| Some((*name, named(model, document, name)?)));
    let (mut both, mut alone) = matched(of(walk.old), of(walk.new));
    // `events` reports a schema that becomes the body of an event, or no longer is one.
    both.retain(|((name, _), _)| is_body(old_bodies, name) == is_body(new_bodies, name));
    alone.gone.retain(|name, _| !is_body(old_bodies, name));
    alone.more.retain(|name, _| !is_body(new_bodies, name));
    // Another name for an equal schema does not change the contract.
    alone.renamed(|(_, before), (_, now)| walk.same(before, now));
    // If two schemas share most fields, one is the other under a new name, and their fields are compared.
    both.extend(alone.renamed(|(_, before), (_, now)| is_nearly(&before.whole(), &now.whole())));
    for ((_, old), (name, new)) in both {
        let start = vec![walk.pair(&old, &new, Slot::Value)];
        walk.begin(name, RootKind::Schema, start);
    }
    // The enum of event types stays, whatever its schema is called.
    let list = walk.project.event.as_ref().filter(|_| !old_bodies.is_empty() && !new_bodies.is_empty());
    let is_list = |name: &str| list.is_some_and(|event| event.list == name);
    for (name, seen, is_new) in alone.each().filter(|(_, seen, _)| !is_alias(seen)) {
        let whole = seen.whole();
        let text =
            format!("{} that nothing refers to", whole.types().first().map_or_else(|| "schema".to_owned(), word));
        let has_type = walk.project.module(document).is_some()
            && !is_list(name)
            && matches!(whole.node.rust(), Rust::Struct | Rust::OpenEnum);
        let kinds = [Kind::SchemaRemoved, Kind::SchemaAdded];
        let fact = Fact::alone(&seen.place, kinds, is_new, text, About::Schema { has_type });
        let start = vec![walk.put(fact.into())];
        walk.begin("", RootKind::Alone, start);
    }
}

/// Whether a schema is an alias, which gets no type.
fn is_alias(seen: &Seen<'_>) -> bool {
    seen.referred().is_some() && seen.node.is_plain()
}

/// Whether two objects share enough fields to be one object under two names.
fn is_nearly(old: &Seen<'_>, new: &Seen<'_>) -> bool {
    const LEAST: usize = 4;
    let (before, now) = (old.names(), new.names());
    let both = before.intersection(&now).count();
    both >= LEAST && 4 * both >= 3 * before.len().max(now.len())
}

/// Compares the schemas that the walk has not reached: bases of `allOf`, and schemas that only unreached schemas refer to.
fn others(walk: &mut Walk<'_>, document: &str) {
    let (Some(was), Some(is)) = (walk.old.documents.get(document), walk.new.documents.get(document)) else { return };
    let bodies = [was, is].map(|document| bodies(document, walk.project));
    let is_body = |name: &str| bodies.iter().flat_map(Bodies::values).any(|body| body.schema == name);
    for name in is.schemas.keys().filter(|name| !is.copies.contains_key(*name) && !is_body(name)) {
        let (Some(old), Some(new)) = (named(walk.old, document, name), named(walk.new, document, name)) else {
            continue;
        };
        if !walk.is_known(&old, &new) {
            let start = vec![walk.pair(&old, &new, Slot::Value)];
            let is_base = |document: &Document| document.uses.get(name) != Some(&Use::Value);
            walk.begin(name, if is_base(was) && is_base(is) { RootKind::Base } else { RootKind::Schema }, start);
        }
    }
}
