//! Checks the signature of a webhook.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

use ampersand_notifications::{Verifier, VerifyError};
use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;

use crate::args::{self, Form};
use crate::output::{Messages, Output, plain};
use crate::usage;

pub(crate) const VARIABLE: &str = "AMPERSAND_WEBHOOK_SECRET";
const STDIN: &str = "-";

pub(crate) fn run(options: &args::Verify) -> Result<ExitCode> {
    let (verifier, count) = verifier(options)?;
    let body = options.body.as_deref().unwrap_or(Path::new(STDIN));
    if options.headers == body && body == Path::new(STDIN) {
        return Err(usage("headers and body cannot both come from stdin: keep one of them in a file".to_owned()));
    }
    let headers = read(&options.headers)?;
    let headers = parse(&headers).with_context(|| options.headers.display().to_string())?;
    let body = read(body)?;
    let now = options.at.unwrap_or_else(jiff::Timestamp::now);

    let form = options.output.output;
    let mut output = Output::new(form);
    let code = match verifier.verify_at(&headers[..], body, now) {
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

/// The secrets of a file, one a line, or else of the environment, separated by commas.
pub(crate) fn secrets(file: Option<&Path>) -> Result<Vec<String>> {
    let (text, separator) = match file {
        Some(file) => {
            let text = fs::read_to_string(file);
            (text.map_err(|error| usage(format!("--secret-file {}: {error}", file.display())))?, '\n')
        }
        None => (std::env::var(VARIABLE).unwrap_or_default(), ','),
    };
    Ok(text.split(separator).map(str::trim).filter(|secret| !secret.is_empty()).map(str::to_owned).collect())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        io::stdin().lock().read_to_end(&mut bytes).context("stdin")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| path.display().to_string())
}

/// Reads headers: a JSON object, or lines. Those of a request and of a response begin with a line of another kind, and
/// end where a body begins; `curl -v` puts a mark before each.
fn parse(text: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    if text.trim_ascii_start().starts_with(b"{") {
        return from_json(text);
    }
    let mut headers = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_prefix(b"> ").or_else(|| line.strip_prefix(b"< ")).unwrap_or(line).trim_ascii();
        if line.is_empty() && !headers.is_empty() {
            break;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        if let Ok(name) = str::from_utf8(name)
            && !name.contains(' ')
        {
            headers.push((name.to_owned(), value.get(1..).unwrap_or_default().trim_ascii().to_owned()));
        }
    }
    if headers.is_empty() {
        bail!("there are no headers in it: it should hold lines such as `svix-id: msg_1`, or a JSON object");
    }
    Ok(headers)
}

/// A value may be a list, of which the first counts.
fn from_json(text: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let members: serde_json::Map<String, Value> = serde_json::from_slice(text).context("it is not valid JSON")?;
    let first = |value: Value| match value {
        Value::Array(values) => values.into_iter().next().unwrap_or_default(),
        value => value,
    };
    let text = |value: Value| match value {
        Value::String(text) => text,
        value => value.to_string(),
    };
    Ok(members.into_iter().map(|(name, value)| (name, text(first(value)).into_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_form() {
        let expected = [("Svix-Id".to_owned(), b"msg_1".to_vec()), ("svix-timestamp".to_owned(), b"1".to_vec())];
        for text in [
            "Svix-Id: msg_1\nsvix-timestamp:1",
            "HTTP/1.1 200 OK\r\nSvix-Id: msg_1\r\nsvix-timestamp: 1\r\n\r\nbody: x",
            "POST http://host:80/ HTTP/1.1\r\nSvix-Id: msg_1\r\nsvix-timestamp: 1\r\n\r\n",
            "> POST / HTTP/1.1\n> Svix-Id: msg_1\n> svix-timestamp: 1\n>\n",
            r#"{"Svix-Id": ["msg_1", "msg_2"], "svix-timestamp": 1}"#,
        ] {
            let mut headers = parse(text.as_bytes()).unwrap();
            headers.sort();
            assert_eq!(headers, expected, "{text}");
        }
        assert!(parse(b"").is_err());
        assert!(parse(b"{").is_err());
        assert!(parse(b"msg_1").is_err());
    }
}
