use std::sync::Arc;
use std::time::Duration;

use ampersand_notifications::{Source, Verifier};
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post};

use crate::delivery::{New, Put};
use crate::{Inbox, observe};

/// The sender keeps to 300 KB.
const LARGEST: usize = 1024 * 1024;
/// So long a body may take, and so long the store: the sender waits for about 15 seconds.
const PATIENCE: Duration = Duration::from_secs(5);

impl Inbox {
    /// Receives webhooks: verifies, stores, and answers 204 once it is stored, and not before.
    ///
    /// A repeat is answered with 204 and changes nothing. What verifies and cannot be read is stored as a dead letter. It
    /// answers 401 to what does not verify, 413 to more than 1 MiB, 408 to a body that takes more than 5 seconds, and 503 when
    /// the store is full, cannot be used, or takes more than 5 seconds. It never answers 503 because a handler fails.
    pub fn webhook<S: Clone + Send + Sync + 'static>(&self, verifier: Verifier) -> MethodRouter<S> {
        let receiver = Arc::new((self.clone(), verifier));
        post(move |request: Request| receive(receiver.clone(), request))
    }
}

async fn receive(receiver: Arc<(Inbox, Verifier)>, request: Request) -> Response {
    let (inbox, verifier) = &*receiver;
    let (Parts { headers, .. }, body) = request.into_parts();
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST)).await {
        Ok(Ok(body)) => body,
        // Or it broke off, and nobody reads the answer.
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let verified = match verifier.verify(&headers, body) {
        Ok(verified) => verified,
        Err(error) => {
            observe::refused(&error);
            return (StatusCode::UNAUTHORIZED, error.to_string()).into_response();
        }
    };
    let beside = New::of_webhook(verified.timestamp.as_str());
    let put = inbox.put_with(Source::Webhook, verified.id, verified.body, &beside);
    match tokio::time::timeout(PATIENCE, put).await {
        Ok(Ok(Put::Stored | Put::Duplicate)) => StatusCode::NO_CONTENT.into_response(),
        Ok(Ok(Put::Full)) => (StatusCode::SERVICE_UNAVAILABLE, "the store is full").into_response(),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store takes too long").into_response(),
    }
}
