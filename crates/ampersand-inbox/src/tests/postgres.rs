//! Tests of the promises of a Postgres store. `cargo xtask peers` starts a server and runs them.

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ampersand_notifications::Source;
use tokio::sync::Notify;
use tokio_postgres::{Client, NoTls, Transaction};

use super::points::idle;
use super::{REMOVED, SOON, body, new};
use crate::delivery::of_installation;
use crate::postgres::Handling;
use crate::rows::{Claimed, Outcome};
use crate::store::Store;
use crate::{Failure, Inbox, InboxError, Incoming, Options, Put, Retry, State};

/// Creates a database, and returns its URL.
pub(super) async fn database() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let server = std::env::var("PEERS_POSTGRES").expect("run by `cargo xtask peers`");
    let name = format!("inbox_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let admin = connect(&format!("{server}/postgres")).await;
    admin.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
    format!("{server}/{name}")
}

pub(super) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn open(url: &str) -> Inbox {
    Inbox::open(url).await.expect("an inbox")
}

pub(super) async fn number(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.expect("a query").get(0)
}

/// Counts lanes with unfinished deliveries that do not have exactly one head.
const BEHEADED: &str = "SELECT count(*) FROM (
    SELECT lane FROM ampersand_inbox.delivery WHERE head IS NOT NULL
    GROUP BY lane HAVING count(*) FILTER (WHERE head) <> 1) AS lanes";
pub(super) const EFFECTS: &str = "CREATE TABLE effect (id text)";
const TWICE: &str = "SELECT count(*) - count(DISTINCT id) FROM effect";

/// Adds the id to the effects.
pub(super) fn effect<'t>(incoming: Incoming, transaction: &'t Transaction<'t>) -> Handling<'t> {
    Box::pin(async move {
        transaction.execute("INSERT INTO effect VALUES ($1)", &[&incoming.id]).await?;
        Ok(())
    })
}

/// Lambda freezes a process after its response, and the database ends the connection.
#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn a_connection_that_ended_while_the_process_was_frozen_turns_nothing_away() {
    let url = database().await;
    let inbox = open(&url).await;
    let end = async move {
        let others = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let client = connect(&url).await;
        let ended = number(&client, &format!("SELECT count(pg_terminate_backend(pid)) FROM {others}")).await;
        while number(&client, &format!("SELECT count(*) FROM {others}")).await > 0 {}
        ended
    };
    let end = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(end);
    // This thread waits, so nothing of the inbox runs meanwhile.
    assert_eq!(std::thread::spawn(end).join().expect("a count"), 1);
    assert_eq!(inbox.put(Source::Webhook, "msg_1", &body("a")).await, Ok(Put::Stored));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by cargo xtask peers"]
