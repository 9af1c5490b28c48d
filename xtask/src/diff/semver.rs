//! What follows for the version of each crate.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::changes::{Change, Kind};
use super::roots::TYPES;
use super::side::{Documents, has_operations};
use super::verdict::Verdict;
use crate::document;
use crate::lower::{self, ENUMS, EVENTS, Event, OpenEnum, PASSES};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Bump {
    #[default]
    None,
    Patch,
    Minor,
    Major,
}

impl Bump {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// A crate, what its next version is at least, and why.
#[derive(Clone, Debug)]
pub(super) struct Crate {
    pub(super) name: &'static str,
    pub(super) bump: Bump,
    pub(super) why: String,
}

/// What of the types' Rust is not in one contract and is in the other, whatever the changes say: schemas that only got
/// another name are other types.
#[derive(Clone, Debug, Default)]
pub(super) struct Api {
    pub(super) gone: Vec<String>,
    pub(super) new: Vec<String>,
}

/// The crates, by what changed.
///
/// As Cargo has it, what existing code may use and no longer can is a major change; and a field more is one, because a
/// struct of ours can be written out field by field. Variants are added to enums that are `non_exhaustive`: that is a
/// minor change, as is any type, operation or optional parameter more. What changes nothing but what is said is a patch.
pub(super) fn crates(changes: &[Change], api: &Api, operations: &BTreeSet<&str>) -> Vec<Crate> {
    let of_types: Vec<&Change> = changes.iter().filter(|change| TYPES.contains(&change.document.as_str())).collect();
    let of_client: Vec<&Change> =
        changes.iter().filter(|change| change.reaches.iter().any(|name| operations.contains(name.as_str()))).collect();
    let mut types = bump("ampersand-types", &of_types);
    if !api.gone.is_empty() && types.bump < Bump::Major {
        let why = format!("schemas have other names or places, and so this is gone: {}", api.gone.join(", "));
        types = Crate { bump: Bump::Major, why, ..types };
    } else if !api.new.is_empty() && types.bump < Bump::Minor {
        types = Crate { bump: Bump::Minor, why: format!("types are new: {}", api.new.join(", ")), ..types };
    }
    let client = bump("ampersand-client", &of_client);

    let events = |kinds: &[Kind]| changes.iter().filter(|change| kinds.contains(&change.kind)).count();
    let (added, gone) = (events(&[Kind::EventTypeAdded]), events(&[Kind::EventTypeRemoved, Kind::EventTypeRenamed]));
    let follows = |name, otherwise: Bump, why: &str| match types.bump {
        Bump::Major => Crate { name, bump: Bump::Major, why: "its API has types of ampersand-types in it".to_owned() },
        Bump::None => Crate { name, bump: Bump::None, why: "it has nothing of what changed".to_owned() },
        _ => Crate { name, bump: otherwise, why: why.to_owned() },
    };
    let notifications = follows("ampersand-notifications", Bump::Patch, "to ask for the new ampersand-types");
    let testing = match added {
        0 => follows("ampersand-testing", Bump::Patch, "to ask for the new ampersand-types"),
        _ => follows("ampersand-testing", Bump::Minor, "each new event has fixtures"),
    };
    let (bump, why) = match (gone, added, types.bump.max(client.bump)) {
        (1.., ..) => (Bump::Major, "`trigger` no longer knows an event"),
        (0, 1.., _) => (Bump::Minor, "`trigger` and `listen --demo` know new events"),
        (0, 0, Bump::None) => (Bump::None, "it has nothing of what changed"),
        _ => (Bump::Patch, "it is built with what changed, and is used as before"),
    };
    let cli = Crate { name: "ampersand-cli", bump, why: why.to_owned() };
    vec![types, client, notifications, testing, cli]
}

fn bump(name: &'static str, changes: &[&Change]) -> Crate {
    let count = |of: fn(&Change) -> bool| changes.iter().filter(|change| of(change)).count();
    let breaking = count(|change| change.source == Verdict::Breaking);
    let literal = count(|change| change.source == Verdict::Warning);
    let added = count(|change| is_addition(change.kind));
    let (bump, why) = match (breaking, literal, added, changes.len()) {
        (0, 0, 0, 0) => (Bump::None, "nothing that it is made of changed".to_owned()),
        (0, 0, 0, _) => (Bump::Patch, "no name and no type changed".to_owned()),
        (0, 0, added, _) => (Bump::Minor, format!("{} more, and nothing less", things(added, "name"))),
        (0, literal, ..) => {
            (Bump::Major, format!("{} more in structs that can be written out", things(literal, "field")))
        }
        (breaking, ..) => (Bump::Major, format!("{} by which code may not compile", things(breaking, "change"))),
    };
    Crate { name, bump, why }
}

pub(super) fn things(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

pub(super) fn is_addition(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::EventTypeAdded
            | Kind::SchemaAdded
            | Kind::FieldAdded
            | Kind::EnumValueAdded
            | Kind::OperationAdded
            | Kind::ParameterAdded
            | Kind::RequestBodyAdded
            | Kind::ContentTypeAdded
    )
}

/// The operations of both contracts.
pub(super) fn operations(documents: [&Documents; 2]) -> BTreeSet<&str> {
    let paths = documents.into_iter().flat_map(BTreeMap::values).filter(|document| has_operations(document));
    let items = paths.filter_map(|document| document["paths"].as_object()).flatten();
    let operations = items.filter_map(|(path, item)| Some((path, item.as_object()?)));
    operations
        .flat_map(|(path, item)| item.values().map(move |operation| operation["operationId"].as_str().unwrap_or(path)))
        .collect()
}

impl Api {
    /// The difference in names between what two contracts become in Rust. It is what the passes make of them; where
    /// these do not get through an old one, nothing can be said.
    pub(super) fn between(old: &Documents, new: &Documents) -> Self {
        let mut api = Self::default();
        for (document, module) in TYPES.into_iter().zip(["notifications", "messages", "config"]) {
            let of = |documents: &Documents| names(documents.get(document).unwrap_or(&Value::Null), module);
            let (Some(before), Some(now)) = (of(old), of(new)) else { continue };
            let named = |name: &String| format!("{module}::{name}");
            api.gone.extend(before.difference(&now).map(named));
            api.new.extend(now.difference(&before).map(named));
        }
        api
    }
}

/// The types of a module, the variants of its enums, and the fields that hold a type of the module.
fn names(document: &Value, module: &str) -> Option<BTreeSet<String>> {
    let mut lowered = document.clone();
    if lowered.is_null() {
        return Some(BTreeSet::new());
    }
    let context = lower::Context { module, path: module, shared: &BTreeMap::new() };
    for (_, run) in PASSES {
        run(&mut lowered, &context).ok()?;
    }
    let mut names = BTreeSet::new();
    for (name, schema) in document::schemas(&lowered).filter(|(_, schema)| lower::is_struct(schema)) {
        let name = lower::pascal(name);
        // Of the types of fields those that have a name; what else a field is, its changes say.
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let named = property["$ref"].as_str().and_then(document::schema_name);
            names.extend(named.map(|named| format!("{name}.{field}: {}", lower::pascal(named))));
        }
        names.insert(name);
    }
    let enums: Vec<OpenEnum> =
        lowered.get(ENUMS).map(|enums| serde_json::from_value(enums.clone())).transpose().ok()??;
    for open in enums {
        names.extend(open.values.iter().map(|value| format!("{}::{}", open.name, lower::pascal(value))));
        names.insert(open.name);
    }
    let events: Vec<Event> =
        lowered.get(EVENTS).map(|events| serde_json::from_value(events.clone())).transpose().ok()?.unwrap_or_default();
    names.extend(events.iter().map(|event| format!("Event::{}", lower::pascal(&event.notification_type))));
    Some(names)
}
