//! Reads the deliveries in files, one after the other.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read};
use std::iter;
use std::mem;
use std::path::{Path, PathBuf};

use ampersand_aws::__private::{Inside, Record, Wrapped, id_and_timestamp, records};
use ampersand_aws::Object;
use ampersand_notifications::{Delivery, Metadata, NormalizeError, NormalizeErrorKind, Source, from_any, from_source};
use ampersand_types::Timestamp;
use ampersand_types::notifications::NotificationType;
use anyhow::{Context as _, Result, anyhow};
use serde::de::IgnoredAny;

use crate::args::{self, Envelope};
use crate::dead_letter::{DeadLetter, refuse_what_is_written};
use crate::input::{Documents, Piece, Place, STDIN};
use crate::kept;
use crate::metadata::{self, Entries};
use crate::output::{Messages, plain};

/// Receives deliveries.
pub(crate) trait Sink {
    fn delivery(&mut self, delivery: Delivery, at: &At<'_>) -> Result<()>;

    /// Called before a wait for the next delivery, which may be long.
    fn pause(&mut self) -> Result<()>;
}

/// The place of a delivery.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    file: &'a str,
    /// The place where its document begins.
    place: Place,
    /// The place of its record in the document, as a JSONPath. Empty if the document is the record, or the delivery.
    path: &'a str,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.place.line)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, ": {}", self.path) }
    }
}

/// The numbers of documents and records that were read, by result.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) decoded: usize,
    pub(crate) failed: usize,
    /// Valid documents and records without a delivery.
    ignored: usize,
}

impl Tally {
    fn total(self) -> usize {
        self.decoded + self.failed + self.ignored
    }
}

/// Reads the documents of all files.
pub(crate) struct Reader {
    files: Vec<Input>,
    from: Envelope,
    notification_type: Option<NotificationType>,
    said: Vec<Entries>,
    dead_letter: Option<DeadLetter>,
    messages: Messages,
    tally: Tally,
}

/// A file to read.
enum Input {
    /// A file that the user named. No other files belong to it.
    File(PathBuf),
    /// A file of a folder, with the files kept beside it.
    InFolder(PathBuf),
    /// A folder without files, or one that cannot be read.
    Folder(PathBuf, io::Result<()>),
}

impl Input {
    fn find(path: &Path) -> Vec<Self> {
        if path == Path::new(STDIN) || !path.is_dir() {
            return vec![Self::File(path.to_owned())];
        }
        match documents(path) {
            Ok(files) if files.is_empty() => vec![Self::Folder(path.to_owned(), Ok(()))],
            Ok(files) => files.into_iter().map(Self::InFolder).collect(),
            Err(error) => vec![Self::Folder(path.to_owned(), Err(error))],
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::InFolder(path) | Self::Folder(path, _) => path,
        }
    }
}

/// Returns the documents of a folder, sorted by name.
fn documents(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths: io::Result<Vec<PathBuf>> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let is_document = |path: &PathBuf| {
        let name = path.to_string_lossy();
        name.ends_with(".json") && !name.ends_with(".metadata.json") && path.is_file()
    };
    let mut documents: Vec<PathBuf> = paths?.into_iter().filter(is_document).collect();
    documents.sort();
    Ok(documents)
}

/// Facts about the documents of a file that the documents do not contain.
struct Known {
    source: Source,
    metadata: Metadata,
    id: Option<String>,
    timestamp: Option<Timestamp>,
}

impl Known {
    fn new(from: Envelope, said: &[Entries]) -> Self {
        let source = from.into();
        Self { source, metadata: metadata::merge(said, source), id: None, timestamp: None }
    }

