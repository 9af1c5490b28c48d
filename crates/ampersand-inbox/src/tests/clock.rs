//! The clock of a file jumps. A lease may seem to have ended, or may seem to last long. Still, only one of two holders
//! ends a delivery, and a jump back delays deliveries without losing any.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use ampersand_notifications::Source;
use proptest::prelude::*;

use super::points::idle;
use super::{Claimed, Clocked, LEASE, Outcome, body, claim, clocked, finish, ids, put, store};
use crate::{Failure, Incoming, Options, Put, Retry, sqlite};

const HOUR: i64 = 60 * 60 * 1000;
const JUMPS: [i64; 4] = [HOUR, -HOUR, 24 * HOUR, -24 * HOUR];
const NOW: i64 = 1000 * HOUR;
const PAUSE: i64 = 60_000;

fn again() -> Outcome {
    Outcome::Retry { pause: PAUSE, reason: String::new() }
}

#[test]
fn who_has_a_delivery_when_the_clock_jumps_ends_it_or_another_one_does() {
    for jump in JUMPS {
        let (_folder, store) = store();
        for id in ["claimed", "retried", "ready"] {
            assert_eq!(put(&store, id, id, NOW), Put::Stored);
        }
        let mut held = claim(&store, 2, NOW);
        let (retried, held) = (held.remove(1), held.remove(0));
        assert!(finish(&store, &retried, &again(), NOW));

        let now = NOW + jump;
        let others = claim(&store, 9, now);
        match jump {
            0.. => assert_eq!(ids(&others), ["claimed", "retried", "ready"], "all seems to be due"),
            _ => assert_eq!(ids(&others), [""; 0], "nothing seems to be due yet"),
        }
        // A delivery stored after the jump does not wait for the clock.
        assert_eq!(put(&store, "new", "new", now), Put::Stored);
        assert_eq!(ids(&claim(&store, 9, now)), ["new"]);
        assert_eq!(finish(&store, &held, &Outcome::Done, now), jump < 0, "who lost it doesn't end it");
        for other in &others {
            assert!(finish(&store, other, &Outcome::Done, now), "{}", other.id);
        }
        // When the clock has caught up, no delivery is missing.
        let rest = claim(&store, 9, NOW + PAUSE);
        let rest: BTreeSet<&str> = ids(&rest).into_iter().filter(|id| *id != "new").collect();
        let delayed = BTreeSet::from(["ready", "retried"]);
        assert_eq!(rest, if jump < 0 { delayed } else { BTreeSet::new() });
    }
}

#[test]
fn a_renewed_lease_holds_from_the_time_after_the_jump() {
    for jump in JUMPS {
        let (_folder, store) = store();
        assert_eq!(put(&store, "a", "a", NOW), Put::Stored);
        let held = claim(&store, 1, NOW).remove(0);
        let now = NOW + jump;
        assert!(sqlite::renew(&store, held.seq, held.token, now + LEASE).expect("an update"));
        assert_eq!(ids(&claim(&store, 1, now + LEASE - 1)), [""; 0]);
        assert_eq!(ids(&claim(&store, 1, now + LEASE)), ["a"]);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put { id: u8, lane: u8 },
    Claim { count: usize },
    Finish { which: usize, is_done: bool },
    Jump { by: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u8..20, 0_u8..6).prop_map(|(id, lane)| Step::Put { id, lane }),
        (1_usize..4).prop_map(|count| Step::Claim { count }),
        (0_usize..20, any::<bool>()).prop_map(|(which, is_done)| Step::Finish { which, is_done }),
        proptest::sample::select(vec![LEASE, PAUSE, HOUR, -HOUR, 24 * HOUR, -24 * HOUR])
            .prop_map(|by| Step::Jump { by }),
    ];
    proptest::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn each_delivery_ends_once_however_the_clock_jumps(steps in steps()) {
        let (_folder, store) = store();
        let (mut now, mut latest) = (NOW, NOW);
        let (mut all, mut claims, mut ends) = (BTreeSet::new(), Vec::<Claimed>::new(), BTreeMap::new());
        for step in steps {
            match step {
                Step::Put { id, lane } => {
                    let _is_new = put(&store, &id.to_string(), &lane.to_string(), now);
                    all.insert(id.to_string());
                }
                Step::Claim { count } => claims.extend(claim(&store, count, now)),
                Step::Finish { which, is_done } => {
                    let Some(claimed) = claims.get(which) else { continue };
                    let outcome = if is_done { Outcome::Done } else { again() };
                    if finish(&store, claimed, &outcome, now) && is_done {
                        *ends.entry(claimed.id.clone()).or_insert(0) += 1;
                    }
                }
                Step::Jump { by } => {
                    now += by;
                    latest = latest.max(now);
                }
            }
        }
        // No delivery waits longer than until the latest time that the clock ever showed, plus a lease or a pause.
        now = latest + PAUSE;
        for _ in 0..=all.len() {
            for claimed in claim(&store, 99, now) {
                prop_assert!(finish(&store, &claimed, &Outcome::Done, now));
                *ends.entry(claimed.id).or_insert(0) += 1;
            }
        }
        prop_assert_eq!(ends, all.into_iter().map(|id| (id, 1)).collect());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_in_the_transaction_happens_once_however_the_clock_jumps() {
    const DELIVERIES: usize = 60;
    let Clocked { inbox, now, _folder } = clocked(Options::default()).await;
    let table = "CREATE TABLE effect (id TEXT)";
    inbox.store.file().expect("a file").write(|file, _| file.execute_batch(table)).await.expect("a table");
    // While one delivery is applied, the leases of the others seem to end.
    let jumps = now.clone();
    let handler = move |incoming: &Incoming, connection: &rusqlite::Connection| {
        jumps.fetch_add(HOUR, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(1));
        connection.execute("INSERT INTO effect VALUES (?1)", [&incoming.id])?;
        if fastrand::u8(..3) == 0 { Err(Failure::transient("again")) } else { Ok(()) }
    };
    let retry = Retry { attempts: 999, age: Duration::MAX, first: Duration::from_millis(5), ..Retry::default() };
    let workers = [(); 2].map(|()| {
        let worker = inbox.worker().lease(Duration::from_millis(50)).retry(retry.clone());
        tokio::spawn(worker.in_transaction(handler.clone()))
    });
    for number in 0..DELIVERIES {
        let put = inbox.put(Source::Webhook, &format!("d{number}"), &body(&format!("lane{}", number % 20))).await;
        assert_eq!(put, Ok(Put::Stored));
        now.fetch_add(JUMPS[fastrand::usize(..JUMPS.len())], Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    // Sets the clock later than it ever was, and then lets it run, for the pauses.
    now.fetch_add(DELIVERIES as i64 * 25 * HOUR, Ordering::SeqCst);
    let clock = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(2)).await;
            now.fetch_add(1000, Ordering::SeqCst);
        }
    });
    let rest = inbox.worker().retry(retry).until(idle(inbox.clone())).in_transaction(handler);
    tokio::time::timeout(Duration::from_secs(20), rest).await.expect("nothing stands still").expect("work");
    for worker in workers {
        assert!(!worker.is_finished(), "it goes on");
        worker.abort();
    }
    clock.abort();
    let mut effects = super::effects(&inbox).await;
    assert_eq!((effects.len(), inbox.status().await.expect("a status").done), (DELIVERIES, DELIVERIES as u64));
    effects.sort_unstable();
    effects.dedup();
    assert_eq!(effects.len(), DELIVERIES);
}
