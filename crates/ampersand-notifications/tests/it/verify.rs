//! Tests signatures against a third-party implementation.

use ampersand_notifications::{Secret, Verifier, VerifyError};
use jiff::{SignedDuration, Timestamp};
use standardwebhooks::Webhook;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NAMES: [[&str; 3]; 2] =
    [["svix-id", "svix-timestamp", "svix-signature"], ["webhook-id", "webhook-timestamp", "webhook-signature"]];

fn now() -> Timestamp {
    Timestamp::from_second(1_787_158_990).unwrap()
}

/// The three headers of a request, with these names.
fn headers(names: [&str; 3], id: &str, sent: Timestamp, signature: &str) -> Vec<(String, String)> {
    let values = [id.to_owned(), sent.as_second().to_string(), signature.to_owned()];
    names.map(str::to_owned).into_iter().zip(values).collect()
}

fn verify(verifier: &Verifier, headers: &[(String, String)], body: &[u8]) -> Result<usize, VerifyError> {
    verifier.verify_at(headers, body, now()).map(|verified| verified.secret)
}

/// Bodies that break careless implementations.
fn bodies() -> Vec<Vec<u8>> {
    let large = br#"{"data": "0123456789"}"#.repeat(14_000);
    vec![b"".to_vec(), br#"{"a": 1}"#.to_vec(), "{\"naïve\": \"日本 🎉\"}".into(), b"\xff\xfe\x00".to_vec(), large]
}

#[test]
fn what_others_sign_verifies_and_what_we_sign_does_too() {
    let (ours, theirs) = (Verifier::new(SECRET).unwrap(), Webhook::new(SECRET).unwrap());
    for body in bodies() {
        for id in ["msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "with.dots.in.it", "."] {
            let signature = Secret::new(SECRET).unwrap().sign(id, now(), &body);
            for names in NAMES {
                assert_eq!(verify(&ours, &headers(names, id, now(), &signature), &body), Ok(0));
            }
            // The other implementation takes only text.
            if std::str::from_utf8(&body).is_ok() {
                assert_eq!(theirs.sign(id, now().as_second(), &body).unwrap(), signature);
            }
        }
    }
}

#[test]
fn what_was_signed_comes_back_with_the_result() {
    let secret = Secret::new(SECRET).unwrap();
    let headers = headers(NAMES[0], "msg_1", now(), &secret.sign("msg_1", now(), b"{}"));
    let verified = Verifier::new(SECRET).unwrap().verify_at(&headers[..], b"{}", now()).unwrap();
    assert_eq!((verified.id, verified.timestamp, &verified.body[..]), ("msg_1", now().into(), &b"{}"[..]));
}

#[test]
fn the_prefix_and_the_padding_of_a_secret_may_be_missing() {
    let signature = Secret::new("whsec_AAECAw==").unwrap().sign("m", now(), b"");
    for same in ["AAECAw==", "whsec_AAECAw", "  whsec_AAECAw==\n"] {
        assert_eq!(Secret::new(same).unwrap().sign("m", now(), b""), signature);
    }
    for wrong in ["", "whsec_", "whsec_not base64!", "whsec_****"] {
        assert!(Verifier::new(wrong).is_err(), "{wrong}");
        assert!(Verifier::new(SECRET).unwrap().or_secret(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn while_a_secret_is_replaced_either_side_may_know_both() {
    let (old, new) = (Secret::new(OTHER).unwrap(), Secret::new(SECRET).unwrap());
    let sign = |secret: &Secret| secret.sign("m", now(), b"{}");
    let both = Verifier::new(SECRET).unwrap().or_secret(OTHER).unwrap();
    let one = Verifier::new(SECRET).unwrap();
    for (signature, by_both, by_one) in [
        (sign(&new), Ok(0), Ok(0)),
        (sign(&old), Ok(1), Err(VerifyError::WrongSignature)),
        (format!("{} {}", sign(&old), sign(&new)), Ok(0), Ok(0)),
        (format!("{} {}", sign(&new), sign(&old)), Ok(0), Ok(0)),
        (format!("v1a,AAAA v2,x {} v1,AAAA", sign(&new)), Ok(0), Ok(0)),
    ] {
        let headers = headers(NAMES[1], "m", now(), &signature);
        assert_eq!(verify(&both, &headers, b"{}"), by_both, "{signature}");
        assert_eq!(verify(&one, &headers, b"{}"), by_one, "{signature}");
    }
}

#[test]
fn what_is_refused_and_why() {
    let (verifier, secret) = (Verifier::new(SECRET).unwrap(), Secret::new(SECRET).unwrap());
    let signature = secret.sign("m", now(), b"{}");
    let good = headers(NAMES[0], "m", now(), &signature);
    assert_eq!(verify(&verifier, &good, b"{}"), Ok(0));
    assert_eq!(verify(&verifier, &good, b"{ }"), Err(VerifyError::WrongSignature));

    let with = |index: usize, value: &str| {
        let mut headers = good.clone();
        headers[index].1 = value.to_owned();
        verify(&verifier, &headers, b"{}")
    };
    assert_eq!(with(0, "n"), Err(VerifyError::WrongSignature));
    for wrong in ["x", "1787158990.0", "-1787158990", "+1787158990", " 1787158990", "99999999999999999999"] {
        assert_eq!(with(1, wrong), Err(VerifyError::NotATime), "{wrong}");
    }
    assert_eq!(with(1, "1787158991"), Err(VerifyError::WrongSignature));
    for wrong in ["v1", "v1,", "v1,!!!!", "v2,AAAA", &signature[3..], &signature.replace("v1", "V1")] {
        let expected = match wrong {
            "v1," => VerifyError::WrongSignature,
            "v1,!!!!" => VerifyError::NotBase64,
            _ => VerifyError::NoSignature,
        };
        assert_eq!(with(2, wrong), Err(expected), "{wrong}");
    }
    for cut in 4..signature.len() - 1 {
        assert!(with(2, &signature[..cut]).is_err(), "{cut}");
    }
    for index in 0..3 {
        let mut headers = good.clone();
        let (name, _) = headers.remove(index);
        let missing = NAMES[0].into_iter().find(|known| *known == name).unwrap();
        assert_eq!(verify(&verifier, &headers, b"{}"), Err(VerifyError::MissingHeader(missing)));
        assert_eq!(with(index, ""), Err(VerifyError::MissingHeader(missing)), "as good as none");
        headers.push((name.replace("svix", "webhook"), good[index].1.clone()));
        assert_eq!(verify(&verifier, &headers, b"{}"), Err(VerifyError::MixedHeaders));
    }
    assert_eq!(verify(&verifier, &[], b"{}"), Err(VerifyError::MissingHeader("svix-id")));
}

#[test]
fn a_time_within_five_minutes_either_way_is_now() {
    let (verifier, secret) = (Verifier::new(SECRET).unwrap(), Secret::new(SECRET).unwrap());
    let at = |verifier: &Verifier, offset: i64| {
        let sent = now() + SignedDuration::from_secs(offset);
        verify(verifier, &headers(NAMES[0], "m", sent, &secret.sign("m", sent, b"")), b"")
    };
    for fresh in [-300, -299, 0, 299, 300] {
        assert_eq!(at(&verifier, fresh), Ok(0), "{fresh}");
    }
    assert_eq!(at(&verifier, -301), Err(VerifyError::TooOld { age: SignedDuration::from_secs(301) }));
    assert_eq!(at(&verifier, 301), Err(VerifyError::TooNew { ahead: SignedDuration::from_secs(301) }));
    let patient = verifier.with_tolerance(SignedDuration::from_hours(1));
    assert_eq!(at(&patient, -3600), Ok(0));
}

#[test]
fn names_of_headers_are_compared_ignoring_case() {
    let secret = Secret::new(SECRET).unwrap();
    let mut headers = headers(NAMES[0], "m", now(), &secret.sign("m", now(), b""));
    for (name, _) in &mut headers {
        name.make_ascii_uppercase();
    }
    assert_eq!(verify(&Verifier::new(SECRET).unwrap(), &headers, b""), Ok(0));
    let map: std::collections::HashMap<String, String> = headers.into_iter().collect();
    assert!(Verifier::new(SECRET).unwrap().verify_at(&map, b"", now()).is_ok());
}

#[test]
fn signatures_are_found_however_proxies_and_frameworks_hand_on_the_header() {
    let good = Secret::new(SECRET).unwrap().sign("m", now(), b"{}");
    let other = Secret::new(OTHER).unwrap().sign("m", now(), b"{}");
    let (_, tag) = good.split_once(',').unwrap();
    let verifier = Verifier::new(SECRET).unwrap();
    let verified = |values: &[&str]| {
        let mut headers = headers(NAMES[0], "m", now(), "");
        headers.truncate(2);
        headers.extend(values.iter().map(|value| ("Svix-Signature".to_owned(), (*value).to_owned())));
        verify(&verifier, &headers, b"{}")
    };
    for values in [
        &[&*format!("{good}, {other}")][..],
        &[&format!("{other},{good}")],
        &[&format!("{other} ,  {good},")],
        &[&format!("v1a,AAAA,{good}")],
        &[&format!("{good},v2,x")],
        &[&other, &good],
        &[&good, &other],
        &["", &good],
        &["v1", tag],
        &["v1a", "AAAA", "v1", tag],
        &["v1", &other, "v1", tag],
    ] {
        assert_eq!(verified(values), Ok(0), "{values:?}");
    }
    for values in [&[&*format!("v1a,{tag}")][..], &["v1a", tag], &[&format!("v2,x,{tag}")], &[tag], &["v1x", tag]] {
        assert_eq!(verified(values), Err(VerifyError::NoSignature), "{values:?}");
    }
}

#[test]
fn one_set_of_headers_counts_and_never_a_mix_of_two() {
    let secret = Secret::new(SECRET).unwrap();
    let verifier = Verifier::new(SECRET).unwrap();
    let good = secret.sign("m", now(), b"{}");
    let mut both = headers(NAMES[1], "m", now(), &good);
    both.extend(headers(NAMES[0], "m", now(), "v1,AAAA"));
    assert_eq!(verify(&verifier, &both, b"{}"), Err(VerifyError::WrongSignature), "the first set is whole");
    both.retain(|(name, _)| name != "svix-id");
    assert_eq!(verify(&verifier, &both, b"{}"), Ok(0), "the other set is whole");
}

#[test]
fn headers_and_bodies_of_many_types_are_taken() {
    let good = Secret::new(SECRET).unwrap().sign("m", now(), b"{}");
    let verifier = Verifier::any_of([OTHER.to_owned(), SECRET.to_owned()]).unwrap();
    let time = now().as_second().to_string();
    let array = [("Svix-Id", "m"), ("Svix-Timestamp", &time), ("Svix-Signature", &good)];
    let (list, map) = (array.to_vec(), std::collections::BTreeMap::from(array));
    let hash = std::collections::HashMap::from(array.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())));
    let body = axum::body::Bytes::from_static(b"{}");
    for secret in [
        verifier.verify_at(&array, "{}", now()).unwrap().secret,
        verifier.verify_at(&array[..], "{}".to_owned(), now()).unwrap().secret,
        verifier.verify_at(&list, b"{}", now()).unwrap().secret,
        verifier.verify_at(&&list, b"{}".to_vec(), now()).unwrap().secret,
        verifier.verify_at(&map, &b"{}"[..], now()).unwrap().secret,
        verifier.verify_at(&hash, &body, now()).unwrap().secret,
        verifier.verify_at(&hash, body, now()).unwrap().secret,
    ] {
        assert_eq!(secret, 1);
    }
}

#[test]
fn a_text_that_is_not_a_secret_is_told_from_one_with_something_before_it() {
    let refused = |secrets: &[&str]| format!("{:?}", Verifier::any_of(secrets).unwrap_err());
    insta::assert_snapshot!(refused(&["hunter2"]), @"not a signing secret, which is `whsec_` followed by base64: copy it again from the webhook's settings");
    insta::assert_snapshot!(refused(&[SECRET, &format!("v1,{SECRET}")]), @"not a signing secret: something stands before `whsec_`, such as `v1,` or a quotation mark: remove it");
    insta::assert_snapshot!(refused(&[&format!("{SECRET},{OTHER}")]), @"several signing secrets in one text: give each on its own");
    insta::assert_snapshot!(refused(&[]), @"no signing secret was given: copy it from the webhook's settings");
}

#[test]
fn nothing_shows_a_secret_a_header_or_a_body() {
    let verifier = Verifier::new(SECRET).unwrap();
    let secret = Secret::new(SECRET).unwrap();
    let headers = headers(NAMES[0], "m", now(), &secret.sign("m", now(), b"BODY"));
    let verified = verifier.verify_at(&headers[..], b"BODY", now()).unwrap();
    let shown = format!("{verifier:?} {secret:?} {verified:?}");
    for hidden in [&SECRET[6..], "BODY", &headers[2].1] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    insta::assert_snapshot!(shown, @r#"Verifier { secrets: [Secret(…)], tolerance: 5m } Secret(…) Verified { id: "m", timestamp: Timestamp("2026-08-19T17:03:10Z"), body: 4 bytes, secret: 0 }"#);
}

#[test]
fn messages_say_what_to_do() {
    let errors = [
        VerifyError::MissingHeader("svix-id"),
        VerifyError::MixedHeaders,
        VerifyError::NotATime,
        VerifyError::TooOld { age: SignedDuration::from_secs(3601) },
        VerifyError::TooNew { ahead: SignedDuration::from_secs(301) },
        VerifyError::NoSignature,
        VerifyError::NotBase64,
        VerifyError::WrongSignature,
    ];
    let messages: Vec<String> = errors.iter().map(VerifyError::to_string).collect();
    insta::assert_snapshot!(messages.join("\n"), @"
    the request has no header `svix-id`: was it sent as a webhook?
    the headers are partly `webhook-…` and partly `svix-…`: one set must be whole
    the time that was signed is not a count of seconds
    it was signed 1h 1s ago: a repeat, or this machine's clock is ahead
    it was signed 5m 1s from now: this machine's clock is behind
    there is no signature of version v1
    the signature of version v1 is not base64: was all of the header kept?
    the signature is wrong: check the secret, and that the body is the bytes that came, not parsed and encoded again
    ");
}

proptest::proptest! {
    #[test]
    fn a_body_that_was_changed_is_refused(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..300), at: usize, bit in 0..8) {
        let secret = Secret::new(SECRET).unwrap();
        let headers = headers(NAMES[0], "m", now(), &secret.sign("m", now(), &body));
        let verifier = Verifier::new(SECRET).unwrap();
        assert_eq!(verify(&verifier, &headers, &body), Ok(0));
        let mut changed = body.clone();
        let at = at % changed.len();
        changed[at] ^= 1_u8 << bit;
        assert_eq!(verify(&verifier, &headers, &changed), Err(VerifyError::WrongSignature));
        assert_eq!(verify(&verifier, &headers, &body[..body.len() - 1]), Err(VerifyError::WrongSignature));
    }
}
