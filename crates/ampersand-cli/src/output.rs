//! What is printed: results to stdout, messages to stderr.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use ampersand_notifications::{Delivery, Metadata, Source};
use ampersand_types::Timestamp;
use ampersand_types::notifications::NotificationType;
use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use memchr::{memchr, memchr2};
use serde::{Deserialize, Serialize};

use crate::args::Form;

/// The lines for stdout. They are kept back until they are many, or [`flush`](Self::flush) is called.
pub(crate) struct Output {
    lines: Vec<u8>,
    form: Form,
    coloured: bool,
}

const MANY: usize = 128 << 10;

/// Whoever read stdout has gone. It is no failure: they had enough.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stdout is closed")
    }
}

impl std::error::Error for Closed {}

impl Output {
    pub(crate) fn new(form: Form) -> Self {
        let choice = anstream::AutoStream::choice(&io::stdout());
        Self { lines: Vec::new(), form, coloured: choice != anstream::ColorChoice::Never }
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(&self.lines).and_then(|()| stdout.flush());
        self.lines.clear();
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
            written => written.context("the output cannot be written"),
        }
    }

    /// A delivery, whose payload may have been added to.
    pub(crate) fn delivery(&mut self, delivery: &Delivery, data: &str) -> Result<()> {
        let shown = Shown::of(delivery);
        match self.form {
            Form::Json => self.json(&shown, data)?,
            Form::Text => self.text(&shown, data)?,
        }
        if self.lines.len() > MANY { self.flush() } else { Ok(()) }
    }

    fn json(&mut self, shown: &Shown<'_>, data: &str) -> Result<()> {
        serde_json::to_writer(&mut self.lines, shown)?;
        self.lines.pop(); // The object goes on.
        self.lines.extend(b",\"data\":");
        on_one_line(data, &mut self.lines);
        self.lines.extend(b"}\n");
        Ok(())
    }

    fn text(&mut self, shown: &Shown<'_>, data: &str) -> Result<()> {
        let who: Who = serde_json::from_str(data).unwrap_or_default();
        let (name, style) = match shown.notification_type {
            Some(known @ NotificationType::Unknown(_)) => (format!("{known} (new)"), AnsiColor::Yellow.on_default()),
            Some(known) => (known.to_string(), AnsiColor::Green.on_default()),
            None => (format!("records ({})", who.action.as_deref().unwrap_or("-")), AnsiColor::Cyan.on_default()),
        };
        let time = shown.timestamp.map_or("-".into(), |sent| match sent.parse() {
            Ok(time) => format!("{time:.0}").into(),
            Err(_) => plain(sent.as_str()),
        });
        let faint = Style::new().dimmed();
        let column = |text: Option<Cow<'_, str>>| plain(text.as_deref().unwrap_or("-")).into_owned();
        let columns = [
            (20, time.into_owned(), faint),
            (30, plain(&name).into_owned(), style),
            (16, column(who.group), Style::new()),
            (36, column(who.installation.or(who.connection)), Style::new()),
            (10, shown.source.to_owned(), faint),
        ];
        for (width, text, style) in columns {
            let style = if self.coloured { style } else { Style::new() };
            write!(self.lines, "{style}{text:<width$}{style:#}  ")?;
        }
        writeln!(self.lines, "{:>8}", size(data.len()))?;
        Ok(())
    }

    /// A line that is ready.
    pub(crate) fn raw(&mut self, line: &[u8]) -> Result<()> {
        self.lines.extend(line);
        self.lines.push(b'\n');
        if self.lines.len() > MANY { self.flush() } else { Ok(()) }
    }

    /// A line of another kind: an object for programs, a sentence for people.
    pub(crate) fn line(&mut self, object: &impl Serialize, sentence: impl fmt::Display) -> Result<()> {
        match self.form {
            Form::Json => serde_json::to_writer(&mut self.lines, object)?,
            Form::Text => write!(self.lines, "{sentence}")?,
        }
        self.lines.push(b'\n');
        Ok(())
    }
}

