use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Field, File, Item, ItemStruct, Path, Type, parse_quote};

use super::fields;

/// Builders of the structs that a caller sends, as typify makes them: each setter takes what can become the field's value,
/// and what is wrong or missing is told at the end.
///
/// typify's own would take an `Option` where a field may be absent, and know nothing of `other_fields`.
pub(super) fn builders(items: &TokenStream, sent: &BTreeSet<String>) -> Result<TokenStream> {
    let file: File = syn::parse2(items.clone())?;
    let (mut inside, mut outside) = (TokenStream::new(), TokenStream::new());
    for item in file.items {
        let Item::Struct(item) = item else { continue };
        if sent.contains(&item.ident.to_string()) {
            let (builder, conversions) = builder(&item).with_context(|| item.ident.to_string())?;
            inside.extend(builder);
            outside.extend(conversions);
        }
    }
    Ok(quote! {
        #outside

        /// Builders of what is sent.
        pub mod builder {
            #inside
        }
    })
}

fn builder(item: &ItemStruct) -> Result<(TokenStream, TokenStream)> {
    let name = &item.ident;
    let (mut members, mut initial, mut setters, mut finish, mut start) = Default::default();
    let all: [&mut TokenStream; 5] = [&mut members, &mut initial, &mut setters, &mut finish, &mut start];
    let [members, initial, setters, finish, start] = all;
    for field in &item.fields {
        let ident = field.ident.as_ref().context("a field without a name")?;
        let mut ty = field.ty.clone();
        Outside.visit_type_mut(&mut ty);
        let ty = &ty;
        if ident == fields::OTHERS {
            members.extend(quote! { #ident: #ty, });
            initial.extend(quote! { #ident: ::std::default::Default::default(), });
            finish.extend(quote! { #ident: value.#ident, });
            start.extend(quote! { #ident: value.#ident, });
            continue;
        }
        members.extend(quote! { #ident: ::core::result::Result<#ty, crate::BuildError>, });
        finish.extend(quote! { #ident: value.#ident?, });
        start.extend(quote! { #ident: ::core::result::Result::Ok(value.#ident), });
        let member = member(field);
        let (outer, inner) = fields::outer(ty);
        initial.extend(match outer.as_str() {
            "Option" | "Optional" => quote! { #ident: ::core::result::Result::Ok(::std::default::Default::default()), },
            _ => quote! { #ident: ::core::result::Result::Err(crate::BuildError::missing(#member)), },
        });
        let docs = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
        setters.extend(setter(ident, &member, (outer.as_str(), inner), ty, docs));
    }
    let doc = format!("Builds a [`{name}`](super::{name}).");
    let builder = quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, PartialEq)]
        pub struct #name { #members }

        impl ::std::default::Default for #name {
            fn default() -> Self {
                Self { #initial }
            }
        }

        impl #name {
            #setters

            /// A member that the contract does not have.
            pub fn other_field(
                mut self,
                name: impl ::core::convert::Into<::std::string::String>,
                value: impl ::core::convert::Into<::ampersand_types::RawJson>,
            ) -> Self {
                self.other_fields.insert(name.into(), value.into());
                self
            }
        }

        impl ::core::convert::TryFrom<#name> for super::#name {
            type Error = crate::BuildError;

            fn try_from(value: #name) -> ::core::result::Result<Self, crate::BuildError> {
                ::core::result::Result::Ok(Self { #finish })
            }
        }

        impl ::core::convert::From<super::#name> for #name {
            fn from(value: super::#name) -> Self {
                Self { #start }
            }
        }
    };
    let doc = format!("Starts to build a `{name}`.");
    let conversions = quote! {
        impl #name {
            #[doc = #doc]
            pub fn builder() -> builder::#name {
                ::std::default::Default::default()
            }
        }
    };
    Ok((builder, conversions))
}

fn setter<'a>(
    ident: &syn::Ident,
    member: &str,
    (outer, inner): (&str, Option<&Type>),
    ty: &Type,
    docs: impl Iterator<Item = &'a Attribute>,
) -> TokenStream {
    let collection = match (outer, inner) {
        ("Optional", Some(inner)) => Some(inner),
        ("Vec" | "BTreeMap", _) => Some(ty),
        _ => None,
    };
    let (bounds, value, convert) = match collection.map(|ty| (fields::outer(ty), ty)) {
        Some(((kind, Some(item)), _)) if kind == "Vec" => (
            quote! { V: ::core::convert::TryInto<#item, Error: ::core::fmt::Display> },
            quote! { impl ::core::iter::IntoIterator<Item = V> },
            quote! { crate::builder::list(#member, value) },
        ),
        Some(((kind, _), ty)) if kind == "BTreeMap" => match fields::second(ty) {
            Some(item) => (
                quote! { V: ::core::convert::TryInto<#item, Error: ::core::fmt::Display> },
                quote! { impl ::core::iter::IntoIterator<Item = (impl ::core::convert::Into<::std::string::String>, V)> },
                quote! { crate::builder::map(#member, value) },
            ),
            None => return TokenStream::new(),
        },
        _ => {
            let ty = if outer == "Option" { inner.unwrap_or(ty) } else { ty };
            (
                quote! { V: ::core::convert::TryInto<#ty, Error: ::core::fmt::Display> },
                quote! { V },
                quote! { crate::builder::value(#member, value) },
            )
        }
    };
    let wrap = match outer {
        "Option" => quote! { .map(::core::option::Option::Some) },
        "Optional" => quote! { .map(::core::convert::From::from) },
        _ => TokenStream::new(),
    };
    quote! {
        #(#docs)*
        pub fn #ident<V>(mut self, value: #value) -> Self
        where
            #bounds,
        {
            self.#ident = #convert #wrap;
            self
        }
    }
}

/// The name of a finished field in JSON.
fn member(field: &Field) -> String {
    fields::finished_name(field).unwrap_or_default()
}

/// Names from inside of the module `builder` the types that are outside; builders have the same names.
struct Outside;

impl VisitMut for Outside {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        if path.get_ident().is_some_and(|name| name != "bool" && name != "i64") {
            *path = parse_quote!(super::#path);
        }
    }
}
