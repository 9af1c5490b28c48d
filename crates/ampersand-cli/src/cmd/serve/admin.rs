//! The endpoints for operators: liveness, readiness and metrics.

use std::time::Duration;

use ampersand_inbox::Inbox;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::sync::watch;
use tokio::time::{interval, timeout};

/// The time limit for the store. If it takes longer, `serve` is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Buckets in seconds: from a fast disk to an application that is down for a day.
const BUCKETS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 300.0, 3_600.0, 86_400.0];

/// Starts to collect metrics.
pub(crate) fn count() -> Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS);
    let handle = builder.and_then(PrometheusBuilder::install_recorder).context("metrics cannot be counted")?;
    describe_counter!("ampersand_inbox_puts_total", Unit::Count, "Deliveries that were to be stored, by result");
    describe_histogram!("ampersand_inbox_put_seconds", Unit::Seconds, "How long it took to store a delivery");
    describe_counter!("ampersand_inbox_refused_total", Unit::Count, "Webhooks that did not verify");
    describe_histogram!("ampersand_inbox_wait_seconds", Unit::Seconds, "From storing to the first attempt");
    describe_counter!("ampersand_inbox_attempts_total", Unit::Count, "Attempts to deliver, by result");
    describe_histogram!("ampersand_inbox_attempt_seconds", Unit::Seconds, "How long an attempt took");
    describe_gauge!("ampersand_inbox_oldest_ready_seconds", Unit::Seconds, "How long the oldest ready one has waited");
    describe_gauge!("ampersand_inbox_deliveries", Unit::Count, "Deliveries in the store, by state");
    Ok(handle)
}

/// Keeps the memory of metrics small: histograms hold every value until it is put into its bucket.
pub(crate) async fn upkeep(handle: PrometheusHandle) {
    let mut often = interval(Duration::from_secs(5));
    loop {
        often.tick().await;
        handle.run_upkeep();
    }
}

pub(crate) fn router(inbox: Inbox, stopping: watch::Receiver<bool>, handle: PrometheusHandle) -> Router {
    let counted = inbox.clone();
    let metrics = async move || {
        // Updates the gauges. If the store does not respond, they keep their values.
        drop(timeout(PATIENCE, counted.status()).await);
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
    };
    Router::new()
        .route("/healthz", get("alive\n"))
        .route("/readyz", get(readiness).with_state((inbox, stopping)))
        .route("/metrics", get(metrics))
}

async fn readiness(State((inbox, stopping)): State<(Inbox, watch::Receiver<bool>)>) -> impl IntoResponse {
    const NOT_READY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
    if *stopping.borrow() {
        return (NOT_READY, "it is stopping\n".to_owned());
    }
    match timeout(PATIENCE, inbox.status()).await {
        Ok(Ok(_)) => (StatusCode::OK, "ready\n".to_owned()),
        Ok(Err(error)) => (NOT_READY, format!("{error}\n")),
        Err(_) => (NOT_READY, format!("the store did not answer within {} s\n", PATIENCE.as_secs())),
    }
}
