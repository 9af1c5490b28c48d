//! What a transport says beside a payload, read from the forms that tools print it in.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use ampersand_notifications::{Metadata, Source};
use serde_json::value::RawValue;

use crate::input::{read_text, reason};
use crate::members::Members;

/// Names and values, in the order in which they were said.
pub(crate) type Entries = Vec<(String, String)>;

const FORMS: &str = "give an object of strings, or what `aws s3api head-object` prints (`{\"Metadata\": {…}}`), or one \
                     message or its attributes as SQS, SNS and Lambda have them (`{\"NAME\": {\"StringValue\": …}}`)";

/// Reads a file of metadata.
pub(crate) fn read(file: impl AsRef<Path>) -> Result<Entries, String> {
    parse(&read_text(file).map_err(|error| error.to_string())?)
}

fn parse(text: &str) -> Result<Entries, String> {
    let mut members: Members<'_> = serde_json::from_str(text).map_err(|error| {
        // An error about the shape has no useful place.
        let why = if error.is_data() { reason(&error) } else { error.to_string() };
        format!("not a JSON object of strings: {why}")
    })?;
    if let Some(mut items) = ["Messages", "Records"].iter().find_map(|list| inner::<Vec<Members<'_>>>(&members, list)) {
        match items.pop() {
            Some(item) if items.is_empty() => members = item,
            _ => return Err("it does not hold exactly one message: keep the one that you mean in a file".to_owned()),
        }
    }
    if let Some(message) = ["Sns", "message"].iter().find_map(|name| inner::<Members<'_>>(&members, name)) {
        members = message;
    }
    let around =
        ["Metadata", "MessageAttributes", "Attributes"].iter().find_map(|name| inner::<Members<'_>>(&members, name));
    let members = around.filter(|inner| attribute(inner).is_none()).unwrap_or(members);
    entries(members)
}

/// Reads the attributes of a message, or metadata. Returns `None` where they are not an object of strings.
pub(crate) fn of_attributes(attributes: &RawValue) -> Option<Entries> {
    entries(serde_json::from_str(attributes.get()).ok()?).ok()
}

fn entries(members: Members<'_>) -> Result<Entries, String> {
    let (mut entries, mut names) = (Entries::new(), HashSet::new());
    for (name, value) in members.0 {
        if !names.insert(name.clone()) {
            return Err(format!("not a JSON object of strings: the member `{name}` comes twice"));
        }
        if let Some(text) = text_of(value).ok_or_else(|| format!("the member `{name}` is not a string: {FORMS}"))? {
            entries.push((name.into_owned(), text));
        }
    }
    Ok(entries)
}

/// The member of a name in any case, where it has this shape.
fn inner<'t, T: serde::Deserialize<'t>>(members: &Members<'t>, name: &str) -> Option<T> {
    let found = members.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.and_then(|(_, value)| serde_json::from_str(value.get()).ok())
}

/// The text of a value, which is nothing for a null and for an attribute of bytes; `None` where the value is of no form that is known.
fn text_of(value: &RawValue) -> Option<Option<String>> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(json).ok()?;
            let of_bytes = || inner::<String>(&members, "DataType").is_some_and(|kind| kind.starts_with("Binary"));
            attribute(&members).map(Some).or_else(|| of_bytes().then_some(None))
        }
        Some(b'[') => None,
        Some(b'n') => Some(None),
        _ => Some(Some(serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()))),
    }
}

/// The text of a message's attribute, as SQS, Lambda and SNS name it.
fn attribute(members: &Members<'_>) -> Option<String> {
    inner(members, "StringValue").or_else(|| inner(members, "Value"))
}

/// Puts together what was said, later entries over earlier ones. Names are compared ignoring ASCII case and the prefix
/// of S3.
pub(crate) fn merge<'e>(said: impl IntoIterator<Item = &'e Entries>, source: Source) -> Metadata {
    let mut merged = BTreeMap::new();
    for entries in said {
        for (name, value) in opened(entries, source).as_ref().unwrap_or(entries) {
            let name = without_prefix(name);
            merged.insert(name.to_ascii_lowercase(), (name.to_owned(), value.clone()));
        }
    }
    merged.into_values().collect()
}

