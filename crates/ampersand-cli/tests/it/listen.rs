//! `listen` receives requests at a terminal.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use ampersand_notifications::Secret;
use ampersand_types::notifications::NotificationType;
use serde_json::Value;

use crate::command::{Run, command, run};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// `ampersand listen` on a free port, which ends when the test stops it.
pub(crate) struct Listener {
    child: Child,
    stderr: BufReader<ChildStderr>,
    pub(crate) url: String,
    said: String,
}

impl Listener {
    pub(crate) fn start(secret: &str, arguments: &[&str]) -> Self {
        Self::spawn(secret, arguments, Stdio::piped())
    }

    fn spawn(secret: &str, arguments: &[&str], stdout: Stdio) -> Self {
        let arguments = [&["listen", "0"], arguments].concat();
        let mut child = command(&arguments)
            .env("AMPERSAND_WEBHOOK_SECRET", secret)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let url = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "{said}");
            said.push_str(&line);
            if let Some(url) = line.strip_prefix("listening at ") {
                break url.split(',').next().unwrap().to_owned();
            }
        };
        Self { child, stderr, url, said }
    }

    pub(crate) fn trigger(&self, secret: &str, arguments: &[&str]) -> Run {
        let arguments = [&["trigger", "--to", &self.url], arguments].concat();
        command(&arguments).env("AMPERSAND_WEBHOOK_SECRET", secret).stdin(Stdio::null()).output().unwrap().into()
    }

    fn address(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches('/')
    }

    /// Sends bytes, and returns the response.
    fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let _ = stream.write_all(request.as_bytes()); // The listener may respond and close before everything is sent.
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Ends the listener as ctrl-C does.
    pub(crate) fn interrupt(self) -> Run {
        self.signal("-INT");
        self.end()
    }

    fn end(mut self) -> Run {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        Run { code: self.child.wait().unwrap().code().unwrap(), stdout, stderr: self.said }
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

#[test]
fn what_is_triggered_is_received_verified_and_printed() {
    let listener = Listener::start(SECRET, &["--output", "json"]);
    let sent = listener.trigger(SECRET, &["--all"]);
    assert_eq!(sent.code, 0, "{sent}");
    let ended = listener.interrupt();
    assert_eq!(ended.code, 0, "{ended}");
    assert!(!ended.stderr.contains("WARNING"), "{ended}");
    let lines: Vec<Value> = ended.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), NotificationType::KNOWN.len() + 2);
    assert!(lines.iter().all(|line| line["source"] == "webhook" && line["id"].as_str().unwrap().starts_with("msg_")));
    assert!(lines.iter().all(|line| line["verified"] == true));
}

#[test]
fn what_is_sent_is_new_each_time_unless_a_seed_is_given() {
    let listener = Listener::start(SECRET, &["--output", "json"]);
    let types = ["connection.error", "connection.error"];
    for arguments in [&types[..], &types, &["connection.error", "--seed", "7"], &["connection.error", "--seed", "7"]] {
        assert_eq!(listener.trigger(SECRET, arguments).code, 0);
    }
    let ids: Vec<Value> = listener.interrupt().lines().iter().map(|line| parse(line)["id"].take()).collect();
    let different: std::collections::BTreeSet<&str> = ids.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!((ids.len(), different.len()), (6, 5), "{ids:?}");
}

#[test]
fn what_cannot_be_printed_is_not_taken() {
    let mut full = Listener::spawn(SECRET, &[], std::fs::File::options().write(true).open("/dev/full").unwrap().into());
    assert!(full.trigger(SECRET, &["connection.error"]).stdout.ends_with("  503\n"));
    assert_eq!(full.child.wait().unwrap().code(), Some(1));
}

