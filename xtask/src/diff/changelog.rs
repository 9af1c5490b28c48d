//! What is said of the changes to who uses the crates: what breaks, and why, then what is new.

use std::collections::BTreeSet;

use super::effects::Verdict;
use super::facts::{Change, Kind};
use super::markdown::{alike, beside, capital, said, says_reach};
use super::report::{Report, reaches};
use super::semver::is_addition;
use super::words::and;

/// The sections of a changelog, in the order in which they matter to who updates.
const SECTIONS: [&str; 4] = ["Removed", "Changed", "Deprecated", "Added"];

impl Report {
    /// For each crate and in each section an entry for each reason for which something breaks, and one for the rest. What
    /// changes no type and no promise is left to the diff.
    pub(super) fn changelog(&self) -> Vec<(&'static str, Vec<String>)> {
        let of = |name: &'static str| {
            let mut entries = Vec::new();
            for package in self.summary.crates.iter().take(2).map(|made| &made.name) {
                let is_of_it = |change: &&Change| section(change) == Some(name) && change.package == *package;
                let (breaking, others): (Vec<&Change>, Vec<&Change>) =
                    self.changes.iter().filter(is_of_it).partition(|change| change.verdict() == Verdict::Breaking);
                for changes in alike(&breaking) {
                    let reason = changes.first().map(|change| capital(&change.reason)).unwrap_or_default();
                    entries.push(format!("**Breaking**, `{package}`: {}. {reason}.", sentences(&changes)));
                }
                if !others.is_empty() {
                    entries.push(together(package, &others));
                }
            }
            (name, entries)
        };
        SECTIONS.into_iter().map(of).filter(|(_, entries)| !entries.is_empty()).collect()
    }
}

/// What changed, and once what of it is to be minded.
fn together(package: &str, changes: &[&Change]) -> String {
    let warnings = changes.iter().filter(|change| change.verdict() == Verdict::Warning);
    let reasons: BTreeSet<String> = warnings.map(|change| format!(" {}.", capital(&change.reason))).collect();
    format!("`{package}`, as the contract has it: {}.{}", sentences(changes), String::from_iter(reasons))
}

/// What changed, and what it is a change of where its own name does not say so. What is the same of several is said once.
fn sentences(changes: &[&Change]) -> String {
    let mut told: Vec<Told> = Vec::new();
    for changes in beside(changes) {
        let text = said(changes);
        let (subject, rest) = text.strip_prefix('`').and_then(|text| text.split_once('`')).unwrap_or(("", &text));
        let of_several = of_several(rest).filter(|_| !subject.is_empty());
        match told.iter_mut().find(|known| of_several.is_some() && known.of_several == of_several) {
            Some(known) => known.subjects.push(format!("`{subject}`")),
            None => {
                let beyond = changes.first().filter(|change| !says_reach(&text, change));
                let reach = beyond.map(|change| format!(", in {}", reaches(change, "`"))).unwrap_or_default();
                told.push(Told { subjects: vec![format!("`{subject}`")], of_several, of_one: text + &reach });
            }
        }
    }
    told.into_iter().map(Told::sentence).collect::<Vec<_>>().join("; ")
}

/// What is said of one thing or, where it is the same, of several.
struct Told {
    subjects: Vec<String>,
    /// Without the subjects; none where it cannot be said of several.
    of_several: Option<String>,
    /// With the subject.
    of_one: String,
}

impl Told {
    fn sentence(self) -> String {
        match self.of_several {
            Some(rest) if self.subjects.len() > 1 => and(self.subjects) + &rest,
            _ => self.of_one,
        }
    }
}

/// What is said of one thing, as it is said of several.
fn of_several(rest: &str) -> Option<String> {
    let verbs = [(" is ", " are "), (" has ", " have "), (" may ", " may "), (" takes ", " take "), (" does ", " do ")];
    let (several, rest) = verbs.iter().find_map(|(one, several)| Some((several, rest.strip_prefix(one)?)))?;
    Some(format!("{several}{}", rest.replace(", and was ", ", and were ")))
}

fn section(change: &Change) -> Option<&'static str> {
    let is_worth_it = change.verdict() > Verdict::Compatible;
    match change.kind {
        Kind::SchemaAdded => Some("Added"),
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
