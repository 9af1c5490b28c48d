//! Every record is handled at least once, and in order if there is one, whether a built function fails, panics or
//! hangs.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use test_support::lambda_simulator::{Order, Shared, index_of, plan, queue, shard};

use crate::script::{self, Unreliable};

const RECORDS: usize = 150;

async fn run(order: Order) {
    let plans = prop::collection::vec(plan(), RECORDS..=RECORDS);
    let plans = plans.new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let world = Shared::new(order, &plans);
    let script = script::serve({
        let world = world.clone();
        move |question| {
            let parked = question.strip_prefix("parked ").map(index_of);
            let index = parked.unwrap_or_else(|| question.parse().unwrap());
            script::attempt(&world, index, parked.is_none())
        }
    });
    let source = if order == Order::Shard { "kinesis" } else { "sqs" };
    let function = Unreliable::start(crate::SCRIPTED, source, script.await).await;
    let invoke = async |event: Value, rng: &mut fastrand::Rng| function.invoke(&event, rng).await;
    let mut rng = fastrand::Rng::with_seed(7);
    let outcome = match order {
        Order::Shard => shard(&world, &mut rng, invoke).await,
        Order::Group | Order::None => queue(&world, &mut rng, invoke).await,
    };
    assert_eq!(outcome, Ok(()));
    assert!(world.all_done().into_iter().all(|is_done| is_done));
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
