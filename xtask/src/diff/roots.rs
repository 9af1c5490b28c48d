//! Where values come in or go out: events, operations, and the schemas that stand for themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::changes::{Finding, Kind};
use super::names::{renamed, similar};
use super::operations;
use super::rust::{Rust, Slot};
use super::shape::Shape;
use super::side::{Node, Place, Side, has_operations};
use super::verdict;
use super::walk::Walk;
use crate::document;

/// The documents that a crate's types are made of, whatever refers to them. What is received of them can be sent on, or
/// built for a test, so that either way counts.
pub(super) const TYPES: [&str; 3] = ["notifications", "webhook", "config"];

/// That of these whose types are sent too.
pub(super) const SENT: &str = "config";

/// The configuration that events carry as opaque JSON, and where.
const CARRIED: (&str, &str) = ("config", "ConfigContent");
const CARRIERS: [&str; 2] = ["config", "lastConfig"];

/// What begins a walk.
pub(super) struct Root {
    /// The event, the operation or the schema.
    pub(super) name: String,
    pub(super) kind: RootKind,
    pub(super) inbound: bool,
    pub(super) outbound: bool,
    pub(super) start: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RootKind {
    /// An event or an operation.
    Used,
    /// A schema that no other refers to.
    Schema,
    /// A schema that others are only built on: no value is one of it and nothing else.
    Base,
    /// A change that no walk leads to, of what nothing refers to.
    Alone,
}

impl Root {
    pub(super) fn new(name: &str, (inbound, outbound): (bool, bool), start: Vec<usize>) -> Self {
        Self { name: name.to_owned(), kind: RootKind::Used, inbound, outbound, start }
    }

    fn schema(name: &str, start: Vec<usize>) -> Self {
        Self { kind: RootKind::Schema, ..Self::new(name, (true, true), start) }
    }

    fn base(name: &str, start: Vec<usize>) -> Self {
        Self { kind: RootKind::Base, ..Self::new(name, (false, false), start) }
    }

    fn alone(start: usize) -> Self {
        Self { kind: RootKind::Alone, ..Self::new("", (true, true), vec![start]) }
    }
}

/// Everything that the two contracts can be compared from.
pub(super) fn roots(walk: &mut Walk<'_>) -> Vec<Root> {
    let (old, new) = (walk.old, walk.new);
    let names: BTreeSet<&str> = old.documents.keys().chain(new.documents.keys()).map(String::as_str).collect();
    let mut roots = Vec::new();
    for name in &names {
        if has_operations(old.document(name)) || has_operations(new.document(name)) {
            operations::roots(walk, name, &mut roots);
        }
        events(walk, name, &mut roots);
        schemas(walk, name, &mut roots);
    }
    for name in names {
        others(walk, name, &mut roots);
    }
    roots
}

/// The body of a notification, as a webhook gets it.
#[derive(Clone)]
struct Body<'a> {
    schema: &'a str,
    node: Node<'a>,
    data: Option<Node<'a>>,
    /// How many types it is the body of.
    types: usize,
}

