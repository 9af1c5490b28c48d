//! A fake API that runs in the process of a test and checks the contract.
//!
//! [`FakeApi`] responds to every operation with a value that the contract allows, the same value each time. It refuses
//! requests that the contract does not allow: the test fails and shows the reason. The test also fails if it sets an
//! answer that the contract does not allow, unless it calls [`On::unchecked`].
//!
//! ```
//! use ampersand_client::types::CreateTopicRequest;
//! use ampersand_testing::fake_api::FakeApi;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let api = FakeApi::keeping()?;
//! let destinations = api.client().project("my-project").destinations();
//! destinations.create_topic(CreateTopicRequest::new("orders")).await?;
//! assert_eq!(destinations.list_topics().await?[0].name, "orders");
//!
//! api.on("listTopics").fail(503, "Service Unavailable");
//! assert!(destinations.list_topics().await.unwrap_err().is_retryable());
//! assert_eq!(api.requests()[0].body.as_ref().unwrap()["name"], "orders");
//! # Ok(())
//! # }
//! ```

#![allow(clippy::indexing_slicing, reason = "a `Value` without such a member gives `null`")]

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use std::{io, thread};

use ampersand_client::{Client, ClientBuilder, Host, Retry};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use jsonschema::{Draft, Validator};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api;
use crate::fixture::nearest;

/// A loopback server that checks the API's contract, for tests of API callers. It runs until the process ends.
///
/// On drop, it panics if it received a request that the contract does not allow, unless the test called
/// [`refused`](Self::refused).
#[derive(Debug)]
pub struct FakeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// A request that the server received.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Request {
    /// The operation, as in `createTopic`. `None` if the contract has no operation with this method and path.
    pub operation: Option<String>,
    /// The method, in capitals.
    pub method: String,
    /// The path, without the part for the host.
    pub path: String,
    /// The query parameters, in their order.
    pub query: Vec<(String, String)>,
    /// The body, if the request had one.
    pub body: Option<Value>,
}

#[derive(Debug)]
struct Shared {
    answers: Mutex<BTreeMap<&'static str, Vec<Answer>>>,
    requests: Mutex<Vec<Request>>,
    refused: Mutex<Vec<String>>,
    /// Objects that requests created, by the path of their list. `None` if the server keeps nothing.
    kept: Option<Mutex<BTreeMap<String, Vec<Value>>>>,
}

/// An operation, as the contract describes it.
#[derive(Debug)]
struct Operation {
    host: String,
    id: String,
    method: String,
    path: String,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    /// The responses, by status or `default`.
    responses: BTreeMap<String, Media>,
    /// The body of a successful response. Built when it is first needed, and kept.
    sample: OnceLock<Option<Value>>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    /// `path` or `query`.
    place: String,
    required: bool,
    schema: Schema,
}

#[derive(Debug)]
struct Body {
    required: bool,
    schema: Schema,
}

/// The body of a response.
#[derive(Debug)]
struct Media {
    /// Its media type. `None` if the response has no body.
    name: Option<String>,
    schema: Schema,
}

/// A schema, and the components that it may refer to.
#[derive(Debug)]
struct Schema {
    value: Value,
    components: Arc<Value>,
    /// Built when it is first needed, and kept. `None` if `jsonschema` cannot read the schema.
    validator: OnceLock<Option<Validator>>,
}

