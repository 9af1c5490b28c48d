//! A process is stopped for longer than its lease, and goes on after another has taken over. It ends no delivery, and
//! its effect is rolled back.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ampersand_notifications::Source;

use super::points::{Other, SHORT, effect, effects, idle, in_file};
use super::{Claimed, Outcome, body};
use crate::{Inbox, InboxError};

/// Milliseconds; longer than any test.
const LONG: i64 = 600_000;

/// Starts a process that stops at a point, with a delivery.
fn stopped(url: &str, folder: &Path, way: &str, point: &str, lease: Duration) -> Other {
    let mut other = Other::start(url, folder, way, point, "stops", lease);
    assert_eq!(other.says("reached").as_deref(), Some(point));
    let stat = format!("/proc/{}/stat", other.process.id());
    let begun = Instant::now();
    while !fs::read_to_string(&stat).expect("a process").contains(") T ") {
        assert!(begun.elapsed() < Duration::from_secs(10), "it stops");
        std::thread::sleep(Duration::from_millis(2));
    }
    other
}

/// Lets it go on until it has ended its work.
fn goes_on(mut other: Other, folder: &Path) {
    let id = other.process.id().to_string();
    assert!(Command::new("kill").args(["-CONT", &id]).status().expect("a program").success());
    fs::write(folder.join("continued"), "").expect("a file");
    drop(other.process.stdin.take());
    assert!(other.says("ended").is_some(), "it ends without an error");
}

/// Claims the other process's delivery once its lease has ended.
async fn taken_over(inbox: &Inbox) -> Claimed {
    let begun = Instant::now();
    loop {
        if let Some(claimed) = inbox.store.claim(1, LONG).await.expect("a claim").pop() {
            return claimed;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "its lease ends");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn who_was_stopped_ends_nothing_that_another_one_has() {
    for point in ["after the claim", "before the effect", "before the completion"] {
        let folder = tempfile::tempdir().expect("a folder");
        let url = in_file(folder.path());
        let other = stopped(&url, folder.path(), "run", point, SHORT);
        let inbox = Inbox::open(&url).await.expect("an inbox");
        let claimed = taken_over(&inbox).await;
        assert_eq!(claimed.attempt, 2, "{point}");
        goes_on(other, folder.path());
        assert_eq!(inbox.status().await.expect("a status").claimed, 1, "{point}");
        assert_eq!(inbox.store.finish(claimed.seq, claimed.token, Outcome::Done).await, Ok(true), "{point}");
    }
}

#[tokio::test]
async fn who_was_stopped_before_its_transaction_applies_nothing() {
    for is_claimed in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let url = in_file(folder.path());
        let other = stopped(&url, folder.path(), "in_transaction", "after the claim", SHORT);
        let inbox = Inbox::open(&url).await.expect("an inbox");
        let worker = inbox.worker().until(idle(inbox.clone()));
        if is_claimed {
            let claimed = taken_over(&inbox).await;
            goes_on(other, folder.path());
            assert_eq!(effects(folder.path()), 0);
            assert_eq!(inbox.store.finish(claimed.seq, claimed.token, Outcome::Released).await, Ok(true));
            worker.in_transaction(effect).await.expect("work");
        } else {
            worker.in_transaction(effect).await.expect("work");
            assert_eq!(effects(folder.path()), 1);
            goes_on(other, folder.path());
        }
        assert_eq!(effects(folder.path()), 1);
        assert_eq!(inbox.status().await.expect("a status").done, 1);
    }
}

#[tokio::test]
async fn who_is_stopped_in_its_transaction_keeps_the_file_and_others_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = in_file(folder.path());
    // Opens the inbox before the process stops, as opening would wait too.
    let inbox = Inbox::open(&url).await.expect("an inbox");
    let other = stopped(&url, folder.path(), "in_transaction", "before the commit", SHORT);
    let begun = Instant::now();
    assert_eq!(inbox.put(Source::Webhook, "e", &body("b")).await, Err(InboxError::Locked));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    goes_on(other, folder.path());
    assert_eq!(effects(folder.path()), 1);
    inbox.worker().until(idle(inbox.clone())).in_transaction(effect).await.expect("work");
    assert_eq!((effects(folder.path()), inbox.status().await.expect("a status").done), (1, 1));
}

#[cfg(feature = "postgres")]
#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn who_was_stopped_in_postgres_rolls_back() {
    use super::postgres::{EFFECTS, connect, database, number};
    const COUNT: &str = "SELECT count(*) FROM effect";
    const LEASE_ENDS: &str = "UPDATE ampersand_inbox.delivery SET due = now()";
    for (point, lease) in [
        ("after the claim", SHORT),
        ("after the effect", SHORT),
        // The lease need not be renewed yet: the completion alone finds that the claim is lost.
        ("after the effect", Duration::from_secs(60)),
        // It holds the lane's lock: the database ends its transaction after ten seconds.
        ("before the commit", SHORT),
    ] {
        let url = database().await;
        let client = connect(&url).await;
        client.batch_execute(EFFECTS).await.expect("a table");
        let folder = tempfile::tempdir().expect("a folder");
        let other = stopped(&url, folder.path(), "in_postgres_transaction", point, lease);
        if lease != SHORT {
            client.batch_execute(LEASE_ENDS).await.expect("an update");
        }
        let inbox = Inbox::open(&url).await.expect("an inbox");
        let claimed = taken_over(&inbox).await;
        goes_on(other, folder.path());
        assert_eq!(number(&client, COUNT).await, 0, "{point}");
        assert_eq!(inbox.store.finish(claimed.seq, claimed.token, Outcome::Released).await, Ok(true), "{point}");
        let worker = inbox.worker().until(idle(inbox.clone()));
        worker.in_postgres_transaction(super::postgres::effect).await.expect("work");
        assert_eq!(number(&client, COUNT).await, 1, "{point}");
    }
}
