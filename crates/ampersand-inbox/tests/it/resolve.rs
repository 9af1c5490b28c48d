//! Content that was too large to send is downloaded before the handler is called, and kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ampersand_inbox::{Failure, Inbox, Incoming, Options, Put, Retry, State};
use ampersand_notifications::{Delivery, Policy, Resolver, Source};
use ampersand_testing::{Envelope, Fixture, UrlServer};
use ampersand_types::ConfigSource;

use crate::webhook::inbox;

const CONFIG: &str = r#"{"provider":"hubspot"}"#;

fn resolver() -> Resolver {
    Resolver::new(Policy { allow_http: true, allow_private_addresses: true, max_attempts: 1, ..Policy::default() })
        .unwrap()
}

async fn put(inbox: &Inbox, id: &str, fixture: Fixture) {
    let put = inbox.put(Source::Webhook, id, &fixture.send(Envelope::Webhook).body).await;
    assert_eq!(put, Ok(Put::Stored));
}

/// What a handler finds: the configuration, or the number of records.
fn found(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Notification(notification) => match notification.event.config_sources()[..] {
            [("config", ConfigSource::Inline(config))] => config.as_str().to_owned(),
            [("config", ConfigSource::Url(_))] => "a URL".to_owned(),
            ref other => format!("{other:?}"),
        },
        Delivery::Records(records) => format!("{} records", records.message.result.len()),
    }
}

/// Works until all deliveries are done or dead; each first attempt fails. Returns what the handlers found.
async fn work(inbox: &Inbox, attempts: u32) -> Vec<String> {
    let (all, watched) = (Arc::new(Mutex::new(Vec::new())), inbox.clone());
    let idle = async move {
        while watched.status().await.is_ok_and(|status| status.ready + status.claimed > 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let keep = all.clone();
    let handler = move |incoming: Incoming| {
        keep.lock().unwrap().push(found(&incoming.delivery));
        let first = incoming.attempt == 1;
        async move { if first { Err(Failure::transient("not yet")) } else { Ok(()) } }
    };
    let mut retry = Retry::default();
    (retry.attempts, retry.first) = (attempts, Duration::ZERO);
    inbox.worker().resolve(resolver()).retry(retry).until(idle).run(handler).await.unwrap();
    std::mem::take(&mut *all.lock().unwrap())
}

#[tokio::test]
async fn a_configuration_is_downloaded_once_whatever_comes_of_the_attempts() {
    let (_folder, inbox) = inbox(Options::default()).await;
    let server = UrlServer::start().unwrap();
    put(&inbox, "a", Fixture::new("installation.created").too_large(&server.url(CONFIG))).await;
    assert_eq!(work(&inbox, 9).await, [CONFIG, CONFIG]);
    assert_eq!(server.requests(), 1, "the second attempt has it from the store");
}

#[tokio::test]
async fn records_are_downloaded_too() {
    let (_folder, inbox) = inbox(Options::default()).await;
    let server = UrlServer::start().unwrap();
    let records = serde_json::to_vec(&Fixture::records().payload()["result"]).unwrap();
    put(&inbox, "a", Fixture::records().too_large(&server.url(records))).await;
    assert_eq!(work(&inbox, 9).await, ["2 records", "2 records"]);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn what_is_lost_is_handed_over_as_it_came_and_what_is_not_is_tried_again() {
    let (_folder, inbox) = inbox(Options::default()).await;
    let server = UrlServer::start().unwrap();
    put(&inbox, "lost", Fixture::new("installation.created").too_large(&server.expired_for_the_server())).await;
    assert_eq!(work(&inbox, 9).await, ["a URL", "a URL"]);

    put(&inbox, "down", Fixture::new("installation.created").too_large(&server.failing(503))).await;
    assert!(work(&inbox, 2).await.is_empty(), "no handler is called");
    let dead = inbox.list(State::Dead, 9).await.unwrap();
    assert_eq!((dead[0].attempts, dead[0].reason.as_deref()), (2, Some("the server answered 503")));
}
