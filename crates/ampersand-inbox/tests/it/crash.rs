//! A process that receives and handles is killed again and again, at any point. What it acknowledged is there afterwards, and
//! is handled.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ampersand_inbox::{Inbox, Put};
use ampersand_notifications::Source;

use crate::webhook::{post, serve, signed};

const FOLDER: &str = "INBOX_CRASH_FOLDER";
const ROUNDS: usize = 8;

fn url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("inbox.db").display())
}

/// Adds an id to the effects, in one write.
fn effect(folder: &Path, id: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("effects"))?;
    file.write_all(format!("{id}\n").as_bytes())
}

/// What the parent starts and kills: it prints where it listens.
#[tokio::test]
#[ignore = "the process that is killed"]
async fn child() {
    let folder = env::var_os(FOLDER).unwrap();
    let inbox = Inbox::open(&url(Path::new(&folder))).await.unwrap();
    let address = serve(&inbox).await;
    writeln!(std::io::stdout(), "\nlistening on {address}").unwrap();
    let handler = move |incoming: ampersand_inbox::Incoming| {
        let folder = folder.clone();
        async move { Ok(effect(Path::new(&folder), &incoming.id)?) }
    };
    inbox.worker().lease(Duration::from_millis(200)).run(handler).await.unwrap();
}

fn start(folder: &Path) -> (Child, SocketAddr) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["crash::child", "--exact", "--ignored", "--nocapture"]).env(FOLDER, folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("listening on ")?.parse().ok());
    (child, address.expect("it listens"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_stored_and_handled_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    for round in 0..ROUNDS {
        let (mut child, address) = start(folder.path());
        let senders = (0..8).map(|sender| {
            let acknowledged = acknowledged.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    let id = format!("msg_{round}_{sender}_{number}");
                    match post(address, &signed(&id, &format!("installation-{sender}"))).await {
                        Some(204) => drop(acknowledged.lock().unwrap().insert(id)),
                        Some(status) => panic!("{status}"),
                        None => return, // It was killed before it answered.
                    }
                }
            })
        });
        let senders: Vec<_> = senders.collect();
        tokio::time::sleep(Duration::from_millis(40 + 37 * round as u64)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        for sender in senders {
            sender.await.unwrap();
        }
    }

    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    let inbox = Inbox::open(&url(folder.path())).await.unwrap();
    for id in &acknowledged {
        assert_eq!(inbox.put(Source::Webhook, id, b"{}").await, Ok(Put::Duplicate), "{id}");
    }
    let (watched, place) = (inbox.clone(), folder.path().to_owned());
    let idle = async move {
        while watched.status().await.is_ok_and(|status| status.ready + status.claimed > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let handler = move |incoming: ampersand_inbox::Incoming| {
        let place = place.clone();
        async move { Ok(effect(&place, &incoming.id)?) }
    };
    inbox.worker().until(idle).run(handler).await.unwrap();
    let effects = std::fs::read_to_string(folder.path().join("effects")).unwrap();
    let effects: BTreeSet<String> = effects.lines().map(str::to_owned).collect();
    let missing: Vec<&String> = acknowledged.difference(&effects).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(inbox.status().await.unwrap().dead, 0);
}
