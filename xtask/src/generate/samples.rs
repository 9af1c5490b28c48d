use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use heck::{ToKebabCase as _, ToLowerCamelCase as _, ToSnakeCase as _};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};
use syn::LitStr;

use super::ty::path_of;
use crate::model::{Document, Kind, Node, Others, Rust, Schema, names};
use crate::project;

/// Returns samples of received values, as templates: `{projectId}` is a value made from a seed, and `{Connection}`
/// another template.
///
/// `shared` has the paths of types in another crate, and `None` for a schema without a type.
pub(super) fn samples(
    document: &Document,
    received: &BTreeSet<String>,
    shared: &BTreeMap<String, Option<String>>,
    (path, facts): (&str, &project::Samples),
) -> Result<TokenStream> {
    let samples = Samples { document, facts };
    let (mut responses, mut parts) = (TokenStream::new(), TokenStream::new());
    for name in document.reachable(received.iter().map(String::as_str)) {
        let schema = document.schemas.get(name).with_context(|| format!("there is no `{name}`"))?;
        let object = samples.object(name, schema).to_string();
        let mark = if object.contains("\"#") { "##" } else { "#" };
        let template: LitStr = syn::parse_str(&format!("r{mark}\"{object}\"{mark}"))?;
        let (ident, function) =
            (format_ident!("{}", names::pascal(name)), format_ident!("{}", names::fit(names::snake(name), "_", "")));
        let path = match shared.get(name) {
            Some(Some(path)) => path.clone(),
            Some(None) => {
                parts.extend(quote! { #ident #template, });
                continue;
            }
            None => format!("{path}::{ident}"),
        };
        let path = path_of(&path);
        responses.extend(quote! { #function #ident (#path) #template, });
    }
    Ok(quote! {
        crate::api::responses!(RESPONSES { #responses });
        crate::api::parts!(PARTS { #parts });
    })
}

struct Samples<'a> {
    document: &'a Document,
    facts: &'a project::Samples,
}

impl Samples<'_> {
    /// Returns a template with every field of an object, except those that would contain it again, and those that only
    /// later alternatives have or require.
    fn object(&self, name: &str, schema: &Schema) -> Value {
        let object = schema.object();
        let is_of_others = |field: &str| object.is_some_and(|object| object.of_other_alternatives.contains(field));
        let fields = schema.fields().filter(|(field, of)| !self.leads_to(&of.schema, name) && !is_of_others(field));
        fields.map(|(field, of)| (field.clone(), self.value(name, field, &of.schema))).collect::<Map<_, _>>().into()
    }

    fn leads_to(&self, schema: &Schema, name: &str) -> bool {
        self.document.reachable(schema.references()).contains(name)
    }

    fn value(&self, holder: &str, field: &str, schema: &Node) -> Value {
        let known = |name: &str| self.facts.values.get(name).map(String::as_str);
        let known = known(&format!("{holder}.{field}")).or_else(|| known(field));
        if let Some(Rust::Type(_)) = schema.becomes {
            let values = schema.texts();
            return values.iter().find(|value| known == Some(value)).or(values.first()).copied().into();
        }
        match &schema.kind {
            Kind::Reference(name, _) => format!("{{{}}}", names::pascal(name)).into(),
            Kind::Text => known.map_or_else(|| self.text(holder, field, schema), str::to_owned).into(),
            Kind::Integer | Kind::Number => {
                let known = known.and_then(|known| known.parse().ok());
                let least = schema.facet("minimum").and_then(Value::as_i64).unwrap_or_default();
                known.unwrap_or_else(|| least.max(1)).into()
            }
            Kind::Boolean => (!self.facts.off.iter().any(|off| off == field)).into(),
            Kind::List(Some(items)) => json!([self.value(holder, field, items)]),
            Kind::List(None) => json!([]),
            Kind::Object(object) => match &object.others {
                Others::Of(values) => {
                    let key = if field.ends_with("bjects") { "{objectName}" } else { "name" };
                    json!({ key: self.value(holder, field, values) })
                }
                Others::Any | Others::None => json!({ "name": "{groupName}" }),
            },
            Kind::Choice(_) | Kind::Any => "{groupName}".into(),
        }
    }

    fn text(&self, holder: &str, field: &str, schema: &Schema) -> String {
        let words = field.to_snake_case();
        let last = words.rsplit('_').next().unwrap_or_default();
        let identifier = format!("{{{}}}", field.to_lower_camel_case());
        match (schema.facet("format").and_then(Value::as_str), last) {
            (Some("date-time"), _) | (_, "time" | "timestamp") => "{timestamp}".to_owned(),
            (Some("uri"), _) | (_, "url") => {
                let page = words.trim_end_matches("url").trim_end_matches('_').to_kebab_case();
                format!("https://{{groupRef}}.example/{page}")
            }
            (Some("email"), _) | (_, "email") => "{consumerRef}@{groupRef}.example".to_owned(),
            (Some("pem"), _) => "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n".to_owned(),
            _ if words == "id" => format!("{{{}Id}}", holder.to_lower_camel_case()),
            (Some("uuid"), _) => identifier,
            _ if self.facts.identifiers.iter().any(|word| word == last) => identifier,
            _ if ["groupName", "consumerName", "provider", "objectName"].contains(&field) => identifier,
            _ if words == "name" => holder.to_lower_camel_case(),
            _ => words.replace('_', " "),
        }
    }
}
