use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::Docs;
use super::requests::{Coded, Group, Parameter, Request};
use super::structs::{Struct, setter};
use super::ty::Ty;
use crate::keywords::word;
use crate::model::{Form, names};
use crate::project::Project;

/// Returns the operations of a group: a struct for all, another for those of one project, and one for each request.
pub(super) fn group(group: &Group<'_>, words: &str, structs: &[Struct<'_>], docs: &mut Docs<'_>) -> TokenStream {
    let project = docs.project;
    let name = format_ident!("{}", names::pascal(&group.name));
    let in_project = format_ident!("Project{name}");
    let (mut all, mut of_project, mut structs_of) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    for request in &group.requests {
        let (operation, doc) = (request.operation, doc(request, docs));
        let mut words = |parameter: &Parameter<'_>| {
            let of = format!("{}::{}", operation.id, parameter.of.name);
            (parameter.ident.to_string(), docs.of(&of, parameter.of.words.as_deref()))
        };
        let words: BTreeMap<String, String> = request.parameters.iter().map(&mut words).collect();
        let made = methods(request, project, &name, &doc, &words);
        all.extend(made.0);
        of_project.extend(made.1);
        structs_of.extend(self::request(request, &name, &words));
        structs_of.extend(pages(request, structs, project));
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
    quote! {
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
        #structs_of
    }
}

/// Whether an operation belongs to a project, which its path names first.
pub(super) fn is_of_project(request: &Request<'_>, project: &Project) -> bool {
    let is_project = |one: &Parameter<'_>| project.client.scope.as_ref() == Some(&one.of.name) && one.ty == Ty::String;
    request.arguments().next().is_some_and(is_project)
}

fn doc(request: &Request<'_>, docs: &mut Docs<'_>) -> String {
    let operation = request.operation;
    let (method, path, host) = (&operation.method, &operation.path, names::pascal(&operation.host));
    let problem = &docs.project.client.problem;
    let mut doc = docs.of(&operation.id, operation.words.as_deref());
    doc.push_str(&format!("\n\n`{method} {path}` of [`Host::{host}`](crate::Host::{host})"));
    match schemes(request).as_slice() {
        [] => doc.push_str("; takes no credentials"),
        [one] => doc.push_str(&format!("; takes `{one}` alone as credentials")),
        _ => {}
    }
    doc.push('.');
    if let Some(page) = &operation.page {
        doc.push_str(&format!(" [Reference]({page})"));
    }
    for (status, ty) in &request.errors {
        // `Error` reads problems.
        if let Ty::Struct(name) = ty
            && (problem.is_empty() || !name.ends_with(problem))
        {
            doc.push_str(&format!(
                "\n\nThe body of a refusal with status {status} is a [`{name}`](types::{name}), to be read from \
                 [`Error::body`](crate::Error::body)."
            ));
        }
    }
    if operation.deprecated {
        doc.push_str("\n\nDeprecated by the contract.");
    }
    doc
}

/// Returns the security schemes of which an operation takes one; empty if anyone may call it.
fn schemes<'a>(request: &'a Request<'_>) -> Vec<&'a str> {
    request.operation.security.iter().flat_map(|way| way.keys()).map(String::as_str).collect()
}