/// An answer that a test has set.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    body: Option<Value>,
    media: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    delay: Duration,
    /// How many more times the server gives this answer. `None` means without limit.
    left: Option<usize>,
    /// The index of the page that this answer gives, counted from 0.
    page: Option<usize>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeApi {
    /// Starts a server that answers each request by itself.
    ///
    /// # Errors
    ///
    /// If the system has no free port.
    pub fn start() -> io::Result<Self> {
        Self::serve(None)
    }

    /// Starts a server that also stores the objects that requests create. They appear in lists, and requests can get
    /// them by `id`, `key` or `name`, change and delete them. A list without created objects is empty, and a request for
    /// another object than the created ones gets 404.
    ///
    /// This goes by paths: an object is listed where it was created, by the same name of the project. So connections are
    /// listed nowhere, as another path creates them. Lists ignore filters.
    ///
    /// # Errors
    ///
    /// If the system has no free port.
    pub fn keeping() -> io::Result<Self> {
        Self::serve(Some(Mutex::default()))
    }

    fn serve(kept: Option<Mutex<BTreeMap<String, Vec<Value>>>>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (answers, requests, refused) = Default::default();
        let shared = Arc::new(Shared { answers, requests, refused, kept });
        let app = axum::Router::new().fallback(respond).with_state(Arc::clone(&shared));
        // The server has its own thread, so a test may block.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::spawn(move || {
            let served =
                runtime.block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await });
            debug_assert!(served.is_ok(), "it is served until the process ends");
        });
        Ok(Self { address, shared })
    }

    /// Makes a client of this server. It sends each request once, without retries.
    pub fn client(&self) -> Client {
        match self.client_builder().build() {
            Ok(client) => client,
            Err(error) => panic!("a client of a fake API: {error}"),
        }
    }

    /// Returns a builder of such a client, for tests that set something else, such as retries.
    pub fn client_builder(&self) -> ClientBuilder {
        let builder = Client::builder().api_key("any").retry(Retry::NEVER);
        Host::ALL.iter().fold(builder, |builder, host| builder.base_url(*host, self.url(*host)))
    }

    /// Returns the URL of a part of the API. Each part has its own folder, because two parts use the same paths.
    pub fn url(&self, host: Host) -> String {
        format!("http://{}/{}", self.address, host.name())
    }

    /// Sets the answer that an operation gives from now on, in place of the generated one.
    ///
    /// # Panics
    ///
    /// If the contract has no such operation.
    #[track_caller]
    pub fn on(&self, operation: &str) -> On<'_> {
        match OPERATIONS.iter().find(|known| known.id == operation) {
            Some(operation) => {
                On { api: self, operation, delay: Duration::ZERO, times: None, headers: Vec::new(), checked: true }
            }
            None => {
                let ids = OPERATIONS.iter().map(|known| known.id.as_str());
                panic!("the contract has no operation `{operation}`; is it `{}`?", nearest(operation, ids))
            }
        }
    }

    /// Returns the requests so far, in order of arrival. They have no headers, so that a snapshot can hold them.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// Takes the reasons for which the server refused requests. A test that expects refusals calls this.
    pub fn refused(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.shared.refused))
    }
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        let refused = self.refused();
        if !refused.is_empty() && !thread::panicking() {
            panic!("the contract does not allow what was sent:\n{}", refused.join("\n"));
        }
    }
}

/// The answer that a test sets for an operation: see [`FakeApi::on`].
///
/// The test fails at once if the contract does not allow the answer: a body that does not match the schema for its
/// status, or a body where the contract has none. [`unchecked`](Self::unchecked) permits such an answer. If the
/// contract does not list the status for the operation, any body is allowed.
#[derive(Debug)]
#[must_use = "nothing is said before `answer`, `fail`, `fail_with` or `pages`"]
pub struct On<'a> {
    api: &'a FakeApi,
    operation: &'static Operation,
    delay: Duration,
    times: Option<usize>,
    headers: Vec<(HeaderName, HeaderValue)>,
    checked: bool,
}

