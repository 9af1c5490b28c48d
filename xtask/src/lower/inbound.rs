use anyhow::Result;
use serde_json::Value;

use super::{Context, DEFAULT, for_each_schema, is_struct};
use crate::document::BOUNDS;

/// Drops everything by which the generated types would refuse what is sent.
///
/// typify makes `NonZeroU64` of `minimum: 1`, a validated newtype of `maxLength` and `pattern`, a tuple of an array of
/// fixed length, `deny_unknown_fields` of `additionalProperties: false`, and a narrow integer of `format: int32`. The
/// sender may be ahead of the contract; what arrives has to be read.
pub(super) fn drop_validation(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    for_each_schema(document, &mut |schema| {
        let fields_are_named = is_struct(schema);
        let Some(members) = schema.as_object_mut() else { return };
        let text = members.get("type").is_none_or(|kind| kind == "string");
        let before = members.len();
        members.retain(|key, value| match key.as_str() {
            "format" => text && value == "date-time",
            "enum" => {
                text && value.as_array().is_some_and(|values| values.iter().all(|v| v.is_string() || v.is_null()))
            }
            "additionalProperties" => !fields_are_named && *value != Value::Bool(false),
            key => !BOUNDS.contains(&key),
        });
        hits += before - members.len();
    });
    Ok(hits)
}

/// Sets defaults aside, for accessors to tell. typify puts them in where a field is absent, so that what is encoded is not
/// what was decoded.
pub(super) fn set_defaults_aside(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    for_each_schema(document, &mut |schema| {
        if let Some((members, default)) = schema.as_object_mut().and_then(|m| m.remove("default").map(|d| (m, d))) {
            members.insert(DEFAULT.to_owned(), default);
            hits += 1;
        }
    });
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing::run;
    use serde_json::json;

    #[test]
    fn nothing_that_refuses_is_left() {
        let (schemas, hits) = run(
            drop_validation,
            json!({ "A": { "additionalProperties": false, "properties": {
            "pattern": { "type": "string", "pattern": "a+", "minLength": 1, "format": "email" },
            "count": { "type": "integer", "minimum": 1, "format": "int32", "enum": [1, 2] },
            "when": { "type": "string", "format": "date-time" },
            "map": { "type": "object", "additionalProperties": { "type": "string", "maxLength": 3 } },
        } } }),
        );
        assert_eq!(
            schemas,
            json!({ "A": { "properties": {
            "pattern": { "type": "string" },
            "count": { "type": "integer" },
            "when": { "type": "string", "format": "date-time" },
            "map": { "type": "object", "additionalProperties": { "type": "string" } },
        } } })
        );
        assert_eq!(hits, 8);
    }

    #[test]
    fn defaults_are_set_aside_and_a_property_of_that_name_stays() {
        let (schemas, hits) = run(
            set_defaults_aside,
            json!({ "A": { "properties": { "default": { "type": "boolean", "default": false } } } }),
        );
        let expected = json!({ "A": { "properties": { "default": { "type": "boolean", DEFAULT: false } } } });
        assert_eq!(schemas, expected);
        assert_eq!(hits, 1);
    }
}