async fn a_lane_always_has_a_head_and_one_handler_whoever_puts_and_works() {
    const LANES: [&str; 3] = ["a", "b", "c"];
    let url = database().await;
    let inboxes = [open(&url).await, open(&url).await];
    let (at_work, handled) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(Mutex::new(BTreeMap::new())));
    let putters: Vec<_> = (0..8)
        .map(|putter| {
            let inbox = inboxes[putter % 2].clone();
            tokio::spawn(async move {
                for number in 0..60 {
                    let lane = LANES[fastrand::usize(..LANES.len())];
                    let put = inbox.put(Source::Webhook, &format!("{lane}_{putter}_{number}"), &body(lane)).await;
                    assert_eq!(put, Ok(Put::Stored));
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(..8))).await;
                }
            })
        })
        .collect();
    let stop = Arc::new(Notify::new());
    let workers: Vec<_> = [0, 1, 0, 1]
        .map(|one| {
            let (at_work, handled, stop) = (at_work.clone(), handled.clone(), stop.clone());
            let handler = move |incoming: Incoming| {
                let (at_work, handled) = (at_work.clone(), handled.clone());
                async move {
                    let lane = incoming.id.split_once('_').expect("a lane").0.to_owned();
                    assert!(at_work.lock().expect("a lock").insert(lane.clone()), "two at once");
                    tokio::time::sleep(Duration::from_micros(fastrand::u64(..3000))).await;
                    let fails = fastrand::u8(..5) == 0;
                    if !fails {
                        handled.lock().expect("a lock").entry(lane.clone()).or_insert(Vec::new()).push(incoming.id);
                    }
                    at_work.lock().expect("a lock").remove(&lane);
                    if fails { Err(Failure::transient("again")) } else { Ok(()) }
                }
            };
            let retry = Retry { attempts: 99, first: Duration::ZERO, ..Retry::default() };
            let worker = inboxes[one].worker().concurrency(4).retry(retry);
            tokio::spawn(worker.until(async move { stop.notified().await }).run(handler))
        })
        .into();
    let client = connect(&url).await;
    while !putters.iter().all(tokio::task::JoinHandle::is_finished) {
        assert_eq!(number(&client, BEHEADED).await, 0);
    }
    for putter in putters {
        putter.await.expect("it puts");
    }
    tokio::time::timeout(Duration::from_secs(60), idle(inboxes[0].clone())).await.expect("no lane stands still");
    for worker in workers {
        stop.notify_waiters();
        worker.await.expect("it works").expect("a database");
    }
    assert_eq!(inboxes[0].status().await.map(|status| (status.done, status.dead)), Ok((8 * 60, 0)));
    for lane in LANES {
        let order = "SELECT id FROM ampersand_inbox.delivery WHERE lane = $1 ORDER BY seq";
        let order = client.query(order, &[&lane]).await.expect("a query");
        let order: Vec<String> = order.iter().map(|row| row.get(0)).collect();
        assert_eq!(handled.lock().expect("a lock").get(lane), Some(&order), "the order of arrival");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by cargo xtask peers"]
async fn a_lane_has_a_head_whoever_replays() {
    let url = database().await;
    let (inbox, other, client) = (open(&url).await, open(&url).await, connect(&url).await);
    for number in 0..120 {
        let put = inbox.put(Source::Webhook, &format!("d{number}"), &body(&format!("lane{}", number % 3))).await;
        assert_eq!(put, Ok(Put::Stored));
    }
    let handler = |_| async {
        match fastrand::u8(..3) {
            0 => Err(Failure::permanent("no such customer")),
            1 => Err(Failure::transient("again")),
            _ => Ok(()),
        }
    };
    let retry = Retry { attempts: 99, first: Duration::ZERO, ..Retry::default() };
    let workers = [&inbox, &other].map(|inbox| tokio::spawn(inbox.worker().retry(retry.clone()).run(handler)));
    let replayers: Vec<_> = (0..4)
        .map(|_| {
            let inbox = other.clone();
            tokio::spawn(async move {
                while inbox.status().await.expect("a status").done < 120 {
                    for dead in inbox.list(State::Dead, 9).await.expect("a list") {
                        inbox.replay("webhook", &dead.id).await.expect("an update");
                    }
                }
            })
        })
        .collect();
    let until = Instant::now() + Duration::from_secs(60);
    while !replayers.iter().all(tokio::task::JoinHandle::is_finished) {
        assert_eq!(number(&client, BEHEADED).await, 0);
        assert!(Instant::now() < until, "no lane stands still");
    }
    for replayer in replayers {
        replayer.await.expect("no replay fails");
    }
    for worker in workers {
        assert!(!worker.is_finished(), "it goes on");
        worker.abort();
    }
}

/// Whoever gives up waiting leaves a statement that waits.
#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn a_put_does_not_wait_for_one_that_was_given_up() {
    let url = database().await;
    let (inbox, mut client) = (open(&url).await, connect(&url).await);
    let transaction = client.transaction().await.expect("a transaction");
    transaction.batch_execute("SELECT ampersand_inbox.lock('a')").await.expect("a lock");
    let put = async |id, lane| {
        let put = async { inbox.put(Source::Webhook, id, &body(lane)).await };
        tokio::time::timeout(25 * SOON, put).await.ok()
    };
    assert_eq!(put("a", "a").await, None);
    assert_eq!(put("b", "b").await, Some(Ok(Put::Stored)));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let url = format!("postgres://ada@{}/inbox", listener.local_addr().expect("an address"));
    let opened = tokio::time::timeout(Duration::from_secs(60), Inbox::open(&url)).await.expect("an answer");
    let silent = InboxError::Unreachable("the server does not answer".to_owned());
    assert_eq!(opened.err(), Some(silent));
    let config = crate::postgres::config(&url).expect("a URL");
    assert!(config.get_keepalives_idle() < Duration::from_secs(60));
}

