//! The recipe of `docs/adapt.md`: every command of the page, run in a copy.

use std::path::Path;
use std::process::Command;

use crate::Workspace;

/// The shell commands of the page, a block for each step.
pub(crate) fn steps() -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/adapt.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let plain = |block: &str| {
        let indent = block.len() - block.trim_start().len();
        block.lines().map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect()
    };
    blocks.map(plain).collect()
}

/// A copy of what the recipe begins with.
pub(crate) fn copy() -> Workspace {
    Workspace::copy_of(&["Cargo.toml", "Cargo.lock", "crates", "openapi", "xtask/Cargo.toml", "xtask/src/main.rs"])
}

/// Runs commands, with the `xtask` that is tested. Fails if the compiler warns about the crates.
pub(crate) fn run(workspace: &Workspace, commands: &str) {
    const CARGO: &str = r#"set -eu
cargo() { if [ "$1" = xtask ]; then shift; "$XTASK" --root "$PWD" "$@"; else "$CARGO" "$@" --quiet; fi; }
"#;
    // Where the dependencies are built already.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new("bash")
        .args(["-c", &format!("{CARGO}{commands}")])
        .env("CARGO", env!("CARGO"))
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "")
        .env("XTASK", env!("CARGO_BIN_EXE_xtask"))
        .current_dir(workspace.path())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && !err.contains("--> crates/"), "{commands}{out}{err}");
}

#[test]
fn another_contract_takes_ten_steps() {
    let (workspace, steps) = (copy(), steps());
    assert_eq!(steps.len(), 10);
    for step in &steps {
        run(&workspace, step);
    }
    let events = workspace.read("crates/ampersand-types/src/generated/events.rs");
    for expected in ["/// What somebody bought.", "/// What the customer wrote.", "OrderPaid(Order)"] {
        assert!(events.contains(expected), "{expected}: {events}");
    }
}
