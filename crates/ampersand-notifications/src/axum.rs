//! For [axum](https://docs.rs/axum): [`Received`], an extractor.

use std::fmt;

use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;

use crate::{Delivery, NormalizeError, Verifier, VerifyError, from_webhook};

/// Extracts a delivery from a webhook: its body is limited, verified and normalised.
///
/// The [`Verifier`] comes from the router's state: it is the state, or a part of it by
/// [`FromRef`](https://docs.rs/axum/latest/axum/extract/trait.FromRef.html). The limit is axum's
/// [`DefaultBodyLimit`](https://docs.rs/axum/latest/axum/extract/struct.DefaultBodyLimit.html), 2 MB unless you set it;
/// the sender keeps to 300 KB.
///
/// ```
/// use ampersand_notifications::axum::Received;
/// use ampersand_notifications::{Delivery, Verifier};
/// use axum::{Router, http::StatusCode, routing::post};
///
/// async fn receive(Received(delivery): Received) -> StatusCode {
///     match delivery {
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
/// The sender waits for about 15 seconds, and takes anything but a status of success for a failure: put what takes longer,
/// downloads for instance, in a queue. What has failed is sent again for about a day, so a body that cannot be read today
/// is not lost by refusing it. An endpoint that keeps failing is disabled, though: to put such a body aside instead, and
/// answer with success, extract a `Result<Received, ReceiveError>` and see [`NormalizeError::into_body`].
#[derive(Clone, Debug)]
pub struct Received(pub Delivery);

impl<S: Send + Sync> FromRequest<S> for Received
where
    Verifier: FromRef<S>,
{
    type Rejection = ReceiveError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ReceiveError> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| ReceiveError::Body(rejection.status()))?;
        let verified = Verifier::from_ref(state).verify(&headers, Vec::from(body)).map_err(ReceiveError::Verify)?;
        from_webhook(verified).map(Self).map_err(ReceiveError::Normalize)
    }
}

/// Why a request is refused. As a response, its status is that which is named here, and its body the message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReceiveError {
    /// There is more of the body than the limit (413), or it broke off (400).
    Body(StatusCode),
    /// It was not sent by who holds the secret, or not lately (401).
    Verify(VerifyError),
    /// It was, but cannot be read (422). The error has the body.
    Normalize(NormalizeError),
}

impl ReceiveError {
    /// The status of the response.
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
