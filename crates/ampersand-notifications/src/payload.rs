//! Finds and decodes the payload in a body.

use std::fmt;
use std::marker::PhantomData;

use ampersand_types::__private::{LONE_SURROGATE, Member, reason};
use ampersand_types::messages::WebhookMessage;
use ampersand_types::notifications::{Event, NotificationType};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_path_to_error::{Segment, Track};

use crate::{Metadata, NormalizeErrorKind};

/// A body whose payload is found.
pub(crate) struct Opened<'t> {
    pub(crate) wrapped: bool,
    /// What the body itself says about the payload.
    pub(crate) notification_type: Option<NotificationType>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) payload: Payload<'t>,
    /// The error of metadata that is not an object of strings. It counts only if nothing else names the type.
    pub(crate) odd: Option<NormalizeErrorKind>,
}

#[expect(clippy::large_enum_variant, reason = "there is one, for the length of a call")]
pub(crate) enum Payload<'t> {
    /// Decoded in the same pass, as the type that was assumed.
    Event(NotificationType, Event),
    Text(&'t str),
}

impl<'t> Opened<'t> {
    /// A body that is the payload itself.
    pub(crate) fn bare(payload: Payload<'t>) -> Self {
        Self { wrapped: false, notification_type: None, metadata: None, payload, odd: None }
    }
}

/// Finds the payload. It takes one pass if it knows the type beforehand: from the transport, or from the body before
/// the payload or near its end, where it looks first. A type in the body overrides all others.
pub(crate) fn open<'t>(text: &'t str, known: Option<&NotificationType>) -> Result<Opened<'t>, NormalizeErrorKind> {
    if let Some(known) = known
        && !may_be_envelope(text)
        && let Ok(event) = parse(text, EventOf(known))
    {
        return Ok(Opened::bare(Payload::Event(known.clone(), event)));
    }
    let guess = match first_name(text) {
        Some("notificationType") | None => None, // The type comes before the payload, or there is no envelope.
        Some(_) => known.cloned().or_else(|| last_type(text)),
    };
    // A wrong guess can fail where no guess succeeds. After the second parse, only the envelope itself can be wrong.
    let members = parse(text, Envelope { decode: true, strict: true, guess })
        .or_else(|_| parse(text, Envelope::AS_TEXT))
        .map_err(|_| misshapen(text, None, "$", Envelope::STRICT))?;
    let wrapped = members.is_envelope();
    match members {
        Members { payload: Some(payload), notification_type, metadata, is_odd, .. } if wrapped => Ok(Opened {
            wrapped,
            notification_type: notification_type.flatten(),
            metadata: metadata.flatten(),
            payload,
            odd: is_odd.then(|| misshapen(text, None, "$", Envelope::STRICT)),
        }),
        Members { payload: None, is_payload: false, notification_type: Some(Some(notification_type)), .. } => {
            let (path, reason) = ("$".to_owned(), "missing field `data`".to_owned());
            // An unknown type is text from the body, so the error leaves it out.
            let is_known = !matches!(notification_type, NotificationType::Unknown(_));
            Err(NormalizeErrorKind::Shape { notification_type: is_known.then_some(notification_type), path, reason })
        }
        _ => Ok(Opened::bare(Payload::Text(text))),
    }
}

/// Whether a body may have a member `data`, perhaps with escapes in its name. Most payloads have none.
fn may_be_envelope(text: &str) -> bool {
    text.contains("\"data\"") || text.contains("\\u00")
}

pub(crate) enum Content {
    Event(NotificationType, Event),
    Message(WebhookMessage),
}

