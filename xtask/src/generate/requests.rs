//! What code needs of an operation: how it is called, and the type of its response.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use proc_macro2::Ident;
use quote::format_ident;

use super::ty::{Direction, Ty};
use crate::model::{self, Content, Document, Form, Kind, Location, Operation, Rust, names};

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
    /// The media type of that response; `None` without a body.
    pub(super) media: Option<&'a str>,
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
    /// JSON of this media type.
    Json(String),
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
        if let Some(obstacle) = operation.obstacle() {
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

fn request<'a>(document: &Document, operation: &'a Operation) -> Result<Request<'a>> {
    let mut parameters = Vec::new();
    let mut taken: Vec<Ident> = Vec::new();
    for one in operation.parameters.iter().filter(|one| one.is_set_by_callers()) {
        let mut ident = format_ident!("{}", ident(&one.name));
        // The path and the query may have parameters with the same name.
        while taken.contains(&ident) {
            ident = format_ident!("{}_{ident}", one.location.name());
        }
        taken.push(ident.clone());
        let ty = Ty::of(document, &one.schema, Direction::OnlySent)?;
        let node = document.resolve(&one.schema);
        let is_list = match &node.becomes {
            None => matches!(node.kind, Kind::List(_) | Kind::Object(_)),
            // A struct of another module.
            Some(Rust::Type(_)) => node.values.is_none(),
            Some(_) => false,
        };
        let is_compound = one.media.is_some() || is_list || one.style == "deepObject";
        parameters.push(Parameter { of: one, ident, ty, is_compound });
    }
    let decoded = operation.decoded();
    let answer = answer(document, &decoded)?;
    let mut errors = BTreeMap::new();
    for (status, response) in operation.responses.iter().filter(|(status, _)| !operation.is_success(status)) {
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
        status: decoded.status.parse().unwrap_or(200),
        answer,
        media: decoded.of.map(|(media, _)| media),
        errors,
    })
}

fn body(document: &Document, operation: &Operation) -> Result<Option<Body>> {
    let written = operation.written();
    let (Some((media, node)), Some(body)) = (written.of, &operation.body) else { return Ok(None) };
    let (ty, media) = match written.form {
        Form::Json => (Ty::of(document, node, Direction::OnlySent)?, Media::Json(media.to_owned())),
        Form::Pairs => (Ty::of(document, node, Direction::OnlySent)?, Media::Form),
        _ => (Ty::Bytes, Media::Bytes(media.to_owned())),
    };
    Ok(Some(Body { ty, required: body.required, media }))
}

/// Returns the type of the response that the client decodes.
fn answer(document: &Document, decoded: &Content<'_>) -> Result<Answer> {
    Ok(match (decoded.form, decoded.of) {
        (Form::Json | Form::Choice, Some((_, node))) => Answer::Json(Ty::or_null(document, node, Direction::Received)?),
        (Form::Text, _) => Answer::Text,
        (Form::Bytes, _) => Answer::Bytes,
        _ => Answer::Empty,
    })
}

/// Returns the name of a method that is neither reserved by Rust nor a method of every request.
pub(super) fn ident(name: &str) -> String {
    names::fit(names::snake(name), "value", "body call new send stream")
}
