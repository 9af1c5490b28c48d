//! A stream is resharded while it is read. Whatever fails, each record is handled or parked at least once, in order
//! within its shard, and an unreadable record blocks no other.

use std::collections::HashMap;
use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ampersand_testing::Fixture;
use fastrand::Rng;
use serde_json::Value;
use test_support::lambda_simulator::{self, Attempt, Plan, Shared};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

use crate::peers;
use crate::script::{self, Figures, Unreliable};

const RECORDS: usize = 10_000;

/// The records of a shard that are read so far.
#[derive(Default)]
struct Shard {
    records: Vec<Value>,
    /// Whether it gets no more records.
    is_closed: bool,
    /// Whether all of them are done, so its children are next.
    is_done: bool,
}

/// Few records hang, because each one costs a timeout.
fn plan(index: usize, rng: &mut Rng) -> Plan {
    let attempts = match rng.usize(..1000) {
        0..2 => vec![Attempt::Hangs],
        2..10 => vec![Attempt::Panics],
        10..30 => vec![Attempt::Fails; rng.usize(1..4)],
        _ => Vec::new(),
    };
    Plan { is_readable: index % 100 != 50, attempts, group: 0 }
}

fn line(index: usize, plan: &Plan) -> String {
    let fixture = Fixture::new("connection.created").with_id(index.to_string());
    match index % 2500 {
        _ if !plan.is_readable => peers::unreadable(&index.to_string()),
        1 => peers::line(&fixture.set("/connection/note", "x".repeat(300_000))),
        _ => peers::line(&fixture),
    }
}

/// Handles the records of a shard once its parents are done.
async fn map(
    shard: watch::Sender<Shard>,
    parents: Vec<watch::Sender<Shard>>,
    world: Shared,
    script: String,
    mut rng: Rng,
) -> Figures {
    for parent in parents {
        parent.subscribe().wait_for(|parent| parent.is_done).await.unwrap();
    }
    let function = Unreliable::start(&peers::built("scripted"), "kinesis", script).await;
    let read = async |at: usize, most: usize| {
        let mut shard = shard.subscribe();
        let shard = shard.wait_for(|shard| shard.records.len() > at || shard.is_closed).await.unwrap();
        shard.records[at..shard.records.len().min(at + most)].to_vec()
    };
    let invoke = async |event: Value, rng: &mut Rng| function.invoke(&event, rng).await;
    let outcome = lambda_simulator::stream(&world, &mut rng, read, invoke).await;
    assert_eq!(outcome, Ok(()));
    assert!(world.all_done().into_iter().all(|is_done| is_done));
    shard.send_modify(|shard| shard.is_done = true);
    function.figures.get()
}

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn a_stream_that_is_resharded_is_handled_in_order_within_its_shards() {
    let begun = Instant::now();
    let mut rng = Rng::with_seed(7);
    let plans: Vec<Plan> = (0..RECORDS).map(|index| plan(index, &mut rng)).collect();
    let lines: Vec<String> = plans.iter().enumerate().map(|(index, plan)| line(index, plan)).collect();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("records");
    fs::write(&file, lines.join("\n")).unwrap();

    let stream = format!("resharded-{}", std::process::id());
    let kinesis = |arguments: &[&str]| {
        let mut script = Command::from(peers::python("kinesis.py", "PEERS_KINESIS"));
        script.args(arguments).kill_on_drop(true);
        script
    };
    let put = kinesis(&["put", &stream, file.to_str().unwrap()]).stdout(Stdio::null()).spawn().unwrap();
    let mut get = kinesis(&["get", &stream, &RECORDS.to_string()]).stdout(Stdio::piped()).spawn().unwrap();
    let mut answers = BufReader::new(get.stdout.take().unwrap()).lines();

    // Keyed by the questions of the function.
    let records = Arc::new(Mutex::new(HashMap::<String, (Shared, usize)>::new()));
    let attempts = Arc::new(AtomicUsize::new(0));
    let script = script::serve({
        let (records, attempts) = (records.clone(), attempts.clone());
        move |question| {
            attempts.fetch_add(1, Ordering::Relaxed);
            let (world, index) = records.lock().unwrap()[question].clone();
            script::attempt(&world, index, !question.starts_with("parked "))
        }
    });
    let script = script.await;

    let mut shards = HashMap::<String, (watch::Sender<Shard>, Shared)>::new();
    let mut mappings = JoinSet::new();
    let local = LocalSet::new();
    let mapped = local.run_until(async {
        while let Some(answer) = answers.next_line().await.unwrap() {
            let mut answer: Value = serde_json::from_str(&answer).unwrap();
            let name = answer["shard"].as_str().unwrap();
            if !shards.contains_key(name) {
                let (shard, world) = (watch::Sender::default(), Shared::new(lambda_simulator::Order::Shard, &[]));
                let parents = answer["parents"].as_array().unwrap().iter();
                let parents = parents.map(|parent| shards[parent.as_str().unwrap()].0.clone()).collect();
                mappings.spawn_local(map(shard.clone(), parents, world.clone(), script.clone(), rng.fork()));
                shards.insert(name.to_owned(), (shard, world));
            }
            let (shard, world) = &shards[name];
            let Value::Array(read) = answer["records"].take() else { panic!("{answer}") };
            for record in &read {
                let [id, number] =
                    ["partitionKey", "sequenceNumber"].map(|name| record["kinesis"][name].as_str().unwrap());
                let index = world.add(&plans[id.parse::<usize>().unwrap()]);
                let mut records = records.lock().unwrap();
                records.insert(format!("parked {number}"), (world.clone(), index));
                assert!(records.insert(id.to_owned(), (world.clone(), index)).is_none(), "{id} was read twice");
            }
            shard.send_modify(|shard| {
                shard.records.extend(read);
                shard.is_closed = answer["closed"] == true;
            });
        }
        shards.values().for_each(|(shard, _)| shard.send_modify(|shard| shard.is_closed = true));
        mappings.join_all().await
    });
    let figures = mapped.await;

    assert!(get.wait().await.unwrap().success());
    assert!(put.wait_with_output().await.unwrap().status.success());
    assert_eq!(shards.values().map(|(_, world)| world.all_done().len()).sum::<usize>(), RECORDS);
    assert!(shards.len() > 10, "{} shards", shards.len());
    let sum = |figure: fn(&Figures) -> usize| figures.iter().map(figure).sum::<usize>();
    let retries = plans.iter().map(|plan| plan.attempts.len()).sum::<usize>();
    println!(
        "{RECORDS} records in {} shards, by {} invocations, of which {} were killed and {} lost their answer: {retries} retries, \
         and {} repeats, in {:?}",
        shards.len(),
        sum(|figures| figures.invocations),
        sum(|figures| figures.killed),
        sum(|figures| figures.lost),
        attempts.load(Ordering::Relaxed) - RECORDS - retries,
        begun.elapsed(),
    );
}
