use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ampersand_types::Items;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use reqwest::Url;
use serde::de::DeserializeOwned;

use crate::auth::{self, Bearer, Credentials};
use crate::call::Call;
use crate::tls::tls;
use crate::{Error, Host, Response, Retry};

/// A client of the API, with a method for each group of operations.
///
/// A clone is cheap and shares the connections of the original. `Debug` shows no credential.
///
/// ```
/// use ampersand_client::Client;
///
/// let client = Client::builder().api_key("key").build()?;
/// let topics = client.destinations().list_topics("my-project"); // sent by `.await`
/// # Ok::<(), ampersand_client::ClientError>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    urls: BTreeMap<Host, BaseUrl>,
    credentials: Credentials,
    user_agent: HeaderValue,
    timeout: Duration,
    retry: Retry,
}

/// The base URL of a host. `Debug` hides the user name and the password that a proxy's URL may hold.
struct BaseUrl(String);

impl BaseUrl {
    fn parse(url: &str) -> Option<Self> {
        let parsed = Url::parse(url).ok()?;
        let is_base = matches!(parsed.scheme(), "http" | "https") && parsed.query().is_none();
        (is_base && parsed.fragment().is_none()).then(|| Self(parsed.as_str().trim_end_matches('/').to_owned()))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(_, host)| ("…@", host));
        write!(f, "{scheme}://{user}{host}{path}")
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { urls, credentials, timeout, retry, .. } = &*self.0;
        f.debug_struct("Client")
            .field("urls", urls)
            .field("credentials", credentials)
            .field("timeout", timeout)
            .field("retry", retry)
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`]: see [`Client::builder`]. `Debug` shows no credential.
#[must_use]
pub struct ClientBuilder {
    http: Option<reqwest::Client>,
    urls: BTreeMap<Host, BaseUrl>,
    credentials: Credentials,
    user_agent: String,
    timeout: Duration,
    connect_timeout: Duration,
    retry: Retry,
    /// The first error of a setting.
    error: Option<ClientError>,
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { urls, credentials, timeout, retry, error, .. } = self;
        f.debug_struct("ClientBuilder")
            .field("urls", urls)
            .field("credentials", credentials)
            .field("timeout", timeout)
            .field("retry", retry)
            .field("error", error)
            .finish_non_exhaustive()
    }
}

/// The reason why a client cannot be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// Neither an API key nor a bearer token is set.
    NoCredentials,
    /// The named setting (API key, token or user agent) holds text that a header cannot hold, such as a line break.
    NotAHeader(&'static str),
    /// A base URL is invalid: it has to begin with `http://` or `https://`, and to end with the path, without a query.
    NotAUrl(Host),
    /// TLS cannot be set up: the system has no root certificates, or rustls has no cryptography provider.
    Tls(Box<dyn StdError + Send + Sync>),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredentials => write!(f, "there is neither an API key nor a bearer token: set {API_KEY}"),
            Self::NotAHeader(what) => write!(f, "{what} holds what no header can hold, such as a line break"),
            Self::NotAUrl(host) => {
                write!(f, "the base URL of {host:?} is none: it is to be as {}, without a query", host.default_url())
            }
            Self::Tls(_) => f.write_str("TLS cannot be set up"),
        }
    }
}

impl StdError for ClientError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Tls(source) => Some(&**source),
            _ => None,
        }
    }
}

const API_KEY: &str = "AMPERSAND_API_KEY";
const BEARER_TOKEN: &str = "AMPERSAND_BEARER_TOKEN";
const OURSELVES: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

