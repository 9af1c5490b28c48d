//! What the inbox counts, in the [text format of Prometheus](https://prometheus.io/docs/instrumenting/exposition_formats).
//!
//! The inbox has eight metrics with one label at most. The usual exporter builds twenty crates more, for summaries,
//! a gateway to push to, and a server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// In seconds: from a fast disk to an application that is down for a day.
const BUCKETS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 300.0, 3_600.0, 86_400.0];

/// Keeps the metrics of the process. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Mutex<BTreeMap<String, Family>>>);

/// The metrics of one name, by their labels as they are printed: `result="stored"`.
#[derive(Default)]
struct Family {
    help: String,
    series: BTreeMap<String, Series>,
}

enum Series {
    Counter(Arc<AtomicU64>),
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

/// How many values were at most as large as each bound, and all of them.
#[derive(Default)]
struct Buckets(Mutex<([u64; BUCKETS.len()], u64, f64)>);

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let (buckets, count, sum) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (bucket, bound) in buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(value <= bound);
        }
        *count += 1;
        *sum += value;
    }
}

impl Metrics {
    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Family) -> T) -> T {
        act(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default())
    }

    /// Returns the series of a key, and makes it where there is none.
    fn series<T>(&self, key: &Key, new: fn() -> Series, is: impl FnOnce(&Series) -> Option<T>) -> Option<T> {
        let label =
            |label: &metrics::Label| format!("{}=\"{}\"", label.key(), escaped(label.value()).replace('"', "\\\""));
        let labels: Vec<String> = key.labels().map(label).collect();
        self.with(key.name(), |family| is(family.series.entry(labels.join(",")).or_insert_with(new)))
    }

    fn describe(&self, name: &KeyName, help: &str) {
        self.with(name.as_str(), |family| help.clone_into(&mut family.help));
    }

    /// Returns all metrics that have a value, as text.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        for (name, family) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let Some(first) = family.series.values().next() else { continue };
            let kind = match first {
                Series::Counter(_) => "counter",
                Series::Gauge(_) => "gauge",
                Series::Histogram(_) => "histogram",
            };
            if !family.help.is_empty() {
                let _ = writeln!(out, "# HELP {name} {}", escaped(&family.help));
            }
            let _ = writeln!(out, "# TYPE {name} {kind}");
            for (labels, series) in &family.series {
                write_series(&mut out, name, labels, series);
            }
            out.push('\n');
        }
        out
    }
}

fn write_series(out: &mut String, name: &str, labels: &str, series: &Series) {
    let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    // Writing to a string does not fail.
    let _ = match series {
        Series::Counter(value) => writeln!(out, "{name}{braces} {}", value.load(Ordering::Relaxed)),
        Series::Gauge(value) => writeln!(out, "{name}{braces} {}", f64::from_bits(value.load(Ordering::Relaxed))),
        Series::Histogram(values) => {
            let (buckets, count, sum) = *values.0.lock().unwrap_or_else(PoisonError::into_inner);
            let comma = if labels.is_empty() { "" } else { "," };
            for (bucket, bound) in buckets.iter().zip(BUCKETS) {
                let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {bucket}");
            }
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}");
            writeln!(out, "{name}_sum{braces} {sum}\n{name}_count{braces} {count}")
        }
    };
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

impl Recorder for Metrics {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, &description);
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, &description);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, &description);
    }

    // A name that has two kinds of metrics is counted as the first one.

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let counter = self.series(
            key,
            || Series::Counter(Arc::default()),
            |series| match series {
                Series::Counter(counter) => Some(counter.clone()),
                _ => None,
            },
        );
        counter.map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let gauge = self.series(
            key,
            || Series::Gauge(Arc::default()),
            |series| match series {
                Series::Gauge(gauge) => Some(gauge.clone()),
                _ => None,
            },
        );
        gauge.map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let histogram = self.series(
            key,
            || Series::Histogram(Arc::default()),
            |series| match series {
                Series::Histogram(histogram) => Some(histogram.clone()),
                _ => None,
            },
        );
        histogram.map_or_else(Histogram::noop, Histogram::from_arc)
    }
}

#[cfg(test)]
mod tests {
    use metrics::{counter, gauge, histogram};

    use super::*;

    #[test]
    fn the_text_is_that_of_prometheus() {
        let metrics = Metrics::default();
        metrics::with_local_recorder(&metrics, || {
            metrics::describe_counter!("puts_total", "Stored,\nby result");
            metrics::describe_counter!("never_total", "Not counted yet");
            counter!("puts_total", "result" => "a \"b\" \\").increment(2);
            counter!("puts_total", "result" => "stored").increment(1);
            gauge!("age_seconds").set(1.5);
            for value in [0.0005, 0.001, 0.2, 100_000.0] {
                histogram!("put_seconds").record(value);
            }
        });
        insta::assert_snapshot!(metrics.render(), @r##"
        # TYPE age_seconds gauge
        age_seconds 1.5

        # TYPE put_seconds histogram
        put_seconds_bucket{le="0.001"} 2
        put_seconds_bucket{le="0.0025"} 2
        put_seconds_bucket{le="0.005"} 2
        put_seconds_bucket{le="0.01"} 2
        put_seconds_bucket{le="0.025"} 2
        put_seconds_bucket{le="0.05"} 2
        put_seconds_bucket{le="0.1"} 2
        put_seconds_bucket{le="0.25"} 3
        put_seconds_bucket{le="0.5"} 3
        put_seconds_bucket{le="1"} 3
        put_seconds_bucket{le="2.5"} 3
        put_seconds_bucket{le="10"} 3
        put_seconds_bucket{le="30"} 3
        put_seconds_bucket{le="300"} 3
        put_seconds_bucket{le="3600"} 3
        put_seconds_bucket{le="86400"} 3
        put_seconds_bucket{le="+Inf"} 4
        put_seconds_sum 100000.2015
        put_seconds_count 4

        # HELP puts_total Stored,\nby result
        # TYPE puts_total counter
        puts_total{result="a \"b\" \\"} 2
        puts_total{result="stored"} 1
        "##);
    }
}
