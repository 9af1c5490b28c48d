//! The options and arguments of the command line.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use ampersand_notifications::Source;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::cmd;
use crate::input::read_text;
use crate::known::{self, CHANGES, Known, RECORDS};
use crate::metadata;
use crate::output::Form;
use crate::usage::usage;

/// Ask for, receive, store, read, resolve, verify and send Ampersand's notifications
///
/// Results go to stdout, messages to stderr. The exit code is 0 when all is well, 1 when some input failed, and 2 when
/// the command was not understood.
#[derive(Parser)]
#[command(name = "ampersand", version, max_term_width = 100, after_help = MAIN_EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Read notifications and data messages from any envelope, also from the events and batches of AWS and Pub/Sub
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(Decode),
    /// As `decode`, with configurations and records that were too large to send downloaded and put in place
    #[command(after_help = RESOLVE_EXAMPLES)]
    Resolve(Resolve),
    /// Check the signature of a webhook, and say which secret matched, or why none did
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Receive webhooks, verify them, and print a line for each; `--demo` shows it without an account
    #[command(after_help = LISTEN_EXAMPLES)]
    Listen(Listen),
    /// Show on a web page of this machine what `listen --save` kept, or what is in other files or an inbox
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(Inspect),
    /// Receive webhooks for an application in any language: store each, and deliver it by HTTP until that answers 2xx
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Serve),
    /// Look into the inbox that `serve` keeps, and try again or delete what it gave up
    #[command(after_help = INBOX_EXAMPLES)]
    Inbox {
        #[command(subcommand)]
        command: Inbox,
    },
    /// Ask Ampersand to send notifications: make the destination, the topic and the routes that are not there yet
    #[command(after_help = SETUP_EXAMPLES)]
    Setup(Setup),
    /// Send realistic notifications, signed, to a receiver that is to be tried; or print them
    #[command(after_help = TRIGGER_EXAMPLES)]
    Trigger(Trigger),
    /// Call any operation of the API: `ampersand api --help` lists them
    Api(Api),
    /// Say what an event, an operation, a type or a field of the contract is
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Print a script that completes commands and options in a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page of a command, in roff
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// The command, as `decode` or `inbox replay`; without it, the page of `ampersand` itself
        command: Vec<String>,
    },
}

#[derive(Args)]
pub(crate) struct Decode {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Print in their place, at the end, what in them is not in the contract that this version knows: event types,
    /// fields and values of enums, each once, with how often it came and what type it has; never a value
    #[arg(long)]
    pub(crate) drift: bool,
    /// Show below each `installation.updated` what changed in the configuration. Nothing is downloaded: `resolve --changes`
    /// also compares what was too large to send
    #[arg(long, conflicts_with = "drift")]
    pub(crate) changes: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Resolve {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Show below each `installation.updated` what changed in the configuration
    #[arg(long)]
    pub(crate) changes: bool,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) policy: Policy,
}

