//! What code needs of an operation: how it is called, and the type of its response.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use proc_macro2::Ident;
use quote::format_ident;

use super::ty::{Direction, Ty};
use crate::model::{self, Document, Kind, Location, Node, Operation, json, names};

/// Operations that the contract groups by a tag.
pub(super) struct Group<'a> {
    pub(super) tag: String,
    /// The name of the module.
    pub(super) name: String,
    pub(super) words: Option<String>,
    pub(super) requests: Vec<Request<'a>>,
}

/// An operation, as a client calls it.
pub(super) struct Request<'a> {
    pub(super) operation: &'a Operation,
    /// The name of the method that begins the request, and of the request's struct.
    pub(super) method: Ident,
    pub(super) name: Ident,
    pub(super) parameters: Vec<Parameter<'a>>,
    pub(super) body: Option<Body>,
    /// The status of a successful response.
    pub(super) status: u16,
    pub(super) answer: Answer,
    /// The bodies of error responses, by status.
    pub(super) errors: BTreeMap<&'a str, Ty>,
}

pub(super) struct Parameter<'a> {
    pub(super) of: &'a model::Parameter,
    pub(super) ident: Ident,
    pub(super) ty: Ty,
    /// Whether it has several values, or is written as JSON.
    pub(super) is_compound: bool,
}

pub(super) struct Body {
    pub(super) ty: Ty,
    pub(super) required: bool,
    pub(super) media: Media,
}

/// How a body is encoded.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Media {
    Json,
    Form,
    /// As is, with its media type.
    Bytes(String),
}

/// The body of a successful response.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Empty,
    Text,
    Json(Ty),
    Bytes,
}

impl<'a> Request<'a> {
    /// Returns the parameters: first those of every call, in the order of [`Operation::arguments`].
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Parameter<'a>> {
        let arguments =
            self.operation.arguments().filter_map(|one| self.parameters.iter().find(|p| std::ptr::eq(p.of, one)));
        arguments.chain(self.parameters.iter().filter(|parameter| !parameter.of.is_argument()))
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = &Parameter<'a>> {
        self.in_order().filter(|parameter| parameter.of.is_argument())
    }

    /// Returns the types that a caller sends, and those that it receives.
    pub(super) fn types(&self) -> (Vec<&Ty>, Vec<&Ty>) {
        let sent = self.parameters.iter().map(|parameter| &parameter.ty).chain(self.body.iter().map(|body| &body.ty));
        let answer = match &self.answer {
            Answer::Json(ty) => Some(ty),
            Answer::Empty | Answer::Text | Answer::Bytes => None,
        };
        (sent.collect(), answer.into_iter().chain(self.errors.values()).collect())
    }
}

/// Returns the operations that the client can call. `left_out` gets the others, and why they are left out.
pub(super) fn requests<'a>(document: &'a Document, left_out: &mut Vec<String>) -> Result<Vec<Request<'a>>> {
    let mut requests = Vec::new();
    for operation in &document.operations {
        let place = format!("{} {} ({})", operation.method, operation.path, operation.host);
        if let Some(obstacle) = obstacle(operation) {
            left_out.push(format!("{place} is left out: {obstacle}"));
            continue;
        }
        for cookie in operation.parameters.iter().filter(|one| one.location == Location::Cookie) {
            left_out.push(format!("`{}` of {place} is left out: the client sends no cookies", cookie.name));
        }
        requests.push(request(document, operation).with_context(|| operation.id.clone())?);
    }
    Ok(requests)
}

/// Returns the reason why the client cannot express an operation.
fn obstacle(operation: &Operation) -> Option<String> {
    if ["OPTIONS", "TRACE"].contains(&operation.method.as_str()) {
        return Some("its method is for what stands between a client and a server".to_owned());
    }
    if let Some(cookie) = operation.parameters.iter().find(|one| one.location == Location::Cookie && one.required) {
        return Some(format!("`{}` is a cookie, which the client does not send", cookie.name));
    }
    if let Some(url) = &operation.server {
        return Some(format!("it is at {url}, where no other one is"));
    }
    let is_odd = |style: &str| ["label", "matrix"].contains(&style);
    if let Some(odd) = operation.parameters.iter().find(|one| is_odd(&one.style)) {
        return Some(format!("the style `{}` of `{}` is not supported", odd.style, odd.name));
    }
    let content = &operation.body.as_ref()?.content;
    let only_parts = !content.is_empty() && content.keys().all(|media| media.starts_with("multipart/"));
    only_parts.then(|| "its body has parts, which the client does not write".to_owned())
}

