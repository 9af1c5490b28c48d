//! Which records a batch handles, and how it responds.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ampersand_aws::{
    Batch, BatchResponse, Cause, EventError, Fetched, Object, RecordError, Unreadable, UnreadableError, kinesis, sqs,
};
use ampersand_notifications::Delivery;
use ampersand_testing::{Envelope, Fixture, aws};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// Fixtures whose ids are `0`, `1` and so on.
fn numbered(count: usize) -> Vec<Fixture> {
    (0..count).map(|index| Fixture::new("connection.created").with_id(index.to_string())).collect()
}

fn queue(count: usize) -> Value {
    aws::sqs_event(&numbered(count))
}

/// Returns a FIFO queue's event, with a message for each of these groups.
fn fifo(groups: &[&str]) -> Value {
    let mut event = queue(groups.len());
    for (record, group) in event["Records"].as_array_mut().unwrap().iter_mut().zip(groups) {
        record["eventSourceARN"] = "arn:aws:sqs:us-east-1:123456789012:ampersand.fifo".into();
        record["attributes"]["MessageGroupId"] = (*group).into();
    }
    event
}

fn stream(count: usize) -> Value {
    aws::kinesis_event(&numbered(count))
}

fn number(stream: &Value, index: usize) -> String {
    stream["Records"][index]["kinesis"]["sequenceNumber"].as_str().unwrap().to_owned()
}

fn failed(answer: &BatchResponse) -> Vec<(&str, Cause)> {
    answer.failures().iter().map(|failure| (failure.id.as_str(), failure.cause)).collect()
}

fn id(delivery: &Delivery) -> usize {
    delivery.id().unwrap().parse().unwrap()
}

/// A handler that succeeds or fails as the test says, and records its calls.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Vec<usize>>>);

impl Script {
    async fn run(&self, delivery: Delivery, failing: &[usize]) -> Result<(), &'static str> {
        let id = id(&delivery);
        self.0.lock().unwrap().push(id);
        if failing.contains(&id) { Err("it failed") } else { Ok(()) }
    }

    fn calls(&self) -> Vec<usize> {
        self.0.lock().unwrap().clone()
    }
}

async fn fine(_: Delivery) -> Result<(), Infallible> {
    Ok(())
}

#[tokio::test]
async fn a_stream_stops_at_its_first_failure_and_names_it_alone() {
    let (event, script) = (stream(5), Script::default());
    let answer = kinesis(&event, |delivery| script.run(delivery, &[2, 4])).await.unwrap();
    assert_eq!(failed(&answer), [(number(&event, 2).as_str(), Cause::Handler)]);
    assert_eq!(script.calls(), [0, 1, 2]);
    let json = serde_json::to_value(&answer).unwrap();
    assert_eq!(json, json!({"batchItemFailures": [{"itemIdentifier": number(&event, 2)}]}));
    let piped = Batch::new().kinesis(&event["Records"], |delivery| script.run(delivery, &[2])).await.unwrap();
    assert_eq!(piped, answer);
}

#[tokio::test]
async fn a_standard_queue_names_every_failure_in_order_and_keeps_to_the_limit() {
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let handler = async |delivery: Delivery| {
        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Later deliveries finish sooner.
        sleep(Duration::from_millis(20 - id(&delivery) as u64)).await;
        running.fetch_sub(1, Ordering::SeqCst);
        if id(&delivery) % 3 == 1 { Err(()) } else { Ok(()) }
    };
    let answer = Batch::new().concurrency(4).sqs(&queue(12), handler).await.unwrap();
    let expected = ["1", "4", "7", "10"].map(|id| (id, Cause::Handler));
    assert_eq!((failed(&answer), most.load(Ordering::SeqCst)), (expected.to_vec(), 4));
    let answer = Batch::new().concurrency(0).sqs(&queue(2), fine).await.unwrap();
    assert_eq!(failed(&answer), []);
    assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"batchItemFailures":[]}"#);
}

