//! A Postgres server crashes every second, while signed webhooks arrive and workers handle them.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ampersand_inbox::tokio_postgres::{self, Client, NoTls};
use ampersand_inbox::{Failure, Inbox, Incoming, Retry};

use crate::webhook::{post, serve, signed};

const RESTARTS: usize = 6;

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Ends the server at once, as a crash does, and restarts it.
async fn restart() {
    let command = env::var("PEERS_POSTGRES_RESTART").expect("run by `cargo xtask peers`");
    let restarted = tokio::task::spawn_blocking(|| Command::new("sh").arg("-c").arg(command).status());
    assert!(restarted.await.unwrap().unwrap().success());
}

/// Creates a database with an inbox and a table for effects.
async fn database(name: &str) -> (String, Inbox) {
    let server = env::var("PEERS_POSTGRES").expect("run by `cargo xtask peers`");
    let admin = connect(&format!("{server}/postgres")).await;
    admin.batch_execute(&format!("CREATE DATABASE {name}_{}", std::process::id())).await.unwrap();
    let url = format!("{server}/{name}_{}", std::process::id());
    connect(&url).await.batch_execute("CREATE TABLE effect (id text)").await.unwrap();
    let inbox = Inbox::open(&url).await.unwrap();
    (url, inbox)
}

/// Sends webhooks while the server crashes again and again. Returns the ids that got 204.
async fn send_and_restart(inbox: &Inbox) -> BTreeSet<String> {
    let address = serve(inbox).await;
    let (acknowledged, ends) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicBool::new(false)));
    let refused = Arc::new(Mutex::new(BTreeSet::new()));
    let senders = (0..8).map(|sender| {
        let (acknowledged, refused, ends) = (acknowledged.clone(), refused.clone(), ends.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let id = format!("msg_{sender}_{number}");
                // Like the sender: it retries an unacknowledged delivery, or gives up.
                for _ in 0..2 {
                    match post(address, &signed(&id, &format!("installation-{}", number % 20))).await {
                        Some(204) => {
                            acknowledged.lock().unwrap().insert(id.clone());
                            break;
                        }
                        Some(503) => drop(refused.lock().unwrap().insert(id.clone())),
                        status => panic!("{status:?}"),
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                if ends.load(Ordering::Relaxed) {
                    return;
                }
            }
        })
    });
    let senders: Vec<_> = senders.collect();
    for _ in 0..RESTARTS {
        tokio::time::sleep(Duration::from_millis(fastrand::u64(700..1300))).await;
        let before = acknowledged.lock().unwrap().len();
        restart().await;
        let until = Instant::now() + Duration::from_secs(10);
        while acknowledged.lock().unwrap().len() < before + 20 {
            assert!(Instant::now() < until, "it takes deliveries again");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    ends.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.unwrap();
    }
    assert!(!refused.lock().unwrap().is_empty(), "it was away");
    Arc::try_unwrap(acknowledged).unwrap().into_inner().unwrap()
}

async fn idle(inbox: Inbox) {
    while inbox.status().await.map_or(true, |status| status.ready + status.claimed > 0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn retry() -> Retry {
    let mut retry = Retry::default();
    (retry.attempts, retry.first) = (99, Duration::from_millis(20));
    retry
}

async fn ids(url: &str, query: &str) -> Vec<String> {
    connect(url).await.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

fn missing<'i>(acknowledged: &'i BTreeSet<String>, ids: &[String]) -> Vec<&'i String> {
    let ids: BTreeSet<&String> = ids.iter().collect();
    acknowledged.iter().filter(|id| !ids.contains(id)).collect()
}

const STORED: &str = "SELECT id FROM ampersand_inbox.delivery";
const DONE: &str = "SELECT id FROM ampersand_inbox.delivery WHERE state = 'done'";

/// One test, as there is one server.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by cargo xtask peers"]
async fn what_was_acknowledged_is_handled_though_the_server_crashes_every_second() {
    handled_at_least_once().await;
    effects_once().await;
}

async fn handled_at_least_once() {
    let (url, inbox) = database("restarted").await;
    let handled = Arc::new(Mutex::new(BTreeSet::new()));
    let keep = handled.clone();
    let handler = move |incoming: Incoming| {
        keep.lock().unwrap().insert(incoming.id);
        std::future::ready(Ok(()))
    };
    let lease = Duration::from_secs(1);
    let working = tokio::spawn(inbox.worker().lease(lease).retry(retry()).run(handler.clone()));
    let acknowledged = send_and_restart(&inbox).await;
    assert!(!working.is_finished(), "the worker waits for the server, and goes on");
    tokio::time::timeout(Duration::from_secs(60), idle(inbox.clone())).await.expect("nothing stands still");
    working.abort();
    assert_eq!(missing(&acknowledged, &ids(&url, STORED).await), [""; 0], "stored");
    let handled: Vec<String> = handled.lock().unwrap().iter().cloned().collect();
    assert_eq!(missing(&acknowledged, &handled), [""; 0], "handled");
    assert_eq!(inbox.status().await.unwrap().dead, 0);
    told("run", acknowledged.len());
}

async fn effects_once() {
    let (url, inbox) = database("restarted_in_transaction").await;
    let workers = [(); 2].map(|()| {
        let worker = inbox.worker().lease(Duration::from_secs(1)).retry(retry());
        let worked = worker.in_postgres_transaction(|incoming, transaction| {
            Box::pin(async move {
                transaction.execute("INSERT INTO effect VALUES ($1)", &[&incoming.id]).await?;
                Ok::<(), Failure>(())
            })
        });
        tokio::spawn(worked)
    });
    let acknowledged = send_and_restart(&inbox).await;
    assert!(!workers.iter().any(tokio::task::JoinHandle::is_finished), "they wait for the server, and go on");
    tokio::time::timeout(Duration::from_secs(60), idle(inbox.clone())).await.expect("nothing stands still");
    workers.iter().for_each(tokio::task::JoinHandle::abort);
    let (effects, done) = (ids(&url, "SELECT id FROM effect").await, ids(&url, DONE).await);
    assert_eq!(missing(&acknowledged, &done), [""; 0], "done");
    let (each, done) = (BTreeSet::from_iter(&effects), BTreeSet::from_iter(&done));
    assert_eq!(effects.len(), each.len(), "none twice");
    assert_eq!(
        each.symmetric_difference(&done).copied().collect::<Vec<_>>(),
        [""; 0],
        "of what is done, and of nothing else"
    );
    assert_eq!(inbox.status().await.unwrap().dead, 0);
    told("in_postgres_transaction", acknowledged.len());
}

fn told(how: &str, deliveries: usize) {
    use std::io::Write as _;
    let told = format!("\n{how}: {RESTARTS} crashes of the server, {deliveries} deliveries acknowledged\n");
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}
