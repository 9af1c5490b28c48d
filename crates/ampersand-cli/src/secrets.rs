//! Reads the secrets that sign webhooks, from a file or the environment, never from arguments.

use std::env::VarError;
use std::path::Path;

use ampersand_notifications::Verifier;
use anyhow::Result;

use crate::input::read_text;
use crate::usage::usage;

pub(crate) const VARIABLE: &str = "AMPERSAND_WEBHOOK_SECRET";

/// Returns the secrets of the file, or else of the environment. A file or a variable without a secret is an error: a
/// mistake must not turn verification off.
pub(crate) fn secrets(file: Option<&Path>) -> Result<Vec<String>> {
    match file {
        Some(file) => of_file("--secret-file", file),
        None => of_variable(VARIABLE),
    }
}

/// Returns the secrets of a file, one per line. An error names the option that gave the file.
pub(crate) fn of_file(option: &str, file: &Path) -> Result<Vec<String>> {
    let name = format!("{option} {}", file.display());
    if name.contains("whsec_") {
        return Err(usage(format!("{option}: it is a secret, where the name of a file is expected")));
    }
    let text = read_text(file).map_err(|error| usage(format!("{name}: {error}")))?;
    in_text(&name, &text, '\n')
}

/// Returns the secrets of an environment variable, separated by commas. Empty if it is not set, or empty.
pub(crate) fn of_variable(name: &str) -> Result<Vec<String>> {
    if name.contains("whsec_") {
        return Err(usage("it is a secret, where the name of a variable is expected".to_owned()));
    }
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => in_text(name, &text, ','),
        Err(VarError::NotUnicode(_)) => Err(usage(format!("{name} is not UTF-8"))),
        _ => Ok(Vec::new()),
    }
}

fn in_text(name: &str, text: &str, separator: char) -> Result<Vec<String>> {
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

/// Returns a verifier with these secrets. At least one is required.
pub(crate) fn needed(secrets: &[String]) -> Result<Verifier> {
    knowing(secrets)?.ok_or_else(|| usage(format!("no secret: set {VARIABLE}, or pass --secret-file FILE")))
}

/// Returns a verifier with these secrets, or `None` if there are none.
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

const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];

/// Returns the text before the prefix of a secret that was copied with too much. It returns only text that cannot be
/// part of a key.
fn before_prefix(secret: &str) -> Option<String> {
    // The rest of `v1,whsec_…` after the variable was split at commas.
    if matches!(secret, "v1" | "v1a") {
        return Some(format!("`{secret},`"));
    }
    let before = secret.get(..secret.find("whsec_")?).filter(|before| !before.is_empty())?;
    let unquoted = before.trim_matches(|c: char| QUOTES.contains(&c) || c.is_whitespace());
    let name = unquoted.strip_suffix([':', '=']).map(|name| name.trim_matches(QUOTES).trim());
    // Keys are base64: they have no underscore, and letters of both cases.
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
