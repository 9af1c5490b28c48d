use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Field, Fields, ItemStruct, Meta, Path, Token, Type, parse_quote};

/// The field of every struct that holds what has no field of its own.
pub(super) const OTHERS: &str = "other_fields";

/// Gives fields that are the same in Rust, as `type` and `@type` are, names of their own: the later one gives way.
pub(super) fn tell_apart(item: &mut ItemStruct) {
    let mut taken = vec![format_ident!("{OTHERS}")];
    for field in &mut item.fields {
        let Some(mut ident) = field.ident.clone() else { continue };
        while taken.contains(&ident) {
            ident = format_ident!("{ident}_");
        }
        taken.push(ident.clone());
        field.ident = Some(ident);
    }
}

/// Makes a struct one that keeps every member of an object, and returns how it is read and written.
///
/// serde's derives, which typify asks for, drop members that they do not know, and cannot tell `null` from absent.
pub(super) fn finish(item: &mut ItemStruct) -> Option<TokenStream> {
    let Fields::Named(fields) = &mut item.fields else { return None };
    let mut members = TokenStream::new();
    for field in &mut fields.named {
        let (kind, ident, member) = (kind(field), field.ident.clone()?, wire_name(field)?);
        field.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
        if camel_case(&ident.to_string()) != member {
            field.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", schemars(rename = #member))]));
        }
        if matches!(kind, Kind::Collection) {
            field.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", schemars(default))]));
        }
        let kind = format_ident!("{}", kind.module());
        members.extend(quote! { #kind #ident = #member, });
    }
    let others = format_ident!("{OTHERS}");
    fields.named.push(parse_quote! {
        /// Members without a field of their own: see [`OtherFields`](::ampersand_types::OtherFields).
        #[cfg_attr(feature = "schemars", schemars(flatten))]
        pub #others: ::ampersand_types::OtherFields
    });

    item.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
    item.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", schemars(rename_all = "camelCase"))]));
    let derive = item.attrs.iter_mut().find(|attribute| attribute.path().is_ident("derive"))?;
    *derive = derives(derive)?;
    // A member that the contract gains is a field more, which is no breaking change then.
    item.attrs.push(parse_quote!(#[non_exhaustive]));
    let name = &item.ident;
    Some(quote! { crate::object::object!(#name { #members }); })
}

/// Without what names a crate, and without `Default`.
fn derives(derive: &Attribute) -> Option<Attribute> {
    let traits = derive.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok()?;
    let kept = traits.into_iter().filter(|path| path.segments.len() == 1 && !path.is_ident("Default"));
    Some(parse_quote!(#[derive(#(#kept),*)]))
}

pub(super) fn derive_default(item: &mut ItemStruct) {
    for derive in item.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        if let Meta::List(list) = &mut derive.meta {
            list.tokens.extend(quote!(, Default));
        }
    }
}

/// What a field may be in JSON; the names of the modules of `ampersand_types::object`.
enum Kind {
    Required,
    /// An `Option` of what can be `null` itself.
    Nullable,
    Optional,
    /// `Items<_>`
    Collection,
}

impl Kind {
    fn module(&self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Nullable => "nullable",
            Self::Optional => "optional",
            Self::Collection => "collection",
        }
    }
}

fn kind(field: &Field) -> Kind {
    let (outer, inner) = outer(&field.ty);
    match (outer.as_str(), inner.map(|inner| self::outer(inner).0).as_deref()) {
        ("Items", _) => Kind::Collection,
        _ if is_required_null(field) => Kind::Required,
        ("Option", Some("RawJson")) => Kind::Nullable,
        ("Option", _) => Kind::Optional,
        _ => Kind::Required,
    }
}

/// The last name of a path, and its first parameter.
pub(super) fn outer(ty: &Type) -> (String, Option<&Type>) {
    let Type::Path(path) = ty else { return (String::new(), None) };
    let Some(last) = path.path.segments.last() else { return (String::new(), None) };
    let inner = match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    };
    (last.ident.to_string(), inner)
}

/// The second parameter of a type.
pub(super) fn second(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    match &path.path.segments.last()?.arguments {
        syn::PathArguments::AngleBracketed(arguments) => match arguments.args.iter().nth(1)? {
            syn::GenericArgument::Type(ty) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a type is one of the open enums: what a generated module has, by its full path.
pub(super) fn is_open_enum(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.len() == 3
        && ["ampersand_types", "ampersand_client"].iter().any(|name| path.path.segments[0].ident == name))
}

/// The name of a field in JSON, before `finish` takes its attributes.
pub(super) fn wire_name(field: &Field) -> Option<String> {
    let name = field.ident.as_ref()?.to_string();
    Some(serde_attribute(field, "rename").unwrap_or(name))
}

/// Whether an `Option` has to be there, and may be `null`.
fn is_required_null(field: &Field) -> bool {
    serde_attribute(field, "deserialize_with").is_some_and(|function| function.ends_with("Option::deserialize"))
}

fn serde_attribute(field: &Field, key: &str) -> Option<String> {
    let mut found = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // What has no value is skipped.
        let _ = attribute.parse_nested_meta(|meta| {
            let value: Option<syn::LitStr> = meta.value().and_then(syn::parse::ParseBuffer::parse).ok();
            if meta.path.is_ident(key) {
                found = value.map(|value| value.value());
            }
            Ok(())
        });
    }
    found
}

/// What `rename_all = "camelCase"` makes of a field's name.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let initial = letters.next().map(|letter| letter.to_ascii_uppercase());
        name + &initial.into_iter().chain(letters).collect::<String>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens as _;

    #[test]
    fn structs_keep_what_they_have_no_field_for() {
        let mut item: ItemStruct = parse_quote! {
            #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
            pub struct A {
                #[serde(rename = "configURL", skip_serializing_if = "::std::option::Option::is_none")]
                pub config_url: ::std::option::Option<::ampersand_types::SignedUrl>,
                pub raw: ::std::option::Option<::ampersand_types::RawJson>,
                #[serde(rename = "objectNames")]
                pub object_names: ::ampersand_types::Items<::std::vec::Vec<::std::string::String>>,
                #[serde(rename = "type")]
                pub type_: i64,
            }
        };
        let members = finish(&mut item).expect("a struct with fields");
        let expected = quote! {
            crate::object::object!(A {
                optional config_url = "configURL",
                nullable raw = "raw",
                collection object_names = "objectNames",
                required type_ = "type",
            });
        };
        assert_eq!(members.to_string(), expected.to_string());
        let text = item.to_token_stream().to_string();
        assert!(!text.contains("serde"), "{text}");
        assert!(text.contains(r#"rename = "configURL""#) && !text.contains(r#"rename = "objectNames""#), "{text}");
        assert!(text.contains("pub other_fields"), "{text}");
        assert!(text.contains("derive (Clone , Debug)"), "{text}");
    }
}
