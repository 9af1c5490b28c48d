//! Makes the commands of the operations from the contract, when `api` is called.

use std::fmt::Write as _;

use clap::builder::{PossibleValue, StyledStr};
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};

use crate::contract::{self, Field, Operation, Schema, first_sentence, flowed, kebab};
use crate::known::Known;
use crate::output::Form;
use crate::table::{self, wrapped};

/// The names of options that every operation has. Flags of the contract must not use them.
pub(crate) const OUTPUT: &str = "output";
pub(crate) const DRY_RUN: &str = "dry-run";
pub(crate) const NO_CHECK: &str = "no-check";
pub(crate) const KEY_FILE: &str = "key-file";
pub(crate) const ALL: &str = "all";
pub(crate) const SET: &str = "set";
pub(crate) const JSON: &str = "json";
const RESERVED: [&str; 8] = [OUTPUT, DRY_RUN, NO_CHECK, KEY_FILE, ALL, SET, JSON, "help"];

const TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}";

/// Adds a command for each operation. Only the command that is called gets its options.
pub(crate) fn all(command: Command) -> Command {
    let operations = contract::operations().map(|operation| {
        Command::new(operation.command()).about(first_sentence(operation.description()).to_owned()).defer(|command| {
            match contract::operation(command.get_name()) {
                Some(operation) => one(command, operation),
                None => command,
            }
        })
    });
    let overview = overview(&command);
    command
        .about("Call any operation of the API")
        .subcommands(operations)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand_value_name("OPERATION")
        .help_template(TEMPLATE)
        .after_help(overview)
}

const EXAMPLES: &str = "\
Examples:
  ampersand api list-installations --project my-project --integration my-integration
  ampersand api list-operations --project p --integration i --installation n --all --output json
  ampersand api create-topic --project my-project --name acme --dry-run
  ampersand api update-installation --help";

const ABOUT: &str = "\
AMPERSAND_API_KEY has the API key, or AMPERSAND_BEARER_TOKEN a token. A parameter such as `projectIdOrName` is `--project`, \
and also `--project-id-or-name`. `ampersand api OPERATION --help` shows the options of an operation.";

/// Returns the operations under their tags in the contract.
fn overview(command: &Command) -> StyledStr {
    let (head, name) = (command.get_styles().get_header(), command.get_styles().get_literal());
    let width = table::width().unwrap_or(100).clamp(40, 100);
    let longest = contract::operations().map(|operation| operation.command().len()).max().unwrap_or_default();
    let mut text = wrapped(ABOUT, width).join("\n") + "\n";
    for (tag, about, operations) in contract::tags() {
        let title = wrapped(&format!("{tag}: {}", first_sentence(about)), width).join("\n");
        let _ = writeln!(text, "\n{head}{tag}{head:#}{}", title.trim_start_matches(tag));
        for operation in operations {
            let (command, about) = (operation.command(), first_sentence(operation.description()));
            // On a narrow terminal, the description is below the name.
            let column = if width < longest + 34 { 6 } else { longest + 4 };
            let about = wrapped(about, width - column).join(&format!("\n{:column$}", ""));
            let gap = if column == 6 { "\n      ".to_owned() } else { " ".repeat(column - 2 - command.len()) };
            let _ = writeln!(text, "  {name}{command}{name:#}{gap}{about}");
        }
    }
    (text + "\n" + EXAMPLES).into()
}

/// Adds the options of an operation.
fn one(command: Command, operation: Operation) -> Command {
    let (description, endpoint) = (operation.description(), operation.endpoint);
    let mut after = format!("{} {}{}", endpoint.method, endpoint.host.default_url(), endpoint.path);
    if let Some(page) = operation.page() {
        let _ = write!(after, "\n{page}");
    }
    let _ = write!(after, "\n\nExample:\n  {}", example(operation));
    let command = command
        .long_about(flowed(description))
        .disable_help_flag(true)
        .after_help(after)
        .args(flags(operation).iter().map(Flag::arg));
    let command = match operation.body() {
        None => command,
        Some(_) => command.next_help_heading("Body").args([
            Arg::new(SET)
                .long(SET)
                .value_name("FIELD=VALUE")
                .action(ArgAction::Append)
                .help("Set a field at any depth: `config.content.provider=hubspot`, `changes.0.op=add`. The value is JSON where the field takes more than text; `@FILE` is what a file holds; repeatable"),
            Arg::new(JSON)
                .long(JSON)
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .help("Read the body from a JSON file; `-` is stdin. Options for fields win over it"),
        ]),
    };
    let command = command
        .next_help_heading("Options")
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::Help).help("Print help; `-h` prints less"));
    let command = command.arg(
        Arg::new(OUTPUT)
            .long(OUTPUT)
            .value_name("FORM")
            .value_parser(value_parser!(Form))
            .default_value("text")
            .help("The form of the results"),
    );
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let pages =
        operation.has_pages().then(|| switch(ALL, "Get every page; with `--output json`, print each item on a line"));
    command.args(pages).args([
        switch(DRY_RUN, "Send nothing: print the request as a `curl` command, without credentials"),
        switch(NO_CHECK, "Send the request although it does not fit the contract that this version knows"),
        Arg::new(KEY_FILE)
            .long(KEY_FILE)
            .value_name("FILE")
            .value_hint(ValueHint::FilePath)
            .help("The API key, the first line of a file; without it, `AMPERSAND_API_KEY` or `AMPERSAND_BEARER_TOKEN`"),
    ])
}

