use serde_json::{Map, Value, json};

use super::{between, brief, documents, object, reference, schemas, text};

fn body(notification_type: &str, data: &str) -> Value {
    let kind = json!({ "type": "string", "enum": [notification_type] });
    object(json!({ "notificationType": kind, "data": reference(data) }), &["notificationType", "data"])
}

#[test]
fn events_come_go_and_are_renamed() {
    let data = object(json!({ "id": text() }), &["id"]);
    let of = |bodies: &[(&str, &str)]| {
        let mut all = json!({ "AData": data.clone(), "BData": { "type": "object", "properties": { "x": text() } } });
        for (name, data) in bodies {
            all[format!("{}Body", name.replace('.', ""))] = body(name, data);
        }
        schemas(all)
    };
    let run = |old: &[(&str, &str)], new: &[(&str, &str)]| between("notifications", of(old), of(new));
    assert_eq!(run(&[("a.b", "AData")], &[("a.b", "AData")]), Vec::<String>::new());
    assert_eq!(
        run(&[("a.b", "AData")], &[("a.b", "AData"), ("c", "BData")]),
        ["event type added cBody.notificationType: - > c [cbcc]"]
    );
    assert_eq!(
        run(&[("a.b", "AData"), ("c", "BData")], &[("c", "BData")]),
        ["event type removed abBody.notificationType: a.b > - [wwbb]"]
    );
    assert_eq!(
        run(&[("read.done", "AData")], &[("done.read", "AData")]),
        ["event type renamed donereadBody.notificationType: read.done > done.read [wbbb]"]
    );
    // The body that was of one event and is of one has it under another name, however different.
    let of_one = |name: &str| schemas(json!({ "AData": data.clone(), "Body": body(name, "AData") }));
    assert_eq!(
        between("notifications", of_one("read.done"), of_one("finished")),
        ["event type renamed Body.notificationType: read.done > finished [wbbb]"]
    );
    // Something else under a similar name is something else.
    assert_eq!(run(&[("read.done", "AData")], &[("done.read", "BData")]).len(), 2);
}

#[test]
fn the_body_of_a_notification_is_no_type_of_its_own() {
    let of = |fields: Value, required: &[&str]| {
        let mut first = body("a", "AData");
        first["required"] = json!(required);
        first["properties"].as_object_mut().expect("fields").extend(fields.as_object().expect("fields").clone());
        let union = json!({ "oneOf": [reference("Body"), reference("BBody")] });
        schemas(
            json!({ "AData": object(json!({ "id": text() }), &[]), "Body": first, "BBody": body("b", "AData"), "Any": union }),
        )
    };
    let plain = || of(json!({}), &["data", "notificationType"]);
    assert_eq!(
        between("notifications", plain(), of(json!({ "time": text() }), &["data", "notificationType"])),
        ["field added Body.time: - > optional string [cccc]"]
    );
    assert_eq!(
        between("notifications", plain(), of(json!({}), &["notificationType"])),
        ["became optional Body.data: required > optional [bbcc]"]
    );
}

