//! Matches the elements of two collections, by key or as a rename.

use std::collections::BTreeMap;

use heck::ToSnakeCase as _;

/// An element of both collections, with its key in each.
pub(crate) type Both<K, T> = ((K, T), (K, T));

/// Splits two collections into the elements that both have, and those that only one has.
pub(crate) fn matched<K: Ord + Clone, T>(
    old: impl IntoIterator<Item = (K, T)>,
    new: impl IntoIterator<Item = (K, T)>,
) -> (Vec<Both<K, T>>, Alone<K, T>) {
    let mut alone = Alone { gone: old.into_iter().collect(), more: new.into_iter().collect() };
    let keys: Vec<K> = alone.gone.keys().filter(|key| alone.more.contains_key(*key)).cloned().collect();
    (keys.iter().filter_map(|key| alone.take(key, key)).collect(), alone)
}

/// The elements that only one collection has.
pub(crate) struct Alone<K, T> {
    pub(crate) gone: BTreeMap<K, T>,
    pub(crate) more: BTreeMap<K, T>,
}

impl<K: Ord + Clone, T> Alone<K, T> {
    fn take(&mut self, old: &K, new: &K) -> Option<Both<K, T>> {
        Some((self.gone.remove_entry(old)?, self.more.remove_entry(new)?))
    }

    /// Takes out the renames: pairs of a gone and a new element for which `is` holds. An element that fits several others
    /// stays.
    pub(crate) fn renamed(&mut self, mut is: impl FnMut((&K, &T), (&K, &T)) -> bool) -> Vec<Both<K, T>> {
        let all = self.gone.iter().flat_map(|one| self.more.iter().map(move |other| (one, other)));
        let pairs: Vec<(K, K)> =
            all.filter(|(one, other)| is(*one, *other)).map(|(one, other)| (one.0.clone(), other.0.clone())).collect();
        let alone = |pair: &&(K, K)| pairs.iter().filter(|other| other.0 == pair.0 || other.1 == pair.1).count() == 1;
        pairs.iter().filter(alone).filter_map(|(one, other)| self.take(one, other)).collect()
    }

    /// Returns each element, and whether the new collection has it.
    pub(crate) fn each(self) -> impl Iterator<Item = (K, T, bool)> {
        let gone = self.gone.into_iter().map(|(key, one)| (key, one, false));
        gone.chain(self.more.into_iter().map(|(key, one)| (key, one, true)))
    }
}

/// Whether one name may be the other after a rename: `projectId` and `projectIdOrName`, `colour` and `color`. Names
/// that share some words and differ in others are not similar: `groupName` and `groupRef`, `createdAt` and `updatedAt`.
pub(crate) fn similar(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    let rest = |of: &[String], without: &[String]| -> String {
        of.iter().filter(|word| !without.contains(word)).map(String::as_str).collect()
    };
    let (left, right) = (rest(&one, &other), rest(&other, &one));
    if left.is_empty() || right.is_empty() {
        return !one.is_empty() && !other.is_empty();
    }
    let starts = left.len().min(right.len()) >= 3 && (left.starts_with(&right) || right.starts_with(&left));
    starts || 3 * strsim::levenshtein(&left, &right) <= left.chars().count().max(right.chars().count())
}

fn words(name: &str) -> Vec<String> {
    let plain = name.replace(|c: char| !c.is_alphanumeric(), " ").to_snake_case();
    plain.split('_').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
