//! Shows and repairs the inbox of `serve`.

use std::borrow::Cow;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ampersand_inbox::{Entry, Inbox, State, Status, Stored};
use ampersand_notifications::Metadata;
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::args::{self, Filter, Named, Place};
use crate::output::{Form, Messages, Output, plain};
use crate::{store, table};

pub(crate) fn run(command: &args::Inbox) -> Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        match command {
            args::Inbox::Status(place) => status(place).await,
            args::Inbox::List { state, most, place } => list((*state).into(), *most, place).await,
            args::Inbox::Show { delivery, body, place } => show(delivery, *body, place).await,
            args::Inbox::Replay { source, id, filter, dry_run, place } => {
                let named = id.clone().map(|id| Named { source: source.clone(), id });
                replay(named.as_ref(), filter, *dry_run, place).await
            }
            args::Inbox::Delete { delivery, place } => delete(delivery, place).await,
            args::Inbox::Prune(place) => prune(place).await,
        }
    })
}

impl Place {
    async fn open(&self) -> Result<(Inbox, Output)> {
        let inbox = store::open_existing(&store::url(self.store.clone(), None)?).await?;
        Ok((inbox, Output::new(self.output.output)))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    ready: u64,
    claimed: u64,
    done: u64,
    dead: u64,
    /// `None` if no delivery is ready.
    oldest_ready_seconds: Option<f64>,
}

async fn status(place: &Place) -> Result<ExitCode> {
    let (inbox, mut output) = place.open().await?;
    let Status { ready, claimed, done, dead, oldest_ready, .. } = inbox.status().await?;
    let counts = Counts { ready, claimed, done, dead, oldest_ready_seconds: oldest_ready.map(|age| age.as_secs_f64()) };
    let oldest = oldest_ready.map(|age| format!(", the oldest for {}", table::age(age))).unwrap_or_default();
    output.line(&counts, format_args!("{ready} ready{oldest}; {claimed} claimed; {done} done; {dead} dead"))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A delivery without its body, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'e> {
    source: &'e str,
    id: &'e str,
    lane: &'e str,
    notification_type: Option<&'e str>,
    state: &'static str,
    attempts: u32,
    reason: Option<&'e str>,
    received: Option<String>,
    due: Option<String>,
    finished: Option<String>,
}

impl<'e> From<&'e Entry> for Shown<'e> {
    fn from(entry: &'e Entry) -> Self {
        let time = |time: SystemTime| Some(format!("{:.3}", jiff::Timestamp::try_from(time).ok()?));
        Self {
            source: &entry.source,
            id: &entry.id,
            lane: &entry.lane,
            notification_type: entry.notification_type.as_deref(),
            state: entry.state.as_str(),
            attempts: entry.attempts,
            reason: entry.reason.as_deref(),
            received: time(entry.received),
            due: entry.due.and_then(time),
            finished: entry.finished.and_then(time),
        }
    }
}

async fn list(state: State, most: usize, place: &Place) -> Result<ExitCode> {
    let (inbox, mut output) = place.open().await?;
    let entries = inbox.list(state, most).await?;
    if place.output.output == Form::Json {
        entries.iter().try_for_each(|entry| output.line(&Shown::from(entry), ""))?;
    } else if entries.is_empty() {
        Messages::default().say(format_args!("no delivery is {}", state.as_str()));
    } else {
        let head = ["AGE", "ATTEMPTS", "SOURCE", "ID", "TYPE", "REASON"].map(str::to_owned);
        let rows: Vec<_> = [head].into_iter().chain(entries.iter().map(row)).collect();
        table::lines(&rows, table::width()).iter().try_for_each(|line| output.raw(line.as_bytes()))?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &Entry) -> [String; 6] {
    let text = |text: Option<&str>| plain(text.unwrap_or("-")).into_owned();
    [
        table::age(since(entry.received)),
        entry.attempts.to_string(),
        text(Some(&entry.source)),
        text(Some(&entry.id)),
        text(entry.notification_type.as_deref()),
        text(entry.reason.as_deref()),
    ]
}

fn since(time: SystemTime) -> Duration {
    SystemTime::now().duration_since(time).unwrap_or_default()
}

/// A delivery with its body, for programs.
#[derive(Serialize)]
struct Whole<'e> {
    #[serde(flatten)]
    entry: Shown<'e>,
    metadata: &'e Metadata,
    /// `None` if it was pruned.
    body: Option<String>,
}

