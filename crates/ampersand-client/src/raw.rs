use std::fmt::Display;

use ampersand_types::RawJson;

use crate::call::Call;
use crate::{Client, Endpoint, Error, Host, Response, Sending};

impl Client {
    /// A request that the contract does not have yet, with the credentials, retries and errors of all others.
    ///
    /// `path` follows the host's URL and begins with `/`. It is sent as it is: encode the values in it. The client retries
    /// `GET`, `HEAD`, `PUT` and `DELETE`, which may be sent twice.
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
}

/// The schemes that most operations take.
const SECURITY: &[&str] = &["APIKeyHeader", "Bearer"];

/// A request that the contract does not have: see [`Client::raw`].
#[derive(Clone, Debug)]
pub struct Raw {
    client: Client,
    call: Call,
}

impl Raw {
    /// Adds a parameter to the query. It is encoded.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.call.add_query(name, value);
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<RawJson>) -> Self {
        self.call.body = Some(body.into().as_str().to_owned().into());
        self
    }

    /// Sends the request, and reads the response. An empty body, as that of a 204, reads as `null`.
    ///
    /// # Errors
    ///
    /// When the path does not begin with `/` or the method has a character that none has; when the request fails; for
    /// every status but 2xx; and when the body is not JSON.
    pub async fn send(self) -> Result<Response<RawJson>, Error> {
        let Self { client, call } = self;
        let operation = call.operation;
        if !call.path.starts_with('/') {
            return Err(Error::request(operation, "the path does not begin with `/`".to_owned()));
        }
        if http::Method::from_bytes(operation.method.as_bytes()).is_err() {
            return Err(Error::request(operation, format!("{:?} is not a method of HTTP", operation.method)));
        }
        let Response { status, headers, value } = client.execute(call).await?;
        let json = if value.is_empty() { "null".into() } else { String::from_utf8_lossy(&value) };
        match serde_json::from_str(&json) {
            Ok(json) => Ok(Response { status, headers, value: json }),
            Err(error) => Err(Error::unreadable(operation, status, headers, value, &error)),
        }
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
