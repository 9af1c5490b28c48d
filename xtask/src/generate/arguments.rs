use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Type};

use super::fields;

/// How a function takes a value of a type: the type of its argument, and the expression that makes the value of it.
pub(super) struct Argument {
    pub(super) ty: TokenStream,
    pub(super) value: TokenStream,
}

/// What can become the value is taken: a `&str` for a `String`, an array for a list.
pub(super) fn argument(name: &Ident, ty: &Type) -> Argument {
    let into = quote!(impl ::core::convert::Into);
    let (outer, inner) = fields::outer(ty);
    match (outer.as_str(), inner) {
        ("bool", _) => Argument { ty: quote!(#ty), value: quote!(#name) },
        ("Items", Some(collection)) => argument(name, collection),
        ("Vec", Some(item)) => Argument {
            ty: quote!(impl ::core::iter::IntoIterator<Item = #into<#item>>),
            value: quote!(#name.into_iter().map(::core::convert::Into::into).collect()),
        },
        ("BTreeMap", Some(key)) => {
            let value = fields::second(ty);
            Argument {
                ty: quote!(impl ::core::iter::IntoIterator<Item = (#into<#key>, #into<#value>)>),
                value: quote!(#name.into_iter().map(|(key, value)| (key.into(), value.into())).collect()),
            }
        }
        _ => Argument { ty: quote!(#into<#ty>), value: quote!(#name.into()) },
    }
}
