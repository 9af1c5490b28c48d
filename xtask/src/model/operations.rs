use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::read::{Reader, members, owned, text};
use super::{Kind, Node, Place, Schema, Tag, last, names};
use crate::keywords::{among, variant};

pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An operation of an API.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) place: Place,
    /// The name of the document, which has its own host.
    pub(crate) host: String,
    /// In uppercase.
    pub(crate) method: String,
    pub(crate) path: String,
    /// The first tag, which decides the operation's group in the client.
    pub(crate) tag: Option<String>,
    pub(crate) words: Option<String>,
    /// The URL of its page in the public reference.
    pub(crate) page: Option<String>,
    pub(crate) deprecated: bool,
    /// Whether it may be sent again: its method promises that, or an overlay says so.
    pub(crate) idempotent: bool,
    /// The ways to authenticate, of which one is enough: the schemes of each, with their scopes.
    pub(crate) security: BTreeSet<Way>,
    /// Whether it takes `security` from the document.
    pub(crate) inherits_security: bool,
    /// The URL of its server, where that is not the document's.
    pub(crate) server: Option<String>,
    /// Sorted by location and name.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// By status.
    pub(crate) responses: BTreeMap<String, Response>,
    /// Other keywords of the contract.
    pub(crate) rest: BTreeMap<String, Value>,
}

/// A way to authenticate: the schemes that it takes, and the scopes of each.
pub(crate) type Way = BTreeMap<String, BTreeSet<String>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Location {
    Cookie,
    Header,
    Path,
    Query,
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) deprecated: bool,
    /// Whether an operation that may be sent again still may with this parameter.
    pub(crate) idempotent: bool,
    pub(crate) words: Option<String>,
    /// How arrays and objects are written: OpenAPI's default, unless the contract says otherwise.
    pub(crate) style: String,
    pub(crate) explode: bool,
    /// The media type that the value is written in, if it has one.
    pub(crate) media: Option<String>,
    pub(crate) schema: Node,
    /// Other keywords of the contract.
    pub(crate) rest: BTreeMap<String, Value>,
}

#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) place: Place,
    pub(crate) required: bool,
    /// By media type.
    pub(crate) content: BTreeMap<String, Node>,
}

#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) place: Place,
    pub(crate) content: BTreeMap<String, Node>,
    pub(crate) headers: Option<Value>,
}

impl Parameter {
    /// Whether every call has it.
    pub(crate) fn is_argument(&self) -> bool {
        self.required || self.location == Location::Path
    }

    /// Returns what identifies it among the parameters of an operation. The names of headers ignore case.
    pub(crate) fn key(&self) -> (Location, String) {
        let name = if self.location == Location::Header { self.name.to_lowercase() } else { self.name.clone() };
        (self.location, name)
    }
}

impl Operation {
    /// Returns the parameters that every call has: those of the path first, in the order of the path.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Parameter> {
        let place = |parameter: &&Parameter| match parameter.location {
            Location::Path => self.path.find(&format!("{{{}}}", parameter.name)).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let mut arguments: Vec<&Parameter> = self.parameters.iter().filter(|one| one.is_argument()).collect();
        arguments.sort_by_key(place);
        arguments.into_iter()
    }

    /// Returns the schemas of the parameters and of the request body.
    pub(crate) fn sent(&self) -> Vec<&Node> {
        let parameters = self.parameters.iter().map(|parameter| &parameter.schema);
        parameters.chain(self.body.iter().flat_map(|body| body.content.values())).collect()
    }

    /// Returns the schemas of the responses.
    pub(crate) fn received(&self) -> Vec<&Node> {
        self.responses.values().flat_map(|response| response.content.values()).collect()
    }

    pub(super) fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        let parameters = self.parameters.iter_mut().map(|parameter| &mut parameter.schema);
        let body = self.body.iter_mut().flat_map(|body| body.content.values_mut());
        parameters.chain(body).chain(self.responses.values_mut().flat_map(|response| response.content.values_mut()))
    }

    /// Returns the position of a path parameter among those of the path.
    pub(crate) fn position(&self, parameter: &Parameter) -> Option<usize> {
        let is_it = |name: &&str| parameter.location == Location::Path && *name == parameter.name;
        self.path_parameters().iter().position(is_it)
    }

    /// Returns the names in the path's braces, in order.
    pub(crate) fn path_parameters(&self) -> Vec<&str> {
        in_braces(&self.path)
    }

    /// Returns the path without the names of its parameters.
    pub(crate) fn route(&self) -> String {
        let mut route = self.path.clone();
        for name in self.path_parameters() {
            route = route.replacen(&format!("{{{name}}}"), "{}", 1);
        }
        route
    }
}

fn in_braces(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}

pub(super) fn tag(value: &Value) -> Option<Tag> {
    Some(Tag { name: text(&value["name"])?, words: text(&value["description"]), group: text(&value["x-group"]) })
}

/// Reads the operations of a document.
pub(super) fn read(reader: &mut Reader<'_>) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in members(&reader.document["paths"]) {
        let (item, _) = pointed(reader, item, Place::new(reader.name, path));
        let methods = members(item).filter(|(method, _)| METHODS.contains(method));
        found.extend(methods.map(|(method, value)| ((path, item), (method, value))));
    }
    let named = found.iter().filter_map(|(_, (_, value))| value["operationId"].as_str());
    let mut taken: BTreeSet<String> = named.map(names::pascal).collect();
    let mut operations = Vec::new();
    for ((path, item), (method, value)) in found {
        let id = text(&value["operationId"])
            .unwrap_or_else(|| names::claim(&names::camel(&format!("{method} {path}")), &mut taken));
        operations.push(operation(reader, id, (path, item), (method, value)));
    }
    operations
}

