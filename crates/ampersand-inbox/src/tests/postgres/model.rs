//! Compares the simple model with a database, whose clock nobody sets: a step that waits brings all due times forward.
//! Also shows that each guard is needed.

use std::sync::Arc;
use std::time::Duration;

use ampersand_notifications::Source;
use proptest::test_runner::TestError;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Client;

use super::{BEHEADED, GUARDS, connect, database, number, open};
use crate::delivery::New;
use crate::rows::{Claimed, Outcome};
use crate::store::Store;
use crate::tests::{LEASE, Modelled, REMOVED, Step, body, try_steps};
use crate::{Inbox, Put};

/// The database milliseconds in one millisecond of the model. Less than one model millisecond passes in a test.
const UNIT: i64 = 60_000;

/// A database for this thread alone, from which guards may be removed.
struct Database {
    runtime: Runtime,
    inbox: Inbox,
    client: Client,
}

impl Database {
    fn new() -> Arc<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (inbox, client) = runtime.block_on(async {
            let url = database().await;
            (open(&url).await, connect(&url).await)
        });
        Arc::new(Self { runtime, inbox, client })
    }

    fn store(&self) -> &Store {
        &self.inbox.store
    }

    fn run(&self, statement: &str) {
        self.runtime.block_on(self.client.batch_execute(statement)).expect("a statement");
    }

    fn emptied(self: &Arc<Self>) -> Arc<Self> {
        self.run("TRUNCATE ampersand_inbox.delivery");
        self.clone()
    }
}

impl Modelled for Arc<Database> {
    const IS_TOLD_AGAIN: bool = true;

    fn put(&self, new: New, _: i64) -> Put {
        self.runtime.block_on(self.store().insert(new, None)).expect("an insert")
    }

    fn claim(&self, count: usize, _: i64) -> Vec<Claimed> {
        self.runtime.block_on(self.store().claim(count, LEASE * UNIT)).expect("a claim")
    }

    fn finish(&self, claimed: &Claimed, outcome: &Outcome, _: i64) -> bool {
        let mut outcome = outcome.clone();
        if let Outcome::Retry { pause, .. } = &mut outcome {
            *pause *= UNIT;
        }
        self.runtime.block_on(self.store().finish(claimed.seq, claimed.token, outcome)).expect("an update")
    }

    fn renew(&self, claimed: &Claimed, _: i64) -> bool {
        self.runtime.block_on(self.store().renew(claimed.seq, claimed.token, LEASE * UNIT)).expect("an update")
    }

    fn replay(&self, id: &str) -> bool {
        self.runtime.block_on(self.inbox.replay("webhook", id)).expect("an update")
    }

    fn delete(&self, id: &str) -> bool {
        self.runtime.block_on(self.inbox.delete("webhook", id)).expect("an update")
    }

    fn wait(&self, milliseconds: i64) {
        let wait = milliseconds * UNIT;
        self.run(&format!("UPDATE ampersand_inbox.delivery SET due = due - {wait} * interval '1 ms'"));
    }
}

fn try_on(database: &Arc<Database>, cases: u32) -> Result<(), TestError<Vec<Step>>> {
    try_steps(cases, || database.emptied())
}

#[test]
#[ignore = "run by cargo xtask peers"]
fn the_store_does_what_a_simple_model_does() {
    try_on(&Database::new(), 60).expect("they agree");
}

#[test]
#[ignore = "run by cargo xtask peers"]
fn each_guard_is_needed() {
    for (guard, nothing) in GUARDS {
        REMOVED.set(Some((guard, nothing)));
        let tried = try_on(&Database::new(), 60);
        REMOVED.set(None);
        assert!(tried.is_err(), "nothing misses `{guard}`");
    }
}

/// Puts two deliveries of a new lane at once, then finishes one while it puts a third. There is always one head.
async fn a_lane_keeps_its_head(inbox: &Inbox, client: &Client) -> Result<(), String> {
    for round in 0..200 {
        let id = |which: &str| format!("{which}_{round}");
        let (first, second, third, body) = (id("first"), id("second"), id("third"), body(&id("lane")));
        let put = async |id: &str| inbox.put(Source::Webhook, id, &body).await.map_err(|error| error.to_string());
        let (one, other) = tokio::join!(put(&first), put(&second));
        if (one?, other?) != (Put::Stored, Put::Stored) {
            return Err("one is not stored".to_owned());
        }
        let claimed = inbox.store.claim(9, UNIT).await.map_err(|error| error.to_string())?;
        let [claimed] = &claimed[..] else { return Err(format!("{} are claimed", claimed.len())) };
        let outcome = Outcome::Dead { reason: String::new(), blocks: false };
        let finish = inbox.store.finish(claimed.seq, claimed.token, outcome);
        let (finished, put) = tokio::join!(finish, put(&third));
        let _known = put?;
        if finished != Ok(true) {
            return Err(format!("{finished:?}"));
        }
        if number(client, BEHEADED).await > 0 {
            return Err("a lane has no head".to_owned());
        }
        client.batch_execute("TRUNCATE ampersand_inbox.delivery").await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask peers"]
async fn the_lock_of_a_lane_is_needed() {
    const LOCK: &str = "pg_advisory_xact_lock(hashtextextended(_lane, 7269771))";
    let tried = async || {
        let url = database().await;
        let (inbox, client) = (open(&url).await, connect(&url).await);
        let all = tokio::time::timeout(Duration::from_secs(60), a_lane_keeps_its_head(&inbox, &client));
        all.await.expect("nothing waits for ever")
    };
    assert_eq!(tried().await, Ok(()));
    REMOVED.set(Some((LOCK, "hashtextextended(_lane, 7269771)")));
    let without = tried().await;
    REMOVED.set(None);
    assert!(without.is_err(), "nothing misses the lock");
}
