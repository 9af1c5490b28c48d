//! A small simulator of Lambda's event source mappings: whatever fails whenever, each record is handled at least once,
//! in order where there is one, and one that cannot be read blocks nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ampersand_aws::{Batch, BatchResponse, Cause, EventError, Unreadable};
use ampersand_notifications::Delivery;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

const CASES: u32 = 40;
const RECORDS: usize = 150;
/// Lambda would have given up on a shard long before.
const MOST_ROUNDS: usize = 20 * RECORDS;

/// How one attempt goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Attempt {
    Fails,
    Panics,
    Hangs,
}

/// A record: how its first attempts go, before it is handled or parked.
#[derive(Clone, Debug)]
struct Plan {
    is_readable: bool,
    attempts: Vec<Attempt>,
    group: u8,
}

fn plan() -> impl Strategy<Value = Plan> {
    let attempt = prop_oneof![Just(Attempt::Fails), Just(Attempt::Panics), Just(Attempt::Hangs)];
    let attempts = prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(attempt, 1..4)];
    (prop::bool::weighted(0.9), attempts, 0..8_u8).prop_map(|(is_readable, attempts, group)| Plan {
        is_readable,
        attempts,
        group,
    })
}

/// Which records must be done before one is begun.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Shard,
    Group,
    None,
}

struct World {
    order: Order,
    plans: Vec<Plan>,
    left: Vec<VecDeque<Attempt>>,
    done: Vec<bool>,
    faults: Vec<String>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<World>>);

impl Shared {
    fn new(order: Order, plans: &[Plan]) -> Self {
        let left = plans.iter().map(|plan| plan.attempts.iter().copied().collect()).collect();
        let (plans, done) = (plans.to_vec(), vec![false; plans.len()]);
        Self(Arc::new(Mutex::new(World { order, plans, left, done, faults: Vec::new() })))
    }

    fn begin(&self, index: usize, is_readable: bool) -> Option<Attempt> {
        let mut world = self.0.lock().unwrap();
        let is_before = |before: &usize| match world.order {
            Order::Shard => true,
            Order::Group => world.plans[*before].group == world.plans[index].group,
            Order::None => false,
        };
        if let Some(before) = (0..index).filter(is_before).find(|before| !world.done[*before]) {
            world.faults.push(format!("{index} was begun, and {before} is not done"));
        }
        if world.plans[index].is_readable != is_readable {
            world.faults.push(format!("{index} went the wrong way"));
        }
        world.left[index].pop_front()
    }

    async fn attempt(self, index: usize, is_readable: bool) -> Result<(), ()> {
        match self.begin(index, is_readable) {
            Some(Attempt::Fails) => return Err(()),
            Some(Attempt::Panics) => panic!("in a simulation"),
            Some(Attempt::Hangs) => sleep(Duration::from_secs(3600)).await,
            None => tokio::task::yield_now().await,
        }
        self.0.lock().unwrap().done[index] = true;
        Ok(())
    }

    async fn handle(self, delivery: Delivery) -> Result<(), ()> {
        let index = delivery.id().unwrap().parse().unwrap();
        self.attempt(index, true).await
    }

    fn batch(&self) -> Batch {
        let world = self.clone();
        let park = move |Unreadable { id, .. }: Unreadable| world.clone().attempt(index_of(&id.unwrap()), false);
        Batch::new().within(Duration::from_secs(30)).concurrency(3).park(park)
    }

    /// The mapping takes this record for done, and never sends it again.
    fn acknowledge(&self, index: usize) {
        let mut world = self.0.lock().unwrap();
        if !world.done[index] {
            world.faults.push(format!("{index} is lost"));
        }
    }

    fn faults(&self) -> Vec<String> {
        self.0.lock().unwrap().faults.clone()
    }
}

/// The identifier of a record ends in its index.
fn index_of(identifier: &str) -> usize {
    identifier[identifier.len() - 7..].parse().unwrap()
}

fn record(index: usize, plan: &Plan) -> Value {
    let metadata = json!({"event-id": index.to_string(), "notificationType": "something.new"});
    let body = if plan.is_readable { json!({"data": {}, "metadata": metadata}).to_string() } else { "{".to_owned() };
    let number = format!("4959033827149025660855969253836157109592157598913{index:07}");
    json!({"kinesis": {"sequenceNumber": number, "partitionKey": "p", "data": STANDARD.encode(body)}, "eventSource": "aws:kinesis"})
}

fn message(index: usize, plan: &Plan, is_fifo: bool) -> Value {
    let metadata = json!({"event-id": index.to_string(), "notificationType": "something.new"}).to_string();
    json!({
        "messageId": format!("059f36b4-87a3-44ab-83d2-{index:07}"),
        "receiptHandle": "AQEB",
        "body": if plan.is_readable { "{}" } else { "{" },
        "attributes": {"MessageGroupId": plan.group.to_string()},
        "messageAttributes": {"metadata": {"stringValue": metadata, "dataType": "String"}},
        "eventSource": "aws:sqs",
        "eventSourceARN": if is_fifo { "arn:aws:sqs:us-east-2:1:a.fifo" } else { "arn:aws:sqs:us-east-2:1:a" },
    })
}

