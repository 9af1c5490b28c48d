//! Compares the operations of a REST API: how they are asked for, what is sent, and what is answered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kind::Kind;
use super::names::{renamed, similar};
use super::seen::Seen;
use super::walk::Root;
use super::walk::{Step, Walk};
use super::{About, Fact, Slot};
use crate::model::{Document, Location, Model, Node, Operation, Parameter, Place, Response};

pub(in crate::diff) fn roots(walk: &mut Walk<'_>, (old, new): (&Document, &Document), roots: &mut Vec<Root>) {
    fn by_id(document: &Document) -> BTreeMap<&str, &Operation> {
        document.operations.iter().map(|operation| (operation.id.as_str(), operation)).collect()
    }
    let (old_ids, new_ids) = (by_id(old), by_id(new));
    let (mut gone, mut more) = only(&old_ids, &new_ids);
    let mut pairs: Vec<(&Operation, &Operation)> =
        old_ids.iter().filter_map(|(id, before)| Some((*before, *new_ids.get(id)?))).collect();
    let found = renamed(&mut gone, &mut more, |before, now| match (old_ids.get(before), new_ids.get(now)) {
        (Some(before), Some(now)) => before.method == now.method && before.route() == now.route(),
        _ => false,
    });
    pairs.extend(found.iter().filter_map(|(before, now)| Some((*old_ids.get(before)?, *new_ids.get(now)?))));

    let of_all = if pairs.is_empty() { Vec::new() } else { vec![of_all(walk, old, new)] };
    for (before, now) in pairs {
        let (mut own, mut sent, mut received) = (Step::default(), Step::default(), Step::default());
        of_operation(before, now, &mut own);
        parameters(walk, (before, now), &mut sent, &mut own);
        request(walk, (before, now), &mut sent, &mut own);
        responses(walk, (before, now), &mut received, &mut own);
        let mut start = of_all.clone();
        start.push(walk.put(own));
        roots.push(Root::new(&now.id, (true, true), start));
        roots.push(Root::new(&now.id, (false, true), vec![walk.put(sent)]));
        roots.push(Root::new(&now.id, (true, false), vec![walk.put(received)]));
    }
    let gone = gone.iter().filter_map(|id| Some((*old_ids.get(id)?, Kind::OperationRemoved)));
    let more = more.iter().filter_map(|id| Some((*new_ids.get(id)?, Kind::OperationAdded)));
    for (operation, kind) in gone.chain(more) {
        let mut step = Step::default();
        let text = Some(describe(operation));
        let texts = if kind == Kind::OperationAdded { [None, text] } else { [text, None] };
        step.find(&operation.place, kind, texts, About::Itself);
        roots.push(Root::new(&operation.id, (true, true), vec![walk.put(step)]));
    }
}

/// The keys that only the one has, and those that only the other has.
fn only<K: Ord + Clone, V, W>(one: &BTreeMap<K, V>, other: &BTreeMap<K, W>) -> (BTreeSet<K>, BTreeSet<K>) {
    let gone = one.keys().filter(|key| !other.contains_key(*key)).cloned().collect();
    (gone, other.keys().filter(|key| !one.contains_key(*key)).cloned().collect())
}

