use std::collections::BTreeMap;
use std::mem;

use anyhow::{Context as _, Result};
use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Field, File, GenericArgument, GenericParam, Generics, Ident, ImplItem, Item, ItemImpl, ItemStruct, LitStr, Path,
    PathArguments, PathSegment, Type, parse_quote,
};
use typify::UnknownPolicy;

use super::client::Group;
use super::{Docs, types};
use crate::lower::{self, Content, Operation, is_rust_type};

/// What an overlay says of a tag whose group is to have another name.
pub(super) const GROUP: &str = "x-group";

/// A struct that progenitor made of an operation, and its methods.
pub(super) struct Made {
    item: ItemStruct,
    methods: ItemImpl,
}

/// `objects_and_fields` for `Objects & Fields`.
pub(super) fn snake(name: &str) -> String {
    name.replace('&', " and ").replace(|c: char| !c.is_alphanumeric(), " ").to_snake_case()
}

/// The builder of each operation by progenitor, by the name of the struct.
///
/// It is given what it makes these of: parameters, and of each body the name. Types are made by typify, as everywhere, and
/// of what comes back and where it goes to the client has one function.
pub(super) fn structs(operations: &[Operation]) -> Result<BTreeMap<String, Made>> {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for operation in operations {
        let parameters: Vec<Value> = operation.parameters.iter().map(parameter).collect();
        let mut item = json!({
            "operationId": operation.id,
            "parameters": parameters,
            "responses": { "200": { "description": "" } },
        });
        if let Some(body) = &operation.body {
            let schema = match body.schema["$ref"].as_str().and_then(crate::document::schema_name) {
                Some(name) => {
                    schemas.insert(
                        name.to_owned(),
                        json!({ "type": "object", "properties": { "a": { "type": "string" } } }),
                    );
                    json!({ "$ref": body.schema["$ref"] })
                }
                None => plain(&body.schema),
            };
            item["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        }
        // Two hosts have the same path.
        let path = format!("/{}{}", operation.host, operation.path);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[operation.method.to_lowercase()] = item;
    }
    let document = json!({
        "openapi": "3.0.3",
        "info": { "title": "client", "version": "" },
        "paths": paths,
        "components": { "schemas": schemas },
    });
    let document = serde_json::from_value(document)?;
    let mut settings = GenerationSettings::new();
    settings.with_interface(InterfaceStyle::Builder).with_unknown_crates(UnknownPolicy::Allow);
    let tokens = types::quietly("progenitor", || Generator::new(&settings).generate_tokens(&document))?;
    let file: File = syn::parse2(tokens).context("its output is not Rust")?;
    let module = file.items.into_iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => module.content,
        _ => None,
    });
    let (_, items) = module.context("its output has no module `builder`")?;
    let mut made: BTreeMap<String, Made> = BTreeMap::new();
    let mut last = None;
    for item in items {
        match item {
            Item::Struct(item) => last = Some(item),
            Item::Impl(methods) => {
                if let Some(item) = last.take() {
                    made.insert(item.ident.to_string(), Made { item, methods });
                }
            }
            _ => {}
        }
    }
    Ok(made)
}

fn parameter(parameter: &lower::Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "schema": plain(&parameter.schema),
    })
}

/// The type alone.
fn plain(schema: &Value) -> Value {
    let kept = schema.as_object().into_iter().flatten().filter(|(key, _)| !lower::BESIDE.contains(&key.as_str()));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>().into()
}

/// The operations of a group: one struct that leads to them, and a builder of each.
pub(super) fn group(
    group: &Group<'_>,
    words: &str,
    document: &Value,
    made: &mut BTreeMap<String, Made>,
    docs: &mut Docs<'_>,
) -> Result<TokenStream> {
    let name = format_ident!("{}", lower::pascal(&group.name));
    let (mut methods, mut builders) = (TokenStream::new(), TokenStream::new());
    for operation in &group.operations {
        let ident = format_ident!("{}", lower::pascal(&operation.id));
        let made = made.remove(&ident.to_string()).with_context(|| format!("progenitor made no `{ident}`"))?;
        let doc = doc(operation, docs);
        let method = format_ident!("{}", operation.id.to_snake_case());
        methods.extend(quote! {
            #[doc = #doc]
            pub fn #method(&self) -> #ident {
                #ident::new(self.client.clone())
            }
        });
        builders.extend(builder(operation, &doc, made).with_context(|| operation.id.clone())?);
        builders.extend(pages(operation, document)?);
    }
    Ok(quote! {
        use super::super::types;
        use crate::call::Call;

        #[doc = #words]
        #[derive(Clone, Debug)]
        pub struct #name {
            client: crate::Client,
        }

        impl #name {
            pub(crate) fn new(client: crate::Client) -> Self {
                Self { client }
            }

            #methods
        }

        #builders
    })
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
    if operation.deprecated {
        doc.push_str("\n\nDeprecated by the contract.");
    }
    doc
}

