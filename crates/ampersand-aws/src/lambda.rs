//! Runs a batch as a function of Lambda.

use std::error::Error;

use ampersand_notifications::Delivery;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Batch, BatchResponse, EventError};

/// The runtime reads nothing inside the event: one string that is not valid must not refuse all records.
type Invocation = LambdaEvent<Box<RawValue>>;

/// With the feature `lambda`: the whole function of Lambda. The handler is the same that serves axum and an inbox.
///
/// Each invocation has a deadline, a second before Lambda's timeout. What Lambda must send again is an event of `tracing` at
/// the level `WARN`, with the identifier of the record and the cause, and never with a body: set up a subscriber to see it.
///
/// An answer leaves nothing behind, so there is nothing to do when Lambda stops the process.
impl Batch {
    /// Runs a function that a Kinesis stream invokes: [`kinesis`](Self::kinesis) for each invocation, until Lambda stops the
    /// process.
    ///
    /// ```no_run
    /// use ampersand_aws::Batch;
    /// use ampersand_notifications::Delivery;
    ///
    /// async fn handle(delivery: Delivery) -> Result<(), std::io::Error> {
    ///     println!("{:?}", delivery.group_ref());
    ///     Ok(())
    /// }
    ///
    /// #[tokio::main(flavor = "current_thread")]
    /// async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    ///     Batch::new().run_kinesis(handle).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// When Lambda's Runtime API cannot be used. Return it from `main`, and Lambda starts a new process.
    ///
    /// # Panics
    ///
    /// When an environment variable is missing that Lambda sets, such as `AWS_LAMBDA_FUNCTION_NAME`.
    pub async fn run_kinesis<H, R, E>(self, handler: H) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        run(async |event| self.by_deadline(&event).kinesis(&*event.payload, &handler).await.inspect(log)).await
    }

    /// Runs a function that an SQS queue invokes, with [`sqs`](Self::sqs) for each invocation.
    ///
    /// # Errors
    ///
    /// As [`run_kinesis`](Self::run_kinesis).
    ///
    /// # Panics
    ///
    /// As [`run_kinesis`](Self::run_kinesis).
    pub async fn run_sqs<H, R, E>(self, handler: H) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        run(async |event| self.by_deadline(&event).sqs(&*event.payload, &handler).await.inspect(log)).await
    }

    /// Runs a function that S3 or SNS invokes, with [`all`](Self::all) for each invocation.
    ///
    /// # Errors
    ///
    /// As [`run_kinesis`](Self::run_kinesis).
    ///
    /// # Panics
    ///
    /// As [`run_kinesis`](Self::run_kinesis).
    pub async fn run_all<H, R, E>(self, handler: H) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        run(async |event| self.by_deadline(&event).all(&*event.payload, &handler).await).await
    }

    fn by_deadline(&self, event: &Invocation) -> Self {
        self.clone().before_timeout(event.context.deadline)
    }
}

async fn run<A: Serialize>(
    function: impl AsyncFn(Invocation) -> Result<A, EventError>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let function = &function;
    let diagnosed = async move |event| {
        function(event).await.map_err(|error| Diagnostic {
            error_type: "ampersand_aws::EventError".to_owned(),
            error_message: error.to_string(),
        })
    };
    lambda_runtime::run(service_fn(diagnosed)).await
}

fn log(answer: &BatchResponse) {
    for failure in answer.failures() {
        tracing::warn!(id = failure.id, cause = %failure.cause, "Lambda sends a record again");
    }
}
