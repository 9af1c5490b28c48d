use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::json;

use super::requests::{Group, requests};
use super::tables::{self, Typed};
use super::{Contract, Docs, Generator, items, mocks, operations, samples, structs, users};
use crate::model::{Context, Document, Field, Module, Need, Rust, joined, names};
use crate::project::Project;

/// The name of a document, and the URL of its host.
struct Host {
    name: String,
    url: String,
}

/// Generates the client: types, operations in groups, and hosts.
pub(super) fn generate(generator: &mut Generator<'_>, modules: &[Module]) -> Result<()> {
    let project = generator.project;
    let client = &project.client;
    let types_path = client.types_path();
    let (mut documents, mut origins, mut hosts) = (Vec::new(), Vec::new(), Vec::new());
    let mut holders = BTreeMap::new();
    if client.documents.is_empty() {
        return Ok(());
    }
    for name in &client.documents {
        let Contract { origin, published, document, .. } = generator.read(name)?;
        for schema in document.schemas.keys() {
            holders.entry(schema.clone()).or_insert(name);
        }
        let url = document.servers.iter().find(|url| url.starts_with("http")).cloned();
        if let Some(other) = hosts.iter().find(|host: &&Host| names::pascal(&host.name) == names::pascal(name)) {
            bail!("openapi/project.toml: the documents `{}` and `{name}` have one name in Rust", other.name);
        }
        hosts.push(Host { name: name.clone(), url: url.unwrap_or_default() });
        documents.push((published, document));
        origins.push((name.as_str(), origin));
    }
    let (mut document, shared) = joined(documents, modules)?;
    let context = Context { project, path: &types_path, shared: &shared };
    let named = document.named(&Context { shared: &BTreeMap::new(), ..context })?;
    document.take_steps(&context).context("the documents of the client")?;
    generator.count(&document);
    for (name, ours) in problem().schemas {
        let own = document.schemas.entry(name.clone()).or_insert_with(|| ours.clone());
        // The client reads a time, which may be any text.
        let rust =
            |field: &Field| Some(field.schema.rust()).filter(|rust| *rust != Rust::Timestamp).unwrap_or(Rust::Text);
        let is_alike = |field: &Field, own: &Field| own.need != Need::Required && rust(own) == rust(field);
        let differs = |(name, field): &(&String, &Field)| own.field(name).is_none_or(|own| !is_alike(field, own));
        if let Some((field, _)) = ours.fields().find(differs) {
            bail!(
                "the contract's `{name}` is not the problem that the client reads, in which `{field}` is optional: give it \
                 another name"
            );
        }
    }
    let origin = join(&origins, |_| true);

    let groups = groups(&document, &mut generator.findings.left_out)?;
    let directions = document.directions();
    let structs = structs::structs(&document, |name| directions.sent.contains(name))?;
    let mut docs = Docs::of_module("types", project, &mut generator.findings);
    docs.users = users::users(&structs, &groups, &types_path);
    let items = items(&document, &structs, &mut docs)?;
    let words = "What the operations take and give.";
    generator.write(format!("{}/types.rs", client.folder), &origin, Some(words), items)?;

    for group in &groups {
        let mut docs = Docs::of_module("operations", project, &mut generator.findings);
        let words = docs.of(&group.name, group.words.as_deref());
        let items = operations::group(group, &words, &structs, &mut docs);
        let origin = join(&origins, |host| group.requests.iter().any(|request| request.operation.host == host));
        generator.write(format!("{}/groups/{}.rs", client.folder, group.name), &origin, Some(&words), items)?;
    }
    generator.write(format!("{}/mod.rs", client.folder), &origin, None, index(&groups, &hosts, project))?;
    if let Some(facts) = &project.samples {
        let items = samples::samples(&named, &directions.received, &shared, (&types_path, facts))?;
        generator.write(format!("{}/api.rs", facts.folder), &origin, None, items)?;
        let words = "Typed mocks of every operation, for a mock server.";
        let mocks = match mocks::mocks(groups.iter().flat_map(|group| &group.requests), &client.name) {
            Err(error) if generator.allow_stale => {
                generator.findings.stale.push(format!("there are no mocks of this contract: {error:#}"));
                TokenStream::new()
            }
            mocks => mocks?,
        };
        generator.write(format!("{}/httpmock.rs", facts.folder), &origin, Some(words), mocks)?;
    }
    if !project.tests.is_empty() {
        let calls = tables::calls(&groups, &client.name);
        generator.write(format!("{}/calls.rs", project.tests), &origin, None, calls)?;
    }

    generator.types.schemas.extend(directions.received.into_iter().filter_map(|schema| {
        let held = (*holders.get(&schema)?).clone();
        Some(Typed::new(&types_path, held, &schema, &document))
    }));
    generator.types.structs.extend(structs.iter().map(|one| (types_path.clone(), one.name.clone())));
    Ok(())
}

