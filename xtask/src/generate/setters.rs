use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use heck::ToLowerCamelCase as _;
use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::{File, Item, ItemStruct, Type};

use super::arguments::{Argument, argument};
use super::fields;
use crate::{document, lower};

/// What an overlay says of a schema whose required fields have a better order than that of the alphabet.
const ORDER: &str = "x-order";

/// Adds to the items how the structs that a caller sends are made: a function that takes what is required, a method for each
/// field that may be absent, and `Default` where nothing is required.
///
/// What is only received has no `Default`: it would lose it with the first required field that the contract gains.
pub(super) fn with_setters(
    items: TokenStream,
    document: &Value,
    sent: impl Fn(&str) -> bool,
    stale: &mut Vec<String>,
) -> Result<TokenStream> {
    let mut file: File = syn::parse2(items)?;
    let orders: BTreeMap<String, Vec<String>> = document::schemas(document)
        .filter_map(|(name, schema)| {
            Some((lower::pascal(name), serde_json::from_value(schema.get(ORDER)?.clone()).ok()?))
        })
        .collect();
    let mut setters = TokenStream::new();
    for item in &mut file.items {
        let Item::Struct(item) = item else { continue };
        let name = item.ident.to_string();
        if sent(&name) {
            let order = orders.get(&name).map(Vec::as_slice).unwrap_or_default();
            setters.extend(of_struct(item, order, stale).with_context(|| name)?);
        }
    }
    Ok(quote! { #file #setters })
}

fn of_struct(item: &mut ItemStruct, order: &[String], stale: &mut Vec<String>) -> Result<TokenStream> {
    let name = item.ident.clone();
    let (mut arguments, mut values, mut setters) = (Vec::new(), TokenStream::new(), TokenStream::new());
    for field in &item.fields {
        let ident = field.ident.as_ref().context("a field without a name")?;
        let (optional, inner) = match fields::outer(&field.ty) {
            _ if ident == fields::OTHERS => (true, None),
            (outer, Some(inner)) if outer == "Option" => (true, Some(inner)),
            (outer, _) if outer == "Items" => (true, Some(&field.ty)),
            _ => (false, None),
        };
        if !optional {
            let Argument { ty, value } = argument(ident, &field.ty);
            arguments.push((ident.to_string(), quote! { #ident: #ty }));
            values.extend(quote! { #ident: #value, });
            continue;
        }
        values.extend(quote! { #ident: ::core::default::Default::default(), });
        let Some(inner) = inner else { continue };
        let docs = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
        let Argument { ty, value } = argument(ident, inner);
        let value = if is_option(&field.ty) { quote!(::core::option::Option::Some(#value)) } else { value };
        setters.extend(quote! {
            #(#docs)*
            pub fn #ident(mut self, #ident: #ty) -> Self {
                self.#ident = #value;
                self
            }
        });
    }
    for unknown in order.iter().filter(|wanted| !arguments.iter().any(|(ident, _)| is_named(ident, wanted))) {
        stale
            .push(format!("openapi/overlays: `{ORDER}` of {name} names `{unknown}`, which is no required field of it"));
    }
    arguments.sort_by_key(|(ident, _)| order.iter().position(|wanted| is_named(ident, wanted)).unwrap_or(usize::MAX));
    let arguments = arguments.iter().map(|(_, argument)| argument);
    let (doc, made) = if arguments.len() > 0 {
        let doc = "With what is required. Each field that may be absent has a method of its name, which sets it.";
        (doc, quote!(Self { #values }))
    } else {
        fields::derive_default(item);
        let doc = "With nothing in it, as nothing is required. Each field has a method of its name, which sets it.";
        (doc, quote!(<Self as ::core::default::Default>::default()))
    };
    Ok(quote! {
        impl #name {
            #[doc = #doc]
            pub fn new(#(#arguments),*) -> Self {
                #made
            }

            #setters
        }
    })
}

/// Whether a field has this name in the contract.
fn is_named(field: &str, name: &str) -> bool {
    field.to_lower_camel_case() == name.to_lower_camel_case()
}

fn is_option(ty: &Type) -> bool {
    fields::outer(ty).0 == "Option"
}
