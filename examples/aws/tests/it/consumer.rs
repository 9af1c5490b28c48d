//! Tests of the consumer without Lambda, on queues of moto.

use std::process::Stdio;
use std::time::{Duration, Instant};

use ampersand_inbox::tokio_postgres::{self, Client, NoTls};
use ampersand_inbox::{Inbox, State};
use rusqlite::{Connection, TransactionBehavior};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::moto::Queue;
use crate::{peers, sqs};

const MESSAGES: usize = 300;
/// How many seconds the consumer hides messages.
const HIDDEN: u32 = 2;

fn start(queue: &Queue, inbox: &str) -> Child {
    sqs::consumer(&peers::setting("PEERS_MOTO"), &queue.url, inbox)
        .env("HIDDEN_SECONDS", HIDDEN.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn until_empty(queue: &Queue) {
    let is_empty = async {
        while !queue.is_empty().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(30), is_empty).await.unwrap();
}

/// The ids of the deliveries in the inbox, handled or not.
async fn stored(inbox: &Inbox) -> Vec<usize> {
    let mut stored = Vec::new();
    for state in [State::Ready, State::Claimed, State::Done] {
        stored
            .extend(inbox.list(state, MESSAGES).await.unwrap().iter().map(|entry| entry.id.parse::<usize>().unwrap()));
    }
    stored.sort_unstable();
    stored
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn a_consumer_that_is_killed_loses_no_message() {
    let queue = Queue::create("killed", 100, HIDDEN).await;
    queue.send(&peers::lines(MESSAGES));
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("inbox.db");
    let url = format!("sqlite:{}", file.display());
    let inbox = Inbox::open(&url).await.unwrap();
    let mut connection = Connection::open(&file).unwrap();
    let begun = Instant::now();
    let (mut killed, mut before) = (0, Vec::new());
    // The last consumer gets the other half.
    while before.len() < MESSAGES / 2 {
        let mut consumer = start(&queue, &url);
        let stores = async { while stored(&inbox).await == before {} };
        timeout(Duration::from_secs(30), stores).await.unwrap();
        // Every other time, it holds messages that it cannot store.
        let locked = TransactionBehavior::Immediate;
        let locked = (killed % 2 == 0).then(|| connection.transaction_with_behavior(locked).unwrap());
        sleep(Duration::from_millis(fastrand::u64(..300))).await;
        consumer.kill().await.unwrap();
        drop(locked);
        (killed, before) = (killed + 1, stored(&inbox).await);
    }
    let mut consumer = start(&queue, &url);
    until_empty(&queue).await;
    sqs::stop(&mut consumer).await;

    assert_eq!(stored(&inbox).await, (0..MESSAGES).collect::<Vec<_>>());
    println!("{MESSAGES} messages, by a consumer that was killed {killed} times, in {:?}", begun.elapsed());
}

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn messages_are_hidden_for_as_long_as_storing_them_takes() {
    let (server, name) = (peers::setting("PEERS_POSTGRES"), format!("consumer_{}", std::process::id()));
    connect(&format!("{server}/postgres")).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    let url = format!("{server}/{name}");
    let inbox = Inbox::open(&url).await.unwrap();
    let client = connect(&url).await;
    client.batch_execute("BEGIN; LOCK TABLE ampersand_inbox.delivery").await.unwrap();

    let queue = Queue::create("hidden", 100, HIDDEN).await;
    queue.send(&peers::lines(10));
    let mut consumer = start(&queue, &url);
    let is_received = async {
        while queue.count().await != [0, 10] {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), is_received).await.unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(u64::from(HIDDEN) * 2 + 1) {
        assert_eq!(queue.count().await, [0, 10], "after {:?}", begun.elapsed());
        sleep(Duration::from_millis(50)).await;
    }
    client.batch_execute("COMMIT").await.unwrap();
    until_empty(&queue).await;
    sqs::stop(&mut consumer).await;
    assert_eq!(stored(&inbox).await, (0..10).collect::<Vec<_>>());
}