/// Nobody reads the output, and the output is larger than a pipe's buffer.
#[test]
fn while_nobody_reads_it_goes_on_to_answer() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    std::fs::write(&config, format!("{{\"a\": \"{}\"}}", "b".repeat(200_000))).unwrap();
    let set = format!("config=@{}", config.display());
    let listener = Listener::start(SECRET, &["--output", "json"]);
    let sent = listener.trigger(SECRET, &["installation.created", "--count", "3", "--set", &set]);
    assert!(sent.code == 1 && sent.lines().iter().all(|line| line.ends_with("  503")), "{sent}");
    let pid = listener.child.id().to_string();
    let begun = std::time::Instant::now();
    let mut child = listener.child;
    for _ in 0..2 {
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        std::thread::sleep(Duration::from_millis(300));
    }
    child.wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn a_secret_that_cannot_be_used_is_not_as_if_none_were_wanted() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let path = empty.path().to_str().unwrap();
    for (variable, arguments) in [(" , ", &[][..]), ("", &["--secret-file", path])] {
        let listen = [&["listen", "127.0.0.1:0"], arguments].concat();
        let run = Run::from(command(&listen).env("AMPERSAND_WEBHOOK_SECRET", variable).output().unwrap());
        assert!(run.code == 2 && run.stderr.ends_with(": there is no secret in it\n"), "{run}");
    }
}

#[test]
fn where_to_listen_and_whom_to_pass_on_to_is_checked_first() {
    for (arguments, why) in [
        (&["listen", "nowhere"][..], "neither a port"),
        (&["listen", "0", "--forward", "ftp://user:PASSWORD@host/"], "--forward: not a URL of http or https"),
    ] {
        let run = run(arguments);
        assert!(run.code == 2 && run.stderr.contains(why) && !run.stderr.contains("PASSWORD"), "{run}");
    }
}

#[test]
fn what_is_refused_has_its_status() {
    let listener = Listener::start(SECRET, &[]);
    let forged = listener.trigger("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", &["connection.created"]);
    assert!(forged.code == 1 && forged.stdout.ends_with("  401\n"), "{forged}");
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".to_owned(), 405),
        (post("Content-Type: text/plain\r\n", "{}"), 415),
        (post(&format!("Content-Type: text/\u{202e}{}\r\n", "x".repeat(1000)), "{}"), 415),
        (post("Content-Type: application/json; charset=utf-8\r\n", "{}"), 401),
        (
            post("Content-Encoding: Identity, aws-chunked\r\nContent-Encoding:\r\nContent-Encoding: utf-8\r\n", "{}"),
            401,
        ),
        (post("", &" ".repeat((1 << 20) + 1)), 413),
        ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n".to_owned(), 413),
        (post("Content-Encoding: gzip\r\n", "{}"), 415),
        (post("Content-Encoding: identity\r\nContent-Encoding: aws-chunked, BR\r\n", "{}"), 415),
    ] {
        let answer = listener.send(&request);
        assert_eq!(answer.contains("\r\nallow: POST\r\n"), status == 405, "{answer}");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let ended = listener.interrupt();
    assert_eq!(ended.code, 0, "{ended}");
    let verdicts = ended.lines().into_iter().map(|line| line.split_once("refused with ").unwrap().1);
    insta::assert_snapshot!(verdicts.collect::<Vec<_>>().join("\n"), @"
    401: the signature is wrong: check the secret, and that the body is the bytes that came, not parsed and encoded again
    405: a webhook is a POST
    415: a webhook is application/json, and this is `text/plain`
    415: a webhook is application/json, and this is `text/�xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`
    401: the request has no header `svix-id`: was it sent as a webhook?
    401: the request has no header `svix-id`: was it sent as a webhook?
    413: the body has more than 1 MiB
    413: the body has more than 1 MiB
    415: a webhook is not compressed, and this is `gzip`
    415: a webhook is not compressed, and this is `BR`
    ");
}

#[test]
fn what_does_not_come_in_time_is_refused_before_the_sender_gives_up() {
    let listener = Listener::start(SECRET, &[]);
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert!(listener.interrupt().stdout.ends_with("refused with 408: the body did not come in time\n"));
}

#[test]
fn what_is_in_flight_when_it_is_told_to_end_is_finished() {
    let listener = Listener::start("", &[]);
    let body = r#"{"notificationType": "new", "data": 1}"#;
    let request = post("", body);
    let (begun, rest) = request.split_at(request.len() - 1);
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.write_all(begun.as_bytes()).unwrap();
    let rest = rest.to_owned();
    let sender = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1500));
        stream.write_all(rest.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    std::thread::sleep(Duration::from_millis(200)); // until its beginning is read
    let ended = listener.interrupt();
    assert!(sender.join().unwrap().starts_with("HTTP/1.1 204 "));
    assert!(ended.code == 0 && ended.stdout.contains("new (new)"), "{ended}");
    assert!(ended.stderr.contains("ctrl-C again ends at once"), "{ended}");
}

