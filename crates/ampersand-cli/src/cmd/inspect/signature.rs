//! Checks a signature step by step, and reports the result of each step.

use ampersand_notifications::{TOLERANCE, Verifier};
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::cmd::verify::changed;

/// A step of the check.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Step {
    /// `None` if the result is unknown.
    ok: Option<bool>,
    name: &'static str,
    text: String,
}

/// How much of a signed body the page shows.
const SHOWN: usize = 60;

/// Returns the steps of the check for a request that came at this time. Empty for an unsigned request.
pub(super) fn steps(headers: &HeaderMap, body: &[u8], at: Timestamp, secrets: Option<(&Verifier, usize)>) -> Vec<Step> {
    let step = |ok, name, text| Step { ok, name, text };
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    let sets = ["svix", "webhook"].map(|set| ["id", "timestamp", "signature"].map(|part| format!("{set}-{part}")));
    let whole = sets.iter().find(|set| set.iter().all(|name| value(name).is_some()));
    let Some([id_name, time_name, signature_name]) = whole else {
        let some = sets.iter().find(|set| set.iter().any(|name| value(name).is_some()));
        let Some(set) = some else { return Vec::new() };
        let missing: Vec<&str> = set.iter().filter(|name| value(name).is_none()).map(String::as_str).collect();
        return vec![step(Some(false), "Headers", format!("{} missing", missing.join(", ")))];
    };
    let (id, time) = (value(id_name).unwrap_or_default(), value(time_name).unwrap_or_default());
    let mut steps = vec![step(Some(true), "Headers", format!("{id_name}, {time_name} and {signature_name} are there"))];

    let signed = time.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let Some(signed) = signed else {
        steps.push(step(Some(false), "Time", format!("`{time}` is not a count of seconds since 1970")));
        return steps;
    };
    let age = signed.duration_until(at);
    let (off, way) = if age.is_negative() { (-age, "before") } else { (age, "after") };
    let off = SignedDuration::from_millis(off.as_millis().try_into().unwrap_or(i64::MAX));
    let allowed = TOLERANCE.as_secs();
    let text = format!("signed at {signed}; it came {off:#} {way} that, and {allowed} s are allowed");
    steps.push(step(Some(off <= TOLERANCE), "Time", text));

    let text = String::from_utf8_lossy(body.get(..SHOWN).unwrap_or(body));
    let rest = if body.len() > SHOWN { "…" } else { "" };
    let text = format!("{id}.{time}.{text}{rest} (the id, the time, and the body of {} bytes)", body.len());
    steps.push(step(None, "Signed text", text));

    let Some((verifier, count)) = secrets else {
        let text = "there is no secret to check it with: pass --secret-file FILE".to_owned();
        steps.push(step(None, "Signature", text));
        return steps;
    };
    // The time has its own step.
    let (ok, text) = match verifier.verify_at(headers, body, signed) {
        Ok(verified) => (true, format!("right, with secret {} of {count}", verified.secret + 1)),
        Err(error) => {
            let hint = changed(body, |body| verifier.verify_at(headers, body, signed).is_ok());
            (false, hint.unwrap_or_else(|| format!("{error} ({count} tried)")))
        }
    };
    steps.push(step(Some(ok), "Signature", text));
    steps
}

#[cfg(test)]
mod tests {
    use ampersand_notifications::Secret;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkb2N1bWVudA==";

    fn signed(set: &str, time: &str, body: &[u8]) -> HeaderMap {
        let at = Timestamp::from_second(time.parse().unwrap_or_default()).unwrap();
        let signature = Secret::new(SECRET).unwrap().sign("msg_1", at, body);
        let pairs = [("id", "msg_1"), ("timestamp", time), ("signature", &signature)];
        pairs
            .map(|(part, value)| (format!("{set}-{part}").parse().unwrap(), value.parse().unwrap()))
            .into_iter()
            .collect()
    }

    fn shown(headers: &HeaderMap, body: &[u8], secrets: &[&str]) -> String {
        let verifier = Verifier::any_of(secrets).ok();
        let at = Timestamp::from_millisecond(1_700_000_000_250).unwrap();
        let steps = steps(headers, body, at, verifier.as_ref().map(|verifier| (verifier, secrets.len())));
        let mark = |ok| match ok {
            Some(true) => "right",
            Some(false) => "wrong",
            None => "     ",
        };
        steps.iter().map(|step| format!("{} {}: {}\n", mark(step.ok), step.name, step.text)).collect()
    }

    #[test]
    fn each_step_says_what_it_found() {
        let right = signed("svix", "1700000000", b"{}");
        insta::assert_snapshot!(shown(&right, b"{}", &[OTHER, SECRET]), @r"
        right Headers: svix-id, svix-timestamp and svix-signature are there
        right Time: signed at 2023-11-14T22:13:20Z; it came 250ms after that, and 300 s are allowed
              Signed text: msg_1.1700000000.{} (the id, the time, and the body of 2 bytes)
        right Signature: right, with secret 2 of 2
        ");
        insta::assert_snapshot!(shown(&right, b"{}\n", &[SECRET]), @r"
        right Headers: svix-id, svix-timestamp and svix-signature are there
        right Time: signed at 2023-11-14T22:13:20Z; it came 250ms after that, and 300 s are allowed
              Signed text: msg_1.1700000000.{}
         (the id, the time, and the body of 3 bytes)
        wrong Signature: the signature is right for the body without its last line break: your editor or shell added one
        ");
        insta::assert_snapshot!(shown(&right, b"{}", &[OTHER]), @r"
        right Headers: svix-id, svix-timestamp and svix-signature are there
        right Time: signed at 2023-11-14T22:13:20Z; it came 250ms after that, and 300 s are allowed
              Signed text: msg_1.1700000000.{} (the id, the time, and the body of 2 bytes)
        wrong Signature: the signature is wrong: check the secret, and that the body is the bytes that came, not parsed and encoded again (1 tried)
        ");
        insta::assert_snapshot!(shown(&right, b"{}", &[]), @r"
        right Headers: svix-id, svix-timestamp and svix-signature are there
        right Time: signed at 2023-11-14T22:13:20Z; it came 250ms after that, and 300 s are allowed
              Signed text: msg_1.1700000000.{} (the id, the time, and the body of 2 bytes)
              Signature: there is no secret to check it with: pass --secret-file FILE
        ");
        insta::assert_snapshot!(shown(&signed("webhook", "1699999000", b"{}"), &[b'x'; 100], &[SECRET]), @r"
        right Headers: webhook-id, webhook-timestamp and webhook-signature are there
        wrong Time: signed at 2023-11-14T21:56:40Z; it came 16m 40s 250ms after that, and 300 s are allowed
              Signed text: msg_1.1699999000.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (the id, the time, and the body of 100 bytes)
        wrong Signature: the signature is wrong: check the secret, and that the body is the bytes that came, not parsed and encoded again (1 tried)
        ");
        insta::assert_snapshot!(shown(&signed("svix", "soon", b"{}"), b"{}", &[SECRET]), @r"
        right Headers: svix-id, svix-timestamp and svix-signature are there
        wrong Time: `soon` is not a count of seconds since 1970
        ");
        let mut part = right;
        part.remove("svix-id");
        insta::assert_snapshot!(shown(&part, b"{}", &[SECRET]), @r"wrong Headers: svix-id missing");
        assert_eq!(shown(&HeaderMap::new(), b"{}", &[SECRET]), "");
    }
}
