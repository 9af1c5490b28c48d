//! One request as the generated builders describe it: the one place that knows how values get into a URL.

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{Error, Host};

/// What the contract says of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Operation {
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
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// The path with its parameters filled in, then the query.
    pub(crate) path: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Option<Bytes>,
}

/// Everything but what RFC 3986 leaves unreserved. A `:` too is encoded: behind it stands what is to be done.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Call {
    pub(crate) fn new(operation: &Operation) -> Self {
        Self { operation: *operation, path: operation.path.to_owned(), headers: http::HeaderMap::new(), body: None }
    }

    /// Fills in a parameter of the path.
    ///
    /// What is empty, `.` or `..` would lead to another path: `DELETE /projects/p/connections/..` deletes the project.
    pub(crate) fn path(&mut self, name: &'static str, value: Result<impl Display, String>) -> Result<(), Error> {
        let value = self.given(name, value)?.to_string();
        if ["", ".", ".."].contains(&value.as_str()) {
            return Err(Error::request(self.operation, format!("`{name}` is {value:?}, which no path can hold")));
        }
        let place = format!("{{{name}}}");
        if let Some(start) = self.path.find(&place) {
            self.path.replace_range(start..start + place.len(), &Cow::from(utf8_percent_encode(&value, ENCODED)));
        }
        Ok(())
    }

    /// Adds a parameter of the query, where there is one.
    pub(crate) fn query(
        &mut self,
        name: &'static str,
        value: Result<Option<impl Display>, String>,
    ) -> Result<(), Error> {
        if let Some(value) = self.given(name, value)? {
            self.add_query(name, &value.to_string());
        }
        Ok(())
    }

    pub(crate) fn add_query(&mut self, name: &str, value: &str) {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.extend(utf8_percent_encode(name, ENCODED));
        self.path.push('=');
        self.path.extend(utf8_percent_encode(value, ENCODED));
    }

    /// Adds a header, where there is one.
    #[allow(dead_code, reason = "the contract has none at the moment")]
    pub(crate) fn header(
        &mut self,
        name: &'static str,
        value: Result<Option<impl Display>, String>,
    ) -> Result<(), Error> {
        if let Some(value) = self.given(name, value)? {
            let value = http::HeaderValue::from_str(&value.to_string())
                .map_err(|_| Error::request(self.operation, format!("`{name}` is no text that a header can hold")))?;
            self.headers.insert(name, value);
        }
        Ok(())
    }

    /// Adds the body, as JSON.
    pub(crate) fn body(&mut self, value: Result<impl Serialize, String>) -> Result<(), Error> {
        let value = value.map_err(|reason| Error::request(self.operation, format!("body: {reason}")))?;
        let json = serde_json::to_vec(&value).map_err(|error| Error::request(self.operation, error.to_string()))?;
        self.body = Some(json.into());
        Ok(())
    }

    fn given<T>(&self, name: &str, value: Result<T, String>) -> Result<T, Error> {
        value.map_err(|reason| Error::request(self.operation, format!("`{name}` {reason}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation {
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
            let mut call = Call::new(&OPERATION);
            call.path("projectIdOrName", Ok(value)).expect(value);
            call.path("connectionId", Ok("x")).expect("a name");
            assert_eq!(call.path, format!("/projects/{path}/connections/x:oauth-update"));
        }
    }

    #[test]
    fn what_would_leave_its_place_is_refused() {
        for value in ["", ".", ".."] {
            let error = Call::new(&OPERATION).path("connectionId", Ok(value)).expect_err(value);
            assert_eq!(error.to_string(), format!("oauthUpdate: `connectionId` is {value:?}, which no path can hold"));
        }
    }

    #[test]
    fn what_is_not_given_is_not_sent() {
        let mut call = Call::new(&OPERATION);
        call.query("a", Ok(None::<bool>)).expect("absent");
        call.query("b", Ok(Some("x y&z"))).expect("text");
        call.query("c", Ok(Some(false))).expect("a boolean");
        assert_eq!(call.path, format!("{}?b=x%20y%26z&c=false", OPERATION.path));
    }
}
