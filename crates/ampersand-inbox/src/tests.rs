//! Tests of the store's promises, with a clock that the tests set.

mod clock;
#[cfg(feature = "metrics")]
mod observe;
pub(crate) mod points;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "serve")]
mod serve;
#[cfg(target_os = "linux")]
mod stopped;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ampersand_notifications::Source;
use ampersand_testing::{Envelope, Fixture};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::delivery::{New, of_installation};
use crate::rows::{Claimed, Outcome};
use crate::{Failure, Inbox, InboxError, Incoming, Options, Put, Retry, State, sqlite};

const LEASE: i64 = 1000;
const SOON: Duration = Duration::from_millis(20);

fn body(installation: &str) -> Vec<u8> {
    Fixture::new("installation.deleted").set("installationId", installation).send(Envelope::Webhook).body
}

fn new(id: &str, lane: &str) -> New {
    New::read("webhook".to_owned(), id, &Default::default(), body(lane).into(), of_installation)
}

fn store() -> (TempDir, Connection) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut connection = Connection::open(folder.path().join("inbox.db")).expect("a file");
    assert_eq!(sqlite::open(&mut connection, &sqlite::MIGRATIONS).expect("a store"), sqlite::SCHEMA_VERSION);
    // These tests do not simulate a power failure.
    connection.pragma_update(None, "synchronous", "OFF").expect("a pragma");
    (folder, connection)
}

fn put(connection: &Connection, id: &str, lane: &str, now: i64) -> Put {
    sqlite::insert(connection, &new(id, lane), now, None).expect("an insert")
}

fn claim(connection: &Connection, count: usize, now: i64) -> Vec<Claimed> {
    sqlite::claim(connection, count, now, LEASE).expect("a claim")
}

fn ids(claimed: &[Claimed]) -> Vec<&str> {
    claimed.iter().map(|one| one.id.as_str()).collect()
}

fn finish(connection: &Connection, claimed: &Claimed, outcome: &Outcome, now: i64) -> bool {
    sqlite::finish(connection, claimed.seq, claimed.token, outcome, now).expect("an update")
}

fn replay(connection: &Connection, id: &str) -> bool {
    let dead =
        sqlite::find(connection, "webhook", id).expect("a delivery").and_then(|dead| dead.reread(of_installation));
    dead.is_some_and(|(_, new)| sqlite::replay(connection, &new).expect("an update"))
}

#[test]
fn a_lane_gives_one_at_a_time_in_order_of_arrival() {
    let (_folder, store) = store();
    for (id, lane) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")] {
        assert_eq!(put(&store, id, lane, 0), Put::Stored);
    }
    assert_eq!(put(&store, "a1", "b", 0), Put::Duplicate, "whatever is in it");

    let first = claim(&store, 10, 1);
    assert_eq!(ids(&first), ["a1", "b1"]);
    assert!(claim(&store, 10, 2).is_empty());
    // A retried delivery keeps its place.
    assert!(finish(&store, &first[0], &Outcome::Retry { pause: 47, reason: "r".to_owned() }, 3));
    assert!(claim(&store, 10, 49).is_empty());
    let again = claim(&store, 10, 50);
    assert_eq!((ids(&again), again[0].attempt), (vec!["a1"], 2));
    // A dead letter leaves its lane.
    assert!(finish(&store, &again[0], &Outcome::Dead { reason: "r".to_owned(), blocks: false }, 51));
    assert_eq!(ids(&claim(&store, 10, 52)), ["a2"]);
}

#[test]
fn a_claim_that_was_lost_ends_nothing() {
    let (_folder, store) = store();
    assert_eq!(put(&store, "a", "a", 0), Put::Stored);
    let lost = claim(&store, 1, 0).remove(0);
    assert!(claim(&store, 1, LEASE - 1).is_empty(), "the lease holds");
    let held = claim(&store, 1, LEASE).remove(0);
    assert_eq!(held.attempt, 2);
    for outcome in [Outcome::Done, Outcome::Dead { reason: String::new(), blocks: false }, Outcome::Released] {
        assert!(!finish(&store, &lost, &outcome, LEASE));
    }
    assert!(!sqlite::renew(&store, lost.seq, lost.token, 9 * LEASE).expect("an update"));
    assert!(sqlite::renew(&store, held.seq, held.token, 9 * LEASE).expect("an update"));
    assert!(claim(&store, 1, 3 * LEASE).is_empty(), "the lease was renewed");
    assert!(finish(&store, &held, &Outcome::Done, 3 * LEASE));
    assert!(!finish(&store, &held, &Outcome::Dead { reason: String::new(), blocks: false }, 3 * LEASE), "it is done");
}