impl ClientBuilder {
    /// Begins a client with the environment variables that [`Client::from_env`] lists. Later settings replace them.
    pub fn from_env() -> Self {
        // A value that is not UTF-8 counts as set: the client must not call another host instead, without a word.
        let set =
            |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned()).filter(|value| !value.is_empty());
        let mut builder = Client::builder();
        if let Some(key) = set(API_KEY) {
            builder = builder.api_key(key);
        }
        if let Some(token) = set(BEARER_TOKEN) {
            builder = builder.bearer_token(token);
        }
        for host in Host::ALL {
            if let Some(url) = set(&format!("AMPERSAND_{}_URL", host.name().to_uppercase())) {
                builder = builder.base_url(*host, url);
            }
        }
        builder
    }

    /// Sets the API key of a project, which you create in Ampersand's dashboard.
    pub fn api_key(mut self, key: impl AsRef<str>) -> Self {
        match auth::secret(key.as_ref().trim()) {
            // An environment variable that is not set gives an empty key.
            Ok(key) => self.credentials.api_key = Some(key).filter(|key| !key.is_empty()),
            Err(_) => self.error = self.error.or(Some(ClientError::NotAHeader("the API key"))),
        }
        self
    }

    /// Sets a bearer token, a JWT. If the client also has an API key, operations that accept the key get the key.
    pub fn bearer_token(mut self, token: impl AsRef<str>) -> Self {
        match auth::bearer(token.as_ref()) {
            Ok(header) => {
                self.credentials.bearer = Some(Bearer::Fixed(header)).filter(|_| !token.as_ref().trim().is_empty());
            }
            Err(_) => self.error = self.error.or(Some(ClientError::NotAHeader("the bearer token"))),
        }
        self
    }

    /// Sets a provider of bearer tokens that expire. The client calls it before every attempt: cache the token until it
    /// expires.
    ///
    /// ```
    /// # use ampersand_client::Client;
    /// let client = Client::builder().token_provider(|| async { std::fs::read_to_string("/run/secrets/jwt") }).build()?;
    /// # Ok::<(), ampersand_client::ClientError>(())
    /// ```
    pub fn token_provider<F, E>(mut self, provider: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let provider: auth::Provider = Arc::new(move || {
            let token = provider();
            Box::pin(async move { token.await.map_err(Into::into) })
        });
        self.credentials.bearer = Some(Bearer::Provided(provider));
        self
    }

    /// Sets the base URL of a host, for a fake server in tests or for your proxy. It replaces [`Host::default_url`].
    pub fn base_url(mut self, host: Host, url: impl AsRef<str>) -> Self {
        match BaseUrl::parse(url.as_ref()) {
            Some(url) => drop(self.urls.insert(host, url)),
            None => self.error = self.error.or(Some(ClientError::NotAUrl(host))),
        }
        self
    }

    /// Sets the time limit of an attempt: from asking for a token to the end of the response. Default: 60 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the time limit for connecting. Default: 10 seconds. Your own [`reqwest::Client`] keeps its own limit.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how often and for how long the client retries an operation.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the name of your application, such as `acme/1.2`. In `User-Agent` it precedes the name of this crate.
    pub fn user_agent(mut self, user_agent: impl fmt::Display) -> Self {
        self.user_agent = format!("{user_agent} {OURSELVES}");
        self
    }

    /// Sets the HTTP client, if you need your own proxy, certificates or connection pool.
    ///
    /// The default client follows no redirects, because the API sends none. A client that does may leak the API key.
    ///
    /// `reqwest` has a cryptography provider only with its feature `rustls`. Otherwise a [`reqwest::Client`] panics,
    /// unless you first call `install_default` of a `rustls::crypto::CryptoProvider`.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`ClientError`]: no credentials are set, a setting is not a valid header or URL, or TLS cannot be set up.
    pub fn build(self) -> Result<Client, ClientError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.credentials.is_empty() {
            return Err(ClientError::NoCredentials);
        }
        let user_agent =
            HeaderValue::try_from(self.user_agent).map_err(|_| ClientError::NotAHeader("the user agent"))?;
        let http = match self.http {
            Some(http) => http,
            None => reqwest::Client::builder()
                .tls_backend_preconfigured(tls().map_err(ClientError::Tls)?)
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(self.connect_timeout)
                .build()
                .map_err(|error| ClientError::Tls(error.into()))?,
        };
        let Self { urls, credentials, timeout, retry, .. } = self;
        Ok(Client(Arc::new(Inner { http, urls, credentials, user_agent, timeout, retry })))
    }
}

