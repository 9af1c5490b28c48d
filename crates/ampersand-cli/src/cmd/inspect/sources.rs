//! Reads deliveries for the page from files, folders and an inbox.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use ampersand_inbox::{Entry, Inbox, State, Stored};
use ampersand_notifications::{Delivery, Metadata, Source, Verifier, from_source, from_webhook};
use anyhow::Result;
use jiff::Timestamp;
use tokio::time::sleep;

use super::arrival::{Arrival, Tone, Verdict};
use super::log::Log;
use crate::args;
use crate::kept::{self, Kept};
use crate::output::Messages;
use crate::reader::{At, Reader, Sink};

/// The time before files and inboxes are read again.
const PAUSE: Duration = Duration::from_millis(500);

/// The maximum number of deliveries of an inbox in each state.
const MOST: usize = 5_000;

/// Reads the files, and then new files in the folders, as long as the program runs.
pub(super) fn follow(
    options: &args::Input,
    verifier: Option<&Verifier>,
    log: &Arc<Log>,
    messages: &Messages,
) -> Result<()> {
    let mut seen = HashSet::new();
    loop {
        let mut requests = Vec::new();
        let mut reader = Reader::new(options, messages.clone())?;
        reader.retain(|path| {
            if seen.contains(path) || !is_settled(path) {
                return false;
            }
            seen.insert(path.to_owned());
            let is_request = path.with_extension(kept::HEADERS).is_file();
            if is_request {
                requests.push(path.to_owned());
            }
            !is_request
        });
        for path in requests {
            match request(&path, verifier) {
                Ok(arrival) => drop(log.add(arrival)),
                Err(error) => messages.say(format_args!("{error:#}")),
            }
        }
        reader.read(&mut Shown(log.clone()))?;
        thread::sleep(PAUSE);
    }
}

/// Returns whether a file seems to be complete.
fn is_settled(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|file| file.modified()).ok();
    changed.and_then(|time| time.elapsed().ok()).is_none_or(|age| age > PAUSE / 2)
}

/// Reads a request that `listen --save` stored, and verifies it as of its arrival.
fn request(path: &PathBuf, verifier: Option<&Verifier>) -> Result<Arrival> {
    let Kept { headers, body } = Kept::read(path)?;
    let at = fs::metadata(path).and_then(|file| file.modified()).unwrap_or_else(|_| SystemTime::now());
    let at = Timestamp::try_from(at)?;
    let (read, verified) = match verifier.map(|verifier| verifier.verify_at(&headers, body.as_slice(), at)) {
        None => (from_webhook(body.as_slice()), Verdict { tone: Tone::Fair, text: "not verified".to_owned() }),
        Some(Ok(verified)) => (from_webhook(verified), Verdict { tone: Tone::Good, text: "verified".to_owned() }),
        Some(Err(error)) => (from_webhook(body.as_slice()), Verdict { tone: Tone::Bad, text: error.to_string() }),
    };
    let (delivery, verdict) = match read {
        Ok(delivery) => (Some(Arc::new(delivery)), verified),
        Err(error) => (None, Verdict { tone: Tone::Bad, text: format!("{}; {error}", verified.text) }),
    };
    Ok(Arrival { at, headers: Some(headers), body: body.into(), delivery, verdict, forwarded: None, whole: None })
}

/// Shows deliveries of files that are not requests stored by `listen --save`.
struct Shown(Arc<Log>);

impl Sink for Shown {
    fn delivery(&mut self, delivery: Delivery, at: &At<'_>) -> Result<()> {
        let body = delivery.raw().body().as_bytes().to_vec().into();
        let sent = delivery.timestamp().and_then(|sent| sent.parse().ok());
        self.0.add(Arrival {
            at: sent.unwrap_or_else(Timestamp::now),
            headers: None,
            body,
            delivery: Some(Arc::new(delivery)),
            verdict: Verdict { tone: Tone::Fair, text: at.to_string() },
            forwarded: None,
            whole: None,
        });
        Ok(())
    }

    fn pause(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Shows the deliveries of an inbox, and follows their states.
pub(super) async fn watch(inbox: &Inbox, log: &Log) -> Result<()> {
    const STATES: [State; 4] = [State::Done, State::Dead, State::Claimed, State::Ready];
    let mut seen: HashMap<(String, String), (u64, State, u32)> = HashMap::new();
    loop {
        let mut entries = Vec::new();
        for state in STATES {
            entries.extend(inbox.list(state, MOST).await?);
        }
        entries.sort_by_key(|entry| entry.received);
        for entry in entries {
            let (key, stage) = ((entry.source.clone(), entry.id.clone()), (entry.state, entry.attempts));
            let known = seen.get(&key).copied();
            if known.is_some_and(|(_, state, attempts)| (state, attempts) == stage) {
                continue;
            }
            let Some(stored) = inbox.show(&entry.source, &entry.id).await? else { continue };
            let number = match known {
                Some((number, ..)) => {
                    log.put(number, stored_arrival(stored)?);
                    number
                }
                None => log.add(stored_arrival(stored)?),
            };
            seen.insert(key, (number, stage.0, stage.1));
        }
        sleep(PAUSE).await;
    }
}

fn stored_arrival(Stored { entry, metadata, body, .. }: Stored) -> Result<Arrival> {
    let body = body.unwrap_or_default();
    let at = Timestamp::try_from(entry.received)?;
    let delivery = read(&entry, metadata, &body).map(Arc::new);
    Ok(Arrival {
        at,
        headers: None,
        body: body.into(),
        delivery,
        verdict: verdict(&entry),
        forwarded: None,
        whole: None,
    })
}

fn read(entry: &Entry, metadata: Metadata, body: &[u8]) -> Option<Delivery> {
    // `webhook:eu` is a webhook, too.
    let name = entry.source.split(':').next();
    let source = Source::ALL.iter().find(|source| Some(source.as_str()) == name).copied().unwrap_or(Source::Bare);
    let notification_type = entry.notification_type.as_deref().map(Into::into);
    from_source(body, source, metadata, notification_type.as_ref()).ok()
}

fn verdict(Entry { state, attempts, reason, .. }: &Entry) -> Verdict {
    let tone = match state {
        State::Done => Tone::Good,
        State::Dead => Tone::Bad,
        _ => Tone::Fair,
    };
    let tries = match attempts {
        0 => String::new(),
        1 => ", after 1 attempt".to_owned(),
        many => format!(", after {many} attempts"),
    };
    let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Verdict { tone, text: format!("{}{tries}{reason}", state.as_str()) }
}