    /// Reads the facts kept beside a file: its metadata, and the headers of a webhook.
    fn beside(file: &Path, from: Envelope, said: &[Entries]) -> Result<Self> {
        let mut known = Self::new(from, said);
        let beside = file.with_extension("metadata.json");
        if beside.exists() {
            let name = beside.display();
            let read = metadata::read(&beside).map_err(|error| anyhow!("{name}: {error}"))?;
            known.metadata = metadata::merge(iter::once(&read).chain(said), known.source);
        }
        let beside = file.with_extension(kept::HEADERS);
        if matches!(from, Envelope::Auto | Envelope::Webhook) && beside.exists() {
            let headers = fs::read(&beside).map_err(Into::into).and_then(|text| kept::parse(&text));
            let headers = headers.with_context(|| beside.display().to_string())?;
            known.source = Source::Webhook;
            (known.id, known.timestamp) = id_and_timestamp(&headers);
        }
        Ok(known)
    }
}

impl Reader {
    pub(crate) fn new(options: &args::Input, messages: Messages) -> Result<Self> {
        let dead_letter = options.dead_letter.as_deref().map(DeadLetter::open).transpose()?;
        let mut files: Vec<Input> = options.files.iter().flat_map(|file| Input::find(file)).collect();
        if options.files.is_empty() {
            files.push(Input::File(STDIN.into()));
        }
        for file in &files {
            refuse_what_is_written(file.path(), dead_letter.as_ref())?;
        }
        Ok(Self {
            files,
            from: options.from,
            notification_type: options.notification_type.as_deref().map(NotificationType::from),
            said: options.metadata()?,
            dead_letter,
            messages,
            tally: Tally::default(),
        })
    }

