use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::types::Typed;
use super::{Contract, Docs, Generator, TESTS, calls, format, items, mocks, operations, samples, setters, users};
use crate::document;
use crate::lower::{self, Context, FIRST, OPERATIONS, Operation};
use crate::output::Plan;

/// The documents that have operations. Each has a host of its own.
pub(super) const DOCUMENTS: [&str; 4] = ["api", "read", "write", "search"];
pub(super) const FOLDER: &str = "crates/ampersand-client/src/generated";
pub(super) const GROUPS_FOLDER: &str = "crates/ampersand-client/src/generated/groups";

pub(super) const TYPES_PATH: &str = "ampersand_client::types";

/// What an overlay says of a schema that `ampersand-types` has under another name.
const SAME_AS: &str = "x-same-as";

/// A module that `ampersand-types` has.
pub(super) struct Ours {
    /// The document that it is made of, as it is published.
    pub(super) published: Value,
    pub(super) path: &'static str,
    /// The names of its types.
    pub(super) types: BTreeSet<String>,
}

/// What has an URL of its own, by the name of its document.
pub(super) struct Host {
    pub(super) name: String,
    pub(super) url: String,
}

/// Operations that the contract keeps together by a tag.
pub(super) struct Group<'a> {
    pub(super) tag: String,
    /// The name of the module.
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) operations: Vec<&'a Operation>,
}

/// A struct: the path of its module, and its name.
pub(super) type Struct = (&'static str, String);

/// The client: types, operations in groups, and hosts. Gives the types of what is received, and all structs.
pub(super) fn generate(
    generator: &mut Generator<'_>,
    ours: &[Ours],
    plan: &mut Plan,
) -> Result<(Vec<Typed>, Vec<Struct>)> {
    let (mut documents, mut origins, mut hosts) = (Vec::new(), Vec::new(), Vec::new());
    let mut holders = BTreeMap::new();
    let mut shared = BTreeMap::new();
    for name in DOCUMENTS {
        let Contract { file, origin, published, mut document } = generator.read(name)?;
        for ours in ours {
            for schema in lower::same(&published, &ours.published) {
                let ident = lower::pascal(&schema);
                let path = ours.types.contains(&ident).then(|| format!("{}::{ident}", ours.path));
                shared.insert(schema, path);
            }
        }
        for (schema, definition) in document::schemas(&document) {
            holders.entry(schema.clone()).or_insert(name);
            if let Some(name) = definition[SAME_AS].as_str() {
                let ours = ours.iter().find(|ours| ours.types.contains(name));
                let ours = ours.with_context(|| format!("{file}: `{schema}`: `ampersand-types` has no `{name}`"))?;
                shared.insert(schema.clone(), Some(format!("{}::{name}", ours.path)));
            }
        }
        generator.pass(&FIRST, &file, &mut document, &Context { module: name, path: TYPES_PATH, shared: &shared })?;
        if let Some(url) = document["servers"][0]["url"].as_str() {
            hosts.push(Host { name: name.to_owned(), url: url.trim_end_matches('/').to_owned() });
        }
        if !document.is_null() {
            documents.push((name, document));
            origins.push((name, origin));
        }
    }
    let mut document = lower::together(documents);
    let context = Context { module: "types", path: TYPES_PATH, shared: &shared };
    let named = lower::named(document.clone())?;
    generator.lower("the documents of the client", &mut document, &context)?;
    let origin = join(&origins, |_| true);

    let list: Vec<Operation> = serde_json::from_value(document[OPERATIONS].clone())?;
    let groups = groups(&document, &list);
    let mut docs = Docs::of_module("types", &mut generator.findings.undocumented);
    docs.users = users::users(&document, &groups);
    let items = items(&document, &mut docs, &mut generator.findings.stale)?;
    let (sent, received) = lower::directions(&document);
    let sent: BTreeSet<String> = sent.iter().map(|name| lower::pascal(name)).collect();
    let items = setters::with_setters(items, &document, |name| sent.contains(name), &mut generator.findings.stale)?;
    let words = "What the operations take and give.";
    plan.add(format!("{FOLDER}/types.rs"), format::file(&origin, Some(words), items)?);

    let mut docs = Docs::of_module("operations", &mut generator.findings.undocumented);
    for group in &groups {
        let words = docs.of(&group.name, group.description.as_deref());
        let items = operations::group(group, &words, &document, &mut docs)?;
        let origin = join(&origins, |host| group.operations.iter().any(|operation| operation.host == host));
        let text = format::file(&origin, Some(&words), items)?;
        plan.add(format!("{GROUPS_FOLDER}/{}.rs", group.name), text);
    }
    plan.add(format!("{FOLDER}/mod.rs"), format::file(&origin, None, index(&groups, &hosts)?)?);
    plan.add(
        format!("{}/api.rs", samples::FOLDER),
        format::file(&origin, None, samples::samples(&named, &received, &shared)?)?,
    );
    let words = "Typed mocks of every operation, for a mock server.";
    let mocks = match mocks::mocks(&list) {
        Err(error) if generator.allow_stale => {
            generator.findings.stale.push(format!("there are no mocks of this contract: {error:#}"));
            TokenStream::new()
        }
        mocks => mocks?,
    };
    let mocks = format::file(&origin, Some(words), mocks)?;
    plan.add(format!("{}/httpmock.rs", samples::FOLDER), mocks);
    plan.add(format!("{TESTS}/calls.rs"), format::file(&origin, None, calls::calls(&groups)?)?);

    let published = received.into_iter().filter_map(|schema| {
        let document = (*holders.get(&schema)?).to_owned();
        Some(Typed { module: TYPES_PATH, document, schema })
    });
    let structs = document::schemas(&document).map(|(schema, _)| (TYPES_PATH, lower::pascal(schema)));
    Ok((published.collect(), structs.collect()))
}

/// What some documents say of where they are from, for the head of a file.
fn join(origins: &[(&str, String)], of: impl Fn(&str) -> bool) -> String {
    let chosen: Vec<&str> = origins.iter().filter(|(host, _)| of(host)).map(|(_, origin)| origin.as_str()).collect();
    chosen.join("\n// and ")
}

/// The groups, in the order of their names.
fn groups<'a>(document: &Value, operations: &'a [Operation]) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<String, Group<'a>> = BTreeMap::new();
    for operation in operations {
        let tag = operation.tag.as_deref().unwrap_or(&operation.host);
        let mut described = document["tags"].as_array().into_iter().flatten();
        let described = described.find(|known| known["name"] == tag).unwrap_or(&Value::Null);
        let name = described[operations::GROUP].as_str().map_or_else(|| operations::snake(tag), str::to_owned);
        let group = groups.entry(name.clone()).or_insert_with(|| Group {
            tag: tag.to_owned(),
            name,
            description: described["description"].as_str().map(str::to_owned),
            operations: Vec::new(),
        });
        group.operations.push(operation);
    }
    groups.into_values().collect()
}

