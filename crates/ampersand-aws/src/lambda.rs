//! Runs a batch as a Lambda function.

use std::error::Error;

use ampersand_notifications::Delivery;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Batch, BatchResponse, EventError};

/// The runtime does not decode the event: one invalid string must not fail all records.
type Invocation = LambdaEvent<Box<RawValue>>;

/// With the feature `lambda`: the whole Lambda function. The handler is the same as for axum and an inbox.
///
/// Each invocation has a deadline, one second before Lambda's timeout. For each record that Lambda must send again,
/// `run_kinesis` and `run_sqs` emit a `tracing` event at the level `WARN`, with the record's identifier and the cause.
/// For a whole event, every function emits one. None has a body. Set up a subscriber to see them. No work is left after
/// a response, so nothing is lost when Lambda stops the process.
impl Batch {
    /// Runs a function that a Kinesis stream invokes. It calls [`kinesis`](Self::kinesis) for each invocation, until
    /// Lambda stops the process.
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
    /// When the function cannot reach Lambda's Runtime API. Return the error from `main`: Lambda starts a new process.
    ///
    /// # Panics
    ///
    /// When an environment variable that Lambda sets is missing, such as `AWS_LAMBDA_FUNCTION_NAME`.
    pub async fn run_kinesis<H, R, E>(self, handler: H) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        run(async |event| self.by_deadline(&event).kinesis(&*event.payload, &handler).await.inspect(log)).await
    }

    /// Runs a function that an SQS queue invokes. It calls [`sqs`](Self::sqs) for each invocation.
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

    /// Runs a function that S3 or SNS invokes. It calls [`all`](Self::all) for each invocation.
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
    let diagnosed = async move |event| function(event).await.map_err(diagnostic);
    lambda_runtime::run(service_fn(diagnosed)).await
}

/// Logs an error, and converts it for the Runtime API, which logs none.
fn diagnostic(error: EventError) -> Diagnostic {
    let error_message = error.to_string();
    tracing::warn!(cause = error_message, "Lambda sends the event again");
    Diagnostic { error_type: "ampersand_aws::EventError".to_owned(), error_message }
}

fn log(answer: &BatchResponse) {
    for failure in answer.failures() {
        tracing::warn!(id = failure.id, cause = %failure.cause, "Lambda sends a record again");
    }
}

#[cfg(test)]
mod tests {
    use ampersand_testing::{Fixture, aws};
    use test_support::log::Log;

    use super::*;

    #[tokio::test]
    async fn an_event_that_fails_as_a_whole_is_logged() {
        let event = aws::s3_event([&Fixture::new("connection.error")]);
        let failed = Batch::new().all(&event, async |_| Ok::<_, std::io::Error>(())).await;
        let (log, _guard) = Log::of_this_thread();
        let told = diagnostic(failed.expect_err("nothing fetches the object"));
        let line =
            format!("WARN ampersand_aws::lambda: Lambda sends the event again cause=\"{}\"\n", told.error_message);
        assert_eq!(log.lines("ampersand_aws"), line);
    }
}
