//! A disk is full or read-only, a file is damaged, and two processes share a file. Nothing is lost or hangs.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ampersand_inbox::rusqlite::Connection;
use ampersand_inbox::{Failure, Inbox, InboxError, Put};
use ampersand_notifications::Source;

use crate::crash;
use crate::webhook::{post, serve, signed};

/// A schema version that does not exist yet.
const LATER: i64 = 1000;
const FOLDER: &str = "INBOX_DISK_FOLDER";

fn url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("inbox.db").display())
}

async fn open(folder: &Path) -> Inbox {
    Inbox::open(&url(folder)).await.unwrap()
}

/// Runs a test from below in a process with its own mounts, which end with it. Root may do that, and other users on
/// most systems.
fn with_a_disk_of_its_own(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    for way in ["-m", "-rm"] {
        let unshare = || {
            let mut unshare = Command::new("unshare");
            unshare.arg(way);
            unshare
        };
        let mount = unshare().args(["mount", "-t", "tmpfs", "tmpfs"]).arg(folder.path()).output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            let mut command = unshare();
            command.arg(env::current_exe().unwrap()).args([test, "--exact", "--ignored", "--nocapture"]);
            let output = command.env(FOLDER, folder.path()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.contains("1 passed"), "{said}");
            return;
        }
    }
    // The harness shows this also for a test that passes.
    let told = format!("\nNOT TESTED: {test} needs a mount, and this user may make none\n");
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

fn mount(options: &str) -> PathBuf {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("run by the test of a like name"));
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&folder).status();
    assert!(mount.unwrap().success());
    folder
}

/// Fills a disk with deliveries. Returns its folder, the inbox, the acknowledged ids, the first refused id, and a file
/// to remove to make room.
async fn full() -> (PathBuf, Inbox, BTreeSet<String>, String, PathBuf) {
    let folder = mount("size=3m");
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![1; 2 << 20]).unwrap();
    let inbox = open(&folder).await;
    let address = serve(&inbox).await;
    let mut acknowledged = BTreeSet::new();
    loop {
        assert!(acknowledged.len() < 5000, "so many need more room");
        let id = format!("msg_{}", acknowledged.len());
        match post(address, &signed(&id, &format!("installation-{}", acknowledged.len() % 7))).await {
            Some(204) => drop(acknowledged.insert(id)),
            status => {
                assert_eq!(status, Some(503));
                return (folder, inbox, acknowledged, id, ballast);
            }
        }
    }
}

async fn idle(inbox: Inbox) {
    while inbox.status().await.map_or(true, |status| status.ready + status.claimed > 0) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    with_a_disk_of_its_own("disk::full_and_freed");
}

#[tokio::test]
#[ignore = "needs a disk of its own"]
async fn full_and_freed() {
    let (folder, inbox, mut acknowledged, refused, ballast) = full().await;
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    // The disk stays full, and the stored deliveries stay readable and deduplicate repeats.
    for _ in 0..3 {
        assert_eq!(inbox.put(Source::Webhook, &refused, &[b' '; 9000]).await, Ok(Put::Full));
    }
    assert_eq!(inbox.put(Source::Webhook, "msg_0", b"").await, Ok(Put::Duplicate));
    assert_eq!(inbox.status().await.unwrap().ready, acknowledged.len() as u64);

    fs::remove_file(ballast).unwrap();
    let address = serve(&inbox).await;
    assert_eq!(post(address, &signed(&refused, "installation")).await, Some(204), "there is room");
    acknowledged.insert(refused);
    // A second inbox on the file finds the same.
    for inbox in [inbox, open(&folder).await] {
        for id in &acknowledged {
            assert_eq!(inbox.put(Source::Webhook, id, b"").await, Ok(Put::Duplicate), "{id}");
        }
        inbox.worker().until(idle(inbox.clone())).run(|_| async { Ok(()) }).await.unwrap();
        let status = inbox.status().await.unwrap();
        assert_eq!((status.done, status.dead), (acknowledged.len() as u64, 0));
    }
}

#[test]
fn a_worker_goes_on_when_a_full_disk_has_room_again() {
    with_a_disk_of_its_own("disk::full_and_freed_under_a_worker");
}

#[tokio::test]
#[ignore = "needs a disk of its own"]
async fn full_and_freed_under_a_worker() {
    let (_, inbox, acknowledged, _, ballast) = full().await;
    let worker = tokio::spawn(inbox.worker().until(idle(inbox.clone())).run(|_| async { Ok(()) }));
    tokio::time::sleep(Duration::from_secs(1)).await;
    fs::remove_file(ballast).unwrap();
    assert_eq!(worker.await.unwrap(), Ok(()));
    assert_eq!(inbox.status().await.unwrap().done, acknowledged.len() as u64);
}

#[test]
fn a_disk_that_is_read_only_is_said() {
    with_a_disk_of_its_own("disk::read_only");
}

