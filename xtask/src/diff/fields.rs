//! Compares the fields of two objects, and the values of two enums.

use std::collections::BTreeSet;

use super::effects::{self, Effects, Slot};
use super::facts::Finding;
use super::kind::Kind;
use super::names::{renamed, similar};
use super::seen::{Seen, SeenField, describe};
use super::walk::{Step, Walk};
use super::words::text;
use crate::model::{Group, Model, Need, Place};

impl<'m> Walk<'m> {
    pub(super) fn fields(&mut self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, step: &mut Step) {
        let (mut gone, mut more) = (old.names(), new.names());
        let both: Vec<&str> = gone.intersection(&more).copied().collect();
        for name in both {
            gone.remove(name);
            more.remove(name);
            self.field(name, old, new, slot, step);
        }
        let found = renamed(&mut gone, &mut more, |before, now| {
            similar(before, now) && self.is_same_field(old.field(before), new.field(now))
        });
        for (before, now) in found {
            if let (Some(field), Some(other)) = (old.field(before), new.field(now)) {
                self.explained.insert((field.place.clone(), Kind::FieldRemoved));
                self.explained.insert((other.place.clone(), Kind::FieldAdded));
                let effects = effects::field_renamed((before, &field), (now, &other), new, slot);
                step.find(&field.place, Kind::FieldRenamed, Some(before.to_owned()), Some(now.to_owned()), effects);
            }
        }
        self.moved_down((old, &mut gone), (new, &mut more), slot, step);
        self.moved_up((old, &mut gone), (new, &mut more), slot, step);
        for (name, field) in gone.iter().filter_map(|name| Some((*name, old.field(name)?))) {
            let effects = effects::field_removed(&field, new, slot);
            let place = told(name, &field, old, self.new);
            step.find(&place, Kind::FieldRemoved, Some(old.describe_field(name, &field)), None, effects);
        }
        for (name, field) in more.iter().filter_map(|name| Some((*name, new.field(name)?))) {
            let effects = effects::field_added(&field, old, new, name, slot);
            let place = told(name, &field, new, self.old);
            step.find(&place, Kind::FieldAdded, None, Some(new.describe_field(name, &field)), effects);
        }
        let undescribed = new.object().into_iter().flat_map(|object| &object.undescribed);
        for (name, place) in
            undescribed.filter(|(name, _)| old.need(name) == Need::Optional && old.field(name).is_none())
        {
            let place = new.place_of(place).field(name);
            let now = Some("required anything".to_owned());
            step.find(&place, Kind::FieldAdded, None, now, effects::undescribed_required());
        }
        self.conditions(old, new, step);
    }

    /// Compares a field that both have.
    fn field(&mut self, name: &str, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, step: &mut Step) {
        let (Some(before), Some(now)) = (old.field(name), new.field(name)) else { return };
        // Where a schema no longer says anything of a field that another one describes, that is a change of the schema.
        let described = now.place.outermost();
        let was_there = Seen::at(self.old, &described).is_some_and(|seen| seen.whole().field(name).is_some());
        let inner = Slot::of(before.need, slot);
        let lost = was_there && before.place != now.place && now.place.schema != new.place.schema;
        let place = if lost { new.place.field(name) } else { now.place.clone() };
        match lost && now.value.place.path != "$" {
            true => self.in_place((&before.value, &now.value), inner, &place, step),
            false => self.child(&before.value, &now.value, inner, place, step),
        }
        if before.need == now.need {
            return;
        }
        let (kind, place) = match now.need {
            Need::Required => (Kind::BecameRequired, &now.need_place),
            Need::Optional => (Kind::BecameOptional, &before.need_place),
            Need::Conditional => (Kind::BecameConditional, &now.need_place),
        };
        let effects = effects::need_changed(name, (&before, &now), (old, new), slot);
        let (was, is) = (old.describe_need(name, before.need), new.describe_need(name, now.need));
        step.find(&place.field(name), kind, Some(was), Some(is), effects);
    }

    fn is_same_field(&mut self, old: Option<SeenField<'m>>, new: Option<SeenField<'m>>) -> bool {
        matches!((old, new), (Some(old), Some(new)) if self.same(&old.value, &new.value))
    }

