//! Whether two names may be those of one thing: what is gone, and what is new.

use std::collections::BTreeSet;

use heck::ToSnakeCase as _;

/// `read.triggered.done` and `triggered.read.done`, `projectId` and `projectIdOrName`, `colour` and `color`. Two names that
/// only share words are those of two things: `groupName` and `groupRef`, `createdAt` and `updatedAt`.
pub(in crate::diff) fn similar(one: &str, other: &str) -> bool {
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

/// Takes the pairs out of what is gone and what is new that are one thing under two names. Each is in one pair at most,
/// and only where neither could be in another.
pub(in crate::diff) fn renamed<'a, T: Ord + Copy + 'a>(
    gone: &mut BTreeSet<T>,
    new: &mut BTreeSet<T>,
    mut is: impl FnMut(T, T) -> bool,
) -> Vec<(T, T)> {
    let pairs: Vec<(T, T)> = gone
        .iter()
        .flat_map(|one| new.iter().map(move |other| (*one, *other)))
        .filter(|(one, other)| is(*one, *other))
        .collect();
    let alone = |pair: &(T, T)| pairs.iter().filter(|other| other.0 == pair.0 || other.1 == pair.1).count() == 1;
    let found: Vec<(T, T)> = pairs.iter().copied().filter(alone).collect();
    for (one, other) in &found {
        gone.remove(one);
        new.remove(other);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_thing_are_told_from_those_of_two() {
        for (one, other) in [
            ("projectId", "projectIdOrName"),
            ("read.triggered.done", "triggered.read.done"),
            ("color", "colour"),
            ("synchronous", "sync"),
            ("group_name", "groupName"),
            ("associationUpdate", "association.update"),
            ("errors", "error"),
        ] {
            assert!(similar(one, other) && similar(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("config", "provider"),
            ("id", "url"),
            ("", "a"),
            ("always", "never"),
            ("from", "error"),
            ("groupName", "groupRef"),
            ("createdAt", "updatedAt"),
            ("fromTimestamp", "untilTimestamp"),
            ("mappedObjectName", "rawObjectName"),
            ("connection.created", "connection.deleted"),
        ] {
            assert!(!similar(one, other) && !similar(other, one), "{one} {other}");
        }
    }

    #[test]
    fn what_could_be_renamed_to_two_is_not() {
        let mut gone = BTreeSet::from(["a", "c"]);
        let mut new = BTreeSet::from(["a1", "a2", "c1"]);
        assert_eq!(renamed(&mut gone, &mut new, |one, other| other.starts_with(one)), [("c", "c1")]);
        assert_eq!((gone, new), (BTreeSet::from(["a"]), BTreeSet::from(["a1", "a2"])));
    }
}