/// Prints what is no result: a script, a manual.
pub(crate) fn print(text: &[u8]) -> Result<ExitCode> {
    let mut output = Output::new(Form::Text);
    output.lines.extend(text);
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// What is shown of a delivery beside its payload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'d> {
    kind: &'static str,
    notification_type: Option<&'d NotificationType>,
    source: &'static str,
    id: Option<&'d str>,
    timestamp: Option<&'d Timestamp>,
    metadata: &'d Metadata,
}

impl<'d> Shown<'d> {
    fn of(delivery: &'d Delivery) -> Self {
        match delivery {
            Delivery::Notification(notification) => Self {
                kind: "notification",
                notification_type: Some(&notification.notification_type),
                source: name(notification.source),
                id: notification.id.as_deref(),
                timestamp: notification.timestamp.as_ref(),
                metadata: &notification.metadata,
            },
            Delivery::Records(records) => Self {
                kind: "records",
                notification_type: None,
                source: name(records.source),
                id: records.id.as_deref(),
                timestamp: records.timestamp.as_ref(),
                metadata: &records.metadata,
            },
        }
    }
}

fn name(source: Source) -> &'static str {
    match source {
        Source::Webhook => "webhook",
        Source::Kinesis => "kinesis",
        Source::S3 => "s3",
        Source::Attributes => "attributes",
        _ => "bare",
    }
}

/// Whom a payload is about, of whichever type it is.
#[derive(Default, Deserialize)]
struct Who<'d> {
    #[serde(borrow, rename = "groupRef", default)]
    group: Option<Cow<'d, str>>,
    #[serde(borrow, rename = "installationId", default)]
    installation: Option<Cow<'d, str>>,
    #[serde(borrow, rename = "connectionId", default)]
    connection: Option<Cow<'d, str>>,
    #[serde(borrow, default)]
    action: Option<Cow<'d, str>>,
}

/// Writes JSON on one line. A text of one line stays as it is; from another, the white space between tokens is dropped.
fn on_one_line(json: &str, line: &mut Vec<u8>) {
    let mut rest = json.as_bytes();
    if memchr2(b'\n', b'\r', rest).is_none() {
        return line.extend(rest);
    }
    line.reserve(rest.len());
    while let Some(quote) = memchr(b'"', rest) {
        let (between, string) = rest.split_at(quote);
        line.extend(between.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let (string, after) = string.split_at(end_of_string(string));
        line.extend(string);
        rest = after;
    }
    line.extend(rest.iter().filter(|byte| !byte.is_ascii_whitespace()));
}

/// The length of the string, quotes included, that a text begins with.
fn end_of_string(text: &[u8]) -> usize {
    let mut length = 1;
    while let Some(rest) = text.get(length..)
        && let Some(found) = memchr2(b'"', b'\\', rest)
    {
        match rest.get(found) {
            Some(b'"') => return length + found + 1,
            _ => length += found + 2,
        }
    }
    text.len()
}

/// Text from outside, in which nothing can steer a terminal.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// Lines for the person at the terminal, who may have closed it. They keep clear of a progress bar.
#[derive(Clone)]
pub(crate) struct Messages(pub(crate) ProgressBar);

impl Default for Messages {
    fn default() -> Self {
        Self(ProgressBar::hidden())
    }
}

impl Messages {
    pub(crate) fn say(&self, line: impl fmt::Display) {
        self.0.suspend(|| {
            let _ = writeln!(io::stderr(), "{line}");
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_with_the_same_tokens() {
        for (json, expected) in [
            ("{ \"a\" : 1.10 }", "{ \"a\" : 1.10 }"),
            ("{\n  \"a b\" :\t1e400,\r\n \"\\\" \\\\\": \"\\n  \" }", r#"{"a b":1e400,"\" \\":"\n  "}"#),
            ("[\n]", "[]"),
            ("{\n\"\":\"\"}", r#"{"":""}"#),
        ] {
            let mut line = Vec::new();
            on_one_line(json, &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), expected);
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("acme\u{1b}[2J\n"), "acme\u{fffd}[2J\u{fffd}");
        assert_eq!(plain("Zoë"), "Zoë");
    }

    #[test]
    fn sizes() {
        assert_eq!([0, 999, 1_000, 999_999, 25_300_000].map(size), ["0 B", "999 B", "1.0 kB", "1000.0 kB", "25.3 MB"]);
    }
}
