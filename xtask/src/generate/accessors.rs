use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Field, Ident, ItemStruct};

use super::fields;
use crate::document;
use crate::lower::{self, is_rust_type, replaced_by_url};

/// What a struct tells of its fields, together or when they are absent.
pub(super) fn accessors(item: &ItemStruct, document: &Value) -> Option<TokenStream> {
    let schema = document::schemas(document).find(|(name, _)| item.ident == lower::pascal(name))?.1;
    let (mut accessors, conversion) = config_sources(item, &schema["properties"])?;
    accessors.extend(defaults(item, &schema["properties"])?);
    let ident = &item.ident;
    (!accessors.is_empty()).then(|| quote! { impl #ident { #accessors } #conversion })
}

fn field<'a>(item: &'a ItemStruct, name: &str) -> Option<&'a Field> {
    item.fields.iter().find(|field| fields::wire_name(field).as_deref() == Some(name))
}

/// The name of an accessor; of `type_` too, whose underscore only tells it from the keyword.
fn named_after(field: &Ident, what: &str) -> Ident {
    format_ident!("{}_{what}", field.to_string().trim_end_matches('_'))
}

/// An accessor for each pair of fields `x`, `xURL` of which the first is JSON and the second a signed URL, and for each
/// configuration that has no URL, as in older contracts; and a conversion, so that where a configuration is looked for, the
/// data of an event may stand for the one they tell of.
fn config_sources(item: &ItemStruct, properties: &Value) -> Option<(TokenStream, TokenStream)> {
    let (mut accessors, mut conversion) = (TokenStream::new(), TokenStream::new());
    let urls = urls(properties);
    for (inline, _) in properties.as_object()?.iter().filter(|(_, property)| is_rust_type(property, "RawJson")) {
        let url = urls.get(inline.as_str()).copied();
        let (Some(inline_field), url_field) = (field(item, inline), url.and_then(|url| field(item, url))) else {
            continue;
        };
        if url_field.is_none() && inline != "config" && !inline.ends_with("Config") {
            continue;
        }
        let name = named_after(inline_field.ident.as_ref()?, "source");
        let from_inline = borrow(inline_field)?;
        let from_url = url_field.and_then(borrow).unwrap_or_else(|| quote!(::core::option::Option::None));
        let doc = match url {
            Some(url) => format!("Where the {} is: in `{inline}`, or to be downloaded from `{url}`.", spoken(inline)),
            None => format!("Where the {} is: in `{inline}`.", spoken(inline)),
        };
        accessors.extend(quote! {
            #[doc = #doc]
            pub fn #name(&self) -> ::ampersand_types::ConfigSource<'_> {
                ::ampersand_types::ConfigSource::new(#from_inline, #from_url)
            }
        });
        if inline == "config" {
            let ident = &item.ident;
            conversion = quote! {
                impl<'a> ::core::convert::From<&'a #ident> for ::ampersand_types::ConfigSource<'a> {
                    fn from(data: &'a #ident) -> Self {
                        data.#name()
                    }
                }
            };
        }
    }
    Some((accessors, conversion))
}

/// The fields for signed URLs, by the names of the fields that they replace.
fn urls(properties: &Value) -> BTreeMap<&str, &str> {
    let properties = properties.as_object().into_iter().flatten();
    properties
        .filter(|(_, property)| is_rust_type(property, "SignedUrl"))
        .filter_map(|(url, _)| Some((replaced_by_url(url)?, url.as_str())))
        .collect()
}

/// The fields of a schema that hold what a signed URL may replace: the name of each, its field's and its accessor's.
pub(super) fn replaced(properties: &Value) -> Vec<(&str, Ident, Ident)> {
    let is_json = |name: &str| properties.get(name).is_some_and(|property| is_rust_type(property, "RawJson"));
    let names = urls(properties).into_keys().filter(|name| is_json(name));
    names
        .map(|name| {
            let field = format_ident!("{}", heck::ToSnakeCase::to_snake_case(name));
            let accessor = named_after(&field, "source");
            (name, field, accessor)
        })
        .collect()
}

