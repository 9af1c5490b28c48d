use std::fmt::Display;

use ampersand_types::RawJson;
use bytes::Bytes;

use crate::call::Call;
use crate::{Client, Endpoint, Error, Host, Response, Sending};

impl Client {
    /// Makes a request that the contract does not have yet. Credentials, retries and errors work as for other requests.
    ///
    /// `path` is appended to the host's URL and begins with `/`. The client does not encode it: encode the values in it
    /// yourself. The client retries `GET`, `HEAD`, `PUT` and `DELETE`, because they are idempotent.
    ///
    /// ```no_run
    /// # async fn example(client: ampersand_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use ampersand_client::Host;
    /// use ampersand_types::RawJson;
    ///
    /// let body = RawJson::new(r#"{"name": "acme"}"#)?;
    /// let made = client.raw("POST", Host::Api, "/projects/my-project/novelties").query("dryRun", "true").body(body).await?;
    /// println!("{} {}", made.status(), made.as_str());
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw(&self, method: &'static str, host: Host, path: impl Into<String>) -> Raw {
        let idempotent = matches!(method, "GET" | "HEAD" | "PUT" | "DELETE");
        let operation = Endpoint { id: "raw", host, method, path: "", idempotent, security: SECURITY };
        let mut call = Call::new(&operation);
        call.path = path.into();
        Raw { client: self.clone(), call }
    }

    /// Makes a request to an operation that the program chooses at run time: one of [`Endpoint::ALL`].
    ///
    /// Errors name the operation. The contract decides which credential the client sends and whether it retries.
    ///
    /// ```no_run
    /// # async fn example(client: ampersand_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use ampersand_client::Endpoint;
    ///
    /// let operation = Endpoint::ALL.iter().find(|operation| operation.id == "listTopics").ok_or("no such operation")?;
    /// let topics = client.raw_operation(operation).path("projectIdOrName", "my-project").await?;
    /// println!("{}", topics.as_str());
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw_operation(&self, operation: &Endpoint) -> Raw {
        Raw { client: self.clone(), call: Call::new(operation) }
    }
}

/// The security schemes that most operations accept.
const SECURITY: &[&str] = &["APIKeyHeader", "Bearer"];

/// A request without types: see [`Client::raw`] and [`Client::raw_operation`].
#[derive(Clone, Debug)]
pub struct Raw {
    client: Client,
    call: Call,
}

impl Raw {
    /// Fills in a path parameter of the operation. The value is encoded.
    pub fn path(mut self, name: &str, value: impl Display) -> Self {
        let mut names = self.call.operation.path.split(['{', '}']).skip(1).step_by(2);
        match names.find(|known| *known == name) {
            Some(known) => self.call.path(known, value),
            None => drop(self.call.fault.get_or_insert_with(|| format!("the path has no parameter `{name}`"))),
        }
        self
    }

    /// Adds a query parameter. The value is encoded.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.call.add_query(name, value);
        self
    }

    /// Sets the JSON body.
    pub fn body(mut self, body: impl Into<RawJson>) -> Self {
        self.call.body = Some(body.into().as_str().to_owned().into());
        self
    }

    /// Returns the encoded path and query, which the client appends to the host's URL.
    pub fn target(&self) -> String {
        self.call.target()
    }

    /// Sends the request and decodes the response. An empty body, such as that of a 204, decodes as `null`.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text), and if the body is not JSON.
    pub async fn send(self) -> Result<Response<RawJson>, Error> {
        let operation = self.call.operation;
        let Response { status, headers, value } = self.bytes().await?;
        match serde_json::from_slice(if value.is_empty() { b"null" } else { &value }) {
            Ok(json) => Ok(Response { status, headers, value: json }),
            Err(error) => Err(Error::unreadable(operation, status, headers, value, &error)),
        }
    }

    /// Sends the request and returns the body of the response as text, regardless of its media type.
    ///
    /// # Errors
    ///
    /// If the path does not begin with `/`, lacks the value of a parameter, or has a value that is invalid in a path;
    /// if the method has an invalid character; if the request fails; and for every status other than 2xx.
    pub async fn text(self) -> Result<Response<String>, Error> {
        Ok(self.bytes().await?.map(|body| String::from_utf8_lossy(&body).into_owned()))
    }

    async fn bytes(self) -> Result<Response<Bytes>, Error> {
        let Self { client, call } = self;
        let operation = call.operation;
        if !call.path.starts_with('/') {
            return Err(Error::request(operation, "the path does not begin with `/`".to_owned()));
        }
        if http::Method::from_bytes(operation.method.as_bytes()).is_err() {
            return Err(Error::request(operation, format!("{:?} is not a method of HTTP", operation.method)));
        }
        // Values contain no braces, because they are encoded. The path is not shown: a value may be an API key.
        let missing = call.path.split(['{', '}']).nth(1);
        if let Some(name) = missing.filter(|_| !operation.path.is_empty() && call.fault.is_none()) {
            return Err(Error::request(operation, format!("the path has no value for `{name}`")));
        }
        client.execute(call).await
    }
}

/// `.await` sends the request, as [`send`](Self::send) does.
impl IntoFuture for Raw {
    type Output = Result<Response<RawJson>, Error>;
    type IntoFuture = Sending<RawJson>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
