//! Shows a payload as a tree, with the contract's description of each field.

use std::collections::BTreeMap;

use ampersand_notifications::Delivery;
use ampersand_types::__private::kind as type_of;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::contract::{self, Field, Schema, flowed};
use crate::drift::{self, Contract, members};

/// A value, with its name in an object.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Node {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// The JSON type.
    kind: &'static str,
    /// The JSON text of a value that is not an object or a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Node>,
    /// The type in the words of the contract.
    #[serde(skip_serializing_if = "String::is_empty")]
    words: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    /// The meaning of an enum's value.
    #[serde(skip_serializing_if = "str::is_empty")]
    meaning: &'static str,
    /// The kind of finding, if the contract does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<&'static str>,
}

/// The parts of a delivery that the contract lacks: by their place in the payload, and outside of it in words.
#[derive(Default)]
struct New {
    inside: BTreeMap<Vec<usize>, &'static str>,
    outside: Vec<String>,
}

/// Returns the tree of a payload, and what is new outside of it.
pub(super) fn tree(contract: &Contract, delivery: &Delivery, data: &str) -> (Node, Vec<String>) {
    let mut new = New::default();
    contract.walk(delivery, data, &mut |found: drift::Found<'_>| match found.place {
        [] => new.outside.push(format!("{} {}", found.kind.words(), found.path)),
        place => drop(new.inside.insert(place.to_vec(), found.kind.words())),
    });
    let schema = match delivery {
        Delivery::Notification(_) => body(delivery).and_then(|body| body.within("data")),
        Delivery::Records(_) => body(delivery),
    };
    (node(data, schema, &mut Vec::new(), &new), new.outside)
}

/// Returns the contract's description of a delivery.
pub(super) fn about(delivery: &Delivery) -> String {
    body(delivery).map(|body| flowed(body.description())).unwrap_or_default()
}

/// Returns the schema of a delivery's webhook body.
fn body(delivery: &Delivery) -> Option<Schema> {
    match delivery {
        Delivery::Notification(notification) => {
            let event = notification.notification_type.as_str();
            contract::events().find(|(name, _)| *name == event).map(|(_, body)| body)
        }
        Delivery::Records(_) => type_named("WebhookMessage"),
    }
}

fn type_named(name: &str) -> Option<Schema> {
    contract::types().find(|(known, ..)| *known == name).map(|(_, _, schema)| schema)
}

/// The deepest level that is shown as a tree; below it, a value is its text. Nobody looks there, and the stack ends.
const DEEPEST: usize = 100;

fn node(text: &str, schema: Option<Schema>, place: &mut Vec<usize>, new: &New) -> Node {
    let kind = type_of(text);
    let node = Node { kind, new: new.inside.get(place).copied(), ..Node::default() };
    match kind {
        "object" | "array" if place.len() >= DEEPEST => Node { value: Some(text.to_owned()), ..node },
        "object" => {
            let fields = schema.map(Schema::fields).unwrap_or_default();
            let children = members(text).enumerate().map(|(position, (name, value))| {
                let field = fields.iter().find(|field| field.name == name);
                let within = field.map(|field| field.schema).or_else(|| schema.and_then(Schema::map_values));
                let within = if is_configuration(&name, within) { type_named("ConfigContent") } else { within };
                place.push(position);
                let child = self::node(value, within, place, new);
                place.pop();
                described(Node { name: name.into_owned(), ..child }, field)
            });
            Node { children: children.collect(), ..node }
        }
        "array" => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            let children = items.iter().enumerate().map(|(position, item)| {
                place.push(position);
                let child = self::node(item.get(), schema.and_then(Schema::items), place, new);
                place.pop();
                child
            });
            Node { children: children.collect(), ..node }
        }
        _ => {
            let decoded: Option<String> = serde_json::from_str(text).ok();
            let values = schema.map(Schema::values).unwrap_or_default();
            let meaning = values.into_iter().find(|(value, _)| Some(*value) == decoded.as_deref());
            Node { value: Some(text.to_owned()), meaning: meaning.map_or("", |(_, meaning)| meaning), ..node }
        }
    }
}

/// Returns whether a field is a configuration, for which the contract of notifications allows any object.
fn is_configuration(name: &str, schema: Option<Schema>) -> bool {
    ["config", "lastConfig"].contains(&name) && schema.is_some_and(|schema| schema.fields().is_empty())
}

