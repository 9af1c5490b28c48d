//! Compares the operations of a REST API: how they are asked for, what is sent, and what is answered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::effects::Verdict::{Breaking, Compatible, Warning};
use super::effects::{self, Effects, Slot};
use super::facts::Finding;
use super::kind::Kind;
use super::names::{renamed, similar};
use super::reach::Root;
use super::seen::Seen;
use super::walk::{Step, Walk};
use crate::model::{Body, Document, Location, Node, Operation, Parameter, Place, Response};

pub(super) fn roots(walk: &mut Walk<'_>, (old, new): (&Document, &Document), roots: &mut Vec<Root>) {
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
    for (operation, is_new) in gone
        .iter()
        .filter_map(|id| Some((old_ids.get(id)?, false)))
        .chain(more.iter().filter_map(|id| Some((new_ids.get(id)?, true))))
    {
        let text = Some(describe(operation));
        let mut step = Step::default();
        match is_new {
            true => step.find(&operation.place, Kind::OperationAdded, None, text, effects::added()),
            false => {
                let effects = effects::withdrawn(Compatible, Breaking, Breaking, "the operation is gone");
                step.find(&operation.place, Kind::OperationRemoved, text, None, effects);
            }
        }
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
        let why = "programs that were built before call an address that is not in the contract any more";
        let effects = match old.servers.iter().all(|url| new.servers.contains(url)) {
            true => effects::added(),
            false => effects::withdrawn(Compatible, Breaking, Compatible, why),
        };
        let texts = (Some(old.servers.join(", ")), Some(new.servers.join(", ")));
        step.find(&place.field("servers"), Kind::ServersChanged, texts.0, texts.1, effects);
    }
    for (name, before) in &old.security_schemes {
        let Some(now) = new.security_schemes.get(name).filter(|now| *now != before) else { continue };
        let effects = effects::withdrawn(Compatible, Breaking, Compatible, "programs authenticate in the old way");
        let place = Place::new(&new.name, &format!("securitySchemes/{name}"));
        step.find(&place, Kind::SecurityChanged, Some(before.to_string()), Some(now.to_string()), effects);
    }
    walk.put(step)
}

