//! Turns a delivery into a Rust test that passes as it is pasted.

use std::fmt::Write as _;

use ampersand_notifications::{
    Delivery, NormalizeError, Source, from_any, from_attributes, from_kinesis, from_s3, from_webhook,
};

use crate::output::is_unseen;

/// Returns the test. `None` if the body and its metadata alone do not make the same delivery.
pub(super) fn test(delivery: &Delivery) -> Option<String> {
    let body = delivery.raw().body();
    let source = match delivery.source() {
        // Attributes can name the type of any payload.
        Source::Bare if !delivery.metadata().is_empty() => Source::Attributes,
        source => source,
    };
    let again = read(body, source, delivery).ok().filter(|again| kind(again) == kind(delivery))?;
    let metadata: Vec<(&str, &str)> = again.metadata().iter().collect();
    let (function, takes_metadata) = match source {
        Source::Webhook => ("from_webhook", false),
        Source::Kinesis => ("from_kinesis", false),
        Source::S3 => ("from_s3", true),
        Source::Attributes => ("from_attributes", true),
        _ => ("from_any", false),
    };
    let mut test = format!("#[test]\nfn {}() -> Result<(), Box<dyn std::error::Error>> {{\n", name(kind(&again)));
    let _ = writeln!(test, "    let body = {};", literal(body));
    let argument = if takes_metadata {
        let _ = writeln!(test, "    let metadata = [");
        for (name, value) in metadata {
            let _ = writeln!(test, "        ({}, {}),", literal(name), literal(value));
        }
        let _ = writeln!(test, "    ];");
        "body, metadata"
    } else {
        "body"
    };
    let _ = writeln!(test, "    let delivery = ampersand_notifications::{function}({argument})?;");
    test += "    // Give `delivery` to your handler, and check what it did. It holds a customer's data: change that before you share it.\n";
    let snapshot = ampersand_testing::redacted(&again);
    let indented: String = snapshot.lines().map(|line| format!("    {line}\n")).collect();
    let snapshot = literal(&format!("\n{indented}    "));
    let _ = writeln!(test, "    ampersand_testing::assert_delivery_snapshot!(delivery, @{snapshot});");
    test += "    Ok(())\n}\n";
    Some(test)
}

fn read(body: &str, source: Source, delivery: &Delivery) -> Result<Delivery, NormalizeError> {
    match source {
        Source::Webhook => from_webhook(body),
        Source::Kinesis => from_kinesis(body),
        Source::S3 => from_s3(body, delivery.metadata().iter()),
        Source::Attributes => from_attributes(body, delivery.metadata().iter()),
        _ => from_any(body),
    }
}

fn kind(delivery: &Delivery) -> &str {
    match delivery {
        Delivery::Notification(notification) => notification.notification_type.as_str(),
        Delivery::Records(_) => "records",
    }
}

/// Returns a name for the test function.
fn name(kind: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    let words: Vec<&str> = kind.split(|c| !is_part(c)).filter(|word| !word.is_empty()).collect();
    format!("receives_{}", words.join("_").to_ascii_lowercase()).trim_end_matches('_').to_owned()
}

/// Returns a text as a Rust literal: raw, or with escapes if a raw literal would hide or change something.
fn literal(text: &str) -> String {
    let hashes = (0..4).map(|count| "#".repeat(count)).find(|hashes| !text.contains(&format!("\"{hashes}")));
    match hashes {
        Some(hashes) if !text.contains(|c| c != '\n' && is_unseen(c)) => {
            if hashes.is_empty() && !text.contains('\\') {
                return format!("\"{text}\"");
            }
            format!("r{hashes}\"{text}\"{hashes}")
        }
        _ => {
            let escaped = text.chars().map(|c| match c {
                '"' | '\\' => format!("\\{c}"),
                '\n' => "\\n".to_owned(),
                c if is_unseen(c) => c.escape_unicode().to_string(),
                c => c.to_string(),
            });
            format!("\"{}\"", escaped.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_holds_every_text() {
        for (text, expected) in [
            ("plain", r#""plain""#),
            ("a\"b", "r#\"a\"b\"#"),
            ("a\"#b", "r##\"a\"#b\"##"),
            (r"a\b", "r\"a\\b\""),
            ("a\rb", r#""a\u{d}b""#),
            ("\u{202e}\"\n", r#""\u{202e}\"\n""#),
            ("\"###", "\"\\\"###\""),
        ] {
            assert_eq!(literal(text), expected);
        }
    }
}