impl On<'_> {
    /// Gives this answer the given number of times; after that, the server answers as before.
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Waits this long before each answer.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Adds a header to the answer, such as `retry-after`.
    ///
    /// # Panics
    ///
    /// If the name or the value is not valid in a header.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => self.headers.push((name, value)),
            _ => panic!("no header can be `{name}: {value}`"),
        }
        self
    }

    /// Gives the answer even if the contract does not allow it, to test how your code handles invalid responses.
    pub fn unchecked(self) -> Self {
        Self { checked: false, ..self }
    }

    /// Answers with the status of success, and this value as the JSON body.
    ///
    /// # Panics
    ///
    /// If the value has no JSON form, or the contract does not allow it.
    #[track_caller]
    pub fn answer(self, body: impl Serialize) {
        let answer = self.of(self.operation.status(), as_json(body));
        self.set(vec![answer]);
    }

    /// Answers with this status, and a problem (RFC 9457) with this title.
    ///
    /// # Panics
    ///
    /// If the status is not one from 300 to 599, or the contract does not allow a problem with it.
    #[track_caller]
    pub fn fail(self, status: u16, title: &str) {
        self.fail_with(status, json!({ "status": status, "title": title }));
    }

    /// Answers with this status, and this value as the JSON body: a problem with more than a title, for instance.
    ///
    /// # Panics
    ///
    /// If the status is not one from 300 to 599, the value has no JSON form, or the contract does not allow it with this
    /// status.
    #[track_caller]
    pub fn fail_with(self, status: u16, body: impl Serialize) {
        assert!((300..600).contains(&status), "an API fails with a status from 300 to 599, not with {status}");
        let answer = self.of(status, as_json(body));
        self.set(vec![answer]);
    }

    /// Answers with a list in pages. Each page except the last holds the token of the next page.
    ///
    /// # Panics
    ///
    /// If a value has no JSON form, or the contract does not allow such a page.
    #[track_caller]
    pub fn pages<T: Serialize>(self, pages: impl IntoIterator<Item = Vec<T>>) {
        let pages: Vec<Value> = pages.into_iter().map(as_json).collect();
        let mut answers = Vec::new();
        for (number, results) in pages.iter().enumerate() {
            let mut pagination = json!({ "done": number + 1 == pages.len() });
            if number + 1 < pages.len() {
                pagination["nextPageToken"] = (number + 1).to_string().into();
            }
            let answer = self.of(self.operation.status(), json!({ "results": results, "pagination": pagination }));
            answers.push(Answer { page: Some(number), ..answer });
        }
        self.set(answers);
    }

    #[track_caller]
    fn of(&self, status: u16, body: Value) -> Answer {
        let described = self.operation.response(status);
        let is_empty = body.is_null() && described.is_some_and(|media| media.name.is_none());
        if let (Some(described), true) = (described, self.checked) {
            let why = match described.name {
                None if is_empty => None,
                None => Some("a response with this status has no body".to_owned()),
                Some(_) => described.schema.fault(&body),
            };
            if let Some(why) = why {
                let id = &self.operation.id;
                panic!("the contract does not allow this answer of `{id}` with {status}: {why}: `unchecked` gives it");
            }
        }
        let media = described.and_then(|media| media.name.clone());
        let (headers, body) = (self.headers.clone(), (!is_empty).then_some(body));
        Answer { status, body, media, headers, delay: self.delay, left: self.times, page: None }
    }

    fn set(self, mut answers: Vec<Answer>) {
        if self.times == Some(0) {
            return;
        }
        let mut known = lock(&self.api.shared.answers);
        let all = known.entry(&self.operation.id).or_default();
        // The server uses up the answers with a limit before it gives one without.
        match self.times {
            None => all.retain(|answer| answer.left.is_some()),
            Some(_) => answers.extend(all.extract_if(.., |answer| answer.left.is_none())),
        }
        all.extend(answers);
    }
}

#[track_caller]
fn as_json(value: impl Serialize) -> Value {
    match serde_json::to_value(value) {
        Ok(value) => value,
        Err(error) => panic!("a value that has a JSON form: {error}"),
    }
}

