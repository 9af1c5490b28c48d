use anyhow::Result;
use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::client::Group;
use super::{operations, types};

/// For the tests: how each operation of the contract is called, by the builders that everyone uses.
pub(super) fn calls(groups: &[Group<'_>]) -> Result<TokenStream> {
    let mut arms = TokenStream::new();
    for group in groups {
        let module = format_ident!("{}", group.name);
        for operation in &group.operations {
            let (id, method) = (&operation.id, format_ident!("{}", operation.id.to_snake_case()));
            let mut steps = TokenStream::new();
            for parameter in &operation.parameters {
                let (name, setter) = (&parameter.name, operations::ident(&parameter.name));
                let (setter, ty) = (format_ident!("{setter}"), types::rust(&parameter.schema)?);
                steps
                    .extend(quote! { let call = set(call, arguments, #name, |call, value: #ty| call.#setter(value)); });
            }
            if let Some(body) = &operation.body {
                let ty = types::rust(&body.schema)?;
                steps.extend(quote! { let call = set(call, arguments, "body", |call, value: #ty| call.body(value)); });
            }
            arms.extend(quote! {
                #id => {
                    let call = client.#module().#method();
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

        fn set<C, T: ::serde::de::DeserializeOwned>(
            call: C,
            arguments: &Map<String, Value>,
            name: &str,
            setter: fn(C, T) -> C,
        ) -> C {
            match arguments.get(name).map(Value::to_string) {
                Some(json) => setter(call, ::serde_json::from_str(&json).unwrap_or_else(|e| panic!("`{name}`: {e}"))),
                None => call,
            }
        }

        fn received<T: ::serde::Serialize>(response: Response<T>) -> (u16, String) {
            let json = ::serde_json::to_string(&*response).unwrap_or_else(|e| panic!("{e}"));
            (response.status().as_u16(), json)
        }
    })
}