#[tokio::test]
async fn a_group_of_a_fifo_queue_stops_at_its_first_failure_and_others_go_on() {
    let (event, script) = (fifo(&["a", "b", "a", "b", "a", "c"]), Script::default());
    let answer = sqs(&event, |delivery| script.run(delivery, &[2])).await.unwrap();
    assert_eq!(failed(&answer), [("2", Cause::Handler), ("4", Cause::Held)]);
    let mut calls = script.calls();
    calls.sort_unstable();
    assert_eq!(calls, [0, 1, 2, 3, 5]);

    // Without group ids, all messages are in one group. Without a queue name, the group makes the queue FIFO.
    let (mut no_group, mut no_queue) = (fifo(&["", "", ""]), fifo(&["a", "a", "b"]));
    for index in 0..3 {
        no_group["Records"][index]["attributes"].as_object_mut().unwrap().remove("MessageGroupId");
        no_queue["Records"][index].as_object_mut().unwrap().remove("eventSourceARN");
    }
    let answer = sqs(&no_group, |delivery| script.run(delivery, &[0])).await.unwrap();
    assert_eq!(failed(&answer), [("0", Cause::Handler), ("1", Cause::Held), ("2", Cause::Held)]);
    let answer = sqs(&no_queue, |delivery| script.run(delivery, &[0])).await.unwrap();
    assert_eq!(failed(&answer), [("0", Cause::Handler), ("1", Cause::Held)]);
}

