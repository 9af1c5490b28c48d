//! What is said of the changes to who uses the crates: what breaks, one by one, then what is new.

use std::collections::BTreeSet;

use super::changes::{Change, Kind};
use super::markdown::capital;
use super::report::{Report, reaches, sentence};
use super::roots::TYPES;
use super::semver::is_addition;
use super::verdict::Verdict;

/// The sections of a changelog, in the order in which they matter to who updates.
const SECTIONS: [&str; 4] = ["Removed", "Changed", "Deprecated", "Added"];

impl Report {
    /// An entry for each change that breaks somebody, and one for the rest of a crate's in each section. What changes
    /// no type and no promise is left to the diff.
    pub(super) fn changelog(&self) -> Vec<(&'static str, Vec<String>)> {
        let of = |name: &'static str| {
            let changes: Vec<&Change> =
                self.changes.iter().filter(|change| section(change).is_some_and(|is| is == name)).collect();
            let (breaking, others): (Vec<_>, Vec<_>) =
                changes.into_iter().partition(|change| change.verdict() == Verdict::Breaking);
            let mut entries: Vec<String> = breaking.into_iter().map(breaks).collect();
            for package in ["ampersand-types", "ampersand-client"] {
                let of_it: Vec<&Change> = others.iter().copied().filter(|change| krate(change) == package).collect();
                if !of_it.is_empty() {
                    entries.push(together(package, &of_it));
                }
            }
            (name, entries)
        };
        SECTIONS.into_iter().map(of).filter(|(_, entries)| !entries.is_empty()).collect()
    }
}

fn breaks(change: &Change) -> String {
    format!("**Breaking**, `{}`: {}. {}.", krate(change), tell(change), capital(&change.reason))
}

/// What changed, and once what of it is to be minded.
fn together(package: &str, changes: &[&Change]) -> String {
    let told: Vec<String> = changes.iter().map(|change| tell(change)).collect();
    let warnings = changes.iter().filter(|change| change.verdict() == Verdict::Warning);
    let reasons: BTreeSet<String> = warnings.map(|change| format!(" {}.", capital(&change.reason))).collect();
    format!("`{package}`, as the contract has it: {}.{}", told.join("; "), String::from_iter(reasons))
}

/// The change, and what it is a change of where its own name does not say so.
fn tell(change: &Change) -> String {
    let text = sentence(change, "`");
    let is_said = change.reaches.iter().all(|name| text.contains(&format!("`{name}")));
    if is_said { text } else { format!("{text}, in {}", reaches(change, "`")) }
}

/// The crate in which a change is first seen.
fn krate(change: &Change) -> &'static str {
    if TYPES.contains(&change.document.as_str()) { "ampersand-types" } else { "ampersand-client" }
}

fn section(change: &Change) -> Option<&'static str> {
    let is_worth_it = change.verdict() > Verdict::Compatible;
    match change.kind {
        Kind::SchemaAdded | Kind::FieldAdded => Some("Added"),
        _ if is_addition(change) => Some("Added"),
        Kind::EventTypeRemoved
        | Kind::SchemaRemoved
        | Kind::FieldRemoved
        | Kind::EnumValueRemoved
        | Kind::OperationRemoved
        | Kind::ParameterRemoved
        | Kind::ResponseRemoved => Some("Removed"),
        Kind::Deprecated => Some("Deprecated"),
        _ => is_worth_it.then_some("Changed"),
    }
}
