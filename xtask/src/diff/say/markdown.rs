//! What is said of the changes to who reads a pull request or a changelog.

use std::fmt::Write as _;

use super::report::Report;
use super::{beside, capital, reaches, says_reach, sentence};
use crate::diff::effects::Verdict;
use crate::diff::effects::reach::Change;
use crate::diff::effects::semver::Crate;
use crate::diff::facts::kind::word;

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
        for (title, group) in self.groups() {
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
pub(crate) fn alike<'a>(changes: &[&'a Change]) -> Vec<Vec<&'a Change>> {
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
    let text = format!("{} ({}).", capital(&sentence(changes, "`")), first.document);
    match says_reach(changes) {
        true => text,
        false => format!("{text} Reaches {}.", reaches(first, "`")),
    }
}
