//! What is said of the changes to who reads a pull request or a changelog.

use std::fmt::Write as _;

use super::effects::Verdict;
use super::facts::{Change, Kind};
use super::report::{Report, reaches, sentence};
use super::semver::Crate;
use super::words::and;

impl Report {
    pub(super) fn markdown(&self) -> String {
        let summary = &self.summary;
        let mut text = format!("Changes of the contract, from {} to {}.\n", summary.old, summary.new);
        text.push_str("\n| crate | next version | why |\n| --- | --- | --- |\n");
        for Crate { name, bump, why } in &summary.crates {
            let _ = writeln!(text, "| `{name}` | **{}** | {why} |", bump.word());
        }
        if self.changes.is_empty() {
            text.push_str("\nNothing that a program could notice changed.\n");
        }
        for (title, group) in self.groups() {
            if !group.is_empty() {
                let _ = writeln!(text, "\n### {title}\n");
            }
            for changes in alike(&group) {
                text.push_str(&bullet(&changes));
            }
        }
        for note in summary.notes() {
            let _ = writeln!(text, "\n{note}");
        }
        text
    }

    /// What breaks first, and of that first what breaks without being compiled anew.
    fn groups(&self) -> [(&'static str, Vec<&Change>); 5] {
        let breaking = |of: fn(&Change) -> bool| self.of(Verdict::Breaking).filter(|change| of(change)).collect();
        [
            ("Breaks who decodes", breaking(|change| change.inbound == Verdict::Breaking)),
            (
                "Breaks who sends or builds values",
                breaking(|change| change.inbound != Verdict::Breaking && change.outbound == Verdict::Breaking),
            ),
            (
                "Breaks code that is compiled anew",
                breaking(|change| change.inbound.max(change.outbound) != Verdict::Breaking),
            ),
            ("To be looked at", self.of(Verdict::Warning).collect()),
            ("Compatible", self.of(Verdict::Compatible).collect()),
        ]
    }
}

/// Changes with one reason are told together.
pub(super) fn alike<'a>(changes: &[&'a Change]) -> Vec<Vec<&'a Change>> {
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

/// Fields of one object, values of one enum and statuses of one operation are told in one sentence.
pub(super) fn beside<'c, 'a>(changes: &'c [&'a Change]) -> Vec<&'c [&'a Change]> {
    let are_beside = |one: &&Change, other: &&Change| {
        let place = |change: &Change| (change.document.clone(), change.schema.clone(), owner(change).to_owned());
        let is_listed = matches!(
            one.kind,
            Kind::FieldAdded
                | Kind::FieldRemoved
                | Kind::EnumValueAdded
                | Kind::EnumValueRemoved
                | Kind::ResponseAdded
                | Kind::ResponseRemoved
        );
        is_listed && one.kind == other.kind && place(one) == place(other) && one.reaches == other.reaches
    };
    changes.chunk_by(are_beside).collect()
}

/// The path of what has the field, the value or the status.
fn owner(change: &Change) -> &str {
    match change.kind {
        Kind::EnumValueAdded | Kind::EnumValueRemoved => &change.path,
        _ => change.path.rsplit_once('.').map_or("$", |(owner, _)| owner),
    }
}

fn told(changes: &[&Change]) -> String {
    let Some(first) = changes.first() else { return String::new() };
    let text = format!("{} ({}).", capital(&said(changes)), first.document);
    match says_reach(&text, first) {
        true => text,
        false => format!("{text} Reaches {}.", reaches(first, "`")),
    }
}

/// Whether a text names what a change reaches: it is not said twice.
pub(super) fn says_reach(text: &str, change: &Change) -> bool {
    change.reaches.iter().all(|name| text.contains(&format!("`{name}")) || text.contains(&format!("{name}`")))
}

/// What changes beside each other are, in a sentence without its end.
pub(super) fn said(changes: &[&Change]) -> String {
    let first = match changes {
        [] => return String::new(),
        [one] => return sentence(one, "`"),
        [first, ..] => first,
    };
    let place = format!("`{}{}`", first.schema, owner(first).trim_start_matches('$'));
    let of = |change: &Change| change.new.as_ref().or(change.old.as_ref()).cloned().unwrap_or_default();
    let values = || and(changes.iter().map(|change| format!("`{}`", of(change))).collect());
    let fields = || {
        let name = |change: &Change| change.path.rsplit('.').next().unwrap_or_default().to_owned();
        and(changes.iter().map(|change| format!("`{}` ({})", name(change), of(change))).collect())
    };
    match first.kind {
        Kind::FieldAdded => format!("{place} has new fields: {}", fields()),
        Kind::FieldRemoved => format!("{place} has no longer: {}", fields()),
        Kind::EnumValueAdded => format!("{place} may be {} too", values()),
        Kind::EnumValueRemoved => format!("{place} is no longer {}", values()),
        Kind::ResponseAdded => format!("`{}` may answer {} too", first.schema, values()),
        _ => format!("`{}` no longer answers {}", first.schema, values()),
    }
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
