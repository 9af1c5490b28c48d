//! Tests of the rules of this repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The allowed dependencies between the workspace's crates: `name → its allowed dependencies`.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("ampersand-types", &["test-support"]),
    ("ampersand-client", &["ampersand-types", "test-support"]),
    ("ampersand-notifications", &["ampersand-types", "test-support"]),
    ("ampersand-aws", &["ampersand-notifications", "ampersand-types", "ampersand-testing", "test-support"]),
    ("ampersand-inbox", &["ampersand-notifications", "ampersand-types", "ampersand-testing"]),
    // It uses the client for the types of API responses, with the feature `api`.
    ("ampersand-testing", &["ampersand-types", "ampersand-client", "ampersand-notifications"]),
    (
        "ampersand-cli",
        &[
            "ampersand-types",
            "ampersand-client",
            "ampersand-notifications",
            "ampersand-aws",
            "ampersand-inbox",
            "ampersand-testing",
            "test-support",
        ],
    ),
    (
        "tests",
        &[
            "ampersand-types",
            "ampersand-client",
            "ampersand-notifications",
            "ampersand-aws",
            "ampersand-inbox",
            "ampersand-testing",
            "ampersand-cli",
            "test-support",
        ],
    ),
    (
        "peers",
        &[
            "ampersand-types",
            "ampersand-client",
            "ampersand-notifications",
            "ampersand-testing",
            "test-support",
            "tests",
        ],
    ),
    (
        "benchmarks",
        &["ampersand-types", "ampersand-client", "ampersand-notifications", "ampersand-aws", "ampersand-inbox"],
    ),
    // Generated code that does not compile must not keep `xtask` from generating it again.
    ("xtask", &["test-support"]),
    ("test-support", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The packages of the workspace, as cargo describes them.
fn packages() -> Vec<Value> {
    metadata(&["--no-deps"]).unwrap()
}

/// Packages as cargo describes them, or cargo's error message.
fn metadata(arguments: &[&str]) -> Result<Vec<Value>, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    Ok(metadata["packages"].as_array().unwrap().clone())
}

/// The dependencies of a package of these kinds: `null` (normal), `dev` and `build`.
fn dependencies<'a>(package: &'a Value, kinds: &[Value]) -> BTreeSet<&'a str> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dependency| kinds.contains(&dependency["kind"])).map(|d| d["name"].as_str().unwrap()).collect()
}

/// The files below a folder, except build output, and folders whose names begin with `.git`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != ".aws-sam" && !name.starts_with(".git") {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

/// The crates in the build of a package. A crate of ours is built without its default features.
fn tree(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--edges=normal,build", "--prefix=none"])
        .args(package.starts_with("ampersand-").then_some("--no-default-features"))
        .args(["--no-dedupe", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn crates_use_only_those_that_they_may() {
    let any = [Value::Null, "dev".into(), "build".into()];
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) = MAY_USE.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} is new"));
        for used in dependencies(package, &any).intersection(&ours) {
            assert!(allowed.contains(used), "{name} must not depend on {used}");
        }
        // A published crate cannot depend on it, as it is not published.
        let built = dependencies(package, &[Value::Null, "build".into()]);
        assert!(!built.contains("test-support"), "{name}: test-support is for tests alone");
    }
}

#[test]
fn generators_are_dependencies_of_xtask_alone_and_nothing_is_generated_in_a_build() {
    let any = [Value::Null, "dev".into(), "build".into()];
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        for generator in ["typify", "progenitor", "progenitor-client", "prettyplease", "syn", "quote"] {
            assert!(
                name == "xtask" || !dependencies(&package, &any).contains(generator),
                "{name} depends on {generator}"
            );
        }
        for target in package["targets"].as_array().unwrap() {
            for kind in ["custom-build", "proc-macro"] {
                assert!(!target["kind"].as_array().unwrap().contains(&kind.into()), "{name} has a {kind}");
            }
        }
    }
}

#[test]
fn the_types_are_cheap_to_depend_on() {
    let packages = packages();
    let types = packages.iter().find(|package| package["name"] == "ampersand-types").unwrap();
    let normal = dependencies(types, &[Value::Null]);
    assert_eq!(normal, BTreeSet::from(["jiff", "schemars", "serde", "serde_json"]));
    let optional = types["dependencies"].as_array().unwrap().iter().filter(|dependency| dependency["optional"] == true);
    assert_eq!(optional.map(|d| d["name"].as_str().unwrap()).collect::<Vec<_>>(), ["schemars"]);

    let crates = tree("ampersand-types");
    let crates: BTreeSet<&str> = crates.iter().map(String::as_str).collect();
    assert_eq!(
        crates,
        BTreeSet::from([
            "ampersand-types",
            "itoa",
            "jiff",
            "jiff-core",
            "memchr",
            "serde",
            "serde_core",
            "serde_json",
            "zmij"
        ])
    );
}

#[test]
fn verifying_and_normalising_take_no_runtime_and_no_network() {
    let crates = tree("ampersand-notifications");
    assert!(crates.contains("sha2"));
    for heavy in ["tokio", "hyper", "http", "reqwest", "rustls", "regex", "syn", "url"] {
        assert!(!crates.contains(heavy), "{heavy}");
    }
}

#[test]
fn an_inbox_takes_no_network_of_its_own() {
    let inbox = tree("ampersand-inbox");
    for heavy in ["rustls", "reqwest", "hyper", "tokio-postgres"] {
        assert!(!inbox.contains(heavy), "{heavy}");
    }
    let receiver: BTreeSet<String> = ["axum", "tokio", "ampersand-notifications"].into_iter().flat_map(tree).collect();
    let more: Vec<&String> = inbox.difference(&receiver).collect();
    assert!(more.len() <= 16, "{more:?}");
}

