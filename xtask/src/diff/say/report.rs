//! The report of a comparison, as text for a terminal and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;

use super::{reaches, sentence};
use crate::diff::contract::Contract;
use crate::diff::effects::Verdict;
use crate::diff::effects::reach::Change;
use crate::diff::effects::semver::{Api, Bump, Crate};
use crate::keywords::word;

/// The published file of each document.
pub(crate) type Files<'a> = BTreeMap<&'a str, &'a str>;

/// The changes, and the versions that they ask for.
pub(crate) struct Report {
    pub(crate) old: String,
    pub(crate) new: String,
    pub(crate) changes: Vec<Change>,
    pub(crate) crates: Vec<Crate>,
    pub(crate) api: Api,
    /// Published files that differ in descriptions and examples only.
    pub(crate) words_alone: Vec<String>,
    /// Published files that differ, and mean the same.
    pub(crate) rewritten: Vec<String>,
}

/// The groups of changes, in the order of the report.
pub(crate) const GROUPS: [(Verdict, &str); 3] =
    [(Verdict::Breaking, "Breaking"), (Verdict::Warning, "To be looked at"), (Verdict::Compatible, "Compatible")];

impl Report {
    pub(crate) fn new(
        old: &Contract,
        new: &Contract,
        files: &Files<'_>,
        changes: Vec<Change>,
        crates: Vec<Crate>,
        api: Api,
    ) -> Self {
        let differs = |name: &str, file: &str| match (old.published.get(file), new.published.get(file)) {
            (Some(before), Some(now)) => before != now && changes.iter().all(|change| change.place.document != name),
            _ => false,
        };
        let unchanged = files.iter().filter(|(name, file)| differs(name, file));
        let (words_alone, rewritten): (Vec<_>, Vec<_>) =
            unchanged.partition(|(name, _)| old.documents.get(**name) == new.documents.get(**name));
        let [words_alone, rewritten] =
            [words_alone, rewritten].map(|files| files.into_iter().map(|(_, file)| (*file).to_owned()).collect());
        Self { old: old.place.clone(), new: new.place.clone(), changes, crates, api, words_alone, rewritten }
    }

    pub(crate) fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.verdict() == verdict)
    }

    pub(crate) fn code(&self) -> u8 {
        match self.changes.iter().map(Change::verdict).max() {
            None => 0,
            Some(Verdict::Breaking) => 2,
            Some(_) => 1,
        }
    }

    /// Returns sentences about differences that do not change the contract.
    pub(crate) fn notes(&self) -> Vec<String> {
        let notes = [
            ("In words, examples or vendor extensions alone, which is no change", self.words_alone.join(", ")),
            ("Types that are gone, or have another name", self.api.types_gone().join(", ")),
            ("Written in another way and saying the same", self.rewritten.join(", ")),
        ];
        notes.iter().filter(|(_, names)| !names.is_empty()).map(|(words, names)| format!("{words}: {names}.")).collect()
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!("from {}\nto   {}\n\n", self.old, self.new);
        for Crate { name, bump, why } in &self.crates {
            let _ = writeln!(text, "{name:<24} {:<6} {why}", word(bump));
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
                let _ = writeln!(text, "\n  {} {}", change.place.document, sentence(&[change], ""));
                let _ = writeln!(text, "    {}", verdicts.join(" · "));
                let _ = writeln!(text, "    {}", change.reason);
                if !change.reaches.is_empty() {
                    let _ = writeln!(text, "    reaches {}", reaches(change, ""));
                }
            }
        }
        for note in self.notes() {
            let _ = writeln!(text, "\n{note}");
        }
        text
    }

    pub(crate) fn json(&self) -> Result<String> {
        let count = |verdict| self.of(verdict).count();
        let semver: BTreeMap<&str, Bump> = self.crates.iter().map(|one| (one.name.as_str(), one.bump)).collect();
        let reasons: BTreeMap<&str, &str> =
            self.crates.iter().map(|one| (one.name.as_str(), one.why.as_str())).collect();
        let value = json!({
            "changes": self.changes,
            "summary": {
                "from": self.old,
                "to": self.new,
                "exitCode": self.code(),
                "changes": self.changes.len(),
                "breaking": count(Verdict::Breaking),
                "warning": count(Verdict::Warning),
                "compatible": count(Verdict::Compatible),
                "semver": semver,
                "semverReasons": reasons,
                "apiGone": self.api.gone,
                "apiNew": self.api.new,
                "wordsAlone": self.words_alone,
                "rewritten": self.rewritten,
            },
        });
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }
}
