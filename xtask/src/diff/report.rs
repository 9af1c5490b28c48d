//! What is said of the changes: to a person at a terminal, and to a program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;

use super::contract::Contract;
use super::effects::Verdict;
use super::facts::Change;
use super::say::{reaches, sentence};
use super::semver::{self, Api, Bump, Crate};
use crate::project::Project;

/// The published file of each document.
pub(super) type Files<'a> = BTreeMap<&'a str, &'a str>;

pub(super) struct Report {
    pub(super) summary: Summary,
    pub(super) changes: Vec<Change>,
}

/// What follows from all changes together.
pub(super) struct Summary {
    pub(super) old: String,
    pub(super) new: String,
    pub(super) crates: Vec<Crate>,
    pub(super) api: Api,
    /// Published files that differ in what says nothing to a machine.
    pub(super) words_alone: Vec<String>,
    /// Published files that say the same in other ways.
    pub(super) rewritten: Vec<String>,
}

impl Summary {
    pub(super) fn new(
        (old, new): (&Contract, &Contract),
        changes: &[Change],
        api: Api,
        operations: &BTreeSet<String>,
        project: &Project,
        files: &Files<'_>,
    ) -> Self {
        let differs = |file: &&&str| match (old.published.get(**file), new.published.get(**file)) {
            (Some(before), Some(now)) => before != now,
            _ => false,
        };
        let changed = |name: &str| changes.iter().any(|change| change.document == name);
        let (mut words_alone, mut rewritten) = (Vec::new(), Vec::new());
        for (name, file) in files.iter().filter(|(_, file)| differs(file)).filter(|(name, _)| !changed(name)) {
            let same = old.documents.get(*name) == new.documents.get(*name);
            let list = if same { &mut words_alone } else { &mut rewritten };
            list.push((*file).to_owned());
        }
        let crates = semver::crates(changes, &api, operations, project);
        Self { old: old.place.clone(), new: new.place.clone(), crates, api, words_alone, rewritten }
    }

    /// What differs and is no change of the contract.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.words_alone.is_empty() {
            let files = self.words_alone.join(", ");
            notes.push(format!("In words, examples or vendor extensions alone, which is no change: {files}."));
        }
        let types = self.api.types_gone();
        if !types.is_empty() {
            notes.push(format!("Types that are gone, or have another name: {}.", types.join(", ")));
        }
        if !self.rewritten.is_empty() {
            notes.push(format!("Written in another way and saying the same: {}.", self.rewritten.join(", ")));
        }
        notes
    }
}

/// Changes are told in these groups, in this order.
pub(super) const GROUPS: [(Verdict, &str); 3] =
    [(Verdict::Breaking, "Breaking"), (Verdict::Warning, "To be looked at"), (Verdict::Compatible, "Compatible")];

impl Report {
    pub(super) fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.verdict() == verdict)
    }

    pub(super) fn code(&self) -> u8 {
        match self.changes.iter().map(Change::verdict).max() {
            None => 0,
            Some(Verdict::Breaking) => 2,
            Some(_) => 1,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("from {}\nto   {}\n\n", self.summary.old, self.summary.new);
        for Crate { name, bump, why } in &self.summary.crates {
            let _ = writeln!(text, "{name:<24} {:<6} {why}", bump.word());
        }
        if self.changes.is_empty() {
            text.push_str("\nno change\n");
        }
        for (verdict, title) in GROUPS {
            let count = self.of(verdict).count();
            if count > 0 {
                let _ = writeln!(text, "\n{} ({count})", title.to_uppercase());
            }
            for change in self.of(verdict) {
                let verdicts = [
                    ("inbound", change.inbound),
                    ("inbound, closed", change.inbound_closed),
                    ("outbound", change.outbound),
                    ("source", change.source),
                ];
                let verdicts: Vec<String> =
                    verdicts.iter().map(|(name, verdict)| format!("{name} {}", word(*verdict))).collect();
                let _ = writeln!(text, "\n  {} {}", change.document, sentence(change, ""));
                let _ = writeln!(text, "    {}", verdicts.join(" · "));
                let _ = writeln!(text, "    {}", change.reason);
                if !change.reaches.is_empty() {
                    let _ = writeln!(text, "    reaches {}", reaches(change, ""));
                }
            }
        }
        for note in self.summary.notes() {
            let _ = writeln!(text, "\n{note}");
        }
        text
    }

    pub(super) fn json(&self) -> Result<String> {
        let Summary { old, new, crates, api, words_alone, rewritten } = &self.summary;
        let count = |verdict| self.of(verdict).count();
        let semver: BTreeMap<&str, Bump> = crates.iter().map(|one| (one.name.as_str(), one.bump)).collect();
        let reasons: BTreeMap<&str, &str> = crates.iter().map(|one| (one.name.as_str(), one.why.as_str())).collect();
        let value = json!({
            "changes": self.changes,
            "summary": {
                "from": old,
                "to": new,
                "exitCode": self.code(),
                "changes": self.changes.len(),
                "breaking": count(Verdict::Breaking),
                "warning": count(Verdict::Warning),
                "compatible": count(Verdict::Compatible),
                "semver": semver,
                "semverReasons": reasons,
                "apiGone": api.gone,
                "apiNew": api.new,
                "wordsAlone": words_alone,
                "rewritten": rewritten,
            },
        });
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }
}

pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Breaking => "breaking",
        Verdict::Warning => "warning",
        Verdict::Compatible => "compatible",
    }
}
