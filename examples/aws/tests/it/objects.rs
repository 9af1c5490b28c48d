//! Tests of S3 objects whose notifications come in a queue.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::moto::{Queue, remove};
use crate::runtime_api::{Answer, Function};
use crate::{peers, script};

const OBJECTS: usize = 20;
const GONE: usize = 7;

#[tokio::test]
#[ignore = "run by `cargo xtask peers`"]
async fn objects_are_fetched_and_one_that_is_gone_fails_alone() {
    let queue = Queue::create("objects", 2, 1).await;
    let bucket = format!("objects-{}", std::process::id());
    let put = queue.put(&bucket, &peers::lines(OBJECTS));
    let gone = put[GONE]["key"].as_str().unwrap();
    remove(&bucket, gone).await;

    let handled = Arc::new(Mutex::new(BTreeSet::new()));
    let script = script::serve({
        let handled = handled.clone();
        move |id| {
            handled.lock().unwrap().insert(id.to_owned());
            "ok"
        }
    });
    let settings = [("SOURCE", "s3"), ("SCRIPT", &*script.await), ("AWS_ENDPOINT_URL", &peers::setting("PEERS_MOTO"))];
    let function = Function::start(&peers::built("scripted"), &settings).await;
    let map = queue.map(async |event: Value| {
        let Answer::Response(answer) = function.invoke(&event, Duration::from_secs(10)).await else {
            panic!("{event}")
        };
        let failed = script::identifiers(&answer);
        assert!(failed.len() <= 1, "{failed:?}");
        Some(failed)
    });
    tokio::time::timeout(Duration::from_secs(60), map).await.unwrap();

    // Only the metadata of the object has the id.
    let expected = (0..OBJECTS).filter(|index| *index != GONE).map(|index| index.to_string()).collect();
    assert_eq!(*handled.lock().unwrap(), expected);
    let dead = queue.dead().await;
    let [dead] = dead.as_slice() else { panic!("{dead:?}") };
    let event: Value = serde_json::from_str(dead.body.as_deref().unwrap()).unwrap();
    let encoded = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap();
    assert!(encoded != gone && encoded.ends_with(&format!("+{GONE}.json")), "{encoded} of {gone}");
}
