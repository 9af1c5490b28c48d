use serde_json::{Value, json};

use super::{between, brief, documents, schemas};

/// An API of one operation.
fn api(operation: Value) -> Value {
    let mut api = schemas(json!({}));
    api["paths"] = json!({ "/things/{id}": { "post": operation } });
    api["security"] = json!([{ "Key": [] }, { "Token": [] }]);
    api["servers"] = json!([{ "url": "https://one" }]);
    api
}

fn operation() -> Value {
    json!({
        "operationId": "postThing",
        "parameters": [parameter("path", "id", true), parameter("query", "page", false)],
        "requestBody": { "content": { "application/json": { "schema": thing(&["name"]) } } },
        "responses": { "200": { "content": { "application/json": { "schema": thing(&["name"]) } } }, "404": {} },
    })
}

fn parameter(place: &str, name: &str, required: bool) -> Value {
    json!({ "in": place, "name": name, "required": required, "schema": { "type": "string" } })
}

fn thing(required: &[&str]) -> Value {
    json!({ "type": "object", "required": required, "properties": { "name": { "type": "string" } } })
}

/// What changes when one member of the operation does.
fn when(pointer: &str, value: Value) -> Vec<String> {
    let mut changed = operation();
    match changed.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (outer, name) = pointer.rsplit_once('/').expect("a pointer");
            changed.pointer_mut(outer).expect("it is there")[name] = value;
        }
    }
    between("api", api(operation()), api(changed))
}

#[test]
fn what_is_sent_breaks_who_sends_and_what_is_received_who_decodes() {
    assert_eq!(
        when("/requestBody/content/application~1json/schema", thing(&[])),
        ["became optional postThing.requestBody.name: required > optional [cccw]"]
    );
    assert_eq!(
        when("/responses/200/content/application~1json/schema", thing(&[])),
        ["became optional postThing.responses.200.name: required > optional [bbcb]"]
    );
    let two =
        json!({ "type": "object", "required": ["name", "b"], "properties": { "name": { "type": "string" }, "b": {} } });
    assert_eq!(
        when("/requestBody/content/application~1json/schema", two.clone()),
        ["field added postThing.requestBody.b: - > required anything [ccbb]"]
    );
    assert_eq!(
        when("/responses/200/content/application~1json/schema", two),
        ["field added postThing.responses.200.b: - > required anything [cccc]"]
    );
}

#[test]
fn alternatives_that_become_one_struct_have_its_fields() {
    let of = |kind: Value, name: Value, required: &[&str]| {
        let text = || json!({ "type": "string" });
        let one = json!({ "type": "object", "required": required, "properties": { "kind": kind, "name": name } });
        let other = json!({ "type": "object", "required": ["kind"], "properties": { "kind": text(), "url": text() } });
        let content = json!({ "application/json": { "schema": { "oneOf": [one, other] } } });
        api(json!({ "operationId": "get", "responses": { "200": { "content": content } } }))
    };
    let (text, null) = (json!({ "type": "string" }), json!({ "type": "string", "nullable": true }));
    let run = |kind: &Value, name: &Value, required: &[&str]| {
        let old = of(text.clone(), text.clone(), &["kind", "name"]);
        between("api", old, of(kind.clone(), name.clone(), required))
    };
    // All of them require the kind, and one of them the name.
    assert_eq!(
        run(&null, &text, &["kind", "name"]),
        ["type widened get.responses.200.kind: string > string or null [bbcb]"]
    );
    assert_eq!(
        run(&text, &null, &["kind", "name"]),
        ["type widened get.responses.200.name: string > string or null [cccc]"]
    );
    assert_eq!(
        run(&text, &text, &[]),
        [
            "became optional get.responses.200.kind: required > optional [bbcb]",
            "became optional get.responses.200.name: required > optional [cccc]",
        ]
    );
    // A struct has no place for a list, or for the alternative that lacks what the others have.
    let only = |schema: Value| {
        let content = json!({ "application/json": { "schema": schema } });
        api(json!({ "operationId": "get", "responses": { "200": { "content": content } } }))
    };
    let object =
        |name: &str| json!({ "type": "object", "required": ["kind"], "properties": { "kind": text, name: text } });
    let either = |third: Value| only(json!({ "oneOf": [object("a"), object("b"), third] }));
    let list = json!({ "type": "array", "items": text });
    let before = || only(json!({ "oneOf": [object("a"), object("b")] }));
    assert!(between("api", before(), either(object("c")))[0].ends_with("[cccc]"));
    let bare = json!({ "type": "object", "properties": { "d": text } });
    assert!(between("api", before(), either(bare))[0].ends_with("[bbcb]"));
    assert!(between("api", before(), either(list.clone()))[0].ends_with("[bbcb]"));
    assert!(between("api", before(), only(list.clone()))[0].ends_with("[bbcb]"));
    // A choice of strings becomes a string.
    let texts = |other: Value| only(json!({ "anyOf": [text, other] }));
    let uuid = json!({ "type": "string", "format": "uuid" });
    assert!(between("api", texts(uuid.clone()), texts(list))[0].ends_with("[bbcb]"));
    assert!(between("api", texts(uuid), only(text.clone())).is_empty());
}

