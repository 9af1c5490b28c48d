//! Compares what two schemas of one type say of its values: fields, values of an enum, and everything else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::changes::{Finding, Kind};
use super::names::{renamed, similar};
use super::rust::{self, Rust, Slot};
use super::shape::{Field, Need, Shape};
use super::side::{Place, Side};
use super::verdict::{self, Effect, Effects};
use super::walk::{Step, Walk};
use super::words::text;
use crate::document::BOUNDS;

impl<'a> Walk<'a> {
    pub(super) fn fields(&mut self, old: &Shape<'a>, new: &Shape<'a>, slot: Slot, step: &mut Step) {
        let names = |shape: &Shape<'a>| shape.fields.keys().copied().collect::<BTreeSet<&'a str>>();
        let (mut gone, mut more) = (names(old), names(new));
        let both: Vec<&str> = gone.intersection(&more).copied().collect();
        for name in &both {
            gone.remove(name);
            more.remove(name);
            self.field(name, old, new, slot, step);
        }
        let found = renamed(&mut gone, &mut more, |before, now| {
            similar(before, now) && self.is_same_field(old.fields.get(before), new.fields.get(now))
        });
        for (before, now) in found {
            if let (Some(field), Some(other)) = (old.fields.get(before), new.fields.get(now)) {
                self.explained.insert((field.place.clone(), Kind::FieldRemoved));
                self.explained.insert((other.place.clone(), Kind::FieldAdded));
                let mut effects = verdict::field_renamed(field, &field.node.shape(), other.need, new, slot);
                if rust::is_same_in_rust((before, field), (now, other)) {
                    effects.source = Effect::default();
                }
                let (before, now) = (Some(before.to_owned()), Some(now.to_owned()));
                step.findings.push(Finding::new(field.place.clone(), Kind::FieldRenamed, before, now, effects));
            }
        }
        self.moved_down((old, &mut gone), (new, &mut more), slot, step);
        self.moved_up((old, &mut gone), (new, &mut more), slot, step);
        for (name, field) in gone.iter().filter_map(|name| old.fields.get_key_value(name)) {
            let shape = field.node.shape();
            let effects = verdict::field_removed(field, &shape, new, slot);
            let before = described(name, field, old);
            let place = told(name, field, old, self.new);
            step.findings.push(Finding::new(place, Kind::FieldRemoved, Some(before), None, effects));
        }
        for (name, field) in more.iter().filter_map(|name| new.fields.get_key_value(name)) {
            let effects = verdict::field_added(field, old, new, name, slot);
            let now = described(name, field, new);
            let place = told(name, field, new, self.old);
            step.findings.push(Finding::new(place, Kind::FieldAdded, None, Some(now), effects));
        }
        for (name, place) in new
            .undescribed
            .iter()
            .filter(|(name, _)| old.need(name) == Need::Optional && !old.fields.contains_key(*name))
        {
            let effects = verdict::undescribed_required();
            let now = Some("required anything".to_owned());
            step.findings.push(Finding::new(place.field(name), Kind::FieldAdded, None, now, effects));
        }
        self.conditions(old, new, step);
    }

    /// Compares a field that both have.
    fn field(&mut self, name: &str, old: &Shape<'a>, new: &Shape<'a>, slot: Slot, step: &mut Step) {
        let (Some(before), Some(now)) = (old.fields.get(name), new.fields.get(name)) else { return };
        // Where a schema no longer says anything of a field that another one describes, that is a change of the schema.
        let described = Place { path: "$".to_owned(), ..now.place.clone() };
        let was_there = self.old.at(&described).is_some_and(|node| node.shape().fields.contains_key(name));
        let inner = Slot::of(before, slot);
        let lost = was_there && before.place != now.place && now.place.schema != new.place.schema;
        let place = if lost { new.place.field(name) } else { now.place.clone() };
        match lost && now.node.place().path != "$" {
            true => self.in_place((&before.node, &now.node), inner, &place, step),
            false => self.child(&before.node, &now.node, inner, place, step),
        }
        if before.need == now.need {
            return;
        }
        let (kind, place) = match now.need {
            Need::Required => (Kind::BecameRequired, &now.need_place),
            Need::Optional => (Kind::BecameOptional, &before.need_place),
            Need::Conditional => (Kind::BecameConditional, &now.need_place),
        };
        let values = (&before.node.shape(), &now.node.shape());
        let effects = verdict::need_changed(name, (before, now), values, (old, new), slot);
        let (before, now) = (need(name, before.need, old), need(name, now.need, new));
        step.findings.push(Finding::new(place.field(name), kind, Some(before), Some(now), effects));
    }

    fn is_same_field(&mut self, old: Option<&Field<'a>>, new: Option<&Field<'a>>) -> bool {
        matches!((old, new), (Some(old), Some(new)) if self.same(&old.node, &new.node))
    }

