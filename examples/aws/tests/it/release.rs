//! Tests of the functions that Cargo Lambda built, as they are deployed.

use std::fs;
use std::time::Duration;

use ampersand_testing::{Fixture, aws};
use serde_json::json;

use crate::peers::built;
use crate::runtime_api::{Answer, Function};
use crate::script;

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn the_function_is_small_and_starts_fast() {
    let size = fs::metadata(built("kinesis")).unwrap().len();
    let mut starts = Vec::new();
    for _ in 0..21 {
        starts.push(Function::start(&built("kinesis"), &[("PARK_BUCKET", "parked")]).await.cold_start);
    }
    starts.sort();
    let median = starts[starts.len() / 2];
    println!("the function for Kinesis has {size} bytes, and starts in {median:?}");
    assert!(size <= 8_000_000, "{size} bytes");
    assert!(median <= Duration::from_millis(30), "{starts:?}");
}

/// Cargo Lambda builds with `panic = "abort"` unless the manifest says otherwise.
#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn a_panic_is_a_failure_of_its_record_alone() {
    let script = script::serve(|question| if question == "1" { "panic" } else { "ok" }).await;
    let function = script::start(&built("scripted"), "sqs", &script).await;
    let fixtures: Vec<Fixture> =
        (0..3).map(|index| Fixture::new("connection.created").with_id(index.to_string())).collect();
    let answer = function.invoke(&aws::sqs_event(&fixtures), Duration::from_secs(10)).await;
    assert_eq!(answer, Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": "1"}]})));
}
