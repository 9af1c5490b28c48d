//! One request of a generated operation. Only this module knows how values are written into a URL.

use std::fmt::{self, Display};

use bytes::Bytes;
use http::header::{ACCEPT, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

use crate::Host;

/// An operation of the API, as the contract describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Endpoint {
    /// The name of the operation, as in `createTopic`.
    pub id: &'static str,
    /// The host that serves the operation.
    pub host: Host,
    /// The HTTP method, as in `POST`.
    pub method: &'static str,
    /// The path below the host's URL, with its parameters in braces.
    pub path: &'static str,
    /// Whether the client may send the request again after an attempt whose outcome is unknown.
    pub idempotent: bool,
    /// The security schemes that the operation accepts; one of them is enough. Empty if anyone may call the operation.
    pub security: &'static [&'static str],
}

/// A request without the URL of its host and without credentials.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: Endpoint,
    /// The path with its parameters filled in.
    pub(crate) path: String,
    /// The name of each parameter, and its part of the query: `name=value`, encoded.
    query: Vec<(String, String)>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// The media type of the body.
    pub(crate) media: HeaderValue,
    /// The reason why the request cannot be sent: the first value that does not fit into a request.
    pub(crate) fault: Option<String>,
}

/// Shows only the operation, because the parameters may hold a credential.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("operation", &self.operation.id).finish_non_exhaustive()
    }
}

/// The place of a parameter that holds more than one value.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Query,
    Path,
    Header,
}

/// The notation of a list or an object, in the terms of OpenAPI's table of styles.
#[derive(Clone, Copy)]
pub(crate) enum Style {
    /// As JSON: the parameter has a media type.
    Json,
    /// `deepObject`: `name[key]=value`, at any depth.
    Deep,
    /// `a,b` and `key,a,other,b`: styles that are not exploded.
    Separated(&'static str),
    /// `key=a,other=b`: `simple`, exploded.
    Pairs,
    /// `name=a&name=b` and `key=a&other=b`: `form`, exploded.
    Repeated,
}

/// Encodes everything except the unreserved characters of RFC 3986. `:` is encoded: in paths, an action follows it.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Call {
    pub(crate) fn new(operation: &Endpoint) -> Self {
        Self {
            operation: *operation,
            path: operation.path.to_owned(),
            query: Vec::new(),
            headers: http::HeaderMap::new(),
            body: None,
            media: HeaderValue::from_static("application/json"),
            fault: None,
        }
    }

    /// Fills in a parameter of the path.
    ///
    /// An empty value, `.` or `..` would lead to another path: `DELETE /projects/p/connections/..` deletes the project.
    pub(crate) fn path(&mut self, name: &'static str, value: impl Display) {
        let value = value.to_string();
        self.fill(name, &value, &encoded(&value));
    }

    fn fill(&mut self, name: &'static str, value: &str, encoded: &str) {
        if ["", ".", ".."].contains(&value) {
            return self.refuse(format!("`{name}` is {value:?}, which no path can hold"));
        }
        self.path = self.path.replace(&format!("{{{name}}}"), encoded);
    }

    /// Sets a parameter of the query.
    pub(crate) fn query(&mut self, name: &str, value: impl Display) {
        self.query.retain(|(known, _)| known != name);
        self.add_query(name, value);
    }

    /// Adds a query parameter, and keeps others of the same name.
    pub(crate) fn add_query(&mut self, name: &str, value: impl Display) {
        self.query.push((name.to_owned(), pair(name, &encoded(&value.to_string()))));
    }

    /// Sets a header.
    pub(crate) fn header(&mut self, name: &'static str, value: impl Display) {
        match (HeaderName::try_from(name), HeaderValue::try_from(value.to_string())) {
            (Ok(name), Ok(value)) => drop(self.headers.insert(name, value)),
            _ => self.refuse(format!("`{name}` is no text that a header can hold")),
        }
    }

