//! What a client makes of an operation: whether it can call it, and which bodies it writes and decodes.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Location, Node, Operation, Parameter, Response};

/// How a client writes or decodes a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Empty,
    Json,
    /// JSON of one of several schemas.
    Choice,
    /// The pairs of an HTML form.
    Pairs,
    Text,
    Bytes,
}

/// A body that a client writes, or decodes as the successful response.
pub(crate) struct Content<'o> {
    pub(crate) form: Form,
    /// The media type and the schema; `None` for an empty body.
    pub(crate) of: Option<(&'o str, &'o Node)>,
    /// The status of the response.
    pub(crate) status: &'o str,
}

/// The media type of an HTML form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) fn is_json(media: &str) -> bool {
    media == "application/json" || media.ends_with("+json")
}

/// Returns the JSON body among those in several media types.
fn json(content: &BTreeMap<String, Node>) -> Option<(&str, &Node)> {
    let all = content.iter().filter(|(media, _)| is_json(media)).map(|(media, node)| (media.as_str(), node));
    all.min_by_key(|(media, _)| *media != "application/json")
}

impl Response {
    /// Returns the schema of a JSON body.
    pub(crate) fn json(&self) -> Option<&Node> {
        json(&self.content).map(|(_, node)| node)
    }

    pub(super) fn json_mut(&mut self) -> Option<&mut Node> {
        let media = json(&self.content)?.0.to_owned();
        self.content.get_mut(&media)
    }
}

impl Parameter {
    /// Whether callers set it: neither a cookie, nor a header for which OpenAPI ignores parameters.
    pub(crate) fn is_set_by_callers(&self) -> bool {
        let is_header = |name: &&str| self.name.eq_ignore_ascii_case(name);
        match self.location {
            Location::Cookie => false,
            Location::Header => !["accept", "authorization", "content-type"].iter().any(is_header),
            Location::Path | Location::Query => true,
        }
    }
}

impl Operation {
    /// Whether a response of a status is a success. `default` is, if the operation has no other success.
    pub(crate) fn is_success(&self, status: &str) -> bool {
        let has_other = || self.responses.keys().any(|other| other.starts_with(['2', '3']));
        status.starts_with('2') || (status == "default" && !has_other())
    }

    /// Returns the responses of success, by status.
    fn succeeding(&self) -> impl Iterator<Item = (&str, &Response)> {
        let all = self.responses.iter().map(|(status, response)| (status.as_str(), response));
        all.filter(|(status, _)| self.is_success(status))
    }

    /// Returns the reason why a client cannot call it.
    pub(crate) fn obstacle(&self) -> Option<String> {
        if ["OPTIONS", "TRACE"].contains(&self.method.as_str()) {
            return Some("its method is for what stands between a client and a server".to_owned());
        }
        if let Some(cookie) = self.parameters.iter().find(|one| one.location == Location::Cookie && one.required) {
            return Some(format!("`{}` is a cookie, which the client does not send", cookie.name));
        }
        if let Some(url) = &self.server {
            return Some(format!("it is at {url}, where no other one is"));
        }
        let is_odd = |style: &str| ["label", "matrix"].contains(&style);
        if let Some(odd) = self.parameters.iter().find(|one| is_odd(&one.style)) {
            return Some(format!("the style `{}` of `{}` is not supported", odd.style, odd.name));
        }
        let content = &self.body.as_ref()?.content;
        let only_parts = !content.is_empty() && content.keys().all(|media| media.starts_with("multipart/"));
        only_parts.then(|| "its body has parts, which the client does not write".to_owned())
    }

    /// Returns the body that a client writes: JSON before a form, and a form before bytes.
    pub(crate) fn written(&self) -> Content<'_> {
        let rank = |media: &str| match media {
            "application/json" => (0, Form::Json),
            _ if is_json(media) => (1, Form::Json),
            FORM => (2, Form::Pairs),
            _ => (3, Form::Bytes),
        };
        let content = self.body.iter().flat_map(|body| &body.content);
        let written = content.filter(|(media, _)| !media.starts_with("multipart/"));
        let first = written.min_by_key(|(media, _)| rank(media).0);
        let first = first.map(|(media, node)| (rank(media).1, (media.as_str(), node)));
        let (form, of) = first.map_or((Form::Empty, None), |(form, of)| (form, Some(of)));
        Content { form, of, status: "" }
    }

    /// Returns the body of success that a client decodes: of several the last in JSON, or else the first.
    pub(crate) fn decoded(&self) -> Content<'_> {
        let all: Vec<_> = self.succeeding().filter(|_| self.method != "HEAD").collect();
        let with_json = all.iter().rev().find_map(|(status, response)| Some((*status, json(&response.content)?)));
        if let Some((status, of)) = with_json {
            let form = if self.successes().len() > 1 { Form::Choice } else { Form::Json };
            return Content { form, of: Some(of), status };
        }
        let first = all.iter().find(|(_, response)| !response.content.is_empty()).or(all.last());
        let Some((status, response)) = first else { return Content { form: Form::Empty, of: None, status: "200" } };
        let is_text = |(media, _): &(&String, _)| media.starts_with("text/");
        let text = response.content.iter().find(is_text);
        let form = if text.is_some() { Form::Text } else { Form::Bytes };
        match text.or(response.content.iter().next()) {
            Some((media, node)) => Content { form, of: Some((media, node)), status },
            None => Content { form: Form::Empty, of: None, status },
        }
    }

    /// Returns the schemas of the JSON bodies of successful responses that differ.
    pub(super) fn successes(&self) -> Vec<Node> {
        let mut shapes: Vec<Node> = Vec::new();
        for node in self.succeeding().filter_map(|(_, response)| response.json()) {
            if !shapes.iter().any(|one| one.bare() == node.bare()) {
                shapes.push(Rc::clone(node));
            }
        }
        shapes
    }
}
