//! Checks the signature of a webhook.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

use ampersand_notifications::{Verifier, VerifyError};
use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::args;
use crate::input::{MARK, STDIN, unmarked};
use crate::kept;
use crate::output::{Form, Messages, Output, plain};
use crate::secrets::{needed, secrets};
use crate::usage::usage;

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

/// The output for programs.
#[derive(Default, Serialize)]
struct Verdict<'v> {
    verified: bool,
    id: Option<&'v str>,
    timestamp: Option<String>,
    /// The number of the secret that matched, counted from 1.
    secret: Option<usize>,
    reason: Option<&'v str>,
}

fn explain(error: &VerifyError, at_is_given: bool) -> String {
    match error {
        VerifyError::TooOld { .. } if !at_is_given => format!("{error} (for a request that was kept, pass --at)"),
        _ => error.to_string(),
    }
}

/// Returns how an editor or a shell changed a body, if that alone makes its signature wrong: a line break at its end,
/// or a byte order mark.
pub(super) fn changed(body: &[u8], is_right: impl Fn(Vec<u8>) -> bool) -> Option<String> {
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

/// Returns the verifier, and its number of secrets.
fn verifier(options: &args::Verify) -> Result<(Verifier, usize)> {
    let secrets = secrets(options.secret_file.as_deref())?;
    let verifier = needed(&secrets)?;
    let tolerance = jiff::SignedDuration::from_secs(options.tolerance.into());
    Ok((verifier.with_tolerance(tolerance), secrets.len()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        io::stdin().lock().read_to_end(&mut bytes).context("stdin")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| path.display().to_string())
}
