use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Context, become_rust_type, for_each_schema, is_struct, pascal, reference, refers_to};
use crate::document;

/// Where the events are kept in a lowered document.
pub(crate) const EVENTS: &str = "x-events";

/// A notification type and what comes with it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) notification_type: String,
    /// The name of the schema of its data.
    pub(crate) data: String,
    pub(crate) description: Option<String>,
}

/// Takes the schemas of webhook bodies (`{notificationType, data}`) out, and keeps which type has which data.
///
/// Generated as it stands, each would be a struct of its own, and a union of them an untagged enum that tries one
/// after the other, refuses a type that is new, and cannot hold JSON as text.
pub(super) fn split_events(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let Some(schemas) = document::schemas_mut(document) else { return Ok(0) };
    let before = schemas.clone();
    let mut bodies: Vec<(&String, Vec<&str>)> =
        before.iter().filter_map(|(name, schema)| Some((name, types(schema, &before)?))).collect();
    // The body of one type says more of it than that of many.
    bodies.sort_by_key(|(_, types)| types.len());

    let mut events: BTreeMap<&str, Event> = BTreeMap::new();
    for (name, types) in &bodies {
        let body = schemas.remove(*name).unwrap_or_default();
        let data = &body["properties"]["data"];
        for notification_type in types {
            if events.contains_key(notification_type) {
                if types.len() == 1 {
                    bail!("two schemas are the body of `{notification_type}`, of which one is `{name}`");
                }
                continue;
            }
            let named = data["$ref"].as_str().and_then(document::schema_name).map(str::to_owned);
            let data = named.map_or_else(|| name_data(notification_type, data, schemas), Ok)?;
            let description = body["description"].as_str().map(str::to_owned);
            events.insert(
                notification_type,
                Event { notification_type: (*notification_type).to_owned(), data, description },
            );
        }
    }
    let found = events.len();
    let events = serde_json::to_value(events.into_values().collect::<Vec<_>>())?;
    // What refers to a body is a union of them, which `Event` is, or holds a whole one.
    for_each_schema(document, &mut |schema| {
        if bodies.iter().any(|(body, _)| refers_to(schema, body)) {
            become_rust_type(schema, "RawJson", &[]);
        }
    });
    if found > 0 {
        document[EVENTS] = events;
        make_way(document);
    }
    Ok(found)
}

/// The notification types that a schema is the body of. It is known by its shape, whatever its name.
fn types<'a>(schema: &'a Value, schemas: &'a Map<String, Value>) -> Option<Vec<&'a str>> {
    let notification_type = document::resolve(&schema["properties"]["notificationType"], schemas);
    let values = notification_type["enum"].as_array()?;
    schema["properties"].get("data")?;
    Some(values.iter().filter_map(Value::as_str).collect())
}

/// Gives data that stand inside a body a schema of their own.
fn name_data(notification_type: &str, data: &Value, schemas: &mut Map<String, Value>) -> Result<String> {
    let name = format!("{}Data", pascal(notification_type));
    if schemas.insert(name.clone(), data.clone()).is_some() {
        bail!("the data of `{notification_type}` would be named `{name}`, which is the name of another schema");
    }
    Ok(name)
}

/// Renames schemas that have a name which is needed here. A list of the types is none: it is what `NotificationType` is.
fn make_way(document: &mut Value) {
    for name in ["Event", "NotificationType"] {
        let Some(schemas) = document::schemas_mut(document) else { return };
        if !schemas.get(name).is_some_and(is_struct) {
            continue;
        }
        let renamed = format!("{name}Schema");
        if let Some(schema) = schemas.remove(name) {
            schemas.insert(renamed.clone(), schema);
        }
        for_each_schema(document, &mut |schema| {
            if refers_to(schema, name) {
                schema["$ref"] = reference(&renamed)["$ref"].clone();
            }
        });
        for event in document[EVENTS].as_array_mut().into_iter().flatten().filter(|event| event["data"] == name) {
            event["data"] = renamed.clone().into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing::run_document;
    use serde_json::json;

    fn body(notification_type: &str, data: Value) -> Value {
        json!({ "description": notification_type, "properties": {
            "notificationType": { "type": "string", "enum": [notification_type] },
            "data": data,
        } })
    }

    #[test]
    fn bodies_become_events() -> Result<()> {
        let (document, hits) = run_document(
            split_events,
            json!({ "components": { "schemas": {
            "A": { "properties": { "id": {} } },
            "ABody": body("a.b", reference("A")),
            "CBody": body("c", json!({ "type": "object" })),
            "Body": { "oneOf": [reference("ABody")] },
        } } }),
        )?;
        assert_eq!(hits, 2);
        assert_eq!(
            document,
            json!({
                "components": { "schemas": {
                    "A": { "properties": { "id": {} } },
                    "Body": { "oneOf": [{ "x-rust-type": {
                        "crate": "ampersand-types", "version": "*", "path": "ampersand_types::RawJson", "parameters": [],
                    } }] },
                    "CData": { "type": "object" },
                } },
                EVENTS: [
                    { "notification_type": "a.b", "data": "A", "description": "a.b" },
                    { "notification_type": "c", "data": "CData", "description": "c" },
                ],
            })
        );
        Ok(())
    }

    #[test]
    fn a_body_of_all_types_adds_those_that_have_none_and_names_make_way() -> Result<()> {
        let (document, hits) = run_document(
            split_events,
            json!({ "components": { "schemas": {
                "A": { "properties": { "event": { "$ref": "#/components/schemas/Event" } } },
                "ABody": body("a", reference("A")),
                "AnyBody": { "properties": { "notificationType": reference("NotificationType"), "data": {} } },
                "Event": { "properties": { "id": {} } },
                "NotificationType": { "enum": ["a", "b"] },
            } } }),
        )?;
        assert_eq!(hits, 2);
        assert_eq!((&document[EVENTS][0]["data"], &document[EVENTS][1]["data"]), (&json!("A"), &json!("BData")));
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["A"]["properties"]["event"], reference("EventSchema"));
        assert_eq!(schemas["EventSchema"], json!({ "properties": { "id": {} } }));
        Ok(())
    }

    #[test]
    fn two_bodies_of_one_type_are_an_error() {
        let document = json!({ "components": { "schemas": {
            "A": body("a", json!({ "$ref": "#/components/schemas/X" })),
            "B": body("a", json!({ "$ref": "#/components/schemas/X" })),
        } } });
        let error = run_document(split_events, document).expect_err("twice");
        assert_eq!(error.to_string(), "two schemas are the body of `a`, of which one is `B`");
    }
}