#[test]
fn sigterm_lets_what_is_in_flight_end_and_a_second_signal_does_not() {
    let body = r#"{"notificationType": "new", "data": 1}"#;
    let request = post("", body);
    let (begun, rest) = request.split_at(request.len() - 1);
    for second in [None, Some("-INT"), Some("-TERM")] {
        let listener = Listener::start("", &[]);
        let mut stream = TcpStream::connect(listener.address()).unwrap();
        stream.write_all(begun.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(200)); // until its beginning is read
        listener.signal("-TERM");
        std::thread::sleep(Duration::from_millis(200));
        if let Some(signal) = second {
            listener.signal(signal);
            let ended = listener.end();
            assert!(ended.code == 1 && ended.stderr.contains("ended before all requests were answered"), "{ended}");
            continue;
        }
        stream.write_all(rest.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let ended = listener.end();
        assert!(answer.starts_with("HTTP/1.1 204 ") && ended.code == 0, "{answer}{ended}");
    }
}

#[test]
fn a_connection_without_a_request_keeps_nothing_open() {
    let listener = Listener::start(SECRET, &[]);
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHo").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let begun = std::time::Instant::now();
    assert_eq!(listener.interrupt().code, 0);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn without_a_secret_it_warns_and_takes_what_can_be_read() {
    let listener = Listener::start("", &[]);
    assert!(listener.said.starts_with("WARNING: anybody can send anything"), "{}", listener.said);
    assert!(listener.send(&post("", r#"{"notificationType": "new", "data": 1}"#)).starts_with("HTTP/1.1 204 "));
    assert!(listener.send(&post("", "[1]")).starts_with("HTTP/1.1 422 "));
    let ended = listener.interrupt();
    assert!(ended.lines()[0].contains("new (new)") && ended.lines()[0].ends_with("  not verified"), "{ended}");
}

#[test]
fn what_is_kept_is_what_came() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let listener = Listener::start(SECRET, &["--save", kept.to_str().unwrap()]);
    assert_eq!(listener.trigger(SECRET, &["installation.updated", "--seed", "0"]).code, 0);
    assert_eq!(listener.interrupt().code, 0);
    let (headers, body) = (kept.join("0001.headers"), kept.join("0001.json"));
    let (headers, body) = (headers.to_str().unwrap(), body.to_str().unwrap());
    let verified = command(&["verify", "--headers", headers, body]).env("AMPERSAND_WEBHOOK_SECRET", SECRET).output();
    let verified = Run::from(verified.unwrap());
    assert_eq!(verified.code, 0, "{verified}");
    assert!(run(&["decode", body]).stdout.contains("installation.updated"));
    let sent = run(&["trigger", "installation.updated"]).stdout;
    assert_eq!(std::fs::read_to_string(body).unwrap(), sent.trim_end(), "to the byte");

    // A stored request can be sent again: unchanged, or with a new signature.
    let listener = Listener::start(SECRET, &["--output", "json"]);
    assert!(listener.trigger("", &["--replay", body]).stdout.ends_with("  204\n"));
    std::fs::write(
        headers,
        std::fs::read_to_string(headers).unwrap().replace("svix-timestamp: 1", "svix-timestamp: 0"),
    )
    .unwrap();
    let old = listener.trigger("", &["--replay", body, "--replay", "no-such-file.json", "--replay", headers]);
    let ends: Vec<&str> = old.lines().iter().map(|line| line.rsplit("  ").next().unwrap()).collect();
    assert_eq!(ends, ["401", "no-such-file.json: No such file or directory (os error 2)", "401"]);
    assert!(listener.trigger(SECRET, &["--replay", body]).stdout.ends_with("  204\n"));
    let ended = listener.interrupt();
    let ids: Vec<Value> =
        ended.lines().iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].take()).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ended}");
}

#[test]
fn what_is_refused_is_kept_too_and_nothing_that_was_kept_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    for (number, body) in [("0001", "no JSON"), ("0002", "nor this")] {
        let listener = Listener::start(SECRET, &["--save", folder.path().to_str().unwrap()]);
        assert!(listener.send(&post("X-Header: 1\r\n", body)).starts_with("HTTP/1.1 401 "));
        assert!(listener.interrupt().stdout.contains(&format!("  refused with 401, kept as {number}: ")));
        assert_eq!(std::fs::read_to_string(folder.path().join(format!("{number}.json"))).unwrap(), body);
    }
    assert!(std::fs::read_to_string(folder.path().join("0001.headers")).unwrap().contains("x-header: 1\n"));
    assert_eq!(std::fs::read_to_string(folder.path().join("0001.json")).unwrap(), "no JSON");
}