fn describe(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

/// What a document says of all its operations.
fn of_all(walk: &mut Walk<'_>, old: &Document, new: &Document) -> usize {
    let (mut step, place) = (Step::default(), Place::new(&new.name, ""));
    if old.servers != new.servers {
        let about = About::More(old.servers.iter().all(|url| new.servers.contains(url)));
        let texts = [old, new].map(|document| Some(document.servers.join(", ")));
        step.find(&place.field("servers"), Kind::ServersChanged, texts, about);
    }
    for (name, before) in &old.security_schemes {
        let Some(now) = new.security_schemes.get(name).filter(|now| *now != before) else { continue };
        let place = Place::new(&new.name, &format!("securitySchemes/{name}"));
        step.find(&place, Kind::SecurityChanged, [before, now].map(|one| Some(one.to_string())), About::Itself);
    }
    walk.put(step)
}

/// What is neither sent nor answered: how the operation is called, and who may.
fn of_operation(old: &Operation, new: &Operation, step: &mut Step<'_>) {
    let both = |text: &dyn Fn(&Operation) -> String| [old, new].map(|operation| Some(text(operation)));
    let tag =
        |operation: &Operation| operation.tag.as_ref().map_or_else(|| "none".to_owned(), |tag| format!("`{tag}`"));
    let deprecated = if new.deprecated { Kind::Deprecated } else { Kind::NoLongerDeprecated };
    let changed = [
        (old.id != new.id, Kind::OperationRenamed, both(&|one| one.id.clone())),
        ((&old.method, old.route()) != (&new.method, new.route()), Kind::OperationMoved, both(&describe)),
        (tag(old) != tag(new), Kind::TagChanged, both(&tag)),
        (old.deprecated != new.deprecated, deprecated, both(&|one| one.deprecated.to_string())),
    ];
    for (_, kind, texts) in changed.into_iter().filter(|(is, ..)| *is) {
        step.find(&new.place, kind, texts, About::Itself);
    }
    let (before, now) = (security(old), security(new));
    if before != now {
        let inherited = old.inherits_security && new.inherits_security;
        let place = if inherited { Place::new(&new.place.document, "") } else { new.place.clone() };
        let refused = if now.contains(NOBODY) { BTreeSet::new() } else { &before - &now };
        let texts = [&before, &now].map(|ways| Some(ways.iter().cloned().collect::<Vec<_>>().join(" or ")));
        let about = About::Refused(refused.into_iter().collect());
        step.find(&place.field("security"), Kind::SecurityChanged, texts, about);
    }
    let keys: BTreeSet<&String> = old.rest.keys().chain(new.rest.keys()).collect();
    for key in keys {
        let values = [old.rest.get(key), new.rest.get(key)];
        if values[0] != values[1] {
            let text = |value: Option<&Value>| Some(value.map_or_else(|| "nothing".to_owned(), Value::to_string));
            step.find(&new.place.field(key), Kind::OperationChanged, values.map(text), About::Itself);
        }
    }
}

/// What stands for no authentication at all.
const NOBODY: &str = "no authentication";

/// The ways to authenticate, of which one is enough.
fn security(operation: &Operation) -> BTreeSet<String> {
    let words = |way: &Vec<String>| if way.is_empty() { NOBODY.to_owned() } else { way.join(" and ") };
    let ways: BTreeSet<String> = operation.security.iter().map(words).collect();
    if ways.is_empty() { BTreeSet::from([NOBODY.to_owned()]) } else { ways }
}

type Both<'a> = (&'a Operation, &'a Operation);

fn parameters<'m>(walk: &mut Walk<'m>, (old, new): Both<'_>, sent: &mut Step<'m>, own: &mut Step<'m>) {
    let by_key = |operation: &'_ Operation| -> BTreeMap<(Location, String), Parameter> {
        operation.parameters.iter().map(|parameter| (parameter.key(), parameter.clone())).collect()
    };
    let (before, now) = (by_key(old), by_key(new));
    let (gone, more) = only(&before, &now);
    let (mut gone, mut more): (BTreeSet<_>, BTreeSet<_>) = (gone.iter().collect(), more.iter().collect());
    let mut pairs: Vec<_> = before.keys().filter(|key| now.contains_key(*key)).map(|key| (key, key)).collect();
    // Those of a path are known by where they stand in it.
    let (old_names, new_names) = (old.path_parameters(), new.path_parameters());
    let position = |names: &[&str], name: &str| names.iter().position(|other| *other == name);
    pairs.extend(renamed(&mut gone, &mut more, |was, is| match was.0 {
        _ if was.0 != is.0 => false,
        Location::Path => {
            old_names.len() == new_names.len() && position(&old_names, &was.1) == position(&new_names, &is.1)
        }
        _ => {
            let required = |all: &BTreeMap<_, Parameter>, key| all.get(key).is_some_and(|parameter| parameter.required);
            similar(&was.1, &is.1) && required(&before, was) == required(&now, is)
        }
    }));
    for (was, is) in pairs {
        let (Some(was), Some(is)) = (before.get(was), now.get(is)) else { continue };
        parameter(walk, was, is, sent, own);
    }
    let gone = gone.into_iter().filter_map(|key| Some((before.get(key)?, Kind::ParameterRemoved)));
    let more = more.into_iter().filter_map(|key| Some((now.get(key)?, Kind::ParameterAdded)));
    for (parameter, kind) in gone.chain(more) {
        let text = Some(format!("{} {}", needed(parameter.required), parameter.location.name()));
        let texts = if kind == Kind::ParameterAdded { [None, text] } else { [text, None] };
        let about = About::Request { what: "parameter", required: parameter.required, was: None };
        own.find(&parameter.place, kind, texts, about);
    }
}

