//! `fetch`: from published documents to the contract and its lock.

use test_support::server::{Server, cut_short, response};

use crate::Workspace;

const SOURCES: &str = r#"
revisions = "https://127.0.0.1:1/{rev}"
files = "https://127.0.0.1:1/{commit}/{path}"
[documents]
orders = "orders/orders.yaml"
shop = "shop/shop.yaml"
later = { path = "later/later.yaml", optional = true }
"#;

const ORDERS: &str = "\
openapi: 3.0.1
info: {title: Orders, version: 1.0.0}
paths: {}
components:
  schemas:
    # A comment.
    Order:
      title: Order
      description: What was ordered.
      type: object
      required: [id, item]
      properties:
        item: {$ref: '../shop/shop.yaml#/components/schemas/Item'}
        id: {type: string, example: o-1, description: The identifier.}
";

const SHOP: &str = "\
openapi: 3.0.1
info: {title: Shop, version: 1.0.0}
paths: {}
components:
  schemas:
    Item: {type: object, properties: {name: {type: string}, size: {$ref: '#/components/schemas/Size'}}}
    Size: {type: string, enum: [small, large]}
";

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn workspace() -> Workspace {
    Workspace::new(&[
        ("openapi/sources.toml", SOURCES),
        ("published/orders/orders.yaml", ORDERS),
        ("published/shop/shop.yaml", SHOP),
    ])
}

const FETCH: [&str; 3] = ["fetch", "--from", "published"];

