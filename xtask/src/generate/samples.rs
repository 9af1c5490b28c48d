use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use heck::{ToKebabCase as _, ToLowerCamelCase as _, ToSnakeCase as _};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};
use syn::{LitStr, Path};

use super::client::TYPES_PATH;
use crate::document;
use crate::lower::{self, ENUMS, OpenEnum, RUST_TYPE};

pub(super) const FOLDER: &str = "crates/ampersand-testing/src/generated";

/// Switches that are off, as they would contradict what stands beside them.
const OFF: [&str; 2] = ["disabled", "fullHistory"];

/// Last words of the names of texts that are identifiers.
const IDENTIFIERS: [&str; 3] = ["id", "kid", "ref"];

/// Values that say more than the name of their field, by that name, or by those of the type and the field.
const KNOWN: [(&str, &str); 43] = [
    ("Connection.status", "working"),
    ("Destination.name", "crmEvents"),
    ("Destination.type", "webhook"),
    ("DestinationWithSecrets.name", "crmEvents"),
    ("DestinationWithSecrets.type", "webhook"),
    ("HydratedIntegration.name", "{provider}Sync"),
    ("Integration.name", "{provider}Sync"),
    ("ManifestIntegration.name", "{provider}Sync"),
    ("ObjectMetadata.name", "{objectName}"),
    ("Operation.status", "success"),
    ("ProviderInfo.name", "{provider}"),
    ("Topic.name", "crmEvents"),
    ("action", "create"),
    ("actionType", "read"),
    ("createdBy", "builder:{builderId}"),
    ("days", "30"),
    ("destination", "crmEvents"),
    ("detail", "the object is not part of the integration"),
    ("domain", "{groupRef}.example"),
    ("error", "the provider's rate limit was reached"),
    ("fieldName", "email"),
    ("firstName", "Priya"),
    ("fullName", "Priya Raman"),
    ("label", "production"),
    ("lastName", "Raman"),
    ("lastOperationStatus", "success"),
    ("mapToDisplayName", "Email"),
    ("mapToName", "email"),
    ("mappedObjectName", "{objectName}"),
    ("message", "the provider's rate limit was reached"),
    ("msg", "the provider's rate limit was reached"),
    ("objects", "{objectName}"),
    ("recordsEstimatedTotal", "1200"),
    ("recordsProcessed", "800"),
    ("role", "admin"),
    ("schedule", "*/30 * * * *"),
    ("scopes", "read"),
    ("severity", "info"),
    ("specVersion", "1.0.0"),
    ("status", "422"),
    ("successStatusCodes", "200"),
    ("supportPhone", "+1 555 0100"),
    ("title", "Unprocessable Content"),
];

