use serde_json::{Map, Value, json};

use super::{between, object, reference, schemas, text};

/// The changes of one schema `A` of a document of types, which may refer to `B`.
fn of_schema(old: Value, new: Value) -> Vec<String> {
    let both =
        |schema: Value| schemas(json!({ "A": schema, "B": { "type": "object", "properties": { "id": text() } } }));
    between("config", both(old), both(new))
}

/// The changes of a field of `A` that may be absent, and of one that is required.
fn of_field(old: Value, new: Value) -> (Vec<String>, Vec<String>) {
    let of = |required: &[&str]| {
        let found = of_schema(object(json!({ "f": old }), required), object(json!({ "f": new }), required));
        found.into_iter().map(|line| line.replace("A.f", ".")).collect()
    };
    (of(&[]), of(&["f"]))
}

#[test]
fn the_same_in_other_words_is_no_change() {
    let list = |items: Value| object(json!({ "f": { "type": "array", "items": items } }), &[]);
    let either = |names: &[&str]| {
        let properties: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), text())).collect();
        let alternatives: Vec<Value> = names.iter().map(|name| json!({ "required": [name] })).collect();
        json!({ "type": "object", "properties": properties, "oneOf": alternatives })
    };
    for (old, new) in [
        (json!({ "type": "object" }), json!({ "type": "object", "additionalProperties": true })),
        (json!({ "type": "object" }), json!({ "type": "object", "additionalProperties": {}, "properties": {} })),
        (json!({ "enum": ["a", "b"] }), json!({ "type": "string", "enum": ["b", "a"] })),
        (text(), json!({ "type": "string", "nullable": false, "minLength": 0, "deprecated": false })),
        (json!({ "type": "string", "nullable": true }), json!({ "oneOf": [text(), { "enum": [null] }] })),
        (
            json!({ "type": "string", "nullable": true, "enum": ["a", null] }),
            json!({ "type": "string", "nullable": true, "enum": ["a"] }),
        ),
        (text(), json!({ "allOf": [text()] })),
        (text(), json!({ "oneOf": [{ "anyOf": [text()] }] })),
        // A part that says nothing of a field leaves it.
        (
            object(
                json!({ "b": reference("B"), "map": { "type": "object", "additionalProperties": reference("B") } }),
                &["b"],
            ),
            json!({ "allOf": [
                object(json!({ "b": reference("B"), "map": { "type": "object", "additionalProperties": reference("B") } }), &[]),
                object(json!({ "b": {}, "map": { "additionalProperties": {} } }), &["b"]),
            ] }),
        ),
        (
            json!({ "allOf": [either(&["a", "b"]), either(&["c", "d"])] }),
            json!({ "allOf": [either(&["d", "c"]), either(&["b", "a"])] }),
        ),
        // What cannot be two of the choices need not be refused for it.
        (json!({ "oneOf": [text(), { "type": "boolean" }] }), json!({ "anyOf": [text(), { "type": "boolean" }] })),
        (reference("B"), json!({ "allOf": [reference("B")] })),
        (reference("B"), object(json!({ "id": text() }), &[])),
        (list(reference("B")), list(json!({ "oneOf": [{ "properties": { "id": text() } }] }))),
        (
            object(json!({ "a": text(), "b": text() }), &["a", "b"]),
            json!({ "allOf": [object(json!({ "b": text() }), &["b"]), object(json!({ "a": text() }), &[]), { "required": ["a"] }] }),
        ),
        (json!({ "oneOf": [text(), { "type": "boolean" }] }), json!({ "oneOf": [{ "type": "boolean" }, text()] })),
        (
            json!({ "properties": { "a": text(), "b": text() }, "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
            json!({ "allOf": [object(json!({ "a": text(), "b": text() }), &[]), { "oneOf": [{ "required": ["b"] }, { "required": ["a"] }] }] }),
        ),
    ] {
        assert_eq!(of_schema(old.clone(), new.clone()), Vec::<String>::new(), "{old} {new}");
        assert_eq!(of_schema(new.clone(), old.clone()), Vec::<String>::new(), "{new} {old}");
    }
}

#[test]
fn fields_come_and_go() {
    for (old, new, expected) in [
        (
            object(json!({ "a": text() }), &[]),
            object(json!({ "a": text(), "b": text() }), &[]),
            vec!["field added A.b: - > optional string [cccc]"],
        ),
        (
            object(json!({ "a": text() }), &[]),
            object(json!({ "a": text(), "b": text() }), &["b"]),
            vec!["field added A.b: - > required string [ccbb]"],
        ),
        (
            object(json!({ "a": text(), "b": text() }), &[]),
            object(json!({ "a": text() }), &[]),
            vec!["field removed A.b: optional string > - [ccwb]"],
        ),
        (
            object(json!({ "a": text(), "b": text() }), &["b"]),
            object(json!({ "a": text() }), &[]),
            vec!["field removed A.b: required string > - [bbwb]"],
        ),
        (
            object(json!({ "a": text(), "b": { "type": "array", "items": text() } }), &["b"]),
            object(json!({ "a": text() }), &[]),
            vec!["field removed A.b: required list of string > - [ccwb]"],
        ),
        (
            object(json!({ "a": text(), "b": text() }), &[]),
            json!({ "type": "object", "properties": { "a": text() }, "additionalProperties": false }),
            vec!["field removed A.b: optional string > - [ccbb]", "other fields refused A: anything > nothing [ccbc]"],
        ),
        (
            object(json!({ "projectId": text() }), &["projectId"]),
            object(json!({ "projectIdOrName": text() }), &["projectIdOrName"]),
            vec!["field renamed A.projectId: projectId > projectIdOrName [bbbb]"],
        ),
        (
            object(json!({ "groupName": text() }), &[]),
            object(json!({ "group_name": text() }), &[]),
            vec!["field renamed A.groupName: groupName > group_name [wwwc]"],
        ),
        // Names that only share a word are those of two fields.
        (
            object(json!({ "groupName": text() }), &[]),
            object(json!({ "groupRef": text() }), &[]),
            vec![
                "field added A.groupRef: - > optional string [cccc]",
                "field removed A.groupName: optional string > - [ccwb]",
            ],
        ),
        // Another type is another field.
        (
            object(json!({ "size": text() }), &[]),
            object(json!({ "sizes": { "type": "integer" } }), &[]),
            vec![
                "field added A.sizes: - > optional integer [cccc]",
                "field removed A.size: optional string > - [ccwb]",
            ],
        ),
        (
            json!({ "type": "object" }),
            object(json!({ "a": text() }), &[]),
            vec!["field added A.a: - > optional string [ccww]"],
        ),
    ] {
        assert_eq!(of_schema(old, new), expected);
    }
}

#[test]
fn fields_move_into_an_object_and_out_of_it() {
    let flat = object(json!({ "id": text(), "url": text() }), &["url"]);
    let nested = object(json!({ "id": text(), "info": object(json!({ "url": text() }), &["url"]) }), &[]);
    let more = object(json!({ "id": text(), "info": object(json!({ "url": text(), "size": text() }), &[]) }), &[]);
    let there = |inner: Value, outer: Value| {
        let mut fields = outer;
        fields["info"] = object(inner, &[]);
        object(fields, &[])
    };
    for (old, new, expected) in [
        (flat.clone(), nested.clone(), vec!["field moved A.url: $.url > $.info.url [bbwb]"]),
        (nested, flat.clone(), vec!["field moved A.info.url: $.info.url > $.url [bbbb]"]),
        (
            flat,
            more,
            vec!["field added A.info: - > optional object [cccc]", "field moved A.url: $.url > $.info.url [bbwb]"],
        ),
        (
            there(json!({ "a": text() }), json!({ "url": text() })),
            there(json!({ "a": text(), "url": text() }), json!({})),
            vec!["field moved A.url: $.url > $.info.url [wwwb]"],
        ),
    ] {
        assert_eq!(of_schema(old, new), expected);
    }
}

#[test]
fn fields_become_required_optional_or_conditional() {
    let both = json!({ "config": { "type": "object" }, "configURL": text() });
    let either = json!({ "properties": both, "oneOf": [{ "required": ["config"] }, { "required": ["configURL"] }] });
    let any = json!({ "properties": both, "anyOf": [{ "required": ["config"] }, { "required": ["configURL"] }] });
    let one = |required: &[&str]| object(json!({ "config": { "type": "object" } }), required);
    let list = |required: &[&str]| object(json!({ "f": { "type": "array", "items": text() } }), required);
    let null = |required: &[&str]| object(json!({ "f": { "type": "string", "nullable": true } }), required);
    let group = "exactly one of config, configURL";
    for (old, new, expected) in [
        (
            object(json!({ "f": text() }), &[]),
            object(json!({ "f": text() }), &["f"]),
            vec!["became required A.f: optional > required [ccbw]".to_owned()],
        ),
        (
            object(json!({ "f": text() }), &["f"]),
            object(json!({ "f": text() }), &[]),
            vec!["became optional A.f: required > optional [bbcb]".to_owned()],
        ),
        // A list is an `Items`, required or not; and what may be null has to be there.
        (list(&["f"]), list(&[]), vec!["became optional A.f: required > optional [cccc]".to_owned()]),
        (list(&[]), list(&["f"]), vec!["became required A.f: optional > required [ccbc]".to_owned()]),
        (null(&["f"]), null(&[]), vec!["became optional A.f: required > optional [bbcc]".to_owned()]),
        (
            one(&["config"]),
            either.clone(),
            vec![
                format!("became conditional A.config: required > {group} [bbcb]"),
                format!("field added A.configURL: - > string, {group} [cccc]"),
            ],
        ),
        (
            one(&[]),
            either.clone(),
            vec![
                format!("became conditional A.config: optional > {group} [ccbc]"),
                format!("field added A.configURL: - > string, {group} [ccbc]"),
            ],
        ),
        (
            object(both.clone(), &["config"]),
            either.clone(),
            vec![
                format!("became conditional A.config: required > {group} [bbbb]"),
                format!("became conditional A.configURL: optional > {group} [ccbc]"),
            ],
        ),
        (
            either.clone(),
            object(both.clone(), &["config"]),
            vec![
                format!("became optional A.configURL: {group} > optional [cccc]"),
                format!("became required A.config: {group} > required [ccbw]"),
            ],
        ),
        (
            either.clone(),
            any.clone(),
            vec![format!("condition changed A: {group} > at least one of config, configURL [cccc]")],
        ),
        (any, either, vec![format!("condition changed A: at least one of config, configURL > {group} [ccbc]")]),
    ] {
        assert_eq!(of_schema(old, new), expected);
    }
}

#[test]
fn types_widen_narrow_and_change() {
    let number = json!({ "type": "integer" });
    let either = json!({ "oneOf": [text(), { "type": "boolean" }] });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let null = json!({ "type": "string", "nullable": true });
    for (old, new, optional, required) in [
        (text(), number.clone(), "type changed .: string > integer [bbbb]", "type changed .: string > integer [bbbb]"),
        (
            number.clone(),
            json!({ "type": "number" }),
            "type widened .: integer > number [cccb]",
            "type widened .: integer > number [cccb]",
        ),
        (
            json!({ "type": "number" }),
            number,
            "type narrowed .: number > integer [ccbb]",
            "type narrowed .: number > integer [ccbb]",
        ),
        (
            text(),
            either.clone(),
            "type widened .: string > one of string, boolean [bbcb]",
            "type widened .: string > one of string, boolean [bbcb]",
        ),
        (
            either.clone(),
            text(),
            "type narrowed .: one of string, boolean > string [ccbb]",
            "type narrowed .: one of string, boolean > string [ccbb]",
        ),
        (
            either.clone(),
            json!({ "oneOf": [text(), { "type": "boolean" }, { "type": "number" }] }),
            "type widened .: one of string, boolean > one of string, boolean, number [cccc]",
            "type widened .: one of string, boolean > one of string, boolean, number [cccc]",
        ),
        (
            text(),
            null.clone(),
            "type widened .: string > string or null [cccc]",
            "type widened .: string > string or null [bbcb]",
        ),
        (
            null,
            text(),
            "type narrowed .: string or null > string [ccbc]",
            "type narrowed .: string or null > string [ccbb]",
        ),
        (text(), json!({}), "type widened .: string > anything [bbcb]", "type widened .: string > anything [bbcb]"),
        (json!({}), text(), "type narrowed .: anything > string [ccbb]", "type narrowed .: anything > string [ccbb]"),
        (
            list(text()),
            list(json!({ "type": "string", "nullable": true })),
            "type widened .[*]: string > string or null [bbcb]",
            "type widened .[*]: string > string or null [bbcb]",
        ),
        (
            json!({ "type": "object", "additionalProperties": text() }),
            json!({ "type": "object" }),
            "type widened .: map of string > any object [bbcb]",
            "type widened .: map of string > any object [bbcb]",
        ),
        (
            list(text()),
            json!({ "type": "array", "items": text(), "nullable": true }),
            "type widened .: list of string > list of string or null [cccc]",
            "type widened .: list of string > list of string or null [cccc]",
        ),
    ] {
        assert_eq!(of_field(old, new), (vec![optional.to_owned()], vec![required.to_owned()]));
    }
    // A bound that comes with another kind of number is told too.
    let bounded = json!({ "type": "number", "maximum": 3 });
    assert_eq!(
        of_field(json!({ "type": "integer" }), bounded).0,
        ["bound changed .: - > maximum: 3 [ccbc]", "type widened .: integer > number [cccb]"]
    );
    // What is kept as text is not looked into.
    let inside = |kind: &str| json!({ "oneOf": [text(), object(json!({ "a": { "type": kind } }), &[])] });
    assert_eq!(of_field(inside("string"), inside("boolean")).0, ["type changed ..a: string > boolean [ccbc]"]);
}

#[test]
fn enums_gain_lose_and_rename_values() {
    let values = |values: &[&str]| json!({ "type": "string", "enum": values });
    for (old, new, expected) in [
        (values(&["a"]), values(&["a", "b"]), vec!["enum value added .: - > b [cbcc]"]),
        (values(&["a", "b"]), values(&["a"]), vec!["enum value removed .: b > - [ccbb]"]),
        (
            values(&["association.update"]),
            values(&["associationUpdate"]),
            vec!["enum value renamed .: association.update > associationUpdate [wbbc]"],
        ),
        (
            values(&["always"]),
            values(&["never"]),
            vec!["enum value added .: - > never [cbcc]", "enum value removed .: always > - [ccbb]"],
        ),
        (text(), values(&["a"]), vec![r#"enum introduced .: string > one of "a" [ccbw]"#]),
        (values(&["a"]), text(), vec![r#"enum dropped .: one of "a" > string [cbcw]"#]),
    ] {
        assert_eq!(of_field(old, new).0, expected);
    }
}

#[test]
fn of_numbers_no_enum_is_made() {
    let values = |values: &[u8]| json!({ "type": "integer", "enum": values });
    assert_eq!(of_field(values(&[1, 2]), values(&[1])).0, ["enum value removed .: 2 > - [ccbc]"]);
}

#[test]
fn a_choice_of_itself_is_read() {
    let one = |kind: &str| {
        let list = json!({ "type": "array", "items": reference("Any") });
        let other = json!({ "anyOf": [reference("Any"), { "type": kind }] });
        schemas(json!({ "Any": { "oneOf": [list, reference("Other"), reference("Any")] }, "Other": other }))
    };
    assert_eq!(between("config", one("string"), one("string")), Vec::<String>::new());
    assert!(!between("config", one("string"), one("boolean")).is_empty());
    let values = |values: Value| schemas(json!({ "Value": { "oneOf": values } }));
    let list = json!({ "type": "array", "items": reference("Value") });
    assert_eq!(
        between(
            "config",
            values(json!([text(), list])),
            values(json!([text(), list, object(json!({ "a": text() }), &[])]))
        ),
        ["type widened Value: one of string, list of Value > one of string, list of Value, object [cccc]"]
    );
}

#[test]
fn what_else_is_said_of_a_field() {
    let with = |key: &str, value: Value| {
        let mut schema = text();
        schema[key] = value;
        schema
    };
    for (old, new, expected) in [
        (text(), with("format", json!("uri")), r#"format changed .: - > format: "uri" [ccwc]"#),
        (with("format", json!("uri")), text(), r#"format changed .: format: "uri" > - [cccc]"#),
        (text(), with("format", json!("date-time")), r#"format changed .: - > format: "date-time" [ccww]"#),
        (text(), with("maxLength", json!(9)), "bound changed .: - > maxLength: 9 [ccbc]"),
        (
            with("maxLength", json!(9)),
            with("maxLength", json!(10)),
            "bound changed .: maxLength: 9 > maxLength: 10 [cccc]",
        ),
        (
            with("minLength", json!(2)),
            with("minLength", json!(3)),
            "bound changed .: minLength: 2 > minLength: 3 [ccbc]",
        ),
        (with("pattern", json!("a")), text(), r#"bound changed .: pattern: "a" > - [cccc]"#),
        (text(), with("default", json!("a")), r#"default changed .: - > default: "a" [cccc]"#),
        (
            with("default", json!("a")),
            with("default", json!("b")),
            r#"default changed .: default: "a" > default: "b" [wwwc]"#,
        ),
        (with("default", json!("a")), text(), r#"default changed .: default: "a" > - [wwwb]"#),
        (text(), with("deprecated", json!(true)), "deprecated .: - > deprecated: true [cccc]"),
        (with("deprecated", json!(true)), text(), "no longer deprecated .: deprecated: true > - [cccc]"),
        (text(), with("readOnly", json!(true)), "read only changed .: - > readOnly: true [ccwc]"),
        (text(), with("writeOnly", json!(true)), "write only changed .: - > writeOnly: true [cccc]"),
        (text(), with("discriminator", json!({})), "keyword changed .: - > discriminator: {} [wwwc]"),
    ] {
        assert_eq!(of_field(old, new).0, [expected]);
    }
    assert_eq!(
        of_field(text(), with("writeOnly", json!(true))).1,
        ["write only changed .: - > writeOnly: true [bbcb]"]
    );
    assert_eq!(of_field(with("readOnly", json!(true)), text()).1, ["read only changed .: readOnly: true > - [ccbb]"]);
    // No constructor takes an item alone.
    let list = |items: Value| json!({ "type": "array", "items": items });
    assert_eq!(
        of_field(list(text()), list(with("readOnly", json!(true)))).1,
        ["read only changed .[*]: - > readOnly: true [ccwc]"]
    );
}

#[test]
fn fields_without_a_name_are_refused_and_allowed() {
    let open = object(json!({ "id": text() }), &[]);
    let mut closed = open.clone();
    closed["additionalProperties"] = json!(false);
    let mut texts = open.clone();
    texts["additionalProperties"] = text();
    for (old, new, expected) in [
        (&open, &closed, "other fields refused A: anything > nothing [ccbc]"),
        (&closed, &open, "other fields allowed A: nothing > anything [cccc]"),
        (&open, &texts, "other fields refused A: anything > string [ccbc]"),
        (&texts, &open, "other fields allowed A: string > anything [cccc]"),
        (&closed, &texts, "other fields allowed A: nothing > string [cccc]"),
    ] {
        assert_eq!(of_schema(old.clone(), new.clone()), [expected]);
    }
}

#[test]
fn a_choice_that_excludes_another_is_narrower() {
    let either =
        |key: &str| json!({ key: [object(json!({ "a": text() }), &["a"]), object(json!({ "b": text() }), &["b"])] });
    let (one, any) = ("exactly one of the choices", "any of the choices");
    assert_eq!(of_schema(either("anyOf"), either("oneOf")), [format!("condition changed A: {any} > {one} [ccbc]")]);
    assert_eq!(of_schema(either("oneOf"), either("anyOf")), [format!("condition changed A: {one} > {any} [cccc]")]);
    // What tells them apart is a field that all of them require.
    let tagged = |key: &str| {
        let part = |kind: &str| object(json!({ "value": { "type": kind } }), &["value"]);
        json!({ key: [part("string"), part("boolean")] })
    };
    assert_eq!(of_schema(tagged("anyOf"), tagged("oneOf")), Vec::<String>::new());
}

#[test]
fn anything_takes_what_a_choice_took() {
    let choice = json!({ "oneOf": [text(), { "type": "boolean" }, { "type": "number" }] });
    assert_eq!(
        of_field(choice, json!({})).0,
        ["type widened .: one of string, boolean, number > anything [cccc]"],
        "what the old types send is valid still"
    );
}

#[test]
fn a_choice_of_objects_that_differ_in_one_field_is_an_object_with_a_choice() {
    let when = json!({ "type": "string", "enum": ["always", "never"] });
    let object = |value: Value| object(json!({ "value": value, "when": when }), &["value"]);
    let types = [text(), json!({ "type": "integer" }), json!({ "type": "boolean" })];
    let together = object(json!({ "oneOf": types }));
    let apart = |types: &[Value]| json!({ "oneOf": types.iter().cloned().map(object).collect::<Vec<_>>() });
    assert_eq!(of_schema(together.clone(), apart(&types)), Vec::<String>::new());
    assert_eq!(of_schema(apart(&types), together.clone()), Vec::<String>::new());
    assert_eq!(
        of_schema(together, apart(&types[..2])),
        ["type narrowed A.value: one of string, integer, boolean > one of string, integer [ccbc]"]
    );
}

#[test]
fn what_is_read_only_is_not_demanded() {
    let with = |schema: Value| object(json!({ "a": text(), "id": schema }), &["a", "id"]);
    let read_only = json!({ "type": "string", "readOnly": true });
    assert_eq!(
        of_schema(object(json!({ "a": text() }), &["a"]), with(read_only)),
        ["field added A.id: - > required string [cccc]"]
    );
}

#[test]
fn a_choice_that_has_a_name_has_a_type() {
    let of = |kind: &str| {
        let part = |kind: &str| object(json!({ "value": { "type": kind } }), &["value"]);
        let choice = json!({ "oneOf": [reference("S"), reference("B")] });
        schemas(json!({ "Choice": choice, "S": part("string"), "B": part(kind) }))
    };
    assert_eq!(between("config", of("boolean"), of("number")), ["type changed B.value: boolean > number [bbbb]"]);
}

#[test]
fn a_group_that_loses_an_alternative_refuses_what_only_that_one_allowed() {
    let of = |fields: &[&str], choices: &[&str]| {
        let fields = fields.iter().map(|name| ((*name).to_owned(), text()));
        let choices: Vec<Value> = choices.iter().map(|name| json!({ "required": [name] })).collect();
        schemas(json!({ "A": { "type": "object", "properties": Value::from_iter(fields), "oneOf": choices } }))
    };
    let all = of(&["a", "b", "c"], &["a", "b", "c"]);
    let lost = "condition changed A: exactly one of a, b, c > exactly one of a, b [ccbc]";
    assert!(between("config", all.clone(), of(&["a", "b", "c"], &["a", "b"])).contains(&lost.to_owned()));
    assert!(between("config", all.clone(), of(&["a", "b"], &["a", "b"])).contains(&lost.to_owned()));
    // Another field that becomes required tells nothing of the group.
    let mut others = [all.clone(), of(&["a", "b", "c"], &["a", "b"])];
    for (index, contract) in others.iter_mut().enumerate() {
        contract["components"]["schemas"]["A"]["properties"]["d"] = json!({ "type": "string", "readOnly": true });
        contract["components"]["schemas"]["A"]["required"] = json!(&["d"][..index]);
    }
    let [before, now] = others;
    assert!(between("config", before, now).contains(&lost.to_owned()));
    // Nor does another group.
    let groups = |first: &[&str], second: &str| {
        let required = |names: &[&str]| names.iter().map(|name| json!({ "required": [name] })).collect::<Vec<_>>();
        let fields = ["a", "b", "c", "x", "y"].into_iter().map(|name| (name.to_owned(), text()));
        schemas(json!({ "A": {
            "type": "object", "properties": Value::from_iter(fields),
            "allOf": [{ "oneOf": required(first) }, { second: required(&["x", "y"]) }],
        } }))
    };
    let stricter = between("config", groups(&["a", "b"], "anyOf"), groups(&["a", "b", "c"], "oneOf"));
    assert!(stricter.iter().any(|change| change.starts_with("condition changed")), "{stricter:?}");
    let more = between("config", of(&["a", "b", "c"], &["a", "b"]), all);
    assert_eq!(more, ["became conditional A.c: optional > exactly one of a, b, c [ccbc]"]);
}

#[test]
fn what_else_no_one_would_miss() {
    let of = |schema: Value| schemas(json!({ "A": schema }));
    let text_or = |others: Value| of(json!({ "type": "object", "additionalProperties": others }));
    let nested = |required: &[&str]| object(json!({ "n": object(json!({ "a": text() }), &[]) }), required);
    let number = |value: Value| of(object(json!({ "a": { "type": "number", "multipleOf": value } }), &[]));
    for (old, new, expected) in [
        // The object is required, whatever its fields are.
        (
            of(object(json!({ "a": text() }), &[])),
            of(nested(&["n"])),
            "field added A.n: - > required object [ccbb], field moved A.a: $.a > $.n.a [wwwb]",
        ),
        (
            of(nested(&["n"])),
            of(object(json!({ "a": text() }), &[])),
            "field moved A.n.a: $.n.a > $.a [wwwb], field removed A.n: required object > - [bbwb]",
        ),
        (text_or(json!(false)), text_or(text()), "type changed A: any object > map of string [cccb]"),
        (
            of(json!({ "required": ["x"], "properties": { "a": text() } })),
            of(json!({ "properties": { "a": text() } })),
            "field removed A.x: required anything > - [cccc]",
        ),
        (
            of(text()),
            of(json!({ "type": "string", "not": { "enum": ["a"] } })),
            "keyword changed A: - > not: {\"enum\":[\"a\"]} [wwwc]",
        ),
        (number(json!(0.3)), number(json!(0.1)), "bound changed A.a: multipleOf: 0.3 > multipleOf: 0.1 [cccc]"),
        (number(json!(0.1)), number(json!(0.3)), "bound changed A.a: multipleOf: 0.1 > multipleOf: 0.3 [ccbc]"),
        (number(json!(1)), number(json!(1.0)), ""),
        (
            of(object(json!({ "a": { "oneOf": [text(), { "type": "integer" }] } }), &[])),
            of(object(json!({ "a": { "oneOf": [text(), { "type": "number" }] } }), &[])),
            "type widened A.a: one of string, integer > one of string, number [cccc]",
        ),
        (
            of(object(json!({ "a": { "oneOf": [text(), { "type": "integer", "nullable": true }] } }), &[])),
            of(object(json!({ "a": { "oneOf": [text(), { "type": "number" }] } }), &[])),
            "type changed A.a: one of string, integer or null > one of string, number [ccbc]",
        ),
    ] {
        assert_eq!(between("config", old, new).join(", "), expected);
    }
}

#[test]
fn schemas_that_refer_to_each_other_alone_are_compared() {
    let node = |of: &str, fields: &[&str]| {
        let mut node = object(json!({ "kids": { "type": "array", "items": reference(of) } }), &[]);
        fields.iter().for_each(|name| node["properties"][name] = text());
        node
    };
    let of = |schemas_: Value| schemas(schemas_);
    let one = of(json!({ "Node": node("Node", &["a"]) }));
    assert_eq!(
        between("config", one.clone(), of(json!({ "Node": node("Node", &["a", "b"]) }))),
        ["field added Node.b: - > optional string [cccc]"]
    );
    assert_eq!(
        between("config", one, of(json!({}))),
        ["schema removed Node: object that nothing refers to > - [cccb]"]
    );
    let two = of(json!({ "A": node("B", &[]), "B": node("A", &["a"]) }));
    assert_eq!(between("config", two, of(json!({}))).len(), 2);
}
