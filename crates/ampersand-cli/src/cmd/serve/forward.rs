//! Delivers stored deliveries to the application.

use std::sync::Arc;
use std::time::Duration;

use ampersand_inbox::{Failure, Incoming};
use ampersand_notifications::Secret;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;
use reqwest::{Client, Url};

use super::problems::Problems;
use crate::cmd::is_loopback;
use crate::connection::why_of_receiver;
use crate::gaps::filled;

/// The settings for delivery to the application.
pub(crate) struct Forward {
    pub(crate) client: Client,
    pub(crate) url: Url,
    pub(crate) sign: Option<Secret>,
    pub(crate) timeout: Duration,
    pub(crate) problems: Arc<Problems>,
}

impl Forward {
    /// Delivers once. The inbox retries failures; only 2xx is a success.
    pub(crate) async fn deliver(&self, incoming: Incoming) -> Result<(), Failure> {
        let body = filled(&incoming.delivery);
        let headers = headers(&incoming, &body, self.sign.as_ref(), Timestamp::now())
            .map_err(|_| Failure::permanent("its id cannot be sent as a header"))?;
        let answer = self.client.post(self.url.clone()).headers(headers).body(body.into_owned()).send().await;
        let reason = match answer {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("the application answered {}", answer.status().as_u16()),
            Err(error) if error.is_timeout() => {
                format!("the application did not answer within {} s", self.timeout.as_secs())
            }
            Err(error) => format!("the application did not answer: {}", why_of_receiver(error, is_loopback(&self.url))),
        };
        let Incoming { source, id, attempt, .. } = &incoming;
        self.problems.say(&reason, format_args!("{source} {id}, attempt {attempt}: {reason}"));
        Err(Failure::transient(reason))
    }
}

/// Returns the headers of a Standard Webhook, and the source. Each attempt has a new signature.
fn headers(
    incoming: &Incoming,
    body: &str,
    sign: Option<&Secret>,
    now: Timestamp,
) -> Result<HeaderMap, header::InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    let mut set = |name, value| headers.insert(HeaderName::from_static(name), value);
    set("content-type", HeaderValue::from_static("application/json"));
    set("webhook-id", HeaderValue::try_from(&incoming.id)?);
    set("webhook-timestamp", now.as_second().into());
    if let Some(secret) = sign {
        set("webhook-signature", secret.sign(&incoming.id, now, body.as_bytes()).try_into()?);
    }
    set("ampersand-source", HeaderValue::try_from(&incoming.source)?);
    set("ampersand-attempt", incoming.attempt.into());
    Ok(headers)
}
