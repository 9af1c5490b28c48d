//! `cargo bench -p benchmarks` compares each path with its lower limit and with alternatives, in the same run.
//!
//! An absolute time tells more about the machine than about the code, so this measures ratios. Normalising cannot be
//! faster than skipping over the same bytes, verifying than hashing them, or a call than the same request by the bare
//! HTTP client.

#![allow(clippy::indexing_slicing, reason = "a `Value` without such a member gets one")]

use std::error::Error;
use std::hint::black_box;
use std::io::Write as _;
use std::mem;
use std::time::{Duration, Instant};

use ampersand_notifications::{Delivery, NormalizeError, Notification, Secret, Verifier, from_kinesis, from_webhook};
use ampersand_types::notifications::Event;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

mod aws;
mod calls;
mod inbox;

use generated::plain::InstallationCreatedNotificationPayload;

/// Output of `cargo xtask generate`.
mod generated {
    #[rustfmt::skip]
    #[allow(warnings, clippy::all, clippy::pedantic, clippy::restriction)]
    pub(crate) mod plain;
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The most webhooks per second that Ampersand sends to one customer.
const CEILING: u32 = 1000;

type Work<'a> = Box<dyn FnMut() + 'a>;

/// Keeps each result until the next one, as a server does. Otherwise the allocator would return its memory and take it
/// again every time.
fn work<'a, T: 'a>(mut work: impl FnMut() -> T + 'a) -> Work<'a> {
    let mut held = None;
    Box::new(move || drop(held.replace(black_box(work()))))
}

/// Normalises an owned body, as a server does, and takes it back for the next time.
fn normalize<'a>(body: &str, read: impl Fn(Vec<u8>) -> Result<Delivery, NormalizeError> + 'a) -> Work<'a> {
    let mut body = body.as_bytes().to_owned();
    work(move || match read(mem::take(&mut body)) {
        Ok(Delivery::Notification(Notification { event: event @ Event::InstallationCreated(_), raw, .. })) => {
            body = raw.into_body().into_bytes();
            event
        }
        other => panic!("{other:?}"),
    })
}