/// Which documents, and what is known of them.
#[derive(Args)]
pub(crate) struct Input {
    /// Files of JSON documents, one or more in each; `-` or no file is stdin. A document is a delivery, or it wraps some: an
    /// event of Lambda, a batch of Pipes, a push of Pub/Sub, or what `aws` prints of Kinesis and SQS. In a folder, each
    /// `NAME.json` is read, with the `NAME.metadata.json` or `NAME.headers` beside it
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The envelope of the deliveries
    #[arg(long, value_enum, default_value_t, value_name = "ENVELOPE")]
    pub(crate) from: Envelope,
    /// The notification type, where a document does not say it; one that is new is taken too
    #[arg(long = "type", value_name = "TYPE", value_parser = Known::types(), hide_possible_values = true)]
    pub(crate) notification_type: Option<String>,
    /// Metadata that came beside the documents: one entry, or a JSON file of entries, also as `aws s3api head-object` or
    /// `aws sqs receive-message` prints them; repeatable, and later entries win
    #[arg(long, value_name = "NAME=VALUE|FILE")]
    pub(crate) metadata: Vec<String>,
    /// Append the documents that cannot be read to this file, as they came. Of an event or a batch, only the records that
    /// fail
    #[arg(long, value_name = "FILE")]
    pub(crate) dead_letter: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Output {
    /// The form of the results
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) output: Form,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Envelope {
    /// Recognised, document by document
    #[default]
    Auto,
    /// `{"notificationType": …, "data": …}`, or a data message; also in a request that Lambda gets over HTTP
    Webhook,
    /// `{"data": …, "metadata": …}`, or without its metadata or its wrapping; also in records of Kinesis
    Kinesis,
    /// The payload; the user metadata of the object is given by `--metadata`
    S3,
    /// The payload; the attributes of the queue's message are given by `--metadata`, or are in the message of SQS, SNS or
    /// Pub/Sub that the payload is in
    #[value(alias = "sqs")]
    Attributes,
}

impl From<Envelope> for Source {
    fn from(envelope: Envelope) -> Self {
        match envelope {
            Envelope::Auto => Self::Bare,
            Envelope::Webhook => Self::Webhook,
            Envelope::Kinesis => Self::Kinesis,
            Envelope::S3 => Self::S3,
            Envelope::Attributes => Self::Attributes,
        }
    }
}

/// What may be asked for a URL.
#[derive(Args)]
pub(crate) struct Policy {
    /// Download over http too, where anybody on the way can read the URL
    #[arg(long)]
    pub(crate) allow_http: bool,
    /// Download from private addresses and loopback too
    #[arg(long)]
    pub(crate) allow_private: bool,
    /// Download from this host, and others that are named so, alone; `*.example.com` is all below one
    #[arg(long, value_name = "HOST", value_parser = host)]
    pub(crate) allow_host: Vec<String>,
    /// The most bytes of one download, counted after decompression
    #[arg(long, value_name = "N", default_value_t = ampersand_notifications::Policy::default().max_bytes)]
    pub(crate) max_bytes: usize,
}

impl From<Policy> for ampersand_notifications::Policy {
    fn from(policy: Policy) -> Self {
        Self {
            hosts: (!policy.allow_host.is_empty()).then_some(policy.allow_host),
            allow_http: policy.allow_http,
            allow_private_addresses: policy.allow_private,
            max_bytes: policy.max_bytes,
            ..Self::default()
        }
    }
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The body, to the byte; `-` is stdin, and so is no file
    #[arg(value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
    /// The headers: lines, as HTTP writes them and `curl -i` shows them, or JSON: an object of strings or lists, names and
    /// values, or an event of AWS with `headers` in it
    #[arg(long, value_name = "FILE")]
    pub(crate) headers: PathBuf,
    /// The signing secrets, one a line; without it, those of `AMPERSAND_WEBHOOK_SECRET`, separated by commas
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Verify as at this time: RFC 3339, or seconds since 1970; for requests that were kept
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<jiff::Timestamp>,
    /// How far the time of the signature may be from now, either way
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) tolerance: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Listen {
    /// The address and the port to listen at; port 0 is any that is free
    #[arg(value_name = "[ADDRESS:]PORT", default_value = "127.0.0.1:3000", value_parser = address)]
    pub(crate) address: String,
    /// Pass each request that is not refused on to this URL, as it came, and its answer back
    #[arg(long, value_name = "URL")]
    pub(crate) forward: Option<String>,
    /// Accept any TLS certificate of the receiver that requests are passed on to, which must be on this machine
    #[arg(long, requires = "forward")]
    pub(crate) insecure: bool,
    /// Send itself one of everything, and show what came in; kill an inbox twice, and count what was lost; then end. It needs
    /// no account and no network
    #[arg(long, conflicts_with_all = ["address", "forward", "save", "secret_file", "output", "changes", "inspect"])]
    pub(crate) demo: bool,
    /// Show what comes on a web page, too, which only this machine can open: at this port, or at any that is free
    #[arg(long, value_name = "[ADDRESS:]PORT", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = address)]
    pub(crate) inspect: Option<String>,
    /// Show below each `installation.updated` what changed in the configuration. Nothing is downloaded
    #[arg(long)]
    pub(crate) changes: bool,
    /// Keep the headers and the exact body of every request in files of this folder, also of one that is refused
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
    /// The signing secrets, one a line; without it, those of `AMPERSAND_WEBHOOK_SECRET`, separated by commas
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten, next_help_heading = "What the page of --inspect may download")]
    pub(crate) policy: Policy,
}