/// The operations of the contract, read once per process.
static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let contract: Map<String, Value> = match serde_json::from_str(crate::contract()) {
        Ok(contract) => contract,
        Err(error) => panic!("the contract that is generated is JSON: {error}"),
    };
    let mut operations = Vec::new();
    for (host, document) in &contract {
        let components = Arc::new(document["components"].clone());
        let schema = |value: &Value| Schema::new(value, &components);
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, described) in item.as_object().into_iter().flatten().filter(|(key, _)| *key != "parameters") {
                let lists = [&item["parameters"], &described["parameters"]];
                let parameter = |parameter: &Value| Parameter {
                    name: text(&parameter["name"]),
                    place: text(&parameter["in"]),
                    required: parameter["required"] == true,
                    schema: schema(&parameter["schema"]),
                };
                let response = |(status, response): (&String, &Value)| {
                    let content = response["content"].as_object().and_then(|content| content.iter().next());
                    let name = content.map(|(name, _)| name.clone());
                    let described = content.map_or(&Value::Null, |(_, content)| &content["schema"]);
                    (status.clone(), Media { name, schema: schema(described) })
                };
                operations.push(Operation {
                    host: host.clone(),
                    id: text(&described["operationId"]),
                    method: method.to_uppercase(),
                    path: path.clone(),
                    parameters: lists.into_iter().filter_map(Value::as_array).flatten().map(parameter).collect(),
                    body: described.get("requestBody").map(|body| Body {
                        required: body["required"] == true,
                        schema: schema(&body["content"]["application/json"]["schema"]),
                    }),
                    responses: described["responses"].as_object().into_iter().flatten().map(response).collect(),
                    sample: OnceLock::new(),
                });
            }
        }
    }
    // Paths with fewer parameters come first, so that they match first.
    operations.sort_by_key(|operation| operation.path.matches('{').count());
    operations
});

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Schema {
    fn new(value: &Value, components: &Arc<Value>) -> Self {
        Self { value: value.clone(), components: Arc::clone(components), validator: OnceLock::new() }
    }

    /// Returns the validator. Building one is slow because it copies all components.
    fn validator(&self) -> Option<&Validator> {
        let build = || {
            let mut whole = self.value.clone();
            whole["components"] = (*self.components).clone();
            jsonschema::options().with_draft(Draft::Draft4).build(&or_null(whole)).ok()
        };
        self.validator.get_or_init(build).as_ref()
    }

    fn allows(&self, value: &Value) -> bool {
        self.validator().is_none_or(|validator| validator.is_valid(value))
    }

    /// Returns the reason why the schema does not allow a value, or `None` if it does.
    fn fault(&self, value: &Value) -> Option<String> {
        let error = self.validator()?.validate(value).err()?;
        let place = error.instance_path().to_string();
        Some(if place.is_empty() { error.to_string() } else { format!("at `{place}`: {error}") })
    }
}

impl Operation {
    /// Returns the values of the path parameters if the method and the path are those of this operation.
    fn matches(&self, method: &Method, path: &str) -> Option<Vec<(String, String)>> {
        let rest = path.strip_prefix('/')?.strip_prefix(self.host.as_str())?;
        if self.method != method.as_str() || rest.split('/').count() != self.path.split('/').count() {
            return None;
        }
        let mut values = Vec::new();
        for (pattern, segment) in self.path.split('/').zip(rest.split('/')) {
            match pattern.strip_prefix('{').and_then(|pattern| pattern.split_once('}')) {
                Some((name, action)) => {
                    let value = segment.strip_suffix(action)?;
                    // The part after a `:` names an action, so a value contains no `:`.
                    if value.contains(':') {
                        return None;
                    }
                    values.push((name.to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned()));
                }
                None if pattern == segment => {}
                None => return None,
            }
        }
        Some(values)
    }

    fn success(&self) -> Option<(&String, &Media)> {
        self.responses.iter().find(|(status, _)| status.starts_with('2'))
    }

    /// The status of success.
    fn status(&self) -> u16 {
        self.success().and_then(|(status, _)| status.parse().ok()).unwrap_or(200)
    }

