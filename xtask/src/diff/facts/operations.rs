//! Compares the operations of a REST API: their addresses, parameters, requests and responses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kind::Kind;
use super::names::{matched, similar};
use super::seen::{Pair, Seen, Slot};
use super::walk::{RootKind, Step, Walk};
use super::{About, Fact};
use crate::model::{Document, Location, Node, Operation, Parameter, Place, Response};

pub(crate) fn roots(walk: &mut Walk<'_>, old: &Document, new: &Document) {
    let [before, now] =
        [old, new].map(|document| document.operations.iter().map(|operation| (&operation.id, operation)));
    let (mut both, mut alone) = matched(before, now);
    let is_same = |old: &Operation, new: &Operation| old.method == new.method && old.route() == new.route();
    both.extend(alone.renamed(|(_, old), (_, new)| is_same(old, new)));
    let of_all = if both.is_empty() { Vec::new() } else { vec![of_all(walk, old, new)] };
    for ((_, old), (_, new)) in both {
        let mut found = Comparison { old, new, own: Step::default(), sent: Step::default(), received: Step::default() };
        found.itself();
        found.parameters(walk);
        found.request(walk);
        found.responses(walk);
        let Comparison { own, sent, received, .. } = found;
        let start = of_all.iter().copied().chain([walk.put(own)]).collect();
        walk.begin(&new.id, RootKind::Used, start);
        for (kind, step) in [(RootKind::Sent, sent), (RootKind::Received, received)] {
            let start = vec![walk.put(step)];
            walk.begin(&new.id, kind, start);
        }
    }
    for (id, operation, is_new) in alone.each() {
        let kinds = [Kind::OperationRemoved, Kind::OperationAdded];
        let fact = Fact::alone(&operation.place, kinds, is_new, describe(operation), About::Itself);
        let start = vec![walk.put(fact.into())];
        walk.begin(id, RootKind::Used, start);
    }
}

fn describe(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

/// Compares what holds for all operations of a document: its servers and security schemes.
fn of_all(walk: &mut Walk<'_>, old: &Document, new: &Document) -> usize {
    let (mut step, place) = (Step::default(), Place::new(&new.name, ""));
    let about = About::More(old.servers.iter().all(|url| new.servers.contains(url)));
    let texts = [old, new].map(|document| document.servers.join(", "));
    step.find(Fact::changed(&place.field("servers"), Kind::ServersChanged, texts, about));
    for (name, before) in &old.security_schemes {
        let Some(now) = new.security_schemes.get(name) else { continue };
        let (place, texts) = (Place::new(&new.name, &format!("securitySchemes/{name}")), [before, now]);
        step.find(Fact::changed(&place, Kind::SecurityChanged, texts.map(Value::to_string), About::Itself));
    }
    walk.put(step)
}

/// The name for a call without authentication.
const NOBODY: &str = "no authentication";

/// Returns the alternative ways to authenticate.
fn security(operation: &Operation) -> BTreeSet<String> {
    let words = |way: &Vec<String>| if way.is_empty() { NOBODY.to_owned() } else { way.join(" and ") };
    let ways: BTreeSet<String> = operation.security.iter().map(words).collect();
    if ways.is_empty() { BTreeSet::from([NOBODY.to_owned()]) } else { ways }
}

fn needed(required: bool) -> &'static str {
    if required { "required" } else { "optional" }
}

fn is_success(status: &str) -> bool {
    status.starts_with('2')
}

/// Two schemas in an operation, both placed where the new one stands.
fn both<'m>(walk: &Walk<'m>, old: &Node, new: &Node, slot: Slot, place: &Place) -> Pair<'m> {
    let [old, new] = [(walk.old, old), (walk.new, new)].map(|(model, node)| Seen::new_at(model, node, place.clone()));
    Pair { old, new, slot }
}

/// An operation in both contracts, and the changes found so far.
struct Comparison<'o, 'm> {
    old: &'o Operation,
    new: &'o Operation,
    /// Changes outside of the request and of the responses.
    own: Step<'m>,
    sent: Step<'m>,
    received: Step<'m>,
}