    /// Finds fields that are in an object beside them now.
    fn moved_down(
        &mut self,
        (old, gone): (&Shape<'a>, &mut BTreeSet<&'a str>),
        (new, more): (&Shape<'a>, &mut BTreeSet<&'a str>),
        slot: Slot,
        step: &mut Step,
    ) {
        for (object, into) in &new.fields {
            if gone.is_empty() {
                return;
            }
            let inside = into.node.shape();
            let before = old.fields.get(object).map(|field| field.node.shape());
            let mut all = !inside.fields.is_empty();
            for (name, now) in &inside.fields {
                let was_there = before.as_ref().is_some_and(|shape| shape.fields.contains_key(name));
                let Some(field) = old.fields.get(name).filter(|_| gone.contains(name) && !was_there) else {
                    all = false;
                    continue;
                };
                if !self.same(&field.node, &now.node) {
                    all = false;
                    continue;
                }
                gone.remove(name);
                self.explained.insert((now.place.clone(), Kind::FieldAdded));
                let path = into.place.field(name).path;
                let need = if into.need == Need::Required { now.need } else { Need::Optional };
                step.findings.push(self.moved(field, need, new, slot, path));
            }
            if all && more.contains(object) && inside.fields.keys().all(|name| !gone.contains(name)) {
                more.remove(object);
            }
        }
    }

    /// Finds fields that were in an object beside them.
    fn moved_up(
        &mut self,
        (old, gone): (&Shape<'a>, &mut BTreeSet<&'a str>),
        (new, more): (&Shape<'a>, &mut BTreeSet<&'a str>),
        slot: Slot,
        step: &mut Step,
    ) {
        for (object, from) in &old.fields {
            if more.is_empty() {
                return;
            }
            let inside = from.node.shape();
            let now = new.fields.get(object).map(|field| field.node.shape());
            let mut all = !inside.fields.is_empty();
            for (name, field) in &inside.fields {
                let is_there = now.as_ref().is_some_and(|shape| shape.fields.contains_key(name));
                let target = new.fields.get(name).filter(|_| more.contains(name) && !is_there);
                let Some(target) = target.filter(|target| self.same(&field.node, &target.node)) else {
                    all = false;
                    continue;
                };
                more.remove(name);
                self.explained.insert((field.place.clone(), Kind::FieldRemoved));
                let slot = Slot::of(from, slot);
                let slot = if slot == Slot::Raw { slot } else { Slot::Value };
                step.findings.push(self.moved(field, target.need, new, slot, target.place.path.clone()));
            }
            if all {
                gone.remove(object);
            }
        }
    }

    fn moved(&self, field: &Field<'a>, need: Need, new: &Shape<'a>, slot: Slot, path: String) -> Finding {
        let effects = verdict::field_renamed(field, &field.node.shape(), need, new, slot);
        Finding::new(field.place.clone(), Kind::FieldMoved, Some(field.place.path.clone()), Some(path), effects)
    }