#[tokio::test]
#[ignore = "needs a disk of its own"]
async fn read_only() {
    let folder = mount("size=9m");
    assert_eq!(open(&folder).await.put(Source::Webhook, "a", b"{}").await, Ok(Put::Stored));
    let remount = |how: &str| Command::new("mount").args(["-o", how]).arg(&folder).output().unwrap().status.success();
    let begun = Instant::now();
    while !remount("remount,bind,ro") {
        // The store's thread closes the file soon.
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    assert!(matches!(Inbox::open(&url(&folder)).await, Err(InboxError::Unreachable(_))));
    assert!(remount("remount,bind,rw"));
    assert_eq!(open(&folder).await.put(Source::Webhook, "a", b"{}").await, Ok(Put::Duplicate));
}

/// Makes a file with some deliveries and without a journal.
async fn filled(folder: &Path) -> Vec<u8> {
    let inbox = open(folder).await;
    for number in 0..50 {
        assert_eq!(inbox.put(Source::Kinesis, &format!("d{number}"), &[b' '; 3000]).await, Ok(Put::Stored));
    }
    drop(inbox);
    let begun = Instant::now();
    while folder.join("inbox.db-wal").exists() {
        // The last connection to close empties the journal, if it may write.
        drop(Connection::open(folder.join("inbox.db")).unwrap().execute_batch("PRAGMA wal_checkpoint"));
        assert!(begun.elapsed() < Duration::from_secs(5), "it is closed");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    fs::read(folder.join("inbox.db")).unwrap()
}

/// The byte ranges of a file in which the root pages of its tables and indexes are.
fn roots(file: &Path) -> Vec<Range<usize>> {
    let connection = Connection::open(file).unwrap();
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    let mut list = connection.prepare("SELECT (rootpage - 1) * ?1 FROM sqlite_schema WHERE rootpage > 1").unwrap();
    let starts = list.query_map([page], |row| row.get::<_, i64>(0)).unwrap().map(Result::unwrap);
    starts.map(|start| start as usize..(start + page) as usize).collect()
}

#[tokio::test]
async fn a_damaged_file_is_said_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inbox.db");
    let good = filled(folder.path()).await;
    let random: Vec<u8> = (0..good.len()).map(|_| fastrand::u8(..)).collect();
    let behind_its_head = [&good[..100], &random[100..]].concat();
    let mut below_its_schema = good.clone();
    for page in roots(&file) {
        below_its_schema[page.clone()].copy_from_slice(&random[page]);
    }
    let mut opened = 0;
    for (what, bytes) in [
        ("random", &random[..]),
        ("random behind its head", &behind_its_head),
        ("random below its schema", &below_its_schema),
        ("cut", &good[..good.len() / 3]),
    ] {
        fs::write(&file, bytes).unwrap();
        let said = match Inbox::open(&url(folder.path())).await {
            Ok(inbox) => {
                opened += 1;
                let address = serve(&inbox).await;
                assert_eq!(post(address, &signed("new", "n")).await, Some(503), "{what}");
                let worker = inbox.worker().run(|_| async { Err(Failure::transient("none is handed out")) });
                match tokio::time::timeout(Duration::from_millis(500), worker).await {
                    Ok(worked) => assert!(matches!(worked, Err(InboxError::Corrupt(_))), "{what}: {worked:?}"),
                    // SQLite reads only pages that are not missing.
                    Err(_) => assert_eq!(what, "cut"),
                }
                inbox.put(Source::Kinesis, "new", b"{}").await.map(drop)
            }
            Err(error) => Err(error),
        };
        assert!(matches!(said, Err(InboxError::Corrupt(_))), "{what}: {said:?}");
        assert!(fs::read(&file).unwrap() == bytes, "{what}: it was changed");
    }
    assert!(opened > 0, "one is found when it is used");
    fs::write(&file, &good).unwrap();
    assert_eq!(open(folder.path()).await.status().await.unwrap().dead, 50, "the good one is as good as before");
}

#[tokio::test]
async fn what_is_no_file_or_of_a_later_version_is_said_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inbox.db")).unwrap();
    assert!(matches!(Inbox::open(&url(folder.path())).await, Err(InboxError::Unreachable(_))));
    fs::remove_dir(folder.path().join("inbox.db")).unwrap();

    filled(folder.path()).await;
    let version = |version: i64| {
        let connection = Connection::open(folder.path().join("inbox.db")).unwrap();
        let now = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        now
    };
    let ours = version(LATER);
    assert_eq!(Inbox::open(&url(folder.path())).await.err(), Some(InboxError::NewerSchema(LATER)));
    assert_eq!(version(ours), LATER);
    assert_eq!(open(folder.path()).await.status().await.unwrap().dead, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_may_have_one_file_and_have_each_delivery_once() {
    const DELIVERIES: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let mut processes = [(); 2].map(|()| crash::start(folder.path(), true));
    let senders: Vec<_> = [0, 1, 0, 1]
        .map(|process: usize| {
            let address = processes[process].1;
            tokio::spawn(async move {
                for number in 0..DELIVERIES {
                    let sent = signed(&format!("msg_{number}"), &format!("installation-{}", number % 9));
                    assert_eq!(post(address, &sent).await, Some(204), "new or known");
                }
            })
        })
        .into();
    for sender in senders {
        sender.await.unwrap();
    }
    let inbox = open(folder.path()).await;
    tokio::time::timeout(Duration::from_secs(20), idle(inbox.clone())).await.expect("they work");
    for (process, _) in &mut processes {
        assert_eq!(process.try_wait().unwrap().map(|ended| ended.code()), None, "it goes on");
        process.kill().unwrap();
        process.wait().unwrap();
    }
    // A second effect would have failed and made a dead letter.
    let status = inbox.status().await.unwrap();
    assert_eq!((status.done, status.dead), (DELIVERIES as u64, 0));
    let connection = Connection::open(folder.path().join("inbox.db")).unwrap();
    let effects: usize =
        connection.query_row("SELECT count(*) FROM effect", [], |row| row.get::<_, u32>(0)).unwrap() as usize;
    assert_eq!(effects, DELIVERIES);
}
