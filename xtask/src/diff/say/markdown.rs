//! The report as Markdown for a pull request, and as entries for the changelog.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::report::Report;
use super::{beside, capital, of_several, reaches, says_reach, sentence, subject};
use crate::diff::effects::Verdict;
use crate::diff::effects::reach::Change;
use crate::diff::effects::semver::{Crate, is_addition};
use crate::diff::facts::kind::Section;
use crate::diff::facts::words::and;
use crate::keywords::word;

/// The groups of changes. The ones that break running programs come first.
const GROUPS: [&str; 5] = [
    "Breaks who decodes",
    "Breaks who sends or builds values",
    "Breaks code that is compiled anew",
    "To be looked at",
    "Compatible",
];

/// Returns the index of the group of a change.
fn group(change: &Change) -> usize {
    match change.verdict() {
        Verdict::Breaking if change.inbound == Verdict::Breaking => 0,
        Verdict::Breaking if change.outbound == Verdict::Breaking => 1,
        Verdict::Breaking => 2,
        Verdict::Warning => 3,
        Verdict::Compatible => 4,
    }
}

/// The sections of the changelog; the ones that cost users work come first.
const SECTIONS: [(Section, &str); 4] = [
    (Section::Removed, "Removed"),
    (Section::Changed, "Changed"),
    (Section::Deprecated, "Deprecated"),
    (Section::Added, "Added"),
];

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("Changes of the contract, from {} to {}.\n", self.old, self.new);
        text.push_str("\n| crate | next version | why |\n| --- | --- | --- |\n");
        for Crate { name, bump, why } in &self.crates {
            let _ = writeln!(text, "| `{name}` | **{}** | {why} |", word(bump));
        }
        if self.changes.is_empty() {
            text.push_str("\nNothing that a program could notice changed.\n");
        }
        for (number, title) in GROUPS.iter().enumerate() {
            let group: Vec<&Change> = self.changes.iter().filter(|change| group(change) == number).collect();
            if !group.is_empty() {
                let _ = writeln!(text, "\n### {title}\n");
            }
            for changes in alike(&group) {
                text.push_str(&bullet(&changes));
            }
        }
        for note in self.notes() {
            let _ = writeln!(text, "\n{note}");
        }
        text
    }

    /// Returns the entries of each section. Per crate, breaking changes with one reason share an entry, and the rest shares
    /// another. Changes that affect no type and no promise are left out.
    pub(crate) fn changelog(&self) -> Vec<(&'static str, Vec<String>)> {
        let of = |(of, name): (Section, &'static str)| {
            let mut entries = Vec::new();
            for package in self.crates.iter().take(2).map(|made| &made.name) {
                let is_of_it = |change: &&Change| section(change) == Some(of) && change.package == *package;
                let (breaking, others): (Vec<&Change>, Vec<&Change>) =
                    self.changes.iter().filter(is_of_it).partition(|change| change.verdict() == Verdict::Breaking);
                for changes in alike(&breaking) {
                    let reason = changes.first().map(|change| capital(&change.reason)).unwrap_or_default();
                    entries.push(format!("**Breaking**, `{package}`: {}. {reason}.", sentences(&changes)));
                }
                if !others.is_empty() {
                    entries.push(rest(package, &others));
                }
            }
            (name, entries)
        };
        SECTIONS.into_iter().map(of).filter(|(_, entries)| !entries.is_empty()).collect()
    }
}

/// Groups changes by their reason.
fn alike<'a>(changes: &[&'a Change]) -> Vec<Vec<&'a Change>> {
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    for change in changes {
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| first.reason == change.reason)) {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    groups
}

fn bullet(changes: &[&Change]) -> String {
    let Some(first) = changes.first() else { return String::new() };
    let reason = capital(&first.reason);
    match beside(changes).as_slice() {
        [one] => format!("- {} {reason}.\n", told(one)),
        several => {
            let mut text = format!("- {reason}:\n");
            for changes in several {
                let _ = writeln!(text, "  - {}", told(changes));
            }
            text
        }
    }
}

fn told(changes: &[&Change]) -> String {
    let Some(first) = changes.first() else { return String::new() };
    let text = format!("{} ({}).", capital(&sentence(changes, "`")), first.place.document);
    match says_reach(changes) {
        true => text,
        false => format!("{text} Reaches {}.", reaches(first, "`")),
    }
}

/// The entry for changes that break nobody, with each warning once.
fn rest(package: &str, changes: &[&Change]) -> String {
    let warnings = changes.iter().filter(|change| change.verdict() == Verdict::Warning);
    let reasons: BTreeSet<String> = warnings.map(|change| format!(" {}.", capital(&change.reason))).collect();
    format!("`{package}`, as the contract has it: {}.{}", sentences(changes), String::from_iter(reasons))
}

/// The sentences about changes. Subjects with the same predicate share a sentence.
fn sentences(changes: &[&Change]) -> String {
    let mut told: Vec<(Option<String>, Vec<&[&Change]>)> = Vec::new();
    let runs = beside(changes);
    for run in &runs {
        let same = of_several(run);
        match told.iter_mut().find(|(known, _)| same.is_some() && *known == same) {
            Some((_, alike)) => alike.push(run),
            None => told.push((same, vec![run])),
        }
    }
    let one = |(same, runs): (Option<String>, Vec<&[&Change]>)| match (same, runs.as_slice()) {
        (Some(same), [_, _, ..]) => {
            let subjects = runs.iter().map(|run| subject(run, "`"));
            format!("{} {same}", and(subjects.collect()))
        }
        (_, runs) => {
            let run = runs.first().copied().unwrap_or_default();
            let beyond = run.first().filter(|_| !says_reach(run));
            sentence(run, "`") + &beyond.map(|change| format!(", in {}", reaches(change, "`"))).unwrap_or_default()
        }
    };
    told.into_iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Returns the section of a change, if the changelog tells it.
fn section(change: &Change) -> Option<Section> {
    match change.kind.said().section {
        _ if is_addition(change) => Some(Section::Added),
        Section::Changed => (change.verdict() > Verdict::Compatible).then_some(Section::Changed),
        section => Some(section),
    }
}