#[test]
fn documents_become_a_contract() {
    let workspace = workspace();
    let run = workspace.succeed(&[&FETCH[..], &["--rev", COMMIT]].concat());
    insta::assert_snapshot!(run.err, @r"
    warning: later/later.yaml is not there, and is left out
    read 2 files of commit 0123456789abcdef0123456789abcdef01234567 in published
    wrote openapi/contract.lock
    wrote openapi/contract/orders.json
    wrote openapi/contract/shop.json
    3 of 3 files changed
    ");
    insta::assert_snapshot!(workspace.read("openapi/contract/orders.json"), @r##"
    {
      "components": {
        "schemas": {
          "Item": {
            "properties": {
              "name": {
                "type": "string"
              },
              "size": {
                "$ref": "#/components/schemas/Size"
              }
            },
            "type": "object"
          },
          "Order": {
            "properties": {
              "id": {
                "type": "string"
              },
              "item": {
                "$ref": "#/components/schemas/Item"
              }
            },
            "required": [
              "id",
              "item"
            ],
            "type": "object"
          },
          "Size": {
            "enum": [
              "large",
              "small"
            ],
            "type": "string"
          }
        }
      },
      "info": {
        "title": "orders",
        "version": ""
      },
      "openapi": "3.0.1",
      "paths": {}
    }
    "##);
    insta::assert_snapshot!(workspace.read("openapi/contract.lock"), @r#"
    # Written by `cargo xtask fetch`. Not to be edited.
    commit = "0123456789abcdef0123456789abcdef01234567"

    [published]
    "orders/orders.yaml" = "6c575a43a083c2092806d9d71b794e7d6118bbe12f0ae8c90b47e2eaf9d058ee"
    "shop/shop.yaml" = "0684a774eb988f0a53cfd75fd5e015ca26213e7b6756abf5f64b6c0d54ec4e7b"

    [contract."orders.json"]
    sha256 = "188fe5c3abad667ed4f6704acacb6f7aa1b524312762909f97727a5975a4bd51"
    since = "0123456789abcdef0123456789abcdef01234567"

    [contract."shop.json"]
    sha256 = "77b4bd59ed247b0ca35d9da92c30b1e09d265a882fa091b61b17d86cede1cd58"
    since = "0123456789abcdef0123456789abcdef01234567"
    "#);
}

#[test]
fn the_same_again_changes_nothing_and_keeps_the_commit() {
    let workspace = workspace();
    workspace.succeed(&[&FETCH[..], &["--rev", COMMIT]].concat());
    let before = workspace.tree("openapi");
    let run = workspace.succeed(&FETCH);
    assert!(run.err.ends_with("0 of 3 files changed\n"), "{}", run.err);
    assert_eq!(workspace.tree("openapi"), before);
}

#[test]
fn a_rewording_changes_the_lock_alone() {
    let workspace = workspace();
    workspace.succeed(&[&FETCH[..], &["--rev", COMMIT]].concat());
    workspace.edit("published/orders/orders.yaml", "What was ordered.", "An order.");
    workspace.edit("published/orders/orders.yaml", "example: o-1", "example: o-2");
    workspace.edit("published/orders/orders.yaml", "[id, item]", "[item, id]");
    let run = workspace.succeed(&[&FETCH[..], &["--rev", "f00df00df00df00df00df00df00df00df00df00d"]].concat());
    insta::assert_snapshot!(run.err, @r"
    warning: later/later.yaml is not there, and is left out
    read 2 files of commit f00df00df00df00df00df00df00df00df00df00d in published
    wrote openapi/contract.lock
    1 of 3 files changed
    ");
    let lock = workspace.read("openapi/contract.lock");
    assert!(
        lock.contains("commit = \"f00df00df00df00df00df00df00df00df00df00d\"")
            && lock.contains(&format!("since = \"{COMMIT}\"")),
        "{lock}"
    );
}

#[test]
fn a_contract_that_is_fetched_again_is_the_same() {
    let workspace = Workspace::copy_of(&["openapi"]);
    let lock = workspace.read("openapi/contract.lock");
    for (document, path) in [
        ("notifications", "notifications/notifications"),
        ("webhook", "webhook/webhook"),
        ("config", "config/config"),
        ("problem", "problem/problem"),
        ("manifest", "manifest/manifest"),
        ("catalog", "catalog/catalog"),
        ("api", "api/api"),
        ("read", "api/read"),
        ("write", "api/write"),
        ("search", "api/search"),
    ] {
        // JSON is YAML.
        let text = workspace.read(&format!("openapi/contract/{document}.json"));
        let _: openapiv3::OpenAPI = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{document}: {error}"));
        workspace.write(&format!("published/{path}.yaml"), &text);
    }
    let run = workspace.succeed(&FETCH);
    assert!(run.err.contains("wrote openapi/contract.lock\n1 of 11 files changed"), "{}", run.err);
    let contract = |lock: &str| lock.split_once("[contract").unwrap().1.to_owned();
    assert_eq!(contract(&workspace.read("openapi/contract.lock")), contract(&lock));
}

#[test]
fn broken_documents_give_one_error_with_its_place_and_leave_the_tree_alone() {
    let cases: [(&str, &str, &str, &str); 11] = [
        ("orders/orders.yaml", "type: object", "type: [object", "orders/orders.yaml: error: line 11"),
        (
            "orders/orders.yaml",
            "schemas/Item'",
            "schemas/Itme'",
            "orders/orders.yaml: at /components/schemas/Order/properties/item/$ref: `../shop/shop.yaml#/components/schemas/Itme` refers to nothing",
        ),
        (
            "orders/orders.yaml",
            "'../shop/shop.yaml#/",
            "'#../shop/shop.yaml/",
            "orders/orders.yaml: at /components/schemas/Order/properties/item/$ref: `#../shop/shop.yaml/components/schemas/Item` refers to nothing",
        ),
        (
            "orders/orders.yaml",
            "../shop/shop.yaml",
            "../gone/gone.yaml",
            "gone/gone.yaml: not found in published/gone/gone.yaml; orders/orders.yaml at /components/schemas/Order/properties/item/$ref asks for it",
        ),
        (
            "orders/orders.yaml",
            "../shop/shop.yaml",
            "https://elsewhere/shop.yaml",
            "lies outside of the published documents",
        ),
        (
            "orders/orders.yaml",
            "../shop/shop.yaml#/components/schemas/Item",
            "../shop/shop.yaml",
            "orders/orders.yaml: at /components/schemas/Order/properties/item/$ref: shop/shop.yaml is a document: say which part of it",
        ),
        (
            "orders/orders.yaml",
            "openapi: 3.0.1",
            "openapi: 4.0.0",
            "orders/orders.yaml: at /openapi: version 4.0.0, where 3.0 or 3.1 is expected",
        ),
        (
            "orders/orders.yaml",
            "openapi: 3.0.1",
            "swagger: '2.0'",
            "orders/orders.yaml: at /openapi: not an OpenAPI document",
        ),
        (
            "shop/shop.yaml",
            "    Size: {",
            "    Item: {}\n    Size: {",
            "shop/shop.yaml: error: line 7 column 5: duplicate mapping key: Item",
        ),
        (
            "shop/shop.yaml",
            "    Size: {type: string, enum: [small, large]}",
            "    Size: {$ref: '#/components/schemas/Size'}",
            "shop/shop.yaml: at /components/schemas/Size: refers to itself and to nothing else",
        ),
        ("shop/shop.yaml", "openapi: 3.0.1", "\u{0}", "shop/shop.yaml: "),
    ];
    for (file, old, new, message) in cases {
        let workspace = workspace();
        workspace.succeed(&FETCH);
        let before = workspace.tree("openapi");
        workspace.edit(&format!("published/{file}"), old, new);
        let run = workspace.xtask(&FETCH);
        assert_eq!(run.code, 1, "{new}");
        assert_eq!(run.err.matches("error: ").count() - run.err.matches("yaml: error: ").count(), 1, "{}", run.err);
        assert!(run.err.contains(message), "{message}\n{}", run.err);
        assert_eq!(workspace.tree("openapi"), before, "{new}");
    }
}

/// A workspace with one document of these files.
fn of_one(files: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::new(&[]);
    let sources = SOURCES.split_once("orders =").unwrap().0;
    workspace.write("openapi/sources.toml", &format!("{sources}a = \"api/a.yaml\"\n"));
    for (path, text) in files {
        workspace.write(&format!("published/{path}"), text);
    }
    workspace
}

fn contract(workspace: &Workspace) -> serde_json::Value {
    serde_json::from_str(&workspace.read("openapi/contract/a.json")).unwrap()
}

#[test]
fn a_file_or_a_place_in_it_becomes_a_component_of_the_section_that_asks_for_it() {
    let workspace = of_one(&[
        (
            "api/a.yaml",
            "\
openapi: 3.0.3
paths:
  /a:
    $ref: paths/a-path.yaml
    parameters: [{$ref: 'shared.yaml#/parameters/Page'}]
  /b:
    get:
      parameters: [{$ref: 'shared.yaml#/parameters/Page'}]
      requestBody: {$ref: shared.yaml#/bodies/Body}
      responses:
        '200': {$ref: ./responses/ok.json}
        '404': {$ref: '#/paths/~1b/get/responses/200'}
        default: {$ref: 'shared.yaml#/components/responses/Failed'}
",
        ),
        (
            "api/paths/a-path.yaml",
            "get: {responses: {'200': {$ref: ../responses/ok.json}}, callbacks: {b: {'{$request.body#/url}': {$ref: back.yaml}}}}",
        ),
        ("api/paths/back.yaml", "{post: {responses: {}}}"),
        (
            "api/responses/ok.json",
            r#"{"description": "d", "content": {"a/b": {"schema": {"$ref": "../../things/big-thing.yml"}}}}"#,
        ),
        (
            "things/big-thing.yml",
            "{type: object, properties: {parts: {items: {$ref: '#/$defs/Part'}}, next: {$ref: big-thing.yml}}, $defs: {Part: {$ref: part.yml}}}",
        ),
        ("things/part.yml", "{type: [string, 'null'], properties: {whole: {$ref: big-thing.yml}}}"),
        (
            "api/shared.yaml",
            "\
parameters: {Page: {name: page, in: query, schema: {$ref: '#/Number'}}}
bodies: {Body: {content: {a/b: {schema: {$ref: '#/definitions/Named'}}}}}
definitions: {Named: {type: string}}
components: {responses: {Failed: {description: d}}}
Number: {type: integer}
",
        ),
    ]);
    workspace.succeed(&FETCH);
    let reference = |name: &str| serde_json::json!({ "$ref": format!("#/components/{name}") });
    assert_eq!(
        contract(&workspace),
        serde_json::json!({
            "openapi": "3.0.3",
            "info": { "title": "a", "version": "" },
            "paths": {
                "/a": {
                    "parameters": [reference("parameters/Page")],
                    "get": {
                        "responses": { "200": reference("responses/Ok") },
                        "callbacks": { "b": { "{$request.body#/url}": { "post": { "responses": {} } } } },
                    },
                },
                "/b": { "get": {
                    "parameters": [reference("parameters/Page")],
                    "requestBody": reference("requestBodies/Body"),
                    "responses": {
                        "200": reference("responses/Ok"),
                        "404": reference("responses/PathsBGetResponses200"),
                        "default": reference("responses/Failed"),
                    },
                } },
            },
            "components": {
                "parameters": { "Page": { "name": "page", "in": "query", "schema": reference("schemas/Number") } },
                "requestBodies": { "Body": { "content": { "a/b": { "schema": reference("schemas/Named") } } } },
                "responses": {
                    "PathsBGetResponses200": reference("responses/Ok"),
                    "Failed": { "description": "" },
                    "Ok": { "description": "", "content": { "a/b": { "schema": reference("schemas/BigThing") } } },
                },
                "schemas": {
                    "BigThing": { "type": "object", "properties": {
                        "parts": { "items": reference("schemas/Part") },
                        "next": reference("schemas/BigThing"),
                    } },
                    "Named": { "type": "string" },
                    "Number": { "type": "integer" },
                    "Part": {
                        "type": "string", "nullable": true,
                        "properties": { "whole": reference("schemas/BigThing") },
                    },
                },
            },
        })
    );
}

#[test]
fn a_document_may_list_files_under_their_names() {
    let workspace = of_one(&[
        (
            "api/a.yaml",
            "\
openapi: 3.0.3
components:
  schemas:
    User: {$ref: schemas/index.yaml#/User}
    Users: {items: {$ref: '#/components/schemas/User'}, discriminator: {mapping: {a: ./other/User.yaml, b: User}}}
",
        ),
        ("api/schemas/index.yaml", "User: {$ref: User.yaml}"),
        ("api/schemas/User.yaml", "{properties: {friend: {$ref: User.yaml}, other: {$ref: ../other/User.yaml}}}"),
        ("api/other/User.yaml", "{type: string}"),
    ]);
    workspace.succeed(&FETCH);
    let reference = |name: &str| serde_json::json!({ "$ref": format!("#/components/schemas/{name}") });
    assert_eq!(
        contract(&workspace)["components"]["schemas"],
        serde_json::json!({
            "OtherUser": { "type": "string" },
            "User": { "properties": { "friend": reference("User"), "other": reference("OtherUser") } },
            "Users": { "items": reference("User"), "discriminator": { "mapping": {
                "a": "#/components/schemas/OtherUser", "b": "User",
            } } },
        })
    );
}

#[test]
fn names_that_files_share_are_qualified_and_what_is_inside_a_schema_is_hoisted() {
    let workspace = of_one(&[
        (
            "api/a.yaml",
            "\
openapi: 3.1.0
components:
  schemas:
    A:
      properties:
        one: {$ref: ../one/item.yaml}
        two: {$ref: ../two/item.yaml}
        inner: {$ref: '#/$defs/Inner'}
      $defs: {Inner: {type: 'null'}}
    B:
      properties: {inner: {$ref: '#/components/schemas/B/$defs/Inner'}, one: {$ref: '#/components/schemas/A/properties/one'}}
      $defs: {Inner: {type: string}}
",
        ),
        ("one/item.yaml", "type: string"),
        ("two/item.yaml", "type: integer"),
    ]);
    workspace.succeed(&FETCH);
    let reference = |name: &str| serde_json::json!({ "$ref": format!("#/components/schemas/{name}") });
    assert_eq!(
        contract(&workspace)["components"]["schemas"],
        serde_json::json!({
            "A": { "properties": {
                "one": reference("OneItem"), "two": reference("TwoItem"), "inner": reference("AInner"),
            } },
            "AInner": { "enum": [null], "nullable": true },
            "AOne": reference("OneItem"),
            "B": { "properties": { "inner": reference("BInner"), "one": reference("AOne") } },
            "BInner": { "type": "string" },
            "OneItem": { "type": "string" },
            "TwoItem": { "type": "integer" },
        })
    );

    workspace.edit("published/api/a.yaml", "schemas/A/properties/one", "schemas/A/properties/none");
    assert_eq!(
        workspace.xtask(&FETCH).err,
        "error: api/a.yaml: at /components/schemas/B/properties/one/$ref: `#/components/schemas/A/properties/none` refers to nothing\n"
    );
}

#[test]
fn two_places_of_a_file_that_would_have_one_name_are_an_error() {
    let workspace = of_one(&[
        (
            "api/a.yaml",
            "{openapi: 3.0.3, components: {schemas: {A: {allOf: [{$ref: b.yaml#/x/B}, {$ref: b.yaml#/y/B}]}}}}",
        ),
        ("api/b.yaml", "{x: {B: {type: string}}, y: {B: {type: integer}}}"),
    ]);
    assert_eq!(
        workspace.xtask(&FETCH).err,
        "error: api/a.yaml: at /components/schemas/A/allOf/1/$ref: `/y/B` and `/x/B` of api/b.yaml would both be the component `B`\n"
    );
}

#[test]
fn a_reference_out_of_what_is_published_is_an_error_or_any_value() {
    let document = "\
openapi: 3.0.3
components: {schemas: {A: {properties: {a: {$ref: 'https://example.com/a.yaml'}, b: {$ref: ../../b.yaml}, c: {type: string}}}}}
";
    let workspace = of_one(&[("api/a.yaml", document)]);
    assert_eq!(
        workspace.xtask(&FETCH).err,
        "error: api/a.yaml: at /components/schemas/A/properties/a/$ref: `https://example.com/a.yaml` lies outside of the published documents\n"
    );
    let run = workspace.succeed(&[&FETCH[..], &["--allow-missing"]].concat());
    let warnings: Vec<&str> = run.err.lines().take(2).collect();
    assert_eq!(
        warnings,
        [
            "warning: api/a.yaml: at /components/schemas/A/properties/a/$ref: `https://example.com/a.yaml` is not published, and is read as any value",
            "warning: api/a.yaml: at /components/schemas/A/properties/b/$ref: `../../b.yaml` is not published, and is read as any value",
        ]
    );
    assert_eq!(
        contract(&workspace)["components"]["schemas"]["A"],
        serde_json::json!({ "properties": { "a": {}, "b": {}, "c": { "type": "string" } } })
    );
}

#[test]
fn words_are_part_of_the_contract_where_the_sources_say_so() {
    let workspace = of_one(&[(
        "api/a.yaml",
        "\
openapi: 3.0.3
tags: [{name: t, description: Tagged.}]
paths: {/a: {get: {summary: Gets., responses: {'200': {description: Got.}}}}}
components: {schemas: {A: {title: T, description: A thing.}}}
",
    )]);
    workspace.succeed(&FETCH);
    assert!(!workspace.read("openapi/contract/a.json").contains("ing."));
    workspace.edit("openapi/sources.toml", "[documents]", "words = true\n[documents]");
    workspace.succeed(&FETCH);
    let contract = contract(&workspace);
    assert_eq!(contract["tags"], serde_json::json!([{ "name": "t", "description": "Tagged." }]));
    assert_eq!(
        contract["paths"]["/a"]["get"],
        serde_json::json!({ "description": "Gets.", "responses": { "200": { "description": "Got." } } })
    );
    assert_eq!(contract["components"]["schemas"]["A"], serde_json::json!({ "description": "A thing." }));
}

#[test]
fn a_document_of_almost_nothing_is_read() {
    for text in
        ["openapi: 3.0.3", "openapi: 3.1.0\ncomponents: {}", "openapi: 3.0.3\npaths: {}\ncomponents: {schemas: {}}"]
    {
        let workspace = of_one(&[("api/a.yaml", text)]);
        workspace.succeed(&FETCH);
        assert_eq!(contract(&workspace)["openapi"], "3.0.3");
    }
}

#[test]
fn a_document_that_is_not_there_is_an_error_unless_an_older_contract_is_asked_for() {
    let workspace = workspace();
    std::fs::remove_file(workspace.path().join("published/shop/shop.yaml")).unwrap();
    workspace.edit("published/orders/orders.yaml", "{$ref: '../shop/shop.yaml#/components/schemas/Item'}", "{}");
    let run = workspace.xtask(&FETCH);
    assert_eq!(run.code, 1);
    assert_eq!(
        run.err,
        "error: shop/shop.yaml: not found in published/shop/shop.yaml; openapi/sources.toml asks for it\n"
    );
    assert_eq!(workspace.tree("openapi").len(), 1);

    let run = workspace.succeed(&[&FETCH[..], &["--allow-missing"]].concat());
    assert!(run.err.contains("warning: shop/shop.yaml is not there, and is left out"), "{}", run.err);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let run = workspace().xtask(&["fetch", "--from", "publish"]);
    assert_eq!((run.code, run.err.as_str()), (1, "error: --from publish: no such directory\n"));
}

/// Answers with the documents, below any folder.
fn document(path: &str) -> Option<Vec<u8>> {
    match path.rsplit('/').next() {
        Some("orders.yaml") => Some(response(200, "", ORDERS)),
        Some("shop.yaml") => Some(response(200, "", SHOP)),
        _ => None,
    }
}

#[test]
fn a_base_url_is_read_and_what_fails_for_a_while_is_tried_again() {
    let server = Server::by_path(|path, before| match (path, before) {
        ("/copy/orders/orders.yaml", 0) => response(503, "", ""),
        ("/copy/orders/orders.yaml", 1) => cut_short(ORDERS),
        ("/copy/shop/shop.yaml", 0) => Vec::new(),
        _ => document(path).unwrap_or_else(|| response(404, "", "")),
    });
    let (there, here) = (workspace(), workspace());
    there.succeed(&["fetch", "--from", &format!("{}/copy/", server.url)]);
    here.succeed(&FETCH);
    assert_eq!(there.tree("openapi"), here.tree("openapi"));
    let count = |path: &str| server.requests().iter().filter(|request| request.path() == path).count();
    assert_eq!((count("/copy/orders/orders.yaml"), count("/copy/shop/shop.yaml")), (3, 2));
}

#[test]
fn a_branch_is_resolved_and_its_commit_is_pinned() {
    let server = Server::by_path(|path, _| match path {
        "/revisions/next" => response(200, "", format!("{COMMIT}\n")),
        "/revisions/odd" => response(200, "", "<html>"),
        _ if path.starts_with(&format!("/{COMMIT}/")) => document(path).unwrap_or_else(|| response(404, "", "")),
        _ => response(404, "", ""),
    });
    let workspace = workspace();
    let sources = SOURCES.replace("https://127.0.0.1:1/{rev}", &format!("{}/revisions/{{rev}}", server.url));
    let sources = sources.replace("https://127.0.0.1:1", &server.url);
    workspace.write("openapi/sources.toml", &sources);

    let error = |arguments: &[&str]| workspace.xtask(arguments).err.replace(&server.url, "HOST");
    assert_eq!(error(&["fetch"]), "error: openapi/contract.lock pins no commit: say which with --rev\n");
    workspace.succeed(&["fetch", "--rev", "next"]);
    assert!(workspace.read("openapi/contract.lock").contains(&format!("commit = \"{COMMIT}\"")));
    let asked = server.requests().len();
    assert!(workspace.succeed(&["fetch"]).err.ends_with("0 of 3 files changed\n"));
    assert!(
        !server.requests()[asked..].iter().any(|request| request.path().contains("revisions")),
        "the pinned commit is known"
    );

    let before = workspace.tree("openapi");
    assert_eq!(
        error(&["fetch", "--rev", "nowhere"]),
        "error: HOST/revisions/nowhere: the published repository has no commit, tag or branch \"nowhere\"\n"
    );
    assert_eq!(error(&["fetch", "--rev", "odd"]), "error: HOST/revisions/odd: the answer is not a commit's SHA\n");
    assert_eq!(error(&["fetch", "--rev", "a b"]), "error: --rev \"a b\" is not the name of a commit, tag or branch\n");
    let wrong = "f".repeat(40);
    assert_eq!(
        error(&["fetch", "--rev", &wrong]),
        format!(
            "error: orders/orders.yaml: not found in HOST/{wrong}/orders/orders.yaml; openapi/sources.toml asks for it\n"
        )
    );
    assert_eq!(workspace.tree("openapi"), before);
}

#[test]
fn a_server_that_does_not_recover_is_given_up() {
    let server = Server::by_path(|path, _| match path {
        "/shop/shop.yaml" => response(500, "", ""),
        "/orders/orders.yaml" => response(200, "", ORDERS),
        _ => response(403, "", ""),
    });
    let workspace = workspace();
    workspace.edit("openapi/sources.toml", "later =", "# later =");
    let run = workspace.xtask(&["fetch", "--from", &server.url]);
    assert_eq!(run.code, 1);
    assert_eq!(
        run.err.replace(&server.url, "HOST"),
        "error: HOST/shop/shop.yaml: 500 Internal Server Error, 4 times\n"
    );
    assert_eq!(workspace.tree("openapi").len(), 1);
}
