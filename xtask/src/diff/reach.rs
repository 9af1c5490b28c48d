//! From what was found to what changed: each change once, with all that it reaches.

use std::collections::{BTreeMap, BTreeSet};

use super::effects::{Effect, Effects, Verdict};
use super::facts::{Change, Finding};
use super::kind::Kind;
use super::walk::Walk;
use crate::model::Place;
use crate::project::Project;

/// What begins a walk.
pub(super) struct Root {
    /// The event, the operation or the schema.
    name: String,
    kind: RootKind,
    inbound: bool,
    outbound: bool,
    start: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RootKind {
    /// An event or an operation.
    Used,
    /// A schema that no other refers to.
    Schema,
    /// A schema that others are only built on: no value is one of it and nothing else.
    Base,
    /// A change that no walk leads to, of what nothing refers to.
    Alone,
}

impl Root {
    pub(super) fn new(name: &str, (inbound, outbound): (bool, bool), start: Vec<usize>) -> Self {
        Self { name: name.to_owned(), kind: RootKind::Used, inbound, outbound, start }
    }

    pub(super) fn schema(name: &str, start: Vec<usize>) -> Self {
        Self { kind: RootKind::Schema, ..Self::new(name, (true, true), start) }
    }

    pub(super) fn base(name: &str, start: Vec<usize>) -> Self {
        Self { kind: RootKind::Base, ..Self::new(name, (false, false), start) }
    }

    pub(super) fn alone(start: usize) -> Self {
        Self { kind: RootKind::Alone, ..Self::new("", (true, true), vec![start]) }
    }
}

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

    fn add(&mut self, number: usize, root: &Root) {
        match root.kind {
            RootKind::Used => {
                self.used.insert(number);
                (self.inbound, self.outbound) = (self.inbound | root.inbound, self.outbound | root.outbound);
            }
            RootKind::Schema => drop(self.schemas.insert(number)),
            RootKind::Base => drop(self.bases.insert(number)),
            RootKind::Alone => self.alone = true,
        }
    }

    fn join(&mut self, other: &Self) {
        self.used.extend(&other.used);
        self.schemas.extend(&other.schemas);
        self.bases.extend(&other.bases);
        (self.inbound, self.outbound) = (self.inbound | other.inbound, self.outbound | other.outbound);
    }
}

/// The changes that roots lead to. `is_kept` says of a change that the types stay as they are.
pub(super) fn changes(
    walk: &mut Walk<'_>,
    roots: &[Root],
    project: &Project,
    is_kept: impl Fn(&Place, Kind) -> bool,
) -> Vec<Change> {
    settle(walk);
    let is_for_operations = |name: &str| walk.old.is_for_operations(name) || walk.new.is_for_operations(name);
    let mut reached = vec![Reached::default(); walk.steps.len()];
    for (number, root) in roots.iter().enumerate() {
        for step in below(walk, &root.start) {
            reached.get_mut(step).into_iter().for_each(|reached| reached.add(number, root));
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
                    by.join(reached);
                }
            }
        }
    }
    let changes = found
        .into_values()
        .map(|(finding, by)| (change(finding, &by, (roots, project), &is_for_operations, &is_kept), by));
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
            finding.effects = finding.effects.source(Verdict::Breaking, "the field has another Rust type");
            walk.steps.get_mut(number).into_iter().for_each(|step| step.findings.push(finding.clone()));
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
    (roots, project): (&[Root], &Project),
    is_for_operations: &impl Fn(&str) -> bool,
    is_kept: &impl Fn(&Place, Kind) -> bool,
) -> Change {
    let names = |numbers: &BTreeSet<usize>| -> Vec<String> {
        let names: BTreeSet<&String> = numbers.iter().filter_map(|number| Some(&roots.get(*number)?.name)).collect();
        names.into_iter().cloned().collect()
    };
    let Finding { place, kind, old, new, effects, .. } = finding;
    let stays = kind.can_be_kept() && is_kept(&place, kind);
    let Place { document, schema, path } = place;
    // What is received of a module's types can be sent on, or built for a test. What nothing uses may be used either way,
    // where the contract has no operations that would use it.
    let module = project.module(&document);
    let either = !by.is_base() && (module.is_some() || (by.used.is_empty() && !is_for_operations(&document)));
    let mut effects = effects;
    if by.inbound && module.is_none() {
        effects.inbound = effects.inbound.max(effects.inbound_of_answer.clone());
        effects.closed = effects.closed.max(effects.inbound.clone());
    }
    let mut effects = directed(effects, (by.inbound || either, by.outbound || either), by.is_base());
    let is_used = module.is_some() || by.inbound || by.outbound || either || by.is_base();
    if !is_used {
        effects.source = Effect::default();
    }
    let is_sent = module.map_or(by.outbound, |module| module.sent);
    if is_sent {
        effects.source = effects.source.max(effects.source_of_sent.clone());
    }
    if is_sent && !by.inbound && module.is_none() {
        effects.source = effects.source.max(effects.source_of_only_sent.clone());
    }
    if stays && effects.source.verdict == Verdict::Breaking {
        effects = effects.source(Verdict::Warning, "the Rust type stays as it was until a major release");
    }
    Change {
        package: module.map_or_else(|| project.client.package(), |_| project.types.package()),
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
fn directed(mut effects: Effects, (inbound, outbound): (bool, bool), is_base: bool) -> Effects {
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
            (false, false) if is_base => "others are only built on it",
            (false, false) => "no operation leads to it",
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
