//! `--changes` shows how an update changed a configuration.

use serde_json::{Value, json};

use crate::command::{payloads, read, run, run_on};
use crate::files;
use crate::listen::{Listener, SECRET};

const BEFORE: &str = r#"{"read":{"objects":{"contact":{"objectName":"contact","selectedFields":{"name":true}}}}}"#;
const AFTER: &str = "{\"read\":{\"objects\":{\"contact\":{\"objectName\":\"contact\",\n\"selectedFields\":{\"name\":true,\"e\\u001bmail\":true}}}},\"new\":[1,\n2]}";

const SENTENCES: [&str; 2] = ["    read of `contact`: field `e\u{fffd}mail` is selected now", "    `$.new` was added"];

const CONFIGURATIONS: [&str; 4] = ["config", "configURL", "lastConfig", "lastConfigURL"];

/// Returns an update that has only these configurations.
fn update(configurations: &[(&str, &str)]) -> String {
    let mut webhook: Value = serde_json::from_str(&read("webhook/installation.updated.json")).unwrap();
    let data = webhook["data"].as_object_mut().unwrap();
    data.retain(|name, _| !CONFIGURATIONS.contains(&name.as_str()));
    let data = Value::from(data.clone()).to_string();
    let more: String = configurations.iter().map(|(name, json)| format!(",\"{name}\":{json}")).collect();
    format!(r#"{{"notificationType":"installation.updated","data":{}{more}}}}}"#, data.strip_suffix('}').unwrap())
}

#[test]
fn decode_shows_them_below_each_update() {
    let updates = payloads("configurations").into_iter().filter(|path| path.contains("installation.updated"));
    let arguments: Vec<String> = ["decode", "--changes", "webhook/connection.created.json"]
        .map(str::to_owned)
        .into_iter()
        .chain(updates)
        .collect();
    insta::assert_snapshot!(run(&arguments));
}

#[test]
fn the_lines_hold_no_control_characters_and_an_object_is_one_line() {
    let update = update(&[("config", AFTER), ("lastConfig", BEFORE)]);
    let text = run_on(&update, &["decode", "--changes"]);
    assert_eq!(text.lines()[1..], SENTENCES);
    let json = run_on(&update, &["decode", "--changes", "--output", "json"]);
    let [line] = json.lines()[..] else { panic!("{json}") };
    assert!(line.ends_with(r#","after":[1,2]}]}"#), "{line}");
    let line: Value = serde_json::from_str(line).unwrap();
    let expected = json!([
        { "kind": "fieldSelected", "object": "contact", "field": "e\u{1b}mail" },
        { "kind": "other", "path": "$.new", "before": null, "after": [1, 2] },
    ]);
    assert_eq!(line["changes"], expected);
}

#[test]
fn json_has_them_where_they_are_known_and_asked_for() {
    let changes = |stdin: &str, more: &[&str]| {
        let json = run_on(stdin, &[&["decode", "--output", "json"], more].concat());
        assert_eq!((json.code, json.stderr.as_str()), (0, ""));
        serde_json::from_str::<Value>(&json.stdout).unwrap().get("changes").cloned()
    };
    let both = update(&[("config", BEFORE), ("lastConfig", BEFORE)]);
    assert_eq!(changes(&both, &["--changes"]), Some(json!([])));
    assert_eq!(changes(&both, &[]), None);
    assert_eq!(changes(&update(&[("config", BEFORE)]), &["--changes"]), None);
    assert_eq!(changes(&read("webhook/installation.created.json"), &["--changes"]), None);
}

#[test]
fn resolve_compares_what_it_downloaded() {
    let server = files::serve(&[("/before", BEFORE), ("/after", AFTER)]);
    let [after, before, gone] = ["after", "before", "gone"].map(|path| format!("\"{}/{path}?X=SECRET\"", server.url));
    let updates = [
        update(&[("configURL", &after), ("lastConfigURL", &before)]),
        update(&[("config", BEFORE), ("lastConfigURL", &before)]),
        update(&[("config", AFTER), ("lastConfigURL", &gone)]),
    ];
    let arguments = ["resolve", "--changes", "--allow-http", "--allow-private"];
    let run = run_on(updates.join("\n"), &arguments);
    let shown = run.to_string().replace(&server.url, "http://server");
    insta::assert_snapshot!(shown, @r"
    exit code 1
    -- stdout
    -                     installation.updated            globex            73f3a699-e114-4635-93c6-7d44e181a728  webhook        714 B
        read of `contact`: field `e�mail` is selected now
        `$.new` was added
    -                     installation.updated            globex            73f3a699-e114-4635-93c6-7d44e181a728  webhook        629 B
        no changes
    -                     installation.updated            globex            73f3a699-e114-4635-93c6-7d44e181a728  webhook        558 B
        not compared: the configuration before the update could not be downloaded
    -- stderr
    stdin:3: lastConfig of http://server/gone?…: there is nothing at the URL any more; of a configuration, the REST API has the present one
    3 decoded, 0 failed; 3 downloaded, 1 failed
    ");
}

#[test]
fn listen_shows_them_below_the_request() {
    let (before, after) = (format!("lastConfig={BEFORE}"), format!("config={AFTER}"));
    let update = ["installation.updated", "--set", &before, "--set", &after];
    let listener = Listener::start(SECRET, &["--changes"]);
    listener.trigger(SECRET, &update);
    assert_eq!(listener.interrupt().lines()[1..], SENTENCES);

    let listener = Listener::start(SECRET, &["--changes", "--output", "json"]);
    listener.trigger(SECRET, &update);
    let line: Value = serde_json::from_str(listener.interrupt().lines()[0]).unwrap();
    assert_eq!((&line["verified"], &line["changes"][1]["path"]), (&json!(true), &json!("$.new")));
}
