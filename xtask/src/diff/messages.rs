//! Compares what an operation sends, and what it is answered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::changes::{Finding, Kind};
use super::names::{renamed, similar};
use super::operations::Operation;
use super::rust::Slot;
use super::side::{Node, Place, Side};
use super::verdict::Verdict::{Breaking, Compatible, Warning};
use super::verdict::{self, Effects};
use super::walk::{Step, Walk};

/// The pairs that an operation sends, and those that it receives. What no schema says is found here.
pub(super) fn compare<'a>(
    walk: &mut Walk<'a>,
    old: &Operation<'a>,
    new: &Operation<'a>,
    findings: &mut Vec<Finding>,
) -> (Vec<usize>, Vec<usize>) {
    let (mut sent, mut received) = (Step::default(), Step::default());
    parameters(walk, old, new, &mut sent, findings);
    request(walk, old, new, &mut sent, findings);
    responses(walk, old, new, &mut received, findings);
    let mut start = |step: Step| vec![walk.put(step)];
    (start(sent), start(received))
}

/// An object that may stand in `components`: a parameter, a request body or a response.
fn resolved<'a>(side: &Side<'a>, document: &'a str, value: &'a Value, place: Place) -> (&'a Value, Place) {
    value["$ref"].as_str().and_then(|reference| side.target(document, reference)).unwrap_or((value, place))
}

type Parameters<'a> = BTreeMap<(&'a str, &'a str), (&'a Value, Place)>;

/// The parameters by where they are and what they are called.
fn parameters_of<'a>(side: &Side<'a>, operation: &Operation<'a>) -> Parameters<'a> {
    let all = operation.parameters().map(|parameter| {
        let (parameter, place) = resolved(side, operation.document, parameter, operation.place().field("parameters"));
        let (kind, name) =
            (parameter["in"].as_str().unwrap_or_default(), parameter["name"].as_str().unwrap_or_default());
        let place = if place.path == "$" { place } else { place.field(name) };
        ((kind, name), (parameter, place))
    });
    all.collect()
}

fn parameters<'a>(
    walk: &mut Walk<'a>,
    old: &Operation<'a>,
    new: &Operation<'a>,
    sent: &mut Step,
    findings: &mut Vec<Finding>,
) {
    let (before, now) = (parameters_of(walk.old, old), parameters_of(walk.new, new));
    let mut gone: BTreeSet<(&str, &str)> = before.keys().filter(|key| !now.contains_key(*key)).copied().collect();
    let mut more: BTreeSet<(&str, &str)> = now.keys().filter(|key| !before.contains_key(*key)).copied().collect();
    let mut pairs: Vec<_> = before.keys().filter(|key| now.contains_key(*key)).map(|key| (*key, *key)).collect();
    // Those of a path are known by where they stand in it.
    let (old_names, new_names) = (old.path_parameters(), new.path_parameters());
    let position = |names: &[&str], name: &str| names.iter().position(|other| *other == name);
    pairs.extend(renamed(&mut gone, &mut more, |was, is| {
        was.0 == is.0
            && match was.0 {
                "path" => {
                    old_names.len() == new_names.len() && position(&old_names, was.1) == position(&new_names, is.1)
                }
                _ => similar(was.1, is.1) && required(&before, was) == required(&now, is),
            }
    }));
    for (was, is) in pairs {
        let (Some((old_value, old_place)), Some((new_value, place))) = (before.get(&was), now.get(&is)) else {
            continue;
        };
        if was != is {
            let effects = match was.0 {
                "path" => Effects::fine("the path is the same, whatever its parameters are called"),
                _ if required(&now, is) => Effects::fine("").outbound(Breaking, "a required parameter is not sent"),
                _ => Effects::fine("").outbound(Warning, "what is sent as the parameter is no longer looked at"),
            };
            let effects = match required(&before, was) && required(&now, is) {
                // It is an argument, which has no name where it is given.
                true => effects,
                false => effects.source(Breaking, "the method that sets the parameter has another name"),
            };
            let names = (Some(was.1.to_owned()), Some(is.1.to_owned()));
            findings.push(Finding::new(old_place.clone(), Kind::ParameterRenamed, names.0, names.1, effects));
        }
        need(required(&before, was), required(&now, is), place, findings);
        let nodes = (
            walk.old.node(old.document, &old_value["schema"], place.clone()),
            walk.new.node(new.document, &new_value["schema"], place.clone()),
        );
        walk.child(&nodes.0, &nodes.1, Slot::Parameter, place.clone(), sent);
        rest(old_value, new_value, place, findings);
    }
    for (key, (_, place)) in gone.iter().filter_map(|key| before.get_key_value(key)) {
        let effects = Effects::fine("")
            .outbound(Warning, "what is sent as the parameter is no longer looked at")
            .source(Breaking, "code that gives the parameter does not compile");
        let text = format!("{} {}", needed(required(&before, *key)), key.0);
        findings.push(Finding::new(place.clone(), Kind::ParameterRemoved, Some(text), None, effects));
    }
    for (key, (_, place)) in more.iter().filter_map(|key| now.get_key_value(key)) {
        let effects = match required(&now, *key) {
            true => verdict::demanded("a required parameter is not given"),
            false => verdict::added(),
        };
        let text = format!("{} {}", needed(required(&now, *key)), key.0);
        findings.push(Finding::new(place.clone(), Kind::ParameterAdded, None, Some(text), effects));
    }
}

