//! `inbox` shows and repairs an inbox.

use ampersand_inbox::{Failure, Inbox, Options, Put, Retry, State};
use ampersand_notifications::Source;
use ampersand_testing::{Envelope, Fixture};
use regex::Regex;
use tempfile::TempDir;

use crate::command::{Run, command, run};
use crate::serve::{App, Serve, until};

/// Makes an inbox in a folder: two dead letters, a waiting delivery, and a finished one.
fn filled() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("inbox.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let inbox = Inbox::open_with(&store, Options::default()).await.unwrap();
        let put = async |inbox: &Inbox, source, id: &str, kind: &str| {
            let body = Fixture::new(kind).send(Envelope::Webhook).body;
            assert_eq!(inbox.put(source, id, &body).await, Ok(Put::Stored));
        };
        put(&inbox, Source::Webhook, "msg_1", "connection.error").await;
        put(&inbox.endpoint("eu"), Source::Webhook, "msg_1", "installation.created").await;
        put(&inbox, Source::Kinesis, "msg_2", "connection.created").await;
        let watched = inbox.clone();
        let idle = async move {
            while watched.status().await.is_ok_and(|status| status.ready + status.claimed > 0) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let handle = async |id: String| match id.as_str() {
            "msg_1" => Err(Failure::permanent("the application answered 422\u{1b}[2J")),
            _ => Ok(()),
        };
        let mut retry = Retry::default();
        retry.attempts = 1;
        inbox.worker().retry(retry).until(idle).run(move |incoming| handle(incoming.id)).await.unwrap();
        put(&inbox, Source::Kinesis, "msg_3", "connection.deleted").await;
        assert_eq!(inbox.put(Source::Webhook, "msg_4", b"{\"a\": \"\x1b[2J\"\n}\n").await, Ok(Put::Stored));
        assert_eq!(inbox.list(State::Dead, 9).await.unwrap().len(), 3);
    });
    (folder, store)
}

fn inbox(store: &str, arguments: &[&str]) -> Run {
    run(&[&["inbox"], arguments, &["--store", store]].concat())
}