/// Where the page sends a delivery again, if nobody says another URL: where `listen` listens.
pub(crate) const APPLICATION: &str = "http://localhost:3000/";

#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Show the deliveries of this inbox, and follow what becomes of them: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The address and the port of the page, on this machine; port 0 is any that is free
    #[arg(long, value_name = "[ADDRESS:]PORT", default_value = "127.0.0.1:0", value_parser = address)]
    pub(crate) address: String,
    /// The signing secrets, one a line; without it, those of `AMPERSAND_WEBHOOK_SECRET`, separated by commas. The page signs
    /// with the first one
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// The URL that the page proposes to send a delivery to again
    #[arg(long, value_name = "URL", default_value = APPLICATION)]
    pub(crate) to: String,
    /// Accept any TLS certificate of a receiver on this machine
    #[arg(long)]
    pub(crate) insecure: bool,
    #[command(flatten)]
    pub(crate) policy: Policy,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Deliver to the application at this URL, signed as a Standard Webhook
    #[arg(long, value_name = "URL")]
    pub(crate) forward: Option<String>,
    /// Where deliveries are stored: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`; without it, `AMPERSAND_STORE`, or else
    /// sqlite:inbox.db. Other users of the machine see arguments, so put a URL with a password into the variable
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The address and the port to receive webhooks at; port 0 is any that is free [default: 127.0.0.1:8080]
    #[arg(long, value_name = "[ADDRESS:]PORT", value_parser = address)]
    pub(crate) address: Option<String>,
    /// The signing secrets, one a line; without it, those of `AMPERSAND_WEBHOOK_SECRET`, separated by commas
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// The secret to sign with for the application, the first line
    #[arg(long, value_name = "FILE")]
    pub(crate) sign_file: Option<PathBuf>,
    /// Read settings from a TOML file; options on the command line win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where `/healthz`, `/readyz` and `/metrics` are; `none` turns them off [default: 127.0.0.1:9464]
    #[arg(long, value_name = "[ADDRESS:]PORT", value_parser = admin)]
    pub(crate) admin: Option<Admin>,
    /// The most deliveries at once; of one installation, it is one at a time [default: 16]
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// The seconds that the application may take to answer [default: 30]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<NonZeroU32>,
    /// Give a delivery up after so many attempts: 24 are some 6 hours [default: 24]
    #[arg(long, value_name = "N")]
    pub(crate) attempts: Option<NonZeroU32>,
    /// After a crash, what was being delivered is tried again after these seconds [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lease: Option<NonZeroU32>,
    /// Download configurations and records that were too large to send, and put them into the body
    #[arg(long)]
    pub(crate) resolve: bool,
    /// Accept any TLS certificate of the application, which must be on this machine
    #[arg(long)]
    pub(crate) insecure: bool,
    #[command(flatten)]
    pub(crate) policy: Policy,
}

/// The address of the admin listener, if it is on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Admin {
    Off,
    At(String),
}

