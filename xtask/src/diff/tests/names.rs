use super::super::facts::names::{matched, similar};

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
    let named = |name| (name, ());
    let (both, mut alone) = matched(["a", "c", "d"].map(named), ["a1", "a2", "c1", "d"].map(named));
    assert_eq!(both, [(("d", ()), ("d", ()))]);
    assert_eq!(alone.renamed(|(one, _), (other, _)| other.starts_with(one)), [(("c", ()), ("c1", ()))]);
    assert!(alone.each().eq([("a", (), false), ("a1", (), true), ("a2", (), true)]));
}
