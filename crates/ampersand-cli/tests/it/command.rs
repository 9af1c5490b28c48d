//! Runs the built command in the folder of the corpus.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::thread;

use test_support::corpus;

/// The output of a command, and its exit code.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, stdout, stderr } = self;
        write!(f, "exit code {code}\n-- stdout\n{stdout}-- stderr\n{stderr}")
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

pub(crate) fn command<A: AsRef<str>>(arguments: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ampersand"));
    command.args(arguments.iter().map(AsRef::as_ref)).current_dir(corpus::root());
    for variable in [
        "AMPERSAND_API_KEY",
        "AMPERSAND_API_URL",
        "AMPERSAND_BEARER_TOKEN",
        "AMPERSAND_STORE",
        "AMPERSAND_WEBHOOK_SECRET",
        "CLICOLOR_FORCE",
        "COLUMNS",
    ] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn run<A: AsRef<str>>(arguments: &[A]) -> Run {
    command(arguments).stdin(Stdio::null()).output().unwrap().into()
}

/// Runs the command with a text as stdin, written at once.
pub(crate) fn run_on<A: AsRef<str>>(stdin: impl AsRef<[u8]>, arguments: &[A]) -> Run {
    feed(command(arguments), stdin)
}

pub(crate) fn feed(mut command: Command, stdin: impl AsRef<[u8]>) -> Run {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut pipe, stdin) = (child.stdin.take().unwrap(), stdin.as_ref().to_owned());
    let writer = thread::spawn(move || {
        let _ = pipe.write_all(&stdin);
    });
    let run = child.wait_with_output().unwrap().into();
    writer.join().unwrap();
    run
}

/// Returns the sorted paths of the payloads in a folder of the corpus. Metadata files are not payloads.
pub(crate) fn payloads(folder: &str) -> Vec<String> {
    let payloads = corpus::payloads(folder).into_iter();
    let mut paths: Vec<String> = payloads.map(|payload| format!("{folder}/{}.json", payload.name)).collect();
    paths.sort();
    paths
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(corpus::root().join(path)).unwrap()
}