#[test]
fn a_dead_letter_is_replayed_in_its_place() {
    let (_folder, store) = store();
    for id in ["a1", "a2", "a3"] {
        assert_eq!(put(&store, id, "a", 0), Put::Stored);
    }
    let dead = claim(&store, 1, 0).remove(0);
    finish(&store, &dead, &Outcome::Dead { reason: "r".to_owned(), blocks: false }, 1);
    assert_eq!(sqlite::list(&store, State::Dead, 9).expect("a list")[0].reason.as_deref(), Some("r"));
    // While the next delivery is claimed, the replayed one waits.
    let second = claim(&store, 1, 2).remove(0);
    assert!(replay(&store, "a1"));
    assert!(claim(&store, 9, 3).is_empty());
    finish(&store, &second, &Outcome::Done, 4);
    let replayed = claim(&store, 9, 4);
    assert_eq!((ids(&replayed), replayed[0].attempt), (vec!["a1"], 1));
    assert!(!replay(&store, "a1"), "it is no dead letter any more");
}

#[test]
fn what_is_done_is_dropped_in_time_and_nothing_else() {
    let (_folder, store) = store();
    for (id, outcome) in [("done", Outcome::Done), ("dead", Outcome::Dead { reason: String::new(), blocks: false })] {
        assert_eq!(put(&store, id, id, 0), Put::Stored);
        let claimed = claim(&store, 1, 0).remove(0);
        finish(&store, &claimed, &outcome, 10);
    }
    assert_eq!(put(&store, "ready", "ready", 0), Put::Stored);
    assert_eq!(sqlite::prune(&store, 10, 10, 9).expect("a prune"), 0);
    assert_eq!(sqlite::prune(&store, 11, 10, 9).expect("a prune"), 1, "the body");
    assert_eq!(put(&store, "done", "done", 20), Put::Duplicate);
    assert_eq!(sqlite::prune(&store, 11, 11, 9).expect("a prune"), 1, "the row");
    assert_eq!(put(&store, "done", "done", 20), Put::Stored);
    let status = sqlite::status(&store, 20).expect("a status");
    assert_eq!((status.ready, status.dead, status.done), (2, 1, 0));
}

#[test]
fn tables_are_brought_to_the_last_version_and_keep_what_is_in_them() {
    let (_folder, mut store) = store();
    assert_eq!(put(&store, "a", "a", 0), Put::Stored);
    let later = [sqlite::MIGRATIONS[0], "ALTER TABLE delivery ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'"];
    for _ in 0..2 {
        assert_eq!(sqlite::open(&mut store, &later).expect("a store"), 2);
    }
    let colour = store.query_row("SELECT id || colour FROM delivery", [], |row| row.get::<_, String>(0));
    assert_eq!(colour.as_deref(), Ok("ared"));
    assert_eq!(sqlite::open(&mut store, &sqlite::MIGRATIONS).expect("a version"), 2, "it is not made older");
}

/// An operation of the model test.
#[derive(Clone, Debug)]
enum Step {
    Put { id: u8, lane: u8 },
    Claim { count: usize },
    Finish { which: usize, end: u8 },
    Renew { which: usize },
    Replay { id: u8 },
    Delete { id: u8 },
    Wait { milliseconds: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u8..12, 0_u8..3).prop_map(|(id, lane)| Step::Put { id, lane }),
        (1_usize..4).prop_map(|count| Step::Claim { count }),
        (0_usize..6, 0_u8..5).prop_map(|(which, end)| Step::Finish { which, end }),
        (0_usize..6).prop_map(|which| Step::Renew { which }),
        (0_u8..12).prop_map(|id| Step::Replay { id }),
        (0_u8..12).prop_map(|id| Step::Delete { id }),
        (1_i64..2 * LEASE).prop_map(|milliseconds| Step::Wait { milliseconds }),
    ];
    proptest::collection::vec(step, 1..60)
}

/// The simple model of a delivery.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    order: usize,
    lane: u8,
    state: &'static str,
    due: i64,
    token: i64,
}

thread_local! {
    /// The guard to remove from every statement, and its replacement, which guards nothing.
    pub(crate) static REMOVED: Cell<Option<(&'static str, &'static str)>> = const { Cell::new(None) };
}

/// A store to compare with the model, with the model's time.
trait Modelled {
    /// Whether to renew or finish a handled delivery again also returns true.
    const IS_TOLD_AGAIN: bool;

    fn put(&self, new: New, now: i64) -> Put;
    fn claim(&self, count: usize, now: i64) -> Vec<Claimed>;
    fn finish(&self, claimed: &Claimed, outcome: &Outcome, now: i64) -> bool;
    fn renew(&self, claimed: &Claimed, now: i64) -> bool;
    /// Replays a dead letter. Returns false if the store does not have it.
    fn replay(&self, id: &str) -> bool;
    /// Deletes a dead letter. Returns false if the store does not have it.
    fn delete(&self, id: &str) -> bool;
    fn wait(&self, milliseconds: i64);
}