impl<'m> Comparison<'_, 'm> {
    fn find_of_both(&mut self, place: &Place, kind: Kind, text: impl Fn(&Operation) -> String) {
        self.own.find(Fact::changed(place, kind, [text(self.old), text(self.new)], About::Itself));
    }

    /// Compares the name and the address of the operation, and who may call it.
    fn itself(&mut self) {
        let (old, new) = (self.old, self.new);
        self.find_of_both(&new.place, Kind::OperationRenamed, |one| one.id.clone());
        self.find_of_both(&new.place, Kind::deprecation(new.deprecated), |one| one.deprecated.to_string());
        self.find_of_both(&new.place, Kind::TagChanged, |one| {
            one.tag.as_ref().map_or_else(|| "none".to_owned(), |tag| format!("`{tag}`"))
        });
        if (&old.method, old.route()) != (&new.method, new.route()) {
            self.find_of_both(&new.place, Kind::OperationMoved, describe);
        }
        for key in old.rest.keys().chain(new.rest.keys()).collect::<BTreeSet<_>>() {
            self.find_of_both(&new.place.field(key), Kind::OperationChanged, |one| {
                one.rest.get(key).map_or_else(|| "nothing".to_owned(), Value::to_string)
            });
        }
        let (before, now) = (security(old), security(new));
        let inherited = old.inherits_security && new.inherits_security;
        let place = if inherited { Place::new(&new.place.document, "") } else { new.place.clone() };
        let refused = if now.contains(NOBODY) { BTreeSet::new() } else { &before - &now };
        let texts = [before, now].map(|ways| Vec::from_iter(ways).join(" or "));
        let about = About::Refused(refused.into_iter().collect());
        self.own.find(Fact::changed(&place.field("security"), Kind::SecurityChanged, texts, about));
    }

    fn parameters(&mut self, walk: &mut Walk<'m>) {
        let (old, new) = (self.old, self.new);
        let [before, now] = [old, new].map(|operation| operation.parameters.iter().map(|one| (one.key(), one)));
        let (mut both, mut alone) = matched(before, now);
        // Their position in the path identifies path parameters.
        let (old_names, new_names) = (old.path_parameters(), new.path_parameters());
        let position = |names: &[&str], name: &str| names.iter().position(|other| *other == name);
        both.extend(alone.renamed(|((location, before), was), ((other, now), is)| match location {
            _ if location != other => false,
            Location::Path => {
                old_names.len() == new_names.len() && position(&old_names, before) == position(&new_names, now)
            }
            _ => similar(before, now) && was.required == is.required,
        }));
        for ((_, was), (_, is)) in both {
            self.parameter(walk, was, is);
        }
        for (_, parameter, is_new) in alone.each() {
            let kinds = [Kind::ParameterRemoved, Kind::ParameterAdded];
            let text = format!("{} {}", needed(parameter.required), parameter.location.name());
            let about = About::Request { what: "parameter", required: parameter.required, was: None };
            self.own.find(Fact::alone(&parameter.place, kinds, is_new, text, about));
        }
    }

    fn parameter(&mut self, walk: &mut Walk<'m>, was: &Parameter, is: &Parameter) {
        if was.key() != is.key() {
            let renamed = Some((is.location, was.required));
            let about = About::Request { what: "parameter", required: is.required, was: renamed };
            self.own.find(Fact::changed(&was.place, Kind::ParameterRenamed, [&was.name, &is.name], about));
        }
        self.need("parameter", was.required, is.required, &is.place);
        let pair = both(walk, &was.schema, &is.schema, Slot::Parameter, &is.place);
        walk.child(&pair, &is.place, &mut self.sent);
        let texts = [was, is].map(|one| format!("deprecated: {}", one.deprecated));
        let fact = Fact::changed(&is.place, Kind::deprecation(is.deprecated), texts, About::Itself);
        self.own.find(fact.of("deprecated"));
        let said = |parameter: &Parameter, seen: &Seen<'_>| {
            let mut said = parameter.rest.clone();
            said.insert("style".to_owned(), parameter.style.clone().into());
            // `explode` matters for lists and objects only.
            if seen.items().is_some() || seen.object().is_some() {
                said.insert("explode".to_owned(), parameter.explode.into());
            }
            said.extend(parameter.media.clone().map(|media| ("content".to_owned(), media.into())));
            said
        };
        let (before, now) = (said(was, &pair.old.whole()), said(is, &pair.new.whole()));
        for (key, value) in &now {
            let known = before.get(key).unwrap_or(&Value::Bool(false));
            let texts = [known, value].map(|value| format!("{key}: {value}"));
            self.own.find(Fact::changed(&is.place, Kind::KeywordChanged, texts, About::Itself).of(key));
        }
    }

    fn need(&mut self, what: &'static str, before: bool, now: bool, place: &Place) {
        let kind = if now { Kind::BecameRequired } else { Kind::BecameOptional };
        let about = About::Request { what, required: now, was: None };
        self.own.find(Fact::changed(place, kind, [before, now].map(needed), about));
    }

    fn request(&mut self, walk: &mut Walk<'m>) {
        let about = |required| About::Request { what: "body", required, was: None };
        let (body, is_new) = match (&self.old.body, &self.new.body) {
            (None, None) => return,
            (Some(before), Some(now)) => {
                self.need("body", before.required, now.required, &now.place);
                return self.content(walk, &before.content, &now.content, &now.place, true, about(false));
            }
            (Some(body), None) => (body, false),
            (None, Some(body)) => (body, true),
        };
        let kinds = [Kind::RequestBodyRemoved, Kind::RequestBodyAdded];
        let text = if is_new { format!("{} body", needed(body.required)) } else { "a body".to_owned() };
        let about = about(is_new && body.required);
        self.own.find(Fact::alone(&self.new.place.field("requestBody"), kinds, is_new, text, about));
    }

    /// Compares the bodies of each content type.
    fn content(
        &mut self,
        walk: &mut Walk<'m>,
        before: &BTreeMap<String, Node>,
        now: &BTreeMap<String, Node>,
        place: &Place,
        is_sent: bool,
        removed: About<'m>,
    ) {
        let (pairs, alone) = matched(before, now);
        for ((_, old), (_, new)) in pairs {
            let step = if is_sent { &mut self.sent } else { &mut self.received };
            walk.child(&both(walk, old, new, Slot::Value, place), place, step);
        }
        for (name, _, is_new) in alone.each() {
            let kinds = [Kind::ContentTypeRemoved, Kind::ContentTypeAdded];
            let about = if is_new { About::Itself } else { removed.clone() };
            self.own.find(Fact::alone(place, kinds, is_new, name, about).of(name));
        }
    }

    fn responses(&mut self, walk: &mut Walk<'m>) {
        let (old, new) = (self.old, self.new);
        let place = |status: &str| new.place.field("responses").below(&format!(".{status}"));
        let (mut both, mut alone) = matched(&old.responses, &new.responses);
        // The client decodes any successful response in the same way.
        let renamed = alone.renamed(|(was, _), (is, _)| is_success(was) && is_success(is));
        for ((was, _), (is, _)) in &renamed {
            self.own.find(Fact::changed(&place(is), Kind::ResponseRenamed, [*was, *is], About::Itself));
        }
        both.extend(renamed);
        for ((_, before), (is, now)) in both {
            let removed = About::Answer { succeeds: is_success(is), same: false };
            self.content(walk, &before.content, &now.content, &now.place, false, removed);
            let text = |one: &Response| one.headers.as_ref().map(|headers| format!("headers: {headers}"));
            let texts = [before, now].map(text);
            self.own.find(Fact::new(&now.place, Kind::KeywordChanged, texts, About::Itself).of("headers"));
        }
        let body = |response: &Response| response.content.values().next().cloned();
        for (status, response, is_new) in alone.each() {
            let mut is_like = |was: &Response| match (body(was), body(response)) {
                (Some(was), Some(is)) => walk.same(&Seen::new(walk.old, &was), &Seen::new(walk.new, &is)),
                (was, is) => was.is_none() && is.is_none(),
            };
            let same = is_new && old.responses.iter().all(|(status, was)| !is_success(status) || is_like(was));
            let about = About::Answer { succeeds: is_success(status), same };
            let kinds = [Kind::ResponseRemoved, Kind::ResponseAdded];
            self.own.find(Fact::alone(&place(status), kinds, is_new, status, about));
        }
    }
}