/// Values of what is received, as templates: `{projectId}` is a value that `ampersand-testing` makes of a seed, and
/// `{Connection}` another template.
///
/// `shared` has the paths of the types that another crate has, and nothing for a schema that no type is made of.
pub(super) fn samples(
    document: &Value,
    received: &BTreeSet<String>,
    shared: &BTreeMap<String, Option<String>>,
) -> Result<TokenStream> {
    let enums: Vec<OpenEnum> = serde_json::from_value(document[ENUMS].clone())?;
    let samples = Samples { document, enums };
    let (mut responses, mut parts) = (TokenStream::new(), TokenStream::new());
    for name in lower::reachable(document, received) {
        let schema = document["components"]["schemas"].get(&name).with_context(|| format!("there is no `{name}`"))?;
        let template: LitStr = syn::parse_str(&format!("r#\"{}\"#", samples.object(&name, schema)))?;
        let (ident, function) = (format_ident!("{}", lower::pascal(&name)), format_ident!("{}", name.to_snake_case()));
        let path = match shared.get(&name) {
            Some(Some(path)) => path.clone(),
            Some(None) => {
                parts.extend(quote! { #ident #template, });
                continue;
            }
            None => format!("{TYPES_PATH}::{ident}"),
        };
        let path: Path = syn::parse_str(&format!("::{path}"))?;
        responses.extend(quote! { #function #ident (#path) #template, });
    }
    Ok(quote! {
        crate::api::responses!(RESPONSES { #responses });
        crate::api::parts!(PARTS { #parts });
    })
}

struct Samples<'a> {
    document: &'a Value,
    enums: Vec<OpenEnum>,
}

impl Samples<'_> {
    /// A template of an object that has every field, but for those that would hold it again, or that come only where
    /// others do not.
    fn object(&self, name: &str, schema: &Value) -> Value {
        let others = schema[lower::OTHERS].as_array().map_or(&[][..], Vec::as_slice);
        let properties = schema["properties"].as_object().into_iter().flatten();
        let fields = properties
            .filter(|(field, property)| !self.leads_to(property, name) && !others.iter().any(|other| other == *field));
        fields.map(|(field, property)| (field.clone(), self.value(name, field, property))).collect::<Map<_, _>>().into()
    }

    fn leads_to(&self, schema: &Value, name: &str) -> bool {
        lower::reachable(self.document, &lower::references(schema)).contains(name)
    }

    fn value(&self, holder: &str, field: &str, schema: &Value) -> Value {
        if let Some(name) = schema["$ref"].as_str().and_then(document::schema_name) {
            return format!("{{{}}}", lower::pascal(name)).into();
        }
        let known = |name: &str| KNOWN.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let known = known(&format!("{holder}.{field}")).or_else(|| known(field));
        if let Some(path) = schema[RUST_TYPE]["path"].as_str() {
            let values = self.enums.iter().find(|open| path.ends_with(&format!("::{}", open.name)));
            let values = values.map_or(&[][..], |open| &open.values);
            return values.iter().find(|value| known == Some(value)).or(values.first()).map(String::as_str).into();
        }
        match schema["type"].as_str() {
            Some("string") => known.map_or_else(|| text(holder, field, schema), str::to_owned).into(),
            Some("integer" | "number") => {
                let known = known.and_then(|known| known.parse().ok());
                known.unwrap_or_else(|| schema["minimum"].as_i64().unwrap_or_default().max(1)).into()
            }
            Some("boolean") => (!OFF.contains(&field)).into(),
            Some("array") => json!([self.value(holder, field, &schema["items"])]),
            _ if schema["additionalProperties"].is_object() => {
                let key = if field.ends_with("bjects") { "{objectName}" } else { "name" };
                json!({ key: self.value(holder, field, &schema["additionalProperties"]) })
            }
            Some("object") => json!({ "name": "{groupName}" }),
            _ => "{groupName}".into(),
        }
    }
}

fn text(holder: &str, field: &str, schema: &Value) -> String {
    let words = field.to_snake_case();
    let last = words.rsplit('_').next().unwrap_or_default();
    let identifier = format!("{{{}}}", field.to_lower_camel_case());
    match (schema["format"].as_str(), last) {
        (Some("date-time"), _) | (_, "time" | "timestamp") => "{timestamp}".to_owned(),
        (Some("uri"), _) | (_, "url") => {
            let page = words.trim_end_matches("url").trim_end_matches('_').to_kebab_case();
            format!("https://{{groupRef}}.example/{page}")
        }
        (Some("email"), _) | (_, "email") => "{consumerRef}@{groupRef}.example".to_owned(),
        (Some("pem"), _) => "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n".to_owned(),
        _ if words == "id" => format!("{{{}Id}}", holder.to_lower_camel_case()),
        (Some("uuid"), _) => identifier,
        _ if IDENTIFIERS.contains(&last) => identifier,
        _ if ["groupName", "consumerName", "provider", "objectName"].contains(&field) => identifier,
        _ if words == "name" => holder.to_lower_camel_case(),
        _ => words.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_every_field_but_those_that_would_not_end_or_exclude_others() -> Result<()> {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let text = || json!({ "type": "string" });
        let document = lower::named(json!({ "components": { "schemas": {
            "Thing": {
                "properties": {
                    "id": text(), "projectId": text(), "displayName": text(), "homeURL": text(), "mode": { "enum": ["b", "a"] },
                    "at": { "type": "string", "format": "date-time" }, "count": { "type": "integer", "minimum": 5 },
                    "part": reference("Part"), "things": { "type": "array", "items": reference("Thing") },
                    "tags": { "type": "object", "additionalProperties": { "properties": { "on": { "type": "boolean" } } } },
                },
                "oneOf": [{ "required": ["displayName"] }, { "required": ["homeURL"] }],
            },
            "Part": { "properties": { "whole": reference("Thing"), "any": reference("Any") } },
            "Any": { "properties": { "value": {} } },
        } } }))?;
        let shared = BTreeMap::from([("Part".to_owned(), Some("ours::Part".to_owned())), ("Any".to_owned(), None)]);
        let tokens = samples(&document, &["Thing", "ThingTagsValue"].map(str::to_owned).into(), &shared)?;
        let expected = quote! {
            crate::api::responses!(RESPONSES {
                part Part (::ours::Part) r#"{"any":"{Any}"}"#,
                thing Thing (::ampersand_client::types::Thing) r#"{"at":"{timestamp}","count":5,"displayName":"display name","id":"{thingId}","mode":"b","projectId":"{projectId}","tags":{"name":"{ThingTagsValue}"}}"#,
                thing_tags_value ThingTagsValue (::ampersand_client::types::ThingTagsValue) r#"{"on":true}"#,
            });
            crate::api::parts!(PARTS { Any r#"{"value":"{groupName}"}"#, });
        };
        assert_eq!(tokens.to_string(), expected.to_string());
        Ok(())
    }
}
