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
    let code = match verifier.verify_at(&headers, body, now) {
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
            let reason = explain(&error, options.at.is_some());
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
            let text = fs::read_to_string(file).map_err(|error| usage(format!("{name}: {error}")))?;
            (name, text, '\n')
        }
        None => match std::env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => (VARIABLE.to_owned(), text, ','),
            Err(VarError::NotUnicode(_)) => return Err(usage(format!("{VARIABLE} is not UTF-8"))),
            _ => return Ok(Vec::new()),
        },
    };
    let secrets = text.split(separator).map(str::trim).filter(|secret| !secret.is_empty()).map(str::to_owned);
    let secrets: Vec<String> = secrets.collect();
    if secrets.is_empty() {
        return Err(usage(format!("{name}: there is no secret in it")));
    }
    Ok(secrets)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        io::stdin().lock().read_to_end(&mut bytes).context("stdin")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| path.display().to_string())
}
