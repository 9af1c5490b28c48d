//! Compares the operations of a REST API: their addresses, parameters, requests and responses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kind::Kind;
use super::names::{matched, similar};
use super::seen::{Pair, Seen, Slot};
use super::walk::{RootKind, Step, Walk};
use super::{About, Fact};
use crate::keywords::word;
use crate::model::{
    Content, Document, FORM, Form, Location, Node, Operation, Parameter, Place, Response, Way, is_json,
};

pub(crate) fn roots(walk: &mut Walk<'_>, old: &Document, new: &Document) {
    let [before, now] =
        [old, new].map(|document| document.operations.iter().map(|operation| (&operation.id, operation)));
    let (mut both, mut alone) = matched(before, now);
    let is_same = |old: &Operation, new: &Operation| old.method == new.method && old.route() == new.route();
    both.extend(alone.renamed(|(_, old), (_, new)| is_same(old, new)));
    let of_all = if both.is_empty() { Vec::new() } else { vec![of_all(walk, old, new)] };
    for ((_, old), (_, new)) in both {
        let begun = walk.roots.len();
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
        let left_out = old.obstacle().is_some();
        walk.roots.iter_mut().skip(begun).for_each(|root| root.left_out = left_out);
    }
    for (id, operation, is_new) in alone.each() {
        let kinds = [Kind::OperationRemoved, Kind::OperationAdded];
        let fact = Fact::alone(&operation.place, kinds, is_new, describe(operation), About::Itself);
        let start = vec![walk.put(fact.into())];
        walk.begin(id, RootKind::Used, start);
        walk.roots.last_mut().into_iter().for_each(|root| root.left_out = operation.obstacle().is_some());
    }
}

fn describe(operation: &Operation) -> String {
    format!("{} {}{}", operation.method, operation.server.as_deref().unwrap_or_default(), operation.path)
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
        step.find(Fact::changed(&place, Kind::SecurityChanged, texts.map(scheme), About::Itself));
    }
    walk.put(step)
}

/// Returns the alternative ways to authenticate.
fn ways(operation: &Operation) -> BTreeSet<Way> {
    if operation.security.is_empty() { BTreeSet::from([Way::new()]) } else { operation.security.clone() }
}

fn in_words(way: &Way) -> String {
    let scheme = |(name, scopes): (&String, &BTreeSet<String>)| match scopes.is_empty() {
        true => name.clone(),
        false => format!("{name} {}", Value::from_iter(scopes.clone())),
    };
    let schemes: Vec<String> = way.iter().map(scheme).collect();
    if schemes.is_empty() { "no authentication".to_owned() } else { schemes.join(" and ") }
}

/// Whether a call that authenticates in the old way does so in the new way too.
fn is_enough(old: &Way, new: &Way) -> bool {
    new.iter().all(|(scheme, scopes)| old.get(scheme).is_some_and(|had| scopes.is_subset(had)))
}

/// Returns what a program has to know of a security scheme, without words and without the list of scopes.
fn scheme(scheme: &Value) -> String {
    fn strip(value: &mut Value) {
        let is_told = |key: &String| !["bearerFormat", "description", "refreshUrl", "scopes"].contains(&key.as_str());
        value.as_object_mut().into_iter().for_each(|members| members.retain(|key, _| is_told(key)));
    }
    let mut scheme = scheme.clone();
    strip(&mut scheme);
    let flows = scheme.get_mut("flows").and_then(Value::as_object_mut);
    flows.into_iter().flat_map(|flows| flows.values_mut()).for_each(strip);
    // These ignore case.
    let names = if scheme["in"] == "header" { &["scheme", "name"][..] } else { &["scheme"] };
    for name in names {
        if let Some(Value::String(name)) = scheme.get_mut(*name) {
            name.make_ascii_lowercase();
        }
    }
    scheme.to_string()
}