fn described(node: Node, field: Option<&Field>) -> Node {
    let Some(field) = field else { return node };
    let deprecated = if field.schema.is("deprecated") { ", deprecated" } else { "" };
    Node { words: format!("{}{deprecated}", field.schema.in_words()), description: flowed(field.description), ..node }
}

#[cfg(test)]
mod tests {
    use ampersand_notifications::from_webhook;
    use ampersand_testing::{Envelope, Fixture};
    use serde_json::{Value, json};

    use super::*;

    fn lines(node: &Node, depth: usize, lines: &mut Vec<String>) {
        let text = node.value.as_deref().unwrap_or(node.kind);
        let new = node.new.map(|new| format!("  <- {new}")).unwrap_or_default();
        let words = if node.words.is_empty() { String::new() } else { format!("  ({})", node.words) };
        lines.push(format!("{:1$}{2}: {text}{words}{new}", "", 2 * depth, node.name));
        node.children.iter().for_each(|child| self::lines(child, depth + 1, lines));
    }

    #[test]
    fn nesting_of_any_depth_is_no_danger() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
            let body = format!(r#"{{"notificationType": "x.new", "data": {deep}}}"#);
            let delivery = from_webhook(body).unwrap();
            let (node, _) = tree(&Contract::known(), &delivery, delivery.raw().data());
            let deepest = std::iter::successors(Some(&node), |node| node.children.first()).last().unwrap();
            assert_eq!(deepest.value.as_deref().map(str::len), Some(deep.len() - DEEPEST * (open.len() + close.len())));
        }
    }

    #[test]
    fn what_the_contract_has_not_is_marked_where_it_stands() {
        let fixture = Fixture::new("installation.updated").set("retired", json!({ "a": 1 }));
        let fixture = fixture.set("config", json!({ "read": { "objects": { "account": { "novel": [1.5, {}] } } } }));
        let mut body: Value = serde_json::from_slice(&fixture.send(Envelope::Webhook).body).unwrap();
        body["extra"] = json!(1);
        let delivery = from_webhook(body.to_string()).unwrap();
        let (node, outside) = tree(&Contract::known(), &delivery, delivery.raw().data());
        let mut shown = vec![];
        lines(&node, 0, &mut shown);
        insta::assert_snapshot!(shown.join("\n"), @r#"
        : object
          config: object  (object)
            read: object  (ReadConfig)
              objects: object  (map of ReadConfigObject)
                account: object
                  novel: array  <- new field
                    : 1.5
                    : object
          connectionId: "f961f595-6500-45b2-ac90-f779fc0e6c29"  (string)
          consumerName: "Hank Scorpio"  (string)
          consumerRef: "usr_1207"  (string)
          groupName: "Globex"  (string)
          groupRef: "globex"  (string)
          installationId: "98c87317-baad-4b4a-adb9-95740f3b6beb"  (string)
          integrationId: "731e87ef-9105-4152-bd04-dec0de3ba70c"  (string)
          integrationName: "zendeskSupportSync"  (string)
          lastConfig: object  (object)
            provider: "zendeskSupport"  (string)
            read: object  (ReadConfig)
              objects: object  (map of ReadConfigObject)
                tickets: object
                  destination: "crmEvents"  (string)
                  objectName: "tickets"  (string)
                  schedule: "*/30 * * * *"  (string)
                  selectedFieldMappings: object  (map of string)
                  selectedFields: object  (map of boolean)
                    id: true
                    name: true
          projectId: "01d68c52-4547-42ab-afbc-01a2c22525b7"  (string)
          provider: "zendeskSupport"  (string)
          retired: object  <- new field
            a: 1
        "#);
        assert_eq!(outside, ["in envelope $.extra"]);
    }

    #[test]
    fn every_field_of_every_fixture_is_described() {
        let contract = Contract::known();
        for fixture in Fixture::all().chain([Fixture::records(), Fixture::changes()]) {
            let delivery = fixture.delivery(Envelope::Webhook).unwrap();
            let (node, outside) = tree(&contract, &delivery, delivery.raw().data());
            assert_eq!((outside.len(), node.new), (0, None));
            for child in node.children {
                assert!(!child.words.is_empty() && !child.description.is_empty(), "{} {}", fixture.name(), child.name);
            }
        }
    }
}