    /// Sets a parameter that is a list or an object. An empty value or `null` is omitted.
    pub(crate) fn compound(&mut self, place: Place, name: &'static str, style: Style, value: &impl Serialize) {
        let value = match serde_json::to_value(value) {
            Ok(value) => value,
            Err(error) => return self.refuse(format!("`{name}`: {error}")),
        };
        let is_header = matches!(place, Place::Header);
        let encode = |text: &str| if is_header { text.to_owned() } else { encoded(text) };
        let texts = match (&value, style) {
            (_, Style::Json) => vec![value.to_string()],
            (Value::Object(members), Style::Pairs) => {
                members.iter().map(|(key, value)| format!("{}={}", encode(key), encode(&text(value)))).collect()
            }
            (Value::Object(members), _) => members.iter().flat_map(|(key, value)| [key.clone(), text(value)]).collect(),
            (Value::Array(items), _) => items.iter().map(text).collect(),
            (Value::Null, _) => Vec::new(),
            (one, _) => vec![text(one)],
        };
        let is_encoded = value.is_object() && matches!(style, Style::Pairs);
        let texts = if is_encoded { texts } else { texts.iter().map(|text| encode(text)).collect() };
        let separator = match style {
            Style::Separated(separator) if separator != "," => encode(separator),
            _ => ",".to_owned(),
        };
        let joined = texts.join(&separator);
        match (place, style, &value) {
            (Place::Path, ..) => self.fill(name, &joined, &joined),
            (Place::Header, ..) => self.header(name, joined),
            (Place::Query, Style::Deep, _) => self.pairs(name, deep(name, &value)),
            (Place::Query, Style::Repeated, Value::Object(members)) => {
                self.pairs(name, members.iter().map(|(key, value)| (key.clone(), text(value))).collect());
            }
            (Place::Query, Style::Repeated, _) => {
                self.query.retain(|(known, _)| known != name);
                self.query.extend(texts.iter().map(|text| (name.to_owned(), pair(name, text))));
            }
            (Place::Query, ..) => {
                self.query.retain(|(known, _)| known != name);
                self.query.extend((!texts.is_empty()).then(|| (name.to_owned(), pair(name, &joined))));
            }
        }
    }

    /// Sets a parameter that adds several pairs to the query.
    fn pairs(&mut self, name: &str, pairs: Vec<(String, String)>) {
        self.query.retain(|(known, _)| known != name);
        self.query.extend(pairs.iter().map(|(key, value)| (name.to_owned(), pair(key, &encoded(value)))));
    }

    /// Sets the body, as JSON.
    pub(crate) fn body(&mut self, value: &impl Serialize) {
        match serde_json::to_vec(value) {
            Ok(json) => self.body = Some(json.into()),
            Err(error) => self.refuse(format!("body: {error}")),
        }
    }

    /// Sets the body, as JSON of another media type.
    pub(crate) fn json(&mut self, media: &'static str, value: &impl Serialize) {
        self.body(value);
        self.media = HeaderValue::from_static(media);
    }

    /// Sets the body as a form: one pair per member, one pair per item of a list, and `deepObject` for nested values.
    pub(crate) fn form(&mut self, value: &impl Serialize) {
        let value = match serde_json::to_value(value) {
            Ok(value) => value,
            Err(error) => return self.refuse(format!("body: {error}")),
        };
        let pairs = value.as_object().into_iter().flatten().flat_map(|(key, value)| match value {
            Value::Array(items) if !items.iter().any(|item| item.is_object() || item.is_array()) => {
                items.iter().map(|item| (key.clone(), text(item))).collect()
            }
            value => deep(key, value),
        });
        let pairs: Vec<String> = pairs.map(|(key, value)| pair(&key, &encoded(&value))).collect();
        self.bytes("application/x-www-form-urlencoded", pairs.join("&").into());
    }

    /// Sets the body, as it is.
    pub(crate) fn bytes(&mut self, media: &'static str, body: Bytes) {
        self.media = HeaderValue::from_static(media);
        self.body = Some(body);
    }

    /// Accepts a response of another media type, or a problem.
    pub(crate) fn accept(&mut self, media: &'static str) {
        let accept = format!("{media}, application/json, application/problem+json");
        self.headers.extend(HeaderValue::try_from(accept).ok().map(|accept| (ACCEPT, accept)));
    }

    /// Accepts a response of any media type.
    pub(crate) fn accept_anything(&mut self) {
        self.headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    }

