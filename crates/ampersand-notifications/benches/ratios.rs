//! `cargo bench -p ampersand-notifications`: each path against its floor, in the same run.
//!
//! An absolute time says more of a machine than of the code. A ratio does not: normalising cannot be faster than skipping
//! over the same bytes, nor verifying faster than hashing them.

use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use ampersand_notifications::{Secret, Verifier, from_kinesis, from_webhook};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The shortest of many runs: what is measured is the code, not what else the machine does. A result lives until the next
/// one is there, as it does in a server; else the allocator gives its memory back and takes it again every time.
fn time<T>(mut work: impl FnMut() -> T) -> f64 {
    let (mut best, start, mut held) = (f64::MAX, Instant::now(), None);
    while start.elapsed() < Duration::from_millis(400) {
        let lap = Instant::now();
        for _ in 0..20 {
            held = black_box(Some(work()));
        }
        best = best.min(lap.elapsed().as_secs_f64() / 20.0);
    }
    drop(held);
    best
}

/// The data of `installation.created` with a configuration of so many objects.
fn data(objects: usize) -> String {
    let object = |index| {
        format!(
            r#""object{index}":{{"objectName":"object{index}","schedule":"*/15 * * * *","destination":"accountWebhook",
            "selectedFields":{{"phone":true,"fax":true,"email":true,"name":true,"billingCity":true}},
            "selectedFieldMappings":{{"phoneNumber":"phone","faxNumber":"fax","emailAddress":"email"}},
            "backfill":{{"defaultPeriod":{{"days":30,"fullHistory":false}}}}}}"#
        )
    };
    let objects: Vec<String> = (0..objects).map(object).collect();
    format!(
        r#"{{"projectId":"550e8400-e29b-41d4-a716-446655440000","provider":"salesforce","integrationId":"i",
        "integrationName":"crm","installationId":"n","connectionId":"c","groupRef":"acme","groupName":"Acme",
        "consumerRef":"ada","consumerName":"Ada","config":{{"provider":"salesforce","read":{{"objects":{{{}}}}}}}}}"#,
        objects.join(",")
    )
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let now: Timestamp = "2026-08-19T17:03:10Z".parse()?;
    let (secret, verifier) = (Secret::new(SECRET)?, Verifier::new(SECRET)?);
    let theirs = standardwebhooks::Webhook::new(SECRET)?;
    for objects in [1, 65, 660] {
        let data = data(objects);
        let first = format!(r#"{{"notificationType":"installation.created","data":{data}}}"#);
        let last = format!(r#"{{"data":{data},"notificationType":"installation.created"}}"#);
        let kinesis = format!(r#"{{"data":{data},"metadata":{{"notificationType":"installation.created"}}}}"#);
        let body = first.as_bytes();
        let headers = [
            ("svix-id", "msg_1".to_owned()),
            ("svix-timestamp", now.as_second().to_string()),
            ("svix-signature", secret.sign("msg_1", now, body)),
        ];

        let skip = time(|| serde_json::from_slice::<IgnoredAny>(body).is_ok());
        let hash = time(|| Sha256::digest(body));
        let normalize = time(|| from_webhook(body));
        let verify = time(|| verifier.verify_at(&headers[..], body, now).is_ok());
        writeln!(out, "{} bytes", body.len())?;
        let rows = [
            ("normalise, type first", normalize, skip, "skipping the bytes"),
            ("normalise, type last", time(|| from_webhook(last.as_bytes())), skip, "skipping the bytes"),
            ("normalise, Kinesis", time(|| from_kinesis(kinesis.as_bytes())), skip, "skipping the bytes"),
            (
                "serde_json::Value",
                time(|| serde_json::from_slice::<serde_json::Value>(body)),
                skip,
                "skipping the bytes",
            ),
            ("verify", verify, hash, "hashing the bytes"),
            (
                "standardwebhooks, sign",
                time(|| theirs.sign("msg_1", now.as_second(), body).is_ok()),
                hash,
                "hashing the bytes",
            ),
        ];
        for (path, taken, floor, name) in rows {
            writeln!(out, "  {path:24}{:9.1} µs {:7.2} × {name}", taken * 1e6, taken / floor)?;
        }
        writeln!(out, "  verify and normalise    {:9.0} a second", 1.0 / (verify + normalize))?;
    }
    Ok(())
}