#[test]
fn a_body_that_is_not_decoded_has_no_type() {
    let of = |schema: Value| {
        let content = json!({ "content": { "application/pdf": { "schema": schema } } });
        api(json!({ "operationId": "put", "requestBody": content, "responses": { "200": content } }))
    };
    assert_eq!(
        between("api", of(json!({})), of(json!({ "type": "string" }))),
        [
            "type narrowed put.requestBody: anything > string [ccbc]",
            "type narrowed put.responses.200: anything > string [cccc]",
        ]
    );
}

#[test]
fn parameters_change() {
    let path = || parameter("path", "id", true);
    for (parameters, expected) in [
        (json!([path()]), "parameter removed postThing.parameters.page: optional query > - [ccwb]"),
        (
            json!([path(), parameter("query", "page", true)]),
            "became required postThing.parameters.page: optional > required [ccbb]",
        ),
        (
            json!([path(), parameter("query", "pageToken", false)]),
            "parameter renamed postThing.parameters.page: page > pageToken [ccwb]",
        ),
        (
            json!([path(), { "in": "query", "name": "page", "schema": { "type": "integer" } }]),
            "type changed postThing.parameters.page: string > integer [ccbb]",
        ),
        (
            json!([path(), parameter("query", "page", false), parameter("query", "size", false)]),
            "parameter added postThing.parameters.size: - > optional query [cccc]",
        ),
        (
            json!([path(), parameter("query", "page", false), parameter("query", "size", true)]),
            "parameter added postThing.parameters.size: - > required query [ccbb]",
        ),
        (
            json!([path(), { "in": "query", "name": "page", "schema": { "type": "string" }, "style": "deepObject" }]),
            r#"keyword changed postThing.parameters.page: style: "form" > style: "deepObject" [ccwc]"#,
        ),
    ] {
        assert_eq!(when("/parameters", parameters), [expected]);
    }
    // What is written out where OpenAPI has it so by itself is no change, and one value is written one way.
    for said in [json!({ "style": "form" }), json!({ "explode": true }), json!({ "explode": false })] {
        let mut page = parameter("query", "page", false);
        page.as_object_mut().expect("an object").extend(said.as_object().expect("an object").clone());
        assert_eq!(when("/parameters", json!([path(), page])), Vec::<String>::new());
    }
    let list = |explode: Value| {
        let items = json!({ "type": "array", "items": { "type": "string" } });
        let mut ids = json!({ "in": "query", "name": "ids", "schema": items });
        ids["explode"] = explode;
        let mut changed = operation();
        changed["parameters"] = json!([path(), ids]);
        api(changed)
    };
    assert_eq!(
        between("api", list(json!(true)), list(json!(false))),
        ["keyword changed postThing.parameters.ids: explode: true > explode: false [ccwc]"]
    );
    let header = |name: &str| {
        let mut changed = operation();
        changed["parameters"] = json!([path(), parameter("header", name, false)]);
        api(changed)
    };
    assert_eq!(between("api", header("X-Key"), header("x-key")), Vec::<String>::new());
    let mut renamed = api(operation());
    let item = renamed["paths"]["/things/{id}"].take();
    renamed["paths"] = json!({ "/things/{idOrName}": item });
    renamed["paths"]["/things/{idOrName}"]["post"]["parameters"][0]["name"] = json!("idOrName");
    assert_eq!(
        between("api", api(operation()), renamed),
        ["parameter renamed postThing.parameters.id: id > idOrName [cccc]"]
    );
}