/// What is neither sent nor answered: how the operation is called, and who may.
fn of_operation(old: &Operation, new: &Operation, step: &mut Step) {
    let mut find = |kind, place: &Place, old: String, new: String, effects| {
        step.find(place, kind, Some(old), Some(new), effects);
    };
    if old.id != new.id {
        let why = "the operation's method in Rust has another name";
        let effects = effects::withdrawn(Compatible, Compatible, Breaking, why);
        find(Kind::OperationRenamed, &new.place, old.id.clone(), new.id.clone(), effects);
    }
    if (&old.method, old.route()) != (&new.method, new.route()) {
        let why = "programs that were built before call the old path";
        let effects = effects::withdrawn(Compatible, Breaking, Compatible, why);
        find(Kind::OperationMoved, &new.place, describe(old), describe(new), effects);
    }
    let tag =
        |operation: &Operation| operation.tag.as_ref().map_or_else(|| "none".to_owned(), |tag| format!("`{tag}`"));
    if tag(old) != tag(new) {
        let why = "the operation's method is in another group of the client";
        let effects = effects::withdrawn(Compatible, Compatible, Breaking, why);
        find(Kind::TagChanged, &new.place, tag(old), tag(new), effects);
    }
    if old.deprecated != new.deprecated {
        let kind = if new.deprecated { Kind::Deprecated } else { Kind::NoLongerDeprecated };
        let effects = Effects::fine("it can still be called");
        find(kind, &new.place, old.deprecated.to_string(), new.deprecated.to_string(), effects);
    }
    let (before, now) = (security(old), security(new));
    if before != now {
        let inherited = old.inherits_security && new.inherits_security;
        let place = if inherited { Place::new(&new.place.document, "") } else { new.place.clone() };
        let refused: Vec<&str> = before.difference(&now).map(String::as_str).collect();
        let effects = match refused.is_empty() || now.contains(NOBODY) {
            true => Effects::fine("who could call it still can"),
            false => {
                let why = format!("who authenticates by {} is refused", refused.join(" or by "));
                Effects::fine("").outbound(Breaking, &why)
            }
        };
        let join = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" or ");
        find(Kind::SecurityChanged, &place.field("security"), join(&before), join(&now), effects);
    }
    let keys: BTreeSet<&String> = old.rest.keys().chain(new.rest.keys()).collect();
    for key in keys {
        let (was, is) = (old.rest.get(key), new.rest.get(key));
        if was != is {
            let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            let why = "what an operation says here is not understood by `diff`";
            let effects = effects::withdrawn(Warning, Warning, Compatible, why);
            find(Kind::OperationChanged, &new.place.field(key), text(was), text(is), effects);
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

fn parameters(walk: &mut Walk<'_>, (old, new): Both<'_>, sent: &mut Step, own: &mut Step) {
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
    for parameter in gone.into_iter().filter_map(|key| before.get(key)) {
        let effects = effects::unheeded(
            "what is sent as the parameter is no longer looked at",
            "code that gives the parameter does not compile",
        );
        let text = format!("{} {}", needed(parameter.required), parameter.location.name());
        own.find(&parameter.place, Kind::ParameterRemoved, Some(text), None, effects);
    }
    for parameter in more.into_iter().filter_map(|key| now.get(key)) {
        let effects = match parameter.required {
            true => effects::demanded("a required parameter is not given"),
            false => effects::added(),
        };
        let text = format!("{} {}", needed(parameter.required), parameter.location.name());
        own.find(&parameter.place, Kind::ParameterAdded, None, Some(text), effects);
    }
}

fn parameter(walk: &mut Walk<'_>, was: &Parameter, is: &Parameter, sent: &mut Step, own: &mut Step) {
    if was.key() != is.key() {
        let effects = match is.location {
            Location::Path => Effects::fine("the path is the same, whatever its parameters are called"),
            _ if is.required => Effects::fine("").outbound(Breaking, "a required parameter is not sent"),
            _ => Effects::fine("").outbound(Warning, "what is sent as the parameter is no longer looked at"),
        };
        let effects = match was.required && is.required {
            // It is an argument, which has no name where it is given.
            true => effects,
            false => effects.source(Breaking, "the method that sets the parameter has another name"),
        };
        own.find(&was.place, Kind::ParameterRenamed, Some(was.name.clone()), Some(is.name.clone()), effects);
    }
    need(was.required, is.required, &is.place, own);
    let (old, new) = (at(walk.old, &was.schema, &is.place), at(walk.new, &is.schema, &is.place));
    walk.child(&old, &new, Slot::Parameter, is.place.clone(), sent);
    if was.deprecated != is.deprecated {
        let kind = if is.deprecated { Kind::Deprecated } else { Kind::NoLongerDeprecated };
        let texts = [was, is].map(|one| Some(format!("deprecated: {}", one.deprecated)));
        let [was, is_now] = texts;
        own.findings.push(
            Finding::new(is.place.clone(), kind, was, is_now, Effects::fine("it can still be sent")).of("deprecated"),
        );
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
            let texts = (Some(format!("{key}: {known}")), Some(format!("{key}: {value}")));
            let effects = Effects::fine("").outbound(Warning, "it is sent in another way");
            own.findings.push(Finding::new(is.place.clone(), Kind::KeywordChanged, texts.0, texts.1, effects).of(key));
        }
    }
}

/// What stands in an operation, and is compared where the new one has it.
fn at<'m>(model: &'m crate::model::Model, node: &Node, place: &Place) -> Seen<'m> {
    let seen = Seen::new(model, node);
    if std::rc::Rc::ptr_eq(&seen.node, node) { Seen { place: place.clone(), ..seen } } else { seen }
}

fn needed(required: bool) -> &'static str {
    if required { "required" } else { "optional" }
}

fn need(before: bool, now: bool, place: &Place, step: &mut Step) {
    let (kind, effects) = match (before, now) {
        (false, true) => (Kind::BecameRequired, effects::demanded("what was optional in a request has to be sent")),
        (true, false) => {
            let effects = Effects::fine("who sends it still may");
            (Kind::BecameOptional, effects.source(Breaking, "it is no argument any more, and has a method"))
        }
        _ => return,
    };
    step.find(place, kind, Some(needed(before).to_owned()), Some(needed(now).to_owned()), effects);
}

