//! `update`: all that follows from a newer contract, in one go.

use std::fs;

use serde_json::{Value, json};

use crate::Workspace;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const NOTIFICATIONS: &str = "published/notifications/notifications.yaml";
const UPDATE: [&str; 7] = ["update", "--from", "published", "--rev", COMMIT, "--pull-request", "pull-request.md"];

/// A copy of this repository's contract and what is made of it, with a package whose test says what `TESTED` has.
fn workspace() -> Workspace {
    let folders = ["crates/ampersand-types/src/generated", "crates/ampersand-client/src/generated"];
    let workspace =
        Workspace::copy_of(&[&folders[..], &["openapi", "benches/generated", "tests/it/generated"]].concat());
    for (path, text) in [
        ("Cargo.toml", "[package]\nname = \"tried\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n"),
        ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"tried\"\nversion = \"0.0.0\"\n"),
        ("lib.rs", "#[test]\nfn tried() {\n    assert!(!std::path::Path::new(\"FAIL\").exists());\n}\n"),
        ("CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n"),
    ] {
        workspace.write(path, text);
    }
    let sources: toml::Table = workspace.read("openapi/sources.toml").parse().unwrap();
    for (name, entry) in sources["documents"].as_table().unwrap() {
        let path = entry.as_str().unwrap_or_else(|| entry["path"].as_str().unwrap());
        let contract = workspace.read(&format!("openapi/contract/{name}.json"));
        workspace.write(&format!("published/{path}"), &contract);
    }
    workspace.succeed(&["fetch", "--from", "published"]);
    workspace.succeed(&["generate"]);
    workspace
}

impl Workspace {
    fn publish(&self, change: impl FnOnce(&mut Value)) {
        self.publish_in(NOTIFICATIONS, |document| change(&mut document["components"]["schemas"]));
    }

    fn publish_in(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut document: Value = serde_json::from_str(&self.read(path)).unwrap();
        change(&mut document);
        self.write(path, &document.to_string());
    }

    /// The generated code, without the commits that it is of.
    fn code(&self) -> Vec<(String, String)> {
        let lines = |text: String| text.lines().filter(|line| !line.contains("as of commit")).collect::<String>();
        let code = self.tree("crates").into_iter().filter(|(path, _)| path.ends_with(".rs"));
        code.map(|(path, text)| (path, lines(text))).collect()
    }

    /// What `update` may write.
    fn written(&self) -> Vec<std::collections::BTreeMap<String, String>> {
        ["openapi", "crates", "CHANGELOG.md", "pull-request.md"].map(|path| self.tree(path)).into()
    }
}

fn region(schemas: &mut Value) {
    schemas["ConnectionData"]["properties"]["triedRegion"] = json!({ "type": "string" });
}

#[test]
fn a_change_is_followed_once() {
    let workspace = workspace();
    workspace.publish(region);
    let run = workspace.succeed(&UPDATE);
    assert!(run.err.contains("the meaning of the contract changed\n"), "{}", run.err);
    assert!(run.err.contains("next versions, at least: ampersand-types minor"), "{}", run.err);
    assert!(workspace.read("openapi/contract/notifications.json").contains("\"triedRegion\""));
    assert!(workspace.read("openapi/contract.lock").contains(COMMIT));
    assert!(workspace.read("crates/ampersand-types/src/generated/notifications.rs").contains("pub tried_region:"));
    insta::assert_snapshot!(workspace.read("CHANGELOG.md"));
    insta::assert_snapshot!("pull_request", workspace.read("pull-request.md"));

    let before = workspace.written();
    let again = workspace.succeed(&UPDATE);
    assert!(again.err.contains("nothing that a program could notice changed\n"), "{}", again.err);
    assert!(!again.err.contains("cargo test"), "{}", again.err);
    assert_eq!(workspace.written(), before);

    workspace.publish(|schemas| schemas["ConnectionData"]["properties"]["triedZone"] = json!({ "type": "string" }));
    workspace.succeed(&UPDATE);
    let log = workspace.read("CHANGELOG.md");
    assert!(
        log.contains("`ConnectionData.triedZone` is new") && log.contains("`ConnectionData.triedRegion` is new"),
        "{log}"
    );
}