    /// Returns the contract's response for this status.
    fn response(&self, status: u16) -> Option<&Media> {
        self.responses.get(&status.to_string()).or_else(|| self.responses.get("default"))
    }

    /// Returns the reason why the contract does not allow a request, or `None` if it does.
    fn refusal(&self, path: &[(String, String)], query: &[(String, String)], body: Option<&Value>) -> Option<String> {
        for Parameter { name, place, required, schema } in &self.parameters {
            let given = match place.as_str() {
                "path" => path,
                "query" => query,
                _ => continue,
            };
            match given.iter().find(|(known, _)| known == name) {
                None if *required => return Some(format!("`{name}` is missing in the {place}")),
                None => {}
                Some((_, text)) => {
                    let value = match schema.value["type"].as_str() {
                        Some("string") | None => text.as_str().into(),
                        _ => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
                    };
                    if let Some(why) = schema.fault(&value) {
                        return Some(format!("`{name}` in the {place}: {why}"));
                    }
                }
            }
        }
        let is_known = |name: &str| self.parameters.iter().any(|known| known.name == name && known.place == "query");
        if let Some((name, _)) = query.iter().find(|(name, _)| !is_known(name)) {
            return Some(format!("there is no parameter `{name}` in the query"));
        }
        match (&self.body, body) {
            (None, Some(_)) => Some("it takes no body".to_owned()),
            (Some(described), None) if described.required => Some("the body is missing".to_owned()),
            (Some(described), Some(body)) => {
                let why = described.schema.fault(body)?;
                Some(if why.starts_with("at `") { format!("the body {why}") } else { format!("the body: {why}") })
            }
            _ => None,
        }
    }

    /// Returns the body of a successful response.
    fn sample(&self) -> Option<Value> {
        let make = || {
            let (_, Media { name, schema }) = self.success()?;
            let is_json = name.as_deref() == Some("application/json");
            is_json.then(|| schema.sample(&schema.value, &format!("{}Response", capital(&self.id))))
        };
        self.sample.get_or_init(make).clone()
    }

    /// Applies the members of a body to a value. With an `updateMask`, only the members that it names, of the object
    /// beside it.
    fn change(&self, value: &mut Value, body: Option<&Value>) {
        let schema = self.success().map(|(_, media)| &media.schema);
        let allows = |value: &Value| schema.is_none_or(|schema| schema.allows(value));
        let Some(members) = body.and_then(Value::as_object) else { return };
        let Some(mask) = members.get("updateMask").and_then(Value::as_array) else {
            return members.iter().for_each(|(name, said)| set(value, &[name], said, &allows));
        };
        let said = members.values().find(|said| said.is_object()).unwrap_or(&Value::Null);
        for path in mask.iter().filter_map(Value::as_str) {
            let path: Vec<&str> = path.split('.').collect();
            if let Some(said) = path.iter().try_fold(said, |said, name| said.get(name)) {
                set(value, &path, said, &allows);
            }
        }
    }
}

/// Sets the member at a path. If the result is not allowed, sets the members inside it, and skips those that are not.
fn set(value: &mut Value, path: &[&str], said: &Value, allows: &impl Fn(&Value) -> bool) {
    let mut changed = value.clone();
    let mut place = Some(&mut changed);
    for name in path {
        place = place.and_then(|place| Some(place.as_object_mut()?.entry(*name).or_insert_with(|| json!({}))));
    }
    let Some(place) = place else { return };
    *place = said.clone();
    if allows(&changed) {
        *value = changed;
    } else {
        for (name, said) in said.as_object().into_iter().flatten() {
            set(value, &[path, &[name]].concat(), said, allows);
        }
    }
}

