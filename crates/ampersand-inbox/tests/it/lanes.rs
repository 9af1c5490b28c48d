//! Lanes: one delivery at a time, and how a dead letter affects its lane.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ampersand_inbox::{Failure, Inbox, Incoming, Options, Put, State};
use ampersand_notifications::Source;
use ampersand_testing::{Envelope, Fixture};

use crate::webhook::{inbox, post, serve, signed};

async fn put(inbox: &Inbox, id: &str, group: &str) {
    let fixture = Fixture::new("installation.deleted").set("groupRef", group).set("installationId", id);
    let put = inbox.put(Source::Webhook, id, &fixture.send(Envelope::Webhook).body).await;
    assert_eq!(put, Ok(Put::Stored));
}

/// Handles deliveries for a moment; ids that begin with `bad` fail. Returns the ids that it handled.
async fn work(inbox: &Inbox) -> Vec<String> {
    let handled = Arc::new(Mutex::new(Vec::new()));
    let keep = handled.clone();
    let handler = move |incoming: Incoming| {
        keep.lock().unwrap().push(format!("{} of {}", incoming.id, incoming.lane));
        async move {
            match incoming.id.starts_with("bad") {
                true => Err(Failure::permanent("no such customer")),
                false => Ok(()),
            }
        }
    };
    let moment = tokio::time::sleep(Duration::from_millis(300));
    inbox.worker().until(moment).run(handler).await.unwrap();
    std::mem::take(&mut *handled.lock().unwrap())
}

fn by_group(dead_letters_block: bool) -> Options {
    let mut options = Options::default();
    options.lane = |delivery| delivery.group_ref().map(Into::into);
    options.dead_letters_block = dead_letters_block;
    options
}

#[tokio::test]
async fn a_dead_letter_makes_room_unless_it_is_to_block_its_lane() {
    for (blocks, expected) in [(false, &["bad_1 of acme", "2 of acme"][..]), (true, &["bad_1 of acme"][..])] {
        let (_folder, inbox) = inbox(by_group(blocks)).await;
        put(&inbox, "bad_1", "acme").await;
        put(&inbox, "2", "acme").await;
        assert_eq!(work(&inbox).await, expected);
        put(&inbox, "3", "acme").await;
        put(&inbox, "4", "other").await;
        let next = if blocks { &["4 of other"][..] } else { &["3 of acme", "4 of other"][..] };
        assert_eq!(work(&inbox).await, next, "another lane goes on");
        let status = inbox.status().await.unwrap();
        assert_eq!((status.dead, status.ready), (1, if blocks { 2 } else { 0 }));
        assert_eq!(status.oldest_ready.is_some(), blocks);
    }
}

#[tokio::test]
async fn a_lane_that_is_blocked_goes_on_when_its_dead_letter_is_replayed_or_deleted() {
    let (_folder, inbox) = inbox(by_group(true)).await;
    for id in ["bad_1", "2", "3"] {
        put(&inbox, id, "acme").await;
    }
    assert_eq!(work(&inbox).await, ["bad_1 of acme"]);
    assert_eq!(inbox.replay("webhook", "bad_1").await, Ok(true));
    assert_eq!(work(&inbox).await, ["bad_1 of acme"], "it blocks the lane again");
    assert_eq!(inbox.delete("webhook", "bad_1").await, Ok(true));
    assert_eq!(work(&inbox).await, ["2 of acme", "3 of acme"]);
    assert_eq!(inbox.show("webhook", "bad_1").await, Ok(None));
}

#[tokio::test]
async fn each_endpoint_has_ids_of_its_own() {
    let (_folder, inbox) = inbox(Options::default()).await;
    for name in ["eu", "us", "eu"] {
        let address = serve(&inbox.endpoint(name)).await;
        assert_eq!(post(address, &signed("msg_1", name)).await, Some(204));
    }
    let ready = inbox.list(State::Ready, 9).await.unwrap();
    let sources: Vec<&str> = ready.iter().map(|entry| entry.source.as_str()).collect();
    assert_eq!(sources, ["webhook:eu", "webhook:us"]);
    let stored = inbox.show("webhook:us", "msg_1").await.unwrap().unwrap();
    assert_eq!(stored.body.as_deref(), Some(&*signed("msg_1", "us").body));
    assert_eq!(stored.entry, ready[1]);
    assert_eq!(work(&inbox).await, ["msg_1 of eu", "msg_1 of us"], "and is read as a webhook");
}
