//! Where values come in or go out: events, operations, and the schemas that stand for themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::Kind;
use super::names::{renamed, similar};
use super::operations;
use super::seen::Seen;
use super::walk::Root;
use super::walk::{Step, Walk};
use super::{About, Fact, Slot};
use crate::model::{Document, EventBody, Model, Node, Place, Rust, Use, bodies};
use crate::project::Project;

/// Everything that the two contracts can be compared from.
pub(in crate::diff) fn roots(walk: &mut Walk<'_>, project: &Project) -> Vec<Root> {
    let (old, new) = (walk.old, walk.new);
    let names: BTreeSet<&String> = old.documents.keys().chain(new.documents.keys()).collect();
    let (none, mut roots) = (Document::default(), Vec::new());
    for name in &names {
        let documents = (old.documents.get(*name).unwrap_or(&none), new.documents.get(*name).unwrap_or(&none));
        let bodies = (bodies(documents.0, project), bodies(documents.1, project));
        operations::roots(walk, documents, &mut roots);
        events(walk, name, (&bodies.0, &bodies.1), project, &mut roots);
        schemas(walk, name, (&bodies.0, &bodies.1), project, &mut roots);
    }
    for name in names {
        others(walk, name, project, &mut roots);
    }
    roots
}

type Bodies = BTreeMap<String, EventBody>;

fn events<'m>(
    walk: &mut Walk<'m>,
    document: &str,
    (old, new): (&Bodies, &Bodies),
    project: &Project,
    roots: &mut Vec<Root>,
) {
    for body in old.values().chain(new.values()) {
        explain_types(walk, document, body, project);
        walk.bodies.insert(Place::new(document, &body.schema));
    }
    let mut gone: BTreeSet<&String> = old.keys().filter(|name| !new.contains_key(*name)).collect();
    let mut more: BTreeSet<&String> = new.keys().filter(|name| !old.contains_key(*name)).collect();
    let models = (walk.old, walk.new);
    let data = |was: &EventBody, is: &EventBody| match (&was.data, &is.data) {
        (Some(was), Some(is)) => Some((Seen::new(models.0, was), Seen::new(models.1, is))),
        _ => None,
    };
    for (name, before) in old {
        let Some(now) = new.get(name) else { continue };
        let (was, is) = (Seen::new(walk.old, &before.node), Seen::new(walk.new, &now.node));
        let mut start = vec![walk.pair(&was, &is, Slot::Value)];
        start.extend(data(before, now).and_then(|(was, is)| carried(walk, &was, &is, project)));
        roots.push(Root::new(name, (true, true), start));
    }
    let found = renamed(&mut gone, &mut more, |before, now| {
        let (Some(was), Some(is)) = (old.get(before), new.get(now)) else { return false };
        // One schema, of one type before and after, is the body of one event.
        let stays = was.schema == is.schema && was.types == 1 && is.types == 1;
        // Two carry the same where that is one schema, or two that say the same.
        (stays || similar(before, now))
            && data(was, is)
                .is_some_and(|(was, is)| (was.place.path == "$" && was.place == is.place) || walk.same(&was, &is))
    });
    let place = |body: Option<&EventBody>| {
        let place = Place::new(document, body.map_or("", |body| &body.schema));
        project.event.as_ref().map_or_else(|| place.clone(), |event| place.field(&event.kind))
    };
    let mut find = |walk: &mut Walk<'m>, body, kind, names: [Option<&String>; 2], mut start: Vec<usize>| {
        let subject = names[0].or(names[1]).cloned().unwrap_or_default();
        let name = names[1].or(names[0]).cloned().unwrap_or_default();
        let mut step = Step::default();
        step.facts
            .push(Fact::new(&place(body), kind, names.map(Option::<&String>::cloned), About::Itself).of(&subject));
        start.push(walk.put(step));
        roots.push(Root::new(&name, (true, true), start));
    };
    for (before, now) in found {
        let (Some(was), Some(is)) = (old.get(before), new.get(now)) else { continue };
        let mut start = Vec::new();
        if let Some((was, is)) = data(was, is) {
            start.push(walk.pair(&was, &is, Slot::Value));
            start.extend(carried(walk, &was, &is, project));
        }
        find(walk, Some(is), Kind::EventTypeRenamed, [Some(before), Some(now)], start);
    }
    for name in gone {
        find(walk, old.get(name), Kind::EventTypeRemoved, [Some(name), None], Vec::new());
    }
    for name in more {
        find(walk, new.get(name), Kind::EventTypeAdded, [None, Some(name)], Vec::new());
    }
}

/// What changes in the list of types is told as a change of events.
fn explain_types(walk: &mut Walk<'_>, document: &str, body: &EventBody, project: &Project) {
    let Some(event) = &project.event else { return };
    let own = Place::new(document, &body.schema).field(&event.kind);
    let mut places = vec![own, Place::new(document, &event.list)];
    for model in [walk.old, walk.new] {
        let node = model.documents.get(document).and_then(|document| document.schemas.get(&body.schema));
        let kind = node.and_then(|node| node.field(&event.kind));
        places.extend(kind.map(|kind| Seen::new(model, &kind.schema).place));
    }
    for place in places {
        for kind in [Kind::EnumValueAdded, Kind::EnumValueRemoved, Kind::EnumValueRenamed] {
            walk.explained.insert((place.clone(), kind));
        }
    }
}

/// Events carry a configuration that the contract describes elsewhere.
fn carried<'m>(walk: &mut Walk<'m>, old: &Seen<'m>, new: &Seen<'m>, project: &Project) -> Option<usize> {
    let carried = project.event.as_ref()?.carries.as_ref()?;
    let (before, now) = (old.whole(), new.whole());
    let place = Place::new(&carried.document, &carried.schema);
    let (old, new) = (Seen::at(walk.old, &place)?, Seen::at(walk.new, &place)?);
    let carries = carried.fields.iter().any(|name| before.field(name).is_some() || now.field(name).is_some());
    carries.then(|| walk.pair(&old, &new, Slot::Value))
}