    /// Removes files by their paths.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Path) -> bool) {
        self.files.retain(|file| keep(file.path()));
    }

    pub(crate) fn read(mut self, sink: &mut impl Sink) -> Result<Tally> {
        let alone = Known::new(self.from, &self.said);
        for file in mem::take(&mut self.files) {
            if file.path() == Path::new(STDIN) {
                if io::stdin().is_terminal() {
                    self.messages.say("reading what you type, to the end of input (ctrl-D)");
                }
                self.read_file("stdin", io::stdin().lock(), &alone, sink)?;
                continue;
            }
            let name = plain(&file.path().to_string_lossy()).into_owned();
            let known = match &file {
                Input::File(_) => Ok(None),
                Input::InFolder(path) => Known::beside(path, self.from, &self.said).map(Some),
                Input::Folder(_, Ok(())) => {
                    self.messages.say(format_args!("{name}: there is no document in it"));
                    continue;
                }
                Input::Folder(_, Err(error)) => {
                    self.fail(format_args!("{name}: {error}"));
                    continue;
                }
            };
            match (known, File::open(file.path())) {
                (Ok(known), Ok(opened)) => self.read_file(&name, opened, known.as_ref().unwrap_or(&alone), sink)?,
                (Err(error), _) => self.fail(plain(&format!("{error:#}"))),
                (_, Err(error)) => self.fail(format_args!("{name}: {error}")),
            }
        }
        sink.pause()?;
        if let Some(mut letters) = self.dead_letter {
            letters.end_line()?;
        }
        Ok(self.tally)
    }

    fn read_file(&mut self, name: &str, mut file: impl Read, known: &Known, sink: &mut impl Sink) -> Result<()> {
        let (before, takes_anything) = (self.tally.total(), self.takes_anything(known));
        let mut documents = Documents::new();
        loop {
            while let Some(piece) = documents.next() {
                match piece {
                    Piece::Document { text, place, checked } => {
                        let at = At { file: name, place, path: "" };
                        if takes_anything && let Some(records) = opened(&text).filter(|records| carry(records)) {
                            self.records(records, at, sink)?;
                            continue;
                        }
                        match self.decode(text, known) {
                            Ok(delivery) => {
                                self.tally.decoded += 1;
                                sink.delivery(delivery, &at)?;
                            }
                            // There may be a second document on its line.
                            Err(error) if !checked && serde_json::from_slice::<IgnoredAny>(error.body()).is_err() => {
                                documents.put_back(error.body().len(), place);
                            }
                            Err(error) => match opened(error.body()) {
                                Some(records) => self.records(records, at, sink)?,
                                None => {
                                    self.fail(describe(at, &error));
                                    self.bury(error.body())?;
                                }
                            },
                        }
                    }
                    Piece::Array { text, place } => {
                        self.fail(format_args!("{name}:{}: {ARRAY}", place.line));
                        self.bury(text)?;
                    }
                    Piece::Broken { text, at, reason } => {
                        let nor = if std::str::from_utf8(text).is_err() { ", nor is it valid UTF-8" } else { "" };
                        // A text that begins as an array may be a batch.
                        let error = from_any(text).err().filter(|_| !text.starts_with(b"["));
                        let hint = error.as_ref().map(hint).unwrap_or_default();
                        self.fail(format_args!(
                            "{name}:{}:{}: not valid JSON: {reason}{nor}{hint}",
                            at.line, at.column
                        ));
                        self.bury(text)?;
                    }
                    Piece::Rest(text) => {
                        if let Some(letters) = &mut self.dead_letter {
                            letters.write(text)?;
                        }
                    }
                }
            }
            if documents.ended() {
                break;
            }
            sink.pause()?;
            if let Err(error) = documents.fill(&mut file) {
                self.fail(format_args!("{name}: {error}"));
                return Ok(());
            }
        }
        if self.tally.total() == before {
            self.messages.say(format_args!("{name}: there is no document in it"));
        }
        Ok(())
    }

    /// Returns whether any document would be accepted as a delivery, of a new type.
    fn takes_anything(&self, known: &Known) -> bool {
        let in_metadata = known.metadata.get("notificationType").map(NotificationType::from);
        let is_payload = match known.source {
            Source::S3 => true,
            Source::Attributes => !known.metadata.is_empty(),
            _ => false,
        };
        let said = in_metadata.as_ref().or(self.notification_type.as_ref());
        !is_payload && matches!(said, Some(NotificationType::Unknown(_)))
    }

    /// Reads the records of an AWS or Pub/Sub document.
    fn records(&mut self, records: Vec<Record<'_>>, at: At<'_>, sink: &mut impl Sink) -> Result<()> {
        if records.is_empty() {
            self.ignore(format_args!("{at}: there are no records in it"));
        }
        for Record { path, text, inside, .. } in records {
            let at = At { path: &path, ..at };
            match inside {
                Ok(Inside::Delivery(wrapped)) => self.wrapped(wrapped, text, at, sink)?,
                Ok(Inside::Objects(objects)) => {
                    for object in &objects {
                        self.fail(plain(&format!("{at}: {}", fetching(object))));
                    }
                    self.bury(text.as_bytes())?;
                }
                Ok(Inside::Nothing(what)) => self.ignore(format_args!("{at}: ignored: {what} carries no delivery")),
                Err(fault) => {
                    self.fail(format_args!("{at}: {fault}"));
                    self.bury(text.as_bytes())?;
                }
            }
        }
        Ok(())
    }

    /// Reads a delivery from a record. If that fails, the record is kept. If the body holds the same information, the
    /// body is kept instead. Either can be read again.
    fn wrapped(&mut self, wrapped: Wrapped, record: &str, at: At<'_>, sink: &mut impl Sink) -> Result<()> {
        let is_body_alone = wrapped.is_body_alone();
        let Wrapped { body, source, metadata, id, timestamp, .. } = wrapped;
        if ![Source::Bare, source].contains(&self.from.into()) {
            self.fail(format_args!("{at}: the record is not of the envelope that `--from` names: leave `--from` out"));
            return self.bury(record.as_bytes());
        }
        let metadata = metadata::merge(iter::once(&metadata).chain(&self.said), source);
        match self.decode(body.into(), &Known { source, metadata, id, timestamp }) {
            Ok(delivery) => {
                self.tally.decoded += 1;
                sink.delivery(delivery, &at)
            }
            Err(error) => {
                let untold = is_body_alone && source == Source::Attributes;
                let advice = match error.kind() {
                    NormalizeErrorKind::TypeMissing { .. } if untold => NO_ATTRIBUTES,
                    _ => "",
                };
                self.fail(format_args!("{at}: in the body: {}{advice}", reason(&error)));
                self.bury(if is_body_alone { error.body() } else { record.as_bytes() })
            }
        }
    }

    fn decode(&self, text: Cow<'_, [u8]>, known: &Known) -> Result<Delivery, NormalizeError> {
        let mut delivery = from_source(text, known.source, known.metadata.clone(), self.notification_type.as_ref())?;
        let (id, timestamp) = match &mut delivery {
            Delivery::Notification(notification) => (&mut notification.id, &mut notification.timestamp),
            Delivery::Records(records) => (&mut records.id, &mut records.timestamp),
        };
        *id = id.take().or_else(|| known.id.clone());
        *timestamp = timestamp.take().or_else(|| known.timestamp.clone());
        Ok(delivery)
    }

    fn fail(&mut self, why: impl fmt::Display) {
        self.tally.failed += 1;
        self.messages.say(why);
    }

    fn ignore(&mut self, why: impl fmt::Display) {
        self.tally.ignored += 1;
        self.messages.say(why);
    }

    fn bury(&mut self, text: &[u8]) -> Result<()> {
        let Some(letters) = &mut self.dead_letter else { return Ok(()) };
        letters.begin(text)
    }
}

