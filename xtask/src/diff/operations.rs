//! Compares the operations of a REST API: what is sent, what is answered, and how they are asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::changes::{Finding, Kind};
use super::messages;
use super::names::renamed;
use super::roots::Root;
use super::side::{Place, Side};
use super::verdict::Verdict::{Breaking, Compatible, Warning};
use super::verdict::{self, Effects};
use super::walk::Walk;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An operation of a document.
#[derive(Clone, Copy)]
pub(super) struct Operation<'a> {
    pub(super) document: &'a str,
    pub(super) id: &'a str,
    method: &'a str,
    path: &'a str,
    /// What the path says of all its operations.
    item: &'a Value,
    pub(super) value: &'a Value,
}

impl<'a> Operation<'a> {
    pub(super) fn place(&self) -> Place {
        Place::new(self.document, self.id)
    }

    /// The parameters, those of the path among them.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &'a Value> {
        [self.item, self.value].into_iter().filter_map(|value| value["parameters"].as_array()).flatten()
    }

    /// The names in the path's braces, in their order.
    pub(super) fn path_parameters(&self) -> Vec<&'a str> {
        self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    /// The path, whatever its parameters are called.
    fn route(&self) -> String {
        let mut route = self.path.to_owned();
        for name in self.path_parameters() {
            route = route.replacen(&format!("{{{name}}}"), "{}", 1);
        }
        route
    }

    fn describe(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }
}

/// The operations of a document that has a name.
pub(super) fn of<'a>(document: &'a str, value: &'a Value) -> impl Iterator<Item = Operation<'a>> {
    let paths = value["paths"].as_object().into_iter().flatten();
    paths.flat_map(move |(path, item)| {
        let members = item.as_object().into_iter().flatten();
        members.filter(|(method, _)| METHODS.contains(&method.as_str())).map(move |(method, value)| {
            let id = value["operationId"].as_str().unwrap_or(path);
            Operation { document, id, method, path, item, value }
        })
    })
}

fn by_id<'a>(side: &Side<'a>, document: &'a str) -> BTreeMap<&'a str, Operation<'a>> {
    of(document, side.document(document)).map(|operation| (operation.id, operation)).collect()
}

pub(super) fn roots<'a>(walk: &mut Walk<'a>, document: &'a str, roots: &mut Vec<Root>) {
    let (old, new) = (by_id(walk.old, document), by_id(walk.new, document));
    let mut gone: BTreeSet<&str> = old.keys().filter(|id| !new.contains_key(*id)).copied().collect();
    let mut more: BTreeSet<&str> = new.keys().filter(|id| !old.contains_key(*id)).copied().collect();
    let mut pairs: Vec<(&Operation<'_>, &Operation<'_>)> =
        old.iter().filter_map(|(id, before)| Some((before, new.get(id)?))).collect();
    let found = renamed(&mut gone, &mut more, |before, now| match (old.get(before), new.get(now)) {
        (Some(before), Some(now)) => before.method == now.method && before.route() == now.route(),
        _ => false,
    });
    pairs.extend(found.iter().filter_map(|(before, now)| Some((old.get(before)?, new.get(now)?))));

    let of_all = of_all(walk, document, !pairs.is_empty());
    for (before, now) in pairs {
        let mut findings = of_operation(walk, before, now);
        let (sent, received) = messages::compare(walk, before, now, &mut findings);
        let mut start = of_all.clone();
        start.push(walk.step(findings, Vec::new()));
        roots.push(Root::new(now.id, (true, true), start));
        roots.push(Root::new(now.id, (false, true), sent));
        roots.push(Root::new(now.id, (true, false), received));
    }
    for operation in gone.iter().filter_map(|id| old.get(id)) {
        let why = "the operation is gone";
        let effects = verdict::withdrawn(Compatible, Breaking, Breaking, why);
        let finding =
            Finding::new(operation.place(), Kind::OperationRemoved, Some(operation.describe()), None, effects);
        let start = vec![walk.step(vec![finding], Vec::new())];
        roots.push(Root::new(operation.id, (true, true), start));
    }
    for operation in more.iter().filter_map(|id| new.get(id)) {
        let finding =
            Finding::new(operation.place(), Kind::OperationAdded, None, Some(operation.describe()), verdict::added());
        let start = vec![walk.step(vec![finding], Vec::new())];
        roots.push(Root::new(operation.id, (true, true), start));
    }
}

