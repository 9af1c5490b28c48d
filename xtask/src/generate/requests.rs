//! What code needs of an operation: how it is called, and the type of its response.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use proc_macro2::Ident;
use quote::format_ident;

use super::ty::{Direction, Ty};
use crate::keywords::word;
use crate::model::{self, Content, Document, Form, Kind, Location, Node, Operation, Rust, names};

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
    pub(super) body: Option<Coded<'a>>,
    /// The status of a successful response.
    pub(super) status: u16,
    /// The body of that response.
    pub(super) answer: Option<Coded<'a>>,
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

/// A body that a client writes or decodes.
pub(super) struct Coded<'a> {
    pub(super) form: Form,
    /// The media type.
    pub(super) media: &'a str,
    pub(super) ty: Ty,
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
        (sent.collect(), self.answer.iter().map(|answer| &answer.ty).chain(self.errors.values()).collect())
    }

    /// Returns the body that every call has (`required`), or that a call may leave out.
    pub(super) fn body_if(&self, required: bool) -> Option<&Coded<'a>> {
        self.body.as_ref().filter(|_| self.requires_body() == required)
    }

    pub(super) fn requires_body(&self) -> bool {
        self.operation.body.as_ref().is_some_and(|body| body.required)
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
            ident = format_ident!("{}_{ident}", word(one.location));
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
        body: coded(&operation.written(), |node| Ty::of(document, node, Direction::OnlySent))?,
        status: decoded.status.parse().unwrap_or(200),
        answer: coded(&decoded, |node| Ty::or_null(document, node, Direction::Received))?,
        errors,
    })
}

/// Returns a body with its type; `None` for an empty one. `of` gives the type of its schema.
fn coded<'a>(content: &Content<'a>, of: impl Fn(&Node) -> Result<Ty>) -> Result<Option<Coded<'a>>> {
    let Some((media, node)) = content.of else { return Ok(None) };
    let ty = match content.form {
        Form::Text => Ty::String,
        Form::Bytes => Ty::Bytes,
        _ => of(node)?,
    };
    Ok(Some(Coded { form: content.form, media, ty }))
}

/// Returns the name of a method that is neither reserved by Rust nor a method of every request.
pub(super) fn ident(name: &str) -> String {
    names::fit(names::snake(name), "value", "body call new send stream")
}
