//! Compares two schemas, and those that they lead to, each pair of them once.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::effects::{self, Effects, Slot};
use super::facts::Finding;
use super::kind::Kind;
use super::seen::Seen;
use crate::document::BOUNDS;
use crate::model::{Model, Others, Place, Schema, Type};

/// A pair of schemas that was compared.
#[derive(Default)]
pub(super) struct Step {
    pub(super) findings: Vec<Finding>,
    /// The pairs that it leads to.
    pub(super) next: Vec<usize>,
    /// Changes of which schema is referred to; what they do is what is found where they lead.
    pub(super) replaced: Vec<(Finding, usize)>,
}

impl Step {
    pub(super) fn find(
        &mut self,
        place: &Place,
        kind: Kind,
        old: Option<String>,
        new: Option<String>,
        effects: Effects,
    ) {
        self.findings.push(Finding::new(place.clone(), kind, old, new, effects));
    }
}

type Id = *const Schema;

pub(super) struct Walk<'m> {
    pub(super) old: &'m Model,
    pub(super) new: &'m Model,
    pub(super) steps: Vec<Step>,
    /// The steps by what they compare, which is kept as long as it is known by its address.
    known: HashMap<(Id, Id, Slot), usize>,
    kept: Vec<[Seen<'m>; 2]>,
    alike: HashMap<(Id, Id), bool>,
    /// The pairs that are being compared in the place of a reference.
    within: HashSet<(Id, Id)>,
    /// What is part of a change that was found elsewhere.
    pub(super) explained: HashSet<(Place, Kind)>,
    /// The bodies of events.
    pub(super) bodies: HashSet<Place>,
}

impl<'m> Walk<'m> {
    pub(super) fn new(old: &'m Model, new: &'m Model) -> Self {
        let (steps, known, kept, alike, within, explained, bodies) = Default::default();
        Self { old, new, steps, known, kept, alike, within, explained, bodies }
    }

    /// Compares two schemas, unless they were; the number of the step.
    pub(super) fn pair(&mut self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot) -> usize {
        let slot = if self.bodies.contains(&new.place) { Slot::Body } else { slot };
        let key = (old.id(), new.id(), slot);
        if let Some(step) = self.known.get(&key) {
            return *step;
        }
        let number = self.put(Step::default());
        self.known.insert(key, number);
        self.kept.push([old.clone(), new.clone()]);
        let mut step = Step::default();
        match (old.referred(), new.referred()) {
            (Some(was), Some(is)) if was.place == is.place => self.beside((old, &was), (new, &is), slot, &mut step),
            _ => self.compare(old, new, slot, &mut step),
        }
        if let Some(place) = self.steps.get_mut(number) {
            *place = step;
        }
        number
    }

    pub(super) fn is_known(&self, old: &Seen<'m>, new: &Seen<'m>) -> bool {
        Slot::ALL.into_iter().any(|slot| self.known.contains_key(&(old.id(), new.id(), slot)))
    }

