//! Reads, changes and sends back an installation's configuration.

use ampersand_client::types::Installation;
use ampersand_client::{Client, ErrorKind};
use ampersand_types::RawJson;
use ampersand_types::config::{ConfigContent, UpdateInstallationConfigContent};
use serde::Deserialize;
use test_support::corpus::{installation, payloads};
use test_support::json::difference;

use crate::peer::Peer;

const LINE: &str = "/api/projects/p/integrations/n/installations/i";

async fn serving(config: &str) -> Peer {
    Peer::answering(200, "application/json", &installation(config))
}

async fn send(client: &Client, content: UpdateInstallationConfigContent, mask: &str) -> Installation {
    client.update_config("p", "n", "i", [mask], content).await.unwrap().into_inner()
}

/// The body of an update.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    installation: Outer,
    update_mask: Vec<String>,
}

#[derive(Deserialize)]
struct Outer {
    config: Inner,
}

#[derive(Deserialize)]
struct Inner {
    content: RawJson,
}

#[tokio::test]
async fn what_is_read_changed_and_sent_back_differs_in_the_change_alone() {
    let mut changed_objects = 0;
    for payload in payloads("config") {
        let peer = serving(&payload.text).await;
        let current = peer.client.current_config("p", "n", "i").await.unwrap();
        assert_eq!(current.as_str(), payload.text.trim(), "{}: the text is what came", payload.name);
        let before: UpdateInstallationConfigContent = current.parse().unwrap();

        // Changes the schedule of an object, or the proxy if there is no object.
        let mut after = before.clone();
        let object = after.read.as_mut().and_then(|read| read.objects.iter_mut().next());
        let (mask, place) = if let Some((name, object)) = object {
            object.schedule = Some("changed".to_owned());
            changed_objects += 1;
            (format!("config.content.read.objects.{name}"), format!("$.read.objects.{name}.schedule"))
        } else {
            let enabled = &mut after.proxy.get_or_insert_default().enabled;
            *enabled = Some(*enabled != Some(true));
            ("config.content.proxy.enabled".to_owned(), "$.proxy".to_owned())
        };
        let answered = send(&peer.client, after, &mask).await;

        let sent = &peer.seen()[1];
        assert_eq!(sent.line, format!("PATCH {LINE}"));
        let sent: Update = serde_json::from_str(&sent.body).unwrap();
        assert_eq!(sent.update_mask, [mask.as_str()]);
        let content = sent.installation.config.content;
        let changed = difference(&payload.text, content.as_str()).unwrap_or_default();
        assert!(changed.starts_with(&place), "{}: {changed}", payload.name);

        // After the change is reverted, nothing differs.
        let mut restored: UpdateInstallationConfigContent = content.parse().unwrap();
        match mask.strip_prefix("config.content.read.objects.") {
            Some(name) => {
                let schedule = before.read.as_ref().and_then(|read| read.objects[name].schedule.clone());
                restored.read.as_mut().unwrap().objects.get_mut(name).unwrap().schedule = schedule;
            }
            None => restored.proxy.clone_from(&before.proxy),
        }
        let restored = RawJson::encode(&restored).unwrap();
        assert_eq!(difference(&payload.text, restored.as_str()), None, "{}", payload.name);

        // The typed configuration of an installation is equal.
        let typed = RawJson::encode(&answered.config.content).unwrap();
        assert_eq!(difference(&payload.text, typed.as_str()), None, "{}", payload.name);
    }
    assert!(changed_objects >= 4, "{changed_objects}");
}

#[test]
fn a_configuration_that_was_received_can_be_sent_back() {
    for payload in payloads("config") {
        let received: ConfigContent = serde_json::from_str(&payload.text).unwrap();
        let sent = RawJson::encode(&UpdateInstallationConfigContent::from(received)).unwrap();
        assert_eq!(difference(&payload.text, sent.as_str()), None, "{}", payload.name);
    }
}

#[tokio::test]
async fn an_installation_without_a_configuration_is_an_error() {
    let peer = Peer::answering(200, "application/json", r#"{"id":"i"}"#);
    let error = peer.client.current_config("p", "n", "i").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Response);
    assert_eq!(error.to_string(), "getInstallation: at $: missing field `config`");
    let error = peer.client.current_config("p", "..", "i").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
}
