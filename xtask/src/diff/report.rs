//! What is said of the changes: to a person at a terminal, and to a program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;

use super::contract::Contract;
use super::effects::Verdict;
use super::facts::{Change, Kind};
use super::semver::{self, Api, Bump, Crate};
use super::words::and;
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

/// What a change reaches, as far as a reader wants to know.
pub(super) fn reaches(change: &Change, quote: &str) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<String> =
        change.reaches.iter().take(SHOWN).map(|name| format!("{quote}{name}{quote}")).collect();
    let rest = change.reaches.len().saturating_sub(SHOWN);
    if rest > 0 {
        names.push(format!("{rest} more"));
    }
    and(names)
}

/// What a change is, in a sentence without its end. What is of the contract stands in quotes.
pub(super) fn sentence(change: &Change, quote: &str) -> String {
    let q = |text: &str| format!("{quote}{text}{quote}");
    let place = match (change.schema.as_str(), change.path.as_str()) {
        (schema, "$") => schema.to_owned(),
        ("", path) => path.trim_start_matches("$.").to_owned(),
        (schema, path) => format!("{schema}{}", path.trim_start_matches('$')),
    };
    let (schema, place) = (q(&change.schema), q(&place));
    let (old, new) = (change.old.as_deref(), change.new.as_deref());
    let (was, is) = (old.unwrap_or("nothing"), new.unwrap_or("nothing"));
    let last = q(change.path.rsplit('.').next().unwrap_or_default());
    match change.kind {
        Kind::EventTypeAdded => format!("event {} is new", q(is)),
        Kind::EventTypeRemoved => format!("event {} is gone", q(was)),
        Kind::EventTypeRenamed => format!("event {} is called {} now", q(was), q(is)),
        Kind::SchemaAdded | Kind::FieldAdded | Kind::OperationAdded => format!("{place} is new: {is}"),
        Kind::SchemaRemoved | Kind::FieldRemoved | Kind::OperationRemoved => format!("{place} is gone: {was}"),
        Kind::FieldRenamed => format!("{place} is called {} now", q(is)),
        Kind::OperationRenamed => format!("operation {} is called {} now", q(was), q(is)),
        Kind::FieldMoved => format!("{place} is {} now", q(is.trim_start_matches("$."))),
        Kind::BecameRequired => format!("{place} is required now, and was {was}"),
        Kind::BecameOptional => format!("{place} is optional now, and was {was}"),
        Kind::BecameConditional | Kind::ConditionChanged => format!("{place} was {was}; now it takes {is}"),
        Kind::TypeWidened => format!("{place} may be {is} now, and was {was}"),
        Kind::TypeNarrowed => format!("{place} has to be {is} now, and could be {was}"),
        Kind::TypeChanged => format!("{place} is {is} now, and was {was}"),
        Kind::EnumIntroduced => format!("{place} has to be {is} now, and could be any {was}"),
        Kind::EnumDropped => format!("{place} may be any {is} now, and was {was}"),
        Kind::EnumValueAdded => format!("{place} may be {} too", q(is)),
        Kind::EnumValueRemoved => format!("{place} is never {} any more", q(was)),
        Kind::EnumValueRenamed => format!("{place} says {} for {}", q(is), q(was)),
        Kind::BoundChanged | Kind::FormatChanged | Kind::DefaultChanged | Kind::KeywordChanged => match (old, new) {
            (None, _) => format!("{place} says {} now", q(is)),
            (_, None) => format!("{place} no longer says {}", q(was)),
            _ => format!("{place} says {} now, and said {}", q(is), q(was)),
        },
        Kind::ReadOnlyChanged | Kind::WriteOnlyChanged => match new {
            Some(_) => format!("{place} is {} now", change.kind.words().trim_end_matches(" changed")),
            None => format!("{place} is no longer {}", change.kind.words().trim_end_matches(" changed")),
        },
        Kind::Deprecated | Kind::NoLongerDeprecated => format!("{place} is {}", change.kind.words()),
        Kind::OtherFieldsRefused | Kind::OtherFieldsAllowed => {
            format!("{place} takes {is} in fields that it does not name, and took {was}")
        }
        Kind::OperationMoved => format!("{schema} is at {} now, and was at {}", q(is), q(was)),
        Kind::TagChanged => format!("{schema} is under the tag {is} now, and was under {was}"),
        Kind::OperationChanged => format!("{place} is {is} now, and was {was}"),
        Kind::ParameterAdded => format!("{schema} takes the {is} parameter {last}"),
        Kind::ParameterRemoved => format!("{schema} does not take the {was} parameter {last} any more"),
        Kind::ParameterRenamed => format!("{schema} calls its parameter {} {} now", q(was), q(is)),
        Kind::RequestBodyAdded => format!("{schema} takes an {is}"),
        Kind::RequestBodyRemoved => format!("{schema} does not take {was} any more"),
        Kind::ResponseAdded => format!("{schema} may answer {} too", q(is)),
        Kind::ResponseRemoved => format!("{schema} does not answer {} any more", q(was)),
        Kind::ResponseRenamed => format!("{schema} answers {} where it answered {}", q(is), q(was)),
        Kind::ContentTypeAdded => format!("{place} may be {} too", q(is)),
        Kind::ContentTypeRemoved => format!("{place} is never {} any more", q(was)),
        Kind::SecurityChanged if schema.len() == 2 * quote.len() => {
            format!("the operations are called with {is} now, and were with {was}")
        }
        Kind::SecurityChanged => format!("{schema} is called with {is} now, and was with {was}"),
        Kind::ServersChanged => format!("the servers are {is} now, and were {was}"),
    }
}