/// After an upgrade, a dead letter that blocks a lane may belong to another one.
#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn a_dead_letter_that_changes_its_lane_leaves_a_head_behind() {
    let url = database().await;
    let open = async |lane| {
        let options = Options { dead_letters_block: true, lane, ..Options::default() };
        Inbox::open_with(&url, options).await.expect("an inbox")
    };
    let (before, after) = (open(|_| Some("old".to_owned())).await, open(|_| Some("new".to_owned())).await);
    assert_eq!(before.put(Source::Webhook, "dead", &body("a")).await, Ok(Put::Stored));
    let fails = |_| std::future::ready(Err(Failure::permanent("no such customer")));
    assert_eq!(before.worker().until(idle(before.clone())).run(fails).await, Ok(()));

    let mut client = connect(&url).await;
    let transaction = client.transaction().await.expect("a transaction");
    let put = "SELECT ampersand_inbox.put('webhook', 'behind', 'old', NULL, '{}', '', false, NULL)";
    transaction.batch_execute(put).await.expect("a delivery behind the dead letter");
    let replay = tokio::spawn(async move { after.replay("webhook", "dead").await });
    tokio::time::sleep(10 * SOON).await;
    transaction.commit().await.expect("a commit");
    assert_eq!(replay.await.expect("a result"), Ok(true));
    assert_eq!(number(&client, BEHEADED).await, 0);
}

/// Adds the id to the effects. At times it takes longer than a lease, and at times it fails.
fn flaky<'t>(incoming: Incoming, transaction: &'t Transaction<'t>) -> Handling<'t> {
    Box::pin(async move {
        effect(incoming, transaction).await?;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..150))).await;
        match fastrand::u8(..8) {
            0 => Err(Failure::transient("again")),
            1 => panic!("a fault of the handler"),
            _ => Ok(()),
        }
    })
}

