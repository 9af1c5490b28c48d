//! What the tests that `cargo xtask peers` runs are given: servers, scripts of Python, and the functions that Cargo Lambda built.

use std::env;
use std::process::Command;

use ampersand_testing::{Envelope, Fixture};
use serde_json::json;

/// An environment variable of `cargo xtask peers`.
pub(crate) fn setting(name: &str) -> String {
    env::var(name).expect("run by `cargo xtask peers`")
}

/// A function that Cargo Lambda built.
pub(crate) fn built(function: &str) -> String {
    format!("{}/{function}/bootstrap", setting("PEERS_LAMBDA"))
}

/// A script of `tests/peers`, and the address of the server that it takes.
pub(crate) fn python(script: &str, server: &str) -> Command {
    let mut python = Command::new(setting("PEERS_PYTHON"));
    python.arg(format!("{}/../../tests/peers/{script}", env!("CARGO_MANIFEST_DIR"))).arg(setting(server));
    python
}

/// A delivery as a record of Kinesis: the scripts take these, a line each.
pub(crate) fn line(fixture: &Fixture) -> String {
    String::from_utf8(fixture.send(Envelope::Kinesis).body).unwrap()
}

/// Deliveries with the ids from 0 on.
pub(crate) fn lines(count: usize) -> Vec<String> {
    (0..count).map(|index| line(&Fixture::new("connection.created").with_id(index.to_string()))).collect()
}

/// A record that cannot be read: it does not tell its type.
pub(crate) fn unreadable(id: &str) -> String {
    json!({"data": {}, "metadata": {"event-id": id}}).to_string()
}
