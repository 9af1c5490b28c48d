//! Decides the next version of each crate.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Verdict;
use super::reach::Change;
use crate::diff::facts::kind::{Kind, Section};
use crate::diff::facts::words::and;
use crate::model;
use crate::model::names::pascal;
use crate::model::{Content, Context, Document, Documents, Form, Model, Module, Need, Rust, Schema, Shared, joined};
use crate::project::{Dependent, Project};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Bump {
    #[default]
    None,
    Patch,
    Minor,
    Major,
}

/// A crate, the smallest version bump that it needs, and why.
#[derive(Clone, Debug)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) bump: Bump,
    pub(crate) why: String,
}

/// The Rust names that only one of the contracts leads to. A renamed schema changes no contract, but it is another type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Api {
    pub(crate) gone: Vec<String>,
    pub(crate) new: Vec<String>,
}

/// Returns the crates and the version bumps that the changes ask for.
///
/// As in Cargo, removing a name that code may use is a major change. Structs and enums are `non_exhaustive`, so a new
/// field or variant is a minor change, as is a new type, operation or optional parameter. A change of words alone is a
/// patch.
pub(crate) fn crates(changes: &[Change], api: &Api, operations: &BTreeSet<String>, project: &Project) -> Vec<Crate> {
    let of_types = changes.iter().filter(|change| project.module(&change.place.document).is_some());
    let of_client = changes.iter().filter(|change| change.reaches.iter().any(|name| operations.contains(name)));
    let mut crates = vec![
        api.raise(bump(project.types.package(), &of_types.collect::<Vec<_>>())),
        api.raise(bump(project.client.package(), &of_client.collect::<Vec<_>>())),
    ];
    let is_new = crates.get(1).is_some_and(|client| client.bump == Bump::Minor);
    let dependents: Vec<Crate> =
        project.dependents.iter().map(|dependent| follow(dependent, &crates, changes, is_new)).collect();
    crates.extend(dependents);
    crates.retain(|one| !one.name.is_empty());
    crates
}

/// Decides the bump of a crate that depends on the generated ones.
fn follow(dependent: &Dependent, crates: &[Crate], changes: &[Change], is_type_new: bool) -> Crate {
    let used = crates.iter().rev().filter(|one| dependent.uses.contains(&one.name)).max_by_key(|one| one.bump);
    let any = |kinds: &[Kind]| changes.iter().any(|change| kinds.contains(&change.kind));
    let of = |is: bool, why: &Option<String>, bump| why.clone().filter(|_| is).map(|why| (bump, why));
    let (bump, why) = match used {
        Some(used) if dependent.exposes && used.bump == Bump::Major => {
            (Bump::Major, format!("its API has types of {} in it", used.name))
        }
        Some(used) if used.bump > Bump::None => {
            of(any(&[Kind::EventTypeRemoved, Kind::EventTypeRenamed]), &dependent.gone_event, Bump::Major)
                .or_else(|| of(any(&[Kind::EventTypeAdded]), &dependent.new_event, Bump::Minor))
                .or_else(|| of(is_type_new, &dependent.new_type, Bump::Minor))
                .unwrap_or_else(|| (Bump::Patch, dependent.otherwise.clone()))
        }
        _ => (Bump::None, "it does not depend on the changes".to_owned()),
    };
    Crate { name: dependent.name.clone(), bump, why }
}

fn bump(name: String, changes: &[&Change]) -> Crate {
    let count = |of: fn(&Change) -> bool| changes.iter().filter(|change| of(change)).count();
    let breaking = count(|change| change.source == Verdict::Breaking);
    let unusual = count(|change| change.source == Verdict::Warning);
    let added = count(is_addition);
    let (bump, why) = match (breaking, unusual, added, changes.len()) {
        (0, 0, 0, 0) => (Bump::None, "its part of the contract did not change".to_owned()),
        (0, 0, 0, _) => (Bump::Patch, "no name and no type changed".to_owned()),
        (0, 1, 0, _) => (Bump::Minor, "1 change that breaks no code".to_owned()),
        (0, unusual, 0, _) => (Bump::Minor, format!("{unusual} changes that break no code")),
        (0, _, added, _) => (Bump::Minor, format!("{} more, and none less", things(added, "name"))),
        (breaking, ..) => (Bump::Major, format!("{} that may break code", things(breaking, "change"))),
    };
    Crate { name, bump, why }
}

