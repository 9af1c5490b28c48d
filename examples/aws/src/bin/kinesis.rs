//! A Lambda function that handles the deliveries of a Kinesis stream.
//!
//! It stores records that it cannot read in the bucket `PARK_BUCKET`, so they do not block others.

use std::convert::Infallible;
use std::sync::Arc;

use ampersand_aws::{Batch, Unreadable};
use ampersand_notifications::Delivery;
use aws_examples::{BoxError, aws, log, setting};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use tokio::sync::OnceCell;

/// Handles a delivery. Put your code here. It may get the same delivery again, so deduplicate by its id.
async fn handle(delivery: Delivery) -> Result<(), Infallible> {
    tracing::info!(id = delivery.id(), group = delivery.group_ref().as_deref(), "handled");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    log();
    let bucket = Arc::new(Bucket { name: setting("PARK_BUCKET")?, client: OnceCell::new() });
    let park = move |unreadable| {
        let bucket = bucket.clone();
        async move {
            let log = |error: &BoxError| tracing::error!(error = %DisplayErrorContext(&**error), "not parked");
            bucket.park(unreadable).await.inspect_err(log)
        }
    };
    Batch::new().park(park).run_kinesis(handle).await
}

struct Bucket {
    name: String,
    /// Created for the first parked record. Most functions never need it, and start faster without it.
    client: OnceCell<Client>,
}

impl Bucket {
    /// Stores a record under its sequence number, so a repeat replaces the same object.
    async fn park(&self, unreadable: Unreadable) -> Result<(), BoxError> {
        let connect = async || Client::new(&aws().load().await);
        let client = self.client.get_or_init(connect).await;
        let key = format!("unreadable/{}.json", unreadable.id.as_deref().unwrap_or_default());
        tracing::warn!(key, reason = %unreadable.error, "a record that cannot be read is parked");
        client.put_object().bucket(&self.name).key(key).body(unreadable.record.into_bytes().into()).send().await?;
        Ok(())
    }
}
