use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{File, Item, ItemStruct, Type};

use super::fields;
use crate::{document, lower};

/// What an overlay says of a schema that is another one, but that less of it is required: so that what was received can be
/// sent back.
const FROM: &str = "x-from";

/// The conversions that the overlays ask for, and those that these need. One that cannot be made is stale: an older contract
/// may say less of the one struct than of the other.
pub(super) fn conversions(items: &TokenStream, document: &Value, stale: &mut Vec<String>) -> Result<TokenStream> {
    let file: File = syn::parse2(items.clone())?;
    let structs: BTreeMap<String, ItemStruct> = file.items.into_iter().filter_map(named).collect();
    let asked = document::schemas(document).filter_map(|(name, schema)| Some((schema[FROM].as_str()?, name)));
    let (mut conversions, mut done) = (TokenStream::new(), BTreeSet::new());
    for (from, into) in asked.map(|(from, into)| (lower::pascal(from), lower::pascal(into))) {
        match with_needed(&(from, into), &structs, &done) {
            Ok((tokens, pairs)) => {
                conversions.extend(tokens);
                done.extend(pairs);
            }
            Err(error) => stale.push(format!("openapi/overlays: `{FROM}`: {error:#}")),
        }
    }
    Ok(conversions)
}

/// A conversion, and those that it needs and that are not there yet.
fn with_needed(
    pair: &Pair,
    structs: &BTreeMap<String, ItemStruct>,
    there: &BTreeSet<Pair>,
) -> Result<(TokenStream, BTreeSet<Pair>)> {
    let (mut conversions, mut done, mut next) = (TokenStream::new(), BTreeSet::new(), vec![pair.clone()]);
    while let Some(pair) = next.pop() {
        if there.contains(&pair) || !done.insert(pair.clone()) {
            continue;
        }
        let find = |name: &str| structs.get(name).with_context(|| format!("there is no struct `{name}`"));
        let (from, into) = (find(&pair.0)?, find(&pair.1)?);
        let tokens = conversion(from, into, &mut next).with_context(|| format!("`{}` from `{}`", pair.1, pair.0))?;
        conversions.extend(tokens);
    }
    Ok((conversions, done))
}

/// The name of a struct, and of the one that it becomes.
type Pair = (String, String);

fn named(item: Item) -> Option<(String, ItemStruct)> {
    match item {
        Item::Struct(item) => Some((item.ident.to_string(), item)),
        _ => None,
    }
}

fn conversion(from: &ItemStruct, into: &ItemStruct, needed: &mut Vec<Pair>) -> Result<TokenStream> {
    let mut values = TokenStream::new();
    let mut left: Vec<_> = from.fields.iter().collect();
    for field in &into.fields {
        let Some(place) = left.iter().position(|source| source.ident == field.ident) else {
            bail!("`{}` is not there to be converted", quote!(#field));
        };
        let (source, ident) = (left.swap_remove(place), &field.ident);
        let value = convert(quote!(value.#ident), &source.ty, &field.ty, needed)?;
        values.extend(quote! { #ident: #value, });
    }
    if let Some(field) = left.first() {
        bail!("`{}` would be lost", quote!(#field));
    }
    let (from, into) = (&from.ident, &into.ident);
    let doc = format!("The same as a `{into}`, so that it can be sent back.");
    Ok(quote! {
        #[doc = #doc]
        impl ::core::convert::From<#from> for #into {
            fn from(value: #from) -> Self {
                Self { #values }
            }
        }
    })
}

/// Types that have the same name are the same; those with different names have a conversion of their own.
fn convert(value: TokenStream, from: &Type, into: &Type, needed: &mut Vec<Pair>) -> Result<TokenStream> {
    if quote!(#from).to_string() == quote!(#into).to_string() {
        return Ok(value);
    }
    let ((outer, inner), (wanted, wanted_inner)) = (fields::outer(from), fields::outer(into));
    let item = format_ident!("item");
    Ok(match (outer.as_str(), wanted.as_str(), inner, wanted_inner) {
        ("Option", "Option", Some(inner), Some(wanted)) => {
            let inner = convert(quote!(#item), inner, wanted, needed)?;
            quote!(#value.map(|#item| #inner))
        }
        (_, "Option", _, Some(wanted)) if outer != "Option" => {
            let inner = convert(value, from, wanted, needed)?;
            quote!(::core::option::Option::Some(#inner))
        }
        ("Items", "Items", Some(inner), Some(wanted)) => {
            let inner = convert(quote!(items), inner, wanted, needed)?;
            quote!(#value.map(|items| #inner))
        }
        ("BTreeMap", "BTreeMap", ..) => {
            let (Some(from), Some(into)) = (fields::second(from), fields::second(into)) else { bail!("a map of what") };
            let inner = convert(quote!(#item), from, into, needed)?;
            quote!(#value.into_iter().map(|(key, #item)| (key, #inner)).collect())
        }
        ("Vec", "Vec", Some(inner), Some(wanted)) => {
            let inner = convert(quote!(#item), inner, wanted, needed)?;
            quote!(#value.into_iter().map(|#item| #inner).collect())
        }
        (_, _, None, None) => {
            needed.push((outer, wanted));
            quote!(::core::convert::Into::into(#value))
        }
        _ => bail!("`{}` is no `{}`", quote!(#from), quote!(#into)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn converted(from: &str, into: &str) -> Result<String> {
        let items = format!("struct A {{ {from} }} struct B {{ {into} }} struct C {{}} struct D {{}}");
        let items: TokenStream = items.parse().expect("Rust");
        let document = json!({ "components": { "schemas": { "A": {}, "B": { FROM: "A" } } } });
        let mut stale = Vec::new();
        let tokens = conversions(&items, &document, &mut stale)?;
        if let Some(fault) = stale.first() {
            bail!("{fault}");
        }
        Ok(tokens.to_string().replace(' ', ""))
    }

    #[test]
    fn every_field_has_a_place() {
        let text = converted(
            "a: i64, b: Option<C>, c: String, d: Items<BTreeMap<String, C>>",
            "a: i64, b: Option<D>, c: Option<String>, d: Items<BTreeMap<String, D>>",
        )
        .expect("a conversion");
        for value in [
            "a:value.a,",
            "b:value.b.map(|item|::core::convert::Into::into(item)),",
            "c:::core::option::Option::Some(value.c),",
            "d:value.d.map(|items|items.into_iter().map(|(key,item)|(key,::core::convert::Into::into(item))).collect()),",
        ] {
            assert!(text.contains(value), "{value} is not in {text}");
        }
        for (from, into, fault) in [
            ("a: i64, b: i64", "a: i64", "would be lost"),
            ("a: i64", "a: i64, b: i64", "is not there"),
            ("a: Option<i64>", "a: Vec<i64>", "is no `Vec"),
        ] {
            let error = format!("{:#}", converted(from, into).expect_err(fault));
            assert!(error.contains(fault), "{error}");
        }
    }
}