    fn refuse(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    /// Returns the path and the query.
    pub(crate) fn target(&self) -> String {
        let mut target = self.path.clone();
        for (_, pair) in &self.query {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(pair);
        }
        target
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn pair(name: &str, encoded_value: &str) -> String {
    format!("{}={encoded_value}", utf8_percent_encode(name, ENCODED))
}

/// Returns the text of a value in a URL.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Returns a pair such as `name[key][0]` and its value, for each value inside this one.
fn deep(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Null => Vec::new(),
        Value::Object(members) => {
            members.iter().flat_map(|(key, value)| deep(&format!("{name}[{key}]"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| deep(&format!("{name}[{index}]"), item)).collect()
        }
        one => vec![(name.to_owned(), text(one))],
    }
}

/// Adds `send` and `.await` to an operation. `$how` is the method of the client that reads the response.
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
    use serde_json::json;

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

    /// The table of OpenAPI's "Style Examples".
    #[test]
    fn lists_and_objects_are_written_as_openapi_says() {
        use Place::{Header, Path, Query};
        use Style::{Deep, Json, Pairs, Repeated, Separated};
        let (list, object) = (json!(["blue", "black", "brown"]), json!({ "B": 150, "G": 200, "R": 100 }));
        for (place, style, of_list, of_object) in [
            (Query, Separated(","), "?color=blue,black,brown", "?color=B,150,G,200,R,100"),
            (Query, Repeated, "?color=blue&color=black&color=brown", "?B=150&G=200&R=100"),
            (Query, Separated(" "), "?color=blue%20black%20brown", "?color=B%20150%20G%20200%20R%20100"),
            (Query, Separated("|"), "?color=blue%7Cblack%7Cbrown", "?color=B%7C150%7CG%7C200%7CR%7C100"),
            (
                Query,
                Deep,
                "?color%5B0%5D=blue&color%5B1%5D=black&color%5B2%5D=brown",
                "?color%5BB%5D=150&color%5BG%5D=200&color%5BR%5D=100",
            ),
            (
                Query,
                Json,
                "?color=%5B%22blue%22%2C%22black%22%2C%22brown%22%5D",
                "?color=%7B%22B%22%3A150%2C%22G%22%3A200%2C%22R%22%3A100%7D",
            ),
            (Path, Separated(","), "blue,black,brown", "B,150,G,200,R,100"),
            (Path, Pairs, "blue,black,brown", "B=150,G=200,R=100"),
            (Header, Separated(","), "blue,black,brown", "B,150,G,200,R,100"),
            (Header, Pairs, "blue,black,brown", "B=150,G=200,R=100"),
        ] {
            for (value, expected) in [(&list, of_list), (&object, of_object)] {
                let mut call = Call::new(&ENDPOINT);
                call.path = "{color}".to_owned();
                // The last call wins.
                call.compound(Query, "color", style, &["once"]);
                call.compound(place, "color", style, value);
                let written = match place {
                    Query => call.target().replacen("{color}", "", 1),
                    Path => call.path,
                    Header => call.headers["color"].to_str().expect("it is a text").to_owned(),
                };
                assert_eq!(written, expected);
            }
        }
    }

    #[test]
    fn what_stands_in_a_list_or_an_object_is_encoded() {
        let mut call = Call::new(&ENDPOINT);
        call.path = "/{id}/{id}".to_owned();
        call.compound(Place::Path, "id", Style::Pairs, &json!({ "a=b": "c,d" }));
        call.compound(Place::Query, "q", Style::Separated(","), &json!(["a,b", "c&d", null, true]));
        call.compound(Place::Query, "nothing", Style::Separated(","), &json!([]));
        call.compound(Place::Query, "r", Style::Deep, &json!({ "a": { "b": [1, { "c": "x y" }] }, "n": null }));
        assert_eq!(
            call.target(),
            "/a%3Db=c%2Cd/a%3Db=c%2Cd?q=a%2Cb,c%26d,,true&r%5Ba%5D%5Bb%5D%5B0%5D=1&r%5Ba%5D%5Bb%5D%5B1%5D%5Bc%5D=x%20y"
        );
        call.compound(Place::Path, "none", Style::Separated(","), &json!([]));
        assert_eq!(call.fault.as_deref(), Some("`none` is \"\", which no path can hold"));
    }

    #[test]
    fn a_form_has_a_pair_for_each_value() {
        let mut call = Call::new(&ENDPOINT);
        call.form(&json!({
            "DateCreated>": "a b", "expand": ["x", "y"], "items": [{ "price": 5 }], "none": null, "of": { "a": true },
        }));
        assert_eq!(call.media, "application/x-www-form-urlencoded");
        assert_eq!(
            call.body.as_deref(),
            Some(&b"DateCreated%3E=a%20b&expand=x&expand=y&items%5B0%5D%5Bprice%5D=5&of%5Ba%5D=true"[..])
        );
        call.bytes("image/png", Bytes::from_static(&[0, 255]));
        assert_eq!((call.media.to_str().ok(), call.body.as_deref()), (Some("image/png"), Some(&[0, 255][..])));
    }

    #[test]
    fn a_header_that_is_none_is_a_fault() {
        for (name, value) in [("x-a", "a\nb"), ("x a", "b")] {
            let mut call = Call::new(&ENDPOINT);
            call.header(name, value);
            assert_eq!(call.fault, Some(format!("`{name}` is no text that a header can hold")));
        }
    }
}
