//! What is said of the changes to who reads a pull request or a changelog.

use std::fmt::Write as _;

use super::changes::Change;
use super::report::{Report, reaches, sentence};
use super::semver::Crate;
use super::verdict::Verdict;

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

/// Changes of one kind and with one reason are told together.
fn alike<'a>(changes: &[&'a Change]) -> Vec<Vec<&'a Change>> {
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    for change in changes {
        let key = |change: &'a Change| (change.kind, &change.reason);
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| key(first) == key(change))) {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    groups
}

fn bullet(changes: &[&Change]) -> String {
    let told = |change: &Change| {
        let text = format!("{} ({}).", capital(&sentence(change, "`")), change.document);
        // What it is said of is not said twice.
        match change.reaches.iter().all(|name| text.contains(&format!("`{name}")) || text.contains(&format!("{name}`")))
        {
            true => text,
            false => format!("{text} Reaches {}.", reaches(change, "`")),
        }
    };
    match changes {
        [] => String::new(),
        [one] => format!("- {} {}.\n", told(one), capital(&one.reason)),
        [first, ..] => {
            let mut text = format!("- {}:\n", capital(&first.reason));
            for change in changes {
                let _ = writeln!(text, "  - {}", told(change));
            }
            text
        }
    }
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
