use anyhow::Result;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::structs::{self, Struct};
use super::ty::{Ty, by_hand};
use super::{Docs, enums};
use crate::model::{Document, Enum, names};
use crate::project;

/// Returns the enum of event types, and `Event`, which holds the data of each. `listed` types may have no known data.
pub(super) fn events(
    document: &Document,
    structs: &[Struct<'_>],
    listed: Vec<String>,
    event: &project::Event,
    docs: &mut Docs<'_>,
) -> Result<TokenStream> {
    let events = &document.events;
    let mut values: Vec<String> = events.iter().map(|event| event.kind.clone()).collect();
    values.extend(listed.into_iter().filter(|value| !events.iter().any(|event| event.kind == *value)));
    let variants: Vec<_> = names::variants(&values).iter().map(|name| format_ident!("{name}")).collect();
    let words = |event: &crate::model::Event| Some((event.kind.clone(), event.words.clone()?));
    let list = Enum {
        name: event.list.clone(),
        words: Some(event.words.clone()),
        values,
        value_words: events.iter().filter_map(words).collect(),
    };
    let (types, list) = (enums::open_enum(&list, docs)?, format_ident!("{}", event.list));

    let named: Vec<_> = variants.iter().take(events.len()).collect();
    let (mut described, mut data) = (Vec::new(), Vec::new());
    let (mut sources, mut setters) = (TokenStream::new(), TokenStream::new());
    for (event, name) in events.iter().zip(&named) {
        described.push(docs.of(&format!("Event::{name}"), event.words.as_deref()));
        let of_data = Struct::named(structs, &names::pascal(&event.data));
        data.push(of_data.map_or(Ty::RAW, |one| Ty::Struct(one.name.clone())).local());
        let replaced = of_data.map(|one| structs::replaced(one, docs.project)).unwrap_or_default();
        if !replaced.is_empty() {
            let each = replaced.iter().map(|(field, source)| {
                let name = field.name;
                quote!((#name, data.#source()))
            });
            sources.extend(quote! { Self::#name(data) => ::std::vec![#( #each ),*], });
        }
        for (field, _) in &replaced {
            let (member, ident) = (field.name, &field.ident);
            setters.extend(quote! { (Self::#name(data), #member) => data.#ident = config.into(), });
        }
    }
    let about = format!("What a notification tells, its data typed after its [`{list}`].");
    let subjects = event.subjects.iter().map(|subject| accessor(subject, document, structs, &variants));

    let by_hand = by_hand();
    Ok(quote! {
        #types

        #[doc = #about]
        ///
        /// A type that the contract gains becomes a variant in the version of this crate that knows it. Before
        /// that it arrives as [`Unknown`](Self::Unknown), whole.
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema), schemars(untagged))]
        #[non_exhaustive]
        pub enum Event {
            #( #[doc = #described] #named(#data), )*
            /// The data of a notification whose type this version of the crate does not know.
            Unknown(::#by_hand::RawJson),
        }

        impl Event {
            /// Decodes the data of a notification as what its type says it is.
            ///
            /// # Errors
            ///
            /// As [`from_deserializer`](Self::from_deserializer).
            pub fn parse(
                notification_type: &#list,
                data: &::#by_hand::RawJson,
            ) -> ::core::result::Result<Self, ::#by_hand::JsonError> {
                data.parse_with(|data| Self::from_deserializer(notification_type, data))
            }

            /// Decodes the data of a notification, by any deserializer of serde.
            ///
            /// # Errors
            ///
            /// When `data` does not have the shape of the data of that type: a required field is missing, or a
            /// field is of another type. Fields and values that are new are not errors, and neither is a type that is.
            pub fn from_deserializer<'de, D>(
                notification_type: &#list,
                data: D,
            ) -> ::core::result::Result<Self, D::Error>
            where
                D: ::serde::Deserializer<'de>,
            {
                use ::serde::Deserialize as _;
                match notification_type {
                    #( #list::#named => #data::deserialize(data).map(Self::#named), )*
                    _ => ::#by_hand::RawJson::deserialize(data).map(Self::Unknown),
                }
            }

            #( #subjects )*

            /// Where each configuration is that may be too large to send, by the name of its field.
            pub fn config_sources(
                &self,
            ) -> ::std::vec::Vec<(&'static str, ::#by_hand::ConfigSource<'_>)> {
                match self {
                    #sources
                    _ => ::std::vec::Vec::new(),
                }
            }

            /// Puts a configuration into the field of that name, as if it had been sent. Where the event has no such
            /// configuration, nothing changes.
            #[allow(unused_variables, clippy::useless_conversion)]
            pub fn set_config(&mut self, name: &str, config: ::#by_hand::RawJson) {
                match (self, name) {
                    #setters
                    _ => {}
                }
            }

            /// The data as what they are, for tests.
            #[doc(hidden)]
            pub fn __data(&self) -> &dyn ::core::any::Any {
                match self {
                    #( Self::#named(data) => data, )*
                    Self::Unknown(data) => data,
                }
            }
        }

        #[cfg(feature = "schemars")]
        impl Event {
            /// The JSON Schema of the data of notifications of a type, with what it refers to in `generator`. Where the
            /// type is not known, it is one that takes anything.
            pub fn data_schema(
                notification_type: &#list,
                generator: &mut ::schemars::SchemaGenerator,
            ) -> ::schemars::Schema {
                match notification_type {
                    #( #list::#named => generator.subschema_for::<#data>(), )*
                    _ => generator.subschema_for::<::#by_hand::RawJson>(),
                }
            }
        }

        /// Encodes the data alone: its type is part of the envelope.
        impl ::serde::Serialize for Event {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                match self {
                    #( Self::#named(data) => data.serialize(serializer), )*
                    Self::Unknown(data) => data.serialize(serializer),
                }
            }
        }
    })
}

/// Returns an accessor for a string that most events have. It searches the JSON of an unknown event.
fn accessor(
    subject: &project::Subject,
    document: &Document,
    structs: &[Struct<'_>],
    variants: &[proc_macro2::Ident],
) -> TokenStream {
    let (member, name) = (&subject.field, format_ident!("{}", names::fit(names::snake(&subject.field), "value", "")));
    let doc = format!("{} `None` where the event has none.", subject.words);
    let arms = document.events.iter().zip(variants).filter_map(|(event, variant)| {
        let field = Struct::named(structs, &names::pascal(&event.data))?.field(member)?;
        let ident = &field.ident;
        let text = match &field.ty {
            Ty::String => quote!(Some(data.#ident.as_str())),
            Ty::Option(ty) if **ty == Ty::String => quote!(data.#ident.as_deref()),
            _ => return None,
        };
        Some(quote! { Self::#variant(data) => #text, })
    });
    let by_hand = by_hand();
    quote! {
        #[doc = #doc]
        pub fn #name(&self) -> ::core::option::Option<::std::borrow::Cow<'_, str>> {
            let text = match self {
                #( #arms )*
                Self::Unknown(data) => return ::#by_hand::__private::text_of(data, #member),
                #[allow(unreachable_patterns)]
                _ => None,
            };
            text.map(::std::borrow::Cow::Borrowed)
        }
    }
}