/// A schema of a document, where it is published.
fn named<'m>(model: &'m Model, document: &str, name: &str) -> Option<Seen<'m>> {
    let node = model.documents.get(document)?.schemas.get(name)?;
    Some(Seen { model, node: Node::clone(node), place: node.place.clone(), called: None })
}

/// The schemas of a document that nothing refers to, in it or in another.
fn unused<'m>(model: &'m Model, document: &str) -> BTreeSet<&'m str> {
    let is_copied = |name: &String| {
        let place = Place::new(document, name);
        model.documents.values().any(|other| other.copies.values().any(|copy| *copy == place))
    };
    let Some(document) = model.documents.get(document) else { return BTreeSet::new() };
    let names = document.schemas.keys();
    let alone =
        |name: &&String| !document.uses.contains_key(*name) && !document.copies.contains_key(*name) && !is_copied(name);
    names.filter(alone).map(String::as_str).collect()
}

/// The schemas of a document that nothing refers to.
fn schemas(walk: &mut Walk<'_>, document: &str, bodies: (&Bodies, &Bodies), project: &Project, roots: &mut Vec<Root>) {
    let (old, new) = (walk.old, walk.new);
    let (before, now) = (unused(old, document), unused(new, document));
    let is_body = |bodies: &Bodies, name: &str| bodies.values().any(|body| body.schema == name);
    let (mut gone, mut more) = (BTreeSet::new(), BTreeSet::new());
    for name in before.union(&now) {
        match (named(old, document, name), named(new, document, name)) {
            // What was the body of an event and is none, or the reverse, is told as a change of events.
            (Some(_), Some(_)) if is_body(bodies.0, name) != is_body(bodies.1, name) => {}
            (Some(old), Some(new)) => {
                let start = vec![walk.pair(&old, &new, Slot::Value)];
                roots.push(Root::schema(name, start));
            }
            (Some(_), None) if !is_body(bodies.0, name) => drop(gone.insert(*name)),
            (None, Some(_)) if !is_body(bodies.1, name) => drop(more.insert(*name)),
            _ => {}
        }
    }
    // A schema that has another name and says the same is no change of the contract.
    renamed(&mut gone, &mut more, |before, now| match (named(old, document, before), named(new, document, now)) {
        (Some(before), Some(now)) => walk.same(&before, &now),
        _ => false,
    });
    // Of one that has another name and nearly the same fields, the fields are told.
    let found =
        renamed(&mut gone, &mut more, |before, now| match (named(old, document, before), named(new, document, now)) {
            (Some(before), Some(now)) => is_nearly(&before.whole(), &now.whole()),
            _ => false,
        });
    for (before, now) in found {
        if let (Some(old), Some(new)) = (named(old, document, before), named(new, document, now)) {
            let start = vec![walk.pair(&old, &new, Slot::Value)];
            roots.push(Root::schema(now, start));
        }
    }
    let is_list = |name: &str| {
        project.event.as_ref().is_some_and(|event| event.list == name) && !bodies.0.is_empty() && !bodies.1.is_empty()
    };
    for (names, model, kind) in [(gone, old, Kind::SchemaRemoved), (more, new, Kind::SchemaAdded)] {
        for name in names {
            let Some(seen) = named(model, document, name).filter(|seen| !is_alias(seen)) else { continue };
            let whole = seen.whole();
            let text =
                Some(format!("{} that nothing refers to", whole.types().first().map_or("schema", |one| one.name())));
            // The list of the types has one whatever it is called, which the events are named by.
            let has_type = project.module(document).is_some()
                && !is_list(name)
                && matches!(whole.node.rust(), Rust::Struct | Rust::OpenEnum);
            let mut step = Step::default();
            let texts = if kind == Kind::SchemaAdded { [None, text] } else { [text, None] };
            step.find(&seen.place, kind, texts, About::Schema { has_type });
            roots.push(Root::alone(walk.put(step)));
        }
    }
}

/// Whether a schema is no more than another name of one, of which no type is made.
fn is_alias(seen: &Seen<'_>) -> bool {
    seen.referred().is_some() && seen.node.is_plain()
}

/// Whether two objects share so many fields that they are one under two names.
fn is_nearly(old: &Seen<'_>, new: &Seen<'_>) -> bool {
    const LEAST: usize = 4;
    let (before, now) = (old.names(), new.names());
    let both = before.intersection(&now).count();
    both >= LEAST && 4 * both >= 3 * before.len().max(now.len())
}

/// The schemas that were not come by yet: others are built on them, or what refers to them is not referred to itself.
fn others(walk: &mut Walk<'_>, document: &str, project: &Project, roots: &mut Vec<Root>) {
    let (Some(was), Some(is)) = (walk.old.documents.get(document), walk.new.documents.get(document)) else { return };
    let bodies: Vec<EventBody> =
        [was, is].into_iter().flat_map(|document| bodies(document, project).into_values()).collect();
    for name in is.schemas.keys() {
        if is.copies.contains_key(name) || bodies.iter().any(|body| body.schema == *name) {
            continue;
        }
        let (Some(old), Some(new)) = (named(walk.old, document, name), named(walk.new, document, name)) else {
            continue;
        };
        if !walk.is_known(&old, &new) {
            let start = vec![walk.pair(&old, &new, Slot::Value)];
            let is_base = |document: &Document| document.uses.get(name) != Some(&Use::Value);
            roots.push(if is_base(was) && is_base(is) { Root::base(name, start) } else { Root::schema(name, start) });
        }
    }
}
