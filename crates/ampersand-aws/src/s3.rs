//! Fetches objects with the AWS SDK.

use std::error::Error;
use std::iter::successors;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata as _};

use crate::{Batch, Fetched, Object};

impl Batch {
    /// Fetches S3 objects with `GetObject` of the AWS SDK, in the version that the notification names. See
    /// [`fetch`](Self::fetch).
    ///
    /// The role needs `s3:GetObject` and, for a bucket with versions, `s3:GetObjectVersion`. If an object cannot be
    /// fetched, the function emits a `tracing` event at the level `WARN`, with the bucket, the key and the reason.
    ///
    /// ```no_run
    /// use ampersand_aws::Batch;
    ///
    /// fn batch(client: aws_sdk_s3::Client) -> Batch {
    ///     Batch::new().s3(client)
    /// }
    /// ```
    #[must_use]
    pub fn s3(self, client: Client) -> Self {
        self.fetch(move |object| get(client.clone(), object))
    }
}

async fn get(client: Client, object: Object) -> Result<Fetched, BoxError> {
    let request = client.get_object().bucket(&object.bucket).key(&object.key).set_version_id(object.version);
    let found = request.send().await.inspect_err(|error| {
        // Without an error code, the innermost cause is the most specific, such as a refused connection.
        let causes = successors(Some(error as &dyn Error), |error| (*error).source());
        let reason = error.code().map(str::to_owned).or_else(|| Some(causes.last()?.to_string()));
        tracing::warn!(bucket = object.bucket, key = object.key, reason, "an object cannot be fetched");
    })?;
    let metadata = found.metadata.unwrap_or_default().into_iter().collect();
    Ok(Fetched { body: found.body.collect().await?.to_vec(), metadata })
}
