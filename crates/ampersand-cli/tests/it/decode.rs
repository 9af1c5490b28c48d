//! Decodes every payload of the corpus, in every envelope.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use ampersand_testing::Fixture;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::command::{Run, payloads, read, run, run_on};

/// Decodes a payload of a folder, with the arguments that it needs if the body does not contain everything.
fn decode(folder: &str, path: &str) -> Run {
    let name = path.strip_prefix(folder).unwrap().trim_matches('/').strip_suffix(".json").unwrap();
    let metadata = path.replace(".json", ".metadata.json");
    let more = match folder {
        "webhook" | "configurations" | "unknown" | "messages" => vec!["--from", "webhook"],
        "kinesis" | "messages-kinesis" => vec!["--from", "kinesis"],
        "kinesis-wrapped" | "kinesis-bare" => vec!["--from", "kinesis", "--type", name],
        "messages-s3" => vec!["--from", "s3", "--metadata", "event-id=evt_1"],
        "s3" => vec!["--from", "s3", "--metadata", &metadata],
        "sqs" | "attributes" => vec!["--from", "attributes", "--metadata", &metadata],
        other => panic!("no folder {other}"),
    };
    run(&[&["decode", "--output", "json", path][..], &more].concat())
}

const FOLDERS: [&str; 12] = [
    "webhook",
    "kinesis",
    "kinesis-wrapped",
    "kinesis-bare",
    "s3",
    "sqs",
    "attributes",
    "configurations",
    "messages",
    "messages-kinesis",
    "messages-s3",
    "unknown",
];