/// What holds the modules together.
fn index(groups: &[Group<'_>], hosts: &[Host]) -> Result<TokenStream> {
    let (mut modules, mut accessors, mut all) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    let mut of_project = TokenStream::new();
    for group in groups {
        let (module, name) = (format_ident!("{}", group.name), format_ident!("{}", lower::pascal(&group.name)));
        let words = group.description.as_deref().unwrap_or_default();
        let doc = format!("{words}\n\nThe contract's tag for them is `{}`.", group.tag);
        modules.extend(quote! { pub mod #module; });
        accessors.extend(quote! {
            #[doc = #doc]
            pub fn #module(&self) -> groups::#module::#name {
                groups::#module::#name::new(self.clone())
            }
        });
        if group.operations.iter().any(|operation| operations::is_of_project(operation)) {
            let in_project = format_ident!("Project{name}");
            of_project.extend(quote! {
                #[doc = #words]
                pub fn #module(&self) -> groups::#module::#in_project {
                    groups::#module::#in_project::new(self.client.clone(), self.name.clone())
                }
            });
        }
        for operation in &group.operations {
            let operation = format_ident!("{}", lower::pascal(&operation.id));
            all.extend(quote! { groups::#module::#operation::ENDPOINT, });
        }
    }
    let (mut variants, mut known, mut urls, mut names) =
        (TokenStream::new(), TokenStream::new(), TokenStream::new(), TokenStream::new());
    for host in hosts {
        let (variant, name, url) = (format_ident!("{}", lower::pascal(&host.name)), &host.name, &host.url);
        let doc = format!("`{url}`");
        variants.extend(quote! { #[doc = #doc] #variant, });
        known.extend(quote! { Self::#variant, });
        urls.extend(quote! { Self::#variant => #url, });
        names.extend(quote! { Self::#variant => #name, });
    }
    Ok(quote! {
        pub mod types;

        /// The operations, in groups as the contract tags them.
        pub mod groups {
            #modules

        }

        impl crate::Endpoint {
            /// That of every operation.
            pub const ALL: &'static [Self] = &[#all];
        }

        impl crate::Client {
            #accessors
        }

        impl crate::Project {
            #of_project
        }

        /// A part of the API that has a URL of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Host { #variants }

        impl Host {
            /// Every host.
            pub const ALL: &'static [Self] = &[#known];

            /// The name, as in `read`.
            pub fn name(self) -> &'static str {
                match self { #names }
            }

            /// Where the contract says that it is.
            pub fn default_url(self) -> &'static str {
                match self { #urls }
            }
        }
    })
}
