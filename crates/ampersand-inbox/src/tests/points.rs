//! A process dies at a named point. The deliveries that it acknowledged are there afterwards, and are handled.

use std::fmt::Display;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use ampersand_notifications::Source;
use rusqlite::Connection;

use super::{body, work};
use crate::{Failure, Inbox, Incoming, Put, Retry};

/// A lease that is short enough to wait for its end.
pub(super) const SHORT: Duration = Duration::from_millis(200);

/// The point where this process dies or stops next, and which of them: `dies` or `stops`.
static NEXT: Mutex<Option<(String, String)>> = Mutex::new(None);

fn next(point: &str, does: &str) {
    *NEXT.lock().expect("a lock") = Some((point.to_owned(), does.to_owned()));
}

/// The crate calls this at each of its points, and the handlers here at theirs.
pub(crate) fn reached(point: &str) {
    let next = NEXT.lock().expect("a lock").take_if(|(next, _)| next == point);
    let Some((point, does)) = next else { return };
    say("reached", point);
    match does.as_str() {
        "dies" => std::process::abort(),
        _ => {
            let _ = Command::new("kill").arg("-STOP").arg(std::process::id().to_string()).status();
            // The signal stops threads one after the other: this one waits until all have stopped and gone on.
            while !Path::new(&told("INBOX_FOLDER")).join("continued").exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// Writes a message to the parent, which arrives even if the process dies at once.
fn say(what: &str, of: impl Display) {
    writeln!(std::io::stdout(), "\n{what}: {of}").expect("a pipe");
}

fn told(name: &str) -> String {
    std::env::var(name).expect("the parent says it")
}

/// The child process. It puts deliveries, or handles one, and dies or stops at a point.
#[tokio::test]
#[ignore = "the process that dies"]
async fn child() {
    let [url, way, point, does] = ["INBOX_URL", "INBOX_WAY", "INBOX_POINT", "INBOX_DOES"].map(told);
    let lease = Duration::from_millis(told("INBOX_LEASE").parse().expect("milliseconds"));
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(60));
        std::process::exit(9);
    });
    let inbox = Inbox::open(&url).await.expect("an inbox");
    if way == "put" {
        for number in 1..=5 {
            if number == 5 {
                next(&point, &does);
            }
            let id = format!("d{number}");
            assert_eq!(inbox.put(Source::Webhook, &id, &body("a")).await, Ok(Put::Stored));
            say("stored", id);
        }
    }
    assert_eq!(inbox.put(Source::Webhook, "d", &body("a")).await, Ok(Put::Stored));
    say("stored", "d");
    if point == "after the claim" {
        next(&point, &does);
    }
    // Sets the point once nothing else is written: the next commit after the effect is that of the completion.
    let handle = move || {
        if point != "after the claim" {
            next(&point, &does);
        }
        reached("before the effect");
    };
    let parent_is_done = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let worker = inbox.worker().concurrency(1).lease(lease).until(async { drop(parent_is_done.await) });
    let worked = match way.as_str() {
        "run" => {
            let handler = move |_| {
                handle();
                effect_in_a_file(&told("INBOX_EFFECTS"));
                reached("after the effect");
                std::future::ready(Ok(()))
            };
            worker.run(handler).await
        }
        "in_transaction" => {
            let handler = move |incoming: &Incoming, connection: &Connection| {
                handle();
                effect(incoming, connection)?;
                reached("after the effect");
                Ok(())
            };
            worker.in_transaction(handler).await
        }
        #[cfg(feature = "postgres")]
        "completion" => {
            let handle = std::sync::Arc::new(handle);
            let handler = move |incoming: Incoming| {
                let (handle, url) = (handle.clone(), url.clone());
                async move {
                    handle();
                    let mut client = super::postgres::connect(&url).await;
                    let transaction = client.transaction().await?;
                    transaction.execute("INSERT INTO effect VALUES ($1)", &[&incoming.id]).await?;
                    reached("after the effect");
                    transaction.batch_execute(&incoming.completion.expect("a database")).await?;
                    reached("before the commit");
                    transaction.commit().await?;
                    reached("after the commit");
                    Ok(())
                }
            };
            worker.run(handler).await
        }
        #[cfg(feature = "postgres")]
        _ => {
            let handle = std::sync::Arc::new(handle);
            let handler = super::postgres::any(move |incoming, transaction| {
                let handle = handle.clone();
                Box::pin(async move {
                    handle();
                    super::postgres::effect(incoming, transaction).await?;
                    reached("after the effect");
                    Ok(())
                })
            });
            worker.in_postgres_transaction(handler).await
        }
        #[cfg(not(feature = "postgres"))]
        way => unreachable!("{way}"),
    };
    worked.expect("it works");
    say("ended", "");
}

fn effect_in_a_file(path: &str) {
    let file = fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(b"effect\n")).expect("a file");
}

/// An effect in the inbox's own file. The table counts a second one too.
pub(super) fn effect(incoming: &Incoming, connection: &Connection) -> Result<(), Failure> {
    connection.execute_batch("CREATE TABLE IF NOT EXISTS effect (id TEXT)")?;
    connection.execute("INSERT INTO effect VALUES (?1)", [&incoming.id])?;
    Ok(())
}

/// A child process, killed at the end.
pub(super) struct Other {
    pub(super) process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    pub(super) fn start(url: &str, folder: &Path, way: &str, point: &str, does: &str, lease: Duration) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command.args(["tests::points::child", "--exact", "--ignored", "--nocapture"]);
        command.env("INBOX_FOLDER", folder).env("INBOX_URL", url).env("INBOX_EFFECTS", folder.join("effects"));
        command.env("INBOX_WAY", way).env("INBOX_POINT", point).env("INBOX_DOES", does);
        command.env("INBOX_LEASE", lease.as_millis().to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("a process");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        Self { process, lines }
    }