impl Modelled for (TempDir, Connection) {
    const IS_TOLD_AGAIN: bool = false;

    fn put(&self, new: New, now: i64) -> Put {
        sqlite::insert(&self.1, &new, now, None).expect("an insert")
    }

    fn claim(&self, count: usize, now: i64) -> Vec<Claimed> {
        claim(&self.1, count, now)
    }

    fn finish(&self, claimed: &Claimed, outcome: &Outcome, now: i64) -> bool {
        finish(&self.1, claimed, outcome, now)
    }

    fn renew(&self, claimed: &Claimed, now: i64) -> bool {
        sqlite::renew(&self.1, claimed.seq, claimed.token, now + LEASE).expect("an update")
    }

    fn replay(&self, id: &str) -> bool {
        replay(&self.1, id)
    }

    fn delete(&self, id: &str) -> bool {
        sqlite::delete(&self.1, "webhook", id).expect("an update")
    }

    fn wait(&self, _: i64) {}
}

/// Runs steps on a store and on the model, and reports the first difference.
fn agrees<S: Modelled>(store: &S, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (mut model, mut now, mut puts) = (BTreeMap::<String, Known>::new(), 0_i64, 0);
    // All claims ever made, also those that were lost.
    let mut claims: Vec<Claimed> = Vec::new();
    for step in steps {
        match step {
            Step::Put { id, lane } => {
                let id = format!("d{id}");
                let inserted = store.put(new(&id, &format!("lane{lane}")), now);
                prop_assert_eq!(inserted == Put::Duplicate, model.contains_key(&id));
                puts += 1;
                let known = Known { order: puts, lane, state: "ready", due: now, token: 0 };
                model.entry(id).or_insert(known);
            }
            Step::Claim { count } => {
                // The head of each lane: the claimed or blocking delivery, or else the first, if it is due.
                let mut heads = BTreeMap::<u8, (&String, &Known)>::new();
                for (id, known) in &model {
                    let is_open = ["ready", "claimed", "blocking"].contains(&known.state);
                    let rank = |known: &Known| (known.state == "ready", known.order);
                    if is_open && heads.get(&known.lane).is_none_or(|(_, head)| rank(known) < rank(head)) {
                        heads.insert(known.lane, (id, known));
                    }
                }
                let due: BTreeSet<String> =
                    heads.values().filter(|(_, head)| head.due <= now).map(|(id, _)| (*id).clone()).collect();
                let claimed = store.claim(count, now);
                prop_assert_eq!(claimed.len(), due.len().min(count));
                for one in claimed {
                    prop_assert!(due.contains(&one.id), "{} is not due", one.id);
                    if let Some(known) = model.get_mut(&one.id) {
                        prop_assert_ne!(one.token, known.token);
                        (known.state, known.due, known.token) = ("claimed", now + LEASE, one.token);
                    }
                    claims.push(one);
                }
            }
            Step::Finish { which, end } => {
                let Some(claimed) = claims.get(which) else { continue };
                let due = now + 100;
                let outcome = match end {
                    0 => Outcome::Done,
                    1 | 4 => Outcome::Dead { reason: String::new(), blocks: end == 4 },
                    2 => Outcome::Retry { pause: 100, reason: String::new() },
                    _ => Outcome::Released,
                };
                let (mut gone, known) = (Known::default(), model.get_mut(&claimed.id));
                let known = known.unwrap_or(&mut gone);
                let holds = known.state == "claimed" && known.token == claimed.token;
                let is_done = (known.state, known.token, end) == ("done", claimed.token, 0);
                prop_assert_eq!(store.finish(claimed, &outcome, now), holds || (S::IS_TOLD_AGAIN && is_done));
                if holds {
                    (known.state, known.due) = match end {
                        0 => ("done", now),
                        1 => ("dead", now),
                        2 => ("ready", due),
                        3 => ("ready", now),
                        _ => ("blocking", i64::MAX),
                    };
                }
            }
            Step::Renew { which } => {
                let Some(claimed) = claims.get(which) else { continue };
                let (mut gone, known) = (Known::default(), model.get_mut(&claimed.id));
                let known = known.unwrap_or(&mut gone);
                let holds = known.state == "claimed" && known.token == claimed.token;
                let is_done = (known.state, known.token) == ("done", claimed.token);
                prop_assert_eq!(store.renew(claimed, now), holds || (S::IS_TOLD_AGAIN && is_done));
                if holds {
                    known.due = now + LEASE;
                }
            }
            Step::Replay { id } => {
                let id = format!("d{id}");
                let known = model.get_mut(&id);
                let is_dead = known.as_ref().is_some_and(|known| known.state == "dead" || known.state == "blocking");
                prop_assert_eq!(store.replay(&id), is_dead);
                if let Some(known) = known.filter(|_| is_dead) {
                    (known.state, known.due) = ("ready", now);
                }
            }
            Step::Delete { id } => {
                let id = format!("d{id}");
                let is_dead = model.get(&id).is_some_and(|known| known.state == "dead" || known.state == "blocking");
                prop_assert_eq!(store.delete(&id), is_dead);
                if is_dead {
                    model.remove(&id);
                }
            }
            Step::Wait { milliseconds } => {
                store.wait(milliseconds);
                now += milliseconds;
            }
        }
    }
    Ok(())
}