#[test]
fn what_the_old_types_hold_leaves_them_as_they_are() {
    const API: &str = "published/api/api.yaml";
    const WEBHOOK: &str = "published/webhook/webhook.yaml";
    const KEPT: [&str; 2] = ["openapi/overlays/api.kept.yaml", "openapi/overlays/webhook.kept.yaml"];
    let workspace = workspace();
    let (before, published) = (workspace.code(), [API, WEBHOOK].map(|path| workspace.read(path)));
    workspace.publish_in(WEBHOOK, |webhook| {
        let schemas = &mut webhook["components"]["schemas"];
        schemas["AssociatedObject"]["properties"]["objectName"]["enum"] = json!(["account", "contact"]);
        schemas["AssociatedObject"]["properties"]["rawObjectName"]["format"] = json!("date-time");
        schemas["AssociatedObject"]["required"] = json!(["id", "rawObjectName"]);
        schemas["ResultEntry"]["properties"]["subscribeEventType"].as_object_mut().unwrap().remove("enum");
        schemas["ResultEntry"]["properties"]["raw"]["properties"] = json!({ "id": { "type": "string" } });
    });
    workspace.publish_in(API, |api| {
        let schemas = &mut api["components"]["schemas"];
        schemas["Maker"] = json!({ "type": "string", "enum": ["someone"] });
        schemas["Installation"]["properties"]["createdBy"] = json!({ "$ref": "#/components/schemas/Maker" });
        schemas["Status"] = schemas["Installation"]["properties"]["lastOperationStatus"].clone();
        schemas["Installation"]["properties"]["lastOperationStatus"] = json!({ "$ref": "#/components/schemas/Status" });
        let paths = &mut api["paths"];
        paths["/claimed-domains"]["get"]["parameters"][0]["required"] = json!(false);
        let body = &mut paths["/projects"]["post"]["requestBody"];
        body["content"]["application/json"]["schema"]["required"] = json!(["appName", "orgId"]);
        let body = &mut paths["/projects/{projectIdOrName}/integrations:batch"]["put"]["requestBody"];
        body["required"] = json!(false);
    });
    let run = workspace.succeed(&UPDATE);
    let versions = "next versions, at least: ampersand-types minor, ampersand-client minor,";
    assert!(run.err.contains(versions), "{}", run.err);
    assert!(run.err.contains("api.kept.yaml keeps Rust types as they were"), "{}", run.err);
    assert_eq!(workspace.code(), before);
    insta::assert_snapshot!("kept_of_the_api", workspace.read(KEPT[0]));
    insta::assert_snapshot!("kept_of_the_messages", workspace.read(KEPT[1]));

    // They stay where the contract goes on, and a value less of an enum that is kept away is no matter.
    workspace.publish(region);
    workspace.publish_in(WEBHOOK, |webhook| {
        let schemas = &mut webhook["components"]["schemas"];
        schemas["AssociatedObject"]["properties"]["objectName"]["enum"] = json!(["contact"]);
    });
    let kept = KEPT.map(|path| workspace.read(path));
    let run = workspace.succeed(&UPDATE);
    assert!(run.err.contains("at least: ampersand-types minor, "), "{}", run.err);
    assert_eq!(KEPT.map(|path| workspace.read(path)), kept);

    // Without them, the types follow the contract.
    for path in KEPT {
        fs::remove_file(workspace.path().join(path)).unwrap();
    }
    workspace.succeed(&["generate", "--allow-stale"]);
    assert!(workspace.read("crates/ampersand-types/src/generated/messages.rs").contains("AssociatedObjectObjectName"));

    // Where the contract is as it was, there is nothing to keep.
    for (path, text) in KEPT.iter().zip(&kept) {
        workspace.write(path, text);
    }
    for (path, text) in [API, WEBHOOK].iter().zip(&published) {
        workspace.write(path, text);
    }
    workspace.succeed(&UPDATE);
    assert!(KEPT.iter().all(|path| !workspace.path().join(path).exists()));
    workspace.write(KEPT[1], &kept[1]);
    let err = workspace.xtask(&["generate"]).err;
    let stale = "openapi/overlays/webhook.kept.yaml: action on `$.components.schemas.";
    assert_eq!(err.matches(stale).count(), kept[1].matches("- target").count(), "{err}");
}

#[test]
fn words_alone_change_the_lock_alone() {
    let workspace = workspace();
    workspace.publish(|schemas| schemas["ConnectionData"]["description"] = "Other words.".into());
    let before = workspace.written();
    let run = workspace.succeed(&UPDATE);
    assert!(run.err.contains("nothing that a program could notice changed\n"), "{}", run.err);
    let mut after = workspace.written();
    let lock = "openapi/contract.lock";
    assert_ne!(after[0].insert(lock.to_owned(), before[0][lock].clone()).unwrap(), before[0][lock]);
    assert_eq!(after, before);
}

#[test]
fn what_cannot_be_fetched_leaves_everything_as_it_was() {
    let workspace = workspace();
    workspace.publish(region);
    fs::remove_file(workspace.path().join("published/config/config.yaml")).unwrap();
    let before = workspace.tree("");
    let run = workspace.xtask(&UPDATE);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("config/config.yaml: not found"), "{}", run.err);
    assert_eq!(workspace.tree(""), before);

    let changelog = workspace.read("CHANGELOG.md").replace("Unreleased", "0.1.0");
    workspace.write("published/config/config.yaml", &workspace.read("openapi/contract/config.json"));
    workspace.write("CHANGELOG.md", &changelog);
    let before = workspace.tree("");
    let run = workspace.xtask(&UPDATE);
    assert!(run.err.contains("CHANGELOG.md has no \"## Unreleased\""), "{}", run.err);
    assert_eq!((run.code, workspace.tree("")), (1, before));
}

#[test]
fn where_overlays_are_stale_it_says_how_to_go_on() {
    let workspace = workspace();
    workspace.publish(|schemas| {
        schemas["ReadTriggeredDoneData"]["allOf"][1]["properties"].as_object_mut().unwrap().remove("untilTimestamp");
    });
    let code = workspace.tree("crates");
    let run = workspace.xtask(&UPDATE);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("what is generated is as it was: mend openapi/overlays"), "{}", run.err);
    assert_eq!(workspace.tree("crates"), code);
    assert!(
        workspace.read("CHANGELOG.md").contains("**Breaking**, `ampersand-types`"),
        "{}",
        workspace.read("CHANGELOG.md")
    );
    let told = workspace.read("pull-request.md");
    assert!(told.contains("**Nothing could be generated**") && told.contains("untilTimestamp"), "{told}");
}

#[test]
fn tests_that_fail_are_told() {
    let workspace = workspace();
    workspace.publish(region);
    workspace.write("FAIL", "");
    workspace.write("tests/a.snap.new", "");
    let run = workspace.xtask(&UPDATE);
    assert_eq!(run.code, 1);
    assert!(run.err.ends_with(
        "error: `cargo test --workspace` fails\n  test tried ... FAILED\nsnapshots to be looked at (`cargo insta review`):\n  \
         tests/a.snap.new\n"
    ), "{}", run.err);
    assert!(workspace.read("pull-request.md").contains("**The tests fail**"));
}
