//! `diff`: contracts wherever they are, and what is said of their changes.

use std::process::Command;

use serde_json::{Value, json};
use test_support::edited::edited;
use test_support::server::{Server, response};

use crate::Workspace;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

const SOURCES: &str = r#"
revisions = "https://127.0.0.1:1/{rev}"
files = "https://127.0.0.1:1/{commit}/{path}"
[documents]
config = "config/config.yaml"
webhook = "webhook/webhook.yaml"
"#;

/// A document of a schema with one field.
fn document(kind: &str, words: &str) -> String {
    format!(
        "openapi: 3.0.1\npaths: {{}}\ncomponents: {{schemas: {{Size: {{type: object, properties: {{\n  size: {{type: {kind}, description: {words}}}}}}}}}}}\n"
    )
}

/// A workspace with published contracts beside it, of which `one` is pinned.
fn workspace() -> Workspace {
    let workspace = Workspace::new(&[
        ("openapi/sources.toml", SOURCES),
        ("openapi/project.toml", include_str!("../../../openapi/project.toml")),
        ("one/config/config.yaml", &document("string", "one")),
        ("words/config/config.yaml", &document("string", "other")),
        ("other/config/config.yaml", &document("integer", "one")),
    ]);
    workspace.succeed(&["fetch", "--from", "one", "--allow-missing"]);
    workspace
}

fn changes(workspace: &Workspace, arguments: &[&str]) -> Value {
    let run = workspace.xtask(&[&["diff", "--format", "json"], arguments].concat());
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}{}", run.out, run.err))
}

#[test]
fn the_exit_code_says_what_was_found() {
    let workspace = workspace();
    let before = workspace.tree("");
    assert_eq!(workspace.xtask(&["diff", "--to", "one"]).code, 0);
    assert_eq!(workspace.xtask(&["diff", "--to", "other"]).code, 2);
    let words = workspace.xtask(&["diff", "--to", "words", "--format", "markdown"]);
    assert_eq!(words.code, 0);
    assert!(words.out.contains("alone, which is no change: config/config.yaml"), "{}", words.out);
    assert_eq!(workspace.tree(""), before, "nothing is written");
}

#[test]
fn what_cannot_be_read_is_an_error_of_its_own() {
    let workspace = workspace();
    workspace.write("empty/readme", "");
    workspace.write("broken/config/config.yaml", "openapi: 3.0.1\ncomponents: [");
    for (arguments, message) in [
        (["diff", "--to", "empty"], "error: empty: none of the documents of openapi/sources.toml is there\n"),
        (["diff", "--to", "broken"], "error: config/config.yaml: error: line 2"),
        (["diff", "--to", ""], "error: a folder, a revision of this repository, or a published commit or branch"),
        (["diff", "--to", "./none"], "error: ./none is no folder\n"),
        (
            ["diff", "--to", "a b"],
            "error: a b is no folder and no revision of this repository; as a published commit or branch: --rev \"a b\" is not",
        ),
        (["diff", "--format", "yaml"], "error: invalid value 'yaml' for '--format <FORMAT>'"),
    ] {
        let run = workspace.xtask(&arguments);
        assert_eq!((run.code, run.err.starts_with(message)), (3, true), "{}", run.err);
    }
    let none = Workspace::new(&[("openapi/sources.toml", SOURCES)]).xtask(&["diff", "--to", "openapi"]);
    assert_eq!(none.code, 3);
    assert!(none.err.contains("openapi/contract is empty: `cargo xtask fetch` first"), "{}", none.err);
}

#[test]
fn a_revision_of_the_repository_is_read_from_git() {
    let workspace = workspace();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@a.example", "-c", "commit.gpgsign=false"];
        let status = Command::new("git").args(identity).args(arguments).current_dir(workspace.path()).status();
        assert!(status.unwrap().success(), "{arguments:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "openapi"]);
    git(&["commit", "--quiet", "--message", "one"]);
    workspace.succeed(&["fetch", "--from", "other", "--allow-missing"]);
    git(&["commit", "--quiet", "--all", "--message", "other"]);

    let found = changes(&workspace, &["--from", "HEAD~1", "--to", "HEAD"]);
    let expected = json!([{
        "document": "config", "schema": "Size", "path": "$.size", "kind": "type-changed", "old": "string", "new": "integer",
        "reaches": ["Size"], "inbound": "breaking", "inboundClosed": "breaking", "outbound": "breaking",
        "source": "breaking", "reason": "the old types refuse values of the new type; a value built with the old types may \
            have a type that the new contract refuses; the field has another Rust type",
    }]);
    assert_eq!(found["changes"], expected);
    assert_eq!(found["summary"]["semver"]["ampersand-types"], "major");
    assert_eq!(changes(&workspace, &["--from", "HEAD~1", "--to", "one"])["changes"], json!([]));
    assert_eq!(changes(&workspace, &["--to", "HEAD"])["changes"], json!([]), "the pinned contract is the old one");
}

#[test]
fn the_newest_is_what_is_published() {
    let server = Server::by_path(|path, _| match path {
        "/revisions/main" => response(200, "", COMMIT),
        _ if path.ends_with("config.yaml") => response(200, "", document("integer", "one")),
        _ => response(404, "", ""),
    });
    let workspace = workspace();
    let sources = SOURCES.replace("https://127.0.0.1:1/{rev}", &format!("{}/revisions/{{rev}}", server.url));
    workspace.write("openapi/sources.toml", &sources.replace("https://127.0.0.1:1", &server.url));
    for arguments in [&[][..], &["--to", COMMIT], &["--to", "published:main"]] {
        let found = changes(&workspace, arguments);
        assert_eq!(found["summary"]["to"], format!("the published commit {COMMIT}"));
        assert_eq!(found["summary"]["breaking"], 1, "{arguments:?}");
    }

    let nothing = Server::by_path(|_, _| response(404, "", ""));
    workspace.write("openapi/sources.toml", &SOURCES.replace("https://127.0.0.1:1", &nothing.url));
    let run = workspace.xtask(&["diff"]);
    assert_eq!(run.code, 3);
    assert!(run.err.starts_with("error: the newest published contract, where --to names no other: "), "{}", run.err);
}

/// What a test of the types tries; here it is what `diff` says.
#[test]
fn the_verdicts_are_those_that_were_tried() {
    let workspace = Workspace::copy_of(&["openapi"]);
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/changes.json");
    let rows: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(table).unwrap()).unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let document = row["document"].as_str().unwrap();
        let contract: Value =
            serde_json::from_str(&workspace.read(&format!("openapi/contract/{document}.json"))).unwrap();
        workspace.write(&format!("old/{document}/{document}.yaml"), &contract.to_string());
        let changed = edited(contract, row["edit"].as_object().unwrap());
        std::fs::remove_dir_all(workspace.path().join("new")).ok();
        workspace.write(&format!("new/{document}/{document}.yaml"), &changed.to_string());
        let found = changes(&workspace, &["--from", "old", "--to", "new"]);
        let told: Vec<Value> = found["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| {
                let keys = ["kind", "path", "inbound", "inboundClosed", "outbound"];
                keys.into_iter().map(|key| (key.to_owned(), change[key].clone())).collect()
            })
            .collect();
        let sorted = |mut changes: Vec<Value>| {
            changes.sort_by_key(Value::to_string);
            changes
        };
        assert_eq!(sorted(told), sorted(row["changes"].as_array().unwrap().clone()), "{}", row["change"]);
        std::fs::remove_dir_all(workspace.path().join("old")).unwrap();
    }
}
