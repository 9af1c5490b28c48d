//! Compares the fields of objects, and the values of enums.

use super::kind::Kind;
use super::names::{Alone, matched, similar};
use super::seen::{Pair, Seen, SeenField, Slot, is_met};
use super::walk::{Step, Walk};
use super::words::{describe, text};
use super::{About, Fact};
use crate::model::{Group, Need, Rust};

impl<'m> Walk<'m> {
    pub(crate) fn fields(&mut self, pair: &Pair<'m>, step: &mut Step<'m>) {
        let Pair { old, new, .. } = pair;
        let (both, mut alone) = matched(old.fields(), new.fields());
        for ((name, before), (_, now)) in both {
            self.field(name, before, now, pair, step);
        }
        let found = alone.renamed(|(before, was), (now, is)| similar(before, now) && self.same(&was.value, &is.value));
        for ((before, was), (now, is)) in found {
            self.explained.insert((was.place.clone(), Kind::FieldRemoved));
            self.explained.insert((is.place.clone(), Kind::FieldAdded));
            let (place, about) = (was.place.clone(), About::of_field(pair, Some(was), Some(is)));
            step.facts.push(Fact::changed(&place, Kind::FieldRenamed, [before, now], about));
        }
        self.moved(pair, true, &mut alone, step);
        self.moved(pair, false, &mut alone, step);
        let kinds = [Kind::FieldRemoved, Kind::FieldAdded];
        for (name, field, is_new) in alone.each() {
            let (object, other) = if is_new { (new, self.old) } else { (old, self.new) };
            // The other contract may have the field in the same base, which only one of the objects is built on.
            let is_there = Seen::at(other, &field.place.outermost()).is_some_and(|seen| seen.whole().has(name));
            let place = if is_there { object.place.field(name) } else { field.place.clone() };
            let text = object.describe_field(name, &field);
            let (before, now) = if is_new { (None, Some(field)) } else { (Some(field), None) };
            let about = About::of_field(pair, before, now);
            step.facts.push(Fact::alone(&place, kinds, is_new, text, about).of(name));
        }
        for (seen, other, is_new) in [(old, new, false), (new, old, true)] {
            let undescribed = seen.object().into_iter().flat_map(|object| &object.undescribed);
            let is_alone = |(name, _): &(&String, _)| other.need(name) == Need::Optional && !other.has(name);
            for (name, place) in undescribed.filter(is_alone) {
                let (place, about) = (seen.place_of(place).field(name), About::of_field(pair, None, None));
                step.facts.push(Fact::alone(&place, kinds, is_new, "required anything", about));
            }
        }
        self.conditions(pair, step);
    }

    /// Compares a field that both objects have.
    fn field(&mut self, name: &str, before: SeenField<'m>, now: SeenField<'m>, pair: &Pair<'m>, step: &mut Step<'m>) {
        let Pair { old, new, slot } = pair;
        // If another schema describes the field now, that is a change of the schema that dropped its own description.
        let described = now.place.outermost();
        let was_there = Seen::at(self.old, &described).is_some_and(|seen| seen.whole().has(name));
        let values = Pair::new(&before.value, &now.value, Slot::of(before.need_in_rust, *slot));
        let lost = was_there && before.place != now.place && now.place.schema != new.place.schema;
        let place = if lost { new.place.field(name) } else { now.place.clone() };
        match lost && now.value.place.path != "$" {
            true => self.in_place(&values, &place, step),
            false => self.child(&values, &place, step),
        }
        if before.need == now.need {
            return;
        }
        let (kind, place) = match now.need {
            Need::Required => (Kind::BecameRequired, &now.need_place),
            Need::Optional => (Kind::BecameOptional, &before.need_place),
            Need::Conditional => (Kind::BecameConditional, &now.need_place),
        };
        let place = place.field(name);
        let texts = [old.describe_need(name, before.need), new.describe_need(name, now.need)];
        let about = About::of_field(pair, Some(before), Some(now));
        step.facts.push(Fact::changed(&place, kind, texts, about).of(name));
    }