pub(crate) fn content(
    payload: &str,
    notification_type: Option<NotificationType>,
    wrapped: bool,
    metadata: &Metadata,
) -> Result<Content, NormalizeErrorKind> {
    let place = if wrapped { "$.data" } else { "$" };
    match notification_type {
        Some(notification_type) => match parse(payload, EventOf(&notification_type)) {
            Ok(event) => Ok(Content::Event(notification_type, event)),
            Err(_) => Err(misshapen(payload, Some(notification_type.clone()), place, EventOf(&notification_type))),
        },
        None => match parse(payload, PhantomData::<WebhookMessage>) {
            Ok(message) if is_records(&message) => Ok(Content::Message(message)),
            Err(_) if parse(payload, HasRecords) == Ok(true) => {
                Err(misshapen(payload, None, place, PhantomData::<WebhookMessage>))
            }
            _ if parse(payload, PhantomData::<IgnoredAny>).is_err() => {
                Err(misshapen(payload, None, place, PhantomData::<IgnoredAny>))
            }
            _ => {
                let known = || NotificationType::KNOWN.iter();
                let fits: Vec<NotificationType> =
                    known().filter(|t| parse(payload, EventOf(t)).is_ok()).cloned().collect();
                // A lone surrogate is not text, so no type fits.
                let mut problems = known().map(|t| misshapen(payload, None, place, EventOf(t)));
                let is_lone = |problem: &NormalizeErrorKind| matches!(problem, NormalizeErrorKind::Shape { reason, .. } if reason == LONE_SURROGATE);
                if fits.is_empty()
                    && let Some(problem) = problems.find(is_lone)
                {
                    return Err(problem);
                }
                let metadata = metadata.iter().map(|(name, _)| name.to_owned()).collect();
                Err(NormalizeErrorKind::TypeMissing { fits, metadata })
            }
        },
    }
}

/// The members that data messages have and notifications do not. Messages of 2024 have no `action`, and some lack one
/// of the others.
const OF_RECORDS: [&str; 3] = ["action", "result", "resultInfo"];

fn is_records(message: &WebhookMessage) -> bool {
    let is_null = || OF_RECORDS.iter().any(|name| message.other_fields.contains_key(*name));
    message.action.is_some() || !message.result.is_absent() || message.result_info.is_some() || is_null()
}

/// The payload of a body in an envelope.
pub(crate) fn data(text: &str) -> Option<&str> {
    match parse(text, Envelope::AS_TEXT).ok()?.payload? {
        Payload::Text(payload) => Some(payload),
        Payload::Event(..) => None,
    }
}

/// The name of the first member of an object.
fn first_name(text: &str) -> Option<&str> {
    let inside = text.trim_ascii_start().strip_prefix('{')?;
    inside.trim_ascii_start().strip_prefix('"')?.split('"').next()
}

/// The apparent type, if it is near the end of a body.
fn last_type(text: &str) -> Option<NotificationType> {
    let end = (text.len().saturating_sub(TAIL)..).find_map(|start| text.get(start..))?;
    let (_, value) = end.rsplit_once("\"notificationType\"")?;
    let value = value.trim_ascii_start().strip_prefix(':')?.trim_ascii_start().strip_prefix('"')?;
    let (value, _) = value.split_once('"')?;
    (!value.contains('\\')).then(|| NotificationType::from(value))
}

/// Bytes; enough for the metadata of a Kinesis record.
const TAIL: usize = 4096;

/// Reads one JSON value, after which the text must end.
fn parse<'t, S: DeserializeSeed<'t>>(text: &'t str, seed: S) -> Result<S::Value, Failed> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut json).map_err(|_| Failed)?;
    json.end().map_err(|_| Failed)?;
    Ok(value)
}

/// Says only that parsing failed. [`misshapen`] finds the reason and place, which costs more.
#[derive(Debug, PartialEq)]
struct Failed;

/// Returns what is wrong with a text that `parse` could not read.
fn misshapen<'t, S: DeserializeSeed<'t>>(
    text: &'t str,
    notification_type: Option<NotificationType>,
    place: &str,
    seed: S,
) -> NormalizeErrorKind {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = Track::new();
    let result = seed.deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    let error = match result.map(|_| json.end()) {
        Err(error) | Ok(Err(error)) => error,
        Ok(Ok(())) => serde_json::Error::custom("it is refused"),
    };
    // If the text parses when nothing decodes its strings, its grammar is valid. Then the error is in a string, and only an
    // escape for half a surrogate pair is left.
    let is_lone_surrogate = !error.is_data() && parse(text, PhantomData::<IgnoredAny>).is_ok();
    if !error.is_data() && !is_lone_surrogate {
        return NormalizeErrorKind::NotJson { line: error.line(), column: error.column() };
    }
    let path = track.path().iter().fold(place.to_owned(), |path, segment| path + &json_path(segment));
    let reason = match is_lone_surrogate {
        true => LONE_SURROGATE.to_owned(),
        false => reason(&error).unwrap_or_else(|| "it does not have the shape of its type".to_owned()),
    };
    NormalizeErrorKind::Shape { notification_type, path, reason }
}