#[test]
fn a_method_moves_with_the_first_tag_of_its_operation() {
    let of = |tags: Value| {
        let mut operation = operation();
        operation["tags"] = tags;
        api(operation)
    };
    assert_eq!(
        between("api", of(json!(["A", "B"])), of(json!(["B", "A"]))),
        ["tag changed postThing: `A` > `B` [cccb]"]
    );
    assert_eq!(between("api", of(json!(["A", "B"])), of(json!(["A"]))), Vec::<String>::new());
}

#[test]
fn bodies_and_answers_change() {
    let answers =
        |status: &str, schema: Value| json!({ status: { "content": { "application/json": { "schema": schema } } } });
    let with = |more: Value| {
        let mut all = operation()["responses"].clone();
        for (status, response) in more.as_object().into_iter().flatten() {
            all[status] = response.clone();
        }
        all
    };
    let text = json!({ "type": "string" });
    let json = json!({ "schema": thing(&["name"]) });
    for (pointer, value, expected) in [
        (
            "/requestBody/required",
            json!(true),
            vec!["became required postThing.requestBody: optional > required [ccbb]"],
        ),
        (
            "/requestBody/content",
            json!({ "application/json": json, "text/csv": {} }),
            vec!["content type added postThing.requestBody: - > text/csv [cccc]"],
        ),
        (
            "/requestBody/content",
            json!({ "text/csv": {} }),
            vec![
                "content type added postThing.requestBody: - > text/csv [cccb]",
                "content type removed postThing.requestBody: application/json > - [ccbb]",
            ],
        ),
        (
            "/responses",
            answers("200", thing(&["name"])),
            vec!["response removed postThing.responses.404: 404 > - [cccc]"],
        ),
        (
            "/responses",
            with(answers("422", text.clone())),
            vec!["response added postThing.responses.422: - > 422 [cccc]"],
        ),
        (
            "/responses",
            with(answers("202", thing(&["name"]))),
            vec!["response added postThing.responses.202: - > 202 [cccc]"],
        ),
        (
            "/responses",
            with(answers("202", text.clone())),
            vec!["response added postThing.responses.202: - > 202 [bbcb]"],
        ),
        (
            "/responses",
            json!({ "404": {}, "201": operation()["responses"]["200"] }),
            vec!["response renamed postThing.responses.201: 200 > 201 [cccc]"],
        ),
        (
            "/responses/200/content",
            json!({}),
            vec!["content type removed postThing.responses.200: application/json > - [bbcb]"],
        ),
    ] {
        assert_eq!(when(pointer, value), expected);
    }
    let mut without = operation();
    without.as_object_mut().map(|members| members.remove("requestBody"));
    assert_eq!(
        between("api", api(operation()), api(without.clone())),
        ["request body removed postThing.requestBody: a body > - [ccwb]"]
    );
    assert_eq!(
        between("api", api(without), api(operation())),
        ["request body added postThing.requestBody: - > optional body [cccc]"]
    );
}

