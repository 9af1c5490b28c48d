//! Builds the request that a command line describes.

use std::io::Read as _;

use ampersand_client::{Client, Endpoint, Host, Raw};
use ampersand_types::RawJson;
use anyhow::Result;
use clap::ArgMatches;
use serde_json::{Map, Value};

use super::command::{Flag, JSON, SET, flags};
use crate::check;
use crate::contract::{self, Operation, Schema, kebab};
use crate::input::{read_text, text_of};
use crate::usage::usage;

/// An operation with its parameters and its body.
pub(crate) struct Request {
    pub(crate) operation: Operation,
    /// The parameters, by their names in the contract.
    parameters: Vec<(&'static str, Value)>,
    /// The body as it is sent. A file is sent unchanged, unless a field was set in it.
    body: Option<String>,
}

impl Request {
    pub(crate) fn read(operation: Operation, matches: &ArgMatches) -> Result<Self> {
        let (in_body, parameters): (Vec<Flag>, Vec<Flag>) = flags(operation).into_iter().partition(|flag| flag.in_body);
        let mut values = Vec::new();
        for flag in parameters {
            let Some(text) = matches.get_one::<String>(&flag.id()) else { continue };
            let text = if flag.field.is_secret() { of_file(&flag.long, text)? } else { text.clone() };
            if operation.is_in_path(flag.field.name) && ["", ".", ".."].contains(&&*text) {
                return Err(usage(format!("--{}: {text:?} would lead to another path", flag.long)));
            }
            values.push((flag.field.name, typed(Some(flag.field.schema), &text)));
        }
        let mut body = match operation.body() {
            Some(_) => matches.get_one::<String>(JSON).map(|file| body_of(file)).transpose()?,
            None => None,
        };
        for flag in in_body {
            let Some(given) = matches.get_many::<String>(&flag.id()) else { continue };
            let (name, schema) = (flag.field.name, flag.field.schema);
            let value = match schema.items() {
                Some(items) => given.map(|text| typed(Some(items), text)).collect(),
                None => given.map(|text| typed(Some(schema), text)).next_back().unwrap_or_default(),
            };
            set(&mut body, operation, &[name], value).map_err(|error| usage(format!("--{}: {error}", flag.long)))?;
        }
        let sets = operation.body().and_then(|_| matches.get_many::<String>(SET)).into_iter().flatten();
        for given in sets {
            let (path, value) = assignment(operation, given).map_err(|error| usage(format!("--set {error}")))?;
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            set(&mut body, operation, &path, value)
                .map_err(|error| usage(format!("--set {}: {error}", path.join("."))))?;
        }
        let body = body.map(|(text, value)| text.unwrap_or_else(|| value.to_string()));
        Ok(Self { operation, parameters: values, body })
    }

    /// Returns the parts of the request that do not fit the contract, and what to do.
    pub(crate) fn faults(&self) -> Vec<String> {
        let flags = flags(self.operation);
        let mut faults = Vec::new();
        for (name, value) in &self.parameters {
            let flag = flags.iter().find(|flag| flag.field.name == *name);
            if let Some(flag) = flag {
                faults.extend(check::faults(value, flag.field.schema, &format!("--{}", flag.long)));
            }
        }
        let Some(schema) = self.operation.body() else { return faults };
        let needs_some = self.operation.needs_body() || schema.target().required().next().is_some();
        let body = match &self.body {
            Some(body) => serde_json::from_str(body).unwrap_or_default(),
            None if needs_some => Value::Object(Map::new()),
            None => return faults,
        };
        faults.extend(check::faults(&body, schema, "").into_iter().map(
            |fault| match fault.strip_suffix(" is missing") {
                None => fault,
                Some(path) => {
                    let name = path.trim_matches('`');
                    let flag = flags.iter().find(|flag| flag.in_body && flag.field.name == name);
                    let option = flag
                        .map_or_else(|| format!("--set {name}=… or --json FILE"), |flag| format!("--{}", flag.long));
                    format!("{fault}: pass {option}")
                }
            },
        ));
        faults
    }

    /// Returns the request. `page` is the token of the page, if it is not the first.
    pub(crate) fn raw(&self, client: &Client, page: Option<&str>) -> Result<Raw> {
        self.raw_with(client, page, |_, text| text)
    }

    fn raw_with(&self, client: &Client, page: Option<&str>, shown: impl Fn(&str, String) -> String) -> Result<Raw> {
        let given = |name: &str| self.parameters.iter().any(|(given, _)| *given == name);
        let mut raw = client.raw_operation(&self.operation.endpoint_with(given));
        for (name, value) in &self.parameters {
            let text = shown(name, text(value));
            raw = match self.operation.is_in_path(name) {
                true => raw.path(name, text),
                false if page.is_some() && *name == contract::PAGE_TOKEN => raw,
                false => raw.query(name, text),
            };
        }
        if let Some(page) = page {
            raw = raw.query(contract::PAGE_TOKEN, page);
        }
        let body = self.body.as_ref().map(RawJson::new).transpose()?;
        Ok(body.into_iter().fold(raw, Raw::body))
    }

