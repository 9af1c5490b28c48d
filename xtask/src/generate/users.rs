use std::collections::{BTreeMap, BTreeSet};

use super::requests::{Group, Request};
use super::structs::Struct;
use super::ty::Ty;
use crate::graph::reachable;
use crate::model::names;

/// The most operations that a sentence names. If there are more, it says how many.
const NAMED: usize = 4;

/// Returns a sentence for each type of the client, which links to the operations that send or receive the type.
pub(super) fn users(structs: &[Struct<'_>], groups: &[Group<'_>], path: &str) -> BTreeMap<String, String> {
    let mut leads = BTreeMap::<&str, BTreeSet<&str>>::new();
    for one in structs {
        leads.insert(&one.name, one.fields.iter().filter_map(|field| name_in(&field.ty, path)).collect());
    }
    let requests: Vec<(&Request<'_>, String)> =
        groups.iter().flat_map(|group| group.requests.iter().map(|one| (one, link(group, one)))).collect();
    let (mut sent, mut received) = (BTreeMap::<_, Vec<&str>>::new(), BTreeMap::<_, Vec<&str>>::new());
    for (request, link) in &requests {
        let (taken, given) = request.types();
        for (types, users) in [(taken, &mut sent), (given, &mut received)] {
            let named = types.into_iter().filter_map(|ty| name_in(ty, path));
            for name in reachable(named, |name| leads.get(name).into_iter().flatten().copied()) {
                users.entry(name).or_default().push(link);
            }
        }
    }
    let all: BTreeSet<&str> = sent.keys().chain(received.keys()).copied().collect();
    let said = |name: &str| {
        let sent = sent.get(name).map(|links| format!("Sent by {}.", list(links)));
        let received = received.get(name).map(|links| format!("Received from {}.", list(links)));
        sent.into_iter().chain(received).collect::<Vec<_>>().join(" ")
    };
    all.into_iter().map(|name| (name.to_owned(), said(name))).collect()
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

/// Returns the struct or enum of the module inside of a type.
fn name_in<'t>(ty: &'t Ty, module: &str) -> Option<&'t str> {
    match ty {
        Ty::Struct(name) => Some(name),
        Ty::Path(path) => path.strip_prefix(module)?.strip_prefix("::"),
        Ty::Vec(ty) | Ty::Map(ty) | Ty::Items(ty) | Ty::Option(ty) | Ty::Boxed(ty) => name_in(ty, module),
        _ => None,
    }
}
