//! The bodies of the fuzz targets: each holds for any bytes. `cargo test` runs them over the corpus.

#![allow(clippy::missing_panics_doc, reason = "a panic is what a fuzzer looks for")]

use std::collections::BTreeMap;

use ampersand_notifications::{
    Delivery, Metadata, NormalizeError, NormalizeErrorKind, Secret, Source, Verifier, VerifyError, from_any,
    from_attributes, from_kinesis, from_kinesis_as, from_s3, from_webhook,
};
use ampersand_types::notifications::{Event, NotificationType};
use ampersand_types::{RawJson, SignedUrl};
use jiff::Timestamp;
use serde_json::Value;
use test_support::json;

/// The body of a fuzz target.
pub type Target = fn(&[u8]);

/// Every target, by its name.
pub const TARGETS: [(&str, Target); 8] = [
    ("any", any),
    ("attributes", attributes),
    ("beside", beside),
    ("kinesis", kinesis),
    ("s3", s3),
    ("signed_url", signed_url),
    ("verify", verify),
    ("webhook", webhook),
];

const NOTHING: [(&str, &str); 0] = [];

/// All doors agree on a body that nothing is known of.
pub fn any(body: &[u8]) {
    let any = content(ask(body, |body| from_any(body)));
    assert_eq!(content(from_webhook(body)), any);
    assert_eq!(content(from_kinesis(body)), any);
    assert_eq!(content(from_s3(body, NOTHING)), any);
    assert_eq!(content(from_attributes(body, NOTHING)), any);
}

/// Attributes may come in one, as SQS has them.
pub fn attributes(input: &[u8]) {
    let (body, attributes) = with_metadata(input);
    let answer = ask(body, |body| from_attributes(body, attributes.clone()));
    if !attributes.keys().any(|name| name.eq_ignore_ascii_case("metadata")) {
        let packed = serde_json::to_string(&attributes).expect("JSON");
        assert_eq!(from_attributes(body, [("metadata", packed)]), answer);
        is_payload(body, &attributes, &answer);
    }
}