/// Runs random steps on new stores; they are the same in each run.
fn try_steps<S: Modelled>(cases: u32, store: impl Fn() -> S) -> Result<(), TestError<Vec<Step>>> {
    let config = ProptestConfig { failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::with_cases(cases) };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner.run(&steps(), |steps| agrees(&store(), steps))
}

#[test]
fn the_store_does_what_a_simple_model_does() {
    try_steps(300, store).expect("they agree");
}

#[test]
fn each_guard_is_needed() {
    for (guard, nothing) in [
        ("AND token = :token", "AND :token IS NOT NULL"),
        ("AND token = ?2", "AND ?2 IS NOT NULL"),
        ("AND state = 'claimed'", ""),
        ("AND state = 'dead'", ""),
        ("AND due <= ?1", "AND ?1 IS NOT NULL"),
        ("head = 1 AND", ""),
        ("AND id = ?2", "AND ?2 IS NOT NULL"),
    ] {
        REMOVED.set(Some((guard, nothing)));
        let tried = try_steps(300, store);
        REMOVED.set(None);
        assert!(tried.is_err(), "nothing misses `{guard}`");
    }
}

struct Clocked {
    inbox: Inbox,
    now: Arc<AtomicI64>,
    _folder: TempDir,
}

async fn clocked(options: Options) -> Clocked {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("inbox.db").display());
    let now = Arc::new(AtomicI64::new(1_000_000));
    let read = now.clone();
    let clock = Arc::new(move || read.load(Ordering::SeqCst));
    let inbox = Inbox::open_at(&url, options, clock).await.expect("an inbox");
    Clocked { inbox, now, _folder: folder }
}

