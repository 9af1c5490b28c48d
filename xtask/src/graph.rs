//! What leads to what.

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

/// Returns the names with several definitions that differ in meaning: they are not the `same`, or one `leads` to such a
/// name.
pub(crate) fn differing<K: Ord + Copy, T>(
    definitions: &BTreeMap<K, Vec<T>>,
    same: impl Fn(&T, &T) -> bool,
    leads: impl Fn(&T, K) -> bool,
) -> BTreeSet<K> {
    let names = |differ: &dyn Fn(&[T]) -> bool| {
        let several = definitions.iter().filter(|(_, several)| several.len() > 1 && differ(several));
        several.map(|(name, _)| *name).collect::<Vec<K>>()
    };
    let start = names(&|several| several.windows(2).any(|pair| !same(&pair[0], &pair[1])));
    reachable(start, |to| names(&|several| several.iter().any(|one| leads(one, to))))
}