fn parameter<'m>(walk: &mut Walk<'m>, was: &Parameter, is: &Parameter, sent: &mut Step<'m>, own: &mut Step<'m>) {
    if was.key() != is.key() {
        let renamed = Some((is.location, was.required));
        let about = About::Request { what: "parameter", required: is.required, was: renamed };
        own.find(&was.place, Kind::ParameterRenamed, [was, is].map(|one| Some(one.name.clone())), about);
    }
    need("parameter", was.required, is.required, &is.place, own);
    let (old, new) = (at(walk.old, &was.schema, &is.place), at(walk.new, &is.schema, &is.place));
    walk.child(&old, &new, Slot::Parameter, is.place.clone(), sent);
    if was.deprecated != is.deprecated {
        let kind = if is.deprecated { Kind::Deprecated } else { Kind::NoLongerDeprecated };
        let texts = [was, is].map(|one| Some(format!("deprecated: {}", one.deprecated)));
        own.facts.push(Fact::new(&is.place, kind, texts, About::Itself).of("deprecated"));
    }
    let said = |parameter: &Parameter, seen: &Seen<'_>| {
        let mut said = parameter.rest.clone();
        said.insert("style".to_owned(), parameter.style.clone().into());
        // Of one value it makes no difference.
        if seen.items().is_some() || seen.object().is_some() {
            said.insert("explode".to_owned(), parameter.explode.into());
        }
        said.extend(parameter.media.clone().map(|media| ("content".to_owned(), media.into())));
        said
    };
    let (before, now) = (said(was, &old.whole()), said(is, &new.whole()));
    for (key, value) in &now {
        let known = before.get(key).unwrap_or(&Value::Bool(false));
        if known != value {
            let texts = [known, value].map(|value| Some(format!("{key}: {value}")));
            own.facts.push(Fact::new(&is.place, Kind::KeywordChanged, texts, About::Itself).of(key));
        }
    }
}

/// What stands in an operation, and is compared where the new one has it.
fn at<'m>(model: &'m Model, node: &Node, place: &Place) -> Seen<'m> {
    let seen = Seen::new(model, node);
    if std::rc::Rc::ptr_eq(&seen.node, node) { Seen { place: place.clone(), ..seen } } else { seen }
}

fn needed(required: bool) -> &'static str {
    if required { "required" } else { "optional" }
}

fn need(what: &'static str, before: bool, now: bool, place: &Place, step: &mut Step<'_>) {
    if before != now {
        let kind = if now { Kind::BecameRequired } else { Kind::BecameOptional };
        let texts = [before, now].map(|required| Some(needed(required).to_owned()));
        step.find(place, kind, texts, About::Request { what, required: now, was: None });
    }
}

