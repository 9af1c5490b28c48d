//! Tests of the metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use ampersand_notifications::Source;
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::{Clocked, body, clocked, work};
use crate::{Failure, Options, Put, Retry};

/// Every metric by its name and label, with its value, or the number of its values.
fn told(recorder: &metrics_util::debugging::Snapshotter) -> BTreeMap<String, String> {
    let all = recorder.snapshot().into_vec().into_iter();
    let one = |(key, _, _, value): (metrics_util::CompositeKey, _, _, DebugValue)| {
        let labels: String = key.key().labels().map(|label| format!(" {}", label.value())).collect();
        let value = match (key.kind(), value) {
            (MetricKind::Histogram, DebugValue::Histogram(values)) => format!("{} values", values.len()),
            (_, DebugValue::Counter(count)) => count.to_string(),
            (_, DebugValue::Gauge(value)) => format!("{value}"),
            (kind, value) => panic!("{kind:?} {value:?}"),
        };
        (format!("{}{labels}", key.key().name()), value)
    };
    all.map(one).collect()
}

#[tokio::test]
async fn what_is_put_tried_and_waits_is_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let Clocked { inbox, now, _folder } = clocked(Options::default()).await;
    for (id, expected) in [("good", Put::Stored), ("good", Put::Duplicate), ("bad", Put::Stored)] {
        assert_eq!(inbox.put(Source::Webhook, id, &body(id)).await, Ok(expected));
    }
    now.fetch_add(1500, std::sync::atomic::Ordering::SeqCst);
    inbox.status().await.expect("a status");
    let waiting = told(&snapshotter);
    for (name, expected) in [
        ("ampersand_inbox_puts_total stored", "2"),
        ("ampersand_inbox_puts_total duplicate", "1"),
        ("ampersand_inbox_put_seconds", "3 values"),
        ("ampersand_inbox_deliveries ready", "2"),
        ("ampersand_inbox_oldest_ready_seconds", "1.5"),
    ] {
        assert_eq!(waiting.get(name).map(String::as_str), Some(expected), "{name} of {waiting:?}");
    }
    let retry = Retry { attempts: 2, first: Duration::ZERO, ..Retry::default() };
    work(
        &inbox,
        retry,
        |incoming| async move { if incoming.id == "bad" { Err(Failure::transient("no")) } else { Ok(()) } },
    )
    .await;
    let worked = told(&snapshotter);
    for (name, expected) in [
        ("ampersand_inbox_attempts_total done", "1"),
        ("ampersand_inbox_attempts_total retry", "1"),
        ("ampersand_inbox_attempts_total dead", "1"),
        ("ampersand_inbox_attempt_seconds", "3 values"),
        ("ampersand_inbox_wait_seconds", "2 values"),
    ] {
        assert_eq!(worked.get(name).map(String::as_str), Some(expected), "{name} of {worked:?}");
    }
}
