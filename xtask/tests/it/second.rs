//! A contract that is none of Ampersand's, with what theirs does not have: its code is generated into a workspace of its own,
//! compiled, and tried. See `tests/second`.

use std::path::Path;
use std::process::Command;

use crate::{Workspace, files};

/// The text without the dependencies and the targets of tests, which are about our contract.
fn without_tests(manifest: &str) -> String {
    let tables = manifest.split("\n[");
    let kept = tables.filter(|table| !table.starts_with("dev-dependencies]") && !table.starts_with("[test]]"));
    kept.collect::<Vec<_>>().join("\n[")
}

fn workspace() -> Workspace {
    let workspace = Workspace::copy_of(&[
        "Cargo.toml",
        "Cargo.lock",
        "crates/ampersand-client/Cargo.toml",
        "crates/ampersand-client/README.md",
        "crates/ampersand-client/src",
        "crates/ampersand-types/Cargo.toml",
        "crates/ampersand-types/README.md",
        "crates/ampersand-types/src",
        "crates/test-support/Cargo.toml",
        "crates/test-support/src",
    ]);
    for krate in ["types", "client"] {
        let manifest = format!("crates/ampersand-{krate}/Cargo.toml");
        workspace.write(&manifest, &without_tests(&workspace.read(&manifest)));
        std::fs::remove_dir_all(workspace.path().join(format!("crates/ampersand-{krate}/src/generated"))).unwrap();
    }
    workspace.edit(
        "Cargo.toml",
        r#"members = ["benches", "crates/*", "tests", "xtask"]"#,
        r#"members = ["crates/*", "tests"]"#,
    );
    // What is written by hand for Ampersand's configurations.
    let types = "crates/ampersand-types/src/lib.rs";
    for (old, new) in [
        ("mod config_change;\nmod config_compare;\n", ""),
        ("mod json_meaning;\n", ""),
        ("pub use config_change::{ConfigAction, ConfigChange};\n", ""),
        ("    pub mod config;\n    pub mod messages;\n    pub mod notifications;\n", "    pub mod events;\n"),
        ("pub use generated::{config, messages, notifications};", "pub use generated::events;"),
    ] {
        workspace.edit(types, old, new);
    }
    workspace.edit("crates/ampersand-client/src/lib.rs", "mod config;\n", "");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second");
    for file in files(&ours) {
        let path = file.strip_prefix(&ours).unwrap().to_str().unwrap();
        workspace.write(path, &std::fs::read_to_string(&file).unwrap());
    }
    workspace
}

#[test]
fn a_contract_of_others_is_compiled_and_tried() {
    let workspace = workspace();
    workspace.succeed(&["fetch", "--from", "published"]);
    let said = workspace.succeed(&["generate"]).err;
    let left_out: Vec<&str> = said.lines().filter(|line| line.contains(" is left out: ")).collect();
    insta::assert_snapshot!(left_out.join("\n"), @"
    warning: GET /models (library) is left out: it is at https://models.library.example, where no other one is
    warning: PUT /models (library) is left out: its body has parts, which the client does not write
    warning: DELETE /project/{matrix} (library) is left out: `session` is a cookie, which the client does not send
    warning: GET /project/{matrix} (library) is left out: the style `matrix` of `matrix` is not supported
    warning: `session` of POST /shelves (library) is left out: the client sends no cookies
    warning: OPTIONS /loans/{id}/{id}/notes/{note}.json (desk) is left out: its method is for what stands between a client and a server
    warning: TRACE /loans/{id}/{id}/notes/{note}.json (desk) is left out: its method is for what stands between a client and a server
    ");
    assert!(workspace.succeed(&["check"]).err.ends_with("everything is up to date\n"));
    // Where the dependencies of the client are built already.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["test", "--package=tests", "--offline", "--quiet"])
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "")
        .current_dir(workspace.path())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && !err.contains("warning"), "{out}{err}");
}
