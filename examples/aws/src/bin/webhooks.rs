//! A Lambda function that receives webhooks, behind a function URL, API Gateway or a load balancer. It stores each in
//! the inbox of `INBOX_URL` before it responds. `WEBHOOK_SECRET` is the secret of the endpoint.
//!
//! Workers handle the deliveries elsewhere, in a process that runs `inbox.worker().run(handle)`, such as the binary
//! `sqs`.

use ampersand_notifications::Verifier;
use aws_examples::{BoxError, inbox, log, setting};
use axum::Router;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    log();
    let verifier = Verifier::new(&setting("WEBHOOK_SECRET")?)?;
    let app = Router::new().route("/ampersand", inbox().await?.webhook(verifier));
    ampersand_aws::serve(app).await
}