/// The bodies of a document by their notification type. They are known by their shape.
fn bodies<'a>(side: &'a Side<'a>, document: &'a str) -> BTreeMap<&'a str, Body<'a>> {
    let mut bodies: Vec<(Vec<&str>, Body<'a>)> = Vec::new();
    let body = |schema, node, data, types: &[&str]| Body { schema, node, data, types: types.len() };
    for (name, _) in document::schemas(side.document(document)) {
        let Some(node) = side.named(document, name) else { continue };
        let shape = node.shape();
        let (Some(types), data) = (shape.fields.get("notificationType"), shape.fields.get("data")) else {
            // A list of the types is no body, and says that they are.
            if name == "NotificationType" {
                let types = texts(shape.values);
                bodies.push((types.clone(), body(name, node, None, &types)));
            }
            continue;
        };
        let types = texts(types.node.shape().values);
        if let Some(data) = data.filter(|_| !types.is_empty()) {
            bodies.push((types.clone(), body(name, node, Some(data.node.clone()), &types)));
        }
    }
    // The body of one type says more of it than that of many.
    bodies.sort_by_key(|(types, body)| (body.data.is_none(), types.len()));
    let mut found = BTreeMap::new();
    for (types, body) in bodies {
        for name in types {
            found.entry(name).or_insert_with(|| body.clone());
        }
    }
    found
}

fn texts(values: Option<Vec<&Value>>) -> Vec<&str> {
    values.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn events<'a>(walk: &mut Walk<'a>, document: &'a str, roots: &mut Vec<Root>) {
    let (old, new) = (bodies(walk.old, document), bodies(walk.new, document));
    for body in old.values().chain(new.values()) {
        explain_types(walk, body);
        walk.bodies.insert(body.node.id());
    }
    let mut gone: BTreeSet<&str> = old.keys().filter(|name| !new.contains_key(*name)).copied().collect();
    let mut more: BTreeSet<&str> = new.keys().filter(|name| !old.contains_key(*name)).copied().collect();
    for (name, before) in &old {
        let Some(now) = new.get(name) else { continue };
        let mut start = vec![walk.pair(&before.node, &now.node, Slot::Value)];
        if let (Some(before), Some(now)) = (&before.data, &now.data) {
            start.extend(carried(walk, before, now));
        }
        roots.push(Root::new(name, (true, true), start));
    }
    let found = renamed(&mut gone, &mut more, |before, now| match (old.get(before), new.get(now)) {
        (Some(was), Some(is)) => {
            // One schema, of one type before and after, is the body of one event.
            let stays = was.schema == is.schema && was.types == 1 && is.types == 1;
            let data = (was.data.as_ref(), is.data.as_ref());
            (stays || similar(before, now)) && matches!(data, (Some(was), Some(is)) if same_data(walk, was, is))
        }
        _ => false,
    });
    let place =
        |body: Option<&Body<'_>>| Place::new(document, body.map_or("", |body| body.schema)).field("notificationType");
    for (before, now) in found {
        let (was, is) = (old.get(before), new.get(now));
        let names = (Some(before.to_owned()), Some(now.to_owned()));
        let effects = verdict::event_renamed(before, now);
        let finding = Finding::new(place(is), Kind::EventTypeRenamed, names.0, names.1, effects).of(before);
        let mut start = Vec::new();
        if let (Some(was), Some(is)) = (was.and_then(|body| body.data.as_ref()), is.and_then(|body| body.data.as_ref()))
        {
            start.push(walk.pair(was, is, Slot::Value));
            start.extend(carried(walk, was, is));
        }
        start.push(walk.step(vec![finding], Vec::new()));
        roots.push(Root::new(now, (true, true), start));
    }
    for name in gone {
        let (kind, effects) = (Kind::EventTypeRemoved, verdict::event_removed());
        let finding = Finding::new(place(old.get(name)), kind, Some(name.to_owned()), None, effects).of(name);
        let start = vec![walk.step(vec![finding], Vec::new())];
        roots.push(Root::new(name, (true, true), start));
    }
    for name in more {
        let (kind, effects) = (Kind::EventTypeAdded, verdict::event_added());
        let finding = Finding::new(place(new.get(name)), kind, None, Some(name.to_owned()), effects).of(name);
        let start = vec![walk.step(vec![finding], Vec::new())];
        roots.push(Root::new(name, (true, true), start));
    }
}

/// What changes in the list of types is told as a change of events.
fn explain_types(walk: &mut Walk<'_>, body: &Body<'_>) {
    let document = body.node.document;
    let mut places = vec![Place::new(document, body.schema).field("notificationType")];
    places.push(Place::new(document, "NotificationType"));
    for side in [walk.old, walk.new] {
        let body = &side.document(document)["components"]["schemas"][body.schema];
        let named = body["properties"]["notificationType"]["$ref"].as_str();
        places.extend(named.and_then(document::schema_name).map(|name| Place::new(document, name)));
    }
    for place in places {
        for kind in [Kind::EnumValueAdded, Kind::EnumValueRemoved, Kind::EnumValueRenamed] {
            walk.explained.insert((place.clone(), kind));
        }
    }
}

/// Whether two events carry the same: one schema, or two that say the same.
fn same_data<'a>(walk: &mut Walk<'a>, old: &Node<'a>, new: &Node<'a>) -> bool {
    let (before, now) = (old.place(), new.place());
    (before.path == "$" && before == now) || walk.same(old, new)
}

/// Events carry a configuration that the contract describes elsewhere.
fn carried<'a>(walk: &mut Walk<'a>, old: &Node<'a>, new: &Node<'a>) -> Option<usize> {
    let (before, now) = (old.shape(), new.shape());
    let carries = CARRIERS.iter().any(|name| before.fields.contains_key(name) || now.fields.contains_key(name));
    let (old, new) = (walk.old.named(CARRIED.0, CARRIED.1)?, walk.new.named(CARRIED.0, CARRIED.1)?);
    carries.then(|| walk.pair(&old, &new, Slot::Value))
}