/// Runs a worker until no delivery is ready or claimed.
async fn work<F>(inbox: &Inbox, retry: Retry, handler: impl Fn(Incoming) -> F + Send + Sync + 'static)
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let watched = inbox.clone();
    let idle = async move {
        while watched.status().await.is_ok_and(|status| status.ready + status.claimed > 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    inbox.worker().retry(retry).until(idle).run(handler).await.expect("work");
}

/// Tests for both stores. The file uses the system clock.
macro_rules! in_both {
    ($($test:ident)*) => {
        mod in_a_file {
            $(#[tokio::test]
            async fn $test() {
                let folder = tempfile::tempdir().expect("a folder");
                let url = format!("sqlite:{}", folder.path().join("inbox.db").display());
                super::$test(&crate::Inbox::open(&url).await.expect("an inbox")).await;
            })*
        }

        #[cfg(feature = "postgres")]
        mod in_postgres {
            $(#[tokio::test]
            #[ignore = "run by cargo xtask peers"]
            async fn $test() {
                super::$test(&crate::Inbox::open(&super::postgres::database().await).await.expect("an inbox")).await;
            })*
        }
    };
}

in_both! {
    a_delivery_is_handled_and_a_repeat_is_not
    a_failure_is_tried_again_until_it_is_given_up
    what_cannot_be_read_is_a_dead_letter
    large_bodies_come_back_as_they_came
    a_claim_is_renewed_while_the_handler_runs
    an_id_is_kept_at_least_as_long_as_its_body
    text_of_any_kind_is_stored
}

async fn a_delivery_is_handled_and_a_repeat_is_not(inbox: &Inbox) {
    for expected in [Put::Stored, Put::Duplicate] {
        assert_eq!(inbox.put(Source::Webhook, "evt_1", &body("n")).await, Ok(expected));
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = seen.clone();
    let handler = move |incoming: Incoming| {
        keep.lock().expect("a lock").push((incoming.id, incoming.attempt, incoming.delivery.raw().body().to_owned()));
        std::future::ready(Ok(()))
    };
    work(inbox, Retry::default(), handler).await;
    let expected = (String::from("evt_1"), 1, String::from_utf8(body("n")).expect("text"));
    assert_eq!(*seen.lock().expect("a lock"), [expected]);
    assert_eq!(inbox.put(Source::Webhook, "evt_1", b"{}").await, Ok(Put::Duplicate), "whatever the body");
    assert_eq!(inbox.put(Source::Kinesis, "evt_1", &body("n")).await, Ok(Put::Stored), "from another source");
    assert_eq!(inbox.endpoint("eu").put(Source::Webhook, "evt_1", &body("n")).await, Ok(Put::Stored));
    assert_eq!(inbox.sources().await.expect("sources"), ["kinesis", "webhook", "webhook:eu"]);
}

async fn a_failure_is_tried_again_until_it_is_given_up(inbox: &Inbox) {
    for (id, lane) in [("error", "a"), ("permanent", "b"), ("panic", "c")] {
        assert_eq!(inbox.put(Source::Webhook, id, &body(lane)).await, Ok(Put::Stored));
    }
    let retry = Retry { attempts: 3, first: Duration::ZERO, ..Retry::default() };
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    work(inbox, retry, move |incoming| {
        let count = count.clone();
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            match incoming.id.as_str() {
                "error" => Err(std::io::Error::other("no route"))?,
                "permanent" => Err(Failure::permanent("no such customer")),
                _ => panic!("a fault of the handler"),
            }
        }
    })
    .await;
    assert_eq!(calls.load(Ordering::SeqCst), 3 + 1 + 3);
    let dead = inbox.list(State::Dead, 9).await.expect("a list");
    let told: BTreeSet<(&str, u32, &str)> =
        dead.iter().map(|one| (one.id.as_str(), one.attempts, one.reason.as_deref().unwrap_or_default())).collect();
    let expected =
        [("error", 3, "no route"), ("permanent", 1, "no such customer"), ("panic", 3, "the handler panicked")];
    assert_eq!(told, BTreeSet::from(expected));

    assert_eq!(inbox.replay("webhook", "error").await, Ok(true));
    assert_eq!(inbox.replay("webhook", "error").await, Ok(false), "it is no dead letter any more");
    assert_eq!(inbox.delete("webhook", "panic").await, Ok(true));
    work(inbox, Retry::default(), |_| std::future::ready(Ok(()))).await;
    assert_eq!(inbox.list(State::Dead, 9).await.expect("a list").len(), 1);
}

#[tokio::test]
async fn a_handler_that_kills_the_process_ends_as_a_dead_letter() {
    let Clocked { inbox, now, _folder } = clocked(Options::default()).await;
    assert_eq!(inbox.put(Source::Webhook, "killer", &body("a")).await, Ok(Put::Stored));
    for _ in 0..2 {
        // A worker claims it and vanishes.
        let claimed = inbox.store.claim(1, LEASE).await;
        assert_eq!(claimed.expect("a claim").len(), 1);
        now.fetch_add(LEASE, Ordering::SeqCst);
    }
    let retry = Retry { attempts: 2, ..Retry::default() };
    work(&inbox, retry, |_| async { unreachable!("it is not tried again") }).await;
    let dead = inbox.list(State::Dead, 1).await.expect("a list");
    assert_eq!(dead[0].reason.as_deref(), Some("the process ended, or lost its claim, at each attempt"));
}

async fn a_claim_is_renewed_while_the_handler_runs(inbox: &Inbox) {
    assert_eq!(inbox.put(Source::Webhook, "slow", &body("a")).await, Ok(Put::Stored));
    let calls = Arc::new(AtomicUsize::new(0));
    let handler = |calls: Arc<AtomicUsize>| {
        move |_| {
            let calls = calls.clone();
            async move {
                calls.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(600)).await;
                Ok(())
            }
        }
    };
    let worker =
        || inbox.worker().lease(Duration::from_millis(150)).until(tokio::time::sleep(Duration::from_millis(700)));
    let (one, other) = tokio::join!(worker().run(handler(calls.clone())), worker().run(handler(calls.clone())));
    assert_eq!((one, other, calls.load(Ordering::SeqCst)), (Ok(()), Ok(()), 1));
    assert_eq!(inbox.status().await.expect("a status").done, 1);
}

async fn an_id_is_kept_at_least_as_long_as_its_body(inbox: &Inbox) {
    let mut inbox = inbox.clone();
    inbox.options = Options { keep_bodies: Duration::from_secs(60), keep_ids: Duration::ZERO, ..Options::default() };
    assert_eq!(inbox.put(Source::Webhook, "evt_1", &body("n")).await, Ok(Put::Stored));
    work(&inbox, Retry::default(), |_| std::future::ready(Ok(()))).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(inbox.prune().await, Ok(0));
    assert_eq!(inbox.put(Source::Webhook, "evt_1", &body("n")).await, Ok(Put::Duplicate));
}

async fn effects(inbox: &Inbox) -> Vec<String> {
    let list = |connection: &Connection, _| {
        let mut list = connection.prepare("SELECT id FROM effect ORDER BY rowid")?;
        list.query_map([], |row| row.get(0))?.collect()
    };
    inbox.store.file().expect("a file").write(list).await.expect("a list")
}

#[tokio::test]
async fn effects_in_the_transaction_and_the_end_of_the_delivery_are_one() {
    let Clocked { inbox, _folder, .. } = clocked(Options::default()).await;
    let table = |connection: &Connection, _| connection.execute_batch("CREATE TABLE effect (id TEXT PRIMARY KEY)");
    inbox.store.file().expect("a file").write(table).await.expect("a table");
    for id in ["good", "twice", "panic", "permanent", "ends", "undoes", "half", "ours"] {
        assert_eq!(inbox.put(Source::Webhook, id, &body(id)).await, Ok(Put::Stored));
    }
    let (watched, retry) = (inbox.clone(), Retry { attempts: 2, first: Duration::ZERO, ..Retry::default() });
    let idle = async move {
        while watched.status().await.is_ok_and(|status| status.ready + status.claimed > 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let worker = inbox.worker().retry(retry).until(idle);
    let handler = |incoming: &Incoming, connection: &Connection| {
        connection.execute("INSERT INTO effect VALUES (?1)", [&incoming.id])?;
        match (incoming.id.as_str(), incoming.attempt) {
            ("twice", 1) => Err(Failure::transient("not yet")),
            ("panic", _) => panic!("a fault of the handler"),
            ("permanent", _) => Err(Failure::permanent("no such customer")),
            ("ends", _) => Ok(connection.execute_batch("COMMIT")?),
            ("undoes", _) => Ok(connection.execute_batch("ROLLBACK")?),
            ("half", 1) => {
                connection.execute_batch("SAVEPOINT handler; INSERT INTO effect VALUES ('inner')")?;
                Err(Failure::transient("not yet"))
            }
            ("half", _) => Ok(connection.execute("INSERT INTO effect VALUES ('again')", []).map(drop)?),
            ("ours", _) => Ok(connection.execute_batch("ROLLBACK TO Ampersand_Inbox")?),
            _ => Ok(connection.execute_batch("SAVEPOINT mine; RELEASE mine")?),
        }
    };
    worker.in_transaction(handler).await.expect("work");
    let effects = BTreeSet::from_iter(effects(&inbox).await);
    assert_eq!(
        effects,
        BTreeSet::from(["again", "good", "half", "twice"].map(str::to_owned)),
        "what failed left nothing"
    );
    let dead: BTreeSet<String> =
        inbox.list(State::Dead, 9).await.expect("a list").into_iter().filter_map(|one| one.reason).collect();
    assert_eq!(
        dead,
        BTreeSet::from(
            ["no such customer", "not authorized: Error code 23: authorization denied", "the handler panicked"]
                .map(str::to_owned)
        )
    );
}

#[tokio::test]
async fn a_handler_that_undoes_the_transaction_of_others_ends_as_a_dead_letter() {
    let Clocked { inbox, _folder, .. } = clocked(Options::default()).await;
    let tables = "CREATE TABLE effect (id TEXT PRIMARY KEY);
        CREATE TABLE child (parent TEXT REFERENCES effect DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO effect VALUES ('taken')";
    let tables = |connection: &Connection, _| connection.execute_batch(tables);
    inbox.store.file().expect("a file").write(tables).await.expect("tables");
    for id in (0..30).map(|number| format!("{number}")) {
        assert_eq!(inbox.put(Source::Webhook, &id, &body(&id)).await, Ok(Put::Stored));
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let handler = move |incoming: &Incoming, connection: &Connection| {
        count.fetch_add(usize::from(["7", "13"].contains(&&*incoming.id)), Ordering::SeqCst);
        let statement = match incoming.id.as_str() {
            "7" => "INSERT INTO child VALUES (?1)",
            "13" => "INSERT OR ROLLBACK INTO effect SELECT 'taken' WHERE ?1 <> ''",
            _ => "INSERT INTO effect VALUES (?1)",
        };
        Ok(connection.execute(statement, [&incoming.id]).map(drop)?)
    };
    let (watched, retry) = (inbox.clone(), Retry { attempts: 2, first: Duration::ZERO, ..Retry::default() });
    let idle = async move {
        while watched.status().await.is_ok_and(|status| status.ready + status.claimed > 0) {
            tokio::time::sleep(SOON).await;
        }
    };
    assert_eq!(inbox.worker().retry(retry).until(idle).in_transaction(handler).await, Ok(()));
    assert_eq!(effects(&inbox).await.len(), 1 + 28);
    let dead = inbox.list(State::Dead, 9).await.expect("a list");
    let dead: BTreeSet<&str> = dead.iter().map(|dead| dead.id.as_str()).collect();
    assert_eq!(dead, BTreeSet::from(["7", "13"]));
    let calls = calls.load(Ordering::SeqCst);
    assert!(calls <= 2 * 4, "{calls}: once with others, and twice alone");
}

/// Two processes of one file may have opened it at other times of day.
#[tokio::test]
async fn what_one_process_replays_is_due_for_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("inbox.db").display());
    let open = async |now| Inbox::open_at(&url, Options::default(), Arc::new(move || now)).await.expect("an inbox");
    let (early, late) = (open(1000).await, open(9999).await);
    assert_eq!(early.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Stored));
    let claimed = early.store.claim(1, LEASE).await.expect("a claim").remove(0);
    let dead = Outcome::Dead { reason: String::new(), blocks: false };
    assert_eq!(early.store.finish(claimed.seq, claimed.token, dead).await, Ok(true));
    assert_eq!(late.replay("webhook", "a").await, Ok(true));
    assert_eq!(ids(&early.store.claim(1, LEASE).await.expect("a claim")), ["a"]);
}

#[tokio::test]
async fn nobody_waits_for_a_locked_file_longer_than_the_first() {
    let Clocked { inbox, _folder, .. } = clocked(Options::default()).await;
    let mut other = Connection::open(_folder.path().join("inbox.db")).expect("the file");
    let lock = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("a lock");
    let put = |number| {
        let inbox = inbox.clone();
        tokio::spawn(async move { inbox.put(Source::Webhook, &format!("{number}"), &body("a")).await })
    };
    let begun = Instant::now();
    for put in (0..300).map(put).collect::<Vec<_>>() {
        assert_eq!(put.await.expect("a result"), Err(InboxError::Locked));
    }
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}, of which the first waits 5 s", begun.elapsed());
    drop(lock);
    assert_eq!(inbox.put(Source::Webhook, "after", &body("a")).await, Ok(Put::Stored));
}

/// A file gives the number of a deleted delivery to the next one.
#[cfg(feature = "resolve")]
#[tokio::test]
async fn who_lost_the_claim_keeps_no_downloads() {
    let Clocked { inbox, _folder, .. } = clocked(Options::default()).await;
    assert_eq!(inbox.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Stored));
    let lost = inbox.store.claim(1, LEASE).await.expect("a claim").remove(0);
    let dead = Outcome::Dead { reason: String::new(), blocks: false };
    assert_eq!(inbox.store.finish(lost.seq, lost.token, dead).await, Ok(true));
    assert_eq!(inbox.delete("webhook", "a").await, Ok(true));
    assert_eq!(inbox.put(Source::Webhook, "b", &body("b")).await, Ok(Put::Stored));
    for (kept, expected) in [("old", None), ("new", Some(b"new".to_vec()))] {
        let held = inbox.store.claim(1, 0).await.expect("a claim").remove(0);
        assert_eq!(held.seq, lost.seq);
        let token = if kept == "old" { lost.token } else { held.token };
        inbox.store.keep(held.seq, token, kept.into()).await.expect("an update");
        let held = inbox.store.claim(1, 0).await.expect("a claim").remove(0);
        assert_eq!(held.resolved, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_released_once_its_handler_has_stopped() {
    static HAS_ENDED: AtomicBool = AtomicBool::new(false);
    let Clocked { inbox, _folder, .. } = clocked(Options::default()).await;
    assert_eq!(inbox.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Stored));
    let begun = Arc::new(tokio::sync::Notify::new());
    let begins = begun.clone();
    let mut worker = inbox.worker().until(async move { begun.notified().await });
    worker.grace = SOON;
    let blocks = move |_| {
        let begins = begins.clone();
        async move {
            begins.notify_one();
            std::thread::sleep(Duration::from_millis(500));
            HAS_ENDED.store(true, Ordering::SeqCst);
            std::future::pending().await
        }
    };
    assert_eq!(worker.run(blocks).await, Ok(()));
    assert!(HAS_ENDED.load(Ordering::SeqCst));
    let again = inbox.store.claim(1, LEASE).await.expect("a claim");
    assert_eq!((ids(&again), again[0].attempt), (vec!["a"], 1), "the attempt does not count");
}

#[tokio::test]
async fn a_lane_that_panics_does_not_end_the_store() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let lane =
        |_: &_| (CALLS.fetch_add(1, Ordering::SeqCst) != 1).then(|| "a".to_owned()).or_else(|| panic!("a fault"));
    let Clocked { inbox, _folder, .. } = clocked(Options { lane, ..Options::default() }).await;
    assert_eq!(inbox.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Stored));
    work(&inbox, Retry::default(), |_| std::future::ready(Err(Failure::permanent("no such customer")))).await;
    let replayed = inbox.clone();
    assert!(tokio::spawn(async move { replayed.replay("webhook", "a").await }).await.is_err());
    assert_eq!(inbox.replay("webhook", "a").await, Ok(true));
}