/// Helps the compiler infer a handler for any lifetime.
pub(super) fn any<H: for<'t> Fn(Incoming, &'t Transaction<'t>) -> Handling<'t>>(handler: H) -> H {
    handler
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by cargo xtask peers"]
async fn an_effect_in_the_transaction_happens_once_however_workers_end() {
    let url = database().await;
    let (inbox, client) = (open(&url).await, connect(&url).await);
    client.batch_execute(EFFECTS).await.expect("a table");
    for number in 0..300 {
        let lane = format!("lane{}", number % 30);
        assert_eq!(inbox.put(Source::Webhook, &format!("d{number}"), &body(&lane)).await, Ok(Put::Stored));
    }
    let retry = Retry { attempts: 99, first: SOON, ..Retry::default() };
    let worker = |inbox: &Inbox| inbox.worker().lease(Duration::from_millis(90)).retry(retry.clone());
    // Workers vanish: their claims are free again when the leases end.
    for _ in 0..6 {
        let other = open(&url).await;
        let (one, two) = (worker(&inbox).in_postgres_transaction(flaky), worker(&other).in_postgres_transaction(flaky));
        let both = async { tokio::join!(one, two) };
        assert!(
            tokio::time::timeout(Duration::from_millis(200), both).await.is_err(),
            "they go on until they are dropped"
        );
    }
    let other = open(&url).await;
    let (one, two) = tokio::join!(
        worker(&inbox).until(idle(inbox.clone())).in_postgres_transaction(flaky),
        worker(&other).until(idle(other.clone())).in_postgres_transaction(flaky),
    );
    assert_eq!((one, two), (Ok(()), Ok(())));
    assert_eq!(inbox.status().await.map(|status| (status.done, status.dead)), Ok((300, 0)));
    assert_eq!(number(&client, "SELECT count(*) FROM effect").await, 300);
    assert_eq!(number(&client, TWICE).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by cargo xtask peers"]
async fn what_was_acknowledged_is_handled_though_connections_end_all_the_time() {
    const END: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name = 'ampersand-inbox' AND datname = current_database()";
    let url = database().await;
    let (inbox, client) = (open(&url).await, connect(&url).await);
    client.batch_execute(EFFECTS).await.expect("a table");
    let retry = Retry { attempts: 99, first: SOON, ..Retry::default() };
    let worker = || inbox.worker().lease(Duration::from_millis(500)).retry(retry.clone());
    let working = tokio::spawn(worker().in_postgres_transaction(effect));
    let until = Instant::now() + Duration::from_secs(5);
    let putters: Vec<_> = (0..4)
        .map(|putter| {
            let inbox = inbox.clone();
            tokio::spawn(async move {
                let mut acknowledged = BTreeSet::new();
                let mut number = 0;
                while Instant::now() < until {
                    number += 1;
                    let id = format!("d{putter}_{number}");
                    match inbox.put(Source::Webhook, &id, &body(&format!("lane{}", number % 9))).await {
                        Ok(_) => drop(acknowledged.insert(id)),
                        Err(InboxError::Unreachable(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
                        Err(error) => panic!("{error}"),
                    }
                }
                acknowledged
            })
        })
        .collect();
    let mut ended = 0;
    while Instant::now() < until {
        ended += number(&client, END).await;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(5..60))).await;
    }
    let mut acknowledged = BTreeSet::new();
    for putter in putters {
        acknowledged.append(&mut putter.await.expect("it puts"));
    }
    assert!(ended > 100 && acknowledged.len() > 100, "{ended} {}", acknowledged.len());
    assert!(!working.is_finished(), "the worker waits for the database, and goes on");
    let other = open(&url).await;
    assert_eq!(worker().until(idle(other)).in_postgres_transaction(effect).await, Ok(()));
    working.abort();
    let effects = client.query("SELECT id FROM effect", &[]).await.expect("a query");
    let effects: BTreeSet<String> = effects.iter().map(|row| row.get(0)).collect();
    assert_eq!(acknowledged.difference(&effects).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(number(&client, TWICE).await, 0);
    assert_eq!(number(&client, BEHEADED).await, 0);
    assert_eq!(inbox.status().await.map(|status| (status.done, status.dead)), Ok((effects.len() as u64, 0)));
}

#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn who_lost_the_claim_rolls_back() {
    let url = database().await;
    let (inbox, client) = (open(&url).await, connect(&url).await);
    client.batch_execute("CREATE TABLE effect (id text, attempt bigint)").await.expect("a table");
    assert_eq!(inbox.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Stored));
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let tell = (begun.clone(), go_on.clone());
    let handler = any(move |incoming, transaction| {
        let (begun, go_on) = tell.clone();
        Box::pin(async move {
            let attempt = i64::from(incoming.attempt);
            let insert = "INSERT INTO effect VALUES ($1, $2)";
            transaction.execute(insert, &[&incoming.id, &attempt]).await?;
            if attempt == 1 {
                begun.notify_one();
                go_on.notified().await;
            }
            Ok(())
        })
    });
    let first = tokio::spawn(inbox.worker().until(idle(inbox.clone())).in_postgres_transaction(handler.clone()));
    begun.notified().await;
    // Simulates a process that was stopped for longer than the lease.
    client.batch_execute("UPDATE ampersand_inbox.delivery SET due = now()").await.expect("an update");
    let other = open(&url).await;
    assert_eq!(other.worker().until(idle(other.clone())).in_postgres_transaction(handler).await, Ok(()));
    go_on.notify_one();
    assert_eq!(first.await.expect("it ends"), Ok(()));
    assert_eq!(number(&client, "SELECT sum(attempt)::bigint FROM effect").await, 2);
}

/// A handler of `run` uses its own client and transaction in the inbox's database.
#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn a_handler_completes_a_delivery_in_a_transaction_of_its_own() {
    let url = database().await;
    let (inbox, client) = (open(&url).await, connect(&url).await);
    client.batch_execute("CREATE TABLE effect (id text, attempt bigint)").await.expect("a table");
    for id in ["committed", "committed twice", "rolled back", "serializable", "lost"] {
        assert_eq!(inbox.put(Source::Webhook, id, &body(id)).await, Ok(Put::Stored));
    }
    let handler = move |incoming: Incoming| {
        let url = url.clone();
        async move {
            let (id, attempt, client) = (incoming.id, incoming.attempt, connect(&url).await);
            let completion = incoming.completion.expect("the inbox is in a database");
            let level = if id == "serializable" && attempt == 1 { "SERIALIZABLE" } else { "READ COMMITTED" };
            let effect = format!("BEGIN ISOLATION LEVEL {level}; INSERT INTO effect VALUES ('{id}', {attempt})");
            client.batch_execute(&effect).await?;
            if id == "lost" && attempt == 1 {
                // Simulates a process that was stopped for longer than the lease.
                let other = "UPDATE ampersand_inbox.delivery SET token = token + 1, due = now() WHERE id = 'lost'";
                connect(&url).await.batch_execute(other).await?;
            }
            client.batch_execute(&completion).await?;
            if id == "rolled back" && attempt == 1 {
                return Err(Failure::transient("the process ended before the commit"));
            }
            client.batch_execute("COMMIT").await?;
            if id == "committed twice" {
                client.batch_execute(&format!("{effect}; {completion}; COMMIT")).await?;
            }
            Ok(())
        }
    };
    let retry = Retry { first: SOON, ..Retry::default() };
    assert_eq!(inbox.worker().retry(retry).until(idle(inbox.clone())).run(handler).await, Ok(()));
    let effects = client.query("SELECT id, attempt FROM effect ORDER BY id, attempt", &[]).await.expect("a query");
    let effects: Vec<(String, i64)> = effects.iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [("committed", 1), ("committed twice", 1), ("lost", 2), ("rolled back", 2), ("serializable", 2)];
    assert_eq!(effects, expected.map(|(id, attempt)| (id.to_owned(), attempt)));
    assert_eq!(inbox.status().await.map(|status| (status.done, status.dead)), Ok((5, 0)));
    let reasons = client.query("SELECT reason FROM ampersand_inbox.delivery ORDER BY id", &[]).await.expect("a query");
    let reasons: Vec<Option<String>> = reasons.iter().map(|row| row.get(0)).collect();
    assert_eq!(reasons[..3], [None, None, None], "who lost a claim writes nothing down, and who ended it neither");
    assert!(reasons[4].as_deref().is_some_and(|reason| reason.contains("read committed")), "{reasons:?}");
}

#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn a_handler_neither_changes_nor_ends_its_transaction() {
    let inbox = open(&database().await).await;
    for (statement, reason) in [
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "must be called before any query"),
        ("COMMIT", "the handler ended the inbox's transaction"),
        ("ROLLBACK; BEGIN", "the handler ended the inbox's transaction"),
    ] {
        assert_eq!(inbox.put(Source::Webhook, statement, &body("a")).await, Ok(Put::Stored));
        let worker = inbox.worker().retry(Retry { attempts: 1, ..Retry::default() }).until(idle(inbox.clone()));
        let handled = worker.in_postgres_transaction(|incoming, transaction| {
            Box::pin(async move { Ok(transaction.batch_execute(&incoming.id).await?) })
        });
        assert_eq!(handled.await, Ok(()));
        let dead = inbox.list(State::Dead, 1).await.expect("a list");
        assert_eq!(dead[0].id, statement);
        assert!(dead[0].reason.as_deref().is_some_and(|said| said.contains(reason)), "{:?}", dead[0].reason);
    }
}

