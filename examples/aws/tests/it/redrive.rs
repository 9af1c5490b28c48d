//! A queue with redrive: messages that always fail end in the dead letter queue, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::moto::Queue;
use crate::runtime_api::Answer;
use crate::{peers, script};

const MESSAGES: usize = 60;
/// The message that cannot be read.
const UNREADABLE: usize = 42;
const TIMEOUT: Duration = Duration::from_millis(1500);

/// The outcome of a message at each attempt.
fn outcome(index: usize, attempt: usize) -> &'static str {
    match (index, attempt) {
        (0..3, _) | (10..20, 1) => "fail",
        (3, _) | (20, 1) => "panic",
        (4, _) | (21, 1) => "hang",
        _ => "ok",
    }
}

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn what_always_fails_is_a_dead_letter_and_nothing_else_is() {
    let mut records = peers::lines(MESSAGES);
    records[UNREADABLE] = peers::unreadable("it");
    let queue = Queue::create("redrive", 4, 2).await;
    let sent = queue.send(&records);
    let parked = format!("parked {}", sent[UNREADABLE]["messageId"].as_str().unwrap());

    let attempts = Arc::new(Mutex::new(BTreeMap::<usize, usize>::new()));
    let script = script::serve({
        let attempts = attempts.clone();
        move |question| {
            let index = if question == parked { UNREADABLE } else { question.parse().unwrap() };
            let mut attempts = attempts.lock().unwrap();
            let attempt = attempts.entry(index).or_default();
            *attempt += 1;
            outcome(index, *attempt)
        }
    });
    let script = script.await;
    let binary = peers::built("scripted");
    let mut function = script::start(&binary, "sqs", &script).await;
    // The first invocation is killed after a millisecond: its messages come again.
    let mut killed = Duration::from_millis(1);
    let map = queue.map(async |event: Value| {
        let killed = std::mem::replace(&mut killed, TIMEOUT);
        match function.invoke_and_kill(event.to_string(), TIMEOUT, killed).await {
            Answer::Response(answer) => Some(script::identifiers(&answer)),
            Answer::Error(error) => panic!("{error}"),
            Answer::Timeout => {
                function = script::start(&binary, "sqs", &script).await;
                None
            }
        }
    });
    tokio::time::timeout(Duration::from_secs(60), map).await.unwrap();

    let dead = queue.dead().await;
    let dead: BTreeSet<&str> = dead.iter().map(|message| message.message_id.as_deref().unwrap()).collect();
    assert_eq!(dead, sent[..5].iter().map(|sent| sent["messageId"].as_str().unwrap()).collect());
    let attempts = attempts.lock().unwrap();
    assert_eq!(attempts.keys().copied().collect::<Vec<_>>(), (0..MESSAGES).collect::<Vec<_>>());
    println!("{MESSAGES} messages: {} attempts, {} dead letters", attempts.values().sum::<usize>(), dead.len());
}
