use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Ident, Type};

use super::arguments::{Argument, argument};
use super::client::Group;
use super::{Docs, types};
use crate::document;
use crate::lower::{self, Content, Operation, Parameter, is_rust_type};

/// The parameter that names a project.
const PROJECT: &str = "projectIdOrName";

/// What an overlay says of a tag whose group is to have another name.
pub(super) const GROUP: &str = "x-group";

/// `objects_and_fields` for `Objects & Fields`.
pub(super) fn snake(name: &str) -> String {
    name.replace('&', " and ").replace(|c: char| !c.is_alphanumeric(), " ").to_snake_case()
}

/// The operations of a group: a struct that leads to them, another one for those of one project, and a struct of each.
pub(super) fn group(group: &Group<'_>, words: &str, document: &Value, docs: &mut Docs<'_>) -> Result<TokenStream> {
    let name = format_ident!("{}", lower::pascal(&group.name));
    let in_project = format_ident!("Project{name}");
    let (mut all, mut of_project, mut structs) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    for operation in &group.operations {
        let doc = doc(operation, docs);
        let mut words = |parameter: &Parameter| {
            docs.of(&format!("{}::{}", operation.id, parameter.name), parameter.description.as_deref())
        };
        let words: BTreeMap<String, String> =
            operation.parameters.iter().map(|one| (one.name.clone(), words(one))).collect();
        let (call, project) = methods(operation, &name, &doc, &words).with_context(|| operation.id.clone())?;
        all.extend(call);
        of_project.extend(project);
        structs.extend(request(operation, &name, &words).with_context(|| operation.id.clone())?);
        structs.extend(pages(operation, document)?);
    }
    let project = (!of_project.is_empty()).then(|| {
        let words = format!("[`{name}`], of one project: [`Project::{}`](crate::Project::{0}).", group.name);
        quote! {
            #[doc = #words]
            #[derive(Clone, Debug)]
            pub struct #in_project {
                all: #name,
                project: ::std::string::String,
            }

            impl #in_project {
                pub(crate) fn new(client: crate::Client, project: ::std::string::String) -> Self {
                    Self { all: #name::new(client), project }
                }

                #of_project
            }
        }
    });
    Ok(quote! {
        use super::super::types;
        use crate::call::{Call, sent};

        #[doc = #words]
        #[derive(Clone, Debug)]
        pub struct #name {
            client: crate::Client,
        }

        impl #name {
            pub(crate) fn new(client: crate::Client) -> Self {
                Self { client }
            }

            #all
        }

        #project
        #structs
    })
}

/// Whether an operation is one of a project, which its path names first.
pub(super) fn is_of_project(operation: &Operation) -> bool {
    operation.arguments().next().is_some_and(|parameter| parameter.name == PROJECT)
}

fn doc(operation: &Operation, docs: &mut Docs<'_>) -> String {
    let Operation { id, host, method, path, .. } = operation;
    let mut doc = docs.of(id, operation.description.as_deref());
    doc.push_str(&format!("\n\n`{method} {path}` of [`Host::{}`](crate::Host::{0})", lower::pascal(host)));
    match operation.security.as_slice() {
        [] => doc.push_str("; takes no credentials"),
        [one] => doc.push_str(&format!("; takes `{one}` alone as credentials")),
        _ => {}
    }
    doc.push('.');
    if let Some(page) = &operation.page {
        doc.push_str(&format!(" [Reference]({page})"));
    }
    // Problems are read by `Error`.
    let others = operation.errors.iter().filter_map(|(status, schema)| {
        let name = schema["$ref"].as_str().and_then(document::schema_name).map(lower::pascal)?;
        (!name.ends_with("Problem")).then_some((status, name))
    });
    for (status, name) in others {
        doc.push_str(&format!(
            "\n\nThe body of a refusal with status {status} is a [`{name}`](types::{name}), to be read from \
             [`Error::body`](crate::Error::body)."
        ));
    }
    if operation.deprecated {
        doc.push_str("\n\nDeprecated by the contract.");
    }
    doc
}

