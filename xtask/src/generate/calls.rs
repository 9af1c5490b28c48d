use anyhow::Result;
use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::client::Group;
use super::{operations, types};

/// For the tests: how each operation of the contract is called, by the methods that everyone uses.
pub(super) fn calls(groups: &[Group<'_>]) -> Result<TokenStream> {
    let mut arms = TokenStream::new();
    for group in groups {
        let module = format_ident!("{}", group.name);
        for operation in &group.operations {
            let (id, method) = (&operation.id, format_ident!("{}", operation.id.to_snake_case()));
            let mut given = Vec::new();
            let mut steps = TokenStream::new();
            for parameter in operation.arguments() {
                let (name, ty) = (&parameter.name, types::rust(&parameter.schema)?);
                given.push(quote! { given::<#ty>(arguments, #name) });
            }
            for parameter in operation.parameters.iter().filter(|parameter| !parameter.is_argument()) {
                let (name, setter) = (&parameter.name, operations::ident(&parameter.name));
                let (setter, ty) = (format_ident!("{setter}"), types::rust(&parameter.schema)?);
                steps
                    .extend(quote! { let call = set(call, arguments, #name, |call, value: #ty| call.#setter(value)); });
            }
            if let Some(body) = &operation.body {
                let ty = types::rust(&body.schema)?;
                if body.required {
                    given.push(quote! { given::<#ty>(arguments, "body") });
                } else {
                    steps.extend(
                        quote! { let call = set(call, arguments, "body", |call, value: #ty| call.body(value)); },
                    );
                }
            }
            arms.extend(quote! {
                #id => {
                    let call = client.#module().#method(#(#given),*);
                    #steps
                    received(call.send().await?)
                }
            });
        }
    }
    Ok(quote! {
        use ::ampersand_client::{Client, Error, Response, types};
        use ::serde_json::{Map, Value};

        #[doc = "Calls an operation with arguments by their names, and gives the status and what was decoded, in JSON."]
        pub async fn call(
            client: &Client,
            operation: &str,
            arguments: &Map<String, Value>,
        ) -> Result<(u16, String), Error> {
            Ok(match operation {
                #arms
                _ => panic!("there is no operation {operation}"),
            })
        }

        fn given<T: ::serde::de::DeserializeOwned>(arguments: &Map<String, Value>, name: &str) -> T {
            let json = arguments.get(name).unwrap_or_else(|| panic!("`{name}` is required")).to_string();
            ::serde_json::from_str(&json).unwrap_or_else(|e| panic!("`{name}`: {e}"))
        }

        fn set<C, T: ::serde::de::DeserializeOwned>(
            call: C,
            arguments: &Map<String, Value>,
            name: &str,
            setter: fn(C, T) -> C,
        ) -> C {
            if arguments.contains_key(name) { setter(call, given(arguments, name)) } else { call }
        }

        fn received<T: ::serde::Serialize>(response: Response<T>) -> (u16, String) {
            let json = ::serde_json::to_string(&*response).unwrap_or_else(|e| panic!("{e}"));
            (response.status().as_u16(), json)
        }
    })
}
