//! Checks the signature of a webhook.

use std::env::VarError;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

use ampersand_notifications::{Verifier, VerifyError};
use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::args::{self, Form};
use crate::input::{MARK, read_text, unmarked};
use crate::output::{Messages, Output, plain};
use crate::{kept, usage};

pub(crate) const VARIABLE: &str = "AMPERSAND_WEBHOOK_SECRET";
/// The name of a file that stands for stdin.
pub(crate) const STDIN: &str = "-";

pub(crate) fn run(options: &args::Verify) -> Result<ExitCode> {
    let (verifier, count) = verifier(options)?;
    let body = options.body.as_deref().unwrap_or(Path::new(STDIN));
    if options.headers == body && body == Path::new(STDIN) {
        return Err(usage("headers and body cannot both come from stdin: keep one of them in a file".to_owned()));
    }
    let headers = read(&options.headers)?;
    let headers = kept::parse(&headers).with_context(|| options.headers.display().to_string())?;
    let body = read(body)?;
    let now = options.at.unwrap_or_else(jiff::Timestamp::now);

    let form = options.output.output;
    let mut output = Output::new(form);
    let code = match verifier.verify_at(&headers, body.as_slice(), now) {
        Ok(verified) => {
            let secret = verified.secret + 1;
            let verdict = Verdict {
                verified: true,
                id: Some(verified.id),
                timestamp: Some(verified.timestamp.to_string()),
                secret: Some(secret),
                reason: None,
            };
            let (id, time) = (plain(verified.id), verified.timestamp);
            output.line(&verdict, format_args!("verified: {id}, signed at {time} with secret {secret} of {count}"))?;
            ExitCode::SUCCESS
        }
        Err(error) => {
            let reason = match error {
                VerifyError::WrongSignature => changed(&body, |body| verifier.verify_at(&headers, body, now).is_ok()),
                _ => None,
            };
            let reason = reason.unwrap_or_else(|| explain(&error, options.at.is_some()));
            if form == Form::Json {
                output.line(&Verdict { reason: Some(&reason), ..Verdict::default() }, "")?;
            } else {
                Messages::default().say(format_args!("not verified: {reason}"));
            }
            ExitCode::FAILURE
        }
    };
    output.flush()?;
    Ok(code)
}

/// What is printed for programs.
#[derive(Default, Serialize)]
struct Verdict<'v> {
    verified: bool,
    id: Option<&'v str>,
    timestamp: Option<String>,
    /// Which secret matched, from 1.
    secret: Option<usize>,
    reason: Option<&'v str>,
}

fn explain(error: &VerifyError, at_is_given: bool) -> String {
    match error {
        VerifyError::TooOld { .. } if !at_is_given => format!("{error} (for a request that was kept, pass --at)"),
        _ => error.to_string(),
    }
}

/// Says what editors and shells changed in a body, where that alone makes its signature wrong: the line break at its end,
/// or its byte order mark.
fn changed(body: &[u8], is_right: impl Fn(Vec<u8>) -> bool) -> Option<String> {
    const NO_MARK: &[u8] = b"";
    let text = unmarked(body);
    let line = text.strip_suffix(b"\n").map_or(text, |line| line.strip_suffix(b"\r").unwrap_or(line));
    let marks = match text.len() < body.len() {
        true => [(MARK, None), (NO_MARK, Some(("without its byte order mark", "added one")))],
        false => [(NO_MARK, None), (MARK, Some(("with a byte order mark before it", "removed it")))],
    };
    let (other_end, exchanged) = match text.ends_with(b"\r\n") {
        true => (&b"\n"[..], "with LF in place of CR LF at its end"),
        false => (&b"\r\n"[..], "with CR LF in place of LF at its end"),
    };
    let ends = [
        (text, &b""[..], None),
        (line, b"", Some(("without its last line break", "added one"))),
        (text, b"\n", Some(("with one more line break (LF) at its end", "removed it"))),
        (text, b"\r\n", Some(("with one more line break (CR LF) at its end", "removed it"))),
        (line, other_end, Some((exchanged, "changed it"))),
    ];
    marks.into_iter().flat_map(|mark| ends.map(|end| (mark, end))).find_map(|((mark, marked), (text, end, ended))| {
        let changes = match (marked, ended) {
            (None, None) => return None,
            (Some((how, what)), None) | (None, Some((how, what))) => format!("{how}: your editor or shell {what}"),
            (Some((mark, _)), Some((end, _))) => format!("{mark} and {end}: your editor or shell changed both"),
        };
        is_right([mark, text, end].concat()).then(|| format!("the signature is right for the body {changes}"))
    })
}

