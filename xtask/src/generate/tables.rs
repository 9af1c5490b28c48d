//! Tables for the tests: what each type decodes and encodes to, and how each operation is called.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::requests::{Coded, Group, Parameter};
use super::ty::{Ty, path_of};
use crate::model::{Document, names};
use crate::project::Project;

/// The type of a schema of the contract.
pub(super) struct Typed {
    /// The path of its module.
    pub(super) module: String,
    pub(super) document: String,
    /// The published name.
    pub(super) schema: String,
    /// The name in Rust.
    pub(super) name: String,
    pub(super) nullable: bool,
}

impl Typed {
    pub(super) fn new(module: &str, document: String, schema: &str, of: &Document) -> Self {
        let published = of.renamed.get(schema).map_or(schema, String::as_str).to_owned();
        let nullable = of.schemas.get(schema).is_some_and(|node| node.nullable);
        Self { module: module.to_owned(), document, schema: published, name: names::pascal(schema), nullable }
    }

    /// Returns the document and the schema.
    fn names(&self) -> TokenStream {
        let Self { document, schema, .. } = self;
        quote!((#document, #schema))
    }

    fn rust(&self) -> TokenStream {
        let ty = path_of(&format!("{}::{}", self.module, self.name));
        if self.nullable { quote!(::core::option::Option<#ty>) } else { ty }
    }
}

/// The generated types.
#[derive(Default)]
pub(super) struct Types {
    /// The types of schemas that are received.
    pub(super) schemas: Vec<Typed>,
    /// Every struct: the path of its module, and its name.
    pub(super) structs: Vec<(String, String)>,
}

/// Returns code that decodes and encodes each schema's type, its JSON Schema, and what `Debug` shows of every struct.
pub(super) fn table(types: &Types, project: &Project) -> TokenStream {
    let names: Vec<_> = types.schemas.iter().map(Typed::names).collect();
    let decoded: Vec<TokenStream> = types.schemas.iter().map(Typed::rust).collect();
    let structs = types.structs.iter().map(|(module, name)| {
        let ty = path_of(&format!("{module}::{name}"));
        let json_schema = quote!(|| ::schemars::schema_for!(#ty));
        quote! { Struct { name: #name, json_schema: #json_schema, debug: debug::<#ty> } }
    });
    let calls = (!project.client.documents.is_empty()).then(|| quote! { pub mod calls; });
    quote! {
        #calls
        #[doc = "A struct that is generated."]
        pub struct Struct {
            pub name: &'static str,
            #[doc = "The JSON Schema that it emits."]
            pub json_schema: fn() -> ::schemars::Schema,
            #[doc = "What `Debug` shows of the struct that some JSON decodes to."]
            pub debug: fn(&str) -> ::serde_json::Result<String>,
        }

        #[doc = "Every struct that is generated, of what is received and of what is sent."]
        pub const STRUCTS: &[Struct] = &[#( #structs, )*];

        fn debug<T: ::serde::de::DeserializeOwned + ::core::fmt::Debug>(json: &str) -> ::serde_json::Result<String> {
            Ok(format!("{:?}", ::serde_json::from_str::<T>(json)?))
        }

        #[doc = "Every type that is generated from a schema of the contract: the document and the schema."]
        pub const SCHEMAS: &[(&str, &str)] = &[#( #names, )*];

        #[doc = "Decodes JSON as the type of a schema, and encodes it again."]
        pub fn round_trip(document: &str, schema: &str, json: &str) -> ::serde_json::Result<String> {
            match (document, schema) {
                #( #names => ::serde_json::to_string(&::serde_json::from_str::<#decoded>(json)?), )*
                _ => panic!("no type is generated from {document} {schema}"),
            }
        }

        #[doc = "The JSON Schema that the type of a schema emits."]
        pub fn json_schema(document: &str, schema: &str) -> ::schemars::Schema {
            match (document, schema) {
                #( #names => ::schemars::schema_for!(#decoded), )*
                _ => panic!("no type is generated from {document} {schema}"),
            }
        }
    }
}

/// Returns code that calls each operation by its public methods.
pub(super) fn calls(groups: &[Group<'_>], client: &str) -> TokenStream {
    let client = format_ident!("{client}");
    let shown = quote!(match value {
        Value::String(text) => text,
        value => value.to_string(),
    });
    let mut arms = TokenStream::new();
    for group in groups {
        let module = format_ident!("{}", group.name);
        for request in &group.requests {
            let (id, method) = (&request.operation.id, &request.method);
            let (mut given, mut steps) = (Vec::new(), TokenStream::new());
            // Takes an argument, or sets an optional value: to the value itself, or to its `shown` form.
            let mut take = |name: &str,
                            ident: &Ident,
                            ty: TokenStream,
                            shown: Option<&TokenStream>,
                            is_argument: bool| match (is_argument, shown) {
                (true, None) => given.push(quote! { given::<#ty>(arguments, #name) }),
                (true, Some(shown)) => given.push(quote! {{ let value = given::<#ty>(arguments, #name); #shown }}),
                (false, shown) => {
                    let value = shown.cloned().unwrap_or_else(|| quote!(value));
                    let setter = quote!(|call, value: #ty| call.#ident(#value));
                    steps.extend(quote! { let call = set(call, arguments, #name, #setter); });
                }
            };
            for Parameter { of, ty, ident, is_compound } in request.in_order() {
                // The method takes any value that can be displayed.
                let is_any = *ty == Ty::RAW && !is_compound;
                let (ty, shown) = if is_any { (quote!(Value), Some(&shown)) } else { (ty.rust(), None) };
                take(&of.name, ident, ty, shown, of.is_argument());
            }
            if let Some(body) = &request.body {
                // Bytes are given as a string.
                let ty = if body.ty == Ty::Bytes { Ty::String.rust() } else { body.ty.rust() };
                take("body", &format_ident!("body"), ty, None, request.requires_body());
            }
            let received = match request.answer {
                Some(Coded { ty: Ty::Bytes, .. }) => quote! {
                    let response = call.send().await?;
                    (response.status().as_u16(), String::from_utf8_lossy(&response).into_owned())
                },
                _ => quote!(received(call.send().await?)),
            };
            arms.extend(quote! {
                #id => {
                    let call = client.#module().#method(#(#given),*);
                    #steps
                    #received
                }
            });
        }
    }
    quote! {
        use ::#client::{Client, Error, Response, types};
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
    }
}