async fn text_of_any_kind_is_stored(inbox: &Inbox) {
    let mut inbox = inbox.clone();
    inbox.options.lane = |_| Some("a\0".repeat(5000));
    assert_eq!(inbox.put(Source::Webhook, "evt_1", &body("n")).await, Ok(Put::Stored));
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let handler = move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err(Failure::permanent("no customer \0")))
    };
    tokio::time::timeout(Duration::from_secs(9), work(&inbox, Retry::default(), handler)).await.expect("an end");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let dead = inbox.list(State::Dead, 9).await.expect("a list").remove(0);
    assert_eq!((dead.lane, dead.reason.as_deref()), ("a\u{fffd}".repeat(128), Some("no customer \u{fffd}")));
}

#[tokio::test]
async fn who_lost_the_claim_applies_nothing() {
    let Clocked { inbox, now, _folder } = clocked(Options::default()).await;
    let table = |connection: &Connection, _| connection.execute_batch("CREATE TABLE effect (id TEXT)");
    inbox.store.file().expect("a file").write(table).await.expect("a table");
    assert_eq!(inbox.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Stored));
    // The transaction waits until the first claim's lease has ended and another worker has the delivery.
    let first = inbox.store.claim(1, LEASE).await.expect("a claim");
    now.fetch_add(LEASE, Ordering::SeqCst);
    let second = inbox.store.claim(1, LEASE).await.expect("a claim");
    for (claimed, holds) in [(&first[0], false), (&second[0], true), (&second[0], false)] {
        let (seq, token) = (claimed.seq, claimed.token);
        let apply = move |connection: &Connection, now| {
            let effect = || Ok(connection.execute("INSERT INTO effect VALUES ('a')", []).map(drop)?);
            sqlite::apply(connection, seq, token, now, effect)
        };
        let applied = inbox.store.file().expect("a file").write(apply).await.expect("an update");
        assert_eq!(applied.ok(), Some(holds));
    }
    assert_eq!(effects(&inbox).await, ["a"]);
}

