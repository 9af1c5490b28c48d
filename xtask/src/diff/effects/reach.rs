//! Turns facts into changes: each once, with the events and operations that it reaches.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Who::{Answered, Closed, Inbound, OnlySent, Outbound, Received, Sent, Source};
use super::{Effect, Effects, Verdict, effects};
use crate::diff::facts::Fact;
use crate::diff::facts::kind::Kind;
use crate::diff::facts::walk::{Root, RootKind, Walk};
use crate::graph::reachable;
use crate::model::Place;

/// A change of the contract, with a verdict for each side.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// The crate that has the changed type.
    #[serde(skip)]
    pub(crate) package: String,
    pub(crate) kind: Kind,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
    /// The names of the events and operations that it changes.
    pub(crate) reaches: Vec<String>,
    pub(crate) inbound: Verdict,
    pub(crate) inbound_closed: Verdict,
    pub(crate) outbound: Verdict,
    pub(crate) source: Verdict,
    pub(crate) reason: String,
}

impl Change {
    /// Returns the worst verdict of all sides.
    pub(crate) fn verdict(&self) -> Verdict {
        self.inbound.max(self.outbound).max(self.source)
    }
}

/// The roots that lead to a step.
#[derive(Clone, Default)]
struct Reached<'r>(Vec<&'r Root>);

impl Reached<'_> {
    fn is(&self, kinds: &[RootKind]) -> bool {
        self.0.iter().any(|root| kinds.contains(&root.kind))
    }

    /// Whether only `allOf` leads here.
    fn is_base(&self) -> bool {
        self.0.iter().all(|root| root.kind == RootKind::Base)
    }

    /// Returns the names of the events and operations; without any, those of the schemas, and at last those of the bases.
    fn names(&self) -> Vec<String> {
        let used: &[RootKind] = &[RootKind::Used, RootKind::Sent, RootKind::Received];
        let of = |kinds: &&[RootKind]| self.is(kinds);
        let kinds = [used, &[RootKind::Schema], &[RootKind::Base]].into_iter().find(of).unwrap_or_default();
        let names = self.0.iter().filter(|root| kinds.contains(&root.kind)).map(|root| root.name.clone());
        Vec::from_iter(names.collect::<BTreeSet<String>>())
    }
}

/// Returns the changes. `is_kept` says whether overlays keep the Rust types as they were in spite of a change.
pub(crate) fn changes(walk: &mut Walk<'_>, is_kept: impl Fn(&Place, Kind) -> bool) -> Vec<Change> {
    let (found, walk) = (settle(walk), &*walk);
    let mut reached = vec![Reached::default(); walk.steps.len()];
    for root in &walk.roots {
        for step in below(walk, &root.start) {
            reached[step].0.push(root);
        }
    }
    let mut known: BTreeMap<(Place, Kind, String), (Fact<'_>, Effects, Reached<'_>)> = BTreeMap::new();
    for (facts, reached) in found.into_iter().zip(reached).filter(|(_, reached)| !reached.0.is_empty()) {
        for (fact, effects) in facts {
            if walk.explained.contains(&(fact.place.clone(), fact.kind)) {
                continue;
            }
            let key = (fact.place.clone(), fact.kind, fact.subject.clone());
            match known.get_mut(&key) {
                None => drop(known.insert(key, (fact, effects, reached.clone()))),
                Some((told, worst, by)) => {
                    if effects.of(Outbound) > worst.of(Outbound) {
                        (told.old, told.new) = (fact.old, fact.new);
                    }
                    worst.join(effects);
                    by.0.extend(&reached.0);
                }
            }
        }
    }
    // A change of a base counts only if it changes Rust types: the schemas built on it report the rest.
    let counts = |(change, is_base): &(Change, bool)| !is_base || change.source != Verdict::Compatible;
    let changes = known.into_values().map(|(fact, effects, by)| {
        let stays = fact.kind.said().can_be_kept && is_kept(&fact.place, fact.kind);
        (change(fact, effects, &by, walk, stays), by.is_base())
    });
    changes.filter(counts).map(|(change, _)| change).collect()
}

