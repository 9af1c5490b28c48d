//! `resolve` downloads the values that were too large to send, inserts them, and changes nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use test_support::server::{Server, send};

use crate::command::{Run, payloads, run, run_on};
use crate::files::{self, Files};

const CONFIG: &str = "{\n  \"provider\": \"hubspot\", \"size\": 1.10\n}\n";

const FILES: Files = &[
    ("/config", CONFIG),
    ("/slow", r#"{"provider": "slow"}"#),
    ("/records", r#"[{"fields": {"id": 1742558812455698401}, "raw": {}}]"#),
    ("/text", "<html>"),
    ("/list", "[1]"),
];

/// Returns a webhook of a new type, because resolving depends only on the members.
fn webhook(data: &str) -> String {
    format!(r#"{{"notificationType": "new", "data": {data}}}"#)
}

fn resolve(stdin: &str, more: &[&str]) -> Run {
    run_on(stdin, &[&["resolve", "--output", "json"][..], more].concat())
}

const LOCAL: [&str; 2] = ["--allow-http", "--allow-private"];

/// Returns the data in a line of output.
fn data(line: &str) -> &str {
    line.split_once(r#""data":"#).unwrap().1.strip_suffix('}').unwrap()
}

#[test]
fn configurations_are_put_where_they_belong() {
    let server = files::serve(FILES);
    let url = |path: &str| format!("\"{}{path}?X=SECRET\"", server.url);
    let (config, slow) = (url("/config"), url("/slow"));
    let one_line = r#"{"provider":"hubspot","size":1.10}"#;
    for (sent, expected) in [
        // the value is absent: use the URL
        (
            format!(r#"{{"a":1E2,"configURL":{config},"z":"\u00e9"}}"#),
            format!(r#"{{"a":1E2,"configURL":{config},"config":{one_line},"z":"\u00e9"}}"#),
        ),
        (
            format!(r#"{{"config":{{}},"configURL":{config}}}"#),
            format!(r#"{{"config":{one_line},"configURL":{config}}}"#),
        ),
        (
            format!(r#"{{"configURL":{config},"config":null}}"#),
            format!(r#"{{"configURL":{config},"config":{one_line}}}"#),
        ),
        // the inline value wins
        (
            format!(r#"{{"config":{{"a":1}},"configURL":{config}}}"#),
            format!(r#"{{"config":{{"a":1}},"configURL":{config}}}"#),
        ),
        (r#"{"config":{},"configURL":""}"#.to_owned(), r#"{"config":{},"configURL":""}"#.to_owned()),
        // both, in any order
        (
            format!(r#"{{"lastConfigURL":{slow},"lastConfig":{{}},"configURL":{config}}}"#),
            format!(
                r#"{{"lastConfigURL":{slow},"lastConfig":{{"provider":"slow"}},"configURL":{config},"config":{one_line}}}"#
            ),
        ),
        (r#"{"configURL":5}"#.to_owned(), r#"{"configURL":5}"#.to_owned()),
        ("[]".to_owned(), "[]".to_owned()),
    ] {
        let run = resolve(&webhook(&sent), &LOCAL);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{sent}");
        let squeezed = |text: &str| text.replace(": ", ":");
        assert_eq!(squeezed(data(run.lines()[0])), squeezed(&expected));
    }
}

#[test]
fn records_are_put_where_they_belong() {
    let server = files::serve(FILES);
    let message = |result: &str, path: &str| {
        let info = format!(r#"{{"type": "url", "downloadUrl": "{}{path}", "numRecords": 1}}"#, server.url);
        format!(
            r#"{{"action": "read", "projectId": "p", "provider": "hubspot", "installationId": "i", "installationUpdateTime": "t", "groupRef": "g", "groupName": "G", "consumerRef": "c", "consumerName": "C", "objectName": "o", "resultInfo": {info}{result}}}"#
        )
    };
    let records = r#", "result": [{"fields": {"id": 1742558812455698401}, "raw": {}}]"#;
    for (result, expected) in [(r#", "result": null"#, records), (r#", "result": [ ]"#, records), (records, records)] {
        let run = resolve(&message(result, "/records"), &LOCAL);
        assert_eq!((run.code, data(run.lines()[0])), (0, message(expected, "/records").as_str()));
    }
    let absent = resolve(&message("", "/records"), &LOCAL);
    assert_eq!(data(absent.lines()[0]).replace("},\"result\":", "}, \"result\": "), message(records, "/records"));

    let without_url = message("", "").replace("downloadUrl", "otherUrl");
    let missing = resolve(&without_url, &LOCAL);
    assert_eq!((missing.code, data(missing.lines()[0])), (1, without_url.as_str()));
    assert!(missing.stderr.starts_with("stdin:1: result: neither the value nor a URL of it was sent"), "{missing}");

    let not_records = resolve(&message("", "/list"), &LOCAL);
    assert_eq!((not_records.code, data(not_records.lines()[0])), (1, message("", "/list").as_str()));
    assert!(
        not_records.stderr.contains(": the value is not the JSON of a `Vec<ResultEntry>` at line 1 "),
        "{not_records}"
    );
}

#[test]
fn downloads_are_many_at_once_and_what_comes_out_is_in_order() {
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let at_most = most.clone();
    let server = Server::start(move |request, stream| {
        at_most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let file = files::get(FILES, request.path());
        now.fetch_sub(1, Ordering::SeqCst);
        send(stream, &file);
    });
    let stream: Vec<String> = (0..24)
        .map(|number| {
            let path = if number % 2 == 0 { "/slow" } else { "/config" };
            webhook(&format!(r#"{{"number": {number}, "configURL": "{}{path}"}}"#, server.url))
        })
        .collect();
    let run = resolve(&stream.join("\n"), &LOCAL);
    assert_eq!(run.code, 0);
    let numbers: Vec<&str> =
        run.lines().iter().map(|line| data(line).split([':', ',']).nth(1).unwrap().trim()).collect();
    assert_eq!(numbers, (0..24).map(|number| number.to_string()).collect::<Vec<_>>());
    let most = most.load(Ordering::SeqCst);
    assert!((2..=8).contains(&most), "{most} at once");
}

#[test]
fn what_cannot_be_downloaded_leaves_the_event_as_it_was() {
    let server = files::serve(FILES);
    let sent = |path: &str| format!(r#"{{"configURL":"{}{path}?X=SECRET"}}"#, server.url);
    let mut shown = String::new();
    for (path, options) in [
        ("/gone", &LOCAL[..]),
        ("/text", &LOCAL),
        ("/config", &["--allow-private"]),
        ("/config", &["--allow-http"]),
        ("/config", &["--allow-http", "--allow-private", "--allow-host", "storage.googleapis.com"]),
        ("/config", &["--allow-http", "--allow-private", "--max-bytes", "10"]),
    ] {
        let run = resolve(&webhook(&sent(path)), options);
        assert_eq!((run.code, data(run.lines()[0])), (1, sent(path).as_str()), "{run}");
        assert!(!run.stderr.contains("SECRET"));
        shown += &run.stderr.replace(&server.url, "http://server");
    }
    insta::assert_snapshot!(shown);
    assert_eq!(server.requests().len(), 3, "no request where none is allowed");

    let allowed =
        resolve(&webhook(&sent("/config")), &["--allow-http", "--allow-private", "--allow-host", "127.0.0.1"]);
    assert_eq!(allowed.code, 0);
}

#[test]
fn one_failure_does_not_stop_the_others() {
    let server = files::serve(FILES);
    let [gone, there] = ["/gone", "/config"].map(|path| format!(r#"{{"configURL":"{}{path}"}}"#, server.url));
    let both = format!(r#"{{"configURL":"{0}/gone","lastConfigURL":"{0}/config"}}"#, server.url);
    let stream = format!("{}\n[1]\n{}\n{}\n", webhook(&gone), webhook(&there), webhook(&both));
    let run = run_on(stream, &["resolve", "--allow-http", "--allow-private"]);
    insta::assert_snapshot!(run.to_string().replace(&server.url, "http://server"));
}

/// All URLs of the corpus have an expiry time in the past, so none is requested.
#[test]
fn expired_urls_are_not_asked() {
    let paths = ["configurations", "messages"].map(payloads).concat();
    let run = run(&[&["resolve".to_owned()][..], &paths].concat());
    insta::assert_snapshot!(run);
}

#[test]
fn a_host_that_is_more_than_a_host_is_refused() {
    for host in ["https://storage.example.com", "storage.example.com:443", "", "*", "a@b", "*.example.com/x"] {
        let run = run_on("", &["resolve", "--allow-host", host]);
        assert!(run.code == 2 && run.stderr.contains("it is not a host alone"), "{host}: {run}");
    }
    for host in ["*.example.com", "127.0.0.1", "[::1]"] {
        assert_eq!(run_on("", &["resolve", "--allow-host", host]).code, 0, "{host}");
    }
}
