//! One request as the generated operations describe it: the one place that knows how values get into a URL.

use std::borrow::Cow;
use std::fmt::{self, Display};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::Host;

/// What the contract says of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Endpoint {
    /// The name, as in `createTopic`.
    pub id: &'static str,
    /// Where it is served.
    pub host: Host,
    /// The method, as in `POST`.
    pub method: &'static str,
    /// The path below the host's URL, with its parameters in braces.
    pub path: &'static str,
    /// Whether it may be sent again when it is not known what became of it.
    pub idempotent: bool,
    /// The security schemes of which it takes one; none where anyone may call it.
    pub security: &'static [&'static str],
}

/// A request, but for where its host is and who sends it.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: Endpoint,
    /// The path with its parameters filled in.
    pub(crate) path: String,
    query: Vec<(String, String)>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// Why it cannot be sent: the first value that has no place in a request.
    pub(crate) fault: Option<String>,
}

/// Without what was filled in, where a credential may be.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("operation", &self.operation.id).finish_non_exhaustive()
    }
}

/// Everything but what RFC 3986 leaves unreserved. A `:` too is encoded: behind it stands what is to be done.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Call {
    pub(crate) fn new(operation: &Endpoint) -> Self {
        Self {
            operation: *operation,
            path: operation.path.to_owned(),
            query: Vec::new(),
            headers: http::HeaderMap::new(),
            body: None,
            fault: None,
        }
    }

    /// Fills in a parameter of the path.
    ///
    /// What is empty, `.` or `..` would lead to another path: `DELETE /projects/p/connections/..` deletes the project.
    pub(crate) fn path(&mut self, name: &'static str, value: impl Display) {
        let value = value.to_string();
        if ["", ".", ".."].contains(&value.as_str()) {
            return self.refuse(format!("`{name}` is {value:?}, which no path can hold"));
        }
        let place = format!("{{{name}}}");
        if let Some(start) = self.path.find(&place) {
            self.path.replace_range(start..start + place.len(), &Cow::from(utf8_percent_encode(&value, ENCODED)));
        }
    }

    /// Sets a parameter of the query.
    pub(crate) fn query(&mut self, name: &str, value: impl Display) {
        self.query.retain(|(known, _)| known != name);
        self.add_query(name, value);
    }

    /// Adds a parameter to the query, which may have others of this name.
    pub(crate) fn add_query(&mut self, name: &str, value: impl Display) {
        self.query.push((name.to_owned(), value.to_string()));
    }

    /// Sets a header.
    #[allow(dead_code, reason = "the contract has none at the moment")]
    pub(crate) fn header(&mut self, name: &'static str, value: impl Display) {
        match http::HeaderValue::from_str(&value.to_string()) {
            Ok(value) => drop(self.headers.insert(name, value)),
            Err(_) => self.refuse(format!("`{name}` is no text that a header can hold")),
        }
    }

    /// Sets the body, as JSON.
    pub(crate) fn body(&mut self, value: &impl Serialize) {
        match serde_json::to_vec(value) {
            Ok(json) => self.body = Some(json.into()),
            Err(error) => self.refuse(format!("body: {error}")),
        }
    }

    fn refuse(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    /// The path and the query.
    pub(crate) fn target(&self) -> String {
        let mut target = self.path.clone();
        for (name, value) in &self.query {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.extend(utf8_percent_encode(name, ENCODED));
            target.push('=');
            target.extend(utf8_percent_encode(value, ENCODED));
        }
        target
    }
}

/// How an operation is sent: by the method of the client that reads its response.
macro_rules! sent {
    ($name:ident as $how:ident -> $ty:ty) => {
        impl $name {
            /// Sends the request, and reads the response, as `.await` does.
            ///
            /// # Errors
            ///
            /// When a parameter of the path is empty, `.` or `..`, when the request fails, and for every status but 2xx.
            pub async fn send(self) -> ::core::result::Result<crate::Response<$ty>, crate::Error> {
                self.client.$how(self.call).await
            }
        }

        /// `.await` sends the request, as [`send`](Self::send) does.
        impl ::core::future::IntoFuture for $name {
            type Output = ::core::result::Result<crate::Response<$ty>, crate::Error>;
            type IntoFuture = crate::Sending<$ty>;

            fn into_future(self) -> Self::IntoFuture {
                ::std::boxed::Box::pin(self.send())
            }
        }
    };
}
pub(crate) use sent;

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: Endpoint = Endpoint {
        id: "oauthUpdate",
        host: Host::Api,
        method: "PATCH",
        path: "/projects/{projectIdOrName}/connections/{connectionId}:oauth-update",
        idempotent: false,
        security: &[],
    };

    #[test]
    fn a_parameter_stays_in_its_place() {
        for (value, path) in [
            ("a", "a"),
            ("a/../b", "a%2F..%2Fb"),
            ("a?b#c", "a%3Fb%23c"),
            ("%2e%2e", "%252e%252e"),
            ("a:generate", "a%3Agenerate"),
            ("{connectionId}", "%7BconnectionId%7D"),
            ("é\n", "%C3%A9%0A"),
            ("...", "..."),
        ] {
            let mut call = Call::new(&ENDPOINT);
            call.path("projectIdOrName", value);
            call.path("connectionId", "x");
            assert_eq!(call.target(), format!("/projects/{path}/connections/x:oauth-update"));
        }
    }

    #[test]
    fn what_would_leave_its_place_is_refused() {
        for value in ["", ".", ".."] {
            let mut call = Call::new(&ENDPOINT);
            call.path("connectionId", value);
            call.path("projectIdOrName", "");
            let expected = format!("`connectionId` is {value:?}, which no path can hold");
            assert_eq!(call.fault, Some(expected), "the first fault is told");
        }
    }

    #[test]
    fn a_query_has_each_parameter_once_unless_more_are_added() {
        let mut call = Call::new(&ENDPOINT);
        call.query("b", "replaced");
        call.query("b", "x y&z");
        call.query("c", false);
        call.add_query("c", "too");
        assert_eq!(call.target(), format!("{}?b=x%20y%26z&c=false&c=too", ENDPOINT.path));
    }
}
