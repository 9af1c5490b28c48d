//! Reads Kinesis events in one pass. Records are large, and a reader of members would scan each of them six times.

use std::fmt;
use std::marker::PhantomData;

use ampersand_notifications::{Delivery, Metadata, Source};
use ampersand_types::notifications::NotificationType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::item::body_of;

/// A record that is not decoded yet.
pub(crate) struct Record<'t> {
    pub(crate) sequence_number: &'t str,
    data: &'t str,
}

impl Record<'_> {
    pub(crate) fn read(&self, notification_type: Option<&NotificationType>) -> Option<Delivery> {
        let body = STANDARD.decode(self.data).ok()?;
        body_of(body, Source::Kinesis, Metadata::default(), notification_type).ok()
    }
}

/// Returns the records of an event, if every record is a Kinesis record in the form that Lambda sends. For any other
/// event, use [`document`](crate::document).
pub(crate) fn records(event: &str) -> Option<Vec<Record<'_>>> {
    let Object(Event { records }) = serde_json::from_str(event).ok()?;
    let record = |Object(Outer { kinesis })| {
        let Object(kinesis) = kinesis?;
        let sequence_number = kinesis.sequence_number.filter(|number| !number.is_empty())?;
        Some(Record { sequence_number, data: kinesis.data? })
    };
    records?.into_iter().map(record).collect()
}

#[derive(Default)]
struct Event<'t> {
    records: Option<Vec<Object<Outer<'t>>>>,
}

#[derive(Default)]
struct Outer<'t> {
    kinesis: Option<Object<Inner<'t>>>,
}

#[derive(Default)]
struct Inner<'t> {
    sequence_number: Option<&'t str>,
    data: Option<&'t str>,
}

/// An object of which only some members are read.
struct Object<T>(T);

trait Members<'t>: Default {
    /// Reads the value of a wanted member. Returns false, without reading it, for any other member.
    fn member<A: MapAccess<'t>>(&mut self, name: &'t str, map: &mut A) -> Result<bool, A::Error>;
}

impl<'t> Members<'t> for Event<'t> {
    fn member<A: MapAccess<'t>>(&mut self, name: &'t str, map: &mut A) -> Result<bool, A::Error> {
        only(name, "Records", &mut self.records, map)
    }
}

impl<'t> Members<'t> for Outer<'t> {
    fn member<A: MapAccess<'t>>(&mut self, name: &'t str, map: &mut A) -> Result<bool, A::Error> {
        only(name, "kinesis", &mut self.kinesis, map)
    }
}

impl<'t> Members<'t> for Inner<'t> {
    fn member<A: MapAccess<'t>>(&mut self, name: &'t str, map: &mut A) -> Result<bool, A::Error> {
        Ok(only(name, "sequenceNumber", &mut self.sequence_number, map)? || only(name, "data", &mut self.data, map)?)
    }
}

/// Reads the member if it is the wanted one. Refuses an object with two members of that name, which is ambiguous, and
/// an object with a notification type, which is itself a delivery.
fn only<'t, T: Deserialize<'t>, A: MapAccess<'t>>(
    name: &str,
    wanted: &str,
    value: &mut Option<T>,
    map: &mut A,
) -> Result<bool, A::Error> {
    if name == "notificationType" || name == wanted && value.is_some() {
        return Err(A::Error::custom(name));
    }
    if name == wanted {
        *value = Some(map.next_value()?);
    }
    Ok(name == wanted)
}

impl<'de, T: Members<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(Wanted(PhantomData)).map(Object)
    }
}

struct Wanted<T>(PhantomData<T>);

impl<'de, T: Members<'de>> Visitor<'de> for Wanted<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut wanted = T::default();
        while let Some(name) = map.next_key()? {
            if !wanted.member(name, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use ampersand_testing::{Fixture, aws};

    use super::*;
    use crate::document::{self, Inside};

    #[test]
    fn what_it_reads_is_what_the_reader_of_members_reads() {
        let fixtures = [Fixture::new("installation.created"), Fixture::records()];
        let event = aws::kinesis_event(&fixtures).to_string();
        let (streamed, members) = (records(&event).unwrap(), document::records(&event).unwrap());
        assert_eq!(streamed.len(), fixtures.len());
        for (streamed, record) in streamed.iter().zip(members) {
            let Ok(Inside::Delivery(wrapped)) = record.inside else { panic!("{record:?}") };
            assert_eq!(record.origin.id.as_deref(), Some(streamed.sequence_number));
            assert_eq!(wrapped.body, STANDARD.decode(streamed.data).unwrap());
            assert!(streamed.read(None).is_some());
        }
    }

    #[test]
    fn it_leaves_what_is_no_event_of_kinesis_alone_to_the_reader_of_members() {
        let number = r#""sequenceNumber": "1""#;
        for event in [
            "[]".to_owned(),
            aws::sqs_event(&[Fixture::new("installation.created")]).to_string(),
            r#"{"Records": [{"kinesis": {"sequenceNumber": "", "data": ""}}]}"#.to_owned(),
            format!(r#"{{"Records": [{{"kinesis": {{{number}}}}}]}}"#),
            format!(r#"{{"Records": [{{"kinesis": {{{number}, "data": null}}}}]}}"#),
            format!(r#"{{"Records": [{{"kinesis": {{{number}, {number}, "data": ""}}}}]}}"#),
            format!(r#"{{"Records": [{{"kinesis": {{{number}, "data": ""}}, "notificationType": "a.b"}}]}}"#),
            format!(r#"{{"Records": [{{"kinesis": {{{number}, "data": ""}}}}], "notificationType": "a.b"}}"#),
        ] {
            assert!(records(&event).is_none(), "{event}");
        }
    }
}