    /// Reads its output until a message with this name, and returns its value.
    #[cfg(target_os = "linux")]
    pub(super) fn says(&mut self, what: &str) -> Option<String> {
        let lines = self.lines.by_ref().map_while(Result::ok);
        lines.into_iter().find_map(|line| Some(line.strip_prefix(what)?.strip_prefix(": ")?.to_owned()))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Lets a process die at a point. Returns the ids that it acknowledged.
fn dies_at(url: &str, folder: &Path, way: &str, point: &str) -> Vec<String> {
    let mut other = Other::start(url, folder, way, point, "dies", SHORT);
    let said: Vec<String> = other.lines.by_ref().map_while(Result::ok).filter(|line| line.contains(": ")).collect();
    assert_eq!(said.last(), Some(&format!("reached: {point}")), "{way}: {said:?}");
    assert!(!other.process.wait().expect("it ends").success());
    said.iter().filter_map(|line| Some(line.strip_prefix("stored: ")?.to_owned())).collect()
}

pub(super) fn in_file(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("inbox.db").display())
}

fn effects_in_a_file(folder: &Path) -> usize {
    fs::read_to_string(folder.join("effects")).unwrap_or_default().lines().count()
}

pub(super) fn effects(folder: &Path) -> i64 {
    let connection = Connection::open(folder.join("inbox.db")).expect("a file");
    connection.query_row("SELECT count(*) FROM effect", [], |row| row.get(0)).unwrap_or_default()
}

pub(super) async fn idle(inbox: Inbox) {
    while inbox.status().await.map_or(true, |status| status.ready + status.claimed > 0) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_answer_comes_after_the_commit_wherever_the_process_dies() {
    for (point, stored) in [("before the commit", 4), ("after the commit", 5)] {
        let folder = tempfile::tempdir().expect("a folder");
        let url = in_file(folder.path());
        let acknowledged = dies_at(&url, folder.path(), "put", point);
        assert_eq!(acknowledged, ["d1", "d2", "d3", "d4"], "{point}");
        let inbox = Inbox::open(&url).await.expect("an inbox");
        assert_eq!(inbox.status().await.expect("a status").ready, stored, "{point}");
        for id in acknowledged {
            assert_eq!(inbox.put(Source::Webhook, &id, &body("a")).await, Ok(Put::Duplicate), "{point}");
        }
    }
}

#[tokio::test]
async fn a_delivery_is_handled_at_least_once_wherever_the_process_dies() {
    for (point, before, after) in [
        ("after the claim", 0, 1),
        ("before the effect", 0, 1),
        ("after the effect", 1, 2),
        ("before the completion", 1, 2),
        ("before the commit", 1, 2),
        ("after the commit", 1, 1),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let url = in_file(folder.path());
        assert_eq!(dies_at(&url, folder.path(), "run", point), ["d"], "{point}");
        assert_eq!(effects_in_a_file(folder.path()), before, "{point}");
        let inbox = Inbox::open(&url).await.expect("an inbox");
        let path = folder.path().join("effects").display().to_string();
        work(&inbox, Retry::default(), move |_| {
            effect_in_a_file(&path);
            std::future::ready(Ok(()))
        })
        .await;
        assert_eq!(effects_in_a_file(folder.path()), after, "{point}");
        let status = inbox.status().await.expect("a status");
        assert_eq!((status.done, status.dead), (1, 0), "{point}");
    }
}

/// Where a process with an effect in the transaction dies, and how many effects remain.
const IN_A_TRANSACTION: [(&str, i64); 5] = [
    ("after the claim", 0),
    ("before the effect", 0),
    ("after the effect", 0),
    ("before the commit", 0),
    ("after the commit", 1),
];

#[tokio::test]
async fn an_effect_in_the_transaction_happens_once_wherever_the_process_dies() {
    for (point, before) in IN_A_TRANSACTION {
        let folder = tempfile::tempdir().expect("a folder");
        let url = in_file(folder.path());
        assert_eq!(dies_at(&url, folder.path(), "in_transaction", point), ["d"], "{point}");
        assert_eq!(effects(folder.path()), before, "{point}");
        let inbox = Inbox::open(&url).await.expect("an inbox");
        inbox.worker().until(idle(inbox.clone())).in_transaction(effect).await.expect("work");
        assert_eq!(effects(folder.path()), 1, "{point}");
        let status = inbox.status().await.expect("a status");
        assert_eq!((status.done, status.dead), (1, 0), "{point}");
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn an_effect_in_postgres_happens_once_wherever_the_process_dies() {
    use super::postgres::{EFFECTS, connect, database, number};
    const COUNT: &str = "SELECT count(*) FROM effect";
    let ways = ["in_postgres_transaction", "completion"];
    for (way, (point, before)) in ways.into_iter().flat_map(|way| IN_A_TRANSACTION.map(|point| (way, point))) {
        let url = database().await;
        let client = connect(&url).await;
        client.batch_execute(EFFECTS).await.expect("a table");
        assert_eq!(dies_at(&url, Path::new(""), way, point), ["d"], "{way}, {point}");
        assert_eq!(number(&client, COUNT).await, before, "{way}, {point}");
        let inbox = Inbox::open(&url).await.expect("an inbox");
        let worker = inbox.worker().until(idle(inbox.clone()));
        worker.in_postgres_transaction(super::postgres::effect).await.expect("work");
        assert_eq!(number(&client, COUNT).await, 1, "{way}, {point}");
        let status = inbox.status().await.expect("a status");
        assert_eq!((status.done, status.dead), (1, 0), "{way}, {point}");
    }
}