fn request<'a>(document: &Document, operation: &'a Operation) -> Result<Request<'a>> {
    let mut parameters = Vec::new();
    let mut taken: Vec<Ident> = Vec::new();
    for one in operation.parameters.iter().filter(|one| !is_of_the_client(one)) {
        let mut ident = format_ident!("{}", ident(&one.name));
        // The path and the query may have parameters with the same name.
        while taken.contains(&ident) {
            ident = format_ident!("{}_{ident}", one.location.name());
        }
        taken.push(ident.clone());
        let ty = Ty::of(document, &one.schema, Direction::OnlySent)?;
        let node = document.resolve(&one.schema);
        let is_list = node.becomes.is_none() && matches!(node.kind, Kind::List(_) | Kind::Object(_));
        let is_compound = one.media.is_some() || is_list || one.style == "deepObject";
        parameters.push(Parameter { of: one, ident, ty, is_compound });
    }
    let (status, answer) = answer(document, operation)?;
    let mut errors = BTreeMap::new();
    for (status, response) in operation.responses.iter().filter(|(status, _)| !status.starts_with('2')) {
        if let Some(node) = response.json() {
            errors.insert(status.as_str(), Ty::of(document, node, Direction::Received)?);
        }
    }
    Ok(Request {
        operation,
        method: format_ident!("{}", ident(&operation.id)),
        name: format_ident!("{}", names::pascal(&operation.id)),
        parameters,
        body: body(document, operation)?,
        status,
        answer,
        errors,
    })
}

fn body(document: &Document, operation: &Operation) -> Result<Option<Body>> {
    let Some(body) = operation.body.as_ref().filter(|body| !body.content.is_empty()) else { return Ok(None) };
    let form = body.content.get("application/x-www-form-urlencoded");
    let (ty, media) = match (json(&body.content), form, body.content.keys().find(|one| !one.starts_with("multipart/")))
    {
        (Some(node), ..) => (Ty::of(document, node, Direction::OnlySent)?, Media::Json),
        (None, Some(node), _) => (Ty::of(document, node, Direction::OnlySent)?, Media::Form),
        (None, None, Some(media)) => (Ty::Bytes, Media::Bytes(media.clone())),
        (None, None, None) => return Ok(None),
    };
    Ok(Some(Body { ty, required: body.required, media }))
}

/// Returns the status and the body of success. Of several, it chooses the last JSON body, or else the first body.
fn answer(document: &Document, operation: &Operation) -> Result<(u16, Answer)> {
    if operation.method == "HEAD" {
        return Ok((200, Answer::Empty));
    }
    let succeeded = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
    let succeeded: Vec<_> = succeeded.map(|(status, response)| (status.parse().unwrap_or(200), response)).collect();
    let with_json: Vec<(u16, &Node)> =
        succeeded.iter().filter_map(|(status, response)| Some((*status, response.json()?))).collect();
    if let Some((status, node)) = with_json.last() {
        let ty = Ty::or_null(document, node, Direction::Received)?;
        return Ok((*status, Answer::Json(ty)));
    }
    let of = |response: &model::Response| match response.content.keys().next() {
        None => Answer::Empty,
        Some(_) if response.content.keys().any(|media| media.starts_with("text/")) => Answer::Text,
        Some(_) => Answer::Bytes,
    };
    let first = succeeded.iter().find(|(_, response)| !response.content.is_empty()).or(succeeded.last());
    Ok(first.map_or((200, Answer::Empty), |(status, response)| (*status, of(response))))
}

/// Whether callers cannot set a parameter: a cookie, or a header for which OpenAPI ignores parameters.
fn is_of_the_client(parameter: &model::Parameter) -> bool {
    let is_header = |name: &&str| parameter.name.eq_ignore_ascii_case(name);
    match parameter.location {
        Location::Cookie => true,
        Location::Header => ["accept", "authorization", "content-type"].iter().any(is_header),
        Location::Path | Location::Query => false,
    }
}

/// Returns the name of a method that is neither reserved by Rust nor a method of every request.
pub(super) fn ident(name: &str) -> String {
    names::fit(names::snake(name), "value", &["body", "call", "new", "send", "stream"])
}
