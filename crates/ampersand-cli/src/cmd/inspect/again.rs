//! Sends a delivery again, or shows the command that does so.

use ampersand_notifications::Secret;
use anyhow::{Context as _, Result, bail};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::arrival::Arrival;
use super::token::token;
use crate::cmd::trigger::{PATIENCE, sign};
use crate::cmd::{client_for, http_url, is_loopback};
use crate::connection::why_of_receiver;
use crate::kept::end_to_end;
use crate::reader::quoted;

/// The number of bytes of a response that the page shows.
const MOST_OF_ANSWER: usize = 64 << 10;

/// A request of the page: it names a delivery, and says where and how to send it again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Again {
    /// The number of the delivery.
    pub(super) n: u64,
    url: String,
    /// The body to send instead of the original one.
    body: Option<String>,
    /// Whether to sign it again, with the same id or with a new one.
    sign: bool,
    new_id: bool,
}

/// The response of a receiver.
#[derive(Serialize)]
pub(super) struct Answer {
    status: u16,
    milliseconds: u128,
    /// The beginning of the body.
    body: String,
}

impl Again {
    pub(super) async fn send(self, arrival: &Arrival, secret: Option<&Secret>, insecure: bool) -> Result<Answer> {
        let url = http_url("the URL", &self.url)?;
        let insecure = insecure && is_loopback(&url);
        let client = client_for(&url, insecure, |client| client.timeout(PATIENCE))?;
        let mut headers = headers(arrival);
        let body = self.body.map_or_else(|| arrival.webhook(), Bytes::from);
        if self.sign {
            let secret = secret.context("there is no secret to sign with: pass --secret-file FILE")?;
            let name = if headers.contains_key("webhook-id") { "webhook-id" } else { "svix-id" };
            if self.new_id || !headers.contains_key(name) {
                headers.insert(name, HeaderValue::try_from(format!("msg_{}", token()?))?);
            }
            sign(&mut headers, &body, secret, Timestamp::now())?;
        }
        let start = Instant::now();
        let sent = client.post(url.clone()).headers(headers).body(body).send().await;
        let mut response = match sent {
            Ok(response) => response,
            Err(error) if error.is_timeout() => bail!("no answer within {} s", PATIENCE.as_secs()),
            Err(error) => bail!("{}", why_of_receiver(error, is_loopback(&url))),
        };
        let (status, milliseconds) = (response.status().as_u16(), start.elapsed().as_millis());
        let mut body = Vec::new();
        // If the response breaks off, the page shows the part that arrived.
        while let Ok(Some(piece)) = response.chunk().await {
            body.extend(piece);
            if body.len() > MOST_OF_ANSWER {
                break;
            }
        }
        body.truncate(MOST_OF_ANSWER);
        Ok(Answer { status, milliseconds, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// Returns the headers of a delivery, without those of its connection. The content type defaults to JSON.
fn headers(arrival: &Arrival) -> HeaderMap {
    let mut headers = end_to_end(arrival.headers.clone().unwrap_or_default());
    let json = HeaderValue::from_static("application/json");
    headers.entry(header::CONTENT_TYPE).or_insert(json);
    headers
}

/// Returns the `curl` command that sends a delivery unchanged to a URL.
pub(super) fn curl(arrival: &Arrival, url: &str) -> String {
    let mut lines = vec![format!("curl {}", quoted(url))];
    for (name, value) in &headers(arrival) {
        let value = String::from_utf8_lossy(value.as_bytes());
        // curl leaves out a header that ends with a colon.
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        lines.push(format!("--header {}", quoted(&header)));
    }
    lines.push(format!("--data-raw {}", quoted(&String::from_utf8_lossy(&arrival.webhook()))));
    lines.join(" \\\n  ")
}