fn request(walk: &mut Walk<'_>, (old, new): Both<'_>, sent: &mut Step, own: &mut Step) {
    let place = new.place.field("requestBody");
    match (&old.body, &new.body) {
        (None, None) => {}
        (Some(_), None) => {
            let effects = effects::unheeded(
                "the body that is sent is no longer looked at",
                "code that gives a body does not compile",
            );
            own.find(&place, Kind::RequestBodyRemoved, Some("a body".to_owned()), None, effects);
        }
        (None, Some(Body { required, .. })) => {
            let effects = match required {
                true => effects::demanded("a required body is not sent"),
                false => effects::added(),
            };
            own.find(&place, Kind::RequestBodyAdded, None, Some(format!("{} body", needed(*required))), effects);
        }
        (Some(before), Some(now)) => {
            need(before.required, now.required, &now.place, own);
            let refused = Effects::fine("").outbound(Breaking, "a body of the old content type is refused");
            content(walk, (&before.content, &now.content), &now.place, &refused, sent, own);
        }
    }
}

/// Compares bodies, by their content type.
fn content(
    walk: &mut Walk<'_>,
    (before, now): (&BTreeMap<String, Node>, &BTreeMap<String, Node>),
    place: &Place,
    removed: &Effects,
    step: &mut Step,
    own: &mut Step,
) {
    for (name, node) in before {
        let Some(other) = now.get(name) else {
            let finding =
                Finding::new(place.clone(), Kind::ContentTypeRemoved, Some(name.clone()), None, removed.clone());
            own.findings.push(finding.of(name));
            continue;
        };
        let (old, new) = (at(walk.old, node, place), at(walk.new, other, place));
        walk.child(&old, &new, Slot::Value, place.clone(), step);
    }
    for name in now.keys().filter(|name| !before.contains_key(*name)) {
        let finding = Finding::new(place.clone(), Kind::ContentTypeAdded, None, Some(name.clone()), effects::added());
        own.findings.push(finding.of(name));
    }
}

fn responses(walk: &mut Walk<'_>, (old, new): Both<'_>, received: &mut Step, own: &mut Step) {
    let place = new.place.field("responses");
    let (before, now) = (&old.responses, &new.responses);
    let (gone, more) = only(before, now);
    let (mut gone, mut more): (BTreeSet<&String>, BTreeSet<&String>) = (gone.iter().collect(), more.iter().collect());
    let mut pairs: Vec<_> = before.keys().filter(|key| now.contains_key(*key)).map(|key| (key, key)).collect();
    // A client takes any answer of success for the one that there was.
    let found = renamed(&mut gone, &mut more, |was, is| is_success(was) && is_success(is));
    for (was, is) in &found {
        let effects = Effects::fine("any status of success is taken");
        let place = place.below(&format!(".{is}"));
        own.find(&place, Kind::ResponseRenamed, Some((*was).clone()), Some((*is).clone()), effects);
    }
    pairs.extend(found);
    for (was, is) in pairs {
        let (Some(before), Some(now)) = (before.get(was), now.get(is)) else { continue };
        let removed = match is_success(is) {
            true => effects::withdrawn(Breaking, Compatible, Breaking, "the answer that is decoded is gone"),
            false => Effects::fine("errors are read whatever they are"),
        };
        content(walk, (&before.content, &now.content), &now.place, &removed, received, own);
        if before.headers != now.headers {
            let text = |headers: &Option<Value>| headers.as_ref().map(|headers| format!("headers: {headers}"));
            let effects = Effects::fine("headers are handed over as they came");
            let (was, is) = (text(&before.headers), text(&now.headers));
            let finding = Finding::new(now.place.clone(), Kind::KeywordChanged, was, is, effects);
            own.findings.push(finding.of("headers"));
        }
    }
    for status in gone {
        let effects = match is_success(status) {
            true => Effects::fine("what is not answered is not decoded"),
            false => Effects::fine("errors are read whatever they are"),
        };
        own.find(&place.below(&format!(".{status}")), Kind::ResponseRemoved, Some(status.clone()), None, effects);
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
        let effects = match is_success(status) && !same {
            true => Effects::fine("").inbound(Breaking, "the answer is decoded as what the other statuses answer"),
            false => Effects::fine("any other status is read as an error, whatever it is"),
        };
        own.find(&place.below(&format!(".{status}")), Kind::ResponseAdded, None, Some(status.clone()), effects);
    }
}

fn is_success(status: &str) -> bool {
    status.starts_with('2')
}
