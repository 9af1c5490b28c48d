use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use heck::ToPascalCase as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    BESIDE, Child, Context, become_rust_type, become_type_at, for_each_child, for_each_schema, is_struct, reference,
    refers_to, walk,
};
use crate::document;

/// Where the enums are kept in a lowered document.
pub(crate) const ENUMS: &str = "x-open-enums";

/// A string of which some values are known.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenEnum {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) values: Vec<String>,
    /// What is known of the values, by the value.
    pub(crate) descriptions: BTreeMap<String, String>,
}

/// A name as Rust writes types and variants: `installation.created` is `InstallationCreated`.
pub(crate) fn pascal(name: &str) -> String {
    name.replace(|c: char| !c.is_alphanumeric(), " ").to_pascal_case()
}

/// Gives enums and objects that stand inside another schema a name, after the schema and the field that hold them:
/// `WebhookMessageReadType`. Enums go to a list of their own, out of which open enums are made.
///
/// typify's enums are closed: one unknown value refuses the whole event. And it cannot name what stands inside a type of ours.
pub(super) fn name_inline_schemas(document: &mut Value, context: &Context<'_>) -> Result<usize> {
    let Some(schemas) = document::schemas_mut(document) else { return Ok(0) };
    let taken = schemas.keys().map(|name| pascal(name)).collect();
    let mut named = Named { path: context.path, taken, structs: Map::new(), enums: Vec::new() };
    for (name, schema) in schemas.iter_mut() {
        named.inside(schema, name);
        named.hoist_enum(schema, name);
    }
    let hits = named.structs.len() + named.enums.len();
    schemas.extend(named.structs);
    document[ENUMS] = serde_json::to_value(named.enums)?;
    inline(document, |schema| !is_struct(schema));
    Ok(hits)
}

struct Named<'a> {
    /// The path of the module.
    path: &'a str,
    /// The names that schemas have, or were given.
    taken: BTreeSet<String>,
    structs: Map<String, Value>,
    enums: Vec<OpenEnum>,
}

impl Named<'_> {
    fn inside(&mut self, schema: &mut Value, name: &str) {
        for_each_child(schema, &mut |child, schema| {
            let mut name = match child {
                Child::Property(property) => format!("{name}{}", pascal(property)),
                Child::Item => format!("{name}Item"),
                Child::MapValue => format!("{name}Value"),
                Child::Part => return,
            };
            if is_struct(schema) || schema.get("enum").is_some() {
                while !self.taken.insert(pascal(&name)) {
                    name.push_str("Inline");
                }
            }
            self.inside(schema, &name);
            self.hoist_enum(schema, &name);
            if is_struct(schema) {
                let mut outside = reference(&name);
                beside(&mut outside, schema);
                self.structs.insert(name, std::mem::replace(schema, outside));
            }
        });
    }

    fn hoist_enum(&mut self, schema: &mut Value, name: &str) {
        let Some(values) = schema["enum"].as_array() else { return };
        let name = pascal(name);
        let descriptions = schema["x-enum-descriptions"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        self.enums.push(OpenEnum {
            description: text(&schema["description"]),
            values: values.iter().filter_map(text).collect(),
            descriptions: descriptions.filter_map(|(value, words)| Some((value.clone(), text(words)?))).collect(),
            name: name.clone(),
        });
        become_type_at(schema, &format!("{}::{name}", self.path), &[]);
    }
}

/// Puts a named schema that is neither an object with fields nor an enum (a list, a map, a string, another name) in the
/// place of every reference to it.
///
/// typify makes a newtype of each, which stands between a user and the list, and hides from the passes that follow
/// what a field is and whether it may be `null`.
pub(super) fn inline_aliases(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    Ok(inline(document, |schema| !is_struct(schema) && schema.get("enum").is_none()))
}

fn inline(document: &mut Value, is_alias: fn(&Value) -> bool) -> usize {
    let mut hits = 0;
    while let Some((name, mut definition)) = take(document, is_alias) {
        // A list of itself has no type that could be written out.
        walk(&mut definition, &mut |schema| {
            if refers_to(schema, &name) {
                become_rust_type(schema, "RawJson", &[]);
            }
        });
        for_each_schema(document, &mut |schema| {
            if refers_to(schema, &name) {
                let outer = std::mem::replace(schema, definition.clone());
                beside(schema, &outer);
            }
        });
        hits += 1;
    }
    hits
}

/// Says of one schema what stands beside the type of another.
fn beside(schema: &mut Value, other: &Value) {
    for key in BESIDE {
        if let Some(value) = other.get(key) {
            schema[key] = value.clone();
        }
    }
}

