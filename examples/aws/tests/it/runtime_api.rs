//! Lambda's Runtime API, as a sandbox of Lambda offers it to a function.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::time::timeout;

/// What a function did with an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Response(Value),
    /// `errorType` and `errorMessage`.
    Error(Value),
    /// It did not respond in time, and was killed: start another one.
    Timeout,
}

struct Invocation {
    event: String,
    deadline: u128,
    answer: oneshot::Sender<Answer>,
}

struct Sandbox {
    next: AsyncMutex<mpsc::Receiver<Invocation>>,
    /// Keyed by the ids of the invocations.
    waiting: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    count: AtomicUsize,
    ready: Mutex<Option<oneshot::Sender<Instant>>>,
}

/// A process that runs a function, with its own Runtime API.
pub(crate) struct Function {
    child: AsyncMutex<Child>,
    invocations: mpsc::Sender<Invocation>,
    log: Arc<Mutex<String>>,
    /// The time from the start of the process to its first request for an event.
    pub(crate) cold_start: Duration,
}

impl Function {
    /// Starts a binary of this package, with these environment variables and those of Lambda.
    pub(crate) async fn start(binary: &str, settings: &[(&str, &str)]) -> Self {
        let (invocations, next) = mpsc::channel(1);
        let (ready, is_ready) = oneshot::channel();
        let sandbox = Arc::new(Sandbox {
            next: AsyncMutex::new(next),
            waiting: Mutex::default(),
            count: AtomicUsize::new(0),
            ready: Mutex::new(Some(ready)),
        });
        let api = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_event))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(outcome))
            .with_state(sandbox);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async { axum::serve(listener, api).await });

        let begun = Instant::now();
        let mut child = Command::new(binary)
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "ampersand")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "key")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("RUST_BACKTRACE", "0")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        tokio::spawn(copy(child.stdout.take().unwrap(), log.clone()));
        tokio::spawn(copy(child.stderr.take().unwrap(), log.clone()));
        let first = timeout(Duration::from_secs(30), is_ready).await;
        let first = first.unwrap_or_else(|_| panic!("it asks for no event:\n{}", log.lock().unwrap())).unwrap();
        Self { child: AsyncMutex::new(child), invocations, log, cold_start: first - begun }
    }

    /// Invokes the function with an event, and waits as long as Lambda would.
    pub(crate) async fn invoke(&self, event: &Value, within: Duration) -> Answer {
        self.invoke_raw(event.to_string(), within).await
    }

    pub(crate) async fn invoke_raw(&self, event: String, within: Duration) -> Answer {
        self.invoke_and_kill(event, within, within).await
    }

    /// Invokes the function with a deadline of `within`, and kills it after `killed`.
    pub(crate) async fn invoke_and_kill(&self, event: String, within: Duration, killed: Duration) -> Answer {
        let deadline = (SystemTime::now() + within).duration_since(UNIX_EPOCH).unwrap().as_millis();
        let (answer, answered) = oneshot::channel();
        let work = async {
            self.invocations.send(Invocation { event, deadline, answer }).await.ok()?;
            answered.await.ok()
        };
        match timeout(killed, work).await {
            Ok(Some(answer)) => answer,
            _ => {
                self.child.lock().await.kill().await.unwrap();
                Answer::Timeout
            }
        }
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

async fn next_event(State(sandbox): State<Arc<Sandbox>>) -> Response {
    if let Some(ready) = sandbox.ready.lock().unwrap().take() {
        ready.send(Instant::now()).unwrap();
    }
    let Some(Invocation { event, deadline, answer }) = sandbox.next.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let id = format!("8476a536-e9f4-11e8-9739-{:012}", sandbox.count.fetch_add(1, Ordering::Relaxed));
    sandbox.waiting.lock().unwrap().insert(id.clone(), answer);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:ampersand".to_owned()),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1".to_owned(),
        ),
    ];
    (headers, event).into_response()
}

async fn outcome(
    State(sandbox): State<Arc<Sandbox>>,
    Path((id, outcome)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    // A function may respond once.
    let Some(waiting) = sandbox.waiting.lock().unwrap().remove(&id) else {
        return StatusCode::NOT_FOUND;
    };
    let body = serde_json::from_slice(&body).unwrap();
    // After the deadline, no one waits for the response.
    let _ = waiting.send(if outcome == "response" { Answer::Response(body) } else { Answer::Error(body) });
    StatusCode::ACCEPTED
}

async fn copy(output: impl AsyncRead + Unpin, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().unwrap();
        log.push_str(&line);
        log.push('\n');
    }
}