#[test]
fn a_refused_request_is_kept_whatever_its_status() {
    let folder = tempfile::tempdir().unwrap();
    let listener = Listener::start(SECRET, &["--save", folder.path().to_str().unwrap()]);
    let chunked = format!("Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n{}", "x".repeat(0x10_0001));
    for (number, request, status, bytes) in [
        (1, "GET / HTTP/1.1\r\nHost: h\r\nX-Header: 1\r\nConnection: close\r\n\r\n".to_owned(), 405, 0),
        (2, post("X-Header: 1\r\nContent-Type: text/plain\r\n", "text"), 415, 4),
        (3, "POST / HTTP/1.1\r\nHost: h\r\nX-Header: 1\r\nContent-Length: 5000000\r\n\r\n".to_owned(), 413, 0),
        (4, format!("POST / HTTP/1.1\r\nHost: h\r\nX-Header: 1\r\n{chunked}"), 413, 1 << 20),
        (5, post(&format!("X-Header: 1\r\n{}", signed("[1]")), "[1]"), 422, 3),
    ] {
        let answer = listener.send(&request);
        // The listener may close the connection if more is sent after its response.
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) || (number == 4 && answer.is_empty()), "{answer}");
        let kept = |extension: &str| std::fs::read(folder.path().join(format!("000{number}.{extension}"))).unwrap();
        assert!(String::from_utf8(kept("headers")).unwrap().contains("x-header: 1\n"), "{status}");
        assert_eq!(kept("json").len(), bytes, "{status}");
    }
    let mut cut = TcpStream::connect(listener.address()).unwrap();
    cut.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{\"cut").unwrap();
    std::thread::sleep(Duration::from_millis(200)); // until its beginning is read
    drop(cut);
    let ended = listener.interrupt();
    let last = ended.lines().pop().unwrap();
    assert!(last.ends_with("  refused with 400, kept as 0006, its body cut off: the body broke off"), "{ended}");
    assert_eq!(std::fs::read(folder.path().join("0006.json")).unwrap(), b"{\"cut");
}

/// Returns the headers of a webhook that is signed now.
fn signed(body: &str) -> String {
    let now = jiff::Timestamp::now();
    let signature = Secret::new(SECRET).unwrap().sign("msg_1", now, body.as_bytes());
    format!("svix-id: msg_1\r\nsvix-timestamp: {}\r\nsvix-signature: {signature}\r\n", now.as_second())
}

