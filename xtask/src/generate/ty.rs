//! The Rust types of a document's schemas.

use anyhow::{Context as _, Result};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::{Value, json};

use crate::model::{Document, Kind, Need, Node, Others, Rust, names};
use crate::project::BY_HAND;

/// A type in generated code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    Bool,
    I64,
    String,
    Bytes,
    /// A type that is written by hand.
    ByHand(&'static str),
    /// A struct of the same module, by its name in Rust.
    Struct(String),
    /// A type of another module or an enum of this one, by its path.
    Path(String),
    Vec(Box<Ty>),
    Map(Box<Ty>),
    /// A list or a map that may be absent or `null`.
    Items(Box<Ty>),
    Option(Box<Ty>),
    /// A struct that would contain itself.
    Boxed(Box<Ty>),
}

/// The direction of a value, which decides how integers and collections are held.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Direction {
    OnlySent,
    /// An `i64` refuses larger numbers, and those written as 1.0 or 1e3. The senders' nil maps and slices are `null` or
    /// absent. typify refuses those, and drops empty ones when it encodes.
    Received,
}

impl Ty {
    pub(super) const RAW: Self = Self::ByHand("RawJson");

    /// Returns the type of a node, as an `Option` if it may be `null`.
    pub(super) fn or_null(document: &Document, node: &Node, direction: Direction) -> Result<Self> {
        let ty = Self::of(document, node, direction)?;
        let is_option = document.is_nullable(node) && !ty.holds_null();
        Ok(if is_option { Self::Option(Box::new(ty)) } else { ty })
    }

    /// Returns the type of a node.
    pub(super) fn of(document: &Document, node: &Node, direction: Direction) -> Result<Self> {
        let of = |node: &Node| Self::or_null(document, node, direction);
        if let (Kind::Reference(name, _), None) = (&node.kind, &node.becomes) {
            let target = document.schemas.get(name).with_context(|| format!("there is no schema `{name}`"))?;
            return match target.is_struct() {
                true => Ok(Self::Struct(names::pascal(name))),
                false => Self::of(document, target, direction),
            };
        }
        let collection = |ty| match direction {
            Direction::Received => Self::Items(Box::new(ty)),
            Direction::OnlySent => ty,
        };
        Ok(match (node.rust(), &node.kind) {
            (Rust::Text | Rust::OpenEnum, _) => Self::String,
            (Rust::Boolean, _) => Self::Bool,
            (Rust::Integer, _) if direction == Direction::OnlySent => Self::I64,
            (Rust::Integer, _) => Self::ByHand("Integer"),
            (Rust::Timestamp, _) => Self::ByHand("Timestamp"),
            (Rust::SignedUrl, _) => Self::ByHand("SignedUrl"),
            (Rust::Credential, _) => Self::ByHand("Credential"),
            (Rust::Type(path), _) => Self::Path(path),
            (Rust::List, Kind::List(Some(items))) => collection(Self::Vec(Box::new(of(items)?))),
            (Rust::Map, Kind::Object(object)) => match &object.others {
                Others::Of(values) => collection(Self::Map(Box::new(of(values)?))),
                Others::Any | Others::None => Self::RAW,
            },
            _ => Self::RAW,
        })
    }

    /// Returns the type of a field.
    pub(super) fn of_field(document: &Document, node: &Node, need: Need, direction: Direction) -> Result<Self> {
        let ty = Self::of(document, node, direction)?;
        let required = need == Need::Required;
        Ok(match ty {
            Self::Items(_) => ty,
            Self::Vec(_) | Self::Map(_) if !required => Self::Items(Box::new(ty)),
            _ if !required || (document.is_nullable(node) && !ty.holds_null()) => Self::Option(Box::new(ty)),
            _ => ty,
        })
    }

    fn holds_null(&self) -> bool {
        *self == Self::RAW || matches!(self, Self::Items(_))
    }

    /// Returns the type inside of an `Items`, or the type itself.
    pub(super) fn plain(&self) -> &Self {
        match self {
            Self::Items(ty) => ty,
            ty => ty,
        }
    }

    /// Returns the type inside of an `Option`, or the type itself.
    pub(super) fn some(&self) -> &Self {
        match self {
            Self::Option(ty) => ty,
            ty => ty,
        }
    }

