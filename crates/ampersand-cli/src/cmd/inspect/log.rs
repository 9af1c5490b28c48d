//! The log of the page: the last deliveries, in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::memmem::Finder;
use tokio::sync::watch;

use super::arrival::{Arrival, Summary};

/// The log keeps at most this number of deliveries. It drops the oldest first.
const MOST: usize = 10_000;
/// The bodies that the log keeps have at most this number of bytes together.
const MOST_BYTES: usize = 256 << 20;

pub(in crate::cmd) struct Log {
    kept: Mutex<Kept>,
    version: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    /// In order. Their numbers have no gaps.
    entries: VecDeque<Entry>,
    /// The number of the first entry.
    first: u64,
    version: u64,
    bytes: usize,
}

struct Entry {
    /// The version in which it was added or replaced.
    version: u64,
    arrival: Arc<Arrival>,
}

/// The deliveries that were added or replaced after a version.
pub(super) struct News {
    pub(super) version: u64,
    /// The number of the oldest delivery in the log.
    pub(super) first: u64,
    pub(super) changed: Vec<Summary>,
}

impl Log {
    pub(in crate::cmd) fn new() -> Self {
        Self { kept: Mutex::default(), version: watch::Sender::new(0) }
    }

    /// Adds a delivery, and returns its number.
    pub(in crate::cmd) fn add(&self, arrival: Arrival) -> u64 {
        let mut kept = self.kept();
        let number = kept.first + kept.entries.len() as u64;
        kept.version += 1;
        kept.bytes += arrival.body.len();
        let version = kept.version;
        kept.entries.push_back(Entry { version, arrival: Arc::new(arrival) });
        while kept.entries.len() > MOST || (kept.bytes > MOST_BYTES && kept.entries.len() > 1) {
            let oldest = kept.entries.pop_front();
            kept.bytes -= oldest.map_or(0, |oldest| oldest.arrival.body.len());
            kept.first += 1;
        }
        self.version.send_replace(version);
        number
    }

    /// Replaces a delivery, if it is still in the log.
    pub(super) fn put(&self, number: u64, arrival: Arrival) {
        let mut kept = self.kept();
        kept.version += 1;
        let version = kept.version;
        if let Some(entry) = kept.index(number).and_then(|index| kept.entries.get_mut(index)) {
            let (new, old) = (arrival.body.len(), entry.arrival.body.len());
            *entry = Entry { version, arrival: Arc::new(arrival) };
            kept.bytes = kept.bytes + new - old;
        }
        self.version.send_replace(version);
    }

    pub(super) fn get(&self, number: u64) -> Option<Arc<Arrival>> {
        let kept = self.kept();
        kept.index(number).and_then(|index| kept.entries.get(index)).map(|entry| entry.arrival.clone())
    }

    pub(super) fn since(&self, version: u64) -> News {
        let kept = self.kept();
        let (now, first) = (kept.version, kept.first);
        let numbered = kept.entries.iter().zip(first..).filter(|(entry, _)| entry.version > version);
        let changed: Vec<_> = numbered.map(|(entry, number)| (entry.arrival.clone(), number)).collect();
        drop(kept);
        let changed = changed.iter().map(|(arrival, number)| arrival.summary(*number)).collect();
        News { version: now, first, changed }
    }

    /// Returns a receiver that gets each new version.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Returns the numbers of the deliveries whose bodies contain a text. ASCII case is ignored.
    pub(super) fn search(&self, text: &str) -> Vec<u64> {
        let wanted = text.to_ascii_lowercase();
        let finder = Finder::new(&wanted);
        let kept = self.kept();
        let all: Vec<_> = kept.entries.iter().map(|entry| entry.arrival.clone()).zip(kept.first..).collect();
        drop(kept);
        let has = |arrival: &Arrival| finder.find(&arrival.body.to_ascii_lowercase()).is_some();
        all.into_iter().filter(|(arrival, _)| has(arrival)).map(|(_, number)| number).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use jiff::Timestamp;

    use super::super::arrival::{Tone, Verdict};
    use super::*;

    fn arrival(body: impl Into<Bytes>) -> Arrival {
        let verdict = Verdict { tone: Tone::Bad, text: "not JSON".to_owned() };
        let (at, body) = (Timestamp::UNIX_EPOCH, body.into());
        Arrival { at, headers: None, body, delivery: None, verdict, forwarded: None, whole: None }
    }

    fn numbers(news: &News) -> Vec<u64> {
        news.changed.iter().map(|summary| summary.n).collect()
    }

    #[test]
    fn what_changed_is_told_once() {
        let log = Log::new();
        let (first, second) = (log.add(arrival("one")), log.add(arrival("two")));
        let news = log.since(0);
        assert_eq!(numbers(&news), [first, second]);
        log.put(first, arrival("three"));
        assert_eq!(numbers(&log.since(news.version)), [first]);
        assert_eq!(log.get(first).unwrap().body, "three");
    }

    #[test]
    fn the_oldest_make_room() {
        let log = Log::new();
        for _ in 0..MOST + 5 {
            log.add(arrival("x"));
        }
        let news = log.since(0);
        assert_eq!((news.first, news.changed.len()), (5, MOST));
        assert!(log.get(4).is_none() && log.get(5).is_some());

        let large = log.add(arrival(vec![0; MOST_BYTES]));
        assert_eq!(log.since(0).first, large);
        log.put(large, arrival("y"));
        log.add(arrival(vec![0; MOST_BYTES - 1]));
        assert_eq!(log.since(0).first, large);
    }

    #[test]
    fn a_text_is_found_in_bodies() {
        let log = Log::new();
        log.add(arrival(r#"{"groupRef": "Acme"}"#));
        log.add(arrival(r#"{"groupRef": "hooli"}"#));
        assert_eq!(log.search("acme"), [0]);
        assert_eq!(log.search(""), [0, 1]);
    }
}
