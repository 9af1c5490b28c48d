//! Under any failures, each record is handled at least once and in order, and an unreadable record does not block the
//! others.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use ampersand_aws::{Batch, BatchResponse, Cause, EventError, Unreadable};
use ampersand_notifications::Delivery;
use fastrand::Rng;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use test_support::lambda_simulator::{Answer, Attempt, Order, Plan, Shared, index_of, plan, queue, record, shard};
use tokio::time::{sleep, timeout};

const CASES: u32 = 40;
const RECORDS: usize = 150;

async fn attempt(world: Shared, index: usize, is_readable: bool) -> Result<(), ()> {
    match world.begin(index, is_readable) {
        Some(Attempt::Fails) => return Err(()),
        Some(Attempt::Panics) => panic!("in a simulation"),
        Some(Attempt::Hangs) => sleep(Duration::from_secs(3600)).await,
        None => tokio::task::yield_now().await,
    }
    world.done(index);
    Ok(())
}

async fn handle(world: Shared, delivery: Delivery) -> Result<(), ()> {
    let index = delivery.id().unwrap().parse().unwrap();
    attempt(world, index, true).await
}

fn batch(world: &Shared) -> Batch {
    let world = world.clone();
    let park = move |Unreadable { id, .. }: Unreadable| attempt(world.clone(), index_of(&id.unwrap()), false);
    Batch::new().within(Duration::from_secs(30)).concurrency(3).park(park)
}

/// Calls the function. The call may be killed before it finishes, and its response may be lost.
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

fn identifiers(answer: Option<BatchResponse>) -> Answer {
    answer.map(|answer| answer.failures().iter().map(|failure| failure.id.clone()).collect())
}

async fn of_shard(plans: &[Plan], rng: &mut Rng) -> Result<(), String> {
    let world = Shared::new(Order::Shard, plans);
    let function = async |event: Value, rng: &mut Rng| {
        let batch = batch(&world);
        invoked(batch.kinesis(event, |delivery| handle(world.clone(), delivery)), rng).await.map(identifiers)
    };
    shard(&world, rng, function).await
}

async fn of_queue(plans: &[Plan], order: Order, rng: &mut Rng) -> Result<(), String> {
    let world = Shared::new(order, plans);
    let function = async |event: Value, rng: &mut Rng| {
        let batch = batch(&world);
        let answer = invoked(batch.sqs(event, |delivery| handle(world.clone(), delivery)), rng).await?;
        answer.iter().try_for_each(|answer| held_back(answer, plans, order))?;
        Ok(identifiers(answer))
    };
    queue(&world, rng, function).await
}

/// Checks that only an earlier message of the same group holds back a message.
fn held_back(answer: &BatchResponse, plans: &[Plan], order: Order) -> Result<(), String> {
    let failed: Vec<usize> = answer.failures().iter().map(|failure| index_of(&failure.id)).collect();
    for failure in answer.failures().iter().filter(|failure| failure.cause == Cause::Held) {
        let index = index_of(&failure.id);
        if order != Order::Group || !failed.iter().any(|held| *held < index && plans[*held].group == plans[index].group)
        {
            return Err(format!("{index} is held back by nobody"));
        }
    }
    Ok(())
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
            (
                of_shard(&plans, &mut rng).await,
                of_queue(&plans, Order::None, &mut rng).await,
                of_queue(&plans, Order::Group, &mut rng).await,
            )
        });
        prop_assert_eq!((shard, standard, fifo), (Ok(()), Ok(()), Ok(())));
        Ok(())
    });
    outcome.unwrap();
}

/// Returns the indexes of the records in each event. The function handles all of them and returns the given answers,
/// and then reports no failures.
async fn sent(order: Order, answers: &[Option<&[usize]>]) -> Result<Vec<Vec<usize>>, String> {
    let plans = vec![Plan { is_readable: true, attempts: Vec::new(), group: 0 }; 30];
    let (world, sent) = (Shared::new(order, &plans), RefCell::new(Vec::new()));
    let function = async |event: Value, _: &mut Rng| {
        let records = event["Records"].as_array().unwrap();
        let name = |record: &Value| {
            record["kinesis"]["sequenceNumber"].as_str().or(record["messageId"].as_str()).map(str::to_owned)
        };
        let names: Vec<String> = records.iter().map(|record| name(record).unwrap()).collect();
        let indexes: Vec<usize> = names.iter().map(|name| index_of(name)).collect();
        indexes.iter().for_each(|index| world.done(*index));
        let told = answers.get(sent.borrow().len()).copied().unwrap_or(Some(&[]));
        sent.borrow_mut().push(indexes);
        let failed = |told: &[usize]| names.iter().filter(|name| told.contains(&index_of(name))).cloned().collect();
        Ok(told.map(failed))
    };
    match order {
        Order::Shard => shard(&world, &mut Rng::with_seed(7), function).await?,
        Order::Group | Order::None => queue(&world, &mut Rng::with_seed(7), function).await?,
    }
    Ok(sent.into_inner())
}

/// AWS documents this: an empty response is full success, a stream continues at the failure, and without a response the
/// whole batch is sent again and bisected.
#[tokio::test]
async fn the_simulated_stream_goes_on_where_a_record_failed() {
    let ranges = |sent: Vec<Vec<usize>>| -> Vec<Range<usize>> {
        sent.iter().map(|indexes| indexes[0]..indexes[indexes.len() - 1] + 1).collect()
    };
    assert_eq!(ranges(sent(Order::Shard, &[]).await.unwrap()), [0..20, 20..30]);
    assert_eq!(ranges(sent(Order::Shard, &[Some(&[5])]).await.unwrap()), [0..20, 5..15, 15..30]);
    assert_eq!(ranges(sent(Order::Shard, &[None, None]).await.unwrap()), [0..20, 0..10, 0..5, 5..25, 25..30]);
    assert_eq!(sent(Order::Shard, &[Some(&[5, 7])]).await, Err("2 failures".to_owned()));
}

/// A queue deletes the messages that did not fail, and sends the others again, in order within a group.
#[tokio::test]
async fn the_simulated_queue_sends_again_what_failed() {
    let sent = sent(Order::Group, &[Some(&[3, 4]), None]).await.unwrap();
    let first = |invocation: usize| sent[invocation][..3].to_vec();
    assert_eq!(sent[0], (0..10).collect::<Vec<_>>());
    assert_eq!((first(1), first(2)), (vec![3, 4, 10], vec![3, 4, 10]), "no answer deletes nothing");
    assert_eq!(sent.iter().flatten().filter(|index| **index == 0).count(), 1);
}

/// An unreadable record that is not stored is dropped after the retries of its mapping, and no other record is lost.
#[tokio::test]
async fn without_a_function_that_parks_the_rest_is_handled_once_lambda_gives_up() {
    let plan = |is_readable| Plan { is_readable, attempts: Vec::new(), group: 0 };
    let plans = [plan(true), plan(false), plan(true)];
    let world = Shared::new(Order::None, &plans);
    let mut records: VecDeque<Value> = plans.iter().enumerate().map(|(index, plan)| record(index, plan)).collect();
    let mut discarded = Vec::new();
    while !records.is_empty() {
        let event = json!({ "Records": records });
        let answer = Batch::new().kinesis(event, |delivery| handle(world.clone(), delivery)).await.unwrap();
        let Some(failure) = answer.failures().first() else { break };
        while records.pop_front().is_some_and(|record| record["kinesis"]["sequenceNumber"] != failure.id) {}
        discarded.push(index_of(&failure.id));
    }
    assert_eq!((discarded, world.all_done()), (vec![1], vec![true, false, true]));
}
