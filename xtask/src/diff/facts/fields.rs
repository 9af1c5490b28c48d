//! Compares the fields of two objects, and the values of two enums.

use std::collections::BTreeSet;

use super::kind::Kind;
use super::names::{renamed, similar};
use super::seen::{Seen, SeenField, describe};
use super::walk::{Step, Walk};
use super::words::text;
use super::{About, Fact, Slot};
use crate::model::{Group, Model, Need, Place, Rust};

impl<'m> Walk<'m> {
    pub(in crate::diff) fn fields(&mut self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, step: &mut Step<'m>) {
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
                let place = field.place.clone();
                let about = About::of_field((old, Some(field)), (new, Some(other)), slot);
                step.find(&place, Kind::FieldRenamed, [before, now].map(|name| Some(name.to_owned())), about);
            }
        }
        self.moved_down((old, &mut gone), (new, &mut more), slot, step);
        self.moved_up((old, &mut gone), (new, &mut more), slot, step);
        for (name, field) in gone.iter().filter_map(|name| Some((*name, old.field(name)?))) {
            let (place, text) = (told(name, &field, old, self.new), old.describe_field(name, &field));
            let about = About::of_field((old, Some(field)), (new, None), slot);
            step.find(&place, Kind::FieldRemoved, [Some(text), None], about);
        }
        for (name, field) in more.iter().filter_map(|name| Some((*name, new.field(name)?))) {
            let (place, text) = (told(name, &field, new, self.old), new.describe_field(name, &field));
            let about = About::of_field((old, None), (new, Some(field)), slot);
            step.facts.push(Fact::new(&place, Kind::FieldAdded, [None, Some(text)], about).of(name));
        }
        let is_new = |name: &&String| old.need(name) == Need::Optional && old.field(name).is_none();
        let undescribed = new.object().into_iter().flat_map(|object| &object.undescribed);
        for (name, place) in undescribed.filter(|(name, _)| is_new(name)) {
            let about = About::of_field((old, None), (new, None), slot);
            let text = Some("required anything".to_owned());
            step.find(&new.place_of(place).field(name), Kind::FieldAdded, [None, text], about);
        }
        self.conditions(old, new, step);
    }

    /// Compares a field that both have.
    fn field(&mut self, name: &str, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, step: &mut Step<'m>) {
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
        let place = place.field(name);
        let texts = [Some(old.describe_need(name, before.need)), Some(new.describe_need(name, now.need))];
        let about = About::of_field((old, Some(before)), (new, Some(now)), slot);
        step.facts.push(Fact::new(&place, kind, texts, about).of(name));
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
        step: &mut Step<'m>,
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
                let need = if into.need == Need::Required { now.need } else { Need::Optional };
                let now = SeenField { need, place: into.place.field(name), ..now };
                step.facts.push(moved((old, field), (new, now), slot));
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
        step: &mut Step<'m>,
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
                step.facts.push(moved((old, field), (new, target), slot));
            }
            if all {
                gone.remove(object);
            }
        }
    }

    /// Says which fields have to be there together, where no field says it of itself.
    fn conditions(&self, old: &Seen<'m>, new: &Seen<'m>, step: &mut Step<'m>) {
        let told = step
            .facts
            .iter()
            .any(|fact| matches!(fact.kind, Kind::BecameRequired | Kind::BecameOptional | Kind::BecameConditional));
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
        let texts = [old, new].map(|seen| Some(describe(&seen.groups().iter().collect::<Vec<_>>())));
        let about = About::Values { old: old.clone(), new: new.clone(), slot: Slot::Value };
        step.find(&new.place, Kind::ConditionChanged, texts, about);
    }

    pub(in crate::diff) fn values(&mut self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot, step: &mut Step<'m>) {
        let place = new.place.clone();
        let (before, now) = match (&old.node.values, &new.node.values) {
            (Some(before), Some(now)) => (before, now),
            (None, None) => return,
            (before, _) => {
                let kind = if before.is_none() { Kind::EnumIntroduced } else { Kind::EnumDropped };
                let about = About::Values { old: old.clone(), new: new.clone(), slot };
                step.find(&place, kind, [old, new].map(|seen| Some(seen.describe())), about);
                return;
            }
        };
        // Of other values than texts, no enum is made.
        let is_named = slot != Slot::Raw && old.node.rust() == Rust::OpenEnum;
        let (before, now): (BTreeSet<String>, BTreeSet<String>) =
            (before.iter().map(text).collect(), now.iter().map(text).collect());
        let mut gone: BTreeSet<&str> = before.difference(&now).map(String::as_str).collect();
        let mut more: BTreeSet<&str> = now.difference(&before).map(String::as_str).collect();
        let found = renamed(&mut gone, &mut more, similar);
        let mut find = |kind, texts: [Option<&str>; 2]| {
            let subject = texts[0].or(texts[1]).unwrap_or_default();
            let about = About::EnumValue { is_named };
            step.facts.push(Fact::new(&place, kind, texts.map(|text| text.map(str::to_owned)), about).of(subject));
        };
        found.into_iter().for_each(|(before, now)| find(Kind::EnumValueRenamed, [Some(before), Some(now)]));
        gone.into_iter().for_each(|value| find(Kind::EnumValueRemoved, [Some(value), None]));
        more.into_iter().for_each(|value| find(Kind::EnumValueAdded, [None, Some(value)]));
    }
}

fn moved<'m>(
    (old, before): (&Seen<'m>, SeenField<'m>),
    (new, now): (&Seen<'m>, SeenField<'m>),
    slot: Slot,
) -> Fact<'m> {
    let (place, texts) = (before.place.clone(), [Some(before.place.path.clone()), Some(now.place.path.clone())]);
    Fact::new(&place, Kind::FieldMoved, texts, About::of_field((old, Some(before)), (new, Some(now)), slot))
}

/// Where a field that only one side has is told of: where it stands, unless what stands there is on the other side too, and
/// an object is built on it or no longer is.
fn told(name: &str, field: &SeenField<'_>, object: &Seen<'_>, other: &Model) -> Place {
    let is_there = Seen::at(other, &field.place.outermost()).is_some_and(|seen| seen.whole().field(name).is_some());
    if is_there { object.place.field(name) } else { field.place.clone() }
}