#[tokio::test]
async fn a_standard_queue_with_groups_has_no_order() {
    let (mut event, script) = (fifo(&["a", "a"]), Script::default());
    for index in 0..2 {
        event["Records"][index]["eventSourceARN"] = "arn:aws:sqs:us-east-1:123456789012:ampersand".into();
    }
    let answer = sqs(&event, |delivery| script.run(delivery, &[0])).await.unwrap();
    assert_eq!((failed(&answer), script.calls()), (vec![("0", Cause::Handler)], vec![0, 1]));
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_and_then_done() {
    let mut event = stream(3);
    event["Records"][0]["kinesis"]["data"] = "%".into();
    event["Records"][1]["kinesis"]["data"] = "e30=".into();
    let (parked, script) = (Arc::new(Mutex::new(Vec::new())), Script::default());
    let keep = parked.clone();
    let batch = Batch::new().park(move |unreadable| {
        keep.lock().unwrap().push(unreadable);
        async { Ok::<_, Infallible>(()) }
    });
    let answer = batch.kinesis(&event, |delivery| script.run(delivery, &[])).await.unwrap();
    assert_eq!((failed(&answer), script.calls()), (vec![], vec![2]));
    let parked = parked.lock().unwrap();
    assert_eq!(parked[0].error, UnreadableError::Record(RecordError::NotBase64("data")));
    for (index, Unreadable { id, record, .. }) in parked.iter().enumerate() {
        assert_eq!(id.as_ref(), Some(&number(&event, index)));
        assert_eq!(serde_json::from_str::<Value>(record).unwrap(), event["Records"][index]);
    }
}

#[tokio::test]
async fn what_cannot_be_read_fails_where_it_is_not_parked() {
    let mut event = queue(3);
    event["Records"][1]["body"] = "not json".into();
    for batch in [Batch::new(), Batch::new().park(async |_| Err(()))] {
        assert_eq!(failed(&batch.sqs(&event, fine).await.unwrap()), [("1", Cause::Unreadable)]);
    }
    let batch = Batch::new().park(async |_| -> Result<(), ()> { panic!("in a test") });
    assert_eq!(failed(&batch.sqs(&event, fine).await.unwrap()), [("1", Cause::Panic)]);
}

#[tokio::test]
async fn a_panic_is_a_failure_of_its_record_alone() {
    let later = async |delivery: Delivery| -> Result<(), ()> {
        tokio::task::yield_now().await;
        if id(&delivery) == 1 { panic!("in a test") } else { Ok(()) }
    };
    assert_eq!(failed(&sqs(&queue(3), later).await.unwrap()), [("1", Cause::Panic)]);
    let at_once = |delivery: Delivery| {
        assert_ne!(id(&delivery), 1, "in a test");
        async { Ok::<_, ()>(()) }
    };
    assert_eq!(failed(&sqs(&queue(3), at_once).await.unwrap()), [("1", Cause::Panic)]);
    let event = stream(3);
    let answer = kinesis(&event, later).await.unwrap();
    assert_eq!(failed(&answer), [(number(&event, 1).as_str(), Cause::Panic)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_by_the_deadline_is_reported_in_time() {
    let begun = Instant::now();
    let slow = async |delivery: Delivery| {
        sleep(Duration::from_secs(if id(&delivery) == 1 { 3600 } else { 1 })).await;
        Ok::<_, ()>(())
    };
    let batch = Batch::new().within(Duration::from_secs(10)).concurrency(2);
    let answer = batch.sqs(&queue(5), slow).await.unwrap();
    assert_eq!(failed(&answer), [("1", Cause::Deadline)]);
    assert_eq!(begun.elapsed().as_secs(), 10);

    // The deadline has passed: no handler starts.
    let script = Script::default();
    let answer = batch.sqs(&queue(2), |delivery| script.run(delivery, &[])).await.unwrap();
    assert_eq!((failed(&answer), script.calls()), (vec![("0", Cause::Deadline), ("1", Cause::Deadline)], vec![]));

    let (begun, event) = (Instant::now(), stream(3));
    let answer = Batch::new().until(begun + Duration::from_secs(5)).kinesis(&event, slow).await.unwrap();
    assert_eq!(failed(&answer), [(number(&event, 1).as_str(), Cause::Deadline)]);
    assert_eq!(begun.elapsed().as_secs(), 5);

    let groups = fifo(&["a", "a", "a", "b"]);
    let answer = Batch::new().within(Duration::from_secs(5)).sqs(&groups, slow).await.unwrap();
    assert_eq!(failed(&answer), [("1", Cause::Deadline), ("2", Cause::Held)]);
    assert!(Batch::new().within(Duration::MAX).sqs(&queue(1), fine).await.unwrap().failures().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_second_is_left_before_the_timeout_of_lambda() {
    let forever = |_| std::future::pending::<Result<(), ()>>();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let begun = Instant::now();
    let answer = Batch::new().before_timeout(now + 30_000).sqs(&queue(2), forever).await.unwrap();
    assert_eq!(failed(&answer), [("0", Cause::Deadline), ("1", Cause::Deadline)]);
    assert!((28_000..=29_100).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    let answer = Batch::new().before_timeout(now).sqs(&queue(1), forever).await.unwrap();
    assert_eq!(failed(&answer), [("0", Cause::Deadline)]);
}

/// `cargo lambda watch` sends such a deadline with each invocation.
#[tokio::test]
async fn a_deadline_of_1970_is_none() {
    let batch = Batch::new().before_timeout(600_000);
    assert_eq!(failed(&batch.sqs(&queue(2), async |_| Ok::<_, ()>(())).await.unwrap()), []);
}

/// Returns an object of a bucket that holds the fixtures.
async fn get(object: Object, fixtures: Vec<Fixture>) -> Result<Fetched, &'static str> {
    assert_eq!(object.bucket, aws::BUCKET);
    let fixture = fixtures.iter().find(|fixture| aws::s3_key(fixture) == object.key).ok_or("there is no such key")?;
    let sent = fixture.send(Envelope::S3);
    Ok(Fetched { body: sent.body, metadata: sent.headers.into_iter().collect() })
}

#[tokio::test]
async fn objects_of_s3_are_fetched_by_a_function_of_the_users() {
    let (fixtures, script) = (numbered(4), Script::default());
    let mut event = aws::s3_event(&fixtures);
    event["Records"][3]["eventName"] = "ObjectRemoved:Delete".into();
    let there = fixtures.clone();
    let batch = Batch::new().fetch(move |object| get(object, there.clone()));
    assert_eq!(batch.all(&event, |delivery| script.run(delivery, &[])).await, Ok(()));
    assert_eq!(script.calls(), [0, 1, 2]);

    let of = |event: &Value| {
        let mut message = queue(1)["Records"][0].clone();
        message["body"] = event.to_string().into();
        message["messageAttributes"] = json!({});
        message
    };
    let mut gone = event.clone();
    gone["Records"][0]["s3"]["object"]["key"] = "gone".into();
    let (mut first, mut second) = (of(&event), of(&gone));
    (first["messageId"], second["messageId"]) = ("first".into(), "second".into());
    let test = of(&json!({"Event": "s3:TestEvent", "Bucket": "b"}));
    let queue = json!({"Records": [first, second, test]});
    let script = Script::default();
    let answer = batch.sqs(&queue, |delivery| script.run(delivery, &[])).await.unwrap();
    assert_eq!(failed(&answer), [("second", Cause::Fetch)]);
    assert_eq!(script.calls(), [0, 1, 2, 1, 2], "the others of a message are not held up");
    assert_eq!(failed(&Batch::new().sqs(&queue, fine).await.unwrap()).len(), 2, "nothing fetches them");

    let batch = Batch::new().fetch(async |_| -> Result<Fetched, ()> { panic!("in a test") });
    let error = batch.all(&event, fine).await.unwrap_err();
    assert_eq!(error, EventError::Failed { failed: 3, total: 4, first: Cause::Panic });
    assert_eq!(error.to_string(), "3 of 4 records failed, the first: the handler panicked");
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_parked_with_its_body() {
    let parked = Arc::new(Mutex::new(Vec::new()));
    let keep = parked.clone();
    let batch = Batch::new()
        .fetch(async |_| Ok::<_, ()>(Fetched { body: b"not json".to_vec(), metadata: Default::default() }))
        .park(move |unreadable| {
            keep.lock().unwrap().push(unreadable);
            async { Ok::<_, ()>(()) }
        });
    assert_eq!(batch.all(&aws::s3_event(&numbered(1)), fine).await, Ok(()));
    let UnreadableError::Body(error) = &parked.lock().unwrap()[0].error else { panic!() };
    assert_eq!(error.body(), b"not json");
}

#[tokio::test]
async fn a_webhook_is_never_handed_to_a_handler_unverified() {
    let sent = Fixture::new("connection.created").send(Envelope::Webhook);
    let script = Script::default();
    let error = Batch::new().all(aws::http_api_event(&sent), |delivery| script.run(delivery, &[])).await;
    assert_eq!(error, Err(EventError::Failed { failed: 1, total: 1, first: Cause::Unreadable }));
    let error = Batch::new().sqs(aws::http_api_event(&sent), |delivery| script.run(delivery, &[])).await;
    assert_eq!((error, script.calls()), (Err(EventError::NoIdentifier { index: 0 }), vec![]));
}

#[tokio::test]
async fn an_answer_never_has_an_empty_identifier() {
    let script = Script::default();
    for none in [json!(null), json!(""), json!(5)] {
        let (mut shard, mut messages) = (stream(2), queue(2));
        shard["Records"][1]["kinesis"]["sequenceNumber"] = none.clone();
        messages["Records"][1]["messageId"] = none;
        let error = Err(EventError::NoIdentifier { index: 1 });
        assert_eq!(kinesis(&shard, |delivery| script.run(delivery, &[])).await, error);
        assert_eq!(sqs(&messages, |delivery| script.run(delivery, &[])).await, error);
    }
    assert_eq!(kinesis(queue(1), fine).await, Err(EventError::NoIdentifier { index: 0 }));
    assert_eq!(sqs(stream(1), fine).await, Err(EventError::NoIdentifier { index: 0 }));
    assert_eq!(sqs("{}", fine).await, Err(EventError::Unknown));
    assert_eq!(script.calls(), [] as [usize; 0]);
    assert_eq!(sqs(r#"{"Records": []}"#, fine).await, Ok(BatchResponse::default()));
}

#[tokio::test]
async fn records_without_a_type_get_the_one_that_is_said() {
    let mut event = stream(1);
    event["Records"][0]["kinesis"]["data"] = "e30=".into();
    let handler = async |delivery: Delivery| match delivery {
        Delivery::Notification(event) if event.notification_type.as_str() == "something.new" => Ok(()),
        _ => Err(()),
    };
    assert_eq!(failed(&Batch::new().of_type("something.new").kinesis(&event, handler).await.unwrap()), []);
}

#[test]
fn a_runtime_with_threads_can_run_them() {
    fn is_send<T: Send>(_: T) {}
    let batch = Batch::new().park(async |_| Ok::<_, ()>(())).fetch(async |_| Err(()));
    is_send(batch.kinesis("", fine));
    is_send(batch.sqs("", fine));
    is_send(batch.all("", fine));
    assert!(format!("{batch:?}").starts_with("Batch { park: true"));
}
