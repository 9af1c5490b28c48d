//! The dependencies that a page names are enough for its examples, in a project that has no others.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const PAGES: [&str; 12] = [
    "README.md",
    "docs/call-the-api.md",
    "docs/receive-in-production.md",
    "docs/receive-notifications.md",
    "docs/receive-on-aws.md",
    "docs/test-a-handler.md",
    "crates/ampersand-aws/README.md",
    "crates/ampersand-client/README.md",
    "crates/ampersand-inbox/README.md",
    "crates/ampersand-notifications/README.md",
    "crates/ampersand-testing/README.md",
    "crates/ampersand-types/README.md",
];

/// The fenced blocks of a page in a language, with or without attributes, except those that do not compile.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    let head = |block: &'p str| block.lines().next().unwrap_or_default().split(',').collect::<Vec<_>>();
    let compiles = |head: &[&str]| !["compile_fail", "ignore"].iter().any(|not| head.contains(not));
    let of_language = fenced.filter(|block| head(block)[0] == language && compiles(&head(block)));
    of_language.map(|block| block.split_once('\n').unwrap().1).collect()
}

/// An example as a module. rustdoc hides lines that begin with `# `, and wraps code without a `main` in one.
fn module(index: usize, example: &str) -> String {
    let lines = example.lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
    let code: String = lines.map(|line| format!("{line}\n")).collect();
    let returns = code.lines().rev().find_map(|line| line.strip_prefix("Ok::<")?.strip_suffix(">(())"));
    let inside = match returns {
        _ if code.contains("fn main()") || !code.contains("\nlet ") => code,
        Some(result) => format!("fn example() -> Result<{result}> {{\n{code}}}\n"),
        None => format!("fn example() {{\n{code}}}\n"),
    };
    format!("mod example_{index} {{\n{inside}}}\n")
}

#[test]
fn the_dependencies_of_a_page_are_enough_for_its_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize().unwrap();
    // Uses the same profile, so that this reuses builds of the test, such as SQLite.
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let profile = manifest.split_once("[profile.dev]").unwrap().1.split_once("\n# The command").unwrap().0;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let place = tempfile::tempdir().unwrap();
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let (examples, dependencies) = (blocks(&text, "rust"), blocks(&text, "toml"));
        assert!(!examples.is_empty() && dependencies.len() == 1, "{page}");
        let project = place.path().join(page.replace(['/', '.'], "-").to_lowercase());
        fs::create_dir_all(project.join("src")).unwrap();
        fs::create_dir_all(project.join("tests")).unwrap();
        // The page's paths lead to these crates; all else is as in this workspace.
        let dependencies = dependencies[0].replace("../ampersand/", &format!("{}/", root.display()));
        let package = "[package]\nname = \"page\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
        fs::write(project.join("Cargo.toml"), format!("{package}\n{dependencies}\n[profile.dev]{profile}")).unwrap();
        fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
        fs::write(project.join("src/lib.rs"), "").unwrap();
        let modules = examples.iter().enumerate().map(|(index, example)| module(index, example));
        let modules = format!("#![allow(dead_code, unused, clippy::all)]\n{}", modules.collect::<String>());
        fs::write(project.join("tests/page.rs"), modules).unwrap();

        let check = Command::new(env!("CARGO"))
            .args(["check", "--tests", "--offline", "--quiet", "--color=never"])
            .current_dir(&project)
            .env("CARGO_TARGET_DIR", target)
            .output()
            .unwrap();
        assert!(check.status.success(), "{page}:\n{}", String::from_utf8_lossy(&check.stderr));
    }
}

#[test]
fn the_page_lists_what_its_code_needs() {
    let page = include_str!("../../docs/test-a-handler.md");
    let (manifest, code) = page.split_once("[dependencies]").unwrap().1.split_once("```").unwrap();
    let named = code.lines().filter_map(|line| line.strip_prefix("use ").or(line.strip_prefix("#[")));
    let needed: BTreeSet<&str> = named.filter_map(|path| Some(path.split_once("::")?.0)).collect();
    assert!(needed.len() >= 5, "{needed:?}");
    for name in needed.into_iter().filter(|name| *name != "std") {
        assert!(manifest.contains(&format!("\n{} = ", name.replace('_', "-"))), "{name}");
    }
}