async fn show(named: &Named, only_body: bool, place: &Place) -> Result<ExitCode> {
    let (inbox, mut output) = place.open().await?;
    let Stored { entry, metadata, body, .. } = find(&inbox, named).await?;
    if only_body {
        let Some(body) = body else { bail!("the body was pruned: it is kept for 3 days after the delivery is done") };
        return crate::output::print(&body);
    }
    let text = body.as_deref().map(String::from_utf8_lossy);
    if place.output.output == Form::Json {
        let body = text.map(Cow::into_owned);
        output.line(&Whole { entry: (&entry).into(), metadata: &metadata, body }, "")?;
    } else {
        let mut page = Vec::new();
        for (name, value) in fields(&entry) {
            writeln!(page, "{name:<9} {}", plain(&value))?;
        }
        for (name, value) in metadata.iter() {
            writeln!(page, "{}: {}", plain(name), plain(value))?;
        }
        writeln!(page)?;
        for line in text.as_deref().unwrap_or("(the body was pruned)").lines() {
            writeln!(page, "{}", plain(line))?;
        }
        return crate::output::print(&page);
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the facts about a delivery, by name.
fn fields(entry: &Entry) -> Vec<(&'static str, String)> {
    let time = |time: SystemTime| match jiff::Timestamp::try_from(time) {
        Ok(at) if time <= SystemTime::now() => format!("{at:.0}, {} ago", table::age(since(time))),
        Ok(at) => format!("{at:.0}"),
        Err(_) => "-".to_owned(),
    };
    let fields = [
        ("source", Some(entry.source.clone())),
        ("id", Some(entry.id.clone())),
        ("type", entry.notification_type.clone()),
        ("lane", Some(entry.lane.clone())),
        ("state", Some(entry.state.as_str().to_owned())),
        ("attempts", Some(entry.attempts.to_string())),
        ("reason", entry.reason.clone()),
        ("received", Some(time(entry.received))),
        ("due", entry.due.map(time)),
        ("finished", entry.finished.map(time)),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Returns the delivery that the arguments name. Without a source, it searches every source.
async fn find(inbox: &Inbox, Named { source, id }: &Named) -> Result<Stored> {
    let sources = match source {
        Some(source) => vec![source.clone()],
        None => inbox.sources().await?,
    };
    let mut found = Vec::new();
    for source in &sources {
        found.extend(inbox.show(source, id).await?);
    }
    let of = if sources.is_empty() { "any source".to_owned() } else { sources.join(", ") };
    let (of, id) = (plain(&of), plain(id));
    match (found.pop(), found.is_empty()) {
        (Some(stored), true) => Ok(stored),
        (Some(_), false) => bail!("several sources have a delivery {id}: name one before the id"),
        (None, _) => bail!("no delivery {id} of {of}: `ampersand inbox list` shows sources and ids"),
    }
}

/// The result for a delivery.
#[derive(Serialize)]
struct Became<'e> {
    source: &'e str,
    id: &'e str,
    became: What,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum What {
    Replayed,
    /// It would be replayed without `--dry-run`.
    WouldBeReplayed,
    /// It is not a dead letter, or still cannot be read.
    Unchanged,
    Deleted,
}

impl What {
    fn in_words(self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::WouldBeReplayed => "would be replayed",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
        }
    }
}

fn tell(output: &mut Output, entry: &Entry, became: What) -> Result<()> {
    let Entry { source, id, .. } = entry;
    let sentence = format!("{}  {} {}", became.in_words(), plain(source), plain(id));
    output.line(&Became { source, id, became }, sentence)
}

async fn replay(named: Option<&Named>, filter: &Filter, dry_run: bool, place: &Place) -> Result<ExitCode> {
    let (inbox, output) = place.open().await?;
    let mut output = output.going_on();
    let mut dead: Vec<Entry> = match named {
        None => inbox.list(State::Dead, usize::MAX).await?.into_iter().filter(|entry| filter.takes(entry)).collect(),
        Some(named) => vec![find(&inbox, named).await?.entry],
    };
    let progress = progress("{spinner} {pos} of {len} replayed", dead.len())?;
    let mut unchanged = 0;
    // In their order of arrival, because their lanes continue at once. The list has the latest first.
    dead.reverse();
    dead.sort_by_key(|entry| entry.received);
    for entry in &dead {
        let became = match dry_run {
            true if entry.state == State::Dead => What::WouldBeReplayed,
            false if inbox.replay(&entry.source, &entry.id).await? => What::Replayed,
            _ => What::Unchanged,
        };
        unchanged += usize::from(became == What::Unchanged);
        progress.inc(1);
        progress.suspend(|| tell(&mut output, entry, became).and_then(|()| output.flush()))?;
    }
    progress.finish_and_clear();
    let (changed, verb) = (dead.len() - unchanged, if dry_run { "would be replayed" } else { "replayed" });
    let why = if unchanged > 0 { ": no dead letters, or this version cannot read them" } else { "" };
    Messages::default().say(format_args!("{changed} {verb}, {unchanged} unchanged{why}"));
    Ok(if unchanged == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Filter {
    fn takes(&self, entry: &Entry) -> bool {
        let Self { all: _, notification_type, lane, reason } = self;
        let is = |wanted: &Option<String>, has: Option<&str>| wanted.is_none() || wanted.as_deref() == has;
        is(notification_type, entry.notification_type.as_deref())
            && is(lane, Some(&entry.lane))
            && reason.as_ref().is_none_or(|text| entry.reason.as_ref().is_some_and(|reason| reason.contains(text)))
    }
}

async fn delete(named: &Named, place: &Place) -> Result<ExitCode> {
    let (inbox, mut output) = place.open().await?;
    let Stored { entry, .. } = find(&inbox, named).await?;
    if !inbox.delete(&entry.source, &entry.id).await? {
        bail!("it is {}, and only dead letters can be deleted", entry.state.as_str());
    }
    tell(&mut output, &entry, What::Deleted)?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Pruned {
    pruned: usize,
}

async fn prune(place: &Place) -> Result<ExitCode> {
    let (inbox, mut output) = place.open().await?;
    let progress = progress("{spinner} pruning, for {elapsed}", 0)?;
    let pruned = inbox.prune().await?;
    progress.finish_and_clear();
    output.line(&Pruned { pruned }, format_args!("{pruned} pruned"))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Makes a progress bar, which only a terminal shows.
fn progress(template: &str, of: usize) -> Result<ProgressBar> {
    let bar = ProgressBar::new(of as u64).with_style(ProgressStyle::with_template(template)?);
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar)
}