impl Client {
    /// Begins a client. It needs an [API key](ClientBuilder::api_key), a [token](ClientBuilder::bearer_token), or a
    /// [token provider](ClientBuilder::token_provider). All other settings have defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            http: None,
            urls: BTreeMap::new(),
            credentials: Credentials::default(),
            user_agent: OURSELVES.to_owned(),
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            retry: Retry::default(),
            error: None,
        }
    }

    /// Builds a client from environment variables: `AMPERSAND_API_KEY` or `AMPERSAND_BEARER_TOKEN`, and the optional
    /// base URLs `AMPERSAND_API_URL`, `AMPERSAND_READ_URL`, `AMPERSAND_WRITE_URL` and `AMPERSAND_SEARCH_URL`.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, ClientError> {
        ClientBuilder::from_env().build()
    }

    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<Response<T>, Error> {
        let operation = call.operation;
        let Response { status, headers, value } = self.execute(call).await?;
        match serde_json::from_slice(&value) {
            Ok(decoded) => Ok(Response { status, headers, value: decoded }),
            Err(error) => Err(Error::unreadable(operation, status, headers, value, &error)),
        }
    }

    pub(crate) async fn list<C>(&self, call: Call) -> Result<Response<C>, Error>
    where
        Items<C>: DeserializeOwned,
    {
        Ok(self.json::<Items<C>>(call).await?.map(Items::into_inner))
    }

    pub(crate) async fn text(&self, call: Call) -> Result<Response<String>, Error> {
        Ok(self.execute(call).await?.map(|body| String::from_utf8_lossy(&body).into_owned()))
    }

    pub(crate) async fn empty(&self, call: Call) -> Result<Response<()>, Error> {
        Ok(self.execute(call).await?.map(|_| ()))
    }

    pub(crate) async fn bytes(&self, mut call: Call) -> Result<Response<Bytes>, Error> {
        call.accept_anything();
        self.execute(call).await
    }

    /// Sends a request, with retries. Every request goes through this method.
    pub(crate) async fn execute(&self, mut call: Call) -> Result<Response<Bytes>, Error> {
        let host = call.operation.host;
        if self.url(host).is_empty() {
            let fault = format!("the contract does not say where {host:?} is: set `ClientBuilder::base_url`");
            return Err(Error::request(call.operation, fault));
        }
        if let Some(fault) = call.fault.take() {
            return Err(Error::request(call.operation, fault));
        }
        let begun = Instant::now();
        let mut attempts = 1;
        loop {
            let attempt = self.attempt(&call);
            #[cfg(feature = "tracing")]
            let attempt = {
                let span = tracing::debug_span!("request", operation = call.operation.id, attempt = attempts);
                tracing::Instrument::instrument(attempt, span)
            };
            let error = match attempt.await {
                Ok(response) => return Ok(response),
                Err(error) => error.after(attempts),
            };
            let pause = self.0.retry.pause(attempts, begun.elapsed(), &error, fastrand::f64());
            // The event has only the status, because a problem may quote what the request sent.
            #[cfg(feature = "tracing")]
            tracing::warn!(
                operation = call.operation.id,
                attempt = attempts,
                status = error.status().map(|status| status.as_u16()),
                again_in = ?pause,
                "an attempt failed"
            );
            let Some(pause) = pause else { return Err(error) };
            tokio::time::sleep(pause).await;
            attempts += 1;
        }
    }

    fn url(&self, host: Host) -> &str {
        self.0.urls.get(&host).map_or(host.default_url(), |url| &url.0)
    }

    async fn attempt(&self, call: &Call) -> Result<Response<Bytes>, Error> {
        let (inner, operation, begun) = (&*self.0, call.operation, Instant::now());
        let url = self.url(operation.host);
        let method = http::Method::from_bytes(operation.method.as_bytes()).unwrap_or_default();
        let mut headers = call.headers.clone();
        let accept = HeaderValue::from_static("application/json, text/plain, application/problem+json");
        headers.entry(ACCEPT).or_insert(accept);
        headers.insert(USER_AGENT, inner.user_agent.clone());
        let authenticated = inner.credentials.add_to(&mut headers, &operation, inner.timeout).await;
        let sent = authenticated.map_err(|error| Error::credentials(operation, error))?;
        let left = inner.timeout.saturating_sub(begun.elapsed());
        let mut request = inner.http.request(method, format!("{url}{}", call.target())).timeout(left);
        if let Some(body) = &call.body {
            headers.insert(CONTENT_TYPE, call.media.clone());
            request = request.body(body.clone());
        }
        let mut response = request.headers(headers).send().await.map_err(|error| Error::transport(operation, error))?;
        let (status, headers) = (response.status(), mem::take(response.headers_mut()));
        let value = match response.bytes().await {
            Ok(value) => value,
            Err(error) => return Err(Error::broken(operation, status, headers, error)),
        };
        if status.is_success() {
            Ok(Response { status, headers, value })
        } else {
            Err(Error::refused(operation, status, headers, value, sent))
        }
    }
}
