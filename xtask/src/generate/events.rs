use anyhow::Result;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::{Docs, accessors, enums};
use crate::lower::{self, Event, OpenEnum};

/// What most events tell of, whichever their type: an accessor of `Event` for each. Its name, the member, what it is.
const SUBJECTS: [(&str, &str, &str); 4] = [
    ("project_id", "projectId", "Identifier of the Ampersand project that the event is from."),
    ("group_ref", "groupRef", "Your application's own identifier of the group, the customer that the event is about."),
    ("installation_id", "installationId", "Identifier of the installation that the event is about."),
    ("object_name", "objectName", "Name of the object that the event is about, as the integration has it."),
];

/// `NotificationType`, and `Event`: what comes with each. Types that are `listed` may come with nothing that is known.
pub(super) fn events(
    events: &[Event],
    listed: Vec<String>,
    document: &Value,
    docs: &mut Docs<'_>,
) -> Result<TokenStream> {
    let mut values: Vec<String> = events.iter().map(|event| event.notification_type.clone()).collect();
    values.extend(listed.into_iter().filter(|value| !events.iter().any(|event| event.notification_type == *value)));
    let names = enums::variants(&values)?;
    let types = enums::open_enum(
        &OpenEnum {
            name: "NotificationType".to_owned(),
            description: Some("What a notification tells of, such as `installation.created`.".to_owned()),
            values,
            descriptions: events
                .iter()
                .filter_map(|event| Some((event.notification_type.clone(), event.description.clone()?)))
                .collect(),
        },
        docs,
    )?;

    let (mut variants, mut decode, mut encode) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    let (mut schemas, mut any) = (TokenStream::new(), TokenStream::new());
    let (mut sources, mut setters) = (TokenStream::new(), TokenStream::new());
    for (event, name) in events.iter().zip(&names) {
        let doc = docs.of(&format!("Event::{name}"), event.description.as_deref());
        let data = if document["components"]["schemas"].get(&event.data).is_some_and(lower::is_struct) {
            let data = format_ident!("{}", lower::pascal(&event.data));
            quote!(#data)
        } else {
            quote!(::ampersand_types::RawJson)
        };
        variants.extend(quote! { #[doc = #doc] #name(#data), });
        decode.extend(quote! { NotificationType::#name => #data::deserialize(data).map(Self::#name), });
        encode.extend(quote! { Self::#name(data) => data.serialize(serializer), });
        any.extend(quote! { Self::#name(data) => data, });
        let replaced = accessors::replaced(&document["components"]["schemas"][&event.data]["properties"]);
        if !replaced.is_empty() {
            let each = replaced.iter().map(|(field, _, source)| quote!((#field, data.#source())));
            sources.extend(quote! { Self::#name(data) => ::std::vec![#( #each ),*], });
        }
        for (field, ident, _) in &replaced {
            setters.extend(quote! { (Self::#name(data), #field) => data.#ident = config.into(), });
        }
        schemas.extend(quote! { NotificationType::#name => generator.subschema_for::<#data>(), });
    }

    let subjects = SUBJECTS.iter().map(|subject| accessor(subject, events, &names, document));

    Ok(quote! {
        #types

        /// What a notification tells, its data typed after its [`NotificationType`].
        ///
        /// A type that the contract gains becomes a variant in the version of this crate that knows it. Before
        /// that it arrives as [`Unknown`](Self::Unknown), whole.
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema), schemars(untagged))]
        #[non_exhaustive]
        pub enum Event {
            #variants
            /// The data of a notification whose type this version of the crate does not know.
            Unknown(::ampersand_types::RawJson),
        }

        impl Event {
            /// Decodes the data of a notification as what its type says it is.
            ///
            /// # Errors
            ///
            /// As [`from_deserializer`](Self::from_deserializer).
            pub fn parse(
                notification_type: &NotificationType,
                data: &::ampersand_types::RawJson,
            ) -> ::core::result::Result<Self, ::ampersand_types::JsonError> {
                data.parse_with(|data| Self::from_deserializer(notification_type, data))
            }

            /// Decodes the data of a notification, by any deserializer of serde.
            ///
            /// # Errors
            ///
            /// When `data` does not have the shape of the data of that type: a required field is missing, or a
            /// field is of another type. Fields and values that are new are not errors, and neither is a type that is.
            pub fn from_deserializer<'de, D>(
                notification_type: &NotificationType,
                data: D,
            ) -> ::core::result::Result<Self, D::Error>
            where
                D: ::serde::Deserializer<'de>,
            {
                use ::serde::Deserialize as _;
                match notification_type {
                    #decode
                    _ => ::ampersand_types::RawJson::deserialize(data).map(Self::Unknown),
                }
            }

            #( #subjects )*

            /// Where each configuration is that may be too large to send, by the name of its field.
            pub fn config_sources(
                &self,
            ) -> ::std::vec::Vec<(&'static str, ::ampersand_types::ConfigSource<'_>)> {
                match self {
                    #sources
                    _ => ::std::vec::Vec::new(),
                }
            }

            /// Puts a configuration into the field of that name, as if it had been sent. Where the event has no such
            /// configuration, nothing changes.
            #[allow(unused_variables, clippy::useless_conversion)]
            pub fn set_config(&mut self, name: &str, config: ::ampersand_types::RawJson) {
                match (self, name) {
                    #setters
                    _ => {}
                }
            }

            /// The data as what they are, for `ampersand-testing`.
            #[doc(hidden)]
            pub fn __data(&self) -> &dyn ::core::any::Any {
                match self {
                    #any
                    Self::Unknown(data) => data,
                }
            }
        }

        #[cfg(feature = "schemars")]
        impl Event {
            /// The JSON Schema of the data of notifications of a type, with what it refers to in `generator`. Where the
            /// type is not known, it is one that takes anything.
            pub fn data_schema(
                notification_type: &NotificationType,
                generator: &mut ::schemars::SchemaGenerator,
            ) -> ::schemars::Schema {
                match notification_type {
                    #schemas
                    _ => generator.subschema_for::<::ampersand_types::RawJson>(),
                }
            }
        }

        /// Encodes the data alone: its type is part of the envelope.
        impl ::serde::Serialize for Event {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                match self {
                    #encode
                    Self::Unknown(data) => data.serialize(serializer),
                }
            }
        }
    })
}

/// An accessor of a text that most events have. Of an event that is not known, it is looked for.
fn accessor(subject: &(&str, &str, &str), events: &[Event], names: &[Ident], document: &Value) -> TokenStream {
    let (name, member, doc) = subject;
    let (doc, name) = (format!("{doc} `None` where the event has none."), format_ident!("{name}"));
    let arms = events.iter().zip(names).filter_map(|(event, variant)| {
        let schema = document["components"]["schemas"].get(&event.data).filter(|schema| lower::is_struct(schema))?;
        schema["properties"].get(*member).filter(|property| property["type"] == "string")?;
        let required = schema["required"].as_array().into_iter().flatten().any(|required| required == member);
        let text = if required { quote!(Some(data.#name.as_str())) } else { quote!(data.#name.as_deref()) };
        Some(quote! { Self::#variant(data) => #text, })
    });
    quote! {
        #[doc = #doc]
        pub fn #name(&self) -> ::core::option::Option<::std::borrow::Cow<'_, str>> {
            let text = match self {
                #( #arms )*
                Self::Unknown(data) => return ::ampersand_types::__private::text_of(data, #member),
                #[allow(unreachable_patterns)]
                _ => None,
            };
            text.map(::std::borrow::Cow::Borrowed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_has_the_type_of_its_data_or_is_raw() -> Result<()> {
        let document = json!({ "components": { "schemas": { "AData": { "properties": { "id": {} } } } } });
        let event = |notification_type: &str, data: &str| Event {
            notification_type: notification_type.to_owned(),
            data: data.to_owned(),
            description: Some("Sent.".to_owned()),
        };
        let mut undocumented = Vec::new();
        let mut docs = Docs::of_module("m", &mut undocumented);
        let listed = vec!["a.b".to_owned(), "d".to_owned()];
        let tokens = events(&[event("a.b", "AData"), event("c", "Gone")], listed, &document, &mut docs)?.to_string();
        for expected in [
            quote!(AB(AData),),
            quote!(C(::ampersand_types::RawJson),),
            quote!(NotificationType::AB => AData::deserialize(data).map(Self::AB),),
            quote!(NotificationType::AB => generator.subschema_for::<AData>(),),
            quote!(AB = "a.b", C = "c", D = "d",),
        ] {
            assert!(tokens.contains(&expected.to_string()), "{expected} is not in {tokens}");
        }
        assert_eq!(undocumented, ["m::NotificationType::D"]);
        Ok(())
    }
}