fn required(parameters: &Parameters<'_>, key: (&str, &str)) -> bool {
    parameters.get(&key).is_some_and(|(parameter, _)| parameter["required"] == true)
}

fn needed(required: bool) -> &'static str {
    if required { "required" } else { "optional" }
}

fn need(before: bool, now: bool, place: &Place, findings: &mut Vec<Finding>) {
    let (kind, effects) = match (before, now) {
        (false, true) => (Kind::BecameRequired, verdict::demanded("what was optional in a request has to be sent")),
        (true, false) => {
            let effects = Effects::fine("who sends it still may");
            (Kind::BecameOptional, effects.source(Breaking, "it is no argument any more, and has a method"))
        }
        _ => return,
    };
    let texts = (Some(needed(before).to_owned()), Some(needed(now).to_owned()));
    findings.push(Finding::new(place.clone(), kind, texts.0, texts.1, effects));
}

/// What else is said of a parameter.
fn rest(old: &Value, new: &Value, place: &Place, findings: &mut Vec<Finding>) {
    let keys =
        |value: &Value| value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect::<BTreeSet<_>>();
    for key in keys(old).union(&keys(new)).filter(|key| !["name", "in", "required", "schema"].contains(&key.as_str())) {
        let (was, is) = (old.get(key).unwrap_or(&Value::Bool(false)), new.get(key).unwrap_or(&Value::Bool(false)));
        if was == is {
            continue;
        }
        let (kind, effects) = match key.as_str() {
            "deprecated" if *is == Value::Bool(true) => (Kind::Deprecated, Effects::fine("it can still be sent")),
            "deprecated" => (Kind::NoLongerDeprecated, Effects::fine("it can still be sent")),
            _ => (Kind::KeywordChanged, Effects::fine("").outbound(Warning, "it is sent in another way")),
        };
        let texts = (Some(format!("{key}: {was}")), Some(format!("{key}: {is}")));
        findings.push(Finding::new(place.clone(), kind, texts.0, texts.1, effects).of(key));
    }
}

fn request<'a>(
    walk: &mut Walk<'a>,
    old: &Operation<'a>,
    new: &Operation<'a>,
    sent: &mut Step,
    findings: &mut Vec<Finding>,
) {
    let place = new.place().field("requestBody");
    match (old.value.get("requestBody"), new.value.get("requestBody")) {
        (None, None) => {}
        (Some(_), None) => {
            let effects = Effects::fine("")
                .outbound(Warning, "the body that is sent is no longer looked at")
                .source(Breaking, "code that gives a body does not compile");
            findings.push(Finding::new(place, Kind::RequestBodyRemoved, Some("a body".to_owned()), None, effects));
        }
        (None, Some(body)) => {
            let required = resolved(walk.new, new.document, body, place.clone()).0["required"] == true;
            let effects = if required { verdict::demanded("a required body is not sent") } else { verdict::added() };
            let text = Some(format!("{} body", needed(required)));
            findings.push(Finding::new(place, Kind::RequestBodyAdded, None, text, effects));
        }
        (Some(before), Some(now)) => {
            let (before, _) = resolved(walk.old, old.document, before, place.clone());
            let (now, place) = resolved(walk.new, new.document, now, place);
            need(before["required"] == true, now["required"] == true, &place, findings);
            let refused = Effects::fine("").outbound(Breaking, "a body of the old content type is refused");
            content(walk, (old, before), (new, now), &place, refused, sent, findings);
        }
    }
}

