//! `trigger` sends sample notifications.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ampersand_notifications::axum::Received;
use ampersand_notifications::{Delivery, Verifier};
use ampersand_types::notifications::NotificationType;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::Value;

use crate::command::{Run, command, run, run_on};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The type and the id of each delivery that a receiver got.
type Taken = Arc<Mutex<Vec<(String, String)>>>;

/// Returns the names of everything that can be sent.
fn everything() -> impl Iterator<Item = &'static str> {
    NotificationType::KNOWN.iter().map(NotificationType::as_str).chain(["records", "changes"])
}

/// Returns the name of the data message that an action sends.
fn message(action: &str) -> &'static str {
    if action == "subscribe" { "changes" } else { "records" }
}

/// Starts a receiver that verifies deliveries, and returns its URL and what it got.
fn receiver() -> (String, Taken) {
    async fn receive(State((_, taken)): State<(Verifier, Taken)>, Received { delivery, .. }: Received) {
        taken.lock().unwrap().push(match delivery {
            Delivery::Notification(n) => (n.notification_type.to_string(), n.id.unwrap()),
            Delivery::Records(records) => {
                (message(records.message.action.as_deref().unwrap()).to_owned(), records.id.unwrap())
            }
        });
    }
    #[derive(Clone, axum::extract::FromRef)]
    struct App {
        verifier: Verifier,
        both: (Verifier, Taken),
    }
    let taken = Taken::default();
    let verifier = Verifier::new(SECRET).unwrap();
    let app = App { verifier: verifier.clone(), both: (verifier, taken.clone()) };
    let (told, port) = std::sync::mpsc::channel();
    thread::spawn(move || {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, Router::new().route("/", post(receive)).with_state(app)).await
        })
    });
    (format!("http://{}/", port.recv().unwrap()), taken)
}

fn trigger(secret: &str, arguments: &[&str]) -> Run {
    let arguments = [&["trigger"], arguments].concat();
    command(&arguments).env("AMPERSAND_WEBHOOK_SECRET", secret).stdin(Stdio::null()).output().unwrap().into()
}

#[test]
fn every_type_in_every_envelope_is_printed_and_read_again() {
    for envelope in ["webhook", "kinesis"] {
        let sent = run(&["trigger", "--all", "--envelope", envelope]);
        assert_eq!((sent.code, sent.stderr.as_str()), (0, ""));
        let read = run_on(&sent.stdout, &["decode", "--output", "json"]);
        let types: Vec<String> = read
            .lines()
            .iter()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                let action = || message(line["data"]["action"].as_str().unwrap());
                line["notificationType"].as_str().unwrap_or_else(action).to_owned()
            })
            .collect();
        assert_eq!(types, everything().collect::<Vec<_>>(), "{envelope}");
    }
    for envelope in ["kinesis-wrapped", "kinesis-bare", "s3", "sqs", "attributes"] {
        let sent = run(&["trigger", "connection.error", "--envelope", envelope]);
        let read = run_on(&sent.stdout, &["decode", "--type", "connection.error"]);
        assert!(read.stdout.contains("connection.error"), "{envelope}: {read}");
    }
}

#[test]
fn equal_seeds_print_equal_notifications_and_fields_are_set() {
    let print = |seed: &str| run(&["trigger", "connection.created", "--seed", seed, "--count", "3"]).stdout;
    assert_eq!(print("5"), print("5"));
    assert_eq!(print("5").lines().nth(1), print("6").lines().next(), "each has the next seed");
    let set = ["--set", "data.groupRef=acme", "--set", "new.field=[1, 2]", "--set", "provider=5 apples"];
    let set = run(&[&["trigger", "connection.created"], &set[..]].concat());
    let body: Value = serde_json::from_str(&set.stdout).unwrap();
    assert_eq!(body["data"]["groupRef"], "acme");
    assert_eq!(body["data"]["new"]["field"], serde_json::json!([1, 2]));
    assert_eq!(body["data"]["provider"], "5 apples");
}

#[test]
fn a_type_that_is_new_is_sent_and_said_to_be() {
    let sent = run(&["trigger", "connection.craeted"]);
    assert!(sent.code == 0 && sent.stdout.contains("connection.craeted"), "{sent}");
    assert_eq!(sent.stderr, "connection.craeted is no type of the contract: sent as one that is new\n");
}