#[test]
fn operations_change() {
    for (pointer, value, expected) in [
        ("/operationId", json!("addThing"), "operation renamed addThing: postThing > addThing [cccb]"),
        ("/deprecated", json!(true), "deprecated postThing: false > true [cccc]"),
        ("/security", json!([{ "Token": [] }]), "security changed postThing.security: Key or Token > Token [ccbc]"),
        ("/security", json!([]), "security changed postThing.security: Key or Token > no authentication [cccc]"),
        ("/callbacks", json!({}), "operation changed postThing.callbacks: nothing > {} [wwwc]"),
        ("/tags", json!(["Things"]), "tag changed postThing: none > `Things` [cccb]"),
    ] {
        assert_eq!(when(pointer, value).join(""), expected);
    }
    // `diff` finds no break in a name that stays the same in Rust, and no change in a slash at the end of a URL.
    for (pointer, value, expected) in [
        ("/operationId", json!("PostThing"), "operation renamed PostThing: postThing > PostThing [cccc]"),
        ("/servers", json!([{ "url": "https://one/" }]), ""),
        (
            "/servers",
            json!([{ "url": "https://two" }]),
            "left out postThing: - > it is at https://two, where no other one is [cccb]\
             operation moved postThing: POST /things/{id} > POST https://two/things/{id} [ccbc]",
        ),
    ] {
        assert_eq!(when(pointer, value).concat(), expected);
    }
    let mut moved = api(operation());
    let item = moved["paths"]["/things/{id}"].take();
    moved["paths"] = json!({ "/items/{id}": item });
    assert_eq!(
        between("api", api(operation()), moved),
        ["operation moved postThing: POST /things/{id} > POST /items/{id} [ccbc]"]
    );
    let none = schemas(json!({}));
    assert_eq!(
        between("api", api(operation()), none.clone()),
        ["operation removed postThing: POST /things/{id} > - [ccbb]"]
    );
    assert_eq!(between("api", none, api(operation())), ["operation added postThing: - > POST /things/{id} [cccc]"]);
}

#[test]
fn what_is_said_of_all_operations_is_said_once() {
    let change = |pointer: &str, value: Value| {
        let contract = |changed: bool| {
            let mut api = api(operation());
            api["paths"]["/other"] = json!({ "get": { "operationId": "getOther", "responses": {} } });
            if changed && let Some(place) = api.pointer_mut(pointer) {
                *place = value.clone();
            }
            documents([("api", api)])
        };
        let changes = super::changes(&contract(false), &contract(true));
        assert!(changes.iter().all(|change| change.reaches == ["getOther", "postThing"]));
        brief(&changes)
    };
    assert_eq!(
        change("/servers/0/url", json!("https://two")),
        ["servers changed .servers: https://one > https://two [ccbc]"]
    );
    assert_eq!(change("/security", json!([{ "Key": [] }])), ["security changed .security: Key or Token > Key [ccbc]"]);
}

#[test]
fn a_field_that_is_no_longer_answered_is_to_be_looked_at() {
    let answer = |fields: Value| json!({ "content": { "application/json": { "schema": { "properties": fields } } } });
    let of = |fields: Value| {
        let mut operation = operation();
        operation["responses"]["200"] = answer(fields);
        api(operation)
    };
    let text = json!({ "type": "string" });
    assert_eq!(
        between("api", of(json!({ "a": text, "b": text })), of(json!({ "a": text }))),
        ["field removed postThing.responses.200.b: optional string > - [wwcb]"],
        "programs ask for what they read"
    );
}

#[test]
fn a_charset_is_no_other_media_type() {
    let json = json!({ "schema": thing(&["name"]) });
    let content = json!({ "application/json; charset=utf-8": json });
    assert_eq!(when("/requestBody/content", content.clone()), Vec::<String>::new());
    assert_eq!(when("/responses/200/content", content), Vec::<String>::new());
}