    /// Says which fields have to be there together, where no field says it of itself.
    fn conditions(&self, old: &Shape<'a>, new: &Shape<'a>, step: &mut Step) {
        let told = step.findings.iter().any(|finding| {
            matches!(finding.kind, Kind::BecameRequired | Kind::BecameOptional | Kind::BecameConditional)
        });
        if old.groups == new.groups || told {
            return;
        }
        let known = |name: &&str| old.fields.contains_key(*name) && new.fields.contains_key(*name);
        let groups = |shape: &Shape<'a>| -> Vec<_> {
            let mut groups = shape.groups.clone();
            for group in &mut groups {
                group.alternatives.retain(|names| names.iter().all(known));
            }
            groups
        };
        if groups(old) == groups(new) {
            return;
        }
        let met = new.groups.iter().all(|group| group.is_met_by(old));
        let effects = Effects::fine("none of the fields is required by the types");
        let effects = match met {
            true => effects,
            false => effects.outbound(
                verdict::Verdict::Breaking,
                "a value built with the old types may have other fields than it has to",
            ),
        };
        let describe = |shape: &Shape<'a>| {
            let groups: Vec<String> = shape.groups.iter().map(super::shape::Group::describe).collect();
            groups.join("; ")
        };
        let finding =
            Finding::new(new.place.clone(), Kind::ConditionChanged, Some(describe(old)), Some(describe(new)), effects);
        step.findings.push(finding);
    }

    pub(super) fn values(&mut self, old: &Shape<'a>, new: &Shape<'a>, slot: Slot, step: &mut Step) {
        let place = new.place.clone();
        let (before, now) = match (&old.values, &new.values) {
            (Some(before), Some(now)) => (before, now),
            (None, None) => return,
            (before, _) => {
                let kind = if before.is_none() { Kind::EnumIntroduced } else { Kind::EnumDropped };
                let (old_text, new_text) = (old.describe(), new.describe());
                let effects = verdict::enum_changed(old, new, slot);
                step.findings.push(Finding::new(place, kind, Some(old_text), Some(new_text), effects));
                return;
            }
        };
        // Of other values than texts, no enum is made.
        let slot = if Rust::of(old) == Rust::OpenEnum { slot } else { Slot::Raw };
        let texts = |values: &[&Value]| values.iter().map(|value| text(value)).collect::<BTreeSet<String>>();
        let (before, now) = (texts(before), texts(now));
        let mut gone: BTreeSet<&str> = before.difference(&now).map(String::as_str).collect();
        let mut more: BTreeSet<&str> = now.difference(&before).map(String::as_str).collect();
        let found = renamed(&mut gone, &mut more, similar);
        let mut find = |kind, old: Option<&str>, new: Option<&str>, effects| {
            let finding = Finding::new(place.clone(), kind, old.map(str::to_owned), new.map(str::to_owned), effects);
            step.findings.push(finding.of(old.or(new).unwrap_or_default()));
        };
        for (before, now) in found {
            find(Kind::EnumValueRenamed, Some(before), Some(now), verdict::enum_value_renamed(before, now, slot));
        }
        for value in gone {
            find(Kind::EnumValueRemoved, Some(value), None, verdict::enum_value_removed(slot));
        }
        for value in more {
            find(Kind::EnumValueAdded, None, Some(value), verdict::enum_value_added());
        }
    }

    pub(super) fn facets(&mut self, old: &Shape<'a>, new: &Shape<'a>, slot: Slot, step: &mut Step) {
        let keys: BTreeSet<&str> = old.facets.keys().chain(new.facets.keys()).copied().collect();
        for key in keys {
            let (before, now) = (old.facets.get(key), new.facets.get(key));
            let value = |facet: Option<&(&'a Value, Place)>| facet.map(|(value, _)| *value);
            let (was, is) = (value(before), value(now));
            if was == is {
                continue;
            }
            let (kind, effects) = match key {
                "format" => (Kind::FormatChanged, verdict::format_changed(old, new, slot)),
                "default" => (Kind::DefaultChanged, verdict::default_changed(old, new, slot)),
                "deprecated" if is.is_some() => {
                    (Kind::Deprecated, Effects::fine("it is still there; plan to do without it"))
                }
                "deprecated" => (Kind::NoLongerDeprecated, Effects::fine("it is there to stay")),
                "readOnly" => (Kind::ReadOnlyChanged, verdict::read_only_changed(is.is_some(), slot)),
                "writeOnly" => (Kind::WriteOnlyChanged, verdict::write_only_changed(is.is_some(), slot)),
                key if BOUNDS.contains(&key) => (Kind::BoundChanged, verdict::bound_changed(is_tighter(key, was, is))),
                _ => (Kind::KeywordChanged, verdict::unknown_keyword()),
            };
            let place = now.or(before).map_or_else(|| new.place.clone(), |(_, place)| place.clone());
            let said = |value: Option<&Value>| value.map(|value| format!("{key}: {value}"));
            step.findings.push(Finding::new(place, kind, said(was), said(is), effects).of(key));
        }
    }
}

/// Whether a value that was within the bound may be out of it.
fn is_tighter(key: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    match (number(old), number(new)) {
        _ if new.is_none() => false,
        _ if old.is_none() => true,
        (Some(old), Some(new)) if key.starts_with("min") => new > old,
        (Some(old), Some(new)) if key.starts_with("max") => new < old,
        (Some(old), Some(new)) if key == "multipleOf" => old % new != 0.0,
        _ => true,
    }
}

/// Where a field that only one side has is told of: where it stands, unless what stands there is on the other side too, and
/// an object is built on it or no longer is.
fn told<'a>(name: &str, field: &Field<'a>, object: &Shape<'a>, other: &'a Side<'a>) -> Place {
    let schema = Place { path: "$".to_owned(), ..field.place.clone() };
    match other.at(&schema).is_some_and(|node| node.shape().fields.contains_key(name)) {
        true => object.place.field(name),
        false => field.place.clone(),
    }
}

/// A field as a reader wants it told: whether it has to be there, and its type.
fn described(name: &str, field: &Field<'_>, object: &Shape<'_>) -> String {
    let kind = field.node.name();
    match field.need {
        Need::Required => format!("required {kind}"),
        Need::Optional => format!("optional {kind}"),
        Need::Conditional => format!("{kind}, {}", need(name, field.need, object)),
    }
}

fn need(name: &str, need: Need, object: &Shape<'_>) -> String {
    match need {
        Need::Required => "required".to_owned(),
        Need::Optional => "optional".to_owned(),
        Need::Conditional => {
            let groups =
                object.groups.iter().filter(|group| group.alternatives.iter().any(|names| names.contains(name)));
            let groups: Vec<String> = groups.map(super::shape::Group::describe).collect();
            groups.join("; ")
        }
    }
}