impl Schema {
    /// Returns a value that a schema within this one allows.
    fn sample(&self, schema: &Value, inline: &str) -> Value {
        let named = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        // A type is named after its schema: `JwtKey` after `JWTKey`.
        let of_type =
            |name: &str| api::all().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        match named.map_or_else(|| of_type(inline), of_type) {
            Some(value) => value,
            None if schema["type"] == "array" => json!([self.sample(&schema["items"], &format!("{inline}Item"))]),
            // A named list or map.
            None => match named.and_then(|name| self.components["schemas"].get(name)) {
                Some(target) => self.sample(target, inline),
                None => json!({}),
            },
        }
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// Converts an OpenAPI schema to JSON Schema, which has no `nullable`: `null` becomes one of the allowed types.
fn or_null(schema: Value) -> Value {
    match schema {
        Value::Object(mut members) => {
            let nullable = members.remove("nullable") == Some(Value::Bool(true));
            let mut members: Map<String, Value> =
                members.into_iter().map(|(key, value)| (key, or_null(value))).collect();
            if let (true, Some(kind)) = (nullable, members.get("type").filter(|kind| kind.is_string()).cloned()) {
                members.insert("type".to_owned(), json!([kind, "null"]));
                if let Some(Value::Array(values)) = members.get_mut("enum") {
                    values.push(Value::Null);
                }
            }
            members.into()
        }
        Value::Array(items) => items.into_iter().map(or_null).collect(),
        other => other,
    }
}

async fn respond(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, bytes: Bytes) -> Response {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    let query: Vec<(String, String)> = pairs.map(pair).collect();
    let body: Option<Value> = (!bytes.is_empty()).then(|| {
        serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into())
    });
    let found = OPERATIONS.iter().find_map(|operation| Some((operation, operation.matches(&method, uri.path())?)));
    let path = uri.path().splitn(3, '/').nth(2).map(|path| format!("/{path}")).unwrap_or_default();
    lock(&shared.requests).push(Request {
        operation: found.as_ref().map(|(operation, _)| operation.id.clone()),
        method: method.to_string(),
        path,
        query: query.clone(),
        body: body.clone(),
    });
    let allowed = match found {
        None => Err("the contract has no such method and path".to_owned()),
        Some((operation, path)) => operation.refusal(&path, &query, body.as_ref()).map_or(Ok(operation), Err),
    };
    let operation = match allowed {
        Ok(operation) => operation,
        Err(why) => {
            lock(&shared.refused).push(format!("{method} {}: {why}", uri.path()));
            return problem(400, "the contract does not allow the request", &why);
        }
    };
    if let Some(answer) = shared.said(&operation.id, &query) {
        tokio::time::sleep(answer.delay).await;
        let mut response = response(answer.status, answer.media.as_deref(), answer.body.as_ref());
        answer.headers.into_iter().for_each(|(name, value)| drop(response.headers_mut().insert(name, value)));
        return response;
    }
    match shared.keep(operation, &method, uri.path(), body.as_ref()) {
        Some(kept) => kept,
        None => response(operation.status(), None, operation.sample().as_ref()),
    }
}

/// Returns a response, with the media type that the contract gives for it.
fn response(status: u16, media: Option<&str>, body: Option<&Value>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let usual = if status.is_success() { "application/json" } else { "application/problem+json" };
    let media = media.unwrap_or(usual).to_owned();
    match body {
        Some(Value::String(text)) if media.starts_with("text/") => {
            (status, [(header::CONTENT_TYPE, media)], text.clone()).into_response()
        }
        Some(body) => (status, [(header::CONTENT_TYPE, media)], body.to_string()).into_response(),
        None => status.into_response(),
    }
}

fn problem(status: u16, title: &str, detail: &str) -> Response {
    response(status, None, Some(&json!({ "status": status, "title": title, "detail": detail })))
}

impl Shared {
    /// Returns the answer that the test set for the operation.
    fn said(&self, operation: &str, query: &[(String, String)]) -> Option<Answer> {
        let token = query.iter().find(|(name, _)| name == "pageToken").and_then(|(_, token)| token.parse().ok());
        let mut answers = lock(&self.answers);
        let all = answers.get_mut(operation)?;
        let is_meant = |answer: &Answer| match answer.page {
            Some(number) => number == token.unwrap_or(0),
            None => true,
        };
        let place = all.iter().position(is_meant)?;
        let answer = all.get_mut(place)?;
        let found = answer.clone();
        if let Some(left) = &mut answer.left {
            *left -= 1;
            if *left == 0 {
                all.remove(place);
            }
        }
        Some(found)
    }

