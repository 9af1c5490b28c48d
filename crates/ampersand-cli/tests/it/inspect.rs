//! Requests the page as a browser does. `cargo xtask peers` tests in a real browser what people do on it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{command, run};
use crate::listen::SECRET;

/// `ampersand inspect`, which runs until it is dropped.
struct Inspector {
    child: Child,
    host: String,
    path: String,
}

impl Inspector {
    fn start(arguments: &[&str], stdin: &str) -> Self {
        let mut command = command(&[&["inspect"], arguments].concat());
        command.env("AMPERSAND_WEBHOOK_SECRET", SECRET).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
        let url = said.strip_prefix("open http://").and_then(|rest| rest.strip_suffix(" until ctrl-C\n"));
        let (host, path) = url.unwrap_or_else(|| panic!("{said}")).split_once('/').unwrap();
        Self { child, host: host.to_owned(), path: format!("/{path}") }
    }

    /// Requests a path below the page's URL. Returns the head and the body of the response.
    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let (page, host) = (&self.path, &self.host);
        write!(stream, "GET {page}{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    /// Waits for a delivery.
    fn delivery(&self, number: usize) -> Value {
        let start = Instant::now();
        loop {
            let (head, body) = self.get(&format!("delivery/{number}"));
            if head.starts_with("HTTP/1.1 200") {
                return serde_json::from_str(&body).unwrap();
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{head}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn trigger(arguments: &[&str]) -> String {
    let run = run(&[&["trigger", "--seed", "7"], arguments].concat());
    assert_eq!(run.code, 0, "{run}");
    run.stdout
}

#[test]
fn the_page_is_of_this_machine_and_the_inbox_is_there() {
    let bad: [&[&str]; 2] = [&["--store", "sqlite:/none.db"], &["--address", "192.0.2.1:0", "webhook"]];
    for arguments in bad {
        let run = run(&[&["inspect"], arguments].concat());
        assert_eq!(run.code, 2, "{run}");
    }
}

#[test]
fn every_answer_keeps_the_page_to_itself() {
    let inspector = Inspector::start(&[], "");
    for (path, status) in [("", "200"), ("page.js", "200"), ("delivery/7", "404"), ("../", "404")] {
        let (head, _) = inspector.get(path);
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        for kept in ["default-src 'none'", "no-store", "no-referrer", "nosniff", "frame-ancestors 'none'"] {
            assert!(head.contains(kept), "{path}: {head}");
        }
    }
}

#[test]
fn a_delivery_of_any_envelope_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    for envelope in ["webhook", "kinesis", "s3", "attributes"] {
        let folder = folder.path().join(envelope);
        trigger(&["connection.error", "records", "--envelope", envelope, "--save", folder.to_str().unwrap()]);
        let inspector = Inspector::start(&[folder.to_str().unwrap(), "--from", envelope], "");
        let (mut error, mut records) = (inspector.delivery(0), inspector.delivery(1));
        if records["kind"] == "connection.error" {
            (error, records) = (records, error);
        }
        assert_eq!((&error["kind"], &records["kind"]), (&"connection.error".into(), &"records (read)".into()));
        assert_eq!((&error["source"], &records["source"]), (&envelope.into(), &envelope.into()));
        let webhook: Value = serde_json::from_str(error["webhook"].as_str().unwrap()).unwrap();
        assert_eq!(webhook["notificationType"], "connection.error");
        assert!(error["payload"]["children"][0]["description"].is_string());
    }
}

/// The file contains the page's tests as they are copied. It also runs as tests itself.
#[test]
fn a_test_that_is_copied_is_one_that_passes() {
    let hostile = "\u{202e}\"#\\r\n{}";
    let folder = tempfile::tempdir().unwrap();
    let s3 = folder.path().join("s3");
    trigger(&["read.backfill.done", "--envelope", "s3", "--save", s3.to_str().unwrap()]);
    let documents = [
        trigger(&["installation.updated"]),
        trigger(&["connection.error", "--set", &format!("groupRef={}", Value::from(hostile))]),
        trigger(&["records", "--envelope", "kinesis"]),
        trigger(&["integration.retired"]),
    ];
    let inspector = Inspector::start(&["-", s3.to_str().unwrap()], &documents.concat());
    let tests = (0..=documents.len()).map(|number| inspector.delivery(number)["test"].as_str().unwrap().to_owned());
    let tests = tests.map(|test| format!("\n{test}")).collect::<String>();
    let head = "//! What the page of `ampersand inspect` copies as a test.\n\n#[rustfmt::skip]\nmod copied {";
    let page = format!("{head}{tests}}}\n");

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pasted.rs");
    if fs::read_to_string(&file).unwrap_or_default() != page {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pasted.rs");
        fs::write(&new, page).unwrap();
        panic!("the page copies something else: look at {}, and copy it to {}", new.display(), file.display());
    }
}
