use anyhow::Result;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use super::Docs;
use super::ty::by_hand;
use crate::model::{Enum, names};

/// An open enum: the known values of a string, and `Unknown`.
pub(super) fn open_enum(open: &Enum, docs: &mut Docs<'_>) -> Result<TokenStream> {
    let name: Ident = syn::parse_str(&open.name)?;
    let doc = docs.of(&open.name, open.words.as_deref());
    let (mut variants, mut texts) = (TokenStream::new(), TokenStream::new());
    for (value, variant) in open.values.iter().zip(names::variants(&open.values)) {
        let words = open.value_words.get(value).map(String::as_str);
        let doc = docs.of(&format!("{name}::{variant}"), words);
        let variant = format_ident!("{variant}");
        variants.extend(quote! { #[doc = #doc] #variant, });
        texts.extend(quote! { #variant = #value, });
    }
    let by_hand = by_hand();
    Ok(quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum #name {
            #variants
            /// A value that this version of the crate does not know. It is kept, and encoded as it came.
            Unknown(::#by_hand::UnknownValue<Self>),
        }
        crate::open_enum::open_enum!(#name { #texts });
    })
}
