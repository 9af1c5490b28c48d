//! A contract that is none of Ampersand's, with what theirs does not have: its code is generated into a workspace of its own,
//! compiled, and tried. See `tests/second`.

use std::path::Path;
use std::process::Command;

use crate::adapt::{copy, run, steps};
use crate::{Workspace, files};

/// A copy as the recipe has it, once all that is Ampersand's is gone.
fn workspace() -> Workspace {
    let workspace = copy();
    steps().iter().take(2).for_each(|step| run(&workspace, step));
    workspace.edit("Cargo.toml", r#"members = ["crates/*", "xtask"]"#, r#"members = ["crates/*", "tests"]"#);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (from, to) in [("tests/second", ""), ("../crates/test-support", "crates/test-support/")] {
        let from = root.join(from);
        for file in files(&from) {
            let path = file.strip_prefix(&from).unwrap().to_str().unwrap();
            workspace.write(&format!("{to}{path}"), &std::fs::read_to_string(&file).unwrap());
        }
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
    warning: GET /away (library) is left out: it is at /v2, where no other one is
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
