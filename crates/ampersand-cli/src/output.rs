//! Prints results to stdout and messages to stderr.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::process::ExitCode;

use ampersand_notifications::{Delivery, Metadata};
use ampersand_types::notifications::NotificationType;
use ampersand_types::{ConfigChange, Timestamp};
use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result};
use clap::ValueEnum;
use indicatif::ProgressBar;
use memchr::{memchr, memchr2};
use serde::{Deserialize, Serialize};

use crate::changes::{self, Reach};

#[derive(Clone, Copy, Default, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// For people: a line for each
    #[default]
    Text,
    /// For programs: a JSON object a line
    Json,
}

/// The lines for stdout. They are buffered until there are many, or until [`flush`](Self::flush) is called.
pub(crate) struct Output {
    lines: Vec<u8>,
    form: Form,
    coloured: bool,
    /// Whether the command goes on when the reader of stdout closes it.
    goes_on: bool,
    /// Whether to show the changes of an update, and where to look for its configurations.
    changes: Option<Reach>,
}

const MANY: usize = 128 << 10;

/// The changes of an update, or the reason why they are unknown.
type Changes = Result<Vec<ConfigChange>, String>;

/// The reader of stdout has closed it. This is not a failure: the reader had enough.
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
        Self {
            lines: Vec::new(),
            form,
            coloured: choice != anstream::ColorChoice::Never,
            goes_on: false,
            changes: None,
        }
    }

    /// Also shows the changes that updates make to configurations.
    pub(crate) fn with_changes(self, reach: Reach) -> Self {
        Self { changes: Some(reach), ..self }
    }

    /// Goes on without output when the reader of stdout closes it: for commands that change something.
    pub(crate) fn going_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        self.write(b"")
    }

    /// Writes the buffered lines, and a text.
    fn write(&mut self, text: &[u8]) -> Result<()> {
        let mut stdout = io::stdout().lock();
        let written = [&self.lines, text].into_iter().try_for_each(|text| stdout.write_all(text));
        let written = written.and_then(|()| stdout.flush());
        self.lines.clear();
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.goes_on => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
            written => written.context("the output cannot be written"),
        }
    }

    /// Prints a delivery. `data` is its payload, which may include downloads.
    pub(crate) fn delivery(&mut self, delivery: &Delivery, data: &str) -> Result<()> {
        let shown = Shown::of(delivery);
        let changes = self.changes_of(delivery, data);
        if self.form == Form::Json {
            self.json(&shown, data, changes)?;
        } else {
            let time = shown.timestamp.map_or("-".into(), |sent| match sent.parse() {
                Ok(time) => format!("{time:.0}").into(),
                Err(_) => plain(sent.as_str()),
            });
            let mut columns = vec![Column { width: 20, text: time.into_owned(), style: FAINT }];
            columns.extend(who(&shown, data));
            columns.push(Column { width: 10, text: shown.source.to_owned(), style: FAINT });
            columns.push(size(Some(data.len())));
            self.row(&columns)?;
            self.sentences(changes)?;
        }
        if self.lines.len() > MANY { self.flush() } else { Ok(()) }
    }

    /// Prints a request and its verdict. An accepted request comes with its delivery and whether it was verified. A
    /// refused request has no delivery: for programs, it is a message and not a result.
    pub(crate) fn request(
        &mut self,
        at: jiff::Timestamp,
        delivery: Option<(&Delivery, bool)>,
        bytes: Option<usize>,
        verdict: Column,
    ) -> Result<()> {
        let changes = delivery.and_then(|(delivery, _)| self.changes_of(delivery, delivery.raw().data()));
        match delivery {
            Some((delivery, verified)) if self.form == Form::Json => {
                let shown = Shown { verified: Some(verified), ..Shown::of(delivery) };
                self.json(&shown, delivery.raw().data(), changes)?;
            }
            None if self.form == Form::Json => {
                Messages::default().say(format_args!("{at:.0}  {}", plain(&verdict.text)));
            }
            _ => {
                let mut columns = vec![Column { width: 9, text: at.strftime("%H:%M:%SZ").to_string(), style: FAINT }];
                columns.extend(match delivery {
                    Some((delivery, _)) => who(&Shown::of(delivery), delivery.raw().data()),
                    None => nobody(),
                });
                let verdict = Column { text: plain(&verdict.text).into_owned(), ..verdict };
                columns.extend([size(bytes), verdict]);
                self.row(&columns)?;
                self.sentences(changes)?;
            }
        }
        self.flush()
    }

    fn changes_of(&self, delivery: &Delivery, data: &str) -> Option<Changes> {
        changes::of(delivery, data, self.changes?)
    }

    /// Writes an indented line for each change, or one line that says why there are no changes to show.
    fn sentences(&mut self, changes: Option<Changes>) -> Result<()> {
        let sentences = match changes {
            None => return Ok(()),
            Some(Ok(changes)) if changes.is_empty() => vec!["no changes".to_owned()],
            Some(Ok(changes)) => changes.iter().map(ToString::to_string).collect(),
            Some(Err(why)) => vec![format!("not compared: {why}")],
        };
        for sentence in sentences {
            writeln!(self.lines, "    {}", plain(&sentence))?;
        }
        Ok(())
    }

    fn row(&mut self, columns: &[Column]) -> Result<()> {
        for (index, Column { width, text, style }) in columns.iter().enumerate() {
            let (style, gap) = (if self.coloured { *style } else { Style::new() }, if index == 0 { "" } else { "  " });
            let width = if index + 1 == columns.len() { 0 } else { *width };
            write!(self.lines, "{gap}{style}{text:<width$}{style:#}")?;
        }
        self.lines.push(b'\n');
        Ok(())
    }

    fn json(&mut self, shown: &Shown<'_>, data: &str, changes: Option<Changes>) -> Result<()> {
        serde_json::to_writer(&mut self.lines, shown)?;
        self.lines.pop(); // The object continues.
        self.lines.extend(b",\"data\":");
        on_one_line(data, |text| {
            // Large texts are not buffered.
            if self.lines.len() + text.len() > 2 * MANY {
                return self.write(text);
            }
            self.lines.extend(text);
            Ok(())
        })?;
        if let Some(Ok(changes)) = changes {
            self.lines.extend(b",\"changes\":");
            on_one_line(&serde_json::to_string(&changes)?, |text| {
                self.lines.extend(text);
                Ok(())
            })?;
        }
        self.lines.extend(b"}\n");
        Ok(())
    }

    /// Prints a complete line.
    pub(crate) fn raw(&mut self, line: &[u8]) -> Result<()> {
        self.lines.extend(line);
        self.lines.push(b'\n');
        if self.lines.len() > MANY { self.flush() } else { Ok(()) }
    }

    /// Prints a JSON text on one line.
    pub(crate) fn json_text(&mut self, json: &str) -> Result<()> {
        on_one_line(json, |text| {
            self.lines.extend(text);
            Ok(())
        })?;
        self.raw(b"")
    }

    /// Returns a style, or none if colours are off.
    pub(crate) fn style(&self, style: Style) -> Style {
        if self.coloured { style } else { Style::new() }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Prints a line of another kind: an object for programs, a sentence for people.
    pub(crate) fn line(&mut self, object: &impl Serialize, sentence: impl fmt::Display) -> Result<()> {
        match self.form {
            Form::Json => serde_json::to_writer(&mut self.lines, object)?,
            Form::Text => write!(self.lines, "{sentence}")?,
        }
        self.lines.push(b'\n');
        Ok(())
    }
}