/// An envelope is one whatever stands beside the payload, and wherever it stands.
pub fn beside(data: &[u8]) {
    let notification_type = some_type(data);
    let Ok(data) = RawJson::from_bytes(data.to_owned()) else { return };
    let expected = Event::parse(notification_type, &data).ok();
    let data = data.as_str();
    let kind = format!(r#""notificationType": "{notification_type}""#);
    let metadata = format!(r#""metadata": {{"event-id": "e", {kind}}}"#);
    let beside = r#""projectId": {"data": []}, "action": "a", "result": null, "\u0069d": 1"#;
    // With metadata beside it, `data` has to be an object to be taken for a payload.
    for named in [Some(&kind), data.starts_with('{').then_some(&metadata)].into_iter().flatten() {
        for body in [
            format!(r#"{{{named}, {beside}, "data": {data}}}"#),
            format!(r#"{{{beside}, "data": {data}, {named}}}"#),
            format!(r#"{{"data": {data}, {beside}, {named}}}"#),
        ] {
            for answer in [from_webhook(&body), from_kinesis(&body), from_any(&body)] {
                let event = answer.ok().map(|delivery| match delivery {
                    Delivery::Notification(notification) => notification.event,
                    Delivery::Records(_) => panic!("it has a type"),
                });
                assert_eq!(event, expected, "{body}");
            }
        }
    }
}

/// The type that a record names counts more than the one that is said of it.
pub fn kinesis(record: &[u8]) {
    let notification_type = some_type(record);
    let told = ask(record, |record| from_kinesis_as(record, notification_type));
    match ask(record, |record| from_kinesis(record)) {
        Ok(Delivery::Records(_)) => {}
        Ok(notification) => assert_eq!(told, Ok(notification), "what the record says counts more"),
        Err(error) => match error.kind() {
            NormalizeErrorKind::TypeMissing { fits, .. } => assert_eq!(told.is_ok(), fits.contains(notification_type)),
            // Metadata that is not an object matters only where nothing else names the type.
            NormalizeErrorKind::Shape { path, .. } if path == "$.metadata" => {}
            problem => assert!(told.is_err() || seems_records(record), "{problem}"),
        },
    }
}

/// User metadata may have the prefix of its headers.
pub fn s3(input: &[u8]) {
    let (body, metadata) = with_metadata(input);
    let answer = ask(body, |body| from_s3(body, metadata.clone()));
    if !metadata.keys().any(|name| name.to_ascii_lowercase().starts_with("x-amz-meta-")) {
        let prefixed = metadata.iter().map(|(name, value)| (format!("X-Amz-Meta-{name}"), value));
        assert_eq!(from_s3(body, prefixed), answer);
        is_payload(body, &metadata, &answer);
    }
}

/// A displayed URL shows no secret, and its time is read from its query alone.
pub fn signed_url(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if text.contains(SECRET) {
        return;
    }
    let url = SignedUrl::from(&*text);
    assert_eq!(url.expose_secret(), text);
    let expires = url.expires_at();
    assert_eq!(SignedUrl::from(format!("{text}#Expires=1")).expires_at(), expires);
    for secret in [
        format!("{text}?X-Amz-Signature={SECRET}"),
        format!("{text}#{SECRET}"),
        format!("https://user:{SECRET}@{text}"),
        format!("https://{SECRET}@host?{text}"),
    ] {
        let url = SignedUrl::from(secret);
        assert!(!format!("{url} {url:?}").contains(SECRET), "{url}");
        let _ = url.expires_at();
    }
}

/// Only who has the secret signs, and a signature is found whatever stands beside it.
///
/// The input is a header a line, whose first byte is its name; an empty line; the body.
pub fn verify(input: &[u8]) {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const NAMES: [&str; 7] = [
        "svix-id",
        "svix-timestamp",
        "svix-signature",
        "Webhook-Id",
        "Webhook-Timestamp",
        "Webhook-Signature",
        "other",
    ];
    let end = input.windows(2).position(|two| two == b"\n\n").unwrap_or(input.len());
    let (head, body) = (&input[..end], input.get(end + 2..).unwrap_or_default());
    let headers = head.split(|byte| *byte == b'\n').filter_map(|line| line.split_first());
    let headers: Vec<(&str, &[u8])> =
        headers.map(|(name, value)| (NAMES[usize::from(*name) % NAMES.len()], value)).collect();

    let (secret, verifier) = (Secret::new(SECRET).expect("a secret"), Verifier::new(SECRET).expect("a secret"));
    let now = Timestamp::from_second(1_787_158_990).expect("a time");
    let answer = verifier.verify_at(&headers, body, now);
    let error = answer.expect_err("nobody without the secret signs");
    assert!(!format!("{error} {error:?}").contains("whsec"));

    let Ok(id) = std::str::from_utf8(head) else { return };
    let (time, signature) = (now.as_second().to_string(), secret.sign(id, now, body));
    let signed = |id, values: &[&str]| {
        let mut headers = vec![("svix-id", id), ("svix-timestamp", time.as_str())];
        headers.extend(values.iter().map(|value| ("Svix-Signature", *value)));
        verifier.verify_at(&headers, body, now).map(|verified| (verified.id.to_owned(), verified.body.into_owned()))
    };
    if id.is_empty() {
        assert_eq!(signed(id, &[&signature]).unwrap_err(), VerifyError::MissingHeader("svix-id"));
        return;
    }
    let tag = signature.strip_prefix("v1,").expect("a version");
    let (joined, listed) = (format!("{id}, {signature}"), format!("{signature},{id} {id}"));
    for values in [&[&*signature][..], &[id, &signature], &[&signature, id], &[&joined], &[&listed], &[id, "v1", tag]] {
        assert_eq!(signed(id, values), Ok((id.to_owned(), body.to_owned())), "{values:?}");
    }
    let longer = [body, b"0"].concat();
    let headers = [("svix-id", id), ("svix-timestamp", &time), ("svix-signature", &signature)];
    assert_eq!(verifier.verify_at(&headers, longer, now).unwrap_err(), VerifyError::WrongSignature);
    assert_eq!(signed(&format!("{id}0"), &[&signature]).unwrap_err(), VerifyError::WrongSignature);
}

/// A body that is lent and one that is handed over are read as the same.
pub fn webhook(body: &[u8]) {
    let lent = ask(body, |body| from_webhook(body));
    assert_eq!(from_webhook(body.to_owned()), lent);
}

/// Where metadata names the type, the body is the payload, whatever members it has.
fn is_payload(body: &[u8], metadata: &BTreeMap<String, String>, answer: &Result<Delivery, NormalizeError>) {
    let Some(named) = Metadata::from_iter(metadata.clone()).get("notificationType").map(NotificationType::from) else {
        return;
    };
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let payload = RawJson::from_bytes(body.to_owned()).ok();
    let event = payload.and_then(|payload| Event::parse(&named, &payload).ok());
    match answer {
        Ok(Delivery::Notification(notification)) => assert_eq!(Some(&notification.event), event.as_ref()),
        Ok(Delivery::Records(_)) => panic!("it has a type"),
        Err(error) => assert_eq!(event, None, "{error}"),
    }
}

/// Whether a body has a member that only data messages have, be it wrapped or not.
fn seems_records(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    [&body, &body["data"]]
        .iter()
        .any(|value| ["action", "result", "resultInfo"].iter().any(|name| value.get(name).is_some()))
}

/// Asks a door about a body: nothing is lost, and an error shows nothing.
fn ask(body: &[u8], door: impl Fn(&[u8]) -> Result<Delivery, NormalizeError>) -> Result<Delivery, NormalizeError> {
    let answer = door(body);
    match &answer {
        Ok(delivery) => {
            let (raw, encoded) = match delivery {
                Delivery::Notification(notification) => (&notification.raw, serde_json::to_string(&notification.event)),
                Delivery::Records(records) => (&records.raw, serde_json::to_string(&records.message)),
            };
            assert_eq!(raw.body().as_bytes(), body);
            assert_eq!(json::difference(raw.data(), &encoded.expect("JSON")), None);
        }
        Err(error) => assert_eq!(error.body(), body),
    }
    if let Ok(mut planted) = serde_json::from_slice::<Value>(body)
        && !planted.to_string().contains(SECRET)
    {
        plant(&mut planted);
        if let Err(error) = door(planted.to_string().as_bytes()) {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(SECRET) && !shown.contains(&NUMBER.to_string()), "{shown}");
        }
    }
    answer
}

/// What no error may show.
const SECRET: &str = "correct horse battery staple";
const NUMBER: u64 = 9_182_736_450_918_273_645;

/// Makes secrets of all values but the types of notifications, without which little can be wrong.
fn plant(value: &mut Value) {
    match value {
        Value::String(text) => *text = SECRET.to_owned(),
        Value::Number(number) => *number = NUMBER.into(),
        Value::Array(items) => items.iter_mut().for_each(plant),
        Value::Object(members) => {
            members
                .iter_mut()
                .filter(|(name, _)| !name.eq_ignore_ascii_case("notificationType"))
                .for_each(|(_, v)| plant(v));
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// The event or the message, the same whoever brought it.
fn content(answer: Result<Delivery, NormalizeError>) -> Result<Delivery, NormalizeError> {
    answer.map(|delivery| match delivery {
        Delivery::Notification(mut notification) => {
            notification.source = Source::Bare;
            notification.metadata = Metadata::default();
            Delivery::Notification(notification)
        }
        Delivery::Records(mut records) => {
            records.source = Source::Bare;
            records.metadata = Metadata::default();
            Delivery::Records(records)
        }
    })
}

/// One of the known types, any.
fn some_type(input: &[u8]) -> &'static NotificationType {
    &NotificationType::KNOWN[input.len() % NotificationType::KNOWN.len()]
}

/// A body, and what its transport says: JSON behind a NUL, or one of the known types.
fn with_metadata(input: &[u8]) -> (&[u8], BTreeMap<String, String>) {
    let mut parts = input.rsplitn(2, |byte| *byte == 0);
    let (last, body) = (parts.next().unwrap_or_default(), parts.next());
    match (body, serde_json::from_slice(last)) {
        (Some(body), Ok(metadata)) => (body, metadata),
        _ => (input, BTreeMap::from([("notificationType".to_owned(), some_type(input).to_string())])),
    }
}