#[test]
fn a_body_that_cannot_be_read_is_passed_on_and_the_receiver_behind_decides() {
    let behind = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", behind.local_addr().unwrap());
    let receiver = std::thread::spawn(move || {
        for _ in 0..2 {
            let mut stream = behind.accept().unwrap().0;
            let mut request = Vec::new();
            while !request.ends_with(b"[1]") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            stream.write_all(b"HTTP/1.1 202 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        }
    });
    let mut shown = String::new();
    for secret in [SECRET, ""] {
        let front = Listener::start(secret, &["--forward", &url]);
        let answer = front.send(&post(&signed("[1]"), "[1]"));
        assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
        shown += front.interrupt().lines()[0].rsplit_once(" B  ").unwrap().1;
        shown += "\n";
    }
    receiver.join().unwrap();
    // Another test may listen at a port that is free again, but none at this one.
    let front = Listener::start(SECRET, &["--forward", "http://127.0.0.1:1/"]);
    let answer = front.send(&post(&signed("[1]"), "[1]"));
    assert!(answer.ends_with("\r\n\r\nthe receiver behind cannot be reached"), "the sender is not told why: {answer}");
    shown += front.interrupt().lines()[0].rsplit_once(" B  ").unwrap().1;
    insta::assert_snapshot!(shown, @"
    verified, answered with 202; the body could not be read: at $: found sequence, expected an object; the body is an array: read each of its items
    not verified, answered with 202; the body could not be read: at $: found sequence, expected an object; the body is an array: read each of its items
    refused with 503: the receiver behind cannot be reached: connection refused: nothing listens at this host and port; the body could not be read: at $: found sequence, expected an object; the body is an array: read each of its items
    ");
}

#[test]
fn a_request_is_passed_on_untouched_and_the_answer_back() {
    let behind = Listener::start(SECRET, &[]); // which verifies it again
    let front = Listener::start(SECRET, &["--forward", &behind.url]);
    assert!(front.trigger(SECRET, &["connection.created"]).stdout.ends_with("  204\n"));
    assert!(behind.interrupt().stdout.contains("connection.created"));
    let alone = front.trigger(SECRET, &["connection.created"]);
    assert!(alone.stdout.ends_with("  503\n"), "nobody is behind: {alone}");
    let told = front.interrupt().stdout;
    assert!(told.lines().next().unwrap().ends_with("  verified, answered with 204"), "{told}");
    let refused = "  refused with 503: the receiver behind cannot be reached: connection refused: ";
    assert!(told.lines().nth(1).unwrap().contains(refused), "{told}");

    let picky = Listener::start("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", &[]);
    let front = Listener::start(SECRET, &["--forward", &picky.url]);
    assert!(front.trigger(SECRET, &["connection.created"]).stdout.ends_with("  401\n"), "the answer of who is behind");
    picky.interrupt();
    front.interrupt();
}

#[test]
fn an_answer_from_behind_that_has_no_end_is_given_up() {
    let behind = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = Listener::start(SECRET, &["--forward", &format!("http://{}/", behind.local_addr().unwrap())]);
    let endless = std::thread::spawn(move || {
        let mut stream = behind.accept().unwrap().0;
        assert!(stream.read(&mut [0; 1 << 16]).unwrap() > 0); // A response that nobody requested is ignored.
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").unwrap();
        while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
    });
    assert!(front.trigger(SECRET, &["connection.created"]).stdout.ends_with("  503\n"));
    endless.join().unwrap();
    let told = front.interrupt().stdout;
    assert!(told.ends_with("  refused with 503: the receiver behind answered more than 1 MiB\n"), "{told}");
}

#[test]
fn the_demo_shows_one_of_everything_and_ends() {
    let demo = run(&["listen", "--demo"]);
    assert_eq!(demo.code, 0, "{demo}");
    assert_eq!(demo.lines().len(), NotificationType::KNOWN.len() * 7 + 6);
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    for shown in demo.lines().iter().rev().take(2).chain(&demo.stderr.lines().rev().take(2).collect::<Vec<_>>()) {
        assert!(readme.contains(shown), "the README shows how the demo ends: {shown}");
    }
    let (_, said) = demo.stderr.split_once(", a sender").unwrap();
    let (before, expired) = said.split_once("expired at ").unwrap();
    let (_, after) = expired.split_once(';').unwrap();
    let twice = regex::Regex::new("none lost; .* came twice.*").unwrap();
    insta::assert_snapshot!(format!("{before}expired at TIME;{}", twice.replace(after, "none lost; SOME came twice")));
}
