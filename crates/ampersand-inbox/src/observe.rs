//! Events for `tracing`, and metrics for the `metrics` facade. They never contain a body or a URL.

#![cfg_attr(not(all(feature = "tracing", feature = "metrics")), allow(unused_variables))]

use std::time::{Duration, Instant};

use ampersand_notifications::VerifyError;

use crate::InboxError;
use crate::delivery::{Put, Status};
use crate::rows::Outcome;

/// Records the result of a put.
pub(crate) fn put(put: &Result<Put, InboxError>, begun: Instant) {
    #[cfg(feature = "metrics")]
    {
        let result = match put {
            Ok(Put::Stored) => "stored",
            Ok(Put::Duplicate) => "duplicate",
            Ok(Put::Full) => "full",
            Err(_) => "failed",
        };
        metrics::counter!("ampersand_inbox_puts_total", "result" => result).increment(1);
        metrics::histogram!("ampersand_inbox_put_seconds").record(begun.elapsed());
    }
    #[cfg(feature = "tracing")]
    match put {
        Ok(Put::Full) => tracing::error!("the store is full"),
        Err(error) => tracing::error!(reason = %error, "nothing was stored"),
        Ok(_) => {}
    }
}

/// Records a webhook that did not verify.
pub(crate) fn refused(error: &VerifyError) {
    #[cfg(feature = "metrics")]
    metrics::counter!("ampersand_inbox_refused_total").increment(1);
    #[cfg(feature = "tracing")]
    tracing::warn!(reason = %error, "refused a delivery");
}

/// Records the end of an attempt; `None` if its claim was lost. `age` is the time between the put and the claim.
pub(crate) fn ended(outcome: Option<&Outcome>, begun: Instant, attempt: u32, age: Duration) {
    #[cfg(feature = "metrics")]
    {
        let result = match outcome {
            Some(Outcome::Done) => "done",
            Some(Outcome::Retry { .. }) => "retry",
            Some(Outcome::Dead { .. }) => "dead",
            Some(Outcome::Released) => "released",
            None => "lost",
        };
        metrics::counter!("ampersand_inbox_attempts_total", "result" => result).increment(1);
        metrics::histogram!("ampersand_inbox_attempt_seconds").record(begun.elapsed());
        if attempt == 1 {
            metrics::histogram!("ampersand_inbox_wait_seconds").record(age);
        }
    }
    #[cfg(feature = "tracing")]
    match outcome {
        Some(Outcome::Dead { reason, .. }) => tracing::error!(reason, "a dead letter"),
        Some(Outcome::Retry { reason, pause }) => tracing::warn!(reason, pause, "it is tried again"),
        None => tracing::warn!("the claim was lost, and another worker has the delivery"),
        Some(Outcome::Done | Outcome::Released) => tracing::debug!("it is handled, or given back"),
    }
}

/// Records that the store cannot be used for now.
pub(crate) fn away(error: &InboxError) {
    #[cfg(feature = "tracing")]
    tracing::warn!(reason = %error, "waiting for the store");
}

pub(crate) fn status(status: &Status) {
    #[cfg(feature = "metrics")]
    {
        let oldest = status.oldest_ready.unwrap_or_default().as_secs_f64();
        metrics::gauge!("ampersand_inbox_oldest_ready_seconds").set(oldest);
        for (state, count) in [("ready", status.ready), ("claimed", status.claimed), ("dead", status.dead)] {
            metrics::gauge!("ampersand_inbox_deliveries", "state" => state).set(count as f64);
        }
    }
}
