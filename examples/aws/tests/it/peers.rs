//! The settings of `cargo xtask peers` for its tests: servers, Python scripts, and the functions that Cargo Lambda
//! built.

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

/// A Python script of `tests/peers`, with the address of its server.
pub(crate) fn python(script: &str, server: &str) -> Command {
    let mut python = Command::new(setting("PEERS_PYTHON"));
    python.arg(format!("{}/../../tests/peers/{script}", env!("CARGO_MANIFEST_DIR"))).arg(setting(server));
    python
}

/// A delivery as a Kinesis record: the scripts take one per line.
pub(crate) fn line(fixture: &Fixture) -> String {
    String::from_utf8(fixture.send(Envelope::Kinesis).body).unwrap()
}

/// Deliveries with the ids from 0 on.
pub(crate) fn lines(count: usize) -> Vec<String> {
    (0..count).map(|index| line(&Fixture::new("connection.created").with_id(index.to_string()))).collect()
}

/// A record that cannot be read, as it does not name its type.
pub(crate) fn unreadable(id: &str) -> String {
    json!({"data": {}, "metadata": {"event-id": id}}).to_string()
}