/// The verifier, and how many secrets it has.
fn verifier(options: &args::Verify) -> Result<(Verifier, usize)> {
    let secrets = secrets(options.secret_file.as_deref())?;
    let verifier = knowing(&secrets)?;
    let verifier = verifier.ok_or_else(|| usage(format!("no secret: set {VARIABLE}, or pass --secret-file FILE")))?;
    let tolerance = jiff::SignedDuration::from_secs(options.tolerance.into());
    Ok((verifier.with_tolerance(tolerance), secrets.len()))
}

/// A verifier with these secrets, if there are any.
pub(crate) fn knowing(secrets: &[String]) -> Result<Option<Verifier>> {
    let mut verifier: Option<Verifier> = None;
    for (index, secret) in secrets.iter().enumerate() {
        let added = match verifier {
            None => Verifier::new(secret),
            Some(verifier) => verifier.or_secret(secret),
        };
        verifier = Some(added.map_err(|error| usage(format!("secret {} is {error}", index + 1)))?);
    }
    Ok(verifier)
}

/// The secrets of a file, one a line, or else of the environment, separated by commas. Where either is there, and no
/// secret in it, something went wrong, and nothing is to go on as if none had been wanted.
pub(crate) fn secrets(file: Option<&Path>) -> Result<Vec<String>> {
    let (name, text, separator) = match file {
        Some(file) => {
            let name = format!("--secret-file {}", file.display());
            let text = read_text(file).map_err(|error| usage(format!("{name}: {error}")))?;
            (name, text, '\n')
        }
        None => match std::env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => (VARIABLE.to_owned(), text, ','),
            Err(VarError::NotUnicode(_)) => return Err(usage(format!("{VARIABLE} is not UTF-8"))),
            _ => return Ok(Vec::new()),
        },
    };
    let secrets =
        text.split(separator).map(|secret| secret.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'));
    let secrets = secrets.filter(|secret| !secret.is_empty()).map(str::to_owned);
    let secrets: Vec<String> = secrets.collect();
    if secrets.is_empty() {
        return Err(usage(format!("{name}: there is no secret in it")));
    }
    for (index, secret) in secrets.iter().enumerate() {
        if let Some(before) = before_prefix(secret) {
            let end = if secret.ends_with(QUOTES) { ", and the quote at its end" } else { "" };
            return Err(usage(format!("{name}: secret {} has {before} before the key: remove that{end}", index + 1)));
        }
    }
    Ok(secrets)
}

const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];

/// Names what stands before the prefix of a secret that was copied with more than itself. It is shown only where it is
/// sure to be no part of a key.
fn before_prefix(secret: &str) -> Option<String> {
    // What the commas of the variable left of `v1,whsec_…`.
    if matches!(secret, "v1" | "v1a") {
        return Some(format!("`{secret},`"));
    }
    let before = secret.get(..secret.find("whsec_")?).filter(|before| !before.is_empty())?;
    let unquoted = before.trim_matches(|c: char| QUOTES.contains(&c) || c.is_whitespace());
    let name = unquoted.strip_suffix([':', '=']).map(|name| name.trim_matches(QUOTES).trim());
    // Keys are base64: no underscore, and letters of both cases.
    let is_variable =
        |name: &str| name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || "_ ".contains(c));
    let is_name = |name: &str| {
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        ["secret", "signing secret", "signingsecret", "webhook secret", "webhooksecret"]
            .contains(&name.to_lowercase().as_str())
            || is_variable(name)
    };
    let is_harmless = matches!(unquoted, "" | "v1," | "v1a,") || name.is_some_and(is_name);
    Some(if is_harmless { format!("`{before}`") } else { "something".to_owned() })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        io::stdin().lock().read_to_end(&mut bytes).context("stdin")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| path.display().to_string())
}