    /// Stores, returns, changes or deletes created objects. `None` if the operation is not about such objects.
    fn keep(&self, operation: &Operation, method: &Method, path: &str, body: Option<&Value>) -> Option<Response> {
        let mut kept = lock(self.kept.as_ref()?);
        let sample = operation.sample();
        let (list, last) = path.rsplit_once('/')?;
        let last = percent_decode_str(last).decode_utf8_lossy().into_owned();
        let is_of_one = operation.path.ends_with('}');
        let is_list = sample.as_ref().is_some_and(|sample| sample.is_array() || sample["results"].is_array());
        match *method {
            Method::POST if !is_of_one && !is_list => {
                let mut made = sample.filter(Value::is_object)?;
                let all = kept.entry(path.to_owned()).or_default();
                for name in ["id", "key"] {
                    let Some(Value::String(id)) = made.get_mut(name) else { continue };
                    let mut ids = (all.len() + 1..).map(|number| format!("{id}-{number}"));
                    let is_new = |id: &String| all.iter().all(|one| one[name] != **id);
                    *id = ids.find(is_new).unwrap_or_default();
                }
                operation.change(&mut made, body);
                all.push(made.clone());
                Some(response(operation.status(), None, Some(&made)))
            }
            Method::GET if is_list => {
                let all = Value::from(kept.get(path).cloned().unwrap_or_default());
                let whole = match sample {
                    Some(Value::Object(mut page)) => {
                        page.insert("results".to_owned(), all);
                        page.insert("pagination".to_owned(), json!({ "done": true }));
                        page.into()
                    }
                    _ => all,
                };
                Some(response(operation.status(), None, Some(&whole)))
            }
            Method::GET | Method::PUT | Method::PATCH | Method::DELETE if is_of_one => {
                // What no operation creates is there.
                let creates = |one: &Operation| {
                    one.method == "POST" && operation.path.rsplit_once('/').is_some_and(|(list, _)| list == one.path)
                };
                if !OPERATIONS.iter().any(creates) {
                    return None;
                }
                let all = kept.entry(list.to_owned()).or_default();
                let is_it =
                    |one: &Value| ["id", "name", "key", "groupRef", "consumerRef"].iter().any(|key| one[key] == *last);
                let Some(place) = all.iter().position(is_it) else {
                    return Some(problem(404, "Not Found", "nothing of that name was created"));
                };
                if *method == Method::DELETE {
                    all.remove(place);
                    return Some(response(operation.status(), None, sample.as_ref()));
                }
                let one = all.get_mut(place)?;
                if *method != Method::GET {
                    operation.change(one, body);
                }
                // A get response may have more members than the create response, such as secrets.
                let mut whole = sample.filter(Value::is_object).unwrap_or_else(|| json!({}));
                one.as_object().into_iter().flatten().for_each(|(name, value)| whole[name] = value.clone());
                Some(response(operation.status(), None, Some(&whole)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_one_that_the_contract_allows() {
        assert_eq!(OPERATIONS.len(), 88);
        for operation in OPERATIONS.iter() {
            let Some(sample) = operation.sample() else { continue };
            let (_, media) = operation.success().expect("it has one of success");
            let problems = media
                .schema
                .validator()
                .map(|validator| validator.iter_errors(&sample).map(|e| e.to_string()).collect());
            assert_eq!(problems, Some(Vec::<String>::new()), "{}: {sample}", operation.id);
        }
    }
}
