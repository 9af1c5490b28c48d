//! Tests the verdicts of `cargo xtask diff`: the current types decode payloads of the changed contract, and the changed
//! contract validates values of these types.
//!
//! `tests/changes.json` has the changes and the expected verdicts. A test of `xtask` compares the output of `diff` with
//! them.

use ampersand_types::RawJson;
use ampersand_types::notifications::{Event, NotificationType};
use jsonschema::{Draft, Validator};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::properties::for_payloads;
use test_support::contract::contract;
use test_support::edited::edited;
use tests::generated::round_trip;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    change: String,
    document: String,
    schema: String,
    /// The value at each JSON pointer in the changed contract; null removes it.
    edit: Map<String, Value>,
    /// A payload that the changed contract allows.
    received: Value,
    /// A value that the old types can express; `None` if there is no old type.
    sent: Option<Value>,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    inbound: Verdict,
    inbound_closed: Verdict,
    outbound: Verdict,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    #[default]
    Compatible,
    Warning,
    Breaking,
}

impl Row {
    /// The worst verdict on one of the changes.
    fn worst(&self, of: fn(&Change) -> Verdict) -> Verdict {
        self.changes.iter().map(of).max().unwrap_or_default()
    }

    /// Decodes a payload with the types of the current contract, and encodes it again.
    fn decode(&self, payload: &Value) -> Result<String, String> {
        if !self.schema.ends_with("NotificationPayload") {
            return round_trip(&self.document, &self.schema, &payload.to_string()).map_err(|error| error.to_string());
        }
        let data = RawJson::encode(&payload["data"]).unwrap();
        let notification_type = NotificationType::from(payload["notificationType"].as_str().unwrap());
        let event = Event::parse(&notification_type, &data).map_err(|error| error.to_string())?;
        let data: Value = serde_json::to_value(&event).unwrap();
        Ok(json!({ "notificationType": notification_type, "data": data }).to_string())
    }
}

/// A validator that refuses everything that the contract refuses.
fn strict(contract: &Value, schema: &str) -> Option<Validator> {
    fn nullable(schema: &mut Value) {
        if schema["nullable"] == true {
            schema["type"] = json!([schema["type"], "null"]);
        }
        match schema {
            Value::Object(members) => members.values_mut().for_each(nullable),
            Value::Array(items) => items.iter_mut().for_each(nullable),
            _ => {}
        }
    }
    contract["components"]["schemas"].get(schema)?;
    let mut schema = json!({ "$ref": format!("#/components/schemas/{schema}"), "components": contract["components"] });
    nullable(&mut schema);
    Some(jsonschema::options().with_draft(Draft::Draft4).build(&schema).unwrap())
}

#[test]
fn changes_break_whom_they_are_said_to_break_and_nobody_else() {
    const CASES: u32 = 64;
    let path = format!("{}/changes.json", env!("CARGO_MANIFEST_DIR"));
    let rows: Vec<Row> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for row in &rows {
        let old = contract(&row.document);
        let new = edited(old.clone(), &row.edit);
        let (was, is) = (strict(&old, &row.schema), strict(&new, &row.schema).unwrap());
        let name = &row.change;
        let (inbound, outbound) = (row.worst(|change| change.inbound), row.worst(|change| change.outbound));

        // The receiver's side.
        assert!(is.is_valid(&row.received), "{name}: the changed contract refuses what is received");
        let decoded = row.decode(&row.received);
        assert_eq!(decoded.is_err(), inbound == Verdict::Breaking, "{name}: {decoded:?}");
        if inbound != Verdict::Breaking {
            for_payloads(&new, &row.schema, CASES, |payload| row.decode(payload).map(drop));
        }
        if row.worst(|change| change.inbound_closed) > inbound {
            assert!(!was.as_ref().is_some_and(|was| was.is_valid(&row.received)), "{name}: it is not new");
        }

        // The sender's side.
        let Some(sent) = &row.sent else { continue };
        assert!(was.is_some_and(|was| was.is_valid(sent)), "{name}: the contract refuses what is sent");
        let encoded: Value = serde_json::from_str(&row.decode(sent).unwrap()).unwrap();
        assert_eq!(encoded, *sent, "{name}: the types cannot say it");
        assert_eq!(!is.is_valid(sent), outbound == Verdict::Breaking, "{name}");
        if outbound == Verdict::Compatible {
            for_payloads(&old, &row.schema, CASES, |payload| {
                let encoded: Value = serde_json::from_str(&row.decode(payload)?).map_err(|error| error.to_string())?;
                is.validate(&encoded).map_err(|error| error.to_string())
            });
        }
    }
}
