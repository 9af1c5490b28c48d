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

/// The largest body in bytes. Ampersand sends 300 KB at most.
const LARGEST: usize = 1024 * 1024;
/// The time limit of a body, and of the store. The sender waits for about 15 seconds.
const PATIENCE: Duration = Duration::from_secs(5);

impl Inbox {
    /// Receives webhooks: verifies each request, stores the delivery, and only then responds 204.
    ///
    /// A repeat also gets 204 and changes nothing. A delivery that verifies but cannot be read is stored as a dead letter.
    /// Other responses: 401 to a request that does not verify, 413 to a body of more than 1 MiB, 408 to a body that takes
    /// more than 5 seconds, and 503 if the store is full, cannot be used, or takes more than 5 seconds. A failing handler
    /// never causes a 503.
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
        // Also if the body broke off, but then no one reads the response.
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
