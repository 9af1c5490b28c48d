use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tokio::time::timeout;

use crate::Endpoint;

/// The credentials that requests carry. `Debug` shows no credential.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    pub(crate) api_key: Option<HeaderValue>,
    pub(crate) bearer: Option<Bearer>,
}

/// The credential that a request carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    ApiKey,
    Bearer,
    Nothing,
}

#[derive(Clone)]
pub(crate) enum Bearer {
    /// `Bearer …`.
    Fixed(HeaderValue),
    Provided(Provider),
}

type BoxError = Box<dyn Error + Send + Sync>;
type Token = Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send>>;
pub(crate) type Provider = Arc<dyn Fn() -> Token + Send + Sync>;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The name of a security scheme in the contract.
const API_KEY_SCHEME: &str = "APIKeyHeader";

impl Credentials {
    pub(crate) fn is_empty(&self) -> bool {
        self.api_key.is_none() && self.bearer.is_none()
    }

    /// Adds the credential that an operation accepts, and returns its kind. A public operation gets no credential. If
    /// the client has only another kind, it sends that: the contract may be out of date.
    /// A token provider has to return a token within `patience`.
    pub(crate) async fn add_to(
        &self,
        headers: &mut HeaderMap,
        operation: &Endpoint,
        patience: Duration,
    ) -> Result<Sent, BoxError> {
        let takes_key = operation.security.contains(&API_KEY_SCHEME);
        match (&self.api_key, &self.bearer) {
            _ if operation.security.is_empty() => Ok(Sent::Nothing),
            (Some(key), bearer) if takes_key || bearer.is_none() => {
                headers.insert(API_KEY, key.clone());
                Ok(Sent::ApiKey)
            }
            (_, Some(bearer)) => {
                headers.insert(AUTHORIZATION, bearer.header(patience).await?);
                Ok(Sent::Bearer)
            }
            _ => Ok(Sent::Nothing),
        }
    }
}

impl Bearer {
    async fn header(&self, patience: Duration) -> Result<HeaderValue, BoxError> {
        match self {
            Self::Fixed(header) => Ok(header.clone()),
            Self::Provided(provider) => Ok(bearer(&timeout(patience, provider()).await??)?),
        }
    }
}

/// Returns the value of `Authorization`, marked as sensitive so that logs do not show it.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    secret(&format!("Bearer {}", token.trim()))
}

pub(crate) fn secret(text: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (&self.api_key, &self.bearer) {
            (Some(_), None) => "an API key",
            (None, Some(Bearer::Fixed(_))) => "a bearer token",
            (None, Some(Bearer::Provided(_))) => "a provider of bearer tokens",
            (Some(_), Some(_)) => "an API key and bearer tokens",
            (None, None) => "none",
        })
    }
}