/// Compares bodies, by their content type.
fn content<'a>(
    walk: &mut Walk<'a>,
    (old, before): (&Operation<'a>, &'a Value),
    (new, now): (&Operation<'a>, &'a Value),
    place: &Place,
    removed: Effects,
    step: &mut Step,
    findings: &mut Vec<Finding>,
) {
    let types = |value: &'a Value| -> BTreeMap<&'a str, &'a Value> {
        let content = value["content"].as_object().into_iter().flatten();
        content.map(|(name, media)| (name.as_str(), &media["schema"])).collect()
    };
    let (before, now) = (types(before), types(now));
    for (name, schema) in &before {
        let Some(other) = now.get(name) else {
            let finding =
                Finding::new(place.clone(), Kind::ContentTypeRemoved, Some((*name).to_owned()), None, removed.clone());
            findings.push(finding.of(name));
            continue;
        };
        let nodes =
            (walk.old.node(old.document, schema, place.clone()), walk.new.node(new.document, other, place.clone()));
        walk.child(&nodes.0, &nodes.1, Slot::Value, place.clone(), step);
    }
    for name in now.keys().filter(|name| !before.contains_key(*name)) {
        let text = Some((*name).to_owned());
        findings.push(Finding::new(place.clone(), Kind::ContentTypeAdded, None, text, verdict::added()).of(name));
    }
}

fn responses<'a>(
    walk: &mut Walk<'a>,
    old: &Operation<'a>,
    new: &Operation<'a>,
    received: &mut Step,
    findings: &mut Vec<Finding>,
) {
    let place = new.place().field("responses");
    let statuses = |operation: &Operation<'a>| -> BTreeMap<&'a str, &'a Value> {
        let responses = operation.value["responses"].as_object().into_iter().flatten();
        responses.map(|(status, response)| (status.as_str(), response)).collect()
    };
    let (before, now) = (statuses(old), statuses(new));
    let mut gone: BTreeSet<&str> = before.keys().filter(|status| !now.contains_key(*status)).copied().collect();
    let mut more: BTreeSet<&str> = now.keys().filter(|status| !before.contains_key(*status)).copied().collect();
    let mut pairs: Vec<(&str, &str)> =
        before.keys().filter(|status| now.contains_key(*status)).map(|status| (*status, *status)).collect();
    // A client takes any answer of success for the one that there was.
    let found = renamed(&mut gone, &mut more, |was, is| is_success(was) && is_success(is));
    for (was, is) in &found {
        let effects = Effects::fine("any status of success is taken");
        let texts = (Some((*was).to_owned()), Some((*is).to_owned()));
        findings.push(Finding::new(place.below(&format!(".{is}")), Kind::ResponseRenamed, texts.0, texts.1, effects));
    }
    pairs.extend(found);
    for (was, is) in pairs {
        let (Some(before), Some(now)) = (before.get(was), now.get(is)) else { continue };
        let place = place.below(&format!(".{is}"));
        let (before, _) = resolved(walk.old, old.document, before, place.clone());
        let (now, place) = resolved(walk.new, new.document, now, place);
        let removed = match is_success(is) {
            true => verdict::withdrawn(Breaking, Compatible, Breaking, "the answer that is decoded is gone"),
            false => Effects::fine("errors are read whatever they are"),
        };
        content(walk, (old, before), (new, now), &place, removed, received, findings);
        let headers = (before.get("headers"), now.get("headers"));
        if headers.0 != headers.1 {
            let text = |value: Option<&Value>| value.map(|headers| format!("headers: {headers}"));
            let effects = Effects::fine("headers are handed over as they came");
            let (was, is) = (text(headers.0), text(headers.1));
            findings.push(Finding::new(place.clone(), Kind::KeywordChanged, was, is, effects).of("headers"));
        }
    }
    for status in gone {
        let effects = match is_success(status) {
            true => Effects::fine("what is not answered is not decoded"),
            false => Effects::fine("errors are read whatever they are"),
        };
        let text = Some(status.to_owned());
        findings.push(Finding::new(place.below(&format!(".{status}")), Kind::ResponseRemoved, text, None, effects));
    }
    for status in more {
        let known = before.iter().filter(|(status, _)| is_success(status));
        let body = |side: &'a Side<'a>, operation: &Operation<'a>, response: &'a Value| -> Option<Node<'a>> {
            let (response, place) = resolved(side, operation.document, response, place.clone());
            let media = response["content"].as_object()?.values().next()?;
            Some(side.node(operation.document, &media["schema"], place))
        };
        let is = now.get(status).and_then(|response| body(walk.new, new, response));
        let known: Vec<_> = known.map(|(_, response)| body(walk.old, old, response)).collect();
        let same = known.iter().all(|was| match (was, &is) {
            (Some(was), Some(is)) => walk.same(was, is),
            (was, is) => was.is_none() && is.is_none(),
        });
        let effects = match is_success(status) && !same {
            true => Effects::fine("").inbound(Breaking, "the answer is decoded as what the other statuses answer"),
            false => Effects::fine("any other status is read as an error, whatever it is"),
        };
        let text = Some(status.to_owned());
        findings.push(Finding::new(place.below(&format!(".{status}")), Kind::ResponseAdded, None, text, effects));
    }
}

fn is_success(status: &str) -> bool {
    status.starts_with('2')
}
