use std::collections::BTreeMap;
use std::panic;

use anyhow::{Context as _, Result, bail};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::{Value, json};
use syn::{File, Item};
use typify::{TypeSpace, TypeSpaceSettings, UnknownPolicy};
use typify_schemars::schema::Schema;

use super::{Docs, accessors, fields};
use crate::document;
use crate::lower::{self, is_rust_type};

/// The structs of a lowered document, by typify.
pub(super) fn structs(document: &Value, docs: &mut Docs<'_>) -> Result<TokenStream> {
    let mut schemas = BTreeMap::new();
    for (name, schema) in document::schemas(document) {
        let mut schema = schema.clone();
        describe(&mut schema, name, docs);
        json_schema(&mut schema);
        let schema: Schema = serde_json::from_value(schema).with_context(|| format!("schema `{name}`"))?;
        schemas.insert(name.clone(), schema);
    }
    let mut settings = TypeSpaceSettings::default();
    settings
        .with_map_type("::std::collections::BTreeMap")
        .with_derive("PartialEq".to_owned())
        .with_attr(r#"#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]"#.to_owned())
        .with_unknown_crates(UnknownPolicy::Allow);
    let mut file: File = syn::parse2(typify(schemas, &settings)?).context("typify's output is not Rust")?;
    file.items.retain(|item| !matches!(item, Item::Mod(_))); // Its error type, which nothing here returns.
    let mut impls = TokenStream::new();
    for item in &mut file.items {
        if let Item::Struct(item) = item {
            fields::tell_apart(item);
            impls.extend(accessors::accessors(item, document));
            impls.extend(fields::finish(item));
        }
    }
    Ok(quote! { #file #impls })
}

/// What typify makes of a schema, and of those that it refers to, as they are published: what the benchmark compares
/// with.
pub(super) fn plain(document: &Value, name: &str) -> Result<TokenStream> {
    let published = &document["components"]["schemas"];
    let (mut schemas, mut next) = (BTreeMap::new(), vec![name.to_owned()]);
    while let Some(name) = next.pop() {
        let schema = &published[&name];
        document::for_each_ref(schema, &mut |_, target| {
            next.extend(document::schema_name(target).filter(|name| !schemas.contains_key(*name)).map(str::to_owned));
            Ok(())
        })?;
        schemas.insert(name, serde_json::from_value(schema.clone())?);
    }
    typify(schemas, &TypeSpaceSettings::default())
}

fn typify(schemas: BTreeMap<String, Schema>, settings: &TypeSpaceSettings) -> Result<TokenStream> {
    quietly("typify", || {
        let mut types = TypeSpace::new(settings);
        types.add_ref_types(schemas)?;
        Ok::<_, typify::Error>(types.to_stream())
    })
}

/// Runs a generator that panics on constructs that it has not seen; what it says then is the best message there is.
pub(super) fn quietly<E>(name: &'static str, run: impl FnOnce() -> Result<TokenStream, E>) -> Result<TokenStream>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(panic::AssertUnwindSafe(run));
    panic::set_hook(hook);
    match result {
        Ok(tokens) => tokens.context(name),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            bail!("{name} gave up: {}", text.unwrap_or("without a word"))
        }
    }
}

/// The type of a lowered schema that has no name of its own.
pub(super) fn rust(schema: &Value) -> Result<TokenStream> {
    if let Some(name) = schema["$ref"].as_str().and_then(document::schema_name) {
        let ident = format_ident!("{}", lower::pascal(name));
        return Ok(quote!(types::#ident));
    }
    if let Some(path) = schema["x-rust-type"]["path"].as_str() {
        let path: syn::Path = syn::parse_str(&format!("::{path}"))?;
        let parameters: Vec<TokenStream> =
            schema["x-rust-type"]["parameters"].as_array().into_iter().flatten().map(rust).collect::<Result<_>>()?;
        return Ok(if parameters.is_empty() { quote!(#path) } else { quote!(#path<#(#parameters),*>) });
    }
    Ok(match schema["type"].as_str() {
        Some("string") => quote!(::std::string::String),
        Some("boolean") => quote!(bool),
        Some("integer") => quote!(i64),
        Some("array") => {
            let item = rust(&schema["items"])?;
            quote!(::std::vec::Vec<#item>)
        }
        Some("object") => {
            let value = rust(&schema["additionalProperties"])?;
            quote!(::std::collections::BTreeMap<::std::string::String, #value>)
        }
        _ => bail!("no type for {schema}"),
    })
}

/// Gives a schema and its fields the words that they will have in Rust.
fn describe(schema: &mut Value, name: &str, docs: &mut Docs<'_>) {
    let name = lower::pascal(name);
    schema["description"] = docs.of(&name, schema["description"].as_str()).into();
    for (field, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let mut words = docs.of(&format!("{name}::{field}"), property["description"].as_str());
        if property["deprecated"] == true {
            words.push_str("\n\nDeprecated by the contract.");
        }
        property["description"] = words.into();
    }
}

/// From the dialect of OpenAPI 3.0 to that of JSON Schema, as far as the passes leave a difference.
fn json_schema(schema: &mut Value) {
    let required: Vec<String> = strings(&schema["required"]);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties.iter_mut() {
            // What is not required is an `Option` anyway, and keeps a `null` among the other fields.
            let nullable = is_nullable(property) && required.contains(name);
            json_schema(property);
            if nullable {
                *property = or_null(property);
            }
        }
        let present: Vec<Value> =
            required.into_iter().filter(|name| properties.contains_key(name)).map(Value::from).collect();
        schema["required"] = present.into();
    }
    for inner in ["/items", "/additionalProperties", "/x-rust-type/parameters/0"] {
        if let Some(inner) = schema.pointer_mut(inner) {
            let nullable = is_nullable(inner);
            json_schema(inner);
            if nullable {
                *inner = or_null(inner);
            }
        }
    }
    if let Some(members) = schema.as_object_mut() {
        let is_reference = members.contains_key("$ref");
        members.retain(|key, _| match key.as_str() {
            "$ref" | "description" => true,
            lower::SIGNED_URL => false,
            key if lower::BESIDE.contains(&key) => false,
            _ => !is_reference, // What else stands beside a reference says nothing.
        });
    }
}

/// Whether a value may be `null` and its type does not say so.
fn is_nullable(schema: &Value) -> bool {
    schema["nullable"] == true && !is_rust_type(schema, "RawJson") && !is_rust_type(schema, "Items")
}

fn or_null(schema: &mut Value) -> Value {
    let description = schema.as_object_mut().and_then(|members| members.remove("description"));
    let mut outer = json!({ "oneOf": [schema, { "type": "null" }] });
    if let Some(description) = description {
        outer["description"] = description;
    }
    outer
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// A type of a schema of the contract.
pub(super) struct Typed {
    /// The path of the module that has it.
    pub(super) module: &'static str,
    pub(super) document: String,
    pub(super) schema: String,
}

/// For the tests: what each schema of the contract decodes and encodes to, and its JSON Schema.
pub(super) fn table(schemas: &[Typed], structs: &[(&str, String)]) -> Result<TokenStream> {
    let (mut names, mut decode, mut emit) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    for Typed { module, document, schema } in schemas {
        let (module, ident): (syn::Path, _) = (syn::parse_str(module)?, format_ident!("{}", lower::pascal(schema)));
        names.extend(quote! { (#document, #schema), });
        let ty = quote!(::#module::#ident);
        decode
            .extend(quote! { (#document, #schema) => ::serde_json::to_string(&::serde_json::from_str::<#ty>(json)?), });
        emit.extend(quote! { (#document, #schema) => ::schemars::schema_for!(#ty), });
    }
    let mut rows = TokenStream::new();
    for (module, name) in structs {
        let (path, ident): (syn::Path, _) = (syn::parse_str(module)?, format_ident!("{name}"));
        let ty = quote!(::#path::#ident);
        let json_schema = quote!(|| ::schemars::schema_for!(#ty));
        rows.extend(quote! { Struct { name: #name, json_schema: #json_schema, debug: debug::<#ty> }, });
    }
    Ok(quote! {
        pub mod calls;
        #[doc = "A struct that is generated."]
        pub struct Struct {
            pub name: &'static str,
            #[doc = "The JSON Schema that it emits."]
            pub json_schema: fn() -> ::schemars::Schema,
            #[doc = "What `Debug` shows of the struct that some JSON decodes to."]
            pub debug: fn(&str) -> ::serde_json::Result<String>,
        }

        #[doc = "Every struct that is generated, of what is received and of what is sent."]
        pub const STRUCTS: &[Struct] = &[#rows];

        fn debug<T: ::serde::de::DeserializeOwned + ::core::fmt::Debug>(json: &str) -> ::serde_json::Result<String> {
            Ok(format!("{:?}", ::serde_json::from_str::<T>(json)?))
        }

        #[doc = "Every type that is generated from a schema of the contract: the document and the schema."]
        pub const SCHEMAS: &[(&str, &str)] = &[#names];

        #[doc = "Decodes JSON as the type of a schema, and encodes it again."]
        pub fn round_trip(document: &str, schema: &str, json: &str) -> ::serde_json::Result<String> {
            match (document, schema) {
                #decode
                _ => panic!("no type is generated from {document} {schema}"),
            }
        }

        #[doc = "The JSON Schema that the type of a schema emits."]
        pub fn json_schema(document: &str, schema: &str) -> ::schemars::Schema {
            match (document, schema) {
                #emit
                _ => panic!("no type is generated from {document} {schema}"),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_null_can_hold_it() -> Result<()> {
        let rust = |path: &str| json!({ "crate": "ampersand-types", "version": "*", "path": path, "parameters": [] });
        let document = json!({ "components": { "schemas": { "A": {
            "required": ["requiredNull", "gone"],
            "properties": {
                "optionalNull": { "type": "string", "nullable": true },
                "requiredNull": { "type": "string", "nullable": true },
                "raw": { "x-rust-type": rust("ampersand_types::RawJson"), "nullable": true },
                "time": { "x-rust-type": rust("ampersand_types::Timestamp"), "nullable": true },
                "reference": { "$ref": "#/components/schemas/A", "nullable": true, "format": "stray" },
            },
        } } } });
        let mut undocumented = Vec::new();
        let tokens = structs(&document, &mut Docs::of_module("m", &mut undocumented))?;
        let text = tokens.to_string().replace(' ', "").replace(",>", ">");
        let text = text.replace("::std::option::", "").replace("::std::string::", "");
        for field in [
            "optional_null:Option<String>",
            "required_null:Option<String>",
            "raw:Option<::ampersand_types::RawJson>",
            "time:Option<::ampersand_types::Timestamp>",
            "reference:Option<::std::boxed::Box<A>>",
            "requiredrequired_null=\"requiredNull\"",
            "optionaloptional_null=\"optionalNull\"",
            "nullableraw=\"raw\"",
        ] {
            assert!(text.contains(field), "{field} is not in {text}");
        }
        assert_eq!(undocumented.len(), 6);
        Ok(())
    }
}