fn take(document: &mut Value, is_alias: fn(&Value) -> bool) -> Option<(String, Value)> {
    let schemas = document::schemas_mut(document)?;
    let name = schemas.iter().find(|(_, schema)| is_alias(schema))?.0.clone();
    schemas.remove_entry(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing::{run, run_document};
    use serde_json::json;

    #[test]
    fn names_in_pascal_case() {
        for (name, expected) in [
            ("installation.created", "InstallationCreated"),
            ("ifEmpty", "IfEmpty"),
            ("JWTKey", "JwtKey"),
            ("selectedFieldsAuto", "SelectedFieldsAuto"),
            ("a/b c-d_e", "ABCDE"),
        ] {
            assert_eq!(pascal(name), expected);
        }
    }

    #[test]
    fn inline_enums_and_objects_get_a_name() -> Result<()> {
        let (document, hits) = run_document(
            name_inline_schemas,
            json!({ "components": { "schemas": {
            "A": { "properties": {
                "mode": { "description": "How.", "enum": ["x", "y"], "x-enum-descriptions": { "x": "Ex." } },
                "list": { "type": "array", "items": { "description": "One.", "properties": { "kind": { "enum": ["z"] } } } },
            } },
            "Root": { "enum": ["r"] },
        } } }),
        )?;
        let schemas = &document["components"]["schemas"];
        assert_eq!(
            schemas["A"]["properties"]["list"]["items"],
            json!({
                "$ref": "#/components/schemas/AListItem", "description": "One.",
            })
        );
        assert_eq!(
            schemas["AListItem"]["properties"]["kind"]["x-rust-type"]["path"],
            "ampersand_types::config::AListItemKind"
        );
        assert!(schemas.get("Root").is_none(), "it is in the list of enums");
        let enums: Vec<OpenEnum> = serde_json::from_value(document[ENUMS].clone())?;
        let names: Vec<&str> = enums.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["AListItemKind", "AMode", "Root"]);
        assert_eq!(enums[1].values, ["x", "y"]);
        assert_eq!(enums[1].descriptions, BTreeMap::from([("x".to_owned(), "Ex.".to_owned())]));
        assert_eq!(hits, 4);
        Ok(())
    }

    #[test]
    fn a_name_that_is_taken_stays_with_the_schema_that_has_it() -> Result<()> {
        let (document, _) = run_document(
            name_inline_schemas,
            json!({ "components": { "schemas": {
            "A": { "properties": { "b": { "properties": { "c": { "enum": ["x"] } } } } },
            "AB": { "properties": { "d": { "type": "string" } } },
            "ABInlineC": { "properties": { "e": { "type": "string" } } },
        } } }),
        )?;
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["A"]["properties"]["b"]["$ref"], "#/components/schemas/ABInline");
        assert_eq!(document[ENUMS][0]["name"], "AbInlineCInline");
        Ok(())
    }

    #[test]
    fn names_that_are_alike_are_told_apart() -> Result<()> {
        let document = json!({ "components": { "schemas": {
            "A": { "properties": { "b-c": { "enum": ["x"] }, "bC": { "properties": { "d": {} } } } },
        } } });
        let (document, _) = run_document(name_inline_schemas, document)?;
        assert_eq!(document[ENUMS][0]["name"], "Abc");
        assert!(document["components"]["schemas"].get("ABCInline").is_some());
        Ok(())
    }

    #[test]
    fn aliases_disappear_into_their_uses() {
        let (schemas, hits) = run(
            inline_aliases,
            json!({
                "A": { "properties": {
                    "map": { "$ref": "#/components/schemas/Maps", "description": "Of the field." },
                    "tree": { "$ref": "#/components/schemas/Tree" },
                } },
                "Map": { "description": "Of the map.", "type": "object", "additionalProperties": { "type": "string" } },
                "Maps": { "type": "array", "items": { "$ref": "#/components/schemas/Map" } },
                "Tree": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } },
            }),
        );
        assert_eq!(
            schemas,
            json!({ "A": { "properties": {
            "map": { "description": "Of the field.", "type": "array", "items": {
                "description": "Of the map.", "type": "object", "additionalProperties": { "type": "string" },
            } },
            "tree": { "type": "array", "items": { "x-rust-type": {
                "crate": "ampersand-types", "version": "*", "path": "ampersand_types::RawJson", "parameters": [],
            } } },
        } } })
        );
        assert_eq!(hits, 3);
    }
}
