//! Explains a name of the contract, with the text of our documentation.

use std::process::ExitCode;

use ampersand_testing::{Envelope, Fixture};
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::args;
use crate::cmd::api::command;
use crate::contract::{self, Field, Operation, Schema, flowed};
use crate::known::{CHANGES, RECORDS, all_names};
use crate::nearest::near;
use crate::output::{Output, plain};
use crate::table::{self, wrapped};
use crate::usage::usage;

pub(crate) fn run(options: &args::Explain) -> Result<ExitCode> {
    let facts = find(&options.name).ok_or_else(|| unknown(&options.name))?;
    let mut output = Output::new(options.output.output);
    if output.is_json() {
        output.line(&facts, "")?;
    } else {
        facts.print(&mut output)?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// All facts that the contract has about a name.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    /// `event`, `message`, `operation`, `type` or `field`.
    kind: &'static str,
    #[serde(flatten)]
    own: Described,
    /// The method and the URL of an operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Described>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    body: Vec<Described>,
    /// The type of an operation's response.
    #[serde(skip_serializing_if = "Option::is_none")]
    returns: Option<String>,
    /// The types of the alternatives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    one_of: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Described>,
    /// The envelopes of an event, by the names that `trigger` and `decode` use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    envelopes: Vec<&'static str>,
    /// A page of Ampersand's documentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'static str>,
    /// A command that makes or calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Value>,
}

/// A field, a parameter, or the name itself.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty", rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    required: Option<bool>,
    #[serde(skip_serializing_if = "is_false")]
    deprecated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'static Value>,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<Meaning>,
}

/// A value of an enum.
#[derive(Serialize)]
struct Meaning {
    value: &'static str,
    description: &'static str,
}

fn is_false(is: &bool) -> bool {
    !is
}

fn find(name: &str) -> Option<Facts> {
    if let Some(root) = Root::find(name) {
        return Some(root.facts(name));
    }
    let (root, path) = split(name)?;
    let field = path.split('.').try_fold((root.fields(), None), |(fields, _), name| {
        let field = fields.into_iter().find(|field: &Field| field.name == name)?;
        Some((inner(field.schema).fields(), Some(field)))
    });
    let (fields, field) = field?;
    let own = Described { name: name.to_owned(), ..Described::of(&field?) };
    Some(Facts { kind: "field", own, fields: all(&fields), ..Facts::default() })
}

/// Splits a name at the longest beginning that is known. Event names contain dots themselves.
fn split(name: &str) -> Option<(Root, &str)> {
    let ends = name.rmatch_indices('.');
    ends.filter_map(|(end, _)| Some((Root::find(name.get(..end)?)?, name.get(end + 1..)?))).next()
}

/// Returns the schema for the next name of a path: that of a list's items or of a map's values.
fn inner(schema: Schema) -> Schema {
    match schema.items().or_else(|| schema.map_values().filter(|_| schema.fields().is_empty())) {
        Some(within) => inner(within),
        None => schema,
    }
}

