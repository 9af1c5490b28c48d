use anyhow::Result;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::Docs;
use crate::lower::OpenEnum;

/// An open enum: the known values of a string, and `Unknown`.
pub(super) fn open_enum(open: &OpenEnum, docs: &mut Docs<'_>) -> Result<TokenStream> {
    let name: Ident = syn::parse_str(&open.name)?;
    let doc = docs.of(&open.name, open.description.as_deref());
    let (mut variants, mut texts) = (TokenStream::new(), TokenStream::new());
    for (value, variant) in open.values.iter().zip(self::variants(&open.values)?) {
        let words = open.descriptions.get(value).map(String::as_str);
        let doc = docs.of(&format!("{name}::{variant}"), words);
        variants.extend(quote! { #[doc = #doc] #variant, });
        texts.extend(quote! { #variant = #value, });
    }
    Ok(quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum #name {
            #variants
            /// A value that this version of the crate does not know. It is kept, and encoded as it came.
            Unknown(::ampersand_types::UnknownValue<Self>),
        }
        crate::open_enum::open_enum!(#name { #texts });
    })
}

/// What the values of an enum are called in Rust. `asc` and `ASC` are the same; the one that comes later gives way.
pub(super) fn variants(values: &[String]) -> Result<Vec<Ident>> {
    let mut variants: Vec<Ident> = Vec::new();
    for value in values {
        let mut name = variant(value);
        while variants.iter().any(|taken| *taken == name) {
            name.push('_');
        }
        variants.push(syn::parse_str(&name)?);
    }
    Ok(variants)
}

fn variant(value: &str) -> String {
    let name = crate::lower::pascal(value);
    match name.as_str() {
        "" if value.is_empty() => "Empty".to_owned(),
        "" => value.chars().map(|c| format!("U{:X}", u32::from(c))).collect(),
        "Unknown" | "Self" => format!("{name}_"),
        name if name.starts_with(|c: char| c.is_ascii_digit()) => format!("_{name}"),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_name() {
        for (value, name) in [
            ("ifEmpty", "IfEmpty"),
            ("read.triggered.done", "ReadTriggeredDone"),
            ("", "Empty"),
            ("unknown", "Unknown_"),
            ("self", "Self_"),
            ("1h", "_1h"),
            ("*", "U2A"),
            (">=", "U3EU3D"),
        ] {
            assert_eq!(variant(value), name);
            syn::parse_str::<Ident>(name).expect(name);
        }
    }

    #[test]
    fn values_that_are_alike_have_names_of_their_own() -> Result<()> {
        let values = ["ASC", "asc", "a-sc", "Asc"].map(str::to_owned);
        let names: Vec<String> = variants(&values)?.iter().map(Ident::to_string).collect();
        assert_eq!(names, ["Asc", "Asc_", "ASc", "Asc__"]);
        Ok(())
    }
}