const NO_ATTRIBUTES: &str = "; the message has no attributes, which name the type: ask for them by \
                             `aws sqs receive-message --message-attribute-names All`";

const ARRAY: &str = "an array is no document, but its items may be: `jq -c '.[]'` prints each on a line";

/// Returns the records of an AWS or Pub/Sub document.
fn opened(document: &[u8]) -> Option<Vec<Record<'_>>> {
    records(std::str::from_utf8(document).ok()?)
}

/// Returns whether some records certainly are records, because they have content.
fn carry(records: &[Record<'_>]) -> bool {
    records.iter().any(|record| matches!(record.inside, Ok(Inside::Delivery(_) | Inside::Objects(_))))
}

/// Returns the place of a document and its error.
fn describe(at: At<'_>, error: &NormalizeError) -> String {
    match error.kind() {
        NormalizeErrorKind::Shape { .. } if error.body().starts_with(b"[") => format!("{at}: {ARRAY}"),
        NormalizeErrorKind::NotJson { line, column } => {
            let (file, Place { line, column }) = (at.file, at.place.at(*line, *column));
            let what = if std::str::from_utf8(error.body()).is_err() { "UTF-8" } else { "JSON" };
            format!("{file}:{line}:{column}: not valid {what}{}", hint(error))
        }
        _ => format!("{at}: {}", reason(error)),
    }
}

/// Returns the error of a document, and the option that would help.
fn reason(error: &NormalizeError) -> String {
    let text = match error.kind() {
        problem @ NormalizeErrorKind::TypeMissing { fits, .. } if !fits.is_empty() => {
            format!("{problem} (option --type){}", hint(error))
        }
        _ => error.to_string(),
    };
    plain(&text).into_owned()
}

/// Returns how to fetch an S3 object and read it.
fn fetching(Object { bucket, key, version, .. }: &Object) -> String {
    let version = version.iter().map(|version| format!(" --version-id {}", quoted(version))).collect::<String>();
    format!(
        "S3 sends only the name of an object: bucket `{bucket}`, key `{key}`; fetch it with \
         `aws s3api get-object --bucket {} --key {}{version} object.json > head.json`, \
         then read it with `ampersand decode --from s3 --metadata head.json object.json`",
        quoted(bucket),
        quoted(key)
    )
}

/// Returns a text as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn hint(error: &NormalizeError) -> String {
    error.hint().map(|hint| format!("; {hint}")).unwrap_or_default()
}