fn json_path(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("[{index}]"),
        Segment::Map { key } => Member(key).to_string(),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

/// The data of a notification of this type.
struct EventOf<'a>(&'a NotificationType);

impl<'de> DeserializeSeed<'de> for EventOf<'_> {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Event, D::Error> {
        Event::from_deserializer(self.0, json)
    }
}

/// A body that may be an envelope of a payload.
struct Envelope {
    /// Whether to decode the payload in the same pass, if its type is known or guessed.
    decode: bool,
    /// Whether `metadata` has to be an object of strings. It may be anything when the type is beside it.
    strict: bool,
    guess: Option<NotificationType>,
}

impl Envelope {
    const AS_TEXT: Self = Self { decode: false, strict: false, guess: None };
    const STRICT: Self = Self { strict: true, ..Self::AS_TEXT };
}

/// The members of a body. `Some(None)` is a member that is `null`.
#[derive(Default)]
struct Members<'t> {
    notification_type: Option<Option<NotificationType>>,
    metadata: Option<Option<Metadata>>,
    payload: Option<Payload<'t>>,
    /// Whether it has members that every payload has, and envelopes seldom have.
    is_payload: bool,
    /// Whether it has members that only data messages have.
    is_records: bool,
    /// Whether the metadata is not an object of strings.
    is_odd: bool,
}

impl Members<'_> {
    /// Whether `data` is the payload. It is if a type is beside it, or if it is an object with a metadata object beside it.
    /// Otherwise it is, unless the body has other members of a payload: then `data` may be a part of that.
    fn is_envelope(&self) -> bool {
        let is_object = match &self.payload {
            Some(Payload::Text(text)) => text.starts_with('{'),
            Some(Payload::Event(_, Event::Unknown(data))) => data.as_str().starts_with('{'),
            Some(Payload::Event(..)) => true,
            None => return false,
        };
        let names_type = matches!(self.notification_type, Some(Some(_)));
        let has_metadata = matches!(self.metadata, Some(Some(_)));
        // A `null` member says nothing, but data messages have none of these members.
        let has_null = !self.is_records && (self.notification_type.is_some() || self.metadata.is_some());
        names_type || (is_object && (has_metadata || has_null)) || !self.is_payload
    }
}

impl<'de> DeserializeSeed<'de> for Envelope {
    type Value = Members<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Members<'de>, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Envelope {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "notificationType" if members.notification_type.is_none() => {
                    let named: Option<NotificationType> = map.next_value()?;
                    members.notification_type = Some(named.filter(|named| !named.as_str().is_empty()));
                }
                "metadata" if members.metadata.is_none() && self.strict => {
                    members.metadata = Some(map.next_value()?);
                }
                "metadata" if members.metadata.is_none() => {
                    let text = map.next_value::<&RawValue>()?.get();
                    members.is_odd = !text.starts_with('{') && text != "null";
                    let metadata =
                        if members.is_odd { None } else { serde_json::from_str(text).map_err(A::Error::custom)? };
                    members.metadata = Some(metadata);
                }
                "data" if members.payload.is_none() => {
                    let said = members.notification_type.clone().flatten();
                    let in_metadata = || members.metadata.iter().flatten().find_map(Metadata::notification_type);
                    let taken_for = said.or_else(in_metadata).or_else(|| self.guess.clone()).filter(|_| self.decode);
                    members.payload = Some(match taken_for {
                        Some(notification_type) => {
                            let event = map.next_value_seed(EventOf(&notification_type))?;
                            Payload::Event(notification_type, event)
                        }
                        None => Payload::Text(map.next_value::<&RawValue>()?.get()),
                    });
                }
                "notificationType" | "metadata" | "data" => return Err(A::Error::custom("a member comes twice")),
                name => {
                    members.is_records |= OF_RECORDS.contains(&name);
                    members.is_payload |= members.is_records || name == "projectId";
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
    }
}

/// Whether an object has a member that only data messages have.
struct HasRecords;

impl<'de> DeserializeSeed<'de> for HasRecords {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for HasRecords {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
            found |= OF_RECORDS.contains(&name.as_str());
        }
        Ok(found)
    }
}