fn unknown(name: &str) -> anyhow::Error {
    let (known, wanted, before): (Vec<String>, _, _) = match split(name) {
        Some((root, field)) => {
            let known = root.fields().iter().map(|field| field.name.to_owned()).collect();
            (known, field, name.strip_suffix(field).unwrap_or_default())
        }
        None => (all_names(), name, ""),
    };
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{before}{name}`")).collect::<Vec<_>>();
    let near = near(wanted, known.iter().map(String::as_str));
    let advice = match (near.as_slice(), before) {
        ([], "") => "give an event, an operation, a type, or a field of one".to_owned(),
        ([], _) => format!("its fields are {}", known.join(", ")),
        (near, _) => format!("did you mean {}?", quoted(near.get(..3).unwrap_or(near)).join(" or ")),
    };
    usage(format!("the contract has nothing called `{}`: {advice}", plain(name)))
}

/// The beginning of a name.
enum Root {
    Event(&'static str, Schema),
    /// A data message, which has no notification type.
    Message(Schema),
    Operation(Operation),
    Type(&'static str, Schema),
}

impl Root {
    fn find(name: &str) -> Option<Self> {
        if let Some((event, schema)) = contract::events().find(|(event, _)| *event == name) {
            return Some(Self::Event(event, schema));
        }
        if [RECORDS, CHANGES].contains(&name) {
            let (_, _, schema) = contract::types().find(|(name, ..)| *name == "WebhookMessage")?;
            return Some(Self::Message(schema));
        }
        if let Some(operation) = contract::operation(name) {
            return Some(Self::Operation(operation));
        }
        let found = contract::types().find(|(known, ..)| *known == name);
        let found = found.or_else(|| contract::types().find(|(known, ..)| known.eq_ignore_ascii_case(name)));
        found.map(|(name, _, schema)| Self::Type(name, schema))
    }

    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Event(_, body) => body.within("data").map(Schema::fields).unwrap_or_default(),
            Self::Message(schema) | Self::Type(_, schema) => inner(*schema).fields(),
            Self::Operation(operation) => {
                let body = operation.body().map(Schema::fields).unwrap_or_default();
                operation.parameters().into_iter().chain(body).collect()
            }
        }
    }

    fn facts(&self, name: &str) -> Facts {
        let fields = self.fields();
        match self {
            Self::Event(event, body) => Facts {
                own: Described { name: (*event).to_owned(), ..Described::told(body.description()) },
                fields: all(&fields),
                ..sent("event", event, Fixture::new(*event))
            },
            Self::Message(schema) => {
                let fixture = if name == RECORDS { Fixture::records() } else { Fixture::changes() };
                Facts {
                    own: Described { name: name.to_owned(), ..Described::told(schema.description()) },
                    fields: all(&fields),
                    ..sent("message", name, fixture)
                }
            }
            Self::Operation(operation) => {
                let endpoint = operation.endpoint;
                Facts {
                    kind: "operation",
                    own: Described { name: operation.id.to_owned(), ..Described::told(operation.description()) },
                    request: Some(format!("{} {}{}", endpoint.method, endpoint.host.default_url(), endpoint.path)),
                    parameters: all(&operation.parameters()),
                    body: operation.body().map(|body| all(&body.fields())).unwrap_or_default(),
                    example: operation.response().and_then(example),
                    returns: Some(operation.response().map_or_else(|| "nothing".to_owned(), Schema::in_words)),
                    page: operation.page(),
                    command: Some(command::example(*operation)),
                    ..Facts::default()
                }
            }
            Self::Type(name, schema) => Facts {
                kind: "type",
                own: Described {
                    name: (*name).to_owned(),
                    kind: schema.in_words(),
                    values: meanings(*schema),
                    ..Described::told(schema.description())
                },
                example: sample(name),
                one_of: schema.parts("oneOf").filter_map(Schema::name).collect(),
                fields: all(&fields),
                ..Facts::default()
            },
        }
    }
}

/// Returns the facts about a notification or a data message.
fn sent(kind: &'static str, name: &str, fixture: Fixture) -> Facts {
    Facts {
        kind,
        envelopes: Envelope::ALL.iter().map(Envelope::as_str).collect(),
        command: Some(format!("ampersand trigger {name} --envelope webhook")),
        example: serde_json::from_slice(&fixture.send(Envelope::Webhook).body).ok(),
        ..Facts::default()
    }
}

/// Returns a sample value of a schema, if the API responds with its type.
fn example(schema: Schema) -> Option<Value> {
    match schema.items() {
        Some(items) => Some(vec![example(items)?].into()),
        None => sample(schema.name()?),
    }
}

fn sample(name: &str) -> Option<Value> {
    ampersand_testing::api::all().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn all(fields: &[Field]) -> Vec<Described> {
    fields.iter().map(Described::of).collect()
}

fn meanings(schema: Schema) -> Vec<Meaning> {
    let schema = schema.items().unwrap_or(schema);
    schema.values().into_iter().map(|(value, description)| Meaning { value, description }).collect()
}

impl Described {
    fn told(description: &str) -> Self {
        Self { description: flowed(description), ..Self::default() }
    }

    fn of(field: &Field) -> Self {
        let schema = field.schema;
        Self {
            name: field.name.to_owned(),
            kind: schema.in_words(),
            required: Some(field.required),
            deprecated: schema.is("deprecated"),
            default: Some(schema.member("default")).filter(|value| !value.is_null()),
            values: meanings(schema),
            ..Self::told(field.description)
        }
    }

    /// Returns the type and a few other facts in short.
    fn in_short(&self) -> String {
        let default = self.default.map(|value| format!("default {value}"));
        let required = self.required.filter(|required| *required).map(|_| "required".to_owned());
        let deprecated = self.deprecated.then(|| "deprecated".to_owned());
        let words = [Some(self.kind.clone()).filter(|kind| !kind.is_empty()), required, deprecated, default];
        words.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const NAME: Style = AnsiColor::Cyan.on_default();

impl Facts {
    fn print(&self, output: &mut Output) -> Result<()> {
        let own = &self.own;
        let (bold, faint) = (output.style(BOLD), output.style(FAINT));
        let short = own.in_short();
        let about = if short.is_empty() || short == own.name {
            self.kind.to_owned()
        } else {
            format!("{}: {short}", self.kind)
        };
        output.raw(format!("{bold}{}{bold:#}  {faint}{about}{faint:#}", own.name).as_bytes())?;
        if let Some(request) = &self.request {
            output.raw(request.as_bytes())?;
        }
        for line in [Some(&*own.description).filter(|text| !text.is_empty()), self.page].into_iter().flatten() {
            output.raw(b"")?;
            paragraph(line, 0, output)?;
        }
        if !self.one_of.is_empty() {
            output.raw(b"")?;
            paragraph(&format!("One of {}.", self.one_of.join(", ")), 0, output)?;
        }
        if !own.values.is_empty() {
            section("Values", output)?;
            values(&own.values, 2, output)?;
        }
        let of_fields = if self.kind == "event" { "Fields of `data`" } else { "Fields" };
        for (title, fields) in [("Parameters", &self.parameters), ("Body", &self.body), (of_fields, &self.fields)] {
            if !fields.is_empty() {
                section(title, output)?;
                fields.iter().try_for_each(|field| field.print(output))?;
            }
        }
        if let Some(returns) = &self.returns {
            output.raw(format!("\n{bold}Returns{bold:#} {returns}").as_bytes())?;
        }
        if !self.envelopes.is_empty() {
            output.raw(format!("\n{bold}Envelopes{bold:#} {}", self.envelopes.join(", ")).as_bytes())?;
        }
        if let Some(command) = &self.command {
            section("Command", output)?;
            output.raw(format!("  {command}").as_bytes())?;
        }
        if let Some(example) = &self.example {
            section(if self.returns.is_some() { "Example of what it returns" } else { "Example" }, output)?;
            for line in serde_json::to_string_pretty(example)?.lines() {
                output.raw(format!("  {line}").as_bytes())?;
            }
        }
        Ok(())
    }
}

impl Described {
    fn print(&self, output: &mut Output) -> Result<()> {
        let (name, faint) = (output.style(NAME), output.style(FAINT));
        output.raw(format!("  {name}{}{name:#}  {faint}{}{faint:#}", self.name, self.in_short()).as_bytes())?;
        paragraph(&self.description, 6, output)?;
        values(&self.values, 6, output)
    }
}

fn section(title: &str, output: &mut Output) -> Result<()> {
    let bold = output.style(BOLD);
    output.raw(format!("\n{bold}{title}{bold:#}").as_bytes())
}

fn values(values: &[Meaning], indent: usize, output: &mut Output) -> Result<()> {
    values.iter().try_for_each(|Meaning { value, description }| {
        let text = if description.is_empty() { format!("- {value}") } else { format!("- {value}: {description}") };
        paragraph(&text, indent, output)
    })
}

/// Prints a text in lines that fit the terminal.
fn paragraph(text: &str, indent: usize, output: &mut Output) -> Result<()> {
    let width = table::width().unwrap_or(100).clamp(40, 100) - indent;
    wrapped(text, width).iter().try_for_each(|line| match line.is_empty() {
        true => output.raw(b""),
        false => output.raw(format!("{:indent$}{line}", "").as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn every_name_and_every_field_is_explained() {
        for name in all_names() {
            let facts = find(&name).unwrap();
            for field in facts.parameters.iter().chain(&facts.body).chain(&facts.fields) {
                let path = format!("{name}.{}", field.name);
                assert!(find(&path).is_some(), "{path}");
            }
        }
    }

    #[test]
    fn an_example_is_one_of_its_type() {
        let mut examples = 0;
        for (name, _, schema) in contract::types() {
            let Some(example) = sample(name) else { continue };
            assert_eq!(check::faults(&example, schema, name), [""; 0]);
            examples += 1;
        }
        assert!(examples > 90, "{examples}");
        let without = contract::operations().filter(|operation| operation.response().is_some());
        let without = without.filter(|operation| operation.response().and_then(example).is_none());
        // Texts, maps, and schemas without a name have no sample.
        let known = [
            "createBillingAccountSession",
            "oauthConnect",
            "oauthUpdate",
            "listOperations",
            "listProviders",
            "writeRecords",
        ];
        assert_eq!(without.map(|operation| operation.id).collect::<Vec<_>>(), known);
    }
}