/// What progenitor made of an operation, with documentation, and with our way to send it.
fn builder(operation: &Operation, doc: &str, made: Made) -> Result<TokenStream> {
    let Made { mut item, mut methods } = made;
    Outside.visit_item_struct_mut(&mut item);
    Outside.visit_item_impl_mut(&mut methods);
    item.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
    item.attrs.insert(0, parse_quote!(#[doc = #doc]));
    methods.items.retain(|item| !matches!(item, ImplItem::Fn(method) if method.sig.ident == "send"));
    for method in &mut methods.items {
        let ImplItem::Fn(method) = method else { continue };
        if method.sig.ident == "new" {
            method.vis = parse_quote!(pub(crate));
        } else {
            let words = setter_doc(operation, &method.sig.ident);
            method.attrs.insert(0, parse_quote!(#[doc = #words]));
        }
    }
    let fields: Vec<&Field> = item.fields.iter().collect();
    let client = fields.first().and_then(|field| field.ident.clone()).context("has no client")?;
    let sends = sends(operation, &item)?;
    let (ty, receive) = response(operation)?;
    let constant = constant(operation);
    methods.items.push(constant);
    methods.items.push(parse_quote! {
        /// Sends the request, and reads the response.
        ///
        /// # Errors
        ///
        /// When a value is missing or has no place in the request, when the request fails, and for every status but 2xx.
        pub async fn send(self) -> ::core::result::Result<crate::Response<#ty>, crate::Error> {
            let client = self.#client.clone();
            #receive
        }
    });
    methods.items.push(sends);
    let name = &item.ident;
    Ok(quote! {
        #item
        #methods

        /// `.await` sends the request, as [`send`](Self::send) does.
        impl ::core::future::IntoFuture for #name {
            type Output = ::core::result::Result<crate::Response<#ty>, crate::Error>;
            type IntoFuture = crate::Sending<#ty>;

            fn into_future(self) -> Self::IntoFuture {
                ::std::boxed::Box::pin(self.send())
            }
        }
    })
}

fn setter_doc(operation: &Operation, setter: &Ident) -> String {
    match setter.to_string().as_str() {
        "body" => "The body.".to_owned(),
        "body_map" => "Fills in the body.".to_owned(),
        name => {
            let parameter = operation.parameters.iter().find(|parameter| ident(&parameter.name) == name);
            parameter.map_or_else(String::new, |parameter| {
                let need = if parameter.required { "required" } else { "optional" };
                let words = parameter.description.as_deref().unwrap_or_default();
                format!("{words}\n\n`{}` in the {}, {need}.", parameter.name, parameter.place).trim_start().to_owned()
            })
        }
    }
}

/// How an operation whose list comes in pages goes from one to the next: it takes a `pageToken`, and its response says
/// whether it is `done` and which token is next.
fn pages(operation: &Operation, document: &Value) -> Result<Option<TokenStream>> {
    let schemas = &document["components"]["schemas"];
    let properties = |schema: &Value| {
        let name = schema["$ref"].as_str().and_then(crate::document::schema_name)?;
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

            const OPERATION: &'static crate::Operation = &Self::OPERATION;

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

/// The name of a field, as progenitor has it but for what Rust keeps to itself.
pub(super) fn ident(name: &str) -> String {
    let name = snake(name);
    if syn::parse_str::<Ident>(&name).is_ok() { name } else { format!("{name}_") }
}

fn constant(operation: &Operation) -> ImplItem {
    let Operation { id, method, path, idempotent, security, .. } = operation;
    let host = format_ident!("{}", lower::pascal(&operation.host));
    parse_quote! {
        /// What the contract says of the operation.
        pub const OPERATION: crate::Operation = crate::Operation {
            id: #id,
            host: crate::Host::#host,
            method: #method,
            path: #path,
            idempotent: #idempotent,
            security: &[#(#security),*],
        };
    }
}

/// The method that makes a call of the parameters and the body.
fn sends(operation: &Operation, item: &ItemStruct) -> Result<ImplItem> {
    let mut steps = TokenStream::new();
    for parameter in &operation.parameters {
        let (name, field) = (&parameter.name, format_ident!("{}", ident(&parameter.name)));
        let place = format_ident!("{}", parameter.place);
        let is_optional = parameter.place != "path" && !parameter.required;
        let value = match (is_rust_type(&parameter.schema, "Credential"), is_optional) {
            (false, _) => quote! { self.#field },
            (true, false) => quote! { self.#field.map(|value| value.expose_secret().to_owned()) },
            (true, true) => quote! { self.#field.map(|value| value.map(|value| value.expose_secret().to_owned())) },
        };
        steps.extend(match parameter.place.as_str() {
            "path" => quote! { call.path(#name, #value)?; },
            _ if parameter.required => quote! { call.#place(#name, #value.map(Some))?; },
            _ => quote! { call.#place(#name, #value)?; },
        });
    }
    if let Some(body) = &operation.body {
        let field = item.fields.iter().find(|field| field.ident.as_ref().is_some_and(|ident| ident == "body"));
        let ty = types::rust(&body.schema)?;
        let has_builder = field.is_some_and(|field| names_builder(&field.ty));
        let value = if has_builder {
            quote! { self.body.and_then(|body| #ty::try_from(body).map_err(|error| error.to_string())) }
        } else {
            quote! { self.body }
        };
        steps.extend(if has_builder && !body.required {
            // What nothing was said of is not sent.
            quote! {
                if self.body != Ok(::std::default::Default::default()) {
                    call.body(#value)?;
                }
            }
        } else {
            quote! { call.body(#value)?; }
        });
    }
    let mutable = if steps.is_empty() { quote!() } else { quote!(mut) };
    Ok(parse_quote! {
        pub(crate) fn call(self) -> ::core::result::Result<Call, crate::Error> {
            let #mutable call = Call::new(&Self::OPERATION);
            #steps
            Ok(call)
        }
    })
}

fn names_builder(ty: &Type) -> bool {
    let (_, inner) = super::fields::outer(ty);
    matches!(inner, Some(Type::Path(path)) if path.path.segments.iter().any(|segment| segment.ident == "builder"))
}

/// What an operation gives, and the expression that awaits it.
fn response(operation: &Operation) -> Result<(TokenStream, TokenStream)> {
    Ok(match &operation.response {
        Content::Empty => (quote!(()), quote! { client.empty(self.call()?).await }),
        Content::Text => (quote!(::std::string::String), quote! { client.text(self.call()?).await }),
        // A list is nothing to be sent back: whether it was `null` or empty is all the same.
        Content::Json(schema) if is_rust_type(schema, "Optional") => {
            let ty = types::rust(&schema["x-rust-type"]["parameters"][0])?;
            (
                ty.clone(),
                quote! {
                    let response = client.json::<::ampersand_types::Optional<#ty>>(self.call()?).await?;
                    Ok(response.map(::ampersand_types::Optional::into_inner))
                },
            )
        }
        Content::Json(schema) => (types::rust(schema)?, quote! { client.json(self.call()?).await }),
    })
}

/// Names the client where it is, owns it, and says in our words what is wrong with a value.
struct Outside;

impl VisitMut for Outside {
    fn visit_generics_mut(&mut self, generics: &mut Generics) {
        generics.params = mem::take(&mut generics.params)
            .into_iter()
            .filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
            .collect();
        visit_mut::visit_generics_mut(self, generics);
    }

    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Reference(reference) = ty
            && reference.lifetime.is_some()
        {
            *ty = (*reference.elem).clone();
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
        if matches!(&segment.arguments, PathArguments::AngleBracketed(arguments)
            if arguments.args.iter().all(|argument| matches!(argument, GenericArgument::Lifetime(_))))
        {
            segment.arguments = PathArguments::None;
        }
        visit_mut::visit_path_segment_mut(self, segment);
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names == ["super", "Client"] {
            *path = parse_quote!(crate::Client);
        }
        visit_mut::visit_path_mut(self, path);
    }

    fn visit_lit_str_mut(&mut self, text: &mut LitStr) {
        let words = text.value();
        if words.ends_with(" was not initialized") {
            *text = LitStr::new("was not given", text.span());
        } else if words.starts_with("conversion to `") {
            *text = LitStr::new("cannot be made of what was given", text.span());
        }
    }
}
