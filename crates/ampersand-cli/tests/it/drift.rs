//! `decode --drift` reports what is sent but is not in the contract.

use crate::command::{Run, payloads, read, run, run_on};

fn drift(payload: &str) -> Run {
    run_on(payload, &["decode", "--drift"])
}

/// Returns a payload of the corpus with edits.
fn edited(path: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(read(path), |text, (old, new)| {
        assert!(text.contains(old), "{path} has no {old}");
        text.replacen(old, new, 1)
    })
}

#[test]
fn the_contract_has_all_that_follows_it() {
    // The corpus has these files because their content is new.
    let new = [
        "configurations/installation.created--with-last-config",
        "messages/empty-read-type",
        "messages/unknown-read-type",
    ];
    for folder in ["webhook", "kinesis", "configurations", "messages", "messages-kinesis"] {
        for path in payloads(folder) {
            let run = run(&["decode", "--drift", &path]);
            let is_new = new.contains(&path.trim_end_matches(".json"));
            assert_eq!((run.code, run.lines().len()), (0, usize::from(is_new)), "{path}: {run}");
            assert_eq!(run.stderr.contains("all of it is in the contract"), !is_new, "{run}");
        }
    }
    for folder in ["s3", "sqs", "attributes"] {
        for path in payloads(folder) {
            let metadata = path.replace(".json", ".metadata.json");
            let from = if folder == "s3" { "s3" } else { "attributes" };
            let run = run(&["decode", "--drift", "--from", from, "--metadata", &metadata, &path]);
            assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{path}: {run}");
        }
    }
    for envelope in ["webhook", "kinesis"] {
        let all = run(&["trigger", "--all", "--envelope", envelope]);
        let run = drift(&all.stdout);
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{envelope}: {run}");
    }
}

/// A configuration with everything that the contract lacks. It has a marker in each place that no output may show.
const CONFIG: &str = r#"{"provider": "SECRET", "new": {"SECRET": 1}, "read": {"objects": {
    "SECRET": {"objectName": "SECRET", "schedule": 7, "new thing": null, "selectedFieldsAuto": "SECRET",
        "selectedFields": {"SECRET": true}, "selectedFieldMappings": {"SECRET": "SECRET"},
        "backfill": {"defaultPeriod": {"days": 1.5, "until": "SECRET"},
            "fieldFilters": [{"fieldName": "SECRET", "operator": "SECRET", "value": {"SECRET": 1}, "not": false}]}},
    "SECRET'": {"objectName": "SECRET", "new thing": null}}}}"#;

#[test]
fn what_is_new_is_told_once_with_its_place() {
    let installation = run(&["trigger", "installation.updated", "--set", &format!("config={CONFIG}")]).stdout;
    let installation = installation.replacen("\"notificationType\"", "\"trace\":\"SECRET\",\"notificationType\"", 1);
    let records = edited(
        "messages/read.triggered.inline.json",
        &[("\"raw\": {", "\"score\": [\"SECRET\"], \"raw\": {"), ("\"triggered\"", "\"SECRET\"")],
    );
    let unknown = r#"{"notificationType": "integration.retired", "data": {"SECRET": "SECRET"}}"#;
    let stream = [installation.as_str(), &records, &installation, unknown].concat();

    let run = drift(&stream);
    assert!(!run.to_string().contains("SECRET"), "{run}");
    insta::assert_snapshot!("drift", run);
    let json = run_on(&stream, &["decode", "--drift", "--output", "json"]);
    insta::assert_snapshot!("drift-json", json);
}

#[test]
fn what_cannot_be_decoded_is_reported_as_ever() {
    let run = drift(
        r#"{"notificationType": "connection.error", "data": {"projectId": 7}} {"notificationType": "a", "data": 1}"#,
    );
    insta::assert_snapshot!(run);
}

#[test]
fn names_from_outside_are_cut_and_steer_nothing_and_not_all_are_kept() {
    let connection = read("webhook/connection.created.json");
    let with = |name: &str| connection.replacen("\"projectId\"", &format!("\"{name}\": 1, \"projectId\""), 1);
    let escape = drift(&with(r"\u001b[2J\u202e")).stdout;
    assert!(escape.contains("$.data['\\u001b[2J\u{fffd}']"), "{escape}");
    let long = drift(&with(&"é".repeat(5_000))).stdout;
    assert!(long.len() < 600, "{long}");

    let many: String = (0..10_002).map(|index| with(&format!("n{index}"))).collect();
    let run = drift(&many);
    assert_eq!(run.lines().len(), 10_000);
    assert!(run.stderr.contains("; more than 10000 things are not in the contract"), "{}", run.stderr);
}