/// An accessor for each optional field that the contract gives a default.
fn defaults(item: &ItemStruct, properties: &Value) -> Option<TokenStream> {
    let mut accessors = TokenStream::new();
    for (name, property) in properties.as_object()? {
        let (Some(field), Some(default)) = (field(item, name), property.get(lower::DEFAULT)) else { continue };
        let ("Option", Some(ty)) = (fields::outer(&field.ty).0.as_str(), fields::outer(&field.ty).1) else { continue };
        let value = match (default, fields::outer(ty).0.as_str()) {
            (Value::Bool(value), "bool") => quote!(#value),
            (Value::Number(value), "Integer") => {
                let value = value.as_i64()?;
                quote!(#value.into())
            }
            (Value::String(value), "String") => quote!(#value.to_owned()),
            (Value::String(value), _) if fields::is_open_enum(ty) => quote!(#value.into()),
            _ => continue,
        };
        let ident = field.ident.as_ref()?;
        let accessor = named_after(ident, "or_default");
        let spoken = default.to_string();
        let doc = format!("`{name}`, or `{}` where it is absent, as the contract says.", spoken.trim_matches('"'));
        accessors.extend(quote! {
            #[doc = #doc]
            pub fn #accessor(&self) -> #ty {
                self.#ident.clone().unwrap_or_else(|| #value)
            }
        });
    }
    Some(accessors)
}

/// `last config` for `lastConfig`.
fn spoken(field: &str) -> String {
    heck::ToSnakeCase::to_snake_case(field).replace('_', " ").replace("config", "configuration")
}

/// The expression that gives an `Option` of a reference to a field's value.
fn borrow(field: &Field) -> Option<TokenStream> {
    let ident: &Ident = field.ident.as_ref()?;
    Some(match fields::outer(&field.ty).0.as_str() {
        "Option" => quote!(self.#ident.as_ref()),
        _ => quote!(::core::option::Option::Some(&self.#ident)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use syn::parse_quote;

    #[test]
    fn data_stand_for_their_configuration() {
        let rust = |name: &str| json!({ "x-rust-type": { "path": format!("ampersand_types::{name}") } });
        let properties = json!({ "config": rust("RawJson"), "configURL": rust("SignedUrl") });
        let item: ItemStruct = parse_quote! {
            pub struct A {
                pub config: ::std::option::Option<::ampersand_types::RawJson>,
                #[serde(rename = "configURL")]
                pub config_url: ::std::option::Option<::ampersand_types::SignedUrl>,
            }
        };
        let (_, conversion) = config_sources(&item, &properties).expect("a pair");
        let expected = quote! {
            impl<'a> ::core::convert::From<&'a A> for ::ampersand_types::ConfigSource<'a> {
                fn from(data: &'a A) -> Self {
                    data.config_source()
                }
            }
        };
        assert_eq!(conversion.to_string(), expected.to_string());
    }

    #[test]
    fn pairs_and_defaults_have_accessors() {
        let rust = |name: &str| json!({ "x-rust-type": { "path": format!("ampersand_types::{name}") } });
        let document = json!({ "components": { "schemas": { "A": { "properties": {
            "lastConfig": rust("RawJson"),
            "lastConfigURL": rust("SignedUrl"),
            "disabled": { "type": "boolean", "x-default": false },
            "mode": { "x-default": "always" },
            "required": { "type": "boolean", "x-default": true },
            "type": { "x-default": "a" },
        } } } } });
        let item: ItemStruct = parse_quote! {
            pub struct A {
                #[serde(rename = "lastConfig")]
                pub last_config: ::ampersand_types::RawJson,
                #[serde(rename = "lastConfigURL")]
                pub last_config_url: ::std::option::Option<::ampersand_types::SignedUrl>,
                pub disabled: ::std::option::Option<bool>,
                pub mode: ::std::option::Option<::ampersand_types::config::Mode>,
                pub required: bool,
                #[serde(rename = "type")]
                pub type_: ::std::option::Option<::std::string::String>,
            }
        };
        let tokens = accessors(&item, &document).expect("accessors").to_string();
        let expected = quote! {
            impl A {
                #[doc = "Where the last configuration is: in `lastConfig`, or to be downloaded from `lastConfigURL`."]
                pub fn last_config_source(&self) -> ::ampersand_types::ConfigSource<'_> {
                    ::ampersand_types::ConfigSource::new(::core::option::Option::Some(&self.last_config), self.last_config_url.as_ref())
                }
                #[doc = "`disabled`, or `false` where it is absent, as the contract says."]
                pub fn disabled_or_default(&self) -> bool {
                    self.disabled.clone().unwrap_or_else(|| false)
                }
                #[doc = "`mode`, or `always` where it is absent, as the contract says."]
                pub fn mode_or_default(&self) -> ::ampersand_types::config::Mode {
                    self.mode.clone().unwrap_or_else(|| "always".into())
                }
                #[doc = "`type`, or `a` where it is absent, as the contract says."]
                pub fn type_or_default(&self) -> ::std::string::String {
                    self.type_.clone().unwrap_or_else(|| "a".to_owned())
                }
            }
        };
        assert_eq!(tokens, expected.to_string());
    }
}