fn request<'m>(walk: &mut Walk<'m>, (old, new): Both<'_>, sent: &mut Step<'m>, own: &mut Step<'m>) {
    let (place, what) = (new.place.field("requestBody"), "body");
    let about = |required| About::Request { what, required, was: None };
    match (&old.body, &new.body) {
        (None, None) => {}
        (Some(_), None) => {
            own.find(&place, Kind::RequestBodyRemoved, [Some("a body".to_owned()), None], about(false));
        }
        (None, Some(body)) => {
            let text = Some(format!("{} body", needed(body.required)));
            own.find(&place, Kind::RequestBodyAdded, [None, text], about(body.required));
        }
        (Some(before), Some(now)) => {
            need(what, before.required, now.required, &now.place, own);
            content(walk, (&before.content, &now.content), &now.place, &about(false), sent, own);
        }
    }
}

/// Compares bodies, by their content type.
fn content<'m>(
    walk: &mut Walk<'m>,
    (before, now): (&BTreeMap<String, Node>, &BTreeMap<String, Node>),
    place: &Place,
    removed: &About<'m>,
    step: &mut Step<'m>,
    own: &mut Step<'m>,
) {
    for (name, node) in before {
        let Some(other) = now.get(name) else {
            let fact = Fact::new(place, Kind::ContentTypeRemoved, [Some(name.clone()), None], removed.clone());
            own.facts.push(fact.of(name));
            continue;
        };
        let (old, new) = (at(walk.old, node, place), at(walk.new, other, place));
        walk.child(&old, &new, Slot::Value, place.clone(), step);
    }
    for name in now.keys().filter(|name| !before.contains_key(*name)) {
        let fact = Fact::new(place, Kind::ContentTypeAdded, [None, Some(name.clone())], About::Itself);
        own.facts.push(fact.of(name));
    }
}

fn responses<'m>(walk: &mut Walk<'m>, (old, new): Both<'_>, received: &mut Step<'m>, own: &mut Step<'m>) {
    let place = |status: &String| new.place.field("responses").below(&format!(".{status}"));
    let (before, now) = (&old.responses, &new.responses);
    let (gone, more) = only(before, now);
    let (mut gone, mut more): (BTreeSet<&String>, BTreeSet<&String>) = (gone.iter().collect(), more.iter().collect());
    let mut pairs: Vec<_> = before.keys().filter(|key| now.contains_key(*key)).map(|key| (key, key)).collect();
    // A client takes any answer of success for the one that there was.
    let found = renamed(&mut gone, &mut more, |was, is| is_success(was) && is_success(is));
    for (was, is) in &found {
        own.find(&place(is), Kind::ResponseRenamed, [was, is].map(|one| Some((*one).clone())), About::Itself);
    }
    pairs.extend(found);
    for (was, is) in pairs {
        let (Some(before), Some(now)) = (before.get(was), now.get(is)) else { continue };
        let removed = About::Answer { succeeds: is_success(is), same: false };
        content(walk, (&before.content, &now.content), &now.place, &removed, received, own);
        if before.headers != now.headers {
            let text = |one: &Response| one.headers.as_ref().map(|headers| format!("headers: {headers}"));
            let texts = [before, now].map(text);
            own.facts.push(Fact::new(&now.place, Kind::KeywordChanged, texts, About::Itself).of("headers"));
        }
    }
    for status in gone {
        let about = About::Answer { succeeds: is_success(status), same: false };
        own.find(&place(status), Kind::ResponseRemoved, [Some(status.clone()), None], about);
    }
    for status in more {
        let body = |response: &Response| response.content.values().next().cloned();
        let is = now.get(status).and_then(body);
        let same = before.iter().filter(|(status, _)| is_success(status)).all(|(_, was)| match (body(was), &is) {
            (Some(was), Some(is)) => {
                let (was, is) = (Seen::new(walk.old, &was), Seen::new(walk.new, is));
                walk.same(&was, &is)
            }
            (was, is) => was.is_none() && is.is_none(),
        });
        let about = About::Answer { succeeds: is_success(status), same };
        own.find(&place(status), Kind::ResponseAdded, [None, Some(status.clone())], about);
    }
}

fn is_success(status: &str) -> bool {
    status.starts_with('2')
}