#[test]
fn what_is_kept_has_beside_it_what_the_transport_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("ref"), "\u{feff}acme").unwrap();
    let set = format!("groupRef=@{}", path("ref"));
    for envelope in ["s3", "sqs", "attributes"] {
        let kept = path(envelope);
        let arguments = ["trigger", "--all", "--envelope", envelope, "--save", &kept, "--set", &set];
        let made = run(&arguments);
        assert_eq!((made.code, made.stdout.as_str(), made.stderr.as_str()), (0, "", ""));
        let from = if envelope == "s3" { "s3" } else { "attributes" };
        for (index, kind) in everything().enumerate() {
            let file = |extension: &str| path(&format!("{envelope}/{:04}.{extension}", index + 1));
            let read = run(&["decode", "--from", from, "--metadata", &file("metadata.json"), &file("json")]);
            let shown = match kind {
                "records" => "records (read)",
                "changes" => "records (subscribe)",
                kind => kind,
            };
            assert!(read.code == 0 && read.stdout.contains(shown) && read.stdout.contains("  acme  "), "{read}");
        }
    }
    let made = trigger(SECRET, &["connection.error", "--save", &path("webhooks")]);
    assert_eq!(made.code, 0, "{made}");
    let verified = ["verify", "--headers", &path("webhooks/0001.headers"), &path("webhooks/0001.json")];
    let verified = Run::from(command(&verified).env("AMPERSAND_WEBHOOK_SECRET", SECRET).output().unwrap());
    assert!(verified.stdout.starts_with("verified: msg_"), "{verified}");
}

#[test]
fn what_is_sent_is_signed_and_taken() {
    let (url, taken) = receiver();
    let sent = trigger(SECRET, &["--all", "--to", &url, "--output", "json"]);
    assert_eq!((sent.code, sent.stderr.as_str()), (0, ""), "{sent}");
    let answers: Vec<Value> = sent.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(answers.iter().all(|answer| answer["status"] == 200), "{sent}");
    let mut taken = taken.lock().unwrap().clone();
    taken.sort();
    let types: Vec<&str> = taken.iter().map(|(kind, _)| kind.as_str()).collect();
    let mut known: Vec<&str> = everything().collect();
    known.sort();
    assert_eq!(types, known);
    taken.dedup_by_key(|(_, id)| id.clone());
    assert_eq!(taken.len(), known.len(), "each has an id of its own");
}

#[test]
fn what_is_refused_is_told() {
    let (url, taken) = receiver();
    let other = trigger("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", &["connection.created", "--to", &url]);
    assert!(other.code == 1 && other.stdout.ends_with("  401\n"), "{other}");
    let unsigned = trigger("", &["connection.created", "--to", &url]);
    assert!(
        unsigned.code == 1 && unsigned.stderr.starts_with("not signed: set AMPERSAND_WEBHOOK_SECRET"),
        "{unsigned}"
    );
    assert!(taken.lock().unwrap().is_empty());

    let nobody = trigger(SECRET, &["connection.created", "--to", "http://127.0.0.1:1/"]);
    assert!(nobody.code == 1 && nobody.stdout.contains("  connection refused: "), "{nobody}");
    for (arguments, why) in [
        (&["connection.created", "--to", "nowhere"][..], "--to: not a URL of http or https"),
        (
            &["connection.created", "--to", &url, "--envelope", "s3"],
            "a URL is sent webhooks: s3 is printed, without --to",
        ),
        (&["connection.created", "--envelope", "s4"], "[possible values: webhook, kinesis,"),
        (&["connection.created", "--set", "groupRef=@no-such-file"], "no-such-file: No such file"),
        (&["connection.created", "--set", "=1"], "it names no field"),
        (&["connection.created", "--set", "config={"], "it is not valid JSON"),
        (&["connection.created", "--to", "ftp://user:PASSWORD@host/?sig=PASSWORD"], "--to: not a URL of http or https"),
        (&["--replay", "kept.json"], "--to <URL>"),
        (&["connection.created", "--set", "groupRef"], "it is not FIELD=VALUE"),
        (&[], "required arguments were not provided"),
    ] {
        let wrong = trigger(SECRET, arguments);
        assert!(wrong.code == 2 && wrong.stderr.contains(why) && !wrong.stderr.contains("PASSWORD"), "{wrong}");
    }
    let wrong = trigger("whsec_!", &["connection.created", "--to", &url]);
    assert!(wrong.code == 2 && !wrong.stderr.contains("whsec_!"), "{wrong}");
}

/// Ampersand's sender also treats a redirect as a failure.
#[test]
fn a_redirect_is_an_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream
            .write_all(b"HTTP/1.1 307 X\r\nLocation: /other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
    });
    let sent = trigger(SECRET, &["connection.created", "--to", &url]);
    assert!(sent.code == 1 && sent.stdout.ends_with("  307\n"), "{sent}");
    server.join().unwrap();
}

#[test]
fn a_rate_is_kept() {
    let (url, taken) = receiver();
    let start = Instant::now();
    let sent = trigger(SECRET, &["connection.created", "--to", &url, "--count", "30", "--rate", "50"]);
    assert_eq!((sent.code, taken.lock().unwrap().len()), (0, 30));
    assert!(start.elapsed() >= Duration::from_millis(29 * 20), "{:?}", start.elapsed());
}