/// Returns the shortest time of each, in seconds: this measures the code and not other work of the machine. They take
/// turns, so that a slow moment affects all.
fn times<const N: usize>(mut works: [Work<'_>; N], repeat: u32) -> [f64; N] {
    let (mut best, start) = ([f64::MAX; N], Instant::now());
    while start.elapsed() < Duration::from_secs(6) {
        for (work, best) in works.iter_mut().zip(&mut best) {
            let lap = Instant::now();
            for _ in 0..repeat {
                work();
            }
            *best = best.min(lap.elapsed().as_secs_f64() / f64::from(repeat));
        }
    }
    best
}

/// The data of `installation.created` in about this many bytes.
fn data(size: usize) -> String {
    let mut data = json!({
        "projectId": "550e8400-e29b-41d4-a716-446655440000", "provider": "salesforce", "integrationId": "i",
        "integrationName": "crm", "installationId": "n", "connectionId": "c", "groupRef": "acme", "groupName": "",
        "consumerRef": "ada", "consumerName": "Ada",
        "config": { "provider": "salesforce", "read": { "objects": {} } },
    });
    let mut left = size - data.to_string().len();
    for index in 0.. {
        let name = format!("object{index}");
        let object = json!({
            "objectName": name, "schedule": "*/15 * * * *", "destination": "accountWebhook",
            "selectedFields": { "phone": true, "fax": true, "email": true, "name": true, "billingCity": true },
            "selectedFieldMappings": { "phoneNumber": "phone", "faxNumber": "fax", "emailAddress": "email" },
            "backfill": { "defaultPeriod": { "days": 30, "fullHistory": false } },
        });
        let Some(rest) = left.checked_sub(object.to_string().len() + name.len() + 4) else { break };
        data["config"]["read"]["objects"][name] = object;
        left = rest;
    }
    data["groupName"] = "g".repeat(left).into();
    data.to_string()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    // `cargo bench -p benchmarks -- inbox` runs only that benchmark, and so does `aws`.
    let is_named = |name| std::env::args().any(|argument| argument == name);
    if is_named("inbox") {
        return inbox::report(&mut out);
    }
    if is_named("aws") {
        return aws::report(&mut out);
    }
    let (secret, verifier) = (Secret::new(SECRET)?, Verifier::new(SECRET)?);
    let (svix, standard) = (svix::webhooks::Webhook::new(SECRET)?, standardwebhooks::Webhook::new(SECRET)?);
    for size in [800, 30_000, 300_000] {
        let data = data(size - 50);
        let first = format!(r#"{{"notificationType":"installation.created","data":{data}}}"#);
        let last = format!(r#"{{"data":{data},"notificationType":"installation.created"}}"#);
        let kinesis = format!(r#"{{"data":{data},"metadata":{{"notificationType":"installation.created"}}}}"#);
        let (body, now) = (first.as_bytes(), Timestamp::now());
        let headers = HeaderMap::from_iter([
            ("webhook-id".parse()?, HeaderValue::from_static("msg_1")),
            ("webhook-timestamp".parse()?, now.as_second().into()),
            ("webhook-signature".parse()?, secret.sign("msg_1", now, body).parse()?),
        ]);

        let works = [
            work(|| serde_json::from_slice::<IgnoredAny>(body).expect("JSON")),
            normalize(&first, from_webhook),
            normalize(&last, from_webhook),
            normalize(&kinesis, from_kinesis),
            work(|| from_webhook(body).expect("a notification")),
            work(|| serde_json::from_slice::<Value>(body).expect("JSON")),
            work(|| serde_json::from_slice::<InstallationCreatedNotificationPayload>(body).expect("a payload")),
            work(|| Sha256::digest(body)),
            work(|| verifier.verify(&headers, body).expect("verified")),
            work(|| svix.verify(body, &headers).expect("verified")),
            work(|| standard.verify(body, &headers).expect("verified")),
            normalize(&first, |body| from_webhook(verifier.verify(&headers, body).expect("verified"))),
        ];
        let repeat = u32::try_from(5 + 100_000 / body.len())?;
        let [skip, first, last, kinesis, lent, value, plain, hash, verify, svix, standard, both] = times(works, repeat);

        let large = size >= 30_000;
        let at_most = |ratio: f64, goal: f64| format!("≤ {goal}: {}", met(ratio <= goal));
        let (of_skip, of_hash) = (Some(skip), Some(hash));
        let times_slower =
            |ratio: f64, than: &str, goal: f64| format!("{ratio:.1} × {than}, ≥ {goal}: {}", met(ratio >= goal));
        let rows = [
            ("skipping the bytes", skip, None, String::new()),
            ("normalise, type first", first, of_skip, if large { at_most(first / skip, 1.15) } else { String::new() }),
            ("normalise, type last", last, of_skip, at_most(last / skip, 1.6)),
            ("normalise, Kinesis", kinesis, of_skip, at_most(kinesis / skip, 1.6)),
            ("normalise, body lent", lent, of_skip, String::new()),
            ("serde_json::Value", value, of_skip, format!("{:.1} × normalise", value / first)),
            ("plain typify types", plain, of_skip, times_slower(plain / first, "normalise", 10.0)),
            ("hashing the bytes", hash, None, String::new()),
            ("verify", verify, of_hash, if large { at_most(verify / hash, 1.05) } else { String::new() }),
            ("svix", svix, of_hash, times_slower(svix / verify, "verify", 4.0)),
            ("standardwebhooks", standard, of_hash, times_slower(standard / verify, "verify", 4.0)),
        ];
        writeln!(out, "{:24}{:>9}{:>10}   goal", format!("{} bytes", body.len()), "µs", "× floor")?;
        for (path, taken, floor, goal) in rows {
            let ratio = floor.map_or_else(String::new, |floor| format!("{:.2}", taken / floor));
            let line = format!("  {path:22}{:9.1}{ratio:>10}   {goal}", taken * 1e6);
            writeln!(out, "{}", line.trim_end())?;
        }
        let (taken, rate) = (both * 1e6, 1.0 / both);
        writeln!(out, "  verify and normalise  {taken:9.1}   {rate:.0} a second, where {CEILING} are sent at most\n")?;
    }
    aws::report(&mut out)?;
    inbox::report(&mut out)?;
    calls::report(&mut out)
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "not met" }
}