fn needed(required: bool) -> &'static str {
    if required { "required" } else { "optional" }
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
        let swapped = self.swaps();
        if swapped || (&old.method, &old.server, old.route()) != (&new.method, &new.server, new.route()) {
            let texts = [describe(old), describe(new)];
            self.own.find(Fact::changed(&new.place, Kind::OperationMoved, texts, About::Moved { swapped }));
        }
        let kinds = [Kind::NoLongerLeftOut, Kind::LeftOut];
        let left_out = match (old.obstacle(), new.obstacle()) {
            (Some(obstacle), None) => Some((obstacle, false)),
            (None, Some(obstacle)) => Some((obstacle, true)),
            _ => None,
        };
        if let Some((obstacle, is_new)) = left_out {
            self.own.find(Fact::alone(&new.place, kinds, is_new, obstacle, About::Itself));
        }
        for key in old.rest.keys().chain(new.rest.keys()).collect::<BTreeSet<_>>() {
            self.find_of_both(&new.place.field(key), Kind::OperationChanged, |one| {
                one.rest.get(key).map_or_else(|| "nothing".to_owned(), Value::to_string)
            });
        }
        let inherited = old.inherits_security && new.inherits_security;
        let place = if inherited { Place::new(&new.place.document, "") } else { new.place.clone() };
        let (before, now) = (ways(old), ways(new));
        let refused = before.iter().filter(|old| !now.iter().any(|new| is_enough(old, new))).map(in_words);
        let about = About::Refused(refused.collect());
        let texts =
            [&before, &now].map(|ways| Vec::from_iter(ways.iter().map(in_words).collect::<BTreeSet<_>>()).join(" or "));
        self.own.find(Fact::changed(&place.field("security"), Kind::SecurityChanged, texts, about));
    }

    /// Whether parameters of the path change places.
    fn swaps(&self) -> bool {
        let (before, now) = (self.old.path_parameters(), self.new.path_parameters());
        let is_common = |name: &&&str| before.contains(name) && now.contains(name);
        !before.iter().filter(is_common).eq(now.iter().filter(is_common))
    }

    fn parameters(&mut self, walk: &mut Walk<'m>) {
        let (old, new) = (self.old, self.new);
        // Their position in the path identifies path parameters.
        let is_routed = old.path_parameters().len() == new.path_parameters().len() && !self.swaps();
        let key = |operation: &Operation, one: &Parameter| match operation.position(one).filter(|_| is_routed) {
            Some(position) => (Location::Path, position.to_string()),
            None => one.key(),
        };
        let [before, now] = [old, new].map(|operation| {
            let parameters = operation.parameters.iter().filter(|one| one.is_set_by_callers());
            parameters.map(|one| (key(operation, one), one))
        });
        let (mut both, mut alone) = matched(before, now);
        both.extend(alone.renamed(|((location, before), was), ((other, now), is)| {
            location == other && similar(before, now) && was.required == is.required
        }));
        for ((_, was), (_, is)) in both {
            self.parameter(walk, was, is);
        }
        for (_, parameter, is_new) in alone.each() {
            let kinds = [Kind::ParameterRemoved, Kind::ParameterAdded];
            let text = format!("{} {}", needed(parameter.required), word(parameter.location));
            let about = About::Request { what: "parameter", required: parameter.required, was: None };
            self.own.find(Fact::alone(&parameter.place, kinds, is_new, text, about).of(&word(parameter.location)));
        }
    }

    fn parameter(&mut self, walk: &mut Walk<'m>, was: &Parameter, is: &Parameter) {
        if was.key() != is.key() {
            let renamed = Some((is.location, was.required));
            let about = About::Request { what: "parameter", required: is.required, was: renamed };
            self.own.find(Fact::changed(&was.place, Kind::ParameterRenamed, [&was.name, &is.name], about));
        }
        self.need("parameter", was.required, is.required, &is.place);
        // In JSON, a parameter is more than text.
        let slot = if was.media.is_some() || is.media.is_some() { Slot::Value } else { Slot::Parameter };
        let pair = both(walk, &was.schema, &is.schema, slot, &is.place);
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
        let (mut before, mut now) = (said(was, &pair.old.whole()), said(is, &pair.new.whole()));
        if before.contains_key("explode") != now.contains_key("explode") {
            for said in [&mut before, &mut now] {
                said.remove("explode");
            }
        }
        for key in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
            let told = |said: &BTreeMap<String, Value>| match said.get(key) {
                Some(value) => format!("{key}: {value}"),
                None => format!("no {key}"),
            };
            let texts = [&before, &now].map(told);
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
                let (was, is) = (self.old.written(), self.new.written());
                let about = |media: &str, is_new| {
                    let one = if is_new { &is } else { &was };
                    let matters = one.of.is_some_and(|(written, _)| written == media);
                    let forms = [was.form, if matters { is.form } else { was.form }];
                    About::Content { sent: true, succeeds: true, same: false, forms }
                };
                self.content(walk, &before.content, &now.content, &now.place, true, about);
                return json(walk, &was, &is, &now.place, &mut self.sent);
            }
            (Some(body), None) => (body, false),
            (None, Some(body)) => (body, true),
        };
        let kinds = [Kind::RequestBodyRemoved, Kind::RequestBodyAdded];
        let text = if is_new { format!("{} body", needed(body.required)) } else { "a body".to_owned() };
        let about = about(is_new && body.required);
        self.own.find(Fact::alone(&self.new.place.field("requestBody"), kinds, is_new, text, about));
    }

    /// Compares the bodies of each content type. `about` gets a content type, and whether it is new.
    fn content(
        &mut self,
        walk: &mut Walk<'m>,
        before: &BTreeMap<String, Node>,
        now: &BTreeMap<String, Node>,
        place: &Place,
        is_sent: bool,
        about: impl Fn(&str, bool) -> About<'m>,
    ) {
        let (mut pairs, mut alone) = matched(before, now);
        // The client writes and decodes any kind of JSON in the same way.
        let renamed = alone.renamed(|(was, _), (is, _)| is_json(was) && is_json(is));
        let names = renamed.iter().flat_map(|((was, _), (is, _))| [(*was, false), (*is, true)]);
        for (name, is_new) in names.chain(alone.each().map(|(name, _, is_new)| (name, is_new))) {
            let kinds = [Kind::ContentTypeRemoved, Kind::ContentTypeAdded];
            self.own.find(Fact::alone(place, kinds, is_new, name, about(name, is_new)).of(name));
        }
        pairs.extend(renamed);
        for ((media, old), (_, new)) in pairs {
            let step = if is_sent { &mut self.sent } else { &mut self.received };
            // The client writes a form where there is no JSON, and decodes none.
            let is_written = is_sent && media == FORM && !now.keys().any(|other| is_json(other));
            let slot = if is_json(media) || is_written { Slot::Value } else { Slot::Raw };
            walk.child(&both(walk, old, new, slot, place), place, step);
        }
    }

    fn responses(&mut self, walk: &mut Walk<'m>) {
        let (old, new) = (self.old, self.new);
        let place = |status: &str| new.place.field("responses").below(&format!(".{status}"));
        let (both, mut alone) = matched(&old.responses, &new.responses);
        // `default` may become the response of errors, or of a success.
        let (mut both, others): (Vec<_>, Vec<_>) =
            both.into_iter().partition(|((status, _), _)| old.is_success(status) == new.is_success(status));
        for ((status, before), (_, now)) in others {
            alone.gone.insert(status, before);
            alone.more.insert(status, now);
        }
        // The client decodes any successful response in the same way.
        let renamed = alone.renamed(|(was, _), (is, _)| old.is_success(was) && new.is_success(is));
        for ((was, _), (is, _)) in &renamed {
            self.own.find(Fact::changed(&place(is), Kind::ResponseRenamed, [*was, *is], About::Itself));
        }
        both.extend(renamed);
        // A change matters to the client if it decodes the body, or did.
        let (was, is) = (old.decoded(), new.decoded());
        let forms = |status: &str, medias: &[&str], is_new: bool| {
            let (one, operation) = if is_new { (&is, new) } else { (&was, old) };
            let is_decoded = |media: &str| is_json(media) || one.of.is_some_and(|(decoded, _)| decoded == media);
            let matters = operation.is_success(status)
                && (medias.iter().copied().any(is_decoded) || (one.of.is_none() && one.status == status));
            [was.form, if matters { is.form } else { was.form }]
        };
        for ((earlier, before), (status, now)) in both {
            let about = |media: &str, is_new| {
                let forms = forms(if is_new { status } else { earlier }, &[media], is_new);
                About::Content { sent: false, succeeds: new.is_success(status), same: true, forms }
            };
            self.content(walk, &before.content, &now.content, &now.place, false, about);
            let text = |one: &Response| one.headers.as_ref().map(|headers| format!("headers: {headers}"));
            let texts = [before, now].map(text);
            self.own.find(Fact::new(&now.place, Kind::KeywordChanged, texts, About::Itself).of("headers"));
        }
        if let Some(now) = new.responses.get(is.status) {
            json(walk, &was, &is, &now.place, &mut self.received);
        }
        let body = |response: &Response| response.json().or(response.content.values().next()).cloned();
        for (status, response, is_new) in alone.each() {
            let (own, other, models) =
                if is_new { (new, old, [walk.new, walk.old]) } else { (old, new, [walk.old, walk.new]) };
            let mut is_like = |one: &Response| match (body(response), body(one)) {
                (Some(own), Some(other)) => {
                    let [own, other] = [Seen::new(models[0], &own), Seen::new(models[1], &other)];
                    if is_new { walk.same(&other, &own) } else { walk.same(&own, &other) }
                }
                (was, is) => was.is_none() && is.is_none(),
            };
            let mut others = other.responses.iter().filter(|(status, _)| other.is_success(status));
            let same = others.any(|(_, one)| is_like(one));
            let medias: Vec<&str> = response.content.keys().map(String::as_str).collect();
            let forms = forms(status, &medias, is_new);
            let about = About::Content { sent: false, succeeds: own.is_success(status), same, forms };
            let kinds = [Kind::ResponseRemoved, Kind::ResponseAdded];
            self.own.find(Fact::alone(&place(status), kinds, is_new, status, about));
        }
    }
}

/// Compares the JSON that the client writes or decodes, whatever its media types are.
fn json<'m>(walk: &mut Walk<'m>, was: &Content<'_>, is: &Content<'_>, place: &Place, step: &mut Step<'m>) {
    if let (Form::Json, Form::Json, Some((_, old)), Some((_, new))) = (was.form, is.form, was.of, is.of) {
        walk.child(&both(walk, old, new, Slot::Value, place), place, step);
    }
}