    /// Returns the request as a `curl` command. It has variables in the place of credentials.
    pub(crate) fn curl(&self) -> Result<String> {
        let client = Client::builder().api_key("none").build().map_err(|error| usage(error.to_string()))?;
        let Endpoint { host, method, security, .. } = self.operation.endpoint;
        let flags = flags(self.operation);
        let is_secret = |name: &str| flags.iter().any(|flag| flag.field.name == name && flag.field.is_secret());
        let raw = self.raw_with(&client, None, |name, text| if is_secret(name) { mark(name) } else { text })?;
        let url = match set_url(*host) {
            Some(variable) => format!("\"${variable}\"{}", quoted(&raw.target())),
            None => quoted(&format!("{}{}", host.default_url(), raw.target())),
        };
        let mut line = format!("curl --request {method} {url}");
        let takes_key = security.contains(&"APIKeyHeader");
        let has = |variable: &str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
        let has_token_alone = has("AMPERSAND_BEARER_TOKEN") && !has("AMPERSAND_API_KEY");
        if takes_key && !has_token_alone {
            line += " --header \"X-Api-Key: $AMPERSAND_API_KEY\"";
        } else if !security.is_empty() {
            line += " --header \"Authorization: Bearer $AMPERSAND_BEARER_TOKEN\"";
        }
        if let Some(body) = &self.body {
            let mut value = serde_json::from_str(body)?;
            let text = match contract::redact(&mut value, self.operation.body(), mark) {
                true => value.to_string(),
                false => body.clone(),
            };
            line += " --header 'Content-Type: application/json' --data ";
            line += &quoted(&text);
        }
        Ok(line)
    }
}

/// Returns the variable with the URL of a host, if it is set. The URL may hold a password.
fn set_url(host: Host) -> Option<String> {
    let variable = format!("AMPERSAND_{}_URL", host.name().to_uppercase());
    std::env::var_os(&variable).filter(|url| !url.is_empty()).map(|_| variable)
}

/// Returns a placeholder for a credential until the text is quoted. Percent encoding does not change it.
fn mark(name: &str) -> String {
    format!("{MARK}{}{MARK}", kebab(name).to_uppercase().replace('-', "_"))
}

const MARK: &str = "._~.";

/// Quotes a text for a shell, with variables in the place of credentials.
fn quoted(text: &str) -> String {
    let text = text.replace('\'', r"'\''");
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let parts = text.split(MARK).enumerate();
    let quoted: String = parts
        .map(|(index, part)| match index % 2 == 1 && is_name(part) {
            true => format!("'\"${part}\"'"),
            false => part.to_owned(),
        })
        .collect();
    format!("'{quoted}'").trim_end_matches("''").to_owned()
}

/// Returns a credential, which is the text itself or in a file: `@FILE`.
fn of_file(option: &str, text: &str) -> Result<String> {
    let Some(file) = text.strip_prefix('@') else { return Ok(text.to_owned()) };
    let text = read_text(file).map_err(|error| usage(format!("--{option} {file}: {error}")))?;
    Ok(text.trim().to_owned())
}

/// Reads the body from a file. It stays text until a field is set in it.
fn body_of(file: &str) -> Result<(Option<String>, Value)> {
    let text = if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).and_then(|_| text_of(&bytes))
    } else {
        read_text(file)
    };
    let text = text.map_err(|error| usage(format!("--json {file}: {error}")))?;
    match serde_json::from_str(&text) {
        Ok(value) => Ok((Some(text), value)),
        Err(error) => Err(usage(format!("--json {file}: not valid JSON: {error}"))),
    }
}

/// Converts a text to the type in the contract: a string, or JSON.
fn typed(schema: Option<Schema>, text: &str) -> Value {
    if schema.is_some_and(|schema| schema.kind() == "string") {
        return text.into();
    }
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Splits a `--set` into the field and the value. A backslash escapes a dot in a name.
fn assignment(operation: Operation, given: &str) -> Result<(Vec<String>, Value), String> {
    let (path, value) = given.split_once('=').ok_or("needs FIELD=VALUE")?;
    let names: Vec<String> = path.replace("\\.", "\0").split('.').map(|name| name.replace('\0', ".")).collect();
    if names.iter().any(String::is_empty) {
        return Err(format!("{path}: it names no field"));
    }
    let (mut schema, mut is_secret) = (operation.body(), false);
    for name in &names {
        is_secret = contract::is_secret(name, schema, is_secret);
        schema = schema.and_then(|schema| schema.within(name).or(schema.items()));
    }
    if let Some(file) = value.strip_prefix('@') {
        let text = read_text(file).map_err(|error| format!("{path}: {file}: {error}"))?;
        return Ok((names, typed(schema, if is_secret { text.trim() } else { &text })));
    }
    let value = typed(schema, value);
    match is_secret || contract::redact(&mut value.clone(), schema, mark) {
        true => Err(format!(
            "{path}: other users of this machine see arguments: put the credential into a file, and pass --set {path}=@FILE"
        )),
        false => Ok((names, value)),
    }
}

/// Sets a field of the body. Missing objects and lists on the way are created.
fn set(
    body: &mut Option<(Option<String>, Value)>,
    operation: Operation,
    path: &[&str],
    value: Value,
) -> Result<(), String> {
    let (text, whole) = body.get_or_insert_with(|| (None, Value::Object(Map::new())));
    *text = None;
    let (mut place, mut schema) = (whole, operation.body());
    for name in path {
        let items = schema.and_then(Schema::items);
        if place.is_null() {
            *place = if items.is_some() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
        }
        (place, schema) = match place {
            Value::Object(members) => {
                let within = schema.and_then(|schema| schema.within(name));
                (members.entry(*name).or_insert(Value::Null), within)
            }
            Value::Array(list) => {
                let length = list.len();
                let index = name.parse().ok().filter(|index| *index <= length);
                let index: usize = index
                    .ok_or_else(|| format!("`{name}` is no place in a list of {length}: the next one is {length}"))?;
                if index == length {
                    list.push(Value::Null);
                }
                (list.get_mut(index).ok_or("no such place")?, items)
            }
            _ => return Err(format!("`{name}` would be in what is no object")),
        };
    }
    *place = value;
    Ok(())
}