#[tokio::test]
async fn what_cannot_be_stored_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    for (given, expected) in [
        ("inbox.db", InboxError::Url("inbox.db".to_owned())),
        ("sqlite:", InboxError::Url("sqlite:".to_owned())),
        ("redis://ada:secret@host/0", InboxError::Url("redis://…@host/0".to_owned())),
        ("redis://host/0?password=secret", InboxError::Url("redis://…".to_owned())),
        ("host=db user=ada password=secret", InboxError::Url("…".to_owned())),
    ] {
        assert_eq!(Inbox::open(given).await.err(), Some(expected));
    }
    assert!(matches!(Inbox::open(&url("no/such/folder.db")).await, Err(InboxError::Unreachable(_))));
    std::fs::write(folder.path().join("text.db"), "this is no database, and long enough to be sure".repeat(90))
        .expect("a file");
    assert!(matches!(Inbox::open(&url("text.db")).await, Err(InboxError::Corrupt(_))));
    let later = Connection::open(folder.path().join("later.db")).expect("a file");
    later.pragma_update(None, "user_version", 99).expect("a version");
    assert_eq!(Inbox::open(&url("later.db")).await.err(), Some(InboxError::NewerSchema(99)));

    let small = Options { limit: Some(1), ..Options::default() };
    let Clocked { inbox, _folder, .. } = clocked(small).await;
    assert_eq!(inbox.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Full));
    assert_eq!(inbox.status().await.expect("a status"), crate::Status::default());
}