/// Calls the function. It may be killed before it is done, and its answer may be lost.
async fn invoked(
    work: impl Future<Output = Result<BatchResponse, EventError>>,
    rng: &mut Rng,
) -> Result<Option<BatchResponse>, String> {
    let killed = Duration::from_secs(if rng.u8(..) < 50 { rng.u64(1..30) } else { 60 });
    match timeout(killed, work).await {
        Ok(Ok(answer)) => Ok(Some(answer).filter(|_| rng.u8(..) > 25)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Ok(None),
    }
}

/// A shard: Lambda goes on at the lowest failure, with half as many records; an answer may be lost.
async fn shard(plans: &[Plan], rng: &mut Rng) -> Result<(), String> {
    let world = Shared::new(Order::Shard, plans);
    let (mut at, mut size) = (0, 20);
    for _ in 0..MOST_ROUNDS {
        if at == plans.len() {
            return world.faults().first().cloned().map_or(Ok(()), Err);
        }
        let end = plans.len().min(at + size);
        let records: Vec<Value> = (at..end).map(|index| record(index, &plans[index])).collect();
        let batch = world.batch();
        let work = batch.kinesis(json!({"Records": records}), |delivery| world.clone().handle(delivery));
        let Some(answer) = invoked(work, rng).await? else {
            size = (size / 2).max(1);
            continue;
        };
        let next = match answer.failures() {
            [] => end,
            [failure] => index_of(&failure.id),
            more => return Err(format!("{} failures", more.len())),
        };
        (at..next).for_each(|index| world.acknowledge(index));
        size = if next == end { 20 } else { (size / 2).max(1) };
        at = next;
    }
    Err("the shard is blocked".to_owned())
}

/// A queue: messages that failed are sent again, and those whose answer was lost. A standard queue shuffles; a FIFO queue
/// sends the first messages of each group.
async fn queue(plans: &[Plan], is_fifo: bool, rng: &mut Rng) -> Result<(), String> {
    let world = Shared::new(if is_fifo { Order::Group } else { Order::None }, plans);
    let mut waiting: Vec<usize> = (0..plans.len()).collect();
    for _ in 0..MOST_ROUNDS {
        if waiting.is_empty() {
            return world.faults().first().cloned().map_or(Ok(()), Err);
        }
        if !is_fifo {
            rng.shuffle(&mut waiting);
        }
        let sent: Vec<usize> = waiting.iter().copied().take(10).collect();
        let records: Vec<Value> = sent.iter().map(|index| message(*index, &plans[*index], is_fifo)).collect();
        let batch = world.batch();
        let work = batch.sqs(json!({"Records": records}), |delivery| world.clone().handle(delivery));
        let Some(answer) = invoked(work, rng).await? else { continue };
        let failed: Vec<usize> = answer.failures().iter().map(|failure| index_of(&failure.id)).collect();
        for failure in answer.failures().iter().filter(|failure| failure.cause == Cause::Held) {
            let index = index_of(&failure.id);
            if !is_fifo || !failed.iter().any(|held| *held < index && plans[*held].group == plans[index].group) {
                return Err(format!("{index} is held back by nobody"));
            }
        }
        let done: Vec<usize> = sent.into_iter().filter(|index| !failed.contains(index)).collect();
        done.iter().for_each(|index| world.acknowledge(*index));
        // SQS delivers a message twice at times.
        let twice = done.first().copied().filter(|_| !is_fifo && rng.u8(..) < 25);
        waiting.retain(|index| !done.contains(index) || Some(*index) == twice);
    }
    Err("the queue is blocked".to_owned())
}

#[test]
fn each_record_is_handled_at_least_once_and_in_order_whatever_fails() {
    assert!(CASES as usize * RECORDS * 3 > 10_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let plans = prop::collection::vec(plan(), RECORDS..=RECORDS);
    let outcome = runner.run(&(plans, any::<u64>()), |(plans, seed)| {
        let mut rng = Rng::with_seed(seed);
        let (shard, standard, fifo) = runtime.block_on(async {
            (shard(&plans, &mut rng).await, queue(&plans, false, &mut rng).await, queue(&plans, true, &mut rng).await)
        });
        prop_assert_eq!((shard, standard, fifo), (Ok(()), Ok(()), Ok(())));
        Ok(())
    });
    outcome.unwrap();
}

/// A record that can neither be read nor parked ends with the retries of its mapping, and loses no other.
#[tokio::test]
async fn without_a_function_that_parks_the_rest_is_handled_once_lambda_gives_up() {
    let plan = |is_readable| Plan { is_readable, attempts: Vec::new(), group: 0 };
    let plans = [plan(true), plan(false), plan(true)];
    let world = Shared::new(Order::None, &plans);
    let mut records: VecDeque<Value> = plans.iter().enumerate().map(|(index, plan)| record(index, plan)).collect();
    let mut discarded = Vec::new();
    while !records.is_empty() {
        let event = json!({ "Records": records });
        let answer = Batch::new().kinesis(event, |delivery| world.clone().handle(delivery)).await.unwrap();
        let Some(failure) = answer.failures().first() else { break };
        while records.pop_front().is_some_and(|record| record["kinesis"]["sequenceNumber"] != failure.id) {}
        discarded.push(index_of(&failure.id));
    }
    assert_eq!((discarded, world.0.lock().unwrap().done.clone()), (vec![1], vec![true, false, true]));
}