/// Removes the white space between the tokens of JSON.
fn on_one_line(json: &str) -> String {
    let (mut line, mut in_string, mut escaped) = (String::new(), false, false);
    for c in json.chars() {
        if in_string || !c.is_ascii_whitespace() {
            line.push(c);
        }
        match c {
            '"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = in_string && c == '\\' && !escaped;
    }
    line
}

fn member(json: &str, name: &str) -> Option<String> {
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap();
    members.remove(name).map(|value| value.get().to_owned())
}

#[test]
fn data_are_as_they_came_in_every_envelope() {
    for folder in FOLDERS {
        let mut shown = String::new();
        for path in payloads(folder) {
            let run = decode(folder, &path);
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{path}");
            let [line] = run.lines()[..] else { panic!("{path}: {run}") };

            let body = read(&path);
            let is_bare = folder.starts_with("messages") && folder != "messages-kinesis";
            let is_bare = is_bare || ["s3", "sqs", "attributes", "kinesis-bare"].contains(&folder);
            let sent = if is_bare { body } else { member(&body, "data").unwrap() };
            let sent = if sent.trim().contains('\n') { on_one_line(&sent) } else { sent.trim().to_owned() };
            let data = member(line, "data").unwrap();
            assert_eq!(data, sent, "{path}");

            let beside = line.strip_suffix(&format!("{data}}}")).unwrap();
            writeln!(shown, "{path}\n  {beside}… {} bytes", data.len()).unwrap();
        }
        insta::assert_snapshot!(format!("json-{folder}"), shown);
    }
}

#[test]
fn configurations_are_no_deliveries() {
    insta::assert_snapshot!("configurations", run(&[&["decode".to_owned()][..], &payloads("config")].concat()));
}

#[test]
fn people_see_a_line_for_each() {
    let paths = ["webhook", "kinesis", "messages", "unknown"].map(payloads).concat();
    insta::assert_snapshot!("text", run(&[&["decode".to_owned()][..], &paths].concat()));
}

#[test]
fn a_line_that_is_whole_comes_out_as_it_went_in() {
    let line =
        r#"{"notificationType": "new", "data": { "é\u00e9\/" : [1.10, 1E400, -0,1742558812455698400], "a": "\\\" " }}"#;
    insta::assert_snapshot!(run_on(line, &["decode", "--output", "json"]).stdout);
}

#[test]
fn a_stream_may_be_laid_out_in_any_way() {
    let paths = payloads("webhook");
    let each: Vec<String> = paths.iter().map(|path| run(&["decode", "--output", "json", path]).stdout).collect();
    let texts: Vec<String> = paths.iter().map(|path| read(path)).collect();
    let lines: Vec<String> = texts.iter().map(|text| on_one_line(text)).collect();
    let lines_in = |separator: &str| run_on(lines.join(separator), &["decode", "--output", "json"]);

    for run in [
        run(&[&["decode".to_owned(), "--output=json".to_owned()][..], &paths].concat()),
        run_on(texts.concat(), &["decode", "--output", "json", "-"]),
        lines_in("\n"),
        lines_in("\r\n\r\n"),
        lines_in(""),
        lines_in(" \t"),
    ] {
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert_eq!(run.stdout, each.concat());
    }
}

#[test]
fn what_is_said_beside_a_document_is_put_together() {
    let bare = r#"{"projectId": "p", "destinationId": "d", "destinationName": "n", "url": "u"}"#;
    let said = ["--type", "destination.webhook.disabled", "--metadata", "event-id=evt_1", "--metadata", "k=a=b"];
    insta::assert_snapshot!(run_on(bare, &[&["decode", "--output", "json"][..], &said].concat()));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_force_them() {
    let mut command = crate::command::command(&["decode", "webhook/connection.created.json"]);
    command.env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR");
    assert!(Run::from(command.output().unwrap()).stdout.contains('\u{1b}'));
    command.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
    assert!(!Run::from(command.output().unwrap()).stdout.contains('\u{1b}'));
}

#[test]
fn a_folder_is_read_with_the_metadata_beside_each_document() {
    let folder = tempfile::tempdir().unwrap();
    for envelope in ["s3", "sqs", "attributes", "kinesis"] {
        let kept = folder.path().join(envelope).to_str().unwrap().to_owned();
        assert_eq!(run(&["trigger", "--all", "--envelope", envelope, "--save", &kept]).code, 0);
        let from = if envelope == "sqs" { "attributes" } else { envelope };
        let expected: Vec<(String, String)> = Fixture::all()
            .map(|fixture| (fixture.name().to_owned(), fixture.id()))
            .chain([Fixture::records(), Fixture::changes()].map(|fixture| ("null".to_owned(), fixture.id())))
            .collect();
        for (verb, from) in [("decode", envelope), ("decode", from), ("resolve", from), ("decode", "auto")] {
            let read = run(&[verb, "--output", "json", "--from", from, &kept]);
            assert_eq!((read.code, read.stderr.as_str()), (0, ""), "{envelope}");
            let read: Vec<(String, String)> = read
                .lines()
                .iter()
                .map(|line| {
                    let line: Value = serde_json::from_str(line).unwrap();
                    assert!(line["metadata"]["topic"].is_string() && line["timestamp"].is_string(), "{line}");
                    let text = |name: &str| line[name].as_str().unwrap_or("null").to_owned();
                    (text("notificationType"), text("id"))
                })
                .collect();
            assert_eq!(read, expected, "{envelope} as {from}");
        }
        let said = run(&["decode", "--output", "json", "--metadata", "Event-ID=evt_said", "--from", "s3", &kept]);
        assert!(envelope != "s3" || said.lines().iter().all(|line| line.contains(r#""id":"evt_said""#)), "{said}");
    }
}

#[test]
fn of_a_folder_with_webhooks_the_headers_beside_them_give_id_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("2.json"), r#"{"notificationType": "new", "data": 2}"#).unwrap();
    fs::write(path("2.headers"), "webhook-id: msg_2\nwebhook-timestamp: 1787158990\n").unwrap();
    fs::write(path("1.json"), r#"{"notificationType": "new", "data": 1}"#).unwrap();
    fs::write(path("3.txt"), "no document").unwrap();
    fs::write(path("4.json"), "").unwrap();
    fs::create_dir(path("5.json")).unwrap();
    let name = folder.path().to_str().unwrap();
    let read = run(&["decode", "--output", "json", name]);
    assert_eq!(read.stderr.replace(name, "DIR"), "DIR/4.json: there is no document in it\n");
    insta::assert_snapshot!(read.stdout, @r#"
    {"kind":"notification","notificationType":"new","source":"webhook","id":null,"timestamp":null,"metadata":{},"data":1}
    {"kind":"notification","notificationType":"new","source":"webhook","id":"msg_2","timestamp":"2026-08-19T17:03:10Z","metadata":{},"data":2}
    "#);
    let alone = run(&["decode", "--output", "json", path("2.json").to_str().unwrap()]);
    assert!(alone.stdout.contains(r#""id":null"#), "a file that is named is read alone: {alone}");

    fs::write(path("1.metadata.json"), "[]").unwrap();
    let broken = run(&["decode", "--from", "s3", "--type", "new", name]);
    assert_eq!((broken.code, broken.lines().len()), (1, 1));
    assert!(broken.stderr.contains("1.metadata.json: not a JSON object of strings: "), "{broken}");
    assert_eq!(run(&["decode", path("5.json").to_str().unwrap()]).code, 0);
}

#[test]
fn metadata_is_taken_as_tools_print_it_and_later_entries_win() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let said = r#"{"notificationtype": "connection.created", "event-id": "evt_1"}"#;
    fs::write(path("s3"), format!("\u{feff}{{\"ETag\": \"0\", \"ContentLength\": 9, \"Metadata\": {said}}}")).unwrap();
    let said = serde_json::to_string(said).unwrap();
    let attribute = format!(r#"{{"metadata": {{"StringValue": {said}, "DataType": "String"}}}}"#);
    fs::write(path("sqs"), format!(r#"{{"Messages": [{{"Body": "{{}}", "MessageAttributes": {attribute}}}]}}"#))
        .unwrap();
    let body = r#"{"projectId": "p", "connectionId": "c", "provider": "x", "groupRef": "g", "consumerRef": "u", "consumerName": "n"}"#;
    for (from, file) in [("s3", "s3"), ("attributes", "sqs"), ("auto", "s3"), ("auto", "sqs")] {
        let arguments = ["decode", "--output", "json", "--from", from, "--metadata", &path(file)];
        let read = run_on(body, &arguments);
        assert!(read.stdout.contains(r#""notificationType":"connection.created""#), "{from} {file}: {read}");
        assert!(read.stdout.contains(r#""id":"evt_1""#), "{from} {file}: {read}");
        let later = ["--metadata", "event-id=a", "--metadata", "X-Amz-Meta-Event-Id=b"];
        let read = run_on(body, &[&arguments[..], &later].concat());
        assert!(read.stdout.contains(r#""id":"b""#) && !read.stdout.contains("evt_1"), "{from} {file}: {read}");
    }
    fs::write(path("nested"), r#"{"user": {"event-id": "evt_1"}}"#).unwrap();
    let nested = run_on(body, &["decode", "--metadata", &path("nested")]);
    assert_eq!((nested.code, nested.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(nested.stderr.replace(&path("nested"), "FILE"), @r#"error: --metadata FILE: the member `user` is not a string: give an object of strings, or what `aws s3api head-object` prints (`{"Metadata": {…}}`), or one message or its attributes as SQS, SNS and Lambda have them (`{"NAME": {"StringValue": …}}`)"#);
}

#[test]
fn a_type_is_asked_for_only_where_one_fits() {
    let fits = run_on(r#"{"projectId": "p", "destinationId": "d", "destinationName": "n", "url": "u"}"#, &["decode"]);
    assert!(fits.code == 1 && fits.stderr.contains("option --type"), "{fits}");
    let none = run_on(r#"{"a": 1}"#, &["decode"]);
    assert!(none.code == 1 && !none.stderr.contains("--type"), "{none}");
}
