//! What holds for every answer, whichever bytes were asked about.

use std::collections::BTreeMap;

use ampersand_notifications::{Delivery, Metadata, NormalizeError};
use ampersand_types::notifications::NotificationType;
use serde_json::Value;

#[path = "../../tests/it/json.rs"]
mod json;

/// Asks a door about a body: nothing is lost, and an error shows nothing.
pub fn ask(body: &[u8], door: impl Fn(&[u8]) -> Result<Delivery, NormalizeError>) -> Result<Delivery, NormalizeError> {
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
pub const SECRET: &str = "correct horse battery staple";
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
pub fn content(answer: Result<Delivery, NormalizeError>) -> Result<Delivery, NormalizeError> {
    answer.map(|delivery| match delivery {
        Delivery::Notification(mut notification) => {
            notification.source = ampersand_notifications::Source::Bare;
            notification.metadata = Metadata::default();
            Delivery::Notification(notification)
        }
        Delivery::Records(mut records) => {
            records.source = ampersand_notifications::Source::Bare;
            records.metadata = Metadata::default();
            Delivery::Records(records)
        }
    })
}

/// One of the known types, any.
pub fn some_type(input: &[u8]) -> &'static NotificationType {
    &NotificationType::KNOWN[input.len() % NotificationType::KNOWN.len()]
}

/// A body, and what its transport says: JSON behind a NUL, or one of the known types.
pub fn with_metadata(input: &[u8]) -> (&[u8], BTreeMap<String, String>) {
    let mut parts = input.rsplitn(2, |byte| *byte == 0);
    let (last, body) = (parts.next().unwrap_or_default(), parts.next());
    match (body, serde_json::from_slice(last)) {
        (Some(body), Ok(metadata)) => (body, metadata),
        _ => (input, BTreeMap::from([("notificationType".to_owned(), some_type(input).to_string())])),
    }
}