#[test]
fn a_shared_schema_changes_once_and_reaches_all_that_share_it() {
    let contract = |base: Value| {
        let built = |own: &str| json!({ "allOf": [reference("Base"), object(json!({ own: text() }), &[])] });
        documents([(
            "notifications",
            schemas(json!({
                "Base": base, "AData": built("a"), "BData": built("b"), "CData": object(json!({ "c": text() }), &[]),
                "ABody": body("a", "AData"), "BBody": body("b", "BData"), "CBody": body("c", "CData"),
            })),
        )])
    };
    let changes = super::changes(
        &contract(object(json!({ "id": text() }), &["id"])),
        &contract(object(json!({ "id": text(), "group": text() }), &["id", "group"])),
    );
    assert_eq!(brief(&changes), ["field added Base.group: - > required string [ccbc]"]);
    assert_eq!(changes.first().map(|change| change.reaches.clone()), Some(vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn schemas_move_and_get_other_names() {
    let tree = |name: &str| {
        let node = object(json!({ "children": { "type": "array", "items": reference(name) }, "id": text() }), &["id"]);
        schemas(json!({ "Root": object(json!({ "tree": reference(name) }), &[]), name: node }))
    };
    assert_eq!(between("config", tree("Node"), tree("Leaf")), Vec::<String>::new());
    let mut other = tree("Leaf");
    other["components"]["schemas"]["Leaf"]["properties"]["id"] = json!({ "type": "integer" });
    assert_eq!(between("config", tree("Node"), other), ["type changed Leaf.id: string > integer [bbbb]"]);

    // So is one of the choices, and one that nothing refers to, while something in it changes.
    let choice = |name: &str, fields: &[&str]| {
        let fields: Map<String, Value> = fields.iter().map(|name| ((*name).to_owned(), text())).collect();
        let values = json!([reference(name), text()]);
        schemas(json!({ "Value": { "oneOf": values }, name: object(fields.into(), &[]) }))
    };
    assert_eq!(
        between("config", choice("A", &["a"]), choice("B", &["a", "b"])),
        ["field added B.b: - > optional string [cccc]"]
    );
    let root = |name: &str, fields: &[&str]| {
        let fields: Map<String, Value> = fields.iter().map(|name| ((*name).to_owned(), text())).collect();
        schemas(json!({ name: object(fields.into(), &[]) }))
    };
    assert_eq!(
        between("config", root("A", &["a", "b", "c", "d"]), root("B", &["a", "b", "c", "d", "e"])),
        ["field added B.e: - > optional string [cccc]"]
    );
    assert_eq!(between("config", root("A", &["a", "b"]), root("B", &["a", "c"])).len(), 2);

    // A schema that nothing refers to is a type all the same.
    let alone = |names: &[&str]| {
        schemas(names.iter().map(|name| ((*name).to_owned(), object(json!({ "id": text() }), &[]))).collect())
    };
    assert_eq!(between("config", alone(&["A"]), alone(&["B"])), Vec::<String>::new());
    assert_eq!(
        between("config", alone(&["A", "B"]), alone(&["A"])),
        ["schema removed B: object that nothing refers to > - [cccb]"]
    );
    let mut alias = alone(&["A"]);
    alias["components"]["schemas"]["Alias"] = json!({ "allOf": [reference("A")] });
    assert_eq!(between("config", alias, alone(&["A"])), Vec::<String>::new(), "there is no type of that name");
    assert_eq!(
        between("config", alone(&["A"]), alone(&["A", "B"])),
        ["schema added B: - > object that nothing refers to [cccc]"]
    );
}

#[test]
fn another_schema_in_a_place_is_a_change_of_the_place() {
    let of = |field: Value| {
        schemas(json!({
            "A": object(json!({ "f": field }), &[]),
            "One": object(json!({ "id": text(), "kind": text() }), &["id"]),
            "Other": object(json!({ "kind": text() }), &[]),
            "Both": object(json!({ "one": reference("One"), "other": reference("Other") }), &[]),
        }))
    };
    assert_eq!(
        between("config", of(reference("One")), of(reference("Other"))),
        ["type changed A.f: One > Other [bbwb]"]
    );
    let inline = object(json!({ "id": text() }), &["id"]);
    assert_eq!(
        between("config", of(inline), of(reference("One"))),
        ["field added A.f.kind: - > optional string [cccc]"]
    );
    // So is one that is new, unless it has the fields that are new.
    let with = |field: Value, schema: Value| {
        let mut all = of(field);
        all["components"]["schemas"]["New"] = schema;
        all
    };
    let values = |values: &[&str]| json!({ "type": "string", "enum": values });
    assert_eq!(
        between("config", of(values(&["a"])), with(reference("New"), values(&["a", "b"]))),
        ["enum value added A.f: - > b [cbcc]"]
    );
    assert_eq!(
        between(
            "config",
            of(reference("Other")),
            with(reference("New"), object(json!({ "kind": text(), "new": text() }), &[]))
        ),
        ["field added New.new: - > optional string [cccc]"]
    );
    assert_eq!(
        between("config", with(reference("New"), object(json!({ "id": text() }), &["id"])), of(reference("One"))),
        ["field added A.f.kind: - > optional string [cccc]"],
        "One had it before"
    );
    let mut new = of(reference("New"));
    new["components"]["schemas"]["New"] =
        json!({ "oneOf": [reference("One"), reference("Other")], "deprecated": true });
    assert_eq!(between("config", of(text()), new), ["type changed A.f: string > New [bbbb]"]);
}

#[test]
fn a_copy_in_another_document_is_one_schema() {
    let config = |kind: &str| json!({ "Config": object(json!({ "size": { "type": kind } }), &["size"]) });
    let api = |kind: &str| {
        let mut api = schemas(config(kind));
        api["paths"] = json!({ "/a": { "put": { "operationId": "put", "responses": {},
            "requestBody": { "content": { "application/json": { "schema": reference("Config") } } } } } });
        api
    };
    let both = |kind: &str| documents([("api", api(kind)), ("config", schemas(config(kind)))]);
    let changes = super::changes(&both("string"), &both("integer"));
    assert_eq!(brief(&changes), ["type changed Config.size: string > integer [bbbb]"]);
    let found: Vec<_> =
        changes.iter().map(|change| (change.place.document.as_str(), change.reaches.as_slice())).collect();
    assert_eq!(found, [("config", ["put".to_owned()].as_slice())]);
}

#[test]
fn what_is_built_on_a_schema_changes_with_it() {
    let of = |base: Value, own: Value| schemas(json!({ "Base": base, "A": { "allOf": [reference("Base"), own] } }));
    let base = |name: &str, kind: &str| object(json!({ name: { "type": kind }, "b": text() }), &[]);
    let own = json!({ "required": ["size", "b"], "properties": { "size": { "type": "string", "maxLength": 9 } } });
    // What only the derived schema requires is gone with the field.
    assert_eq!(
        between(
            "config",
            of(base("size", "string"), own.clone()),
            of(object(json!({ "size": text() }), &[]), own.clone())
        ),
        ["field removed Base.b: required string > - [bbwb]"]
    );
    assert_eq!(
        between("config", of(base("size", "string"), json!({})), of(base("sizes", "string"), json!({}))),
        ["field renamed Base.size: size > sizes [wwwb]"]
    );
    // What is only built on another is a schema of its own before it says something.
    let alone = json!({ "Base": base("size", "string"), "A": { "allOf": [reference("Base")] } });
    let used = |mut all: Value| {
        all["Used"] = object(json!({ "a": reference("A"), "base": reference("Base") }), &[]);
        schemas(all)
    };
    let more = json!({
        "Base": base("size", "string"),
        "A": { "allOf": [reference("Base"), object(json!({ "more": text() }), &[])] },
    });
    assert_eq!(
        between("config", used(alone.clone()), used(more.clone())),
        ["field added A.more: - > optional string [cccc]"]
    );
    assert_eq!(between("config", used(more), used(alone)), ["field removed A.more: optional string > - [ccwb]"]);
    // What the derived schema says no longer is a change of it.
    assert_eq!(
        between(
            "config",
            of(base("size", "string"), own),
            of(base("size", "string"), json!({ "required": ["size", "b"] }))
        ),
        ["bound changed A.size: maxLength: 9 > - [cccc]"]
    );
    assert_eq!(
        between(
            "config",
            of(base("size", "string"), json!({})),
            of(base("size", "string"), json!({ "required": ["new"] }))
        ),
        ["field added A.new: - > required anything [ccbc]"]
    );
}

#[test]
fn what_is_no_longer_built_on_a_schema_loses_its_fields_and_the_schema_does_not() {
    let of = |a: Value| {
        let base = object(json!({ "id": text() }), &["id"]);
        let built = |own: &str| json!({ "allOf": [reference("Base"), object(json!({ own: text() }), &[])] });
        schemas(json!({ "Base": base, "A": a, "B": built("b") }))
    };
    let built = json!({ "allOf": [reference("Base"), object(json!({ "a": text() }), &[])] });
    let alone = object(json!({ "a": text() }), &[]);
    assert_eq!(
        between("config", of(built.clone()), of(alone.clone())),
        ["field removed A.id: required string > - [bbwb]"]
    );
    assert_eq!(between("config", of(alone), of(built)), ["field added A.id: - > required string [ccbb]"]);
}

#[test]
fn what_others_are_only_built_on_is_neither_sent_nor_received() {
    let of = |base: &[&str], built: &[&str], bound: Value| {
        let own = json!({ "required": built, "properties": { "a": text() } });
        let mut base = object(json!({ "id": text() }), base);
        base["properties"]["id"]["maxLength"] = bound;
        schemas(json!({ "Base": base, "A": { "allOf": [reference("Base"), own] } }))
    };
    let nine = || json!(9);
    assert_eq!(
        between("config", of(&["id"], &[], nine()), of(&[], &["id"], nine())),
        ["became optional Base.id: required > optional [cccb]"],
        "the struct of the base has an `Option` now"
    );
    assert_eq!(
        between("config", of(&["id"], &[], nine()), of(&[], &[], nine())),
        ["became optional Base.id: required > optional [bbcb]"]
    );
    assert_eq!(
        between("config", of(&["id"], &[], nine()), of(&["id"], &[], json!(8))),
        ["bound changed Base.id: maxLength: 9 > maxLength: 8 [ccbc]"]
    );
}

#[test]
fn what_is_said_beside_a_reference_is_of_the_place_and_the_rest_of_the_schema() {
    let of = |beside: Value, values: &[&str], required: &[&str]| {
        let with = |name: &str| {
            let mut schema = beside.clone();
            schema["allOf"] = json!([reference(name)]);
            schema
        };
        schemas(json!({
            "A": object(json!({ "kind": with("Kind"), "part": with("Part") }), &["kind", "part"]),
            "Kind": { "type": "string", "enum": values },
            "Part": object(json!({ "id": text() }), required),
        }))
    };
    for beside in [json!({}), json!({ "nullable": true }), json!({ "deprecated": true })] {
        let plain = of(beside.clone(), &["a"], &[]);
        assert_eq!(
            between("config", plain.clone(), of(beside.clone(), &["a", "b"], &["id"])),
            ["became required Part.id: optional > required [ccbw]", "enum value added Kind: - > b [cbcc]"]
        );
    }
    assert_eq!(
        between("config", of(json!({ "deprecated": true }), &["a"], &[]), of(json!({ "nullable": true }), &["a"], &[])),
        [
            "no longer deprecated A.kind: deprecated: true > - [cccc]",
            "no longer deprecated A.part: deprecated: true > - [cccc]",
            "type widened A.kind: Kind > Kind or null [bbcb]",
            "type widened A.part: Part > Part or null [bbcb]",
        ]
    );
}

#[test]
fn a_schema_that_moves_to_another_document_is_no_change() {
    let size = || json!({ "Size": object(json!({ "size": text() }), &[]) });
    let with = |mut more: Value| {
        more["A"] = object(json!({ "size": reference("Size") }), &[]);
        schemas(more)
    };
    let old = documents([("config", with(size())), ("problem", schemas(json!({})))]);
    let new = documents([("config", with(size())), ("problem", schemas(size()))]);
    assert_eq!(brief(&super::changes(&old, &new)), Vec::<String>::new());
    assert_eq!(brief(&super::changes(&new, &old)), Vec::<String>::new());
}

#[test]
fn a_schema_that_only_a_response_of_no_operation_refers_to_is_compared() {
    let of = |kind: &str| {
        let mut document = schemas(json!({ "A": object(json!({ "a": { "type": kind } }), &[]) }));
        document["components"]["responses"] =
            json!({ "Any": { "content": { "application/json": { "schema": reference("A") } } } });
        document
    };
    assert_eq!(between("problem", of("string"), of("boolean")), ["type changed A.a: string > boolean [bbbb]"]);
}