/// Returns the facts of each step with their effects. A reference to another schema has the worst effects of what differs.
fn settle<'m>(walk: &mut Walk<'m>) -> Vec<Vec<(Fact<'m>, Effects)>> {
    let facts = walk.steps.iter_mut().map(|step| std::mem::take(&mut step.facts));
    let with_effects = |fact: Fact<'m>| (fact.clone(), effects(&fact));
    let mut found: Vec<Vec<_>> = facts.map(|facts| facts.into_iter().map(with_effects).collect()).collect();
    for number in 0..walk.steps.len() {
        for (fact, start) in std::mem::take(&mut walk.steps[number].replaced) {
            let mut worst = Effects::default();
            for (_, inner) in below(walk, &[start]).into_iter().flat_map(|step| &found[step]) {
                worst.join(inner.clone());
            }
            found[number].push((fact, worst.breaks(Source, "the field has another Rust type")));
        }
    }
    found
}

/// Returns some steps and all that they lead to.
fn below(walk: &Walk<'_>, start: &[usize]) -> BTreeSet<usize> {
    reachable(start.iter().copied(), |number| walk.steps[number].next.iter().copied())
}

fn change(fact: Fact<'_>, mut effects: Effects, by: &Reached<'_>, walk: &Walk<'_>, stays: bool) -> Change {
    let Fact { place, kind, old, new, .. } = fact;
    let (project, module, is_base) = (walk.project, walk.project.module(&place.document), by.is_base());
    let [received, sent] = [RootKind::Received, RootKind::Sent].map(|kind| by.is(&[RootKind::Used, kind]));
    // Programs can send the types of a module on, or build them for a test. A schema that no operation uses may go either
    // way, unless its document has operations.
    let is_for_operations =
        || walk.old.is_for_operations(&place.document) || walk.new.is_for_operations(&place.document);
    let either = !is_base && (module.is_some() || !(received || sent || is_for_operations()));
    if received && module.is_none() {
        effects.raise(Inbound, Answered);
    }
    effects.raise(Closed, Inbound);
    direct(&mut effects, received || either, sent || either, is_base);
    if !(module.is_some() || received || sent || either || is_base) {
        effects.spare(Source);
    }
    // No code calls an operation that the client left out.
    if by.0.iter().all(|root| root.left_out) {
        [Inbound, Answered, Closed, Source, Sent, OnlySent, Received].into_iter().for_each(|who| effects.spare(who));
    }
    let is_sent = module.map_or(sent, |module| module.sent);
    if is_sent {
        effects.raise(Source, Sent);
    }
    if received || module.is_some() {
        effects.raise(Source, Received);
    } else if is_sent {
        effects.raise(Source, OnlySent);
    }
    if stays && effects.of(Source).verdict == Verdict::Breaking {
        effects = effects.warns(Source, "the Rust type stays as it was until a major release");
    }
    Change {
        package: module.map_or_else(|| project.client.package(), |_| project.types.package()),
        reaches: by.names(),
        inbound: effects.of(Inbound).verdict,
        inbound_closed: effects.of(Closed).verdict,
        outbound: effects.of(Outbound).verdict,
        source: effects.of(Source).verdict,
        reason: reason(&effects),
        place,
        kind,
        old,
        new,
    }
}

/// Drops the effects on a side that never sees the value: programs do not decode what they only send.
fn direct(effects: &mut Effects, inbound: bool, outbound: bool, is_base: bool) {
    if !inbound {
        if effects.of(Closed) != Effect::default() {
            effects.fine = "";
        }
        effects.spare(Inbound);
        effects.spare(Closed);
    }
    if !outbound {
        effects.spare(Outbound);
    }
    if effects.fine.is_empty() {
        effects.fine = match (inbound, outbound) {
            (true, false) => "programs only receive it, and the old types hold it",
            (false, true) => "programs only send it, and values of the old types are valid",
            (false, false) if is_base => "other schemas only use it through `allOf`",
            (false, false) => "no operation leads to it",
            _ => "the old types hold it",
        };
    }
}

fn reason(effects: &Effects) -> String {
    let is_fine = [Inbound, Outbound, Source].into_iter().all(|who| effects.of(who) == Effect::default());
    let fine = is_fine.then(|| effects.fine.to_owned());
    let mut reasons = Vec::new();
    for why in fine.into_iter().chain([Inbound, Closed, Outbound, Source].map(|who| effects.of(who).why)) {
        if !why.is_empty() && !reasons.contains(&why) {
            reasons.push(why);
        }
    }
    reasons.join("; ")
}