/// Prints a text that is not a result: a script or a manual page.
pub(crate) fn print(text: &[u8]) -> Result<ExitCode> {
    let mut output = Output::new(Form::Text);
    output.lines.extend(text);
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A text in a column of lines.
pub(crate) struct Column {
    width: usize,
    text: String,
    style: Style,
}

impl Column {
    /// Makes the last column of a row.
    pub(crate) fn last(text: String, colour: AnsiColor) -> Self {
        Self { width: 0, text, style: colour.on_default() }
    }
}

const FAINT: Style = Style::new().dimmed();

/// Returns the columns for the type, the group, and the installation or connection.
fn who(shown: &Shown<'_>, data: &str) -> Vec<Column> {
    let who: Who = serde_json::from_str(data).unwrap_or_default();
    let (name, style) = match shown.notification_type {
        Some(known @ NotificationType::Unknown(_)) => (format!("{known} (new)"), AnsiColor::Yellow.on_default()),
        Some(known) => (known.to_string(), AnsiColor::Green.on_default()),
        None => (format!("records ({})", who.action.as_deref().unwrap_or("-")), AnsiColor::Cyan.on_default()),
    };
    let text = |text: Option<Cow<'_, str>>| (plain(text.as_deref().unwrap_or("-")).into_owned(), Style::new());
    about([(plain(&name).into_owned(), style), text(who.group), text(who.installation.or(who.connection))])
}

/// Returns the columns of [`who`] for a request that cannot be read.
fn nobody() -> Vec<Column> {
    about([(); 3].map(|()| ("-".to_owned(), FAINT)))
}

fn about(texts: [(String, Style); 3]) -> Vec<Column> {
    let columns = [30, 16, 36].into_iter().zip(texts);
    columns.map(|(width, (text, style))| Column { width, text, style }).collect()
}

/// The output for a delivery, without its payload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'d> {
    kind: &'static str,
    notification_type: Option<&'d NotificationType>,
    source: &'static str,
    id: Option<&'d str>,
    timestamp: Option<&'d Timestamp>,
    metadata: &'d Metadata,
    /// Only for requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
}