#[test]
fn lambda_takes_no_sdk_and_no_network() {
    let (aws, notifications) = (tree("ampersand-aws"), tree("ampersand-notifications"));
    let more: Vec<&String> = aws.difference(&notifications).collect();
    assert!(more.len() <= 10, "{more:?}");
    for heavy in ["aws-config", "aws_lambda_events", "http", "hyper", "lambda_runtime", "reqwest", "rustls", "syn"] {
        assert!(!aws.contains(heavy), "{heavy}");
    }
}

#[test]
fn no_aws_sdk_is_built_unless_a_feature_asks_for_it() {
    for package in packages() {
        let all = package["dependencies"].as_array().unwrap().iter();
        let mut sdk = all.filter(|dependency| dependency["name"].as_str().unwrap().starts_with("aws-"));
        assert!(sdk.all(|dependency| dependency["optional"] == true), "{}", package["name"]);
    }
}

#[test]
fn no_dependency_asks_for_a_newer_rust_than_the_workspace_says() {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let host = String::from_utf8(rustc).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["--locked", "--filter-platform", host];
    // Cargo has the source of the AWS SDK only if it was built before. In CI, the job `oldest-rust` builds it.
    let all = metadata(&[&arguments[..], &["--all-features"]].concat());
    let packages = all.or_else(|_| metadata(&arguments)).unwrap();
    let version = |package: &Value| -> Option<Vec<u32>> {
        package["rust_version"].as_str()?.split('.').map(|part| part.parse().ok()).collect()
    };
    let ours = packages.iter().find(|package| package["name"] == "ampersand-aws").and_then(version).unwrap();
    let newer = packages.iter().filter(|package| version(package).is_some_and(|version| version[..2] > ours[..2]));
    let newer: Vec<String> = newer.map(|package| format!("{} {}", package["name"], package["version"])).collect();
    assert!(packages.len() > 300 && newer.is_empty(), "{newer:?}");
}

#[test]
fn testing_takes_the_client_only_where_its_values_are_asked_for() {
    let crates = tree("ampersand-testing");
    for heavy in ["ampersand-client", "tokio", "reqwest"] {
        assert!(!crates.contains(heavy), "{heavy}");
    }
}

#[test]
fn the_client_is_no_more_than_its_transport_and_the_types() {
    let packages = packages();
    let client = packages.iter().find(|package| package["name"] == "ampersand-client").unwrap();
    assert_eq!(
        dependencies(client, &[Value::Null]),
        BTreeSet::from([
            "ampersand-types",
            "bytes",
            "fastrand",
            "futures-util",
            "http",
            "jiff",
            "percent-encoding",
            "reqwest",
            "rustls",
            "rustls-platform-verifier",
            "schemars",
            "serde",
            "serde_json",
            "tokio",
            "tracing"
        ])
    );
    let crates = tree("ampersand-client");
    for unwanted in ["native-tls", "openssl", "progenitor-client", "regex", "serde_urlencoded"] {
        assert!(!crates.contains(unwanted), "{unwanted}");
    }
}

#[test]
fn the_command_is_built_with_nothing_slow() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package=ampersand-cli", "--edges=normal,build", "--prefix=none", "--no-dedupe", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let syn: Vec<_> = crates.iter().filter(|name| name.starts_with("syn ")).collect();
    assert_eq!(syn.len(), 1, "{syn:?}");
    let slow = crates.iter().filter(|name| ["aws-lc", "bindgen", "icu_"].iter().any(|slow| name.starts_with(slow)));
    let slow: Vec<_> = slow.collect();
    assert!(slow.is_empty(), "see \"The first minute\" in CONTRIBUTING.md: {slow:?}");
    assert!(crates.len() <= 185, "{}", crates.len());
}

#[test]
fn packages_share_what_the_workspace_says() {
    for package in packages() {
        let manifest = fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let name = &package["name"];
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{name}");
        for field in ["edition", "rust-version", "license"] {
            assert_eq!(manifest["package"][field]["workspace"].as_bool(), Some(true), "{name}: {field}");
        }
        for table in ["dependencies", "dev-dependencies"] {
            for (dependency, is) in manifest.get(table).and_then(toml::Value::as_table).into_iter().flatten() {
                assert_eq!(is["workspace"].as_bool(), Some(true), "{name}: {dependency}");
            }
        }
    }
}

#[test]
fn generated_files_say_so_and_are_all_documented() {
    let generated =
        files(&root()).into_iter().filter(|path| path.components().any(|part| part.as_os_str() == "generated"));
    let mut seen = 0;
    for path in generated {
        let text = fs::read_to_string(&path).unwrap();
        // JSON has no comments.
        let says_so = text.starts_with("// @generated by `cargo xtask generate` from openapi/");
        assert!(says_so || path.extension().is_some_and(|kind| kind == "json"), "{}", path.display());
        assert!(!text.contains("Not documented yet"), "{}: see openapi/overlays", path.display());
        seen += 1;
    }
    assert!(seen > 25, "{seen}");
}

#[test]
fn no_published_document_and_nothing_of_a_machine_is_kept_here() {
    for path in files(&root()) {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let ours = ["openapi/overlays", "xtask/tests/second", "examples/aws/template.yaml"];
        let ours = ours.iter().any(|ours| name.starts_with(ours));
        let published = path.extension().is_some_and(|e| e == "yaml") && !ours;
        assert!(!published, "{name} looks like a published document");
        assert!(fs::metadata(&path).unwrap().len() < 1_000_000, "{name} is large");
    }
}