    /// A step for what is no schema.
    pub(super) fn put(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Compares what a schema leads to at a place. Where one of the two is a schema that both contracts have, and the other
    /// is not, what differs between the schema and the other is a change of the place; and what changed in the schema is
    /// one of the schema.
    pub(super) fn child(&mut self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, place: Place, step: &mut Step) {
        if let (Some(was), Some(is)) = (old.referred(), new.referred())
            && was.place == is.place
        {
            self.beside((old, &was), (new, &is), slot, step);
            return;
        }
        let (before, now) = (&old.place, &new.place);
        let stays = |model, place: &Place| if before == now { None } else { Seen::at(model, place) };
        match (stays(self.new, before), stays(self.old, now)) {
            (Some(_), Some(earlier)) => {
                step.next.push(self.pair(&earlier, new, slot));
                let number = self.pair(old, &earlier, slot);
                if !self.same(old, &earlier) {
                    let names = (Some(before.schema.clone()), Some(now.schema.clone()));
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
                if (later.is_some() || before.path != "$") && !(old.whole().is_struct() && new.whole().is_struct()) =>
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
        (old, was): (&Seen<'m>, &Seen<'m>),
        (new, is): (&Seen<'m>, &Seen<'m>),
        slot: Slot,
        step: &mut Step,
    ) {
        let inner = self.pair(was, is, slot);
        let mut own = Step::default();
        let whole = |one: &Seen<'m>, name: &Seen<'m>| Seen { called: Some(name.name()), ..one.whole() };
        self.types(&whole(old, was), &whole(new, is), slot, &mut own);
        self.facets(old, new, slot, &mut own);
        let known = self.steps.get(inner).map(|step| step.findings.as_slice()).unwrap_or_default();
        let is_known = |found: &Finding| known.iter().any(|k| (k.kind, &k.subject) == (found.kind, &found.subject));
        step.findings.extend(own.findings.into_iter().filter(|found| !is_known(found)));
        step.next.push(inner);
    }

    /// Compares two schemas as if both stood at a place.
    pub(super) fn in_place(&mut self, (old, new): (&Seen<'m>, &Seen<'m>), slot: Slot, place: &Place, step: &mut Step) {
        let key = (old.id(), new.id());
        if !self.within.insert(key) {
            step.next.push(self.pair(old, new, slot));
            return;
        }
        self.kept.push([old.clone(), new.clone()]);
        self.compare(&old.moved_to(place), &new.moved_to(place), slot, step);
        self.within.remove(&key);
    }

    fn compare(&mut self, old_seen: &Seen<'m>, new_seen: &Seen<'m>, slot: Slot, step: &mut Step) {
        let (mut old, mut new) = (old_seen.whole(), new_seen.whole());
        // A choice of objects may say what an object with a choice does.
        match (old.is_struct(), new.is_struct()) {
            (true, false) => new = new.as_object().unwrap_or(new),
            (false, true) => old = old.as_object().unwrap_or(old),
            _ => {}
        }
        let (old, new) = (&old, &new);
        let comparable = match old.node.choice().is_none() && new.node.choice().is_none() {
            true => self.types(old, new, slot, step),
            false => self.choices((old_seen, old), (new_seen, new), slot, step),
        };
        if !comparable {
            return;
        }
        self.values(old, new, slot, step);
        self.facets(old, new, slot, step);
        self.fields(old, new, slot, step);
        self.others(old, new, slot, step);
        match (old.items(), new.items()) {
            (Some(old), Some(new)) => self.child(&old, &new, slot.inner(), new_seen.place.below("[*]"), step),
            (None, None) => {}
            (before, _) => {
                let more: &[Type] = if before.is_some() { &[Type::Null, Type::Number, Type::Object] } else { &[] };
                self.type_changed(old, new, (more.iter().copied().collect(), before.is_none()), slot, step);
            }
        }
    }

    fn type_changed(&self, old: &Seen<'m>, new: &Seen<'m>, types: (BTreeSet<Type>, bool), slot: Slot, step: &mut Step) {
        let kind = match (types.0.is_empty(), types.1) {
            (false, false) => Kind::TypeWidened,
            (true, true) => Kind::TypeNarrowed,
            _ => Kind::TypeChanged,
        };
        let effects = effects::type_changed(old, new, types, slot);
        step.find(&new.place, kind, Some(old.describe()), Some(new.describe()), effects);
    }

    /// Compares types; whether what else the schemas say is worth comparing.
    fn types(&self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, step: &mut Step) -> bool {
        let all = |seen: &Seen<'m>| {
            let mut types = seen.types();
            if types.is_empty() {
                types.extend(Type::ANY);
            }
            if seen.node.nullable {
                types.insert(Type::Null);
            }
            if types.contains(&Type::Number) {
                types.insert(Type::Integer);
            }
            types
        };
        let (before, now) = (all(old), all(new));
        if before == now {
            return true;
        }
        let more: BTreeSet<Type> = now.difference(&before).copied().collect();
        self.type_changed(old, new, (more, !before.is_subset(&now)), slot, step);
        let is_number = |seen: &Seen<'m>| seen.types().iter().all(|kind| matches!(kind, Type::Integer | Type::Number));
        old.types() == new.types() || (is_number(old) && is_number(new))
    }

    /// Compares choices: each alternative with the one that it is, or has become. Whether there was one.
    fn choices(
        &mut self,
        (old_seen, old): (&Seen<'m>, &Seen<'m>),
        (new_seen, new): (&Seen<'m>, &Seen<'m>),
        slot: Slot,
        step: &mut Step,
    ) -> bool {
        let one = |whole: &Seen<'m>, seen: &Seen<'m>| match whole.choices() {
            none if none.is_empty() => vec![seen.clone()],
            several => several,
        };
        let (mut gone, mut more) = (one(old, old_seen), one(new, new_seen));
        let before = gone.len();
        // What stands inside has the place of the choice.
        let named = |seen: &Seen<'m>| {
            Some(seen.place.clone()).filter(|place| place.path == "$" && *place != old.place && *place != new.place)
        };
        let alone = old.node.choice().is_none();
        let mut pairs = take(&mut gone, &mut more, |before, now| match (named(before), named(now)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        });
        take(&mut gone, &mut more, |before, now| self.same(before, now));
        pairs.extend(take(&mut gone, &mut more, |before, now| {
            let types = before.types();
            // Of two that have names, neither may be there beside the other.
            let are_named = !alone && named(before).is_some() && named(now).is_some();
            let stay = are_named && (self.new.at(&before.place).is_some() || self.old.at(&now.place).is_some());
            !stay && !types.is_empty() && now.types() == types
        }));
        for (before, now) in pairs {
            // A schema that has a name has a type, which may be used for what is kept as text.
            let slot = match (alone, named(&before)) {
                (true, _) => slot,
                (_, Some(_)) => Slot::Value,
                _ => Slot::Raw,
            };
            // A choice is not compared with itself.
            if (before.id(), now.id()) != (old_seen.id(), new_seen.id()) {
                step.next.push(self.pair(&before, &now, slot));
            }
        }
        let types = |seen: &Seen<'m>| match seen.types() {
            none if none.is_empty() => Type::ANY.into_iter().filter(|kind| *kind != Type::Integer).collect(),
            some => some,
        };
        let mut added: BTreeSet<Type> = more.iter().flat_map(types).collect();
        if new.node.nullable && !old.node.nullable {
            added.insert(Type::Null);
        }
        // What was one of all the types of JSON cannot be refused.
        let fewer = !gone.is_empty() || (old.node.nullable && !new.node.nullable);
        if !added.is_empty() || fewer {
            self.type_changed(old, new, (added, fewer && !takes_anything(new)), slot, step);
        }
        let several = |seen: &Seen<'m>| seen.choices().len() > 1;
        if several(old) && several(new) && old.excludes() != new.excludes() {
            let told =
                |seen: &Seen<'m>| if seen.excludes() { "exactly one of the choices" } else { "any of the choices" };
            let (was, is) = (Some(told(old).to_owned()), Some(told(new).to_owned()));
            step.find(&new.place, Kind::ConditionChanged, was, is, effects::choices_excluded(new.excludes()));
        }
        gone.len() < before
    }

    /// Compares what is known of fields that have no name, or of the values of a map.
    fn others(&mut self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, step: &mut Step) {
        let (Some(before), Some(now)) = (old.others(), new.others()) else { return };
        let more = match (before, now) {
            (Others::Of(before), Others::Of(now)) => {
                let (before, now) = (old.values_of(before), new.values_of(now));
                self.child(&before, &now, slot.inner(), new.place.below(".*"), step);
                return;
            }
            (Others::Any, Others::Any) | (Others::None, Others::None) => return,
            (before, now) => matches!((before, now), (_, Others::Any) | (Others::None, _)),
        };
        // A map of strings refuses any other value; a struct keeps all.
        let are_structs = old.is_struct() && new.is_struct();
        if are_structs || matches!((before, now), (_, Others::None) | (Others::None, _)) {
            let kind = if more { Kind::OtherFieldsAllowed } else { Kind::OtherFieldsRefused };
            let told = (Some(old.describe_others()), Some(new.describe_others()));
            step.find(&new.place, kind, told.0, told.1, effects::others_changed(more));
        } else {
            let types: &[Type] = if more { &[Type::Null, Type::Object, Type::Array] } else { &[] };
            self.type_changed(old, new, (types.iter().copied().collect(), !more), slot, step);
        }
    }

    /// Compares everything else that is said of a value.
    pub(super) fn facets(&self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, step: &mut Step) {
        let keys: BTreeSet<&String> = old.node.facets.keys().chain(new.node.facets.keys()).collect();
        for key in keys {
            let (was, is) = (old.node.facet(key), new.node.facet(key));
            if was == is {
                continue;
            }
            let kind = match key.as_str() {
                "format" => Kind::FormatChanged,
                "default" => Kind::DefaultChanged,
                "deprecated" if is.is_some() => Kind::Deprecated,
                "deprecated" => Kind::NoLongerDeprecated,
                "readOnly" => Kind::ReadOnlyChanged,
                "writeOnly" => Kind::WriteOnlyChanged,
                key if BOUNDS.contains(&key) => Kind::BoundChanged,
                _ => Kind::KeywordChanged,
            };
            let effects = effects::facet_changed(kind, key, (old, was), (new, is), slot);
            let holder = if new.node.facets.contains_key(key) { new } else { old };
            let place =
                holder.node.facets.get(key).map_or_else(|| new.place.clone(), |facet| holder.place_of(&facet.place));
            let said = |value: Option<&Value>| value.map(|value| format!("{key}: {value}"));
            step.findings.push(Finding::new(place, kind, said(was), said(is), effects).of(key));
        }
    }

    /// Whether two schemas say the same, however they say it. Where they lead back to themselves, they do unless something
    /// else differs.
    pub(super) fn same(&mut self, old: &Seen<'m>, new: &Seen<'m>) -> bool {
        let key = (old.id(), new.id());
        if let Some(known) = self.alike.get(&key) {
            return *known;
        }
        self.kept.push([old.clone(), new.clone()]);
        self.alike.insert(key, true);
        let same = self.same_whole(&old.whole(), &new.whole());
        if !same {
            // What was found the same on the strength of this is to be looked at again.
            self.alike.retain(|_, same| !*same);
        }
        self.alike.insert(key, same);
        same
    }

    fn same_whole(&mut self, old: &Seen<'m>, new: &Seen<'m>) -> bool {
        let facets = |seen: &Seen<'m>| -> Vec<(String, Value)> {
            seen.node.facets.iter().map(|(key, facet)| (key.clone(), facet.value.clone())).collect()
        };
        let values = |seen: &Seen<'m>| {
            seen.node.values.as_ref().map(|values| values.iter().map(ToString::to_string).collect::<BTreeSet<_>>())
        };
        let undescribed = |seen: &Seen<'m>| -> Vec<String> {
            seen.object().into_iter().flat_map(|object| object.undescribed.keys().cloned()).collect()
        };
        let plain = old.types() == new.types()
            && old.node.nullable == new.node.nullable
            && values(old) == values(new)
            && facets(old) == facets(new)
            && old.groups() == new.groups()
            && undescribed(old) == undescribed(new)
            && old.names() == new.names()
            && old.choices().len() == new.choices().len()
            && old.excludes() == new.excludes();
        if !plain {
            return false;
        }
        let fields = old.fields().all(|(name, before)| {
            new.field(name).is_some_and(|now| before.need == now.need && self.same(&before.value, &now.value))
        });
        let others = match (old.others(), new.others()) {
            (Some(Others::Of(was)), Some(Others::Of(is))) => self.same(&old.values_of(was), &new.values_of(is)),
            (Some(one), Some(other)) => std::mem::discriminant(one) == std::mem::discriminant(other),
            _ => true,
        };
        let items = match (old.items(), new.items()) {
            (Some(old), Some(new)) => self.same(&old, &new),
            (one, other) => one.is_none() && other.is_none(),
        };
        let mut left = new.choices();
        fields
            && others
            && items
            && old.choices().iter().all(|before| match left.iter().position(|now| self.same(before, now)) {
                Some(position) => {
                    left.remove(position);
                    true
                }
                None => false,
            })
    }
}

/// Whether no value of JSON is refused.
fn takes_anything(seen: &Seen<'_>) -> bool {
    seen.types().is_empty() && seen.node.choice().is_none() && seen.node.values.is_none()
}

/// Takes out the pairs that belong together.
fn take<'m>(
    gone: &mut Vec<Seen<'m>>,
    more: &mut Vec<Seen<'m>>,
    mut is: impl FnMut(&Seen<'m>, &Seen<'m>) -> bool,
) -> Vec<(Seen<'m>, Seen<'m>)> {
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
