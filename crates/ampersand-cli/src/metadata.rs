//! Reads the metadata of a delivery from the forms in which tools print it.

use std::path::Path;

pub(crate) use ampersand_aws::__private::{Entries, merge};
use ampersand_aws::__private::{EntriesError, Members, attribute, entries, inner};

use ampersand_types::__private::reason;

use crate::input::read_text;

const FORMS: &str = "give an object of strings, or what `aws s3api head-object` prints (`{\"Metadata\": {…}}`), or one \
                     message or its attributes as SQS, SNS and Lambda have them (`{\"NAME\": {\"StringValue\": …}}`)";

/// Reads a file of metadata.
pub(crate) fn read(file: impl AsRef<Path>) -> Result<Entries, String> {
    parse(&read_text(file).map_err(|error| error.to_string())?)
}

fn parse(text: &str) -> Result<Entries, String> {
    let mut members: Members<'_> = serde_json::from_str(text).map_err(|error| {
        // The place of a shape error is not useful.
        let known = || reason(&error).unwrap_or_else(|| "it has another shape".to_owned());
        let why = if error.is_data() { known() } else { error.to_string() };
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
    entries(members).map_err(|error| match error {
        EntriesError::Twice(name) => format!("not a JSON object of strings: the member `{name}` comes twice"),
        EntriesError::NotText(name) => format!("the member `{name}` is not a string: {FORMS}"),
    })
}

#[cfg(test)]
mod tests {
    use ampersand_notifications::Source;

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
        not a JSON object of strings: found sequence, expected an object
        not a JSON object of strings: EOF while parsing an object at line 1 column 1
        the member `a` is not a string: FORMS
        ");
    }
}
