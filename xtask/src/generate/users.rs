use std::collections::{BTreeMap, BTreeSet};

use super::requests::{Group, Request};
use super::structs::Struct;
use super::ty::Ty;
use crate::model::{names, reachable};

/// So many operations are named; of more, how many there are.
const NAMED: usize = 4;

/// For each type of the client, a sentence that links to the operations that send it or receive it.
pub(super) fn users(structs: &[Struct<'_>], groups: &[Group<'_>], path: &str) -> BTreeMap<String, String> {
    let fields = |one: &Struct<'_>| one.fields.iter().flat_map(|field| names_in(&field.ty, path)).collect();
    let leads: BTreeMap<&str, BTreeSet<String>> = structs.iter().map(|one| (one.name.as_str(), fields(one))).collect();
    let requests: Vec<(&Request<'_>, String)> =
        groups.iter().flat_map(|group| group.requests.iter().map(|one| (one, link(group, one)))).collect();
    let (mut sent, mut received) = (BTreeMap::<_, Vec<&str>>::new(), BTreeMap::<_, Vec<&str>>::new());
    for (request, link) in &requests {
        let (taken, given) = request.types();
        for (types, users) in [(taken, &mut sent), (given, &mut received)] {
            let start: Vec<String> = types.into_iter().flat_map(|ty| names_in(ty, path)).collect();
            let leads = |name: &str| leads.get(name).into_iter().flatten().map(String::as_str);
            for name in reachable(start.iter().map(String::as_str), leads) {
                users.entry(name.to_owned()).or_default().push(link);
            }
        }
    }
    let all: BTreeSet<&String> = sent.keys().chain(received.keys()).collect();
    let said = |name: &String| {
        let sent = sent.get(name).map(|links| format!("Sent by {}.", list(links)));
        let received = received.get(name).map(|links| format!("Received from {}.", list(links)));
        sent.into_iter().chain(received).collect::<Vec<_>>().join(" ")
    };
    all.into_iter().map(|name| (name.clone(), said(name))).collect()
}

fn link(group: &Group<'_>, request: &Request<'_>) -> String {
    let (module, name, method) = (&group.name, names::pascal(&group.name), &request.method);
    format!("[`{method}`](crate::groups::{module}::{name}::{method})")
}

fn list(links: &[&str]) -> String {
    match links {
        [one] => (*one).to_owned(),
        [some @ .., last] if links.len() <= NAMED => format!("{} and {last}", some.join(", ")),
        [some @ .., _] => {
            let named: Vec<&str> = some.iter().take(NAMED - 1).copied().collect();
            format!("{} and {} more operations", named.join(", "), links.len() - named.len())
        }
        [] => String::new(),
    }
}

/// The types of the module that a type names, structs and enums.
fn names_in(ty: &Ty, module: &str) -> Option<String> {
    match ty {
        Ty::Struct(name) => Some(name.clone()),
        Ty::Path(path) => path.strip_prefix(module)?.strip_prefix("::").map(str::to_owned),
        Ty::Vec(ty) | Ty::Map(ty) | Ty::Items(ty) | Ty::Option(ty) | Ty::Boxed(ty) => names_in(ty, module),
        _ => None,
    }
}