/// Returns a command line with the required options of an operation.
pub(crate) fn example(operation: Operation) -> String {
    let flags = flags(operation);
    let mut parts = vec![format!("ampersand api {}", operation.command())];
    parts.extend(flags.iter().filter(|flag| flag.field.required).map(|flag| {
        let schema = flag.field.schema.items().unwrap_or(flag.field.schema);
        let value = schema.values().first().map_or_else(|| flag.value_name(), |(value, _)| (*value).to_owned());
        format!("--{} {value}", flag.long)
    }));
    let needed = operation.body().into_iter().flat_map(Schema::fields).filter(|field| field.required);
    if needed.into_iter().any(|field| !flags.iter().any(|flag| flag.field.name == field.name)) {
        parts.push("--json body.json".to_owned());
    }
    let line = parts.join(" ");
    if line.len() < 90 { line } else { parts.join(" \\\n    ") }
}

/// An option from the contract: a parameter, or a field at the top of the body.
pub(crate) struct Flag {
    pub(crate) field: Field,
    pub(crate) long: String,
    pub(crate) in_body: bool,
}

/// Returns the options of an operation. `projectIdOrName` is `--project`, and `integrationId` is `--integration`,
/// unless another option has that name. The full name is an alias.
pub(crate) fn flags(operation: Operation) -> Vec<Flag> {
    let parameters = operation.parameters();
    let fields: Vec<Field> = operation.body().map(Schema::fields).unwrap_or_default();
    let fields = fields.into_iter().filter(|field| {
        let taken = parameters.iter().any(|parameter| parameter.name == field.name);
        !taken
            && (field.schema.is_scalar() || field.schema.items().is_some_and(Schema::is_scalar))
            && !field.is_secret()
    });
    let fields: Vec<Field> = fields.filter(|field| !RESERVED.contains(&&*kebab(field.name))).collect();
    let all: Vec<(Field, bool)> = parameters
        .iter()
        .map(|parameter| (*parameter, false))
        .chain(fields.iter().map(|field| (*field, true)))
        .collect();
    let short = |field: &Field| kebab(field.name.trim_end_matches("IdOrName").trim_end_matches("Id"));
    let long = |field: &Field| {
        let others = all.iter().filter(|(other, _)| other.name != field.name);
        match others.clone().any(|(other, _)| [kebab(other.name), short(other)].contains(&short(field))) {
            true => kebab(field.name),
            false => short(field),
        }
    };
    all.iter().map(|(field, in_body)| Flag { field: *field, long: long(field), in_body: *in_body }).collect()
}

impl Flag {
    /// Returns an id that differs from those of the options that every operation has.
    pub(crate) fn id(&self) -> String {
        format!("contract.{}", self.field.name)
    }

    fn value_name(&self) -> String {
        self.long.to_uppercase().replace('-', "_")
    }

    fn arg(&self) -> Arg {
        let Field { name, description, required, schema } = self.field;
        let whole = kebab(name);
        let of_values = schema.items().unwrap_or(schema);
        let needed = if self.in_body && required { "(required) " } else { "" };
        let (more, also) = if schema.items().is_some() { ("; repeatable", "\n\nRepeatable.") } else { ("", "") };
        let help = format!("{needed}{}{more}", first_sentence(description));
        let arg = Arg::new(self.id())
            .long(self.long.clone())
            .aliases((whole != self.long).then_some(whole))
            .value_name(self.value_name())
            .required(required && !self.in_body)
            .help(help)
            .long_help(format!("{needed}{}{also}", flowed(description)))
            .help_heading(if self.in_body { "Body" } else { "Parameters" });
        match of_values.kind() {
            _ if schema.items().is_some() => arg.action(ArgAction::Append).value_parser(values(of_values)),
            "boolean" => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("true|false")
                .hide_possible_values(true)
                .value_parser(Known::new(|| ["true", "false"].map(PossibleValue::new).into())),
            "integer" | "number" => arg.allow_negative_numbers(true),
            _ => arg.value_parser(values(of_values)),
        }
    }
}

/// Returns the values of an enum with their meanings, for completion and help.
fn values(schema: Schema) -> Known {
    Known::new(move || {
        let values = schema.values().into_iter().map(|(value, words)| {
            let value = PossibleValue::new(value);
            if words.is_empty() { value } else { value.help(first_sentence(words)) }
        });
        values.collect()
    })
}
