//! The settings of `serve`: options, which override a file of settings.

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ampersand_inbox::Retry;
use ampersand_notifications::{Resolver, Secret, Verifier};
use anyhow::{Context as _, Result};
use reqwest::Url;
use serde::Deserialize;

use crate::args::{self, Admin};
use crate::cmd::http_url;
use crate::input::read_text;
use crate::secrets::{self, knowing, needed, secrets};
use crate::store;
use crate::usage::usage;

const ADDRESS: &str = "127.0.0.1:8080";
const ADMIN: &str = "127.0.0.1:9464";
const CONCURRENCY: usize = 16;
const TIMEOUT: u32 = 30;
const LEASE: u32 = 60;

pub(crate) struct Settings {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) store: String,
    pub(crate) address: String,
    pub(crate) admin: Admin,
    pub(crate) forward: Url,
    /// The secret that signs each delivery for the application.
    pub(crate) sign: Option<Secret>,
    pub(crate) concurrency: usize,
    /// The time limit for a response of the application.
    pub(crate) timeout: Duration,
    pub(crate) lease: Duration,
    /// The number of attempts before a delivery becomes a dead letter.
    pub(crate) attempts: u32,
    pub(crate) resolver: Option<Resolver>,
    pub(crate) insecure: bool,
}

/// An endpoint that receives webhooks.
pub(crate) struct Endpoint {
    /// `None` if there is only one endpoint.
    pub(crate) name: Option<String>,
    pub(crate) path: String,
    pub(crate) verifier: Verifier,
}

/// The file of `--config`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    store: Option<String>,
    forward: Option<String>,
    sign_file: Option<PathBuf>,
    address: Option<String>,
    admin: Option<String>,
    concurrency: Option<NonZeroUsize>,
    timeout: Option<NonZeroU32>,
    lease: Option<NonZeroU32>,
    attempts: Option<NonZeroU32>,
    resolve: Option<bool>,
    #[serde(default)]
    endpoint: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    path: String,
    secret_file: Option<PathBuf>,
    secret_env: Option<String>,
}

impl Settings {
    pub(crate) fn new(options: args::Serve) -> Result<Self> {
        let (ref path, file) = match &options.config {
            Some(path) => (path.display().to_string(), read(path)?),
            None => (String::new(), File::default()),
        };
        let wrong = |key| move |error: String| usage(format!("{path}: {key}: {error}"));
        let address = file.address.map(|text| args::address(&text)).transpose().map_err(wrong("address"))?;
        let admin = file.admin.map(|text| args::admin(&text)).transpose().map_err(wrong("admin"))?;
        let forward = match (&options.forward, &file.forward) {
            (Some(url), _) => http_url("--forward", url)?,
            (None, Some(url)) => http_url(&format!("{path}: forward"), url)?,
            (None, None) => {
                return Err(usage(
                    "no application to deliver to: pass --forward URL, or set `forward` in the file of --config"
                        .to_owned(),
                ));
            }
        };
        let sign = match (&options.sign_file, &file.sign_file) {
            (Some(file), _) => Some(sign_secret("--sign-file", file)?),
            (None, Some(file)) => Some(sign_secret(&format!("{path}: sign_file"), file)?),
            (None, None) => None,
        };
        let endpoints = match file.endpoint.is_empty() {
            false if options.secret_file.is_some() => {
                return Err(usage(format!(
                    "--secret-file: the endpoints in {path} have secrets of their own: leave one out"
                )));
            }
            false => endpoints(file.endpoint, path)?,
            true => {
                let verifier = needed(&secrets(options.secret_file.as_deref())?)?;
                vec![Endpoint { name: None, path: "/".to_owned(), verifier }]
            }
        };
        let seconds = |option: Option<NonZeroU32>, file: Option<NonZeroU32>, default| {
            Duration::from_secs(option.or(file).map_or(default, NonZeroU32::get).into())
        };
        let resolves = options.resolve || file.resolve.unwrap_or_default();
        Ok(Self {
            endpoints,
            store: store::url(options.store, file.store)?,
            address: options.address.or(address).unwrap_or_else(|| ADDRESS.to_owned()),
            admin: options.admin.or(admin).unwrap_or_else(|| Admin::At(ADMIN.to_owned())),
            forward,
            sign,
            concurrency: options.concurrency.or(file.concurrency).map_or(CONCURRENCY, NonZeroUsize::get),
            timeout: seconds(options.timeout, file.timeout, TIMEOUT),
            lease: seconds(options.lease, file.lease, LEASE),
            attempts: options.attempts.or(file.attempts).map_or_else(|| Retry::default().attempts, NonZeroU32::get),
            resolver: if resolves { Some(Resolver::new(options.policy.into())?) } else { None },
            insecure: options.insecure,
        })
    }
}

fn read(path: &Path) -> Result<File> {
    let name = path.display();
    let text = read_text(path).map_err(|error| usage(format!("--config {name}: {error}")))?;
    toml::from_str(&text).map_err(|error| {
        // The error of toml shows the line, and its message a string in quotes. Either may be a secret.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let (line, message) = (before.matches('\n').count() + 1, error.message());
        let unquoted = message.split_once(" \"").zip(message.rsplit_once('"'));
        let message = unquoted.map_or_else(|| message.to_owned(), |((start, _), (_, end))| format!("{start}{end}"));
        usage(format!("{name}:{line}: {message}"))
    })
}

fn sign_secret(option: &str, file: &Path) -> Result<Secret> {
    let all = secrets::of_file(option, file)?;
    let secret = all.first().map(|secret| Secret::new(secret)).transpose();
    let secret = secret.map_err(|error| usage(format!("{option} {}: the secret is {error}", file.display())))?;
    secret.ok_or_else(|| usage(format!("{option} {}: there is no secret in it", file.display())))
}

fn endpoints(tables: Vec<Table>, file: &str) -> Result<Vec<Endpoint>> {
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    let endpoint = |Table { name, path, secret_file, secret_env }: Table| {
        let place = format!("{file}: endpoint `{name}`");
        let wrong = |what: &str| Err(usage(format!("{place}: {what}")));
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return wrong("a name has letters, digits, `-` and `_` alone");
        }
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte))
        {
            return wrong("a path begins with `/`, as `/eu`, and has letters, digits and `-_.~/` alone");
        }
        if !names.insert(name.clone()) {
            return wrong("another endpoint has this name: choose one that is free");
        }
        if !paths.insert(path.clone()) {
            return wrong("another endpoint has this path: choose one that is free");
        }
        let secrets = match (secret_file, secret_env) {
            (Some(file), None) => secrets::of_file(&format!("{place}: secret_file"), &file)?,
            (None, Some(variable)) => match secrets::of_variable(&variable).with_context(|| place.clone())? {
                secrets if secrets.is_empty() => return wrong(&format!("no secret: set the variable {variable}")),
                secrets => secrets,
            },
            _ => return wrong("give it its secrets by either `secret_file` or `secret_env`"),
        };
        let Some(verifier) = knowing(&secrets).with_context(|| place.clone())? else { return wrong("no secret") };
        Ok(Endpoint { name: Some(name), path, verifier })
    };
    tables.into_iter().map(endpoint).collect()
}