#[test]
fn operations_without_a_name_are_told_apart_by_method_and_path() {
    let of = |method: &str, required: bool| {
        let mut api = schemas(json!({}));
        let operation = |required| json!({ "parameters": [parameter("query", "q", required)], "responses": {} });
        api["paths"] = json!({ "/things": { "get": operation(false), "post": operation(false) } });
        api["paths"]["/things"][method] = operation(required);
        api
    };
    for (method, name) in [("get", "getThings"), ("post", "postThings")] {
        assert_eq!(
            between("api", of(method, false), of(method, true)),
            [format!("became required {name}.parameters.q: optional > required [ccbb]")]
        );
    }
}

#[test]
fn what_no_operation_leads_to_breaks_nobody() {
    let of = |kind: &str| {
        let mut api = api(operation());
        api["components"]["schemas"] = json!({ "Alone": { "properties": { "a": { "type": kind } } } });
        api
    };
    assert_eq!(between("api", of("string"), of("integer")), ["type changed Alone.a: string > integer [cccc]"]);
}

/// An API in which a GET has these parts.
fn get(path: &str, parts: Value) -> Value {
    let mut operation = json!({ "operationId": "get", "responses": {} });
    operation.as_object_mut().expect("an object").extend(parts.as_object().expect("an object").clone());
    let mut api = schemas(json!({}));
    api["paths"][path] = json!({ "get": operation });
    api
}

#[test]
fn the_client_decodes_one_of_the_bodies_of_success() {
    let json = |name: &str| json!({ "application/json": { "schema": thing(&[name]) } });
    let of = |responses: &[(&str, Value)]| {
        let responses = responses.iter().map(|(status, content)| (*status, json!({ "content": content })));
        get("/", json!({ "responses": Value::from_iter(responses.map(|(status, one)| (status.to_owned(), one))) }))
    };
    let both = |one: Value, other: Value| {
        let mut all = one;
        all.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
        all
    };
    let (none, csv) = (json!({}), json!({ "text/csv": { "schema": { "type": "string" } } }));
    for (old, new, expected) in [
        (
            of(&[("200", json("name")), ("204", none.clone())]),
            of(&[("204", none.clone())]),
            "response removed get.responses.200: 200 > - [bbcb]",
        ),
        (
            of(&[("200", none.clone())]),
            of(&[("200", json("name"))]),
            "content type added get.responses.200: - > application/json [cccb]",
        ),
        (
            of(&[("200", csv.clone())]),
            of(&[("200", both(csv.clone(), json("name")))]),
            "content type added get.responses.200: - > application/json [cccb]",
        ),
        (
            of(&[("200", both(csv.clone(), json("name")))]),
            of(&[("200", json("name"))]),
            "content type removed get.responses.200: text/csv > - [cccc]",
        ),
        (
            of(&[("200", json("name")), ("202", none)]),
            of(&[("200", json("name")), ("202", json("other"))]),
            "content type added get.responses.202: - > application/json [bbcb]",
        ),
        (
            of(&[("200", json("name"))]),
            of(&[("200", json!({ "application/vnd.api+json": { "schema": thing(&[]) } }))]),
            "became optional get.responses.200.name: required > optional [bbcb], \
             content type added get.responses.200: - > application/vnd.api+json [cccc], \
             content type removed get.responses.200: application/json > - [cccc]",
        ),
        (
            of(&[("200", both(csv.clone(), json("name")))]),
            of(&[("default", csv.clone())]),
            "content type removed get.responses.default: application/json > - [bbcb], \
             response renamed get.responses.default: 200 > default [cccc]",
        ),
        (
            of(&[("200", json("name")), ("201", json("other"))]),
            of(&[("200", json("name")), ("201", json("other")), ("202", json("name"))]),
            "response added get.responses.202: - > 202 [cccc]",
        ),
        (
            of(&[("200", both(json("name"), json!({ "application/a+json": { "schema": thing(&[]) } })))]),
            of(&[("200", json!({ "application/a+json": { "schema": thing(&[]) } }))]),
            "became optional get.responses.200.name: required > optional [bbcb], \
             content type removed get.responses.200: application/json > - [cccc]",
        ),
        // The client decodes the other one now.
        (
            of(&[("200", json("name")), ("default", json("error"))]),
            of(&[("default", json("error"))]),
            "became optional get.responses.default.name: required > optional [bbcb], \
             field added get.responses.default.error: - > required anything [cccc], \
             response removed get.responses.default: default > - [cccc], \
             response renamed get.responses.default: 200 > default [cccc]",
        ),
        (
            of(&[("default", json("name"))]),
            of(&[("200", json("name")), ("default", json("error"))]),
            "response added get.responses.default: - > default [cccc], \
             response renamed get.responses.200: default > 200 [cccc]",
        ),
        (
            of(&[("200", json("name")), ("201", json("other")), ("202", json("third"))]),
            of(&[("200", json("name")), ("201", json("other"))]),
            "response removed get.responses.202: 202 > - [cccb]",
        ),
    ] {
        assert_eq!(between("api", old, new).join(", "), expected);
    }
    // The client has no method for it, so nothing of it breaks code.
    let sent = |media: &str| {
        let content = json!({ media: { "schema": thing(&["name"]) } });
        get("/", json!({ "requestBody": { "required": true, "content": content } }))
    };
    assert_eq!(
        between("api", sent("multipart/form-data"), sent("application/json")).join(", "),
        "content type added get.requestBody: - > application/json [cccc], \
         content type removed get.requestBody: multipart/form-data > - [ccbc], \
         no longer left out get: its body has parts, which the client does not write > - [cccc]"
    );
}

