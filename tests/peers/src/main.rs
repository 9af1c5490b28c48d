//! `cargo xtask peers` runs the tests against third-party implementations in Python and Node, with a Postgres server,
//! and with servers that stand in for AWS.
//!
//! The files beside this list what the tests need, with pinned versions. It is installed once, below the target folder.

#![allow(clippy::indexing_slicing, reason = "a `Value` without such a member gives `null`")]

mod aws;
mod postgres;

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The files that pin the versions.
const PINS: [&str; 3] = ["requirements.txt", "package.json", "package-lock.json"];

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the workspace")?;
    let target = target(root)?;
    let place = target.join("peers");
    install(Path::new(env!("CARGO_MANIFEST_DIR")), &place)?;
    let built = Built::all(root)?;
    let mut peers = built.tests("peers", "it")?;
    peers.env("PEERS_PYTHON", python(&place)).env("PEERS_NODE", "node");
    peers.env("PEERS_AMPERSAND", built.program("ampersand-cli", "ampersand")?);
    match program_of_system("chromium", "chromium fonts-dejavu-core", "usr/lib/chromium/chromium", &place) {
        Ok(chromium) => drop(peers.env("PEERS_CHROMIUM", chromium)),
        Err(error) => {
            say(format!("NOT TESTED: the page of `ampersand inspect`, which takes a browser: {error:#}"));
            peers.args(["--skip", "inspect::the_page"]);
        }
    }
    run(peers.env("NODE_PATH", place.join("node_modules")))?;

    let server = postgres::Server::start(&place)?;
    run(built.tests("ampersand-cli", "it")?.env("PEERS_POSTGRES", &server.url))?;
    let mut inbox = built.tests("ampersand-inbox", "ampersand_inbox")?;
    run(inbox.args(["--skip", "points::child"]).env("PEERS_POSTGRES", &server.url))?;
    aws::peers(root, &place, &server.url)?;
    drop(server);

    // These tests crash the server. A server with few databases restarts fast.
    let server = postgres::Server::start(&place)?;
    let mut inbox = built.tests("ampersand-inbox", "it")?;
    inbox.args(["peers::", "--skip", "sync::child"]);
    match program_of_system("strace", "strace", "usr/bin/strace", &place) {
        Ok(strace) => drop(inbox.env("PEERS_STRACE", strace)),
        Err(error) => {
            say(format!("NOT TESTED: that the disk is synced before the answer, which strace shows: {error:#}"));
            inbox.args(["--skip", "sync::"]);
        }
    }
    run(inbox.env("PEERS_POSTGRES", &server.url).env("PEERS_POSTGRES_RESTART", server.restart()))
}

/// Cargo's messages about the programs that it builds.
struct Built(Vec<Value>);

impl Built {
    /// Builds everything as `cargo test --workspace` does, after which little is left to build, and the command with
    /// Postgres.
    fn all(root: &Path) -> Result<Self> {
        let test = ["test", "--workspace", "--features", "ampersand-cli/postgres", "--locked", "--no-run"];
        let mut cargo = cargo(root);
        let said =
            cargo.args(test).arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit()).output()?;
        if !said.status.success() {
            bail!("cargo failed: {}", said.status);
        }
        Ok(Self(serde_json::Deserializer::from_slice(&said.stdout).into_iter().collect::<Result<_, _>>()?))
    }

    /// Finds a program, and the folder of its package.
    fn find(&self, package: &str, name: &str, is_test: bool) -> Result<(&str, &Path)> {
        let found = self.0.iter().find_map(|said| {
            let folder = Path::new(said["manifest_path"].as_str()?).parent()?;
            let is_it =
                folder.ends_with(package) && said["target"]["name"] == name && said["profile"]["test"] == is_test;
            said["executable"].as_str().filter(|_| is_it).map(|program| (program, folder))
        });
        found.with_context(|| format!("cargo has not built {name} of {package}"))
    }

    fn program(&self, package: &str, name: &str) -> Result<&str> {
        Ok(self.find(package, name, false)?.0)
    }

    /// The tests of a package that only this command runs.
    fn tests(&self, package: &str, name: &str) -> Result<Command> {
        let (program, folder) = self.find(package, name, true)?;
        let mut tests = Command::new(program);
        tests.arg("--ignored").current_dir(folder);
        Ok(tests)
    }
}