#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn several_may_open_a_new_database_at_once() {
    let url = database().await;
    let opened = (0..8).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { Inbox::open(&url).await })
    });
    for one in opened.collect::<Vec<_>>() {
        assert_eq!(one.await.expect("it ends").err(), None);
    }
}

#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn what_cannot_be_stored_is_said() {
    let url = database().await;
    let (inbox, client) = (open(&url).await, connect(&url).await);
    assert_eq!(inbox.worker().in_transaction(|_, _| Ok(())).await, Err(InboxError::OtherStore));
    let full = Options { limit: Some(0), ..Options::default() };
    let full = Inbox::open_with(&url, full).await.expect("an inbox");
    assert_eq!(inbox.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Stored));
    assert_eq!(full.put(Source::Webhook, "a", &body("a")).await, Ok(Put::Duplicate));
    assert_eq!(full.put(Source::Webhook, "b", &body("a")).await, Ok(Put::Full));

    client.batch_execute("UPDATE ampersand_inbox.schema SET version = 99").await.expect("an update");
    assert_eq!(Inbox::open(&url).await.err(), Some(InboxError::NewerSchema(99)));
    client.batch_execute("DROP TABLE ampersand_inbox.delivery").await.expect("a change");
    assert!(matches!(inbox.status().await, Err(InboxError::Corrupt(_))));
    assert!(matches!(inbox.worker().run(|_| async { Ok(()) }).await, Err(InboxError::Corrupt(_))), "no use to wait");

    for away in ["postgres://nobody@127.0.0.1:1/none", &format!("{url}_missing")] {
        assert!(matches!(Inbox::open(away).await, Err(InboxError::Unreachable(_))), "{away}");
    }
    let odd = InboxError::Url("postgres://…@host:port/db".to_owned());
    assert_eq!(Inbox::open("postgres://ada:secret@host:port/db").await.err(), Some(odd));
}