#[test]
fn an_operation_without_a_method_breaks_no_code() {
    let of = |parameters: Value, answer: Value| {
        let content = json!({ "multipart/form-data": { "schema": thing(&["name"]) } });
        let responses = json!({ "200": { "content": { "application/json": { "schema": answer } } } });
        get("/", json!({ "parameters": parameters, "requestBody": { "content": content }, "responses": responses }))
    };
    let values = |values: Value| json!({ "type": "string", "enum": values });
    let page = || json!([parameter("query", "page", false)]);
    assert_eq!(
        between("api", of(page(), values(json!(["a"]))), of(json!([]), values(json!(["a", "b"])))),
        [
            "enum value added get.responses.200: - > b [cccc]",
            "parameter removed get.parameters.page: optional query > - [ccwc]",
        ]
    );
    // Another document may have one of that name with a method.
    let called = |parameters: Value| get("/", json!({ "parameters": parameters }));
    let contract =
        |parameters: Value| documents([("read", of(json!([]), values(json!(["a"])))), ("write", called(parameters))]);
    assert_eq!(
        brief(&super::changes(&contract(page()), &contract(json!([])))),
        ["parameter removed get.parameters.page: optional query > - [ccwb]"]
    );
}

#[test]
fn parameters_are_known_by_their_places() {
    let of = |path: &str, parameters: Value| get(path, json!({ "parameters": parameters }));
    let kind = |parameter: Value, key: &str, value: Value| {
        let mut parameter = parameter;
        parameter[key] = value;
        parameter
    };
    let query = |required| parameter("query", "page", required);
    let none = Vec::<String>::new();
    assert_eq!(
        between("api", of("/a/{x}/b/{y}", json!([])), of("/a/{y}/b/{z}", json!([]))),
        ["parameter renamed get.parameters.x: x > y [cccc]", "parameter renamed get.parameters.y: y > z [cccc]"]
    );
    assert_eq!(
        between("api", of("/a/{x}/{y}", json!([])), of("/a/{y}/{x}", json!([]))),
        ["operation moved get: GET /a/{x}/{y} > GET /a/{y}/{x} [ccbb]"],
        "the arguments change places"
    );
    assert_eq!(
        between("api", of("/", json!([query(false), parameter("header", "page", false)])), of("/", json!([]))),
        [
            "parameter removed get.parameters.page: optional header > - [ccwb]",
            "parameter removed get.parameters.page: optional query > - [ccwb]"
        ]
    );
    // Callers set neither cookies nor the headers that OpenAPI ignores.
    let ignored = json!([parameter("header", "Accept", true), parameter("cookie", "session", false)]);
    assert_eq!(between("api", of("/", json!([])), of("/", ignored)), none);
    assert_eq!(
        between("api", of("/", json!([query(false)])), of("/", json!([parameter("query", "Page", false)]))),
        ["parameter renamed get.parameters.page: page > Page [ccwc]"]
    );
    // `diff` reports a keyword that the new contract drops, as it reports one that it adds.
    let encoded = kind(query(false), "content", json!({ "application/json": { "schema": { "type": "string" } } }));
    assert_eq!(
        between("api", of("/", json!([encoded])), of("/", json!([query(false)]))),
        [r#"keyword changed get.parameters.page: content: "application/json" > no content [ccwc]"#]
    );
    let list = json!({ "type": "array", "items": { "type": "string" } });
    assert_eq!(
        between("api", of("/", json!([query(false)])), of("/", json!([kind(query(false), "schema", list)]))),
        ["type changed get.parameters.page: string > list of string [ccbb]"]
    );
    let uuid = json!({ "type": "string", "format": "uuid" });
    let integer = kind(query(false), "schema", json!({ "type": "integer" }));
    assert_eq!(
        between("api", of("/", json!([integer])), of("/", json!([kind(query(false), "schema", uuid)]))),
        ["type changed get.parameters.page: integer > string (uuid) [ccbb]"]
    );
    assert_eq!(
        between("api", of("/", json!([integer])), of("/", json!([query(false)]))),
        ["type widened get.parameters.page: integer > string [cccb]"],
        "both are text in a URL"
    );
    let label = |style: &str| of("/{id}", json!([kind(parameter("path", "id", true), "style", json!(style))]));
    assert_eq!(
        between("api", label("simple"), label("label")),
        [
            r#"keyword changed get.parameters.id: style: "simple" > style: "label" [ccwc]"#,
            "left out get: - > the style `label` of `id` is not supported [cccb]"
        ]
    );
    assert_eq!(
        between("api", label("label"), label("simple"))[1],
        "no longer left out get: the style `label` of `id` is not supported > - [cccc]"
    );
}

#[test]
fn who_may_call_is_compared_by_meaning() {
    let of = |security: Value, key: Value| {
        let mut api = get("/", json!({ "security": security }));
        api["components"]["securitySchemes"] = json!({ "Key": key, "Token": { "type": "http", "scheme": "bearer" } });
        api
    };
    let key = json!({ "type": "apiKey", "in": "header", "name": "X-Key" });
    let ways = |old: Value, new: Value| between("api", of(old, key.clone()), of(new, key.clone())).concat();
    assert_eq!(ways(json!([{ "Key": ["a", "b"] }]), json!([{ "Key": ["b", "a"] }])), "");
    assert_eq!(
        ways(json!([{ "Key": [], "Token": [] }]), json!([{ "Key": [] }])),
        "security changed get.security: Key and Token > Key [cccc]"
    );
    assert_eq!(
        ways(json!([{ "Key": ["a"] }]), json!([{ "Key": ["a", "b"] }])),
        r#"security changed get.security: Key ["a"] > Key ["a","b"] [ccbc]"#
    );
    let schemes = |other: Value| between("api", of(json!([]), key.clone()), of(json!([]), other)).concat();
    assert_eq!(schemes(json!({ "type": "apiKey", "in": "header", "name": "x-key", "description": "Words." })), "");
    assert!(schemes(json!({ "type": "apiKey", "in": "query", "name": "X-Key" })).ends_with("[ccbc]"));
}
