//! A killed process loses nothing that the system has: only a power failure shows what was not on the disk. So this
//! watches system calls: the journal is synced between its last write and the response.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use ampersand_inbox::Inbox;

use crate::webhook::{post, serve, signed};

const FOLDER: &str = "INBOX_SYNC_FOLDER";
const LISTENING: &str = "listening on ";
const CALLS: &str = "trace=fdatasync,fsync,write,writev,sendto,pwrite64";

/// The process to watch: it receives until its input ends, and handles nothing.
#[tokio::test]
#[ignore = "the process that is watched"]
async fn child() {
    let folder = env::var(FOLDER).expect("run by the test below");
    let inbox = Inbox::open(&format!("sqlite:{folder}/inbox.db")).await.unwrap();
    let address = serve(&inbox).await;
    std::io::stdout().write_all(format!("\n{LISTENING}{address}\n").as_bytes()).unwrap();
    let until = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    until.await.unwrap().unwrap();
}

/// The system calls of a process that gets one webhook, in order.
async fn trace(folder: &Path) -> String {
    let trace = folder.join("trace");
    let mut command = Command::new(env::var_os("PEERS_STRACE").expect("run by `cargo xtask peers`"));
    command.args(["-f", "-y", "-s", "64", "-e", CALLS, "-o"]).arg(&trace);
    command.arg(env::current_exe().unwrap()).args(["peers::sync::child", "--exact", "--ignored", "--nocapture"]);
    command.env(FOLDER, folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix(LISTENING)?.parse().ok());
    assert_eq!(post(address.expect("it listens"), &signed("msg_1", "installation")).await, Some(204));
    drop(child.stdin.take());
    child.wait().unwrap();
    std::fs::read_to_string(trace).unwrap()
}

/// Checks that a sync of the journal returned after its last write and before the response.
fn synced_before_answer(trace: &str) -> Result<(), &'static str> {
    let (_, trace) = trace.split_once(LISTENING).ok_or("it does not listen")?;
    let (mut written, mut is_synced, mut syncing) = (false, false, BTreeSet::new());
    for line in trace.lines() {
        let thread = line.split(' ').next();
        let is_journal = line.contains("/inbox.db-wal>");
        let has_returned = line.ends_with(" = 0");
        if line.contains("HTTP/1.1 204") {
            return match (written, is_synced) {
                (false, _) => Err("it is answered, and nothing is written"),
                (_, false) => Err("it is answered, and what is written is not synced"),
                _ => Ok(()),
            };
        } else if line.contains("sync resumed>") {
            // A sync that was interrupted by another thread's call in the trace.
            is_synced |= syncing.remove(&thread) && has_returned;
        } else if is_journal && line.contains("sync(") {
            is_synced |= has_returned;
            if line.ends_with("<unfinished ...>") {
                syncing.insert(thread);
            }
        } else if is_journal {
            (written, is_synced) = (true, false);
        }
    }
    Err("it is not answered")
}

#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn the_journal_is_synced_before_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path()).await;
    assert_eq!(synced_before_answer(&trace), Ok(()), "{trace}");

    let without = |what: &str| trace.lines().filter(|line| !line.contains(what)).collect::<Vec<_>>().join("\n");
    assert_eq!(synced_before_answer(&without("sync")), Err("it is answered, and what is written is not synced"));
    assert_eq!(synced_before_answer(&without("inbox.db-wal")), Err("it is answered, and nothing is written"));
    assert_eq!(synced_before_answer(&without("HTTP/1.1 204")), Err("it is not answered"));
}

#[test]
fn a_sync_that_is_late_or_fails_is_noticed() {
    const BEGIN: &str =
        "1 write(1</o>, \"\\nlistening on 127\", 9) = 9\n1 pwrite64(7</f/inbox.db-wal>, \"\", 24, 0) = 24\n";
    const UNSYNCED: Result<(), &str> = Err("it is answered, and what is written is not synced");
    for (rest, expected) in [
        ("1 fdatasync(7</f/inbox.db-wal>) = 0\n2 sendto(9, \"HTTP/1.1 204\", 9) = 9", Ok(())),
        ("1 fdatasync(7</f/inbox.db-wal>) = -1 EIO\n2 sendto(9, \"HTTP/1.1 204\", 9) = 9", UNSYNCED),
        ("1 fdatasync(8</f/inbox.db>) = 0\n2 sendto(9, \"HTTP/1.1 204\", 9) = 9", UNSYNCED),
        ("2 sendto(9, \"HTTP/1.1 204\", 9) = 9\n1 fdatasync(7</f/inbox.db-wal>) = 0", UNSYNCED),
        (
            "1 fdatasync(7</f/inbox.db-wal> <unfinished ...>\n2 sendto(9, \"HTTP/1.1 204\", 9) = 9\n\
             1 <... fdatasync resumed>) = 0",
            UNSYNCED,
        ),
        (
            "1 fdatasync(7</f/inbox.db-wal> <unfinished ...>\n2 write(1, \"\", 0) = 0\n1 <... fdatasync resumed>) = 0\n\
             2 sendto(9, \"HTTP/1.1 204\", 9) = 9",
            Ok(()),
        ),
    ] {
        assert_eq!(synced_before_answer(&format!("{BEGIN}{rest}")), expected, "{rest}");
    }
}
