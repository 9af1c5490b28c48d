//! From what was found to what changed: each change once, with all that it reaches.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Change, Finding, Kind};
use super::roots::{Root, RootKind, SENT};
use super::side::Place;
use super::verdict::{Effect, Effects, Verdict};
use super::walk::Walk;

/// Which roots lead to a step.
#[derive(Clone, Default)]
struct Reached {
    used: BTreeSet<usize>,
    schemas: BTreeSet<usize>,
    bases: BTreeSet<usize>,
    inbound: bool,
    outbound: bool,
    /// By itself.
    alone: bool,
}

impl Reached {
    /// Whether no value is of it as it stands.
    fn is_base(&self) -> bool {
        self.used.is_empty() && self.schemas.is_empty() && !self.alone
    }
}

/// The changes that roots lead to. `is_typed` says of a document that types are made of all its schemas, and `is_kept` of a
/// change that the types stay as they are.
pub(super) fn changes(
    walk: &mut Walk<'_>,
    roots: &[Root],
    is_typed: impl Fn(&str) -> bool,
    is_kept: impl Fn(&Place, Kind) -> bool,
) -> Vec<Change> {
    settle(walk);
    let mut reached = vec![Reached::default(); walk.steps.len()];
    for (number, root) in roots.iter().enumerate() {
        for step in below(walk, &root.start) {
            let Some(reached) = reached.get_mut(step) else { continue };
            match root.kind {
                RootKind::Used => {
                    reached.used.insert(number);
                    reached.inbound |= root.inbound;
                    reached.outbound |= root.outbound;
                }
                RootKind::Schema => drop(reached.schemas.insert(number)),
                RootKind::Base => drop(reached.bases.insert(number)),
                RootKind::Alone => reached.alone = true,
            }
        }
    }

    let mut found: BTreeMap<(Place, Kind, String), (Finding, Reached)> = BTreeMap::new();
    for (step, reached) in walk.steps.iter().zip(&reached) {
        if reached.is_base() && reached.bases.is_empty() {
            continue;
        }
        for finding in &step.findings {
            if walk.explained.contains(&(finding.place.clone(), finding.kind)) {
                continue;
            }
            let key = (finding.place.clone(), finding.kind, finding.subject.clone());
            match found.get_mut(&key) {
                None => drop(found.insert(key, (finding.clone(), reached.clone()))),
                Some((known, by)) => {
                    if finding.effects.outbound > known.effects.outbound {
                        (known.old, known.new) = (finding.old.clone(), finding.new.clone());
                    }
                    known.effects = known.effects.clone().worst(finding.effects.clone());
                    by.used.extend(&reached.used);
                    by.schemas.extend(&reached.schemas);
                    by.bases.extend(&reached.bases);
                    (by.inbound, by.outbound) = (by.inbound | reached.inbound, by.outbound | reached.outbound);
                }
            }
        }
    }
    let changes = found.into_values().map(|(finding, by)| (change(finding, &by, roots, &is_typed, &is_kept), by));
    // What others are built on is no change as long as they are the same.
    let counts = |(change, by): &(Change, Reached)| !by.is_base() || change.source != Verdict::Compatible;
    changes.filter(counts).map(|(change, _)| change).collect()
}

/// Gives each change of a reference the worst of what it leads to.
fn settle(walk: &mut Walk<'_>) {
    for number in 0..walk.steps.len() {
        let replaced = walk.steps.get_mut(number).map(|step| std::mem::take(&mut step.replaced)).unwrap_or_default();
        for (mut finding, start) in replaced {
            for step in below(walk, &[start]) {
                for inner in walk.steps.get(step).into_iter().flat_map(|step| &step.findings) {
                    finding.effects = finding.effects.worst(inner.effects.clone());
                }
            }
            let why = "the field has another Rust type";
            finding.effects = finding.effects.source(Verdict::Breaking, why);
            if let Some(step) = walk.steps.get_mut(number) {
                step.findings.push(finding);
            }
        }
    }
}

/// The steps that some lead to, and these.
fn below(walk: &Walk<'_>, start: &[usize]) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut waiting = start.to_vec();
    while let Some(number) = waiting.pop() {
        if seen.insert(number) {
            waiting.extend(walk.steps.get(number).into_iter().flat_map(|step| &step.next));
        }
    }
    seen
}

fn change(
    finding: Finding,
    by: &Reached,
    roots: &[Root],
    is_typed: &impl Fn(&str) -> bool,
    is_kept: &impl Fn(&Place, Kind) -> bool,
) -> Change {
    let names = |numbers: &BTreeSet<usize>| -> Vec<String> {
        let names: BTreeSet<&str> =
            numbers.iter().filter_map(|number| roots.get(*number)).map(|r| r.name.as_str()).collect();
        names.into_iter().map(str::to_owned).collect()
    };
    let Finding { place, kind, old, new, effects, .. } = finding;
    let stays = kind.can_be_kept() && is_kept(&place, kind);
    let Place { document, schema, path } = place;
    // What nothing is known to use may be used either way.
    let either = !by.is_base() && (by.used.is_empty() || is_typed(&document));
    let mut effects = directed(effects, by.inbound || either, by.outbound || either);
    let is_sent = if is_typed(&document) { document == SENT } else { by.outbound };
    if is_sent {
        effects.source = effects.source.max(effects.source_of_sent.clone());
    }
    if is_sent && !by.inbound && !is_typed(&document) {
        effects.source = effects.source.max(effects.source_of_only_sent.clone());
    }
    if stays && effects.source.verdict == Verdict::Breaking {
        effects = effects.source(Verdict::Warning, "the Rust type stays as it was until a major release");
    }
    Change {
        document,
        schema,
        path,
        kind,
        old,
        new,
        reaches: names([&by.used, &by.schemas, &by.bases].into_iter().find(|of| !of.is_empty()).unwrap_or(&by.used)),
        inbound: effects.inbound.verdict,
        inbound_closed: effects.closed.verdict,
        outbound: effects.outbound.verdict,
        source: effects.source.verdict,
        reason: reason(&effects),
    }
}

/// What is only sent cannot break who decodes, and the reverse.
fn directed(mut effects: Effects, inbound: bool, outbound: bool) -> Effects {
    if !inbound {
        if effects.closed != Effect::default() {
            effects.fine = "";
        }
        (effects.inbound, effects.closed) = (Effect::default(), Effect::default());
    }
    if !outbound {
        effects.outbound = Effect::default();
    }
    if effects.fine.is_empty() {
        effects.fine = match (inbound, outbound) {
            (true, false) => "it is only received, and the old types hold it",
            (false, true) => "it is only sent, and what the old types send is valid",
            (false, false) => "others are only built on it",
            _ => "the old types hold it",
        };
    }
    effects
}

fn reason(effects: &Effects) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for effect in [&effects.inbound, &effects.closed, &effects.outbound, &effects.source] {
        if !effect.why.is_empty() && !reasons.contains(&effect.why.as_str()) {
            reasons.push(&effect.why);
        }
    }
    if effects.inbound.why.is_empty() && effects.outbound.why.is_empty() && effects.source.why.is_empty() {
        reasons.insert(0, effects.fine);
    }
    reasons.join("; ")
}