#[derive(Subcommand)]
pub(crate) enum Inbox {
    /// Count the deliveries by their state, and say how long the oldest has waited
    Status(Place),
    /// List the deliveries in a state
    List {
        /// The state
        #[arg(long, value_enum, default_value_t, value_name = "STATE")]
        state: State,
        /// List so many: the first that came of those that wait, the last that ended of the others
        #[arg(long, value_name = "N", default_value_t = 50)]
        most: usize,
        #[command(flatten)]
        place: Place,
    },
    /// Show a delivery, with its body
    #[command(allow_missing_positional = true)]
    Show {
        #[command(flatten)]
        delivery: Named,
        /// Print the body alone, to the byte
        #[arg(long, conflicts_with = "output")]
        body: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Try dead letters again, with all attempts before them: one, or those that fit every option
    #[command(allow_missing_positional = true)]
    Replay {
        /// Where the delivery came from; may be left out where only one source has the id
        source: Option<String>,
        /// The id of the delivery
        #[arg(required_unless_present_any = ["all", "type", "lane", "reason"])]
        id: Option<String>,
        #[command(flatten)]
        filter: Filter,
        /// Change nothing: say what would be tried again
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Delete a dead letter
    #[command(allow_missing_positional = true)]
    Delete {
        #[command(flatten)]
        delivery: Named,
        #[command(flatten)]
        place: Place,
    },
    /// Drop the bodies of what was done more than 3 days ago, and the ids of what was done more than 14 days ago
    Prune(Place),
}

/// An inbox, and the form of what is printed.
#[derive(Args)]
pub(crate) struct Place {
    /// Where the inbox is: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`; without it, `AMPERSAND_STORE`, or else
    /// sqlite:inbox.db
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Named {
    /// Where the delivery came from, as `webhook` or `webhook:eu`; may be left out where only one source has the id
    pub(crate) source: Option<String>,
    /// The id of the delivery
    pub(crate) id: String,
}

#[derive(Args)]
pub(crate) struct Filter {
    /// All dead letters
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,
    /// Those of this notification type
    #[arg(long = "type", id = "type", value_name = "TYPE", value_parser = Known::types(), hide_possible_values = true, conflicts_with = "id")]
    pub(crate) notification_type: Option<String>,
    /// Those in this lane: the id of an installation
    #[arg(long, value_name = "LANE", conflicts_with = "id")]
    pub(crate) lane: Option<String>,
    /// Those whose last failure has this text in it
    #[arg(long, value_name = "TEXT", conflicts_with = "id")]
    pub(crate) reason: Option<String>,
}

/// The states of a delivery in the inbox.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum State {
    /// Given up, or not readable
    #[default]
    Dead,
    /// Waits for its next attempt
    Ready,
    /// Is being delivered
    Claimed,
    /// Delivered
    Done,
}

impl From<State> for ampersand_inbox::State {
    fn from(state: State) -> Self {
        match state {
            State::Dead => Self::Dead,
            State::Ready => Self::Ready,
            State::Claimed => Self::Claimed,
            State::Done => Self::Done,
        }
    }
}

#[derive(Args)]
pub(crate) struct Setup {
    /// The notification types to be sent; one that is new is taken too
    #[arg(value_name = "TYPE", required_unless_present = "all", value_parser = Known::types())]
    pub(crate) types: Vec<String>,
    /// Every type that this version knows
    #[arg(long, conflicts_with = "types")]
    pub(crate) all: bool,
    /// The project, by its id or its name
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: String,
    /// The URL of the webhook that they are sent to; a destination that leads there is used
    #[arg(long, value_name = "URL", required_unless_present = "destination")]
    pub(crate) url: Option<String>,
    /// Send them to this destination, of any type, by its id or its name
    #[arg(long, value_name = "DESTINATION", conflicts_with = "url")]
    pub(crate) destination: Option<String>,
    /// The name of the topic, and of a destination that is made
    #[arg(long, value_name = "NAME", default_value = "notifications")]
    pub(crate) name: String,
    /// Make nothing: say what is there, and what would be made
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Keep the secret that requests are signed with in this file, which nobody else may read, for `listen --secret-file`
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) save_secret: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Trigger {
    /// The notification types, or `records` or `changes` for a data message; a type that is new is taken too
    #[arg(value_name = "TYPE", required_unless_present_any = ["all", "replay"], value_parser = Known::types().and(RECORDS).and(CHANGES))]
    pub(crate) types: Vec<String>,
    /// One of every type, and of both data messages
    #[arg(long, conflicts_with = "types")]
    pub(crate) all: bool,
    /// Send this request again, which `listen --save` kept: as it came, or signed anew where there is a secret; repeatable
    #[arg(long, value_name = "FILE", requires = "to", conflicts_with_all = ["types", "all", "set", "seed", "envelope"])]
    pub(crate) replay: Vec<PathBuf>,
    /// Send them as webhooks to this URL; without it, the bodies are printed, one a line
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    /// Accept any TLS certificate of the receiver, which must be on this machine
    #[arg(long, requires = "to")]
    pub(crate) insecure: bool,
    /// The envelope that they are printed in
    #[arg(long, value_name = "ENVELOPE", value_parser = envelope(), default_value = "webhook")]
    pub(crate) envelope: ampersand_testing::Envelope,
    /// Print them in an event of AWS Lambda, as `cargo lambda invoke --data-file` takes it. Of Kinesis, SQS and S3, one event
    /// holds all; a request is an event of its own, signed where there is a secret
    #[arg(long, value_enum, value_name = "SERVICE", conflicts_with_all = ["to", "replay", "envelope", "save"])]
    pub(crate) lambda: Option<Service>,
    /// Keep each in files of this folder, with its headers or its metadata, in place of printing it
    #[arg(long, value_name = "DIR", conflicts_with = "to")]
    pub(crate) save: Option<PathBuf>,
    /// Set a field of the payload, as JSON or else as text; `@FILE` is what a file holds; repeatable
    #[arg(long, value_name = "FIELD=VALUE", value_parser = set)]
    pub(crate) set: Vec<(String, serde_json::Value)>,
    /// How many of each: every one tells of something else
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) count: u64,
    /// Send no more than so many a second
    #[arg(long, value_name = "N", requires = "to", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// Equal seeds make equal notifications, with equal ids; without it, what is sent is new each time, and what is
    /// printed has the seed 0
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The secret to sign with, the first line; without it, the first of `AMPERSAND_WEBHOOK_SECRET`
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// An operation and its arguments, which only the contract knows.
pub(crate) struct Api(pub(crate) ArgMatches);

impl FromArgMatches for Api {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(matches.clone()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0 = matches.clone();
        Ok(())
    }
}

impl Args for Api {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.defer(cmd::api::command::all)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

#[derive(Args)]
pub(crate) struct Explain {
    /// A notification type, an operation, a type, or a field of one: `Installation.healthStatus`
    #[arg(value_name = "NAME", value_parser = Known::new(known::names), hide_possible_values = true)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// The services that call a function of Lambda.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Service {
    /// A stream of Kinesis
    Kinesis,
    /// A queue of SQS
    Sqs,
    /// A bucket of S3: the event only names objects
    S3,
    /// A REST API of API Gateway
    Apigw,
    /// An HTTP API of API Gateway, or a function URL
    Url,
    /// An Application Load Balancer
    Alb,
}

fn envelope() -> impl TypedValueParser<Value = ampersand_testing::Envelope> {
    use ampersand_testing::Envelope;
    let names = PossibleValuesParser::new(Envelope::ALL.map(|envelope| envelope.as_str()));
    names.try_map(|name| Envelope::ALL.into_iter().find(|envelope| envelope.as_str() == name).ok_or("no envelope"))
}

fn host(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    match name.is_empty() || name.contains(['/', '@', '*']) || (name.contains(':') && !name.starts_with('[')) {
        true => Err("it is not a host alone, as storage.example.com or *.example.com".to_owned()),
        false => Ok(text.to_owned()),
    }
}

pub(crate) fn admin(text: &str) -> Result<Admin, String> {
    if text == "none" {
        return Ok(Admin::Off);
    }
    address(text).map(Admin::At).map_err(|error| format!("{error}, nor `none`"))
}

pub(crate) fn address(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let port: u16 =
        port.parse().map_err(|_| "it is neither a port, as 3000, nor an address and a port, as 127.0.0.1:3000")?;
    Ok(format!("{}:{port}", if host.is_empty() { "127.0.0.1" } else { host }))
}

fn set(text: &str) -> Result<(String, serde_json::Value), String> {
    let (field, value) = text.split_once('=').ok_or("it is not FIELD=VALUE")?;
    let field = field.strip_prefix("data.").unwrap_or(field);
    if field.split('.').any(str::is_empty) {
        return Err("it names no field".to_owned());
    }
    let value = match value.strip_prefix('@') {
        Some(file) => &read_text(file).map_err(|error| format!("{file}: {error}"))?,
        None => value,
    };
    match serde_json::from_str(value) {
        Ok(json) => Ok((field.to_owned(), json)),
        Err(error) if value.trim_start().starts_with(['{', '[']) => Err(format!("it is not valid JSON: {error}")),
        Err(_) => Ok((field.to_owned(), value.into())),
    }
}

fn time(text: &str) -> Result<jiff::Timestamp, String> {
    let seconds = text.parse().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let expected = |_| "it is neither RFC 3339, as 2026-08-19T17:03:10Z, nor seconds since 1970".to_owned();
    seconds.map_or_else(|| text.parse().map_err(expected), Ok)
}

impl Input {
    /// Returns the entries that `--metadata` gives.
    pub(crate) fn metadata(&self) -> anyhow::Result<Vec<metadata::Entries>> {
        let said = self.metadata.iter().map(|said| match said.split_once('=') {
            Some((name, value)) => Ok(vec![(name.to_owned(), value.to_owned())]),
            None => metadata::read(said).map_err(|error| usage(format!("--metadata {said}: {error}"))),
        });
        said.collect()
    }
}

const MAIN_EXAMPLES: &str = "\
Examples:
  ampersand decode events.jsonl                        a line for each notification
  ampersand resolve --output json events.jsonl | jq .  with what was too large to send
  ampersand verify --headers head.txt body.json        was it signed with our secret?
  ampersand trigger --all | ampersand decode           one of everything
  ampersand api list-topics --project my-project       any operation of the API
  ampersand explain installation.updated               what it is, field by field
  ampersand serve --secret-file secret --forward $URL  an inbox for any language";

const DECODE_EXAMPLES: &str = "\
Examples:
  ampersand decode events.jsonl more/*.json
  ampersand decode --output json --dead-letter bad.jsonl < events.jsonl > good.jsonl
  ampersand decode --from kinesis --type installation.created record.json
  aws kinesis get-records --shard-iterator $ITERATOR | ampersand decode
  aws sqs receive-message --queue-url $URL --message-attribute-names All | ampersand decode
  ampersand decode --dead-letter bad.jsonl event.json    # an event of Lambda
  ampersand decode --from s3 --metadata notificationtype=read.backfill.done object.json
  aws s3api get-object --bucket B --key K object.json > head.json
  ampersand decode --from s3 --metadata head.json object.json
  ampersand decode kept                                  # what `listen --save kept` received
  ampersand decode --drift --output json events.jsonl    # is the contract behind what is sent?
  ampersand decode --changes events.jsonl                # what did each update change?";

const RESOLVE_EXAMPLES: &str = "\
Examples:
  ampersand resolve events.jsonl
  ampersand resolve --output json --allow-host storage.googleapis.com events.jsonl
  ampersand resolve --changes events.jsonl    # what did each update change?
  ampersand resolve --allow-http --allow-private --max-bytes 1000000 local.json";

const VERIFY_EXAMPLES: &str = "\
Examples:
  AMPERSAND_WEBHOOK_SECRET=\"$NEW,$OLD\" ampersand verify --headers head.txt body.json
  ampersand verify --secret-file secrets.txt --headers head.json < body.json
  ampersand verify --headers head.txt --at 2026-08-19T17:03:10Z kept.json";

const LISTEN_EXAMPLES: &str = "\
Examples:
  ampersand listen --demo
  ampersand listen --secret-file secret
  ampersand listen --inspect      # on a web page, too
  ampersand listen 127.0.0.1:4000 --forward http://localhost:8080/webhooks
  ampersand listen --save kept    # then `ampersand decode kept`, or `trigger --replay`
  ampersand listen --forward https://localhost:8443/ --insecure   # with a self-signed certificate";

const INSPECT_EXAMPLES: &str = "\
The page shows each delivery, checks its signature step by step, explains its fields, and sends it again.
It is for this machine alone, and nobody can open it who does not know its URL. Folders are followed.

Examples:
  ampersand inspect kept                      # what `listen --save kept` received, and receives
  ampersand inspect --secret-file secret kept
  ampersand inspect --store sqlite:inbox.db   # what `serve` has, and what became of it
  ampersand trigger --all --count 10 | ampersand inspect";

const TRIGGER_EXAMPLES: &str = "\
Examples:
  ampersand trigger --all | ampersand decode
  ampersand trigger installation.created --to http://localhost:3000/ --secret-file secret
  ampersand trigger connection.error --set groupRef=acme --count 1000 --rate 100 --to $URL
  ampersand trigger connection.error --envelope kinesis --seed 7
  ampersand trigger --all --lambda kinesis > event.json # for cargo lambda invoke --data-file
  ampersand trigger --all --envelope s3 --save objects && ampersand decode --from s3 objects
  ampersand trigger --replay kept/0001.json --to http://localhost:3000/";

const SERVE_EXAMPLES: &str = "\
The application verifies requests with any library for Standard Webhooks and the secret of
--sign-file. A delivery comes at least once: the application drops repeats by `webhook-id`.

Examples:
  ampersand serve --secret-file secret --forward http://localhost:3000/ --sign-file sign-secret
  AMPERSAND_STORE=postgres://user:password@db/app ampersand serve --config serve.toml
  ampersand serve --config serve.toml --admin none
  curl --silent localhost:9464/readyz

The file of --config, with two endpoints:
  store = \"sqlite:inbox.db\"
  forward = \"http://localhost:3000/webhooks\"
  sign_file = \"sign-secret\"
  [[endpoint]]
  name = \"eu\"
  path = \"/eu\"
  secret_file = \"eu-secret\"
  [[endpoint]]
  name = \"us\"
  path = \"/us\"
  secret_env = \"US_SECRET\"";

const INBOX_EXAMPLES: &str = "\
Examples:
  ampersand inbox status --store sqlite:inbox.db
  ampersand inbox list
  ampersand inbox show webhook msg_1
  ampersand inbox show webhook msg_1 --body | ampersand decode
  ampersand inbox replay --reason 'answered 500' --dry-run
  ampersand inbox replay --all
  ampersand inbox list --state ready --output json | jq -r .reason";

const SETUP_EXAMPLES: &str = "\
AMPERSAND_API_KEY has the API key, or AMPERSAND_BEARER_TOKEN a token.
What is there is left as it is: run it again with more types.

Examples:
  ampersand setup --project my-project --url https://example.com/webhooks --all --dry-run
  ampersand setup --project my-project --url https://example.com/webhooks --all --save-secret secret
  ampersand setup --project my-project --destination my-kinesis connection.error";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  ampersand explain installation.updated
  ampersand explain installation.updated.config
  ampersand explain list-installations
  ampersand explain Installation.healthStatus
  ampersand explain Installation --output json | jq -r '.fields[].name'";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(ampersand completions bash)
  ampersand completions zsh > ~/.zfunc/_ampersand
  ampersand completions fish > ~/.config/fish/completions/ampersand.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  ampersand man | man -l -
  ampersand man decode | man -l -
  ampersand man inbox replay | man -l -
  ampersand man decode > ~/.local/share/man/man1/ampersand-decode.1";