/// The entries that SQS has in one attribute `metadata`, as JSON.
fn opened(entries: &Entries, source: Source) -> Option<Entries> {
    if !matches!(source, Source::Bare | Source::Attributes) {
        return None;
    }
    let (_, json) = entries.iter().find(|(name, _)| name.eq_ignore_ascii_case("metadata"))?;
    let metadata: Metadata = serde_json::from_str(json).ok()?;
    Some(metadata.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn without_prefix(name: &str) -> &str {
    const PREFIX: &str = "x-amz-meta-";
    match name.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_as_tools_print_it() {
        for text in [
            r#"{"event-id": "evt_1", "n": 1.10, "null": null}"#,
            r#"{"data": "e30=", "messageId": "1", "attributes": {"event-id": "evt_1", "n": "1.10"}}"#,
            r#"{"ETag": "0", "ContentLength": 9, "Metadata": {"event-id": "evt_1", "n": "1.10"}, "MissingMeta": null}"#,
            r#"{"event-id": {"StringValue": "evt_1", "DataType": "String"}, "n": {"StringValue": "1.10", "DataType": "Number"}}"#,
            r#"{"Type": "Notification", "MessageAttributes": {"event-id": {"Type": "String", "Value": "evt_1"}, "n": {"Value": "1.10"}}}"#,
            r#"{"Messages": [{"Body": "{}", "MessageAttributes": {"event-id": {"StringValue": "evt_1"}, "n": {"StringValue": "1.10"}, "b": {"BinaryValue": "AA==", "DataType": "Binary.x"}}}]}"#,
            r#"{"Records": [{"attributes": {"SenderId": "a"}, "messageAttributes": {"event-id": {"stringValue": "evt_1", "stringListValues": [], "dataType": "String"}, "n": {"stringValue": "1.10"}}}]}"#,
            r#"{"metadata": {"event-id": "evt_1", "n": "1.10"}}"#,
            r#"{"Records": [{"Sns": {"Message": "{}", "MessageAttributes": {"event-id": {"Value": "evt_1"}, "n": {"Value": "1.10"}}}}]}"#,
            r#"{"message": {"data": "e30=", "attributes": {"event-id": "evt_1", "n": "1.10"}}, "subscription": "s"}"#,
        ] {
            let expected =
                [("event-id", "evt_1"), ("n", "1.10")].map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        let in_one = r#"{"metadata": {"StringValue": "{\"event-id\": \"evt_1\"}", "DataType": "String"}}"#;
        let merged = merge([&parse(in_one).unwrap(), &vec![("Event-Id".to_owned(), "evt_2".to_owned())]], Source::Bare);
        assert_eq!(merged.iter().collect::<Vec<_>>(), [("Event-Id", "evt_2")]);
        assert_eq!(parse(r#"{"Metadata": {}, "ETag": "0"}"#).unwrap(), []);
    }

    #[test]
    fn other_nested_metadata_is_refused_with_the_forms_that_are_read() {
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let mut shown = String::new();
        for text in [
            r#"{"user": {"event-id": "evt_1"}}"#,
            r#"{"event-id": ["evt_1"]}"#,
            r#"{"Messages": []}"#,
            r#"{"Messages": [{"a": "b"}, {"a": "b"}]}"#,
            r#"{"a": "b", "a": "c"}"#,
            "[1]",
            "{",
            deep.as_str(),
        ] {
            shown += &(parse(text).unwrap_err() + "\n");
        }
        insta::assert_snapshot!(shown.replace(FORMS, "FORMS"), @r"
        the member `user` is not a string: FORMS
        the member `event-id` is not a string: FORMS
        it does not hold exactly one message: keep the one that you mean in a file
        it does not hold exactly one message: keep the one that you mean in a file
        not a JSON object of strings: the member `a` comes twice
        not a JSON object of strings: invalid type: sequence, expected an object
        not a JSON object of strings: EOF while parsing an object at line 1 column 1
        the member `a` is not a string: FORMS
        ");
    }
}
