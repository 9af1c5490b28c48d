//! A process that receives and handles is killed again and again, at any point. The deliveries that it acknowledged are
//! there afterwards, and are handled.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ampersand_inbox::rusqlite::Connection;
use ampersand_inbox::{Failure, Inbox, Incoming, Put};
use ampersand_notifications::Source;

use crate::webhook::{post, serve, signed};

const FOLDER: &str = "INBOX_CRASH_FOLDER";
const IN_TRANSACTION: &str = "INBOX_CRASH_IN_TRANSACTION";

/// The least number of kills, or of acknowledged deliveries. CONTRIBUTING.md says how to ask for more.
fn asked(name: &str, otherwise: usize) -> usize {
    env::var(name).map_or(otherwise, |number| number.parse().expect(name))
}

fn url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("inbox.db").display())
}

/// Adds an id to the effects, in one write.
fn effect(folder: &Path, id: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("effects"))?;
    file.write_all(format!("{id}\n").as_bytes())
}

/// The process that the parent starts and kills. It prints its address.
#[tokio::test]
#[ignore = "the process that is killed"]
async fn child() {
    let folder = env::var_os(FOLDER).unwrap();
    let inbox = Inbox::open(&url(Path::new(&folder))).await.unwrap();
    let address = serve(&inbox).await;
    writeln!(std::io::stdout(), "\nlistening on {address}").unwrap();
    let worker = inbox.worker().lease(Duration::from_millis(200));
    if env::var_os(IN_TRANSACTION).is_some() {
        return worker.in_transaction(apply).await.unwrap();
    }
    let handler = move |incoming: Incoming| {
        let folder = folder.clone();
        async move { Ok(effect(Path::new(&folder), &incoming.id)?) }
    };
    worker.run(handler).await.unwrap();
}

/// An effect in the inbox's own database. A second effect of a delivery fails for good.
fn apply(incoming: &Incoming, connection: &Connection) -> Result<(), Failure> {
    connection.execute_batch("CREATE TABLE IF NOT EXISTS effect (id TEXT PRIMARY KEY)")?;
    let inserted = connection.execute("INSERT INTO effect VALUES (?1)", [&incoming.id]);
    inserted.map(drop).map_err(Failure::permanent)
}

pub(crate) fn start(folder: &Path, in_transaction: bool) -> (Child, SocketAddr) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["crash::child", "--exact", "--ignored", "--nocapture"]).env(FOLDER, folder);
    if in_transaction {
        command.env(IN_TRANSACTION, "yes");
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("listening on ")?.parse().ok());
    (child, address.expect("it listens"))
}

/// Sends to a process and kills it, again and again. Returns the number of kills, and the ids that it acknowledged.
async fn send_and_kill(folder: &Path, in_transaction: bool) -> (usize, BTreeSet<String>) {
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let (least, deliveries) = (asked("INBOX_CRASH_KILLS", 8), asked("INBOX_CRASH_DELIVERIES", 100));
    let mut kills = 0;
    while kills < least || acknowledged.lock().unwrap().len() < deliveries {
        let (mut child, address) = start(folder, in_transaction);
        let senders = (0..8).map(|sender| {
            let acknowledged = acknowledged.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    let id = format!("msg_{kills}_{sender}_{number}");
                    match post(address, &signed(&id, &format!("installation-{sender}"))).await {
                        Some(204) => drop(acknowledged.lock().unwrap().insert(id)),
                        Some(status) => panic!("{status}"),
                        None => return, // It was killed before it responded.
                    }
                }
            })
        });
        let senders: Vec<_> = senders.collect();
        tokio::time::sleep(Duration::from_millis(40 + 37 * (kills as u64 % 8))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        for sender in senders {
            sender.await.unwrap();
        }
    }
    let acknowledged = Arc::try_unwrap(acknowledged).unwrap().into_inner().unwrap();
    (kills, acknowledged)
}

fn told(how: &str, kills: usize, acknowledged: usize, handled: usize) {
    let told = format!("\n{how}: {kills} kills, {acknowledged} deliveries acknowledged, {handled} handled\n");
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

async fn idle(inbox: Inbox) {
    while inbox.status().await.is_ok_and(|status| status.ready + status.claimed > 0) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_stored_and_handled_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (kills, acknowledged) = send_and_kill(folder.path(), false).await;
    let inbox = Inbox::open(&url(folder.path())).await.unwrap();
    for id in &acknowledged {
        assert_eq!(inbox.put(Source::Webhook, id, b"{}").await, Ok(Put::Duplicate), "{id}");
    }
    let place = folder.path().to_owned();
    let handler = move |incoming: Incoming| {
        let place = place.clone();
        async move { Ok(effect(&place, &incoming.id)?) }
    };
    inbox.worker().until(idle(inbox.clone())).run(handler).await.unwrap();
    let effects = std::fs::read_to_string(folder.path().join("effects")).unwrap();
    let effects: BTreeSet<String> = effects.lines().map(str::to_owned).collect();
    let missing: Vec<&String> = acknowledged.difference(&effects).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(inbox.status().await.unwrap().dead, 0);
    told("run", kills, acknowledged.len(), effects.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_in_the_transaction_happens_once_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (kills, acknowledged) = send_and_kill(folder.path(), true).await;
    let inbox = Inbox::open(&url(folder.path())).await.unwrap();
    inbox.worker().until(idle(inbox.clone())).in_transaction(apply).await.unwrap();
    let connection = Connection::open(folder.path().join("inbox.db")).unwrap();
    let mut list = connection.prepare("SELECT id FROM effect").unwrap();
    let effects: Vec<String> = list.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let effects: BTreeSet<String> = effects.into_iter().collect();
    let missing: Vec<&String> = acknowledged.difference(&effects).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // A second effect would have failed and made a dead letter.
    let status = inbox.status().await.unwrap();
    assert_eq!((status.dead, status.done), (0, effects.len() as u64));
    told("in_transaction", kills, acknowledged.len(), effects.len());
}