fn things(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Whether the change adds a name that code can use. `Api` finds new types.
pub(crate) fn is_addition(change: &Change) -> bool {
    match change.kind {
        // A new default adds an accessor.
        Kind::DefaultChanged => change.old.is_none(),
        Kind::SchemaAdded => false,
        kind => kind.said().section == Section::Added,
    }
}

impl Api {
    /// Raises the bump of a crate for names that are gone or new without a change of the contract.
    fn raise(&self, of: Crate) -> Crate {
        let path = of.name.replace('-', "_") + "::";
        let of_crate = |names: &[String]| -> Vec<String> {
            names.iter().filter_map(|name| name.strip_prefix(&path)).map(str::to_owned).collect()
        };
        let (gone, new) = (of_crate(&self.gone), of_crate(&self.new));
        if !gone.is_empty() && of.bump < Bump::Major {
            let why = format!("schemas have other names, places or uses, and so this is gone: {}", and(gone));
            Crate { bump: Bump::Major, why, ..of }
        } else if !new.is_empty() && of.bump < Bump::Minor {
            Crate { bump: Bump::Minor, why: format!("this is new: {}", and(new)), ..of }
        } else {
            of
        }
    }

    /// Returns the types that are gone, without their fields and variants.
    pub(crate) fn types_gone(&self) -> Vec<&str> {
        let is_type = |name: &&str| !name.contains(['.', '(']) && name.split("::").count() == 3;
        self.gone.iter().map(String::as_str).filter(is_type).collect()
    }

    /// Compares the Rust names that the steps make of two contracts. A module for which a step fails is left out.
    pub(crate) fn between(old: &Documents, new: &Documents, project: &Project) -> Self {
        let (mut api, [old, new]) = (Self::default(), [old, new].map(|documents| all_names(documents, project)));
        for ((path, before), (_, now)) in old.into_iter().zip(new) {
            if let (Some(before), Some(now)) = (before, now) {
                let named = |name: String| format!("{path}::{name}");
                api.gone.extend(before.beyond(&now).into_iter().map(named));
                api.new.extend(now.beyond(&before).into_iter().map(named));
            }
        }
        api
    }
}

/// The names of a module or of the client that code can use.
#[derive(Default)]
struct Names {
    /// Types, the fields that hold one, and the variants of enums.
    all: BTreeSet<String>,
    /// The types that the parts of operations hold.
    parts: BTreeMap<String, BTreeSet<String>>,
    /// The types of the fields of structs that alternatives become, by struct and field.
    fields: BTreeMap<(String, String), String>,
}

impl Names {
    /// Returns the names that the other contract does not lead to. A part of an operation whose own type was renamed is left
    /// out, and so are the fields of a struct of alternatives that is gone: the type itself is listed.
    fn beyond(&self, others: &Self) -> Vec<String> {
        let is_listed = |kind: &String| self.all.contains(kind) && !others.all.contains(kind);
        let both = self.parts.iter().filter_map(|(part, kinds)| Some((part, kinds, others.parts.get(part)?)));
        let parts = both.flat_map(|(part, kinds, known)| kinds.difference(known).map(move |kind| (part, kind)));
        let parts = parts.filter(|(_, kind)| !is_listed(kind)).map(|(part, kind)| format!("{part}: {kind}"));
        let fields = self
            .fields
            .iter()
            .filter(|(place, kind)| others.all.contains(&place.0) && others.fields.get(place) != Some(kind));
        let fields = fields.map(|((of, field), kind)| format!("{of}.{field} is {kind}"));
        let mut found: Vec<String> = self.all.difference(&others.all).cloned().chain(parts).chain(fields).collect();
        found.sort();
        found
    }
}

/// Returns the names of each module and of the client, by their paths; `None` where a step fails, or the documents cannot
/// be joined.
fn all_names(documents: &Documents, project: &Project) -> Vec<(String, Option<Names>)> {
    let model = Model::read(documents);
    let told_apart = |document: &Document| {
        let mut apart = document.clone();
        apart.tell_apart();
        (document.clone(), apart)
    };
    let (mut all, mut modules) = (Vec::new(), Vec::new());
    for module in &project.modules {
        let path = project.types.path(&module.name);
        let (published, document) = model.documents.get(&module.document).map(told_apart).unwrap_or_default();
        let document = stepped(document, &Context { project, path: &path, shared: &Shared::new() });
        modules.extend(document.as_ref().map(|document| Module::new(&path, published, document, project)));
        all.push((path, document));
    }
    let of_api = project.client.documents.iter().filter_map(|name| model.documents.get(name)).map(told_apart);
    let (path, joined) = (project.client.types_path(), joined(of_api.collect(), &modules).ok());
    let client =
        joined.and_then(|(document, shared)| stepped(document, &Context { project, path: &path, shared: &shared }));
    all.push((path, client));
    all.into_iter().map(|(path, document)| (path, document.map(|document| names(&document, project)))).collect()
}

/// Takes the steps of the generator on a document; `None` if one fails.
fn stepped(mut document: Document, context: &Context<'_>) -> Option<Document> {
    document.take_steps(context).ok()?;
    Some(document)
}

/// Returns the type that a field holds, or a list or map of. `None` for enums and scalar types, whose changes the facts
/// tell.
fn held(schema: &Schema) -> Option<String> {
    match (&schema.becomes, &schema.kind) {
        (Some(Rust::Type(path)), _) if schema.values.is_none() => Some(path.clone()),
        (Some(_), _) => None,
        (None, model::Kind::Reference(name, _)) => Some(pascal(name)),
        (None, model::Kind::Choice(_)) => None,
        (None, _) => schema.children().into_iter().find_map(|child| held(child)),
    }
}

/// Returns the types of a document, the variants of its enums, and the types of fields and of the parts of operations.
fn names(document: &Document, project: &Project) -> Names {
    let (mut found, directions) = (Names::default(), document.directions());
    let names = &mut found.all;
    for (name, schema) in &document.schemas {
        let is_only_sent = directions.is_only_sent(name);
        // The facts compare the alternatives, and not the struct that they become.
        let is_of_alternatives = !document.operations.is_empty()
            && schema.object().is_some_and(|object| !object.of_other_alternatives.is_empty());
        let name = pascal(name);
        for (field, of) in schema.fields() {
            names.extend(held(&of.schema).map(|kind| format!("{name}.{field}: {kind}")));
            // A type that programs only send has plain field types, until they receive it too.
            let plain = match of.schema.rust() {
                Rust::Integer => Some("integer"),
                Rust::List if of.need == Need::Required => Some("array"),
                _ => None,
            };
            names.extend(plain.filter(|_| is_only_sent).map(|kind| format!("{name}.{field}: plain {kind}")));
            if is_of_alternatives {
                let need = if of.schema.is_option(of.need) { "optional" } else { "required" };
                found.fields.insert((name.clone(), field.clone()), format!("{need} {:?}", of.schema.rust()));
            }
        }
        names.insert(name);
    }
    for operation in document.operations.iter().filter(|operation| operation.obstacle().is_none()) {
        let has_type = |content: &Content<'_>| matches!(content.form, Form::Json | Form::Choice | Form::Pairs);
        let [body, response] =
            [operation.written(), operation.decoded()].map(|content| content.of.filter(|_| has_type(&content)));
        let parameters = operation.parameters.iter().filter(|one| one.is_set_by_callers());
        let parameters = parameters.map(|one| (one.name.as_str(), &one.schema));
        let bodies = [("body", body), ("response", response)].into_iter().filter_map(|(part, of)| Some((part, of?.1)));
        for (part, schema) in parameters.chain(bodies) {
            if let Some(kind) = held(schema) {
                found.parts.entry(format!("{}({part})", operation.id)).or_default().insert(kind);
            }
        }
    }
    for open in &document.enums {
        names.extend(open.values.iter().map(|value| format!("{}::{}", open.name, pascal(value))));
        names.insert(open.name.clone());
    }
    for event in &document.events {
        let variant = pascal(&event.kind);
        names.insert(format!("Event::{variant}({})", pascal(&event.data)));
        let list = project.event.iter().map(|event| &event.list);
        names.extend(list.flat_map(|list| [list.clone(), format!("{list}::{variant}")]));
    }
    found
}