    /// Finds fields that are in an object beside them now.
    fn moved_down(
        &mut self,
        (old, gone): (&Seen<'m>, &mut BTreeSet<&str>),
        (new, more): (&Seen<'m>, &mut BTreeSet<&str>),
        slot: Slot,
        step: &mut Step,
    ) {
        for (object, into) in new.fields() {
            if gone.is_empty() {
                return;
            }
            let inside = into.value.whole();
            let before = old.field(object).map(|field| field.value.whole());
            let mut all = inside.is_struct();
            for (name, now) in inside.fields() {
                let was_there = before.as_ref().is_some_and(|seen| seen.field(name).is_some());
                let field = old.field(name).filter(|_| gone.contains(name) && !was_there);
                let Some(field) = field.filter(|field| self.same(&field.value, &now.value)) else {
                    all = false;
                    continue;
                };
                gone.remove(name);
                self.explained.insert((now.place.clone(), Kind::FieldAdded));
                let path = into.place.field(name).path;
                let need = if into.need == Need::Required { now.need } else { Need::Optional };
                step.findings.push(moved(&field, need, new, slot, path));
            }
            if all && more.contains(object) && inside.names().iter().all(|name| !gone.contains(name)) {
                more.remove(object);
            }
        }
    }

    /// Finds fields that were in an object beside them.
    fn moved_up(
        &mut self,
        (old, gone): (&Seen<'m>, &mut BTreeSet<&str>),
        (new, more): (&Seen<'m>, &mut BTreeSet<&str>),
        slot: Slot,
        step: &mut Step,
    ) {
        for (object, from) in old.fields() {
            if more.is_empty() {
                return;
            }
            let inside = from.value.whole();
            let now = new.field(object).map(|field| field.value.whole());
            let mut all = inside.is_struct();
            for (name, field) in inside.fields() {
                let is_there = now.as_ref().is_some_and(|seen| seen.field(name).is_some());
                let target = new.field(name).filter(|_| more.contains(name) && !is_there);
                let Some(target) = target.filter(|target| self.same(&field.value, &target.value)) else {
                    all = false;
                    continue;
                };
                more.remove(name);
                self.explained.insert((field.place.clone(), Kind::FieldRemoved));
                let slot = Slot::of(from.need, slot).inner();
                step.findings.push(moved(&field, target.need, new, slot, target.place.path));
            }
            if all {
                gone.remove(object);
            }
        }
    }

    /// Says which fields have to be there together, where no field says it of itself.
    fn conditions(&self, old: &Seen<'m>, new: &Seen<'m>, step: &mut Step) {
        let told = step.findings.iter().any(|finding| {
            matches!(finding.kind, Kind::BecameRequired | Kind::BecameOptional | Kind::BecameConditional)
        });
        if old.groups() == new.groups() || told {
            return;
        }
        let known = |name: &String| old.field(name).is_some() && new.field(name).is_some();
        let groups = |seen: &Seen<'m>| -> Vec<Group> {
            let mut groups = seen.groups().to_vec();
            for group in &mut groups {
                group.alternatives.retain(|names| names.iter().all(known));
            }
            groups
        };
        if groups(old) == groups(new) {
            return;
        }
        let all = |seen: &Seen<'m>| Some(describe(&seen.groups().iter().collect::<Vec<_>>()));
        step.find(&new.place, Kind::ConditionChanged, all(old), all(new), effects::condition_changed(old, new));
    }

    pub(super) fn values(&mut self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, step: &mut Step) {
        let place = new.place.clone();
        let (before, now) = match (&old.node.values, &new.node.values) {
            (Some(before), Some(now)) => (before, now),
            (None, None) => return,
            (before, _) => {
                let kind = if before.is_none() { Kind::EnumIntroduced } else { Kind::EnumDropped };
                let effects = effects::enum_changed(old, new, slot);
                step.find(&place, kind, Some(old.describe()), Some(new.describe()), effects);
                return;
            }
        };
        let slot = effects::of_values(old, slot);
        let (before, now): (BTreeSet<String>, BTreeSet<String>) =
            (before.iter().map(text).collect(), now.iter().map(text).collect());
        let mut gone: BTreeSet<&str> = before.difference(&now).map(String::as_str).collect();
        let mut more: BTreeSet<&str> = now.difference(&before).map(String::as_str).collect();
        let found = renamed(&mut gone, &mut more, similar);
        let mut find = |kind, old: Option<&str>, new: Option<&str>, effects: Effects| {
            let finding = Finding::new(place.clone(), kind, old.map(str::to_owned), new.map(str::to_owned), effects);
            step.findings.push(finding.of(old.or(new).unwrap_or_default()));
        };
        for (before, now) in found {
            find(Kind::EnumValueRenamed, Some(before), Some(now), effects::enum_value_renamed(before, now, slot));
        }
        for value in gone {
            find(Kind::EnumValueRemoved, Some(value), None, effects::enum_value_removed(slot));
        }
        for value in more {
            find(Kind::EnumValueAdded, None, Some(value), effects::enum_value_added());
        }
    }
}

fn moved(field: &SeenField<'_>, need: Need, new: &Seen<'_>, slot: Slot, path: String) -> Finding {
    let effects = effects::field_moved(field, need, new, slot);
    Finding::new(field.place.clone(), Kind::FieldMoved, Some(field.place.path.clone()), Some(path), effects)
}

/// Where a field that only one side has is told of: where it stands, unless what stands there is on the other side too, and
/// an object is built on it or no longer is.
fn told(name: &str, field: &SeenField<'_>, object: &Seen<'_>, other: &Model) -> Place {
    let is_there = Seen::at(other, &field.place.outermost()).is_some_and(|seen| seen.whole().field(name).is_some());
    if is_there { object.place.field(name) } else { field.place.clone() }
}
