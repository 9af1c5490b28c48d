//! Compares two schemas, and those that they lead to, each pair of them once.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::changes::{Finding, Kind};
use super::rust::Slot;
use super::shape::{Others, Shape};
use super::side::{Node, Place, Side};
use super::verdict::{self, Effects};

/// A pair of schemas that was compared.
#[derive(Default)]
pub(super) struct Step {
    pub(super) findings: Vec<Finding>,
    /// The pairs that it leads to.
    pub(super) next: Vec<usize>,
    /// Changes of which schema is referred to; what they do is what is found where they lead.
    pub(super) replaced: Vec<(Finding, usize)>,
}

pub(super) type Id = Vec<*const Value>;

pub(super) struct Walk<'a> {
    pub(super) old: &'a Side<'a>,
    pub(super) new: &'a Side<'a>,
    pub(super) steps: Vec<Step>,
    known: HashMap<(Id, Id, Slot), usize>,
    pub(super) alike: HashMap<(Id, Id), bool>,
    /// The pairs that are being compared in the place of a reference.
    within: HashSet<(Id, Id)>,
    /// What is part of a change that was found elsewhere.
    pub(super) explained: HashSet<(Place, Kind)>,
    /// The bodies of notifications.
    pub(super) bodies: HashSet<Id>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(old: &'a Side<'a>, new: &'a Side<'a>) -> Self {
        let (steps, known, alike, within, explained, bodies) = Default::default();
        Self { old, new, steps, known, alike, within, explained, bodies }
    }

    /// Compares two schemas, unless they were; the number of the step.
    pub(super) fn pair(&mut self, old: &Node<'a>, new: &Node<'a>, slot: Slot) -> usize {
        let slot = if self.bodies.contains(&new.id()) { Slot::Body } else { slot };
        let key = (old.id(), new.id(), slot);
        if let Some(step) = self.known.get(&key) {
            return *step;
        }
        let number = self.steps.len();
        self.steps.push(Step::default());
        self.known.insert(key, number);
        let mut step = Step::default();
        let shapes = (old.shape(), new.shape());
        self.compare((old, &shapes.0), (new, &shapes.1), slot, &mut step);
        if let Some(place) = self.steps.get_mut(number) {
            *place = step;
        }
        number
    }

    pub(super) fn is_known(&self, old: &Node<'a>, new: &Node<'a>) -> bool {
        let slots = [Slot::Value, Slot::Optional, Slot::Raw, Slot::Parameter, Slot::Body];
        slots.into_iter().any(|slot| self.known.contains_key(&(old.id(), new.id(), slot)))
    }

    /// A step for what is no schema.
    pub(super) fn put(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    pub(super) fn step(&mut self, findings: Vec<Finding>, next: Vec<usize>) -> usize {
        self.put(Step { findings, next, replaced: Vec::new() })
    }

    /// Compares what a schema leads to at a place. Where one of the two is a schema that both contracts have, and the other
    /// is not, what differs between the schema and the other is a change of the place; and what changed in the schema is
    /// one of the schema.
    pub(super) fn child(&mut self, old: &Node<'a>, new: &Node<'a>, slot: Slot, place: Place, step: &mut Step) {
        if let (Some(was), Some(is)) = (old.referred(), new.referred())
            && was.place() == is.place()
        {
            self.beside((old, &was), (new, &is), slot, step);
            return;
        }
        let (before, now) = (old.place(), new.place());
        let stays = |side: &'a Side<'a>, place: &Place| if before == now { None } else { side.at(place) };
        match (stays(self.new, &before), stays(self.old, &now)) {
            (Some(_), Some(earlier)) => {
                step.next.push(self.pair(&earlier, new, slot));
                let number = self.pair(old, &earlier, slot);
                if !self.same(old, &earlier) {
                    let names = (Some(before.schema), Some(now.schema));
                    let finding = Finding::new(place, Kind::TypeChanged, names.0, names.1, Effects::fine(""));
                    step.replaced.push((finding, number));
                }
            }
            (Some(later), None) if now.path != "$" => {
                step.next.push(self.pair(old, &later, slot));
                self.in_place((&later, new), slot, &place, step);
            }
            (None, Some(earlier)) => {
                step.next.push(self.pair(&earlier, new, slot));
                self.in_place((old, &earlier), slot, &place, step);
            }
            // Fields are told of where they stand now, and anything else where it was known.
            (later, None)
                if (later.is_some() || before.path != "$") && !(old.shape().is_struct() && new.shape().is_struct()) =>
            {
                step.next.extend(later.map(|later| self.pair(old, &later, slot)));
                self.in_place((old, new), slot, &place, step);
            }
            _ => step.next.push(self.pair(old, new, slot)),
        }
    }

    /// Compares what is said beside references to one schema. What changed in the schema is no change of the place.
    fn beside(
        &mut self,
        (old, was): (&Node<'a>, &Node<'a>),
        (new, is): (&Node<'a>, &Node<'a>),
        slot: Slot,
        step: &mut Step,
    ) {
        let inner = self.pair(was, is, slot);
        let mut own = Step::default();
        let shape = |node: &Node<'a>, referred: &Node<'a>| Shape { called: Some(referred.name()), ..node.shape() };
        let (old, new) = (shape(old, was), shape(new, is));
        self.types(&old, &new, slot, &mut own);
        self.facets(&old, &new, slot, &mut own);
        let known = self.steps.get(inner).map(|step| step.findings.as_slice()).unwrap_or_default();
        let is_known = |found: &Finding| known.iter().any(|k| (k.kind, &k.subject) == (found.kind, &found.subject));
        step.findings.extend(own.findings.into_iter().filter(|found| !is_known(found)));
        step.next.push(inner);
    }

    /// Compares two schemas as if both stood at a place.
    pub(super) fn in_place(&mut self, (old, new): (&Node<'a>, &Node<'a>), slot: Slot, place: &Place, step: &mut Step) {
        let key = (old.id(), new.id());
        if !self.within.insert(key.clone()) {
            step.next.push(self.pair(old, new, slot));
            return;
        }
        let at = |node: &Node<'a>| {
            let parts = node.parts.iter().map(|(schema, _)| (*schema, place.clone())).collect();
            let called = Some(node.place()).filter(|place| place.path == "$").map(|place| place.schema);
            Node { parts, called, ..node.clone() }
        };
        let (old, new) = (at(old), at(new));
        self.compare((&old, &old.shape()), (&new, &new.shape()), slot, step);
        self.within.remove(&key);
    }

    fn compare(
        &mut self,
        (old_node, old): (&Node<'a>, &Shape<'a>),
        (new_node, new): (&Node<'a>, &Shape<'a>),
        slot: Slot,
        step: &mut Step,
    ) {
        let comparable = match old.choices.is_empty() && new.choices.is_empty() {
            true => self.types(old, new, slot, step),
            false => self.choices((old_node, old), (new_node, new), slot, step),
        };
        if !comparable {
            return;
        }
        self.values(old, new, slot, step);
        self.facets(old, new, slot, step);
        self.fields(old, new, slot, step);
        self.others(old, new, slot, step);
        match (&old.items, &new.items) {
            (Some(old), Some(new)) => {
                let slot = if slot == Slot::Raw { Slot::Raw } else { Slot::Value };
                self.child(old, new, slot, new_node.place().below("[*]"), step);
            }
            (None, None) => {}
            (before, _) => {
                let kind = if before.is_some() { Kind::TypeWidened } else { Kind::TypeNarrowed };
                let fewer = before.is_none();
                let more = if fewer { BTreeSet::new() } else { BTreeSet::from(["null", "number", "object"]) };
                let effects = verdict::type_changed(old, new, (&more, fewer), slot);
                step.findings.push(self.finding(new.place.clone(), kind, old, new, effects));
            }
        }
    }

    fn finding(&self, place: Place, kind: Kind, old: &Shape<'a>, new: &Shape<'a>, effects: Effects) -> Finding {
        Finding::new(place, kind, Some(old.describe()), Some(new.describe()), effects)
    }

    /// Compares types; whether what else the schemas say is worth comparing.
    fn types(&self, old: &Shape<'a>, new: &Shape<'a>, slot: Slot, step: &mut Step) -> bool {
        let any = BTreeSet::from(["array", "boolean", "integer", "null", "number", "object", "string"]);
        let all = |shape: &Shape<'a>| {
            let mut types = if shape.types.is_empty() { any.clone() } else { shape.types.clone() };
            if shape.nullable {
                types.insert("null");
            }
            if types.contains("number") {
                types.insert("integer");
            }
            types
        };
        let (before, now) = (all(old), all(new));
        if before == now {
            return true;
        }
        let more: BTreeSet<&str> = now.difference(&before).copied().collect();
        let fewer = !before.is_subset(&now);
        let effects = verdict::type_changed(old, new, (&more, fewer), slot);
        let kind = widened(!more.is_empty(), fewer);
        step.findings.push(self.finding(new.place.clone(), kind, old, new, effects));
        let is_number = |shape: &Shape<'a>| shape.types.iter().all(|kind| ["integer", "number"].contains(kind));
        old.types == new.types || (is_number(old) && is_number(new))
    }

    /// Compares choices: each alternative with the one that it is, or has become. Whether there was one.
    fn choices(
        &mut self,
        (old_node, old): (&Node<'a>, &Shape<'a>),
        (new_node, new): (&Node<'a>, &Shape<'a>),
        slot: Slot,
        step: &mut Step,
    ) -> bool {
        let one = |shape: &Shape<'a>, node: &Node<'a>| match shape.choices.as_slice() {
            [] => vec![node.clone()],
            several => several.to_vec(),
        };
        let (mut gone, mut more) = (one(old, old_node), one(new, new_node));
        let before = gone.len();
        // What stands inside has the place of the choice.
        let is_named = |place: &Place| place.path == "$" && *place != old.place && *place != new.place;
        let named = |node: &Node<'a>| Some(node.place()).filter(is_named);
        let alone = old.choices.is_empty();
        let mut pairs = take(&mut gone, &mut more, |before, now| match (named(before), named(now)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        });
        take(&mut gone, &mut more, |before, now| self.same(before, now));
        pairs.extend(take(&mut gone, &mut more, |before, now| {
            let types = before.shape().types;
            // Of two that have names, neither may be there beside the other.
            let are_named = !alone && named(before).is_some() && named(now).is_some();
            let stay = are_named && (self.new.at(&before.place()).is_some() || self.old.at(&now.place()).is_some());
            !stay && !types.is_empty() && now.shape().types == types
        }));
        for (before, now) in pairs {
            // A schema that has a name has a type, which may be used for what is kept as text.
            let slot = match (alone, named(&before)) {
                (true, _) => slot,
                (_, Some(_)) => Slot::Value,
                _ => Slot::Raw,
            };
            // A choice is not compared with itself.
            if (before.id(), now.id()) != (old_node.id(), new_node.id()) {
                step.next.push(self.pair(&before, &now, slot));
            }
        }
        let types = |node: &Node<'a>| {
            let shape = node.shape();
            match shape.types.is_empty() {
                true => BTreeSet::from(["array", "boolean", "null", "number", "object", "string"]),
                false => shape.types,
            }
        };
        let mut added: BTreeSet<&str> = more.iter().flat_map(types).collect();
        if new.nullable && !old.nullable {
            added.insert("null");
        }
        let fewer = !gone.is_empty() || (old.nullable && !new.nullable);
        if !added.is_empty() || fewer {
            let effects = verdict::type_changed(old, new, (&added, fewer), slot);
            let kind = widened(!added.is_empty(), fewer);
            step.findings.push(self.finding(new.place.clone(), kind, old, new, effects));
        }
        if old.choices.len() > 1 && new.choices.len() > 1 && old.excludes() != new.excludes() {
            let told =
                |shape: &Shape<'a>| if shape.excludes() { "exactly one of the choices" } else { "any of the choices" };
            let (was, is) = (Some(told(old).to_owned()), Some(told(new).to_owned()));
            let effects = verdict::choices_excluded(new.excludes());
            step.findings.push(Finding::new(new.place.clone(), Kind::ConditionChanged, was, is, effects));
        }
        gone.len() < before
    }

    /// Compares what is known of fields that have no name, or of the values of a map.
    fn others(&mut self, old: &Shape<'a>, new: &Shape<'a>, slot: Slot, step: &mut Step) {
        if !old.types.contains("object") || !new.types.contains("object") {
            return;
        }
        let inner = if slot == Slot::Raw { Slot::Raw } else { Slot::Value };
        let more = match (&old.others, &new.others) {
            (Others::Of(before), Others::Of(now)) => {
                self.child(before, now, inner, new.place.below(".*"), step);
                return;
            }
            (Others::Any, Others::Any) | (Others::None, Others::None) => return,
            (before, now) => matches!((before, now), (_, Others::Any) | (Others::None, _)),
        };
        let place = new.place.clone();
        // A map of strings refuses any other value; a struct keeps all.
        let are_structs = old.is_struct() && new.is_struct();
        if are_structs || matches!((&old.others, &new.others), (_, Others::None) | (Others::None, _)) {
            let (kind, effects) = match more {
                true => (Kind::OtherFieldsAllowed, verdict::others_opened()),
                false => (Kind::OtherFieldsRefused, verdict::others_closed()),
            };
            let told = (Some(old.others.describe()), Some(new.others.describe()));
            step.findings.push(Finding::new(place, kind, told.0, told.1, effects));
        } else {
            let types = if more { BTreeSet::from(["null", "object", "array"]) } else { BTreeSet::new() };
            let effects = verdict::type_changed(old, new, (&types, !more), slot);
            step.findings.push(self.finding(place, widened(more, !more), old, new, effects));
        }
    }
}

/// Takes out the pairs that belong together.
fn take<'a>(
    gone: &mut Vec<Node<'a>>,
    more: &mut Vec<Node<'a>>,
    mut is: impl FnMut(&Node<'a>, &Node<'a>) -> bool,
) -> Vec<(Node<'a>, Node<'a>)> {
    let mut pairs = Vec::new();
    gone.retain(|before| match more.iter().position(|now| is(before, now)) {
        Some(position) => {
            pairs.push((before.clone(), more.remove(position)));
            false
        }
        None => true,
    });
    pairs
}

fn widened(more: bool, fewer: bool) -> Kind {
    match (more, fewer) {
        (true, false) => Kind::TypeWidened,
        (false, true) => Kind::TypeNarrowed,
        _ => Kind::TypeChanged,
    }
}
