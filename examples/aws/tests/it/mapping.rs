//! Whatever a built function does with whatever record, each is handled at least once, and in order where there is one.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::runtime_api::{self, Function};
use crate::script;
use crate::simulator::{Answer, Attempt, Order, Shared, index_of, plan, queue, shard};

const RECORDS: usize = 150;
/// Lambda's timeout, of which the last second is for the answer.
const TIMEOUT: Duration = Duration::from_millis(1300);

async fn run(order: Order) {
    let plans = prop::collection::vec(plan(), RECORDS..=RECORDS);
    let plans = plans.new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let world = Shared::new(order, &plans);
    let script = script::serve({
        let world = world.clone();
        move |question| {
            let parked = question.strip_prefix("parked ").map(index_of);
            let index = parked.unwrap_or_else(|| question.parse().unwrap());
            match world.begin(index, parked.is_none()) {
                Some(Attempt::Fails) => "fail",
                Some(Attempt::Panics) => "panic",
                Some(Attempt::Hangs) => "hang",
                None => {
                    world.done(index);
                    "ok"
                }
            }
        }
    });
    let script = script.await;
    let source = if order == Order::Shard { "kinesis" } else { "sqs" };
    let function = Mutex::new(script::start(source, &script).await);
    let invoke = async |event: Value, rng: &mut fastrand::Rng| {
        let mut function: tokio::sync::MutexGuard<'_, Function> = function.lock().await;
        // Lambda kills a function at times, or an answer is lost.
        let within = if rng.u8(..) < 25 { Duration::from_millis(rng.u64(1..50)) } else { TIMEOUT };
        match function.invoke(&event, within).await {
            runtime_api::Answer::Response(answer) => Ok(identifiers(&answer).filter(|_| rng.u8(..) > 25)),
            runtime_api::Answer::Error(error) => Err(error.to_string()),
            runtime_api::Answer::Timeout => {
                *function = script::start(source, &script).await;
                Ok(None)
            }
        }
    };
    let mut rng = fastrand::Rng::with_seed(7);
    let outcome = match order {
        Order::Shard => shard(&world, &mut rng, invoke).await,
        Order::Group | Order::None => queue(&world, &mut rng, invoke).await,
    };
    assert_eq!(outcome, Ok(()));
    assert!(world.all_done().into_iter().all(|is_done| is_done));
}

fn identifiers(answer: &Value) -> Answer {
    let failures = answer["batchItemFailures"].as_array().unwrap().iter();
    Some(failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn a_shard_is_handled_in_order() {
    run(Order::Shard).await;
}

#[tokio::test]
async fn a_fifo_queue_is_handled_in_order_within_a_group() {
    run(Order::Group).await;
}

#[tokio::test]
async fn a_standard_queue_is_handled() {
    run(Order::None).await;
}
