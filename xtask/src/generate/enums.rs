use anyhow::Result;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use super::Docs;
use super::ty::by_hand;
use crate::model::{Enum, names};

/// Returns an open enum: the known values of a string, and `Unknown`.
pub(super) fn open_enum(open: &Enum, docs: &mut Docs<'_>) -> Result<TokenStream> {
    let name: Ident = syn::parse_str(&open.name)?;
    let doc = docs.of(&open.name, open.words.as_deref());
    let (values, variants) = (&open.values, names::variants(&open.values));
    let described = values.iter().zip(&variants).map(|(value, variant)| {
        docs.of(&format!("{name}::{variant}"), open.value_words.get(value).map(String::as_str))
    });
    let described: Vec<String> = described.collect();
    let variants: Vec<Ident> = variants.iter().map(|variant| format_ident!("{variant}")).collect();
    let by_hand = by_hand();
    Ok(quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum #name {
            #( #[doc = #described] #variants, )*
            /// A value that this version of the crate does not know. It is kept, and encoded as it came.
            Unknown(::#by_hand::UnknownValue<Self>),
        }
        crate::open_enum::open_enum!(#name { #( #variants = #values, )* });
    })
}