    /// Finds fields that moved into an object beside them (`down`), or out of one.
    fn moved(&mut self, pair: &Pair<'m>, down: bool, alone: &mut Alone<&str, SeenField<'m>>, step: &mut Step<'m>) {
        // One contract has the fields beside the object, and the other inside.
        let (outside, flat, holder, nested) = match down {
            true => (&pair.old, &mut alone.gone, &pair.new, &mut alone.more),
            false => (&pair.new, &mut alone.more, &pair.old, &mut alone.gone),
        };
        for (object, into) in holder.fields() {
            if flat.is_empty() {
                return;
            }
            let inside = into.value.whole();
            let other = outside.field(object).map(|field| field.value.whole());
            let mut all = inside.is_struct();
            for (name, inner) in inside.fields() {
                let stays = other.as_ref().is_some_and(|seen| seen.has(name));
                let is_same = |field: &&SeenField<'m>| match down {
                    true => self.same(&field.value, &inner.value),
                    false => self.same(&inner.value, &field.value),
                };
                if flat.get(name).filter(|_| !stays).filter(is_same).is_none() {
                    all = false;
                    continue;
                }
                let Some(field) = flat.remove(name) else { continue };
                let kind = if down { Kind::FieldAdded } else { Kind::FieldRemoved };
                self.explained.insert((inner.place.clone(), kind));
                let (slot, before, now) = if down {
                    let need = if into.need == Need::Required { inner.need } else { Need::Optional };
                    (pair.slot, field, SeenField { need, place: into.place.field(name), ..inner })
                } else {
                    (Slot::of(into.need, pair.slot).inner(), inner, field)
                };
                let (place, texts) = (before.place.clone(), [before.place.path.clone(), now.place.path.clone()]);
                let about = About::of_field(&Pair { slot, ..pair.clone() }, Some(before), Some(now));
                step.facts.push(Fact::changed(&place, Kind::FieldMoved, texts, about));
            }
            if all && into.need != Need::Required {
                nested.remove(object);
            }
        }
    }

    /// Reports a change of the groups of required fields, unless a change of one of the fields says it already.
    fn conditions(&self, pair: &Pair<'m>, step: &mut Step<'m>) {
        let Pair { old, new, .. } = pair;
        let unmet: Vec<&Group> = new.groups().iter().filter(|group| !is_met(group, old)).collect();
        let names = |group: &Group, name: &String| group.alternatives.iter().any(|names| names.contains(name));
        // Whether a change of a field tells that a group is stricter.
        let tells = |fact: &Fact<'m>, group: &Group| match (fact.kind, &fact.about) {
            (Kind::BecameRequired, _) => old.groups().iter().any(|group| names(group, &fact.subject)),
            (Kind::BecameConditional, _) => names(group, &fact.subject),
            (Kind::FieldAdded, About::Field(field)) => {
                field.now.as_ref().is_some_and(|field| field.need == Need::Conditional) && names(group, &fact.subject)
            }
            _ => false,
        };
        let of_field = [Kind::BecameRequired, Kind::BecameOptional, Kind::BecameConditional];
        let is_told = match unmet.is_empty() {
            true => step.facts.iter().any(|fact| of_field.contains(&fact.kind)),
            false => unmet.iter().all(|group| step.facts.iter().any(|fact| tells(fact, group))),
        };
        if old.groups() == new.groups() || is_told {
            return;
        }
        let known = |name: &String| old.has(name) && new.has(name);
        let groups = |seen: &Seen<'m>| -> Vec<Group> {
            let mut groups = seen.groups().to_vec();
            for group in &mut groups {
                group.alternatives.retain(|names| names.iter().all(known));
            }
            groups
        };
        if !unmet.is_empty() || groups(old) != groups(new) {
            let texts = pair.both(|seen| describe(seen.groups()));
            let about = About::Values(Pair { slot: Slot::Value, ..pair.clone() });
            step.facts.push(Fact::changed(&new.place, Kind::ConditionChanged, texts, about));
        }
    }

    pub(crate) fn values(&mut self, pair: &Pair<'m>, step: &mut Step<'m>) {
        let place = &pair.new.place;
        let (before, now) = match (&pair.old.node.values, &pair.new.node.values) {
            (Some(before), Some(now)) => (before, now),
            (None, None) => return,
            (before, _) => {
                let kind = if before.is_none() { Kind::EnumIntroduced } else { Kind::EnumDropped };
                let texts = pair.both(Seen::describe);
                step.facts.push(Fact::changed(place, kind, texts, About::Values(pair.clone())));
                return;
            }
        };
        // Only enums of strings become Rust enums.
        let about = About::EnumValue { is_named: pair.slot != Slot::Raw && pair.old.node.rust() == Rust::OpenEnum };
        let keyed = |value| (text(value), ());
        let (_, mut values) = matched(before.iter().map(keyed), now.iter().map(keyed));
        for ((before, ()), (now, ())) in values.renamed(|(before, ()), (now, ())| similar(before, now)) {
            let fact = Fact::changed(place, Kind::EnumValueRenamed, [&before, &now], about.clone());
            step.facts.push(fact.of(&before));
        }
        for (value, (), is_new) in values.each() {
            let kinds = [Kind::EnumValueRemoved, Kind::EnumValueAdded];
            step.facts.push(Fact::alone(place, kinds, is_new, &value, about.clone()).of(&value));
        }
    }
}
