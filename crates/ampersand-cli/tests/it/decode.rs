//! Every payload of the corpus, in every envelope.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::value::RawValue;

use crate::command::{Run, payloads, read, run, run_on};

/// How the payloads of a folder are decoded. They need arguments of their own where the body does not say all.
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

/// JSON without the white space between its tokens.
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