/// The functions that begin an operation, with all that is required: that of its group, and that of a project's.
fn methods(
    operation: &Operation,
    group: &Ident,
    doc: &str,
    words: &BTreeMap<String, String>,
) -> Result<(TokenStream, Option<TokenStream>)> {
    let (method, name) = names(operation);
    let (mut taken, mut given, mut steps) = (Vec::new(), Vec::new(), TokenStream::new());
    let mut list = Vec::new();
    for parameter in operation.arguments() {
        let ident = format_ident!("{}", ident(&parameter.name));
        let (ty, step) = fill(parameter, &ident)?;
        steps.extend(step);
        taken.push(quote!(#ident: #ty));
        let described = words.get(&parameter.name).map(|words| words.replace('\n', " ")).unwrap_or_default();
        list.push(format!("* `{ident}`, `{}` in the {}. {described}", parameter.name, parameter.place));
        given.push(quote!(#ident));
    }
    if let Some(body) = operation.body.as_ref().filter(|body| body.required) {
        let (ty, value) = body_argument(&body.schema)?;
        steps.extend(quote! { call.body(&#value); });
        taken.push(quote!(body: #ty));
        given.push(quote!(body));
    }
    let mutable = (!steps.is_empty()).then(|| quote!(mut));
    let list = if list.is_empty() { String::new() } else { format!("\n\n{}", list.join("\n")) };
    let doc_of_all = format!("{doc}{list}");
    let call = quote! {
        #[doc = #doc_of_all]
        pub fn #method(&self, #(#taken),*) -> #name {
            let #mutable call = Call::new(&#name::ENDPOINT);
            #steps
            #name { client: self.client.clone(), call }
        }
    };
    let of_project = is_of_project(operation).then(|| {
        let (taken, given) = (taken.get(1..), given.get(1..));
        let (taken, given) = (taken.unwrap_or_default(), given.unwrap_or_default());
        let summary = doc.split("\n\n").next().unwrap_or_default();
        let doc = format!("{summary}\n\nSee [`{group}::{method}`].");
        quote! {
            #[doc = #doc]
            pub fn #method(&self, #(#taken),*) -> #name {
                self.all.#method(&*self.project, #(#given),*)
            }
        }
    });
    Ok((call, of_project))
}

/// The names of the method that begins an operation, and of the struct that is sent.
fn names(operation: &Operation) -> (Ident, Ident) {
    (format_ident!("{}", operation.id.to_snake_case()), format_ident!("{}", lower::pascal(&operation.id)))
}

/// How a parameter is taken, and the statement that puts it where it belongs.
fn fill(parameter: &Parameter, ident: &Ident) -> Result<(TokenStream, TokenStream)> {
    let (name, place) = (&parameter.name, format_ident!("{}", parameter.place));
    let rust: Type = syn::parse2(types::rust(&parameter.schema)?)?;
    if ["Vec", "BTreeMap", "Items"].contains(&super::fields::outer(&rust).0.as_str()) {
        bail!("the parameter `{name}` is a list or a map, which the client cannot write into a request yet");
    }
    let into = quote!(impl ::core::convert::Into<#rust>);
    let (ty, value) = match super::fields::outer(&rust).0.as_str() {
        "bool" => (quote!(#rust), quote!(#ident)),
        // Identifiers are texts in the contract, and often something else where they come from.
        "String" => (quote!(impl ::core::fmt::Display), quote!(#ident)),
        "Credential" => (into, quote!(#ident.into().expose_secret())),
        _ => (into, quote!(#ident.into())),
    };
    let once = (!parameter.idempotent).then(|| quote! { call.operation.idempotent = false; });
    Ok((ty, quote! { call.#place(#name, #value); #once }))
}

/// A body of a type that has a name is taken as it is: whoever decodes one does not have to name the type again.
fn body_argument(schema: &Value) -> Result<(TokenStream, TokenStream)> {
    let rust = types::rust(schema)?;
    if schema.get("$ref").is_some() {
        return Ok((rust, quote!(body)));
    }
    let Argument { ty, value } = argument(&format_ident!("body"), &syn::parse2(rust.clone())?);
    Ok((ty, quote!({ let body: #rust = #value; body })))
}

/// An operation on its way: a method for each thing that may be left out, and how it is sent.
fn request(operation: &Operation, group: &Ident, words: &BTreeMap<String, String>) -> Result<TokenStream> {
    let (method, name) = names(operation);
    let mut setters = TokenStream::new();
    for parameter in operation.parameters.iter().filter(|parameter| !parameter.is_argument()) {
        let ident = format_ident!("{}", ident(&parameter.name));
        let (ty, step) = fill(parameter, &ident)?;
        let words = words.get(&parameter.name).map(String::as_str).unwrap_or_default();
        let doc = format!("{words}\n\n`{}` in the {}.", parameter.name, parameter.place);
        setters.extend(quote! {
            #[doc = #doc]
            pub fn #ident(mut self, #ident: #ty) -> Self {
                let call = &mut self.call;
                #step
                self
            }
        });
    }
    if let Some(body) = operation.body.as_ref().filter(|body| !body.required) {
        let (ty, value) = body_argument(&body.schema)?;
        setters.extend(quote! {
            /// The body, which may be left out.
            pub fn body(mut self, body: #ty) -> Self {
                self.call.body(&#value);
                self
            }
        });
    }
    let Operation { id, method: verb, path, idempotent, security, .. } = operation;
    let host = format_ident!("{}", lower::pascal(&operation.host));
    let (how, ty) = response(operation)?;
    let doc = format!("A request that [`{group}::{method}`] begins, and `.await` sends.");
    Ok(quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        #[must_use = "a request is sent by `.await`"]
        pub struct #name {
            pub(crate) client: crate::Client,
            pub(crate) call: Call,
        }

        impl #name {
            /// What the contract says of the operation.
            pub const ENDPOINT: crate::Endpoint = crate::Endpoint {
                id: #id,
                host: crate::Host::#host,
                method: #verb,
                path: #path,
                idempotent: #idempotent,
                security: &[#(#security),*],
            };

            #setters
        }

        sent!(#name as #how -> #ty);
    })
}

/// Which method of the client reads the response, and as what.
fn response(operation: &Operation) -> Result<(Ident, TokenStream)> {
    Ok(match &operation.response {
        Content::Empty => (format_ident!("empty"), quote!(())),
        Content::Text => (format_ident!("text"), quote!(::std::string::String)),
        // A list is nothing to be sent back: whether it was `null` or empty is all the same.
        Content::Json(schema) if is_rust_type(schema, "Items") => {
            (format_ident!("list"), types::rust(&schema["x-rust-type"]["parameters"][0])?)
        }
        Content::Json(schema) => (format_ident!("json"), types::rust(schema)?),
    })
}

/// How an operation whose list comes in pages goes from one to the next: it takes a `pageToken`, and its response says
/// whether it is `done` and which token is next.
fn pages(operation: &Operation, document: &Value) -> Result<Option<TokenStream>> {
    let schemas = &document["components"]["schemas"];
    let properties = |schema: &Value| {
        let name = schema["$ref"].as_str().and_then(document::schema_name)?;
        Some(&schemas[name]["properties"])
    };
    let takes_token = operation.parameters.iter().any(|parameter| parameter.name == "pageToken");
    let Content::Json(response) = &operation.response else { return Ok(None) };
    let Some(response) = properties(response).filter(|_| takes_token) else { return Ok(None) };
    let results = &response["results"]["x-rust-type"]["parameters"][0]["items"];
    let Some(pagination) = properties(&response["pagination"]) else { return Ok(None) };
    if results.is_null() || pagination["done"]["type"] != "boolean" || pagination["nextPageToken"]["type"] != "string" {
        return Ok(None);
    }
    let (ident, item) = (format_ident!("{}", lower::pascal(&operation.id)), types::rust(results)?);
    Ok(Some(quote! {
        impl #ident {
            /// The items of this page and of all that follow, as a stream. The client gets each page when it is needed. An
            /// error ends the stream; without one, the list is whole.
            pub fn stream(
                self,
            ) -> impl ::futures_util::Stream<Item = ::core::result::Result<#item, crate::Error>> + ::core::marker::Send + ::core::marker::Unpin + 'static
            {
                crate::paging::stream(self)
            }
        }

        impl crate::paging::Paged for #ident {
            type Item = #item;

            const ENDPOINT: &'static crate::Endpoint = &Self::ENDPOINT;

            fn after(self, token: ::std::string::String) -> Self {
                self.page_token(token)
            }

            async fn page(
                self,
            ) -> ::core::result::Result<crate::Response<crate::paging::Page<#item>>, crate::Error> {
                let page = self.send().await?;
                Ok(page.map(|page| crate::paging::Page {
                    items: page.results.into_inner(),
                    done: page.pagination.done,
                    next: page.pagination.next_page_token,
                }))
            }
        }
    }))
}

/// The name of a parameter in Rust, but for what Rust and the methods of every operation keep to themselves.
pub(super) fn ident(name: &str) -> String {
    let name = snake(name);
    let is_taken = ["body", "send", "stream"].contains(&name.as_str());
    if is_taken || syn::parse_str::<Ident>(&name).is_err() { format!("{name}_") } else { name }
}