/// Checks what a store promises of claims. An error names a broken promise.
async fn promises(store: &Store) -> Result<(), String> {
    const LEASE: i64 = 150;
    const LONG: i64 = 60_000;
    macro_rules! holds {
        ($left:expr, $right:expr) => {
            if $left != $right {
                return Err(format!("{}: {:?}", stringify!($left), $left));
            }
        };
    }
    let ids = |claimed: &[Claimed]| claimed.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    let error = |error: InboxError| error.to_string();
    for (id, lane, expected) in
        [("a1", "a", Put::Stored), ("a2", "a", Put::Stored), ("b1", "b", Put::Stored), ("a1", "b", Put::Duplicate)]
    {
        holds!(store.insert(new(id, lane), None).await.map_err(error)?, expected);
    }
    let lost = store.claim(9, LEASE).await.map_err(error)?;
    holds!(ids(&lost), ["a1", "b1"]);
    holds!(ids(&store.claim(9, LEASE).await.map_err(error)?), [""; 0]);
    // The leases end, and others claim the deliveries.
    tokio::time::sleep(Duration::from_millis(LEASE as u64 + 20)).await;
    let held = store.claim(9, LONG).await.map_err(error)?;
    holds!(ids(&held), ["a1", "b1"]);
    holds!(held[0].attempt, 2);
    holds!(store.renew(lost[0].seq, lost[0].token, LONG).await.map_err(error)?, false);
    holds!(store.finish(lost[0].seq, lost[0].token, Outcome::Done).await.map_err(error)?, false);
    holds!(store.renew(held[0].seq, held[0].token, LONG).await.map_err(error)?, true);
    // A retried delivery keeps its place.
    let again = Outcome::Retry { pause: 0, reason: "again".to_owned() };
    holds!(store.finish(held[0].seq, held[0].token, again.clone()).await.map_err(error)?, true);
    let retried = store.claim(9, LONG).await.map_err(error)?;
    holds!(ids(&retried), ["a1"]);
    // A dead letter leaves its lane, and is replayed in its place.
    let dead = Outcome::Dead { reason: "dead".to_owned(), blocks: false };
    holds!(store.finish(retried[0].seq, retried[0].token, dead.clone()).await.map_err(error)?, true);
    holds!(store.finish(retried[0].seq, retried[0].token, Outcome::Done).await.map_err(error)?, false);
    holds!(store.renew(retried[0].seq, retried[0].token, LONG).await.map_err(error)?, false);
    let next = store.claim(9, LONG).await.map_err(error)?;
    holds!(ids(&next), ["a2"]);
    holds!(store.replay("webhook", "a2", of_installation).await.map_err(error)?, false);
    holds!(store.delete("webhook", "a2").await.map_err(error)?, false);
    holds!(store.replay("webhook", "a1", of_installation).await.map_err(error)?, true);
    holds!(ids(&store.claim(9, LONG).await.map_err(error)?), [""; 0]);
    holds!(store.finish(next[0].seq, next[0].token, again_later()).await.map_err(error)?, true);
    holds!(ids(&store.claim(9, LONG).await.map_err(error)?), [""; 0]);
    holds!(store.next_due().await.map_err(error)?.is_some_and(|due| due > 0), true);
    // The other lane is unaffected.
    holds!(store.finish(held[1].seq, held[1].token, Outcome::Released).await.map_err(error)?, true);
    let other = store.claim(9, LONG).await.map_err(error)?;
    holds!((ids(&other), other[0].attempt), (vec!["b1".to_owned()], 2));
    holds!(store.finish(other[0].seq, other[0].token, dead.clone()).await.map_err(error)?, true);
    holds!(
        store.list(State::Dead, 9).await.map_err(error)?.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(),
        ["b1"]
    );
    holds!(store.delete("webhook", "b1").await.map_err(error)?, true);
    holds!(store.delete("webhook", "b1").await.map_err(error)?, false);
    Ok(())
}

