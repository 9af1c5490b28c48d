//! Tells the function `scripted` what to do with each delivery.

use std::cell::Cell;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use test_support::lambda_simulator::{Answer, Attempt, Shared};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::runtime_api::{self, Function};

/// Lambda's timeout. Its last second is for the response.
const TIMEOUT: Duration = Duration::from_millis(1300);

/// Answers each question with what `script` says: `ok`, `fail`, `panic` or `hang`. Returns the address.
pub(crate) async fn serve(script: impl Fn(&str) -> &'static str + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let mut connection = BufReader::new(connection);
            let mut question = String::new();
            // A killed function asks nothing more.
            if connection.read_line(&mut question).await.is_ok_and(|length| length > 0) {
                let _ = connection.write_all(script(question.trim_end()).as_bytes()).await;
            }
        }
    });
    address
}

/// Begins an attempt at a record, and returns its outcome.
pub(crate) fn attempt(world: &Shared, index: usize, is_readable: bool) -> &'static str {
    match world.begin(index, is_readable) {
        Some(Attempt::Fails) => "fail",
        Some(Attempt::Panics) => "panic",
        Some(Attempt::Hangs) => "hang",
        None => {
            world.done(index);
            "ok"
        }
    }
}

/// Starts the function `scripted` for records of `kinesis`, `sqs` or `s3`.
pub(crate) async fn start(binary: &str, source: &str, script: &str) -> Function {
    Function::start(binary, &[("SOURCE", source), ("SCRIPT", script)]).await
}

/// The function `scripted`, which is killed now and then, and whose responses are lost now and then.
pub(crate) struct Unreliable {
    binary: String,
    source: &'static str,
    script: String,
    function: Mutex<Function>,
    pub(crate) figures: Cell<Figures>,
}

/// How often a function was invoked, and with what results.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) invocations: usize,
    pub(crate) killed: usize,
    pub(crate) lost: usize,
}

impl Unreliable {
    pub(crate) async fn start(binary: &str, source: &'static str, script: String) -> Self {
        let function = Mutex::new(start(binary, source, &script).await);
        Self { binary: binary.to_owned(), source, script, function, figures: Cell::default() }
    }

    pub(crate) async fn invoke(&self, event: &Value, rng: &mut Rng) -> Result<Answer, String> {
        let mut function = self.function.lock().await;
        let mut figures = self.figures.get();
        figures.invocations += 1;
        // A batch takes about a millisecond, depending on the build.
        let killed = if rng.u8(..) < 25 { Duration::from_micros(100 << rng.u8(..8)) } else { TIMEOUT };
        let answer = match function.invoke_and_kill(event.to_string(), TIMEOUT, killed).await {
            runtime_api::Answer::Error(error) => return Err(error.to_string()),
            runtime_api::Answer::Response(_) if rng.u8(..) < 25 => {
                figures.lost += 1;
                None
            }
            runtime_api::Answer::Response(answer) => Some(identifiers(&answer)),
            runtime_api::Answer::Timeout => {
                figures.killed += 1;
                *function = start(&self.binary, self.source, &self.script).await;
                None
            }
        };
        self.figures.set(figures);
        Ok(answer)
    }
}

/// The identifiers of the failed records in a function's response.
pub(crate) fn identifiers(answer: &Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array().unwrap().iter();
    failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}
