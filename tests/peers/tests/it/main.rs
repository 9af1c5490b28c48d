//! Compares our crates with third-party implementations. `cargo xtask peers` installs those and runs these tests.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod api;
mod aws;
mod cli;
mod client;
mod inspect;
mod prism;
mod signatures;
mod urls;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// A script of this folder. It answers questions, one line of JSON each, and ends with its input.
struct Peer {
    script: Child,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts a script with the interpreter that `cargo xtask peers` set up for its language.
    fn start(script: &str, arguments: &[&str]) -> Self {
        let interpreter = if script.ends_with(".py") { "PEERS_PYTHON" } else { "PEERS_NODE" };
        let interpreter = std::env::var_os(interpreter).expect("run by `cargo xtask peers`");
        let mut script = Command::new(interpreter)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(script.stdout.take().unwrap());
        Self { script, answers }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.script.stdin.as_ref().unwrap(), "{question}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error} in the answer {answer:?}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.script.wait(); // which closes its input
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn decode(text: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap()
}