/// Returns the methods that begin a request with all that is required: the group's, and the one for a single project.
fn methods(
    request: &Request<'_>,
    project: &Project,
    group: &Ident,
    doc: &str,
    words: &BTreeMap<String, String>,
) -> (TokenStream, Option<TokenStream>) {
    let Request { method, name, .. } = request;
    let (mut taken, mut given, mut steps) = (Vec::new(), Vec::new(), TokenStream::new());
    let mut list = Vec::new();
    for parameter in request.arguments() {
        let ident = &parameter.ident;
        let (ty, step) = fill(parameter);
        steps.extend(step);
        taken.push(quote!(#ident: #ty));
        let described = words.get(&ident.to_string()).map(|words| words.replace('\n', " ")).unwrap_or_default();
        list.push(format!("* `{ident}`, `{}` in the {}. {described}", parameter.of.name, word(parameter.of.location)));
        given.push(quote!(#ident));
    }
    if let Some(body) = request.body_if(true) {
        let (ty, step) = fill_body(body);
        steps.extend(quote! { call.#step; });
        taken.push(quote!(body: #ty));
        given.push(quote!(body));
    }
    // The client accepts these without being told.
    let known = ["application/json", "application/problem+json", "text/plain"];
    if let Some(Coded { form, media, .. }) = &request.answer
        && *form != Form::Bytes
        && !known.contains(media)
    {
        steps.extend(quote! { call.accept(#media); });
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
    let of_project = is_of_project(request, project).then(|| {
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
    (call, of_project)
}

/// Returns the type of a parameter's argument, and the statement that adds its value to the request.
fn fill(parameter: &Parameter<'_>) -> (TokenStream, TokenStream) {
    let Parameter { of, ident, ty, is_compound } = parameter;
    let name = &of.name;
    let once = (!of.idempotent).then(|| quote! { call.operation.idempotent = false; });
    let place = format_ident!("{}", word(of.location));
    if *is_compound {
        let (taken, value) = ty.argument(ident, Ty::rust);
        let rust = ty.rust();
        let style = match (&of.media, of.style.as_str(), of.explode) {
            (Some(_), ..) => quote!(Json),
            (None, "deepObject", _) => quote!(Deep),
            (None, "spaceDelimited", false) => quote!(Separated(" ")),
            (None, "pipeDelimited", false) => quote!(Separated("|")),
            (None, "simple", true) => quote!(Pairs),
            (None, "simple", false) | (None, _, false) => quote!(Separated(",")),
            (None, _, true) => quote!(Repeated),
        };
        let place = format_ident!("{}", names::pascal(&word(of.location)));
        let step = quote! {
            let value: #rust = #value;
            call.compound(crate::call::Place::#place, #name, crate::call::Style::#style, &value);
            #once
        };
        return (taken, step);
    }
    let rust = ty.rust();
    let into = quote!(impl ::core::convert::Into<#rust>);
    let (ty, value) = match ty {
        Ty::Bool => (rust, quote!(#ident)),
        // Identifiers are strings in the contract, and callers often have them as another type.
        Ty::String | Ty::ByHand("RawJson") => (quote!(impl ::core::fmt::Display), quote!(#ident)),
        Ty::ByHand("Credential") => (into, quote!(#ident.into().expose_secret())),
        _ => (into, quote!(#ident.into())),
    };
    (ty, quote! { call.#place(#name, #value); #once })
}

/// Returns the type of a body's argument, and the call that writes it. A struct is taken as is, so that a caller who
/// decodes one need not name its type again.
fn fill_body(body: &Coded<'_>) -> (TokenStream, TokenStream) {
    let rust = body.ty.rust();
    let (ty, value) = match &body.ty {
        Ty::Struct(_) => (rust, quote!(body)),
        of => {
            let (ty, value) = of.argument(&format_ident!("body"), Ty::rust);
            (ty, quote!({ let body: #rust = #value; body }))
        }
    };
    let step = match (body.form, body.media) {
        (Form::Json, "application/json") => quote!(body(&#value)),
        (Form::Json, media) => quote!(json(#media, &#value)),
        (Form::Pairs, _) => quote!(form(&#value)),
        (_, media) => quote!(bytes(#media, #value)),
    };
    (ty, step)
}

/// Returns the struct of a request: a method for each optional part, and how it is sent.
fn request(request: &Request<'_>, group: &Ident, words: &BTreeMap<String, String>) -> TokenStream {
    let Request { method, name, .. } = request;
    let mut setters = TokenStream::new();
    for parameter in request.parameters.iter().filter(|parameter| !parameter.of.is_argument()) {
        let ident = &parameter.ident;
        let (ty, step) = fill(parameter);
        let words = words.get(&ident.to_string()).map(String::as_str).unwrap_or_default();
        let doc = format!("{words}\n\n`{}` in the {}.", parameter.of.name, word(parameter.of.location));
        setters.extend(setter(&quote!(#[doc = #doc]), ident, &ty, &quote! { let call = &mut self.call; #step }));
    }
    if let Some(body) = request.body_if(false) {
        let (ty, step) = fill_body(body);
        let docs = quote!(#[doc = "The body, which may be left out."]);
        setters.extend(setter(&docs, &format_ident!("body"), &ty, &quote! { self.call.#step; }));
    }
    let (id, verb, path) = (&request.operation.id, &request.operation.method, &request.operation.path);
    let (idempotent, security) = (request.operation.idempotent, schemes(request));
    let host = format_ident!("{}", names::pascal(&request.operation.host));
    let (how, ty) = answer(request.answer.as_ref());
    let doc = format!("A request that [`{group}::{method}`] begins, and `.await` sends.");
    quote! {
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
    }
}

/// Returns the client's method that reads the response, and the type that it returns.
fn answer(answer: Option<&Coded<'_>>) -> (Ident, TokenStream) {
    let Some(Coded { form, ty, .. }) = answer else { return (format_ident!("empty"), quote!(())) };
    let how = match (form, ty) {
        (Form::Text, _) => "text",
        (Form::Bytes, _) => "bytes",
        // Nobody sends a list back, so `null` and an empty list are the same.
        (_, Ty::Items(_)) => "list",
        _ => "json",
    };
    (format_ident!("{how}"), ty.plain().rust())
}

/// Returns how a request for a list in pages gets the next page: the request takes a token, and the response says
/// whether it is the last page and which token is next.
fn pages(request: &Request<'_>, structs: &[Struct<'_>], project: &Project) -> Option<TokenStream> {
    let paging = project.client.paging.as_ref()?;
    let of = |ty: &Ty| {
        let Ty::Struct(name) = ty else { return None };
        Struct::named(structs, name)
    };
    let field = |one: &Struct<'_>, name: &str| one.field(name).map(|field| (field.ty.clone(), field.ident.clone()));
    let is_token = |one: &&Parameter<'_>| one.of.name == paging.token && !one.of.is_argument() && one.ty == Ty::String;
    let token = &request.parameters.iter().find(is_token)?.ident;
    let response = of(&request.answer.as_ref()?.ty)?;
    let (Ty::Items(results), results_ident) = field(response, &paging.results)? else { return None };
    let (Ty::Vec(item), (state, state_ident)) = (*results, field(response, &paging.state)?) else { return None };
    let state = of(&state)?;
    let (Ty::Bool, done) = field(state, &paging.done)? else { return None };
    let (Ty::Option(next), next_ident) = field(state, &paging.next)? else { return None };
    if *next != Ty::String {
        return None;
    }
    let (ident, item) = (&request.name, item.rust());
    Some(quote! {
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
                self.#token(token)
            }

            async fn page(
                self,
            ) -> ::core::result::Result<crate::Response<crate::paging::Page<#item>>, crate::Error> {
                let page = self.send().await?;
                Ok(page.map(|page| crate::paging::Page {
                    items: page.#results_ident.into_inner(),
                    done: page.#state_ident.#done,
                    next: page.#state_ident.#next_ident,
                }))
            }
        }
    })
}