#[tokio::test]
async fn a_closed_store_is_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let inbox = Inbox::open(&format!("sqlite:{}", folder.path().join("inbox.db").display())).await.expect("an inbox");
    assert_eq!(inbox.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Stored));
    drop(inbox);
    let files: Vec<_> =
        folder.path().read_dir().expect("a folder").map(|file| file.expect("a file").file_name()).collect();
    assert_eq!(files, ["inbox.db"]);
}

async fn what_cannot_be_read_is_a_dead_letter(inbox: &Inbox) {
    assert_eq!(inbox.put(Source::Webhook, "odd", br#"{"data":{}}"#).await, Ok(Put::Stored));
    let dead = inbox.list(State::Dead, 9).await.expect("a list");
    let reason = dead[0].reason.as_deref().expect("a reason");
    assert!(reason.starts_with("nothing names the notification type"), "{reason}");
    assert_eq!(inbox.replay("webhook", "odd").await, Ok(false), "this version cannot read it either");
}

async fn large_bodies_come_back_as_they_came(inbox: &Inbox) {
    let mut large = body("a");
    large.extend(std::iter::repeat_n(b' ', 300_000));
    assert_eq!(inbox.put(Source::Webhook, "large", &large).await, Ok(Put::Stored));
    let lengths = Arc::new(Mutex::new(Vec::new()));
    let keep = lengths.clone();
    work(inbox, Retry::default(), move |incoming| {
        keep.lock().expect("a lock").push(incoming.delivery.raw().body().len());
        std::future::ready(Ok(()))
    })
    .await;
    assert_eq!(*lengths.lock().expect("a lock"), [large.len()]);
}