/// Returns a problem as in RFC 9457, which the client reads where a contract does not describe one.
fn problem() -> Document {
    let text = || json!({ "type": "string" });
    let issues = json!({ "type": "array", "items": { "$ref": "#/components/schemas/InputValidationIssue" } });
    let document = json!({ "components": { "schemas": {
        "InputValidationIssue": { "type": "object", "properties": { "detail": text(), "name": text() } },
        "InputValidationProblem": { "type": "object", "properties": {
            "detail": text(), "issues": issues, "remedy": text(), "requestId": text(),
            "retryAfter": { "type": "string", "format": "date-time" }, "retryable": { "type": "boolean" }, "title": text(),
        } },
    } } });
    Document::alone("problem", &document)
}

/// Joins the origins of the documents that `of` chooses, for the head of a file.
fn join(origins: &[(&str, String)], of: impl Fn(&str) -> bool) -> String {
    let chosen: Vec<&str> = origins.iter().filter(|(host, _)| of(host)).map(|(_, origin)| origin.as_str()).collect();
    chosen.join("\n// and ")
}

/// Returns the groups, sorted by name.
fn groups<'a>(document: &'a Document, left_out: &mut Vec<String>) -> Result<Vec<Group<'a>>> {
    let mut groups: BTreeMap<String, Group<'a>> = BTreeMap::new();
    for mut request in requests(document, left_out)? {
        let operation = request.operation;
        let tag = operation.tag.as_deref().unwrap_or(&operation.host);
        let described = document.tags.iter().find(|known| known.name == tag);
        let name = described.and_then(|tag| tag.group.clone()).unwrap_or_else(|| names::module(tag));
        let group = groups.entry(name.clone()).or_insert_with(|| Group {
            tag: tag.to_owned(),
            name,
            words: described.and_then(|tag| tag.words.clone()),
            requests: Vec::new(),
        });
        // The module of a group already has these names.
        let ours = ["Call".to_owned(), names::pascal(&group.name), format!("Project{}", names::pascal(&group.name))];
        let others = &group.requests;
        let is_taken = |name: &str| ours.iter().any(|one| one == name) || others.iter().any(|one| one.name == name);
        request.name = format_ident!("{}", names::apart(&request.name.to_string(), is_taken));
        let is_taken = |name: &str| others.iter().any(|one| one.method == name);
        request.method = format_ident!("{}", names::apart(&request.method.to_string(), is_taken));
        group.requests.push(request);
    }
    Ok(groups.into_values().collect())
}

/// Returns the module that holds the others together.
fn index(groups: &[Group<'_>], hosts: &[Host], project: &Project) -> TokenStream {
    let (mut modules, mut accessors, mut all) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    let mut of_project = TokenStream::new();
    for group in groups {
        let (module, name) = (format_ident!("{}", group.name), format_ident!("{}", names::pascal(&group.name)));
        let words = group.words.as_deref().unwrap_or_default();
        let doc = format!("{words}\n\nThe contract's tag for them is `{}`.", group.tag);
        modules.extend(quote! { pub mod #module; });
        accessors.extend(quote! {
            #[doc = #doc]
            pub fn #module(&self) -> groups::#module::#name {
                groups::#module::#name::new(self.clone())
            }
        });
        if group.requests.iter().any(|request| operations::is_of_project(request, project)) {
            let in_project = format_ident!("Project{name}");
            of_project.extend(quote! {
                #[doc = #words]
                pub fn #module(&self) -> groups::#module::#in_project {
                    groups::#module::#in_project::new(self.client.clone(), self.name.clone())
                }
            });
        }
        for request in &group.requests {
            let operation = &request.name;
            all.extend(quote! { groups::#module::#operation::ENDPOINT, });
        }
    }
    let variants: Vec<Ident> = hosts.iter().map(|host| format_ident!("{}", names::pascal(&host.name))).collect();
    let (names, urls): (Vec<&str>, Vec<&str>) = hosts.iter().map(|host| (&*host.name, &*host.url)).unzip();
    let described = urls.iter().map(|url| match *url {
        "" => "The contract does not say where.".to_owned(),
        url => format!("`{url}`"),
    });
    let default_url = match urls.contains(&"") {
        true => {
            "Where the contract says that it is; empty where it does not, so that `ClientBuilder::base_url` has to."
        }
        false => "Where the contract says that it is.",
    };
    quote! {
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
        pub enum Host { #( #[doc = #described] #variants, )* }

        impl Host {
            /// Every host.
            pub const ALL: &'static [Self] = &[#( Self::#variants, )*];

            /// The name, as in `read`.
            pub fn name(self) -> &'static str {
                match self { #( Self::#variants => #names, )* }
            }

            #[doc = #default_url]
            pub fn default_url(self) -> &'static str {
                match self { #( Self::#variants => #urls, )* }
            }
        }
    }
}
