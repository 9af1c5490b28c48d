use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::{Error, Host, Response};

/// A client of the API: a method for each group of operations.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// By the place in [`Host::ALL`].
    urls: Vec<String>,
    api_key: HeaderValue,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that sends an API key to every host where `url` says that it is.
    #[doc(hidden)]
    pub fn with(http: reqwest::Client, api_key: HeaderValue, url: impl Fn(Host) -> String) -> Self {
        Self { http, urls: Host::ALL.iter().map(|host| url(*host)).collect(), api_key }
    }

    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<Response<T>, Error> {
        let operation = call.operation;
        let response = self.execute(call).await?;
        match serde_json::from_slice(&response) {
            Ok(value) => Ok(response.map(|_| value)),
            Err(error) => Err(Error::body_is(operation, error)),
        }
    }

    pub(crate) async fn text(&self, call: Call) -> Result<Response<String>, Error> {
        Ok(self.execute(call).await?.map(|body| String::from_utf8_lossy(&body).into_owned()))
    }

    pub(crate) async fn empty(&self, call: Call) -> Result<Response<()>, Error> {
        Ok(self.execute(call).await?.map(|_| ()))
    }

    /// Every request goes through here.
    async fn execute(&self, call: Call) -> Result<Response<Bytes>, Error> {
        let Call { operation, path, mut headers, body } = call;
        let place = Host::ALL.iter().position(|host| *host == operation.host);
        let url = place.and_then(|place| self.urls.get(place)).map_or(operation.host.default_url(), String::as_str);
        let method = http::Method::from_bytes(operation.method.as_bytes()).unwrap_or_default();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/plain, application/problem+json"));
        headers.insert("x-api-key", self.api_key.clone());
        let mut request = self.http.request(method, format!("{url}{path}"));
        if let Some(body) = body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request = request.body(body);
        }
        let failed = |error| Error::transport(operation, error);
        let response = request.headers(headers).send().await.map_err(failed)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let value = response.bytes().await.map_err(failed)?;
        if status.is_success() {
            Ok(Response { status, headers, value })
        } else {
            Err(Error::status_is(operation, status, value))
        }
    }
}
