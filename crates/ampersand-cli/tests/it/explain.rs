//! `explain` shows what the contract and our documentation say about a name.

use insta::assert_snapshot;

use crate::command::run;

#[test]
fn a_name_is_explained() {
    for (kind, name) in [
        ("event", "connection.error"),
        ("operation", "createTopic"),
        ("type", "BackfillProgress"),
        ("field", "Installation.healthStatus"),
    ] {
        let told = run(&["explain", name]);
        assert_eq!((told.code, told.stderr.as_str()), (0, ""));
        assert_snapshot!(kind, told.stdout);
    }
    assert_eq!(run(&["explain", "create-topic"]).stdout, run(&["explain", "createTopic"]).stdout);
}

#[test]
fn a_field_may_be_deep_in_lists_and_maps() {
    assert_snapshot!(run(&["explain", "ReadConfig.objects.schedule"]), @"
    exit code 0
    -- stdout
    ReadConfig.objects.schedule  field: string
    -- stderr
    ");
    assert_snapshot!(run(&["explain", "patch-object-config-content.changes.op"]), @"
    exit code 0
    -- stdout
    patch-object-config-content.changes.op  field: string, required

    Kind of the change.

    Values
      - add: Puts `value` at `path`, over any value that is there.
      - remove: Takes away the value at `path`.
      - replace: Puts `value` in the place of the value at `path`.
    -- stderr
    ");
    assert_snapshot!(run(&["explain", "connection.error.error"]), @"
    exit code 0
    -- stdout
    connection.error.error  field: list of string, deprecated

    The same list as `errors`, under its deprecated name. Read `errors`.

    In every other event that has an `error`, it is a single string.
    -- stderr
    ");
}

#[test]
fn facts_are_there_for_programs() {
    assert_snapshot!(run(&["explain", "Topic", "--output", "json"]), @r#"
    exit code 0
    -- stdout
    {"kind":"type","name":"Topic","type":"object","description":"Named channel between notifications and destinations: event types lead to it, and it leads to destinations.","fields":[{"name":"createTime","type":"time","required":true,"description":"Time of creation, in RFC 3339."},{"name":"id","type":"string","required":true,"description":"Identifier of the topic."},{"name":"name","type":"string","required":true,"description":"Name of the topic: letters, digits and dashes, 64 characters at most."},{"name":"projectId","type":"string","required":true,"description":"Identifier of the Ampersand project."},{"name":"updateTime","type":"time","required":false,"description":"Time of the last change, in RFC 3339."}],"example":{"createTime":"2025-12-27T12:03:27Z","id":"dcdd5c62-b720-41ac-af77-f330a2e96c4d","name":"crmEvents","projectId":"01d68c52-4547-42ab-afbc-01a2c22525b7","updateTime":"2025-12-27T12:03:27Z"}}
    -- stderr
    "#);
    assert_snapshot!(run(&["explain", "connection.error.reason", "--output", "json"]), @"
    exit code 2
    -- stdout
    -- stderr
    error: the contract has nothing called `connection.error.reason`: its fields are connectionId, consumerName, consumerRef, groupRef, projectId, provider, error, errors
    ");
}

#[test]
fn a_name_that_is_unknown_is_told_what_may_be_meant() {
    assert_snapshot!(run(&["explain", "instalation.updated"]), @"
    exit code 2
    -- stdout
    -- stderr
    error: the contract has nothing called `instalation.updated`: did you mean `installation.updated`?
    ");
    assert_snapshot!(run(&["explain", "Installation.healthstatus"]), @"
    exit code 2
    -- stdout
    -- stderr
    error: the contract has nothing called `Installation.healthstatus`: did you mean `Installation.healthStatus`?
    ");
    assert_snapshot!(run(&["explain", "list-instalations"]), @"
    exit code 2
    -- stdout
    -- stderr
    error: the contract has nothing called `list-instalations`: did you mean `list-installations`?
    ");
    assert_snapshot!(run(&["explain", "zzzzzzzzzzzz"]), @"
    exit code 2
    -- stdout
    -- stderr
    error: the contract has nothing called `zzzzzzzzzzzz`: give an event, an operation, a type, or a field of one
    ");
}