/// The schemas of a document that nothing in it refers to. In the documents that types are made of, all that have one.
fn schemas<'a>(walk: &mut Walk<'a>, document: &'a str, roots: &mut Vec<Root>) {
    let (old, new) = (walk.old, walk.new);
    let (before, now) = (old.unused(document), new.unused(document));
    let (old_bodies, new_bodies) = (bodies(old, document), bodies(new, document));
    let is_body = |bodies: &BTreeMap<&str, Body<'_>>, name: &str| bodies.values().any(|body| body.schema == name);
    let (mut gone, mut more) = (BTreeSet::new(), BTreeSet::new());
    for name in before.union(&now) {
        match (old.named(document, name), new.named(document, name)) {
            // What was the body of an event and is none, or the reverse, is told as a change of events.
            (Some(_), Some(_)) if is_body(&old_bodies, name) != is_body(&new_bodies, name) => {}
            (Some(old), Some(new)) => {
                let start = vec![walk.pair(&old, &new, Slot::Value)];
                roots.push(Root::schema(name, start));
            }
            (Some(_), None) if !is_body(&old_bodies, name) => drop(gone.insert(*name)),
            (None, Some(_)) if !is_body(&new_bodies, name) => drop(more.insert(*name)),
            _ => {}
        }
    }
    // A schema that has another name and says the same is no change of the contract.
    renamed(&mut gone, &mut more, |before, now| {
        let nodes = (old.named(document, before), new.named(document, now));
        matches!(nodes, (Some(before), Some(now)) if walk.same(&before, &now))
    });
    // Of one that has another name and nearly the same fields, the fields are told.
    let found = renamed(&mut gone, &mut more, |before, now| {
        let nodes = (old.named(document, before), new.named(document, now));
        matches!(nodes, (Some(before), Some(now)) if is_nearly(&before.shape(), &now.shape()))
    });
    for (before, now) in found {
        if let (Some(old), Some(new)) = (old.named(document, before), new.named(document, now)) {
            let start = vec![walk.pair(&old, &new, Slot::Value)];
            roots.push(Root::schema(now, start));
        }
    }
    for (names, side, kind) in [(gone, old, Kind::SchemaRemoved), (more, new, Kind::SchemaAdded)] {
        for name in names {
            let Some(node) = side.named(document, name).filter(|_| !side.is_alias(document, name)) else { continue };
            let shape = node.shape();
            let text = Some(format!("{} that nothing refers to", shape.types.first().unwrap_or(&"schema")));
            // The list of the types has one whatever it is called, which the events are named by.
            let is_list = name == "NotificationType" && !old_bodies.is_empty() && !new_bodies.is_empty();
            let has_type =
                TYPES.contains(&document) && !is_list && matches!(Rust::of(&shape), Rust::Struct | Rust::OpenEnum);
            let removed = kind == Kind::SchemaRemoved;
            let effects = if removed { verdict::schema_removed(has_type) } else { verdict::added() };
            let (was, is) = if removed { (text, None) } else { (None, text) };
            let finding = Finding::new(Place::new(document, name), kind, was, is, effects);
            let step = walk.step(vec![finding], Vec::new());
            roots.push(Root::alone(step));
        }
    }
}

/// Whether two objects share so many fields that they are one under two names.
fn is_nearly(old: &Shape<'_>, new: &Shape<'_>) -> bool {
    const LEAST: usize = 4;
    let both = old.fields.keys().filter(|name| new.fields.contains_key(*name)).count();
    both >= LEAST && 4 * both >= 3 * old.fields.len().max(new.fields.len())
}

/// The schemas that were not come by yet: others are built on them, or what refers to them is not referred to itself.
fn others<'a>(walk: &mut Walk<'a>, document: &'a str, roots: &mut Vec<Root>) {
    let bodies: Vec<Body<'_>> =
        [walk.old, walk.new].into_iter().flat_map(|side| bodies(side, document).into_values()).collect();
    for (name, _) in document::schemas(walk.new.document(document)) {
        if walk.new.published(document, name).0 != document || bodies.iter().any(|body| body.schema == name) {
            continue;
        }
        let (Some(old), Some(new)) = (walk.old.named(document, name), walk.new.named(document, name)) else { continue };
        if !walk.is_known(&old, &new) {
            let start = vec![walk.pair(&old, &new, Slot::Value)];
            let is_base = walk.old.is_base(document, name) && walk.new.is_base(document, name);
            roots.push(if is_base { Root::base(name, start) } else { Root::schema(name, start) });
        }
    }
}