/// A retry whose pause does not end during the test.
fn again_later() -> Outcome {
    Outcome::Retry { pause: 60_000, reason: "later".to_owned() }
}

/// The guards of a store, and replacements that guard nothing. Some are in functions of the database, which `open`
/// creates.
pub(super) const GUARDS: [(&str, &str); 7] = [
    ("AND token = _token", ""),
    ("AND token = $2", "AND $2 IS NOT NULL"),
    ("AND state = 'claimed'", ""),
    ("AND state = 'dead'", ""),
    ("AND due <= now()", ""),
    ("WHERE head AND", "WHERE"),
    ("ON CONFLICT (source, id) DO NOTHING", ""),
];

#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn a_claim_is_what_it_is_in_a_file_and_each_guard_is_needed() {
    assert_eq!(promises(&open(&database().await).await.store).await, Ok(()));
    for (guard, nothing) in GUARDS {
        REMOVED.set(Some((guard, nothing)));
        let inbox = open(&database().await).await;
        let tried = promises(&inbox.store).await;
        REMOVED.set(None);
        assert!(tried.is_err(), "nothing misses `{guard}`");
    }
}

#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn what_is_done_is_dropped_in_time_and_nothing_else() {
    let options =
        Options { keep_bodies: Duration::from_secs(60), keep_ids: Duration::from_secs(120), ..Options::default() };
    let url = database().await;
    let (inbox, client) = (Inbox::open_with(&url, options).await.expect("an inbox"), connect(&url).await);
    for id in ["done", "permanent"] {
        assert_eq!(inbox.put(Source::Webhook, id, &body(id)).await, Ok(Put::Stored));
    }
    let handler = |incoming: Incoming| {
        std::future::ready(if incoming.id == "done" { Ok(()) } else { Err(Failure::permanent("no such customer")) })
    };
    assert_eq!(inbox.worker().until(idle(inbox.clone())).run(handler).await, Ok(()));
    assert_eq!(inbox.put(Source::Webhook, "ready", &body("c")).await, Ok(Put::Stored));
    for expected in [0, 0, 1, 1] {
        assert_eq!(inbox.prune().await, Ok(expected));
        let later = "UPDATE ampersand_inbox.delivery SET finished = finished - interval '40 s'";
        client.batch_execute(later).await.expect("an update");
    }
    let status = inbox.status().await.expect("a status");
    assert_eq!((status.ready, status.dead, status.done), (1, 1, 0));
}
