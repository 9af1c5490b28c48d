//! Follows what leads to what: which names are reachable, and which differ.

use std::collections::{BTreeMap, BTreeSet};

/// Returns all in `from`, and all that they lead to.
pub(crate) fn reachable<T, N>(from: impl IntoIterator<Item = T>, leads: impl Fn(T) -> N) -> BTreeSet<T>
where
    T: Ord + Copy,
    N: IntoIterator<Item = T>,
{
    let mut next: Vec<T> = from.into_iter().collect();
    let mut found = BTreeSet::new();
    while let Some(one) = next.pop() {
        if found.insert(one) {
            next.extend(leads(one));
        }
    }
    found
}

/// Returns the names whose definitions differ: two are not the `same`, or one of several leads to such a name.
pub(crate) fn differing<'d, K: Ord + Copy, T, N: IntoIterator<Item = K>>(
    definitions: &'d BTreeMap<K, Vec<T>>,
    same: impl Fn(&T, &T) -> bool,
    leads: impl Fn(&'d T) -> N,
) -> BTreeSet<K> {
    let several: Vec<(&K, &Vec<T>)> = definitions.iter().filter(|(_, several)| several.len() > 1).collect();
    let mut users: BTreeMap<K, BTreeSet<K>> = BTreeMap::new();
    for (name, definitions) in &several {
        for to in definitions.iter().flat_map(&leads) {
            users.entry(to).or_default().insert(**name);
        }
    }
    let differ = |all: &[T]| all.windows(2).any(|pair| matches!(pair, [one, other] if !same(one, other)));
    let start = several.iter().filter(|(_, definitions)| differ(definitions)).map(|(name, _)| **name);
    reachable(start, |name| users.get(&name).into_iter().flatten().copied())
}
