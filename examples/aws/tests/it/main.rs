//! Tests of the built binaries, as Lambda runs them: with the test's own Runtime API, and a simulated bucket and queue.
//!
//! The tests that `cargo xtask peers` runs use the functions that Cargo Lambda built, and servers that stand in for
//! AWS.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::print_stdout, reason = "cargo shows figures with `--nocapture`")]

mod consumer;
mod kinesis;
mod mapping;
mod moto;
mod objects;
mod peers;
mod redrive;
mod release;
mod resharding;
mod runtime_api;
mod s3;
mod script;
mod sqs;
mod webhooks;

const KINESIS: &str = env!("CARGO_BIN_EXE_kinesis");
const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const SQS: &str = env!("CARGO_BIN_EXE_sqs");
const WEBHOOKS: &str = env!("CARGO_BIN_EXE_webhooks");
