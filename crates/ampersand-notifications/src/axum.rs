//! An extractor for [axum](https://docs.rs/axum): [`Received`].

use std::fmt;

use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::{Delivery, NormalizeError, Verifier, VerifyError, from_webhook};

/// Extracts a delivery from a webhook: limits its body, verifies it and normalises it.
///
/// The [`Verifier`] comes from the router's state: it is the state, or a part of it by
/// [`FromRef`](https://docs.rs/axum/latest/axum/extract/trait.FromRef.html). axum's
/// [`DefaultBodyLimit`](https://docs.rs/axum/latest/axum/extract/struct.DefaultBodyLimit.html) limits the body: 2 MB
/// unless you set it. Ampersand sends 300 KB at most.
///
/// ```
/// use ampersand_notifications::axum::Received;
/// use ampersand_notifications::{Delivery, Verifier};
/// use axum::{Router, http::StatusCode, routing::post};
///
/// async fn receive(received: Received) -> StatusCode {
///     match received.delivery {
///         Delivery::Notification(notification) => println!("{}", notification.notification_type),
///         Delivery::Records(records) => println!("{} records", records.message.result.len()),
///     }
///     StatusCode::NO_CONTENT
/// }
///
/// let verifier = Verifier::new("whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkb2N1bWVudA==")?;
/// let app: Router = Router::new().route("/ampersand", post(receive)).with_state(verifier);
/// # Ok::<(), ampersand_notifications::SecretError>(())
/// ```
///
/// The sender waits for about 15 seconds, and takes any status but 2xx for a failure: put longer work, such as
/// downloads, in a queue. It retries a failed delivery for about a day, so refusing a body that you cannot read today
/// does not lose it. But it disables an endpoint that keeps failing. To put such a body aside and respond with success,
/// or to observe refusals, extract a `Result`:
///
/// ```
/// use ampersand_notifications::axum::{ReceiveError, Received};
/// use axum::http::StatusCode;
///
/// async fn receive(received: Result<Received, ReceiveError>) -> Result<StatusCode, ReceiveError> {
///     match received {
///         Ok(Received { delivery, .. }) => println!("{:?}", delivery.id()),
///         Err(ReceiveError::Normalize(error)) => {
///             eprintln!("put aside: {error}"); // and with it `error.into_body()`
///         }
///         Err(error) => return Err(error), // answered with 400, 401 or 413
///     }
///     Ok(StatusCode::NO_CONTENT)
/// }
/// ```
///
/// With the feature `tracing`, each refusal is an event of level `WARN`, with its status and reason.
#[derive(Clone, Debug)]
pub struct Received {
    /// The delivery.
    pub delivery: Delivery,
    /// The position of the secret that matched, as in [`Verified::secret`](crate::Verified::secret). It shows whether the
    /// old secret is still in use.
    pub secret: usize,
}

impl<S: Send + Sync> FromRequest<S> for Received
where
    Verifier: FromRef<S>,
{
    type Rejection = ReceiveError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ReceiveError> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| ReceiveError::Body(rejection.status()));
        let received = body.and_then(|body| receive(&Verifier::from_ref(state), &headers, body));
        #[cfg(feature = "tracing")]
        if let Err(error) = &received {
            tracing::warn!(status = error.status().as_u16(), reason = %error, "refused a delivery");
        }
        received
    }
}

fn receive(verifier: &Verifier, headers: &HeaderMap, body: Bytes) -> Result<Received, ReceiveError> {
    let verified = verifier.verify(headers, body).map_err(ReceiveError::Verify)?;
    let secret = verified.secret;
    let delivery = from_webhook(verified).map_err(ReceiveError::Normalize)?;
    Ok(Received { delivery, secret })
}

/// Why a request is refused. As a response, it has the status named below, and the message as its body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The body is larger than the limit (413), or broke off (400).
    Body(StatusCode),
    /// The webhook does not verify, or was not signed recently (401).
    Verify(VerifyError),
    /// The webhook verifies, but cannot be read (422). The error holds the body.
    Normalize(NormalizeError),
}

impl ReceiveError {
    /// Returns the status of the response.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Body(status) => *status,
            Self::Verify(_) => StatusCode::UNAUTHORIZED,
            Self::Normalize(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(StatusCode::PAYLOAD_TOO_LARGE) => f.write_str("the body is larger than the limit"),
            Self::Body(_) => f.write_str("the body could not be received"),
            Self::Verify(error) => error.fmt(f),
            Self::Normalize(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReceiveError {}

impl IntoResponse for ReceiveError {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}