impl<'d> Shown<'d> {
    fn of(delivery: &'d Delivery) -> Self {
        match delivery {
            Delivery::Notification(notification) => Self {
                kind: "notification",
                notification_type: Some(&notification.notification_type),
                source: notification.source.as_str(),
                id: notification.id.as_deref(),
                timestamp: notification.timestamp.as_ref(),
                metadata: &notification.metadata,
                verified: None,
            },
            Delivery::Records(records) => Self {
                kind: "records",
                notification_type: None,
                source: records.source.as_str(),
                id: records.id.as_deref(),
                timestamp: records.timestamp.as_ref(),
                metadata: &records.metadata,
                verified: None,
            },
        }
    }
}

/// The members of a payload that say whom it is about, for every type.
#[derive(Default, Deserialize)]
pub(crate) struct Who<'d> {
    #[serde(borrow, rename = "groupRef", default)]
    pub(crate) group: Option<Cow<'d, str>>,
    #[serde(borrow, rename = "installationId", default)]
    pub(crate) installation: Option<Cow<'d, str>>,
    #[serde(borrow, rename = "connectionId", default)]
    pub(crate) connection: Option<Cow<'d, str>>,
    #[serde(borrow, default)]
    pub(crate) action: Option<Cow<'d, str>>,
}

/// Passes the JSON on, on one line, in pieces. A text of one line is unchanged. In any other text, the white space
/// between tokens is removed.
fn on_one_line(json: &str, mut put: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut rest = json.as_bytes();
    if memchr2(b'\n', b'\r', rest).is_none() {
        return put(rest);
    }
    while !rest.is_empty() {
        let (between, string) = rest.split_at(memchr(b'"', rest).unwrap_or(rest.len()));
        between.split(u8::is_ascii_whitespace).try_for_each(&mut put)?;
        let (string, after) = string.split_at(end_of_string(string));
        put(string)?;
        rest = after;
    }
    Ok(())
}

/// Returns the length of the string, including its quotes, at the beginning of a text.
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

/// Returns text from outside without characters that control a terminal or hide text.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return text.into();
    }
    text.chars().map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect()
}

/// Returns whether a character is invisible: it controls, has no width, breaks a line, or changes the text direction.
pub(crate) fn is_unseen(c: char) -> bool {
    const UNSEEN: [RangeInclusive<char>; 7] = [
        '\u{061c}'..='\u{061c}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
        '\u{fff9}'..='\u{fffb}',
        '\u{e0000}'..='\u{e007f}',
    ];
    c.is_control() || UNSEEN.iter().any(|range| range.contains(&c))
}

fn size(bytes: Option<usize>) -> Column {
    let text = match bytes {
        None => "-".to_owned(),
        Some(bytes @ 0..1_000) => format!("{bytes} B"),
        Some(bytes @ 1_000..1_000_000) => format!("{:.1} kB", bytes as f64 / 1e3),
        Some(bytes) => format!("{:.1} MB", bytes as f64 / 1e6),
    };
    Column { width: 8, text: format!("{text:>8}"), style: Style::new() }
}

/// Prints lines for people to stderr, which may be closed. The lines do not disturb a progress bar.
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
            on_one_line(json, |text| {
                line.extend(text);
                Ok(())
            })
            .unwrap();
            assert_eq!(String::from_utf8(line).unwrap(), expected);
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("acme\u{1b}[2J\n"), "acme\u{fffd}[2J\u{fffd}");
        assert_eq!(plain("Zoë ‐ 日本"), "Zoë ‐ 日本");
        for c in
            ['\u{200b}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{feff}']
        {
            assert_eq!(plain(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
    }

    #[test]
    fn sizes() {
        let shown = [0, 999, 1_000, 999_999, 25_300_000].map(|bytes| size(Some(bytes)).text);
        assert_eq!(shown, ["     0 B", "   999 B", "  1.0 kB", "1000.0 kB", " 25.3 MB"]);
    }
}