/// What a document says of all its operations.
fn of_all<'a>(walk: &mut Walk<'a>, document: &'a str, has_both: bool) -> Vec<usize> {
    if !has_both {
        return Vec::new();
    }
    let (old, new) = (walk.old.document(document), walk.new.document(document));
    let mut findings = Vec::new();
    let place = Place::new(document, "");
    let servers = |document: &Value| -> Vec<String> {
        let servers = document["servers"].as_array().into_iter().flatten();
        servers.map(|server| server["url"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let (before, now) = (servers(old), servers(new));
    if before != now {
        let kept = before.iter().all(|url| now.contains(url));
        let why = "programs that were built before call an address that is not in the contract any more";
        let effects = if kept { verdict::added() } else { verdict::withdrawn(Compatible, Breaking, Compatible, why) };
        let texts = (Some(before.join(", ")), Some(now.join(", ")));
        findings.push(Finding::new(place.field("servers"), Kind::ServersChanged, texts.0, texts.1, effects));
    }
    let schemes = |document: &'a Value| document.pointer("/components/securitySchemes").and_then(Value::as_object);
    for (name, before) in schemes(old).into_iter().flatten() {
        let Some(now) = schemes(new).and_then(|schemes| schemes.get(name)).filter(|now| *now != before) else {
            continue;
        };
        let effects = verdict::withdrawn(Compatible, Breaking, Compatible, "programs authenticate in the old way");
        let texts = (Some(before.to_string()), Some(now.to_string()));
        findings.push(Finding::new(
            Place::new(document, &format!("securitySchemes/{name}")),
            Kind::SecurityChanged,
            texts.0,
            texts.1,
            effects,
        ));
    }
    vec![walk.step(findings, Vec::new())]
}

/// What is neither sent nor answered: how the operation is called, and who may.
fn of_operation(walk: &Walk<'_>, old: &Operation<'_>, new: &Operation<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |kind, place: Place, old: String, new: String, effects: Effects| {
        findings.push(Finding::new(place, kind, Some(old), Some(new), effects));
    };
    if old.id != new.id {
        let why = "the operation's method in Rust has another name";
        let effects = verdict::withdrawn(Compatible, Compatible, Breaking, why);
        find(Kind::OperationRenamed, new.place(), old.id.to_owned(), new.id.to_owned(), effects);
    }
    if (old.method, old.route()) != (new.method, new.route()) {
        let why = "programs that were built before call the old path";
        let effects = verdict::withdrawn(Compatible, Breaking, Compatible, why);
        find(Kind::OperationMoved, new.place(), old.describe(), new.describe(), effects);
    }
    // The first tag decides where the client has the operation's method.
    let tag = |operation: &Operation<'_>| match operation.value["tags"][0].as_str() {
        Some(tag) => format!("`{tag}`"),
        None => "none".to_owned(),
    };
    if tag(old) != tag(new) {
        let why = "the operation's method is in another group of the client";
        let effects = verdict::withdrawn(Compatible, Compatible, Breaking, why);
        find(Kind::TagChanged, new.place(), tag(old), tag(new), effects);
    }
    let deprecated = |operation: &Operation<'_>| operation.value["deprecated"] == true;
    if deprecated(old) != deprecated(new) {
        let kind = if deprecated(new) { Kind::Deprecated } else { Kind::NoLongerDeprecated };
        let effects = Effects::fine("it can still be called");
        find(kind, new.place(), deprecated(old).to_string(), deprecated(new).to_string(), effects);
    }
    let (before, now) = (security(walk.old, old), security(walk.new, new));
    if before != now {
        let inherited = old.value.get("security").or(new.value.get("security")).is_none();
        let place = if inherited { Place::new(new.document, "") } else { new.place() };
        let refused: Vec<&str> = before.difference(&now).map(String::as_str).collect();
        let effects = match refused.is_empty() || now.contains(NOBODY) {
            true => Effects::fine("who could call it still can"),
            false => {
                let why = format!("who authenticates by {} is refused", refused.join(" or by "));
                Effects::fine("").outbound(Breaking, &why)
            }
        };
        let join = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" or ");
        find(Kind::SecurityChanged, place.field("security"), join(&before), join(&now), effects);
    }
    let rest = |operation: &Operation<'_>| -> Map<String, Value> {
        const TOLD: [&str; 7] =
            ["operationId", "tags", "deprecated", "security", "parameters", "requestBody", "responses"];
        let members = operation.value.as_object().into_iter().flatten();
        let rest = members.filter(|(key, _)| !TOLD.contains(&key.as_str()));
        rest.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let (before, now) = (rest(old), rest(new));
    for key in before.keys().chain(now.keys().filter(|key| !before.contains_key(*key))) {
        let (was, is) = (before.get(key), now.get(key));
        if was != is {
            let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            let why = "what an operation says here is not understood by `diff`";
            let effects = verdict::withdrawn(Warning, Warning, Compatible, why);
            find(Kind::OperationChanged, new.place().field(key), text(was), text(is), effects);
        }
    }
    findings
}

/// What stands for no authentication at all.
const NOBODY: &str = "no authentication";

/// The ways to authenticate, of which one is enough.
fn security(side: &Side<'_>, operation: &Operation<'_>) -> BTreeSet<String> {
    let of_all = side.document(operation.document).get("security");
    let ways = operation.value.get("security").or(of_all).and_then(Value::as_array).into_iter().flatten();
    let ways: BTreeSet<String> = ways
        .map(|way| {
            let schemes: Vec<String> = way
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, scopes)| match scopes.as_array().filter(|scopes| !scopes.is_empty()) {
                    Some(scopes) => format!("{name} {}", Value::from(scopes.clone())),
                    None => name.clone(),
                })
                .collect();
            if schemes.is_empty() { NOBODY.to_owned() } else { schemes.join(" and ") }
        })
        .collect();
    if ways.is_empty() { BTreeSet::from([NOBODY.to_owned()]) } else { ways }
}
