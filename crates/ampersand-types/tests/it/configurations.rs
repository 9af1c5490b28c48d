//! The place of configurations, and a round trip that changes nothing.

use std::fmt::Write as _;

use ampersand_types::config::ConfigContent;
use ampersand_types::notifications::{Event, NotificationType};
use ampersand_types::{ConfigSource, RawJson};
use serde::Deserialize;

use test_support::corpus::payloads;
use test_support::json::difference;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    notification_type: NotificationType,
    data: RawJson,
}

/// Returns the sources of an event's configurations: the current one, and the one before an update.
fn sources(event: &Event) -> Vec<ConfigSource<'_>> {
    match event {
        Event::InstallationCreated(data) => vec![data.config_source()],
        Event::InstallationUpdated(data) => vec![data.config_source(), data.last_config_source()],
        Event::InstallationDeleted(data) => vec![data.config_source()],
        Event::ReadSchedulePaused(data) => vec![data.config_source()],
        other => panic!("{other:?} has no configuration"),
    }
}

#[test]
fn every_form_of_sending_a_configuration_is_understood() {
    let mut found = String::new();
    for payload in payloads("configurations") {
        let body: Body = serde_json::from_str(&payload.text).unwrap();
        let event = Event::parse(&body.notification_type, &body.data).unwrap();

        let encoded = serde_json::to_string(&event).unwrap();
        assert_eq!(difference(body.data.as_str(), &encoded), None, "{}", payload.name);

        writeln!(found, "{}", payload.name).unwrap();
        for source in sources(&event) {
            writeln!(found, "    {source:?}").unwrap();
        }
    }
    insta::assert_snapshot!(found);
}

#[test]
fn a_configuration_that_is_sent_back_is_what_was_sent() {
    for payload in payloads("config") {
        let config: ConfigContent = RawJson::new(payload.text.as_str())
            .unwrap()
            .parse()
            .unwrap_or_else(|error| panic!("{}: {error}", payload.name));
        let encoded = RawJson::encode(&config).unwrap();
        assert_eq!(difference(&payload.text, encoded.as_str()), None, "{}", payload.name);
        insta::assert_debug_snapshot!(format!("config--{}", payload.name), config);
    }
}

#[test]
fn a_change_changes_what_was_changed_and_nothing_else() {
    for payload in payloads("config") {
        let mut config: ConfigContent = serde_json::from_str(&payload.text).unwrap();
        config.provider = Some("changed".to_owned());
        let encoded = serde_json::to_string(&config).unwrap();
        let expected = match serde_json::from_str::<serde_json::Value>(&payload.text).unwrap().get("provider") {
            Some(before) => format!("$.provider is \"changed\" instead of {before}"),
            None => "$.provider is put in".to_owned(),
        };
        assert_eq!(difference(&payload.text, &encoded), Some(expected), "{}", payload.name);
    }
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    for json in [
        r#"{"provider": "a", "provider": "b"}"#,
        r#"{"new": 1, "new": 2}"#,
        r#"{"read": {"objects": {}, "objects": {}}}"#,
        r#"{"read": {"objects": {"c": {"objectName": "c"}, "c": {"objectName": "c"}}}}"#,
        r#"{"read": {"objects": {"c": {"objectName": "c", "selectedFields": {"a": true, "a": false}}}}}"#,
    ] {
        assert!(serde_json::from_str::<ConfigContent>(json).is_err(), "{json}");
    }
}