/// Finds a program of the system, or else downloads it from Debian's packages and unpacks it below the target folder,
/// which needs no root.
fn program_of_system(name: &str, packages: &str, path: &str, place: &Path) -> Result<PathBuf> {
    let runs = |program: &Path| Command::new(program).arg("--version").output().is_ok_and(|it| it.status.success());
    let (installed, unpacked) = (PathBuf::from(name), place.join(name));
    if runs(&installed) {
        return Ok(installed);
    }
    let program = unpacked.join("run");
    if !runs(&program) {
        let fetch = format!(
            r#"apt-get -qq update || true
            apt-get -qq --print-uris --no-install-recommends install {packages} | cut -d ' ' -f 2 | cut -d _ -f 1 > missing
            apt-get -qq -o APT::Sandbox::User=root download $(cat missing)
            for package in *.deb; do dpkg-deb -x "$package" .; rm "$package"; done
            test -e /etc/fonts/fonts.conf || fonts="FONTCONFIG_SYSROOT=$PWD"
            printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" %s exec "%s" "$@"\n' \
                "$(find "$PWD" -name '*.so*' -printf '%h\n' | sort -u | paste -s -d :)" "$fonts" "$PWD/{path}" > run
            chmod +x run"#
        );
        fs::create_dir_all(&unpacked)?;
        run(Command::new("sh").args(["-ec", &fetch]).current_dir(&unpacked))
            .with_context(|| format!("fetch {name}"))?;
    }
    if !runs(&program) {
        bail!("{name} does not run: install it");
    }
    Ok(program)
}

/// Installs the pinned packages, unless they are there.
fn install(pins: &Path, place: &Path) -> Result<()> {
    let mut wanted = version("python3", "Python 3.11 or newer")?;
    wanted += &version("node", "Node 20 or newer")?;
    wanted += &version("npm", "Node's package manager")?;
    for pin in PINS {
        wanted += &fs::read_to_string(pins.join(pin)).with_context(|| format!("tests/peers/{pin}"))?;
    }
    let stamp = place.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }

    say(format!("installing peers into {}", place.display()));
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    fs::create_dir_all(place)?;
    run(Command::new("python3").args(["-m", "venv"]).arg(place.join("python")))?;
    // Without `--no-deps`, this would also install packages that are not pinned. A test fails if one is missing.
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
    run(Command::new(python(place)).args(pip).arg(pins.join("requirements.txt")))?;
    for pin in ["package.json", "package-lock.json"] {
        fs::copy(pins.join(pin), place.join(pin))?;
    }
    run(Command::new("npm")
        .args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(place))?;
    postgres::link(place)?;
    Ok(fs::write(stamp, wanted)?)
}

/// Returns the version of a program, or an error that says what to install.
fn version(program: &str, which: &str) -> Result<String> {
    let output = Command::new(program).arg("--version").output();
    match output {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        _ => bail!("`{program}` does not run: install {which}"),
    }
}

fn python(place: &Path) -> PathBuf {
    program(place, "python")
}

/// The path of a program from a Python package.
fn program(place: &Path, name: &str) -> PathBuf {
    let folder = place.join(if cfg!(windows) { "python/Scripts" } else { "python/bin" });
    folder.join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

/// The folder where cargo builds, however it is set.
fn target(root: &Path) -> Result<PathBuf> {
    let output = cargo(root).args(["metadata", "--format-version=1", "--no-deps", "--offline"]).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    metadata["target_directory"].as_str().map(PathBuf::from).context("cargo metadata names no target folder")
}

fn cargo(root: &Path) -> Command {
    let cargo = std::env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.current_dir(root);
    command
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let status = command.status().with_context(|| program.clone())?;
    if !status.success() {
        bail!("{program} failed: {status}");
    }
    Ok(())
}

/// Prints a line for the user, who may have closed the terminal.
fn say(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", line.as_ref());
}