fn operation<'a>(
    reader: &mut Reader<'a>,
    id: String,
    (path, item): (&'a str, &'a Value),
    (method, value): (&'a str, &'a Value),
) -> Operation {
    const TOLD: &str =
        "deprecated description externalDocs operationId parameters requestBody responses security servers tags";
    let place = Place::new(reader.name, &id);
    let own = value.get("security");
    let ways = own.unwrap_or(&reader.document["security"]).as_array().into_iter().flatten();
    let body = value.get("requestBody").map(|body| {
        let (body, place) = pointed(reader, body, place.field("requestBody"));
        Body { required: body["required"] == true, content: content(reader, body, &place), place }
    });
    let mut responses = BTreeMap::new();
    for (status, response) in members(&value["responses"]) {
        let (response, place) = pointed(reader, response, place.field("responses").below(&format!(".{status}")));
        let response =
            Response { content: content(reader, response, &place), headers: response.get("headers").cloned(), place };
        responses.insert(status.to_owned(), response);
    }
    let server = [value, item].into_iter().find_map(|one| server(&one["servers"][0]));
    let rest = members(value).filter(|(key, _)| !among(TOLD, key) && !key.starts_with("x-")).map(owned);
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        host: reader.name.to_owned(),
        tag: text(&value["tags"][0]),
        words: text(&value["description"]),
        page: text(&value["externalDocs"]["url"]),
        deprecated: value["deprecated"] == true,
        idempotent: ["get", "put", "delete", "head"].contains(&method) || value["x-idempotent"] == true,
        security: ways.map(way).collect(),
        inherits_security: own.is_none(),
        parameters: parameters(reader, &place, (path, item), value),
        body,
        responses,
        server,
        rest: rest.collect(),
        place,
        id,
    }
}

/// Returns the URL of a server, with the defaults of its variables. It may be relative to the document's.
pub(super) fn server(value: &Value) -> Option<String> {
    let mut url = text(&value["url"])?;
    for (name, variable) in members(&value["variables"]) {
        url = url.replace(&format!("{{{name}}}"), variable["default"].as_str().unwrap_or_default());
    }
    Some(url.trim_end_matches('/').to_owned())
}

fn way(value: &Value) -> Way {
    let scopes = |scopes: &Value| scopes.as_array().into_iter().flatten().filter_map(text).collect();
    members(value).map(|(name, value)| (name.to_owned(), scopes(value))).collect()
}

fn parameters<'a>(
    reader: &mut Reader<'a>,
    operation: &Place,
    (path, item): (&'a str, &'a Value),
    value: &'a Value,
) -> Vec<Parameter> {
    // A path parameter that is declared nowhere is a string.
    let node = |place| Node::new(Schema::new(place, Kind::Text));
    let named = |name| parameter(&json!({ "name": name, "in": "path" }), operation.field("parameters"), node);
    let in_path = in_braces(path).into_iter().filter_map(named);
    let mut parameters: BTreeMap<_, _> = in_path.map(|read| (read.key(), read)).collect();
    for declared in [item, value].into_iter().flat_map(|value| value["parameters"].as_array().into_iter().flatten()) {
        let (declared, place) = pointed(reader, declared, operation.field("parameters"));
        let schema = members(&declared["content"]).next().map_or(&declared["schema"], |(_, media)| &media["schema"]);
        let read = parameter(declared, place, |place| reader.node(schema, place));
        if read.is_none() {
            let what = "is no parameter, which has a name and is in a path, query, header or cookie";
            reader.problems.push(format!("at operation `{}`: {declared} {what}", operation.schema));
        }
        parameters.extend(read.map(|read| (read.key(), read)));
    }
    parameters.into_values().collect()
}

/// Reads a parameter. `node` reads the schema at its place.
fn parameter(value: &Value, place: Place, node: impl FnOnce(Place) -> Node) -> Option<Parameter> {
    const TOLD: &str = "content deprecated description explode in name required schema style";
    // A name that YAML takes for a number.
    let name = text(&value["name"]).or_else(|| value["name"].as_number().map(ToString::to_string))?;
    let location: Location = variant(value["in"].as_str()?)?;
    let place = if place.path == "$" { place } else { place.field(&name) };
    let default = if matches!(location, Location::Query | Location::Cookie) { "form" } else { "simple" };
    let style = value["style"].as_str().unwrap_or(default);
    let rest = members(value)
        .filter(|(key, value)| !among(TOLD, key) && !key.starts_with("x-") && **value != Value::Bool(false));
    Some(Parameter {
        location,
        required: value["required"] == true || location == Location::Path,
        deprecated: value["deprecated"] == true,
        idempotent: value["x-idempotent"] != false,
        words: text(&value["description"]),
        explode: value["explode"].as_bool().unwrap_or(style == "form"),
        style: style.to_owned(),
        media: members(&value["content"]).next().map(|(name, _)| name.to_owned()),
        schema: node(place.clone()),
        rest: rest.map(owned).collect(),
        name,
        place,
    })
}

fn content<'a>(reader: &mut Reader<'a>, holder: &'a Value, place: &Place) -> BTreeMap<String, Node> {
    let media = members(&holder["content"]);
    // Two media types that differ only in their parameters, such as the charset, are the same.
    let name = |name: &str| name.split(';').next().unwrap_or_default().trim().to_lowercase();
    media.map(|(media, value)| (name(media), reader.node(&value["schema"], place.clone()))).collect()
}

/// Follows a reference to `components`: to a parameter, a request body, a response or a path item.
fn pointed<'a>(reader: &Reader<'a>, value: &'a Value, place: Place) -> (&'a Value, Place) {
    last((value, place), |(value, _)| reader.target(value))
}
