//! Tests the page of `ampersand inspect` in a real browser: `inspect.cjs` uses it as its users do.

use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn the_page_works_in_a_browser() {
    let node = std::env::var_os("PEERS_NODE").expect("run by `cargo xtask peers`");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("inspect.cjs");
    assert!(Command::new(node).arg(script).status().unwrap().success(), "see above");
}

/// The page's libraries are byte for byte those of npm.
#[test]
#[ignore = "run by `cargo xtask peers`"]
fn what_the_page_loads_is_what_was_published() {
    let installed = std::env::var_os("NODE_PATH").expect("run by `cargo xtask peers`");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/ampersand-cli/src/cmd/inspect/page/vendor");
    for (file, published) in [
        ("preact.mjs", "preact/dist/preact.mjs"),
        ("preact.LICENSE", "preact/LICENSE"),
        ("htm.mjs", "htm/dist/htm.mjs"),
        ("htm.LICENSE", "htm/LICENSE"),
    ] {
        let read = |path: &Path| std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(read(&own.join(file)) == read(&Path::new(&installed).join(published)), "{file}");
    }
}