/// Returns the output, without the parts that differ from run to run.
fn shown(run: &Run) -> String {
    let time = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap();
    let age = Regex::new(r"\b\d+ s\b").unwrap();
    let seconds = Regex::new(r#""oldestReadySeconds":[\d.]+"#).unwrap();
    let shown = time.replace_all(&run.stdout, "TIME").into_owned() + &run.stderr;
    seconds.replace_all(&age.replace_all(&shown, "0 s"), r#""oldestReadySeconds":0"#).into_owned()
}

#[test]
fn what_is_in_it_is_shown() {
    let (_folder, store) = filled();
    let mut all = String::new();
    for arguments in [
        &["status"][..],
        &["status", "--output", "json"],
        &["list"],
        &["list", "--most", "1", "--output", "json"],
        &["list", "--state", "ready"],
        &["list", "--state", "done"],
        &["list", "--state", "claimed"],
        &["show", "webhook:eu", "msg_1"],
        &["show", "msg_4"],
        &["show", "msg_4", "--output", "json"],
        &["prune"],
        &["prune", "--output", "json"],
    ] {
        let run = inbox(&store, arguments);
        assert_eq!(run.code, 0, "{run}");
        assert!(!run.stdout.contains('\u{1b}'), "nothing steers the terminal");
        all += &format!("$ ampersand inbox {}\n{}", arguments.join(" "), shown(&run));
    }
    insta::assert_snapshot!(all);
    assert_eq!(inbox(&store, &["show", "msg_4", "--body"]).stdout, "{\"a\": \"\u{1b}[2J\"\n}\n", "to the byte");
}

#[test]
fn a_dead_letter_is_deleted_and_nothing_else_is() {
    let (_folder, store) = filled();
    let mut all = String::new();
    for (code, arguments) in [
        (0, &["delete", "webhook", "msg_1"][..]),
        (1, &["delete", "webhook", "msg_1"]),
        (1, &["delete", "kinesis", "msg_3"]),
        (1, &["show", "msg_9"]),
        (2, &["delete"]),
        (2, &["replay"]),
        (2, &["replay", "msg_1", "--all"]),
    ] {
        let run = inbox(&store, arguments);
        assert_eq!(run.code, code, "{run}");
        if code < 2 {
            all += &shown(&run);
        }
    }
    insta::assert_snapshot!(all, @"
    deleted  webhook msg_1
    error: no delivery msg_1 of webhook: `ampersand inbox list` shows sources and ids
    error: it is ready, and only dead letters can be deleted
    error: no delivery msg_9 of kinesis, webhook, webhook:eu: `ampersand inbox list` shows sources and ids
    ");
}

#[test]
fn dead_letters_are_replayed_by_what_they_have_in_common() {
    let (_folder, store) = filled();
    let mut all = String::new();
    for (code, arguments) in [
        (0, &["replay", "--all", "--dry-run"][..]),
        (0, &["replay", "--type", "installation.created", "--reason", "422", "--dry-run", "--output", "json"]),
        (0, &["replay", "--type", "installation.created", "--reason", "500"]),
        (0, &["replay", "--reason", "answered 422"]),
        (1, &["replay", "--all"]), // the deliveries that still cannot be read
        (1, &["replay", "kinesis", "msg_3"]),
        (0, &["status"]),
    ] {
        let run = inbox(&store, arguments);
        assert_eq!(run.code, code, "{run}");
        all += &format!("$ ampersand inbox {}\n{}", arguments.join(" "), shown(&run));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn all_are_replayed_though_nobody_reads_what_is_said() {
    let (_folder, store) = filled();
    let mut command = command(&["inbox", "replay", "--type", "installation.created", "--store", &store]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(command.stdout(writer).output().unwrap().status.code(), Some(0));
    let mut command = self::command(&["inbox", "replay", "--all", "--store", &store]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(command.stdout(writer).output().unwrap().status.code(), Some(1), "one still cannot be read");
    let left = inbox(&store, &["list"]);
    assert!(left.stdout.lines().count() == 2 && left.stdout.contains("msg_4"), "{left}");
}

#[test]
fn an_id_alone_is_looked_for_in_every_source() {
    let (_folder, store) = filled();
    let several = inbox(&store, &["delete", "msg_1"]);
    assert_eq!(several.code, 1);
    assert!(several.stderr.contains("several sources have a delivery msg_1"), "{several}");
    assert_eq!(inbox(&store, &["delete", "webhook", "msg_1"]).code, 0);
    let left = inbox(&store, &["delete", "msg_1"]);
    assert_eq!(left.stdout, "deleted  webhook:eu msg_1\n", "{left}");
}

#[test]
fn after_the_application_is_mended_it_gets_what_it_had_not_taken() {
    let (folder, store) = filled();
    assert_eq!(inbox(&store, &["replay", "webhook", "msg_1"]).code, 0);
    let app = App::start();
    let serve = Serve::start(&folder, &["--forward", &app.url, "--store", &store]);
    until("two", || inbox(&store, &["status"]).stdout.contains("3 done"));
    let got = app.got(2);
    assert!(got.iter().any(|(headers, _)| headers["ampersand-source"] == "kinesis"));
    assert!(got.iter().any(|(headers, _)| headers["webhook-id"] == "msg_1"));
    assert_eq!(serve.terminate().code, 0);
    assert!(!folder.path().join("inbox.db-wal").exists(), "a stopped store is one file");
}

#[test]
fn a_typo_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    for store in ["sqlite:no-such.db", "sqlite:empty.db", "sqlite:.", "sqlite:", "mysql://user:hunter2@host/db"] {
        let none =
            Run::from(command(&["inbox", "status", "--store", store]).current_dir(folder.path()).output().unwrap());
        assert_eq!((none.code, none.stdout.as_str()), (2, ""), "{none}");
        assert!(!none.stderr.contains("hunter2"), "{none}");
    }
    assert!(!folder.path().join("no-such.db").exists());
    assert_eq!(std::fs::metadata(folder.path().join("empty.db")).unwrap().len(), 0);
    let none = command(&["inbox", "list"]).current_dir(folder.path()).env("AMPERSAND_STORE", "sqlite:a.db").output();
    insta::assert_snapshot!(Run::from(none.unwrap()).stderr, @"error: there is no inbox at a.db: pass --store, or set AMPERSAND_STORE, as `serve` has it");
}
