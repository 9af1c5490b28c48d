//! A small simulator of Lambda's event source mappings: it sends batches to a function and reads its responses, until
//! every record is done. Tests of `ampersand-aws` and of `examples/aws` call it with their own functions.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The most rounds per record; Lambda gives up on a record long before.
const MOST_ROUNDS: usize = 20;
/// The most records of a shard in a batch.
const BATCH: usize = 20;

/// The failures in a function's response, by identifier. `None` if the function was killed or its response lost.
pub type Answer = Option<Vec<String>>;

/// The failure of an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attempt {
    /// The handler returns an error.
    Fails,
    /// The handler panics.
    Panics,
    /// The handler never returns.
    Hangs,
}

/// A record, and how its first attempts fail before it is handled or parked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether its body is JSON.
    pub is_readable: bool,
    /// How the first attempts fail; the next one succeeds.
    pub attempts: Vec<Attempt>,
    /// The group of a message in a FIFO queue.
    pub group: u8,
}

/// Any record. Most are readable, and most succeed at once.
pub fn plan() -> impl Strategy<Value = Plan> {
    let attempt = prop_oneof![Just(Attempt::Fails), Just(Attempt::Panics), Just(Attempt::Hangs)];
    let attempts = prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(attempt, 1..4)];
    (prop::bool::weighted(0.9), attempts, 0..8_u8).prop_map(|(is_readable, attempts, group)| Plan {
        is_readable,
        attempts,
        group,
    })
}

/// Which records must be done before another may begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// All earlier records of the shard.
    Shard,
    /// All earlier records of its group.
    Group,
    /// None.
    None,
}

#[derive(Debug)]
struct World {
    order: Order,
    plans: Vec<Plan>,
    left: Vec<VecDeque<Attempt>>,
    done: Vec<bool>,
    faults: Vec<String>,
}

/// The records of a test and their state, which the function and the mapping share.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    /// Creates a world of these records; none is done.
    pub fn new(order: Order, plans: &[Plan]) -> Self {
        let world = World { order, plans: Vec::new(), left: Vec::new(), done: Vec::new(), faults: Vec::new() };
        let shared = Self(Arc::new(Mutex::new(world)));
        for plan in plans {
            shared.add(plan);
        }
        shared
    }

    /// Adds a record, and returns its index.
    pub fn add(&self, plan: &Plan) -> usize {
        let mut world = self.0.lock().unwrap();
        world.plans.push(plan.clone());
        world.left.push(plan.attempts.iter().copied().collect());
        world.done.push(false);
        world.plans.len() - 1
    }

    /// Begins an attempt, and returns how it fails; `None` if it succeeds.
    pub fn begin(&self, index: usize, is_readable: bool) -> Option<Attempt> {
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

    /// Records that a record is handled or parked.
    pub fn done(&self, index: usize) {
        self.0.lock().unwrap().done[index] = true;
    }

    /// The mapping considers this record done, and never sends it again.
    fn acknowledge(&self, index: usize) {
        let mut world = self.0.lock().unwrap();
        if !world.done[index] {
            world.faults.push(format!("{index} is lost"));
        }
    }

    /// The plans of all records.
    pub fn plans(&self) -> Vec<Plan> {
        self.0.lock().unwrap().plans.clone()
    }

    /// Whether the records are the messages of a FIFO queue.
    pub fn is_fifo(&self) -> bool {
        self.0.lock().unwrap().order == Order::Group
    }

    /// For each record, whether it is handled or parked.
    pub fn all_done(&self) -> Vec<bool> {
        self.0.lock().unwrap().done.clone()
    }

    fn faults(&self) -> Vec<String> {
        self.0.lock().unwrap().faults.clone()
    }
}

/// Returns the index of a record, in which its identifier ends.
pub fn index_of(identifier: &str) -> usize {
    identifier[identifier.len() - 7..].parse().unwrap()
}

/// A Kinesis record, as Lambda sends it.
pub fn record(index: usize, plan: &Plan) -> Value {
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

/// Simulates a shard of the records of the world.
pub async fn shard(
    world: &Shared,
    rng: &mut Rng,
    function: impl AsyncFn(Value, &mut Rng) -> Result<Answer, String>,
) -> Result<(), String> {
    let plans = world.plans();
    let read = async |at: usize, most: usize| {
        let end = plans.len().min(at + most);
        (at..end).map(|index| record(index, &plans[index])).collect()
    };
    stream(world, rng, read, function).await
}

/// Simulates a shard. `read` takes an index and a number, and returns at most that many records from that index, or
/// none at the end. Lambda continues from the lowest failure, with half as many records. A response may be lost.
pub async fn stream(
    world: &Shared,
    rng: &mut Rng,
    read: impl AsyncFn(usize, usize) -> Vec<Value>,
    function: impl AsyncFn(Value, &mut Rng) -> Result<Answer, String>,
) -> Result<(), String> {
    let (mut at, mut size, mut rounds) = (0, BATCH, 0);
    loop {
        let records = read(at, size).await;
        if records.is_empty() {
            return world.faults().first().cloned().map_or(Ok(()), Err);
        }
        let end = at + records.len();
        rounds += 1;
        if rounds > MOST_ROUNDS * end {
            return Err("the shard is blocked".to_owned());
        }
        let Some(failures) = function(json!({"Records": records}), rng).await? else {
            size = (size / 2).max(1);
            continue;
        };
        let index_of = |id: &String| records.iter().position(|record| record["kinesis"]["sequenceNumber"] == **id);
        let next = match failures.as_slice() {
            [] => end,
            [failure] => at + index_of(failure).ok_or("a failure of a record that was not sent")?,
            more => return Err(format!("{} failures", more.len())),
        };
        (at..next).for_each(|index| world.acknowledge(index));
        size = if next == end { BATCH } else { (size / 2).max(1) };
        at = next;
    }
}

/// Simulates a queue. It sends failed messages again, and those whose response was lost. A standard queue shuffles; a
/// FIFO queue sends the first messages of each group.
pub async fn queue(
    world: &Shared,
    rng: &mut Rng,
    function: impl AsyncFn(Value, &mut Rng) -> Result<Answer, String>,
) -> Result<(), String> {
    let (plans, is_fifo) = (world.plans(), world.is_fifo());
    let mut waiting: Vec<usize> = (0..plans.len()).collect();
    for _ in 0..MOST_ROUNDS * plans.len() {
        if waiting.is_empty() {
            return world.faults().first().cloned().map_or(Ok(()), Err);
        }
        if !is_fifo {
            rng.shuffle(&mut waiting);
        }
        let sent: Vec<usize> = waiting.iter().copied().take(10).collect();
        let records: Vec<Value> = sent.iter().map(|index| message(*index, &plans[*index], is_fifo)).collect();
        let Some(failures) = function(json!({"Records": records}), rng).await? else { continue };
        let failed: Vec<usize> = failures.iter().map(|id| index_of(id)).collect();
        let done: Vec<usize> = sent.into_iter().filter(|index| !failed.contains(index)).collect();
        done.iter().for_each(|index| world.acknowledge(*index));
        // Now and then, SQS delivers a message twice.
        let twice = done.first().copied().filter(|_| !is_fifo && rng.u8(..) < 25);
        waiting.retain(|index| !done.contains(index) || Some(*index) == twice);
    }
    Err("the queue is blocked".to_owned())
}