    /// Returns the code for the type beside the module `types`.
    pub(super) fn rust(&self) -> TokenStream {
        self.tokens(&quote!(types::))
    }

    /// Returns the code for the type in the module that has the structs.
    pub(super) fn local(&self) -> TokenStream {
        self.tokens(&TokenStream::new())
    }

    fn tokens(&self, module: &TokenStream) -> TokenStream {
        let of = |path: TokenStream, ty: &Self| {
            let ty = ty.tokens(module);
            quote!(#path<#ty>)
        };
        match self {
            Self::Bool => quote!(bool),
            Self::I64 => quote!(i64),
            Self::String => quote!(::std::string::String),
            Self::Bytes => quote!(::bytes::Bytes),
            Self::ByHand(name) => path_of(&format!("{BY_HAND}::{name}")),
            Self::Struct(name) => {
                let name = format_ident!("{name}");
                quote!(#module #name)
            }
            Self::Path(path) => path_of(path),
            Self::Vec(item) => of(quote!(::std::vec::Vec), item),
            Self::Map(value) => {
                let value = value.tokens(module);
                quote!(::std::collections::BTreeMap<::std::string::String, #value>)
            }
            Self::Items(ty) => of(path_of(&format!("{BY_HAND}::Items")), ty),
            Self::Option(ty) => of(quote!(::std::option::Option), ty),
            Self::Boxed(ty) => of(quote!(::std::boxed::Box), ty),
        }
    }

    /// Returns the schema that typify takes for the type.
    pub(super) fn json_schema(&self) -> Value {
        let by_path = |path: &str, parameters: Vec<Value>| {
            let krate = path.split("::").next().unwrap_or_default().replace('_', "-");
            json!({ "x-rust-type": { "crate": krate, "version": "*", "path": path, "parameters": parameters } })
        };
        match self {
            Self::Bool => json!({ "type": "boolean" }),
            Self::I64 => json!({ "type": "integer" }),
            Self::String | Self::Bytes => json!({ "type": "string" }),
            Self::ByHand(name) => by_path(&format!("{BY_HAND}::{name}"), Vec::new()),
            Self::Struct(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
            Self::Path(path) => by_path(path, Vec::new()),
            Self::Vec(item) => json!({ "type": "array", "items": item.json_schema() }),
            Self::Map(value) => json!({ "type": "object", "additionalProperties": value.json_schema() }),
            Self::Items(ty) => by_path(&format!("{BY_HAND}::Items"), vec![ty.json_schema()]),
            Self::Option(ty) => json!({ "oneOf": [ty.json_schema(), { "type": "null" }] }),
            // typify adds a `Box` by itself where one is needed.
            Self::Boxed(ty) => ty.json_schema(),
        }
    }

    /// Returns how a function takes a value of the type: the type of its argument, and the expression that converts the
    /// argument. It takes anything that converts: a `&str` for a `String`, an array for a list.
    pub(super) fn argument(&self, name: &Ident, of: fn(&Self) -> TokenStream) -> (TokenStream, TokenStream) {
        let into = |ty: &Self| {
            let ty = of(ty);
            quote!(impl ::core::convert::Into<#ty>)
        };
        match self.plain() {
            Self::Bool => (of(self), quote!(#name)),
            Self::Vec(item) => {
                let item = into(item);
                (
                    quote!(impl ::core::iter::IntoIterator<Item = #item>),
                    quote!(#name.into_iter().map(::core::convert::Into::into).collect()),
                )
            }
            Self::Map(value) => {
                let (key, value) = (into(&Self::String), into(value));
                (
                    quote!(impl ::core::iter::IntoIterator<Item = (#key, #value)>),
                    quote!(#name.into_iter().map(|(key, value)| (key.into(), value.into())).collect()),
                )
            }
            Self::Boxed(ty) => (into(ty), quote!(::std::boxed::Box::new(#name.into()))),
            _ => (into(self), quote!(#name.into())),
        }
    }
}

pub(super) fn path_of(path: &str) -> TokenStream {
    let segments = path.split("::").map(|segment| format_ident!("{segment}"));
    quote!(#(::#segments)*)
}

/// Returns the crate of the hand-written types.
pub(super) fn by_hand() -> Ident {
    format_ident!("{BY_HAND}")
}
