use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Context, become_rust_type, for_each_schema, pascal, reference};
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
pub(super) fn split_events(document: &mut Value, _: &Context) -> Result<usize> {
    let Some(schemas) = document::schemas_mut(document) else { return Ok(0) };
    let bodies: Vec<String> =
        schemas.iter().filter(|(_, schema)| is_body(schema)).map(|(name, _)| name.clone()).collect();
    let mut events: BTreeMap<String, Event> = BTreeMap::new();
    for name in &bodies {
        let body = schemas.remove(name).unwrap_or_default();
        for notification_type in body["properties"]["notificationType"]["enum"].as_array().into_iter().flatten() {
            let Some(notification_type) = notification_type.as_str() else { continue };
            let data = &body["properties"]["data"];
            let data = match data["$ref"].as_str().and_then(document::schema_name) {
                Some(data) => data.to_owned(),
                None => {
                    let inline = format!("{}Data", pascal(notification_type));
                    if schemas.insert(inline.clone(), data.clone()).is_some() {
                        bail!(
                            "the data of `{notification_type}` would be named `{inline}`, which is the name of another schema"
                        );
                    }
                    inline
                }
            };
            let event = Event {
                notification_type: notification_type.to_owned(),
                data,
                description: body["description"].as_str().map(str::to_owned),
            };
            if events.insert(notification_type.to_owned(), event).is_some() {
                bail!("two schemas are the body of `{notification_type}`, of which one is `{name}`");
            }
        }
    }
    // What refers to a body is a union of them, which `Event` is, or holds a whole one.
    for_each_schema(document, &mut |schema| {
        if bodies.iter().any(|body| schema["$ref"] == reference(body)["$ref"]) {
            become_rust_type(schema, "RawJson", &[]);
        }
    });
    let found = events.len();
    if found > 0 {
        document[EVENTS] = serde_json::to_value(events.into_values().collect::<Vec<_>>())?;
    }
    Ok(found)
}

/// Known by its shape, whatever its name.
fn is_body(schema: &Value) -> bool {
    let properties = &schema["properties"];
    properties["notificationType"]["enum"].is_array() && properties.get("data").is_some()
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
    fn two_bodies_of_one_type_are_an_error() {
        let document = json!({ "components": { "schemas": {
            "A": body("a", json!({ "$ref": "#/components/schemas/X" })),
            "B": body("a", json!({ "$ref": "#/components/schemas/X" })),
        } } });
        let error = run_document(split_events, document).expect_err("twice");
        assert_eq!(error.to_string(), "two schemas are the body of `a`, of which one is `B`");
    }
}
