//! A delivery on the page, and how it arrived.

use std::sync::Arc;
use std::time::Duration;

use ampersand_notifications::{Delivery, Source};
use axum::body::Bytes;
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::output::Who;

/// A delivery, or the request that came instead of one.
#[derive(Clone)]
pub(in crate::cmd) struct Arrival {
    pub(in crate::cmd) at: Timestamp,
    /// Only for requests.
    pub(in crate::cmd) headers: Option<HeaderMap>,
    pub(in crate::cmd) body: Bytes,
    /// `None` if it was refused, or cannot be read.
    pub(in crate::cmd) delivery: Option<Arc<Delivery>>,
    pub(in crate::cmd) verdict: Verdict,
    pub(in crate::cmd) forwarded: Option<Forwarded>,
    /// The payload, including later downloads.
    pub(in crate::cmd) whole: Option<String>,
}

/// The result for a delivery, in words.
#[derive(Clone)]
pub(in crate::cmd) struct Verdict {
    pub(in crate::cmd) tone: Tone,
    pub(in crate::cmd) text: String,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cmd) enum Tone {
    Good,
    /// Nothing is wrong, but something is unknown.
    Fair,
    Bad,
}

/// The response of the receiver behind.
#[derive(Clone, Copy, Serialize)]
pub(in crate::cmd) struct Forwarded {
    status: u16,
    milliseconds: u128,
}

impl Forwarded {
    pub(in crate::cmd) fn new(status: u16, took: Duration) -> Self {
        Self { status, milliseconds: took.as_millis() }
    }
}

/// A line of the page's list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) n: u64,
    /// Milliseconds since 1970.
    at: i64,
    /// The notification type, or the kind of records.
    kind: String,
    /// The ids and the source; empty if there are none.
    id: String,
    group: String,
    installation: String,
    source: String,
    bytes: usize,
    tone: Tone,
    verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarded: Option<Forwarded>,
}

impl Arrival {
    pub(super) fn summary(&self, n: u64) -> Summary {
        let who: Who<'_> = self.payload().and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
        let kind = match self.delivery.as_deref() {
            Some(Delivery::Notification(notification)) => notification.notification_type.to_string(),
            Some(Delivery::Records(_)) => format!("records ({})", who.action.as_deref().unwrap_or("-")),
            None => String::new(),
        };
        let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Summary {
            n,
            at: self.at.as_millisecond(),
            kind,
            id: own(self.delivery.as_ref().and_then(|delivery| delivery.id())),
            group: own(who.group.as_deref()),
            installation: own(who.installation.as_deref().or(who.connection.as_deref())),
            source: own(self.delivery.as_ref().map(|delivery| delivery.source().as_str())),
            bytes: self.body.len(),
            tone: self.verdict.tone,
            verdict: self.verdict.text.clone(),
            forwarded: self.forwarded,
        }
    }

    /// Returns the payload, including downloads.
    pub(super) fn payload(&self) -> Option<&str> {
        self.whole.as_deref().or_else(|| self.delivery.as_ref().map(|delivery| delivery.raw().data()))
    }

    /// Returns the body that the delivery has as a webhook.
    pub(super) fn webhook(&self) -> Bytes {
        match self.delivery.as_deref() {
            Some(delivery) if ![Source::Webhook, Source::Bare].contains(&delivery.source()) => as_webhook(delivery),
            _ => self.body.clone(),
        }
    }
}

fn as_webhook(delivery: &Delivery) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Webhook<'d> {
        notification_type: &'d str,
        data: &'d RawValue,
    }

    let data = delivery.raw().data();
    let whole = match (delivery, serde_json::from_str(data)) {
        (Delivery::Notification(notification), Ok(data)) => {
            let notification_type = notification.notification_type.as_str();
            serde_json::to_vec(&Webhook { notification_type, data }).ok()
        }
        _ => None,
    };
    whole.unwrap_or_else(|| data.as_bytes().to_vec()).into()
}
