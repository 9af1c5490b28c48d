//! The built binaries, as Lambda runs them: against a Runtime API of the test's own, and a bucket and a queue that are made up.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::print_stdout, reason = "cargo shows figures with `--nocapture`")]

mod kinesis;
mod mapping;
mod runtime_api;
mod s3;
mod script;
mod sqs;
mod webhooks;

#[path = "../../../../crates/ampersand-aws/tests/it/simulator.rs"]
mod simulator;

const KINESIS: &str = env!("CARGO_BIN_EXE_kinesis");
const SQS: &str = env!("CARGO_BIN_EXE_sqs");
const WEBHOOKS: &str = env!("CARGO_BIN_EXE_webhooks");
