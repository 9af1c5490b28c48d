use anyhow::Result;
use serde_json::{Value, json};

use super::{BESIDE, Context, become_rust_type, direction, for_each_schema, for_each_schema_of, is_map, is_rust_type};

/// Makes `Items<Vec<_>>` and `Items<BTreeMap<_, _>>` of lists and maps, whether the contract requires them or not.
///
/// The senders are written in Go, whose nil maps and lists are `null` or absent. typify refuses `null`, and drops
/// what is empty when it encodes. In what is only ever sent, what is required stays as it is.
pub(super) fn optional_collections(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    let mut wrap = |schema: &mut Value| {
        if schema["type"] == "array" || schema.get("items").is_some() || is_map(schema) {
            let mut collection = schema.clone();
            collection["type"] = json!(if is_map(schema) { "object" } else { "array" });
            if let Some(members) = collection.as_object_mut() {
                members.retain(|key, _| !BESIDE.contains(&key.as_str()));
            }
            become_rust_type(schema, "Items", &[collection]);
            hits += 1;
        }
    };
    let only_sent = direction::only_sent(document);
    for_each_schema_of(document, |holder| !holder.is_only_sent(&only_sent), &mut wrap);
    for_each_schema_of(document, |holder| holder.is_only_sent(&only_sent), &mut |schema| {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            if !required.contains(&json!(name)) {
                wrap(property);
            }
        }
    });
    // An `Items` is its own option, which typify adds to what is not required.
    for_each_schema(document, &mut |schema| {
        let properties = schema["properties"].as_object();
        let fields = properties.into_iter().flatten().filter(|(_, property)| is_rust_type(property, "Items"));
        let fields: Vec<Value> = fields.map(|(name, _)| json!(name)).collect();
        if let (Some(members), false) = (schema.as_object_mut(), fields.is_empty()) {
            let required = members.entry("required").or_insert_with(|| json!([]));
            if let Some(required) = required.as_array_mut() {
                required.extend(fields.into_iter().filter(|field| !required.contains(field)).collect::<Vec<_>>());
            }
        }
    });
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::OPERATIONS;
    use crate::lower::testing::{run, run_document};

    #[test]
    fn lists_and_maps_may_be_absent_null_or_empty() {
        let (schemas, hits) = run(
            optional_collections,
            json!({ "A": { "required": ["id", "map"], "properties": {
            "id": { "type": "string" },
            "list": { "description": "kept", "type": "array", "items": { "type": "string" } },
            "map": { "additionalProperties": { "type": "array", "items": { "type": "string" } } },
        } } }),
        );
        assert_eq!(schemas["A"]["required"], json!(["id", "map", "list"]));
        let list = &schemas["A"]["properties"]["list"];
        assert_eq!(list["description"], "kept");
        assert_eq!(list["x-rust-type"]["path"], "ampersand_types::Items");
        assert_eq!(list["x-rust-type"]["parameters"], json!([{ "type": "array", "items": { "type": "string" } }]));
        let map = &schemas["A"]["properties"]["map"]["x-rust-type"]["parameters"][0];
        assert!(is_rust_type(&map["additionalProperties"], "Items"), "{map}");
        assert_eq!(hits, 3);
    }
    #[test]
    fn what_is_only_sent_and_required_is_a_plain_list() -> Result<()> {
        let list = json!({ "type": "array", "items": { "type": "string" } });
        let schema = json!({ "required": ["a"], "properties": { "a": list, "b": list } });
        let (document, hits) = run_document(
            optional_collections,
            json!({
                OPERATIONS: [{
                    "body": { "schema": { "$ref": "#/components/schemas/Sent" } }, "response": { "json": list },
                }],
                "components": { "schemas": { "Sent": schema } },
            }),
        )?;
        let properties = &document["components"]["schemas"]["Sent"]["properties"];
        assert!(!is_rust_type(&properties["a"], "Items") && is_rust_type(&properties["b"], "Items"));
        assert!(is_rust_type(&document[OPERATIONS][0]["response"]["json"], "Items"));
        assert_eq!(hits, 2);
        Ok(())
    }
}
