//! Compares two configurations.
//!
//! Each step removes the parts that it compares from both configurations. The last step compares the rest as JSON, so
//! that it also finds differences in members that the contract, or the steps here, do not know.

use std::collections::BTreeMap;
use std::mem::take;

use serde::Serialize;

use crate::config::{ConfigContent, FieldSetting, ReadConfigObject, SubscribeConfigObject, WriteConfigObject};
use crate::config_change::{ConfigAction, ConfigChange};
use crate::json_meaning::{LEVELS, is_nothing, is_same, members};
use crate::json_path::Member;
use crate::{Items, RawJson};

type Map<V> = BTreeMap<String, V>;
type Changes = Vec<ConfigChange>;

impl ConfigContent {
    /// Compares this configuration with an earlier one, `before`, and returns every difference.
    ///
    /// The list is empty exactly if both configurations mean the same. These differences do not count:
    ///
    /// - A member is absent, `null`, an empty list, or an object that holds only such members. An empty string is a
    ///   value of its own.
    /// - A member is absent, or has its default from the contract, such as `disabled` with false.
    /// - A number has two notations, such as `1.10` and `1.1`. Its digits are compared, at any size.
    ///
    /// The changes are in the order read, write, subscribe, proxy and others, each sorted by object. Every change names
    /// a different place, so you can apply them in any order. `Resolver::changes` of `ampersand-notifications` compares
    /// the two configurations of an event.
    ///
    /// ```
    /// use ampersand_types::{RawJson, config::ConfigContent};
    ///
    /// let before: ConfigContent = RawJson::new(r#"{"read":{"objects":{"contact":{"objectName":"contact",
    ///     "schedule":"0 * * * *","selectedFields":null}}},"proxy":{"enabled":false}}"#)?.parse()?;
    /// let after: ConfigContent = RawJson::new(r#"{"read":{"objects":{"contact":{"objectName":"contact",
    ///     "schedule":"@daily","disabled":false}}},"proxy":{"enabled":true},"new":1}"#)?.parse()?;
    ///
    /// let changes: Vec<String> = after.changes_since(&before).iter().map(ToString::to_string).collect();
    /// assert_eq!(changes, [
    ///     "read of `contact`: the schedule changed from `0 * * * *` to `@daily`",
    ///     "the proxy is enabled now",
    ///     "`$.new` was added",
    /// ]);
    /// # Ok::<(), ampersand_types::JsonError>(())
    /// ```
    pub fn changes_since(&self, before: &Self) -> Vec<ConfigChange> {
        let (mut before, mut after) = (before.clone(), self.clone());
        let mut changes = Vec::new();

        let (one, other) = (before.read.get_or_insert_default(), after.read.get_or_insert_default());
        objects(ConfigAction::Read, &mut one.objects, &mut other.objects, read, &mut changes);
        let (one, other) = (before.write.get_or_insert_default(), after.write.get_or_insert_default());
        objects(ConfigAction::Write, &mut one.objects, &mut other.objects, write, &mut changes);
        let (one, other) = (before.subscribe.get_or_insert_default(), after.subscribe.get_or_insert_default());
        objects(ConfigAction::Subscribe, &mut one.objects, &mut other.objects, subscribe, &mut changes);
        let (one, other) = (before.proxy.get_or_insert_default(), after.proxy.get_or_insert_default());
        if let Some((before, after)) = changed(&mut one.enabled, &mut other.enabled) {
            changes.push(ConfigChange::ProxyChanged { before, after });
        }

        others("$", Some(&json(&before)), Some(&json(&after)), LEVELS, &mut changes);
        changes
    }
}

fn objects<O: Serialize>(
    action: ConfigAction,
    before: &mut Map<O>,
    after: &mut Map<O>,
    compare: fn(&str, &mut O, &mut O, &mut Changes),
    changes: &mut Changes,
) {
    for (object, pair) in pairs(before, after) {
        match pair {
            (Some(mut one), Some(mut other)) => {
                compare(&object, &mut one, &mut other, changes);
                before.insert(object.clone(), one);
                after.insert(object, other);
            }
            (Some(gone), None) => {
                changes.push(ConfigChange::ObjectRemoved { action, object, config: json(&gone) });
            }
            (None, Some(new)) => changes.push(ConfigChange::ObjectAdded { action, object, config: json(&new) }),
            (None, None) => {}
        }
    }
}

fn read(object: &str, before: &mut ReadConfigObject, after: &mut ReadConfigObject, changes: &mut Changes) {
    let object = || object.to_owned();
    match (before.disabled_or_default(), after.disabled_or_default()) {
        (false, true) => changes.push(ConfigChange::ReadDisabled { object: object() }),
        (true, false) => changes.push(ConfigChange::ReadEnabled { object: object() }),
        _ => {}
    }
    (before.disabled, after.disabled) = (None, None);
    if let Some((before, after)) = changed(&mut before.schedule, &mut after.schedule) {
        changes.push(ConfigChange::ScheduleChanged { object: object(), before, after });
    }
    if let Some((before, after)) = changed(&mut before.destination, &mut after.destination) {
        let action = ConfigAction::Read;
        changes.push(ConfigChange::DestinationChanged { action, object: object(), before, after });
    }
    for (field, pair) in pairs(&mut before.selected_fields, &mut after.selected_fields) {
        match pair {
            (Some(true), Some(true)) => {}
            (_, Some(true)) => changes.push(ConfigChange::FieldSelected { object: object(), field }),
            (Some(true), listed) => {
                let listed = listed.is_some();
                changes.push(ConfigChange::FieldDeselected { object: object(), field, listed });
            }
            // It is unknown whether false differs from absent, so the last step compares them as JSON.
            (one, other) => {
                before.selected_fields.extend(one.map(|one| (field.clone(), one)));
                after.selected_fields.extend(other.map(|other| (field, other)));
            }
        }
    }
    if let Some((before, after)) = changed(&mut before.selected_fields_auto, &mut after.selected_fields_auto) {
        changes.push(ConfigChange::SelectedFieldsAutoChanged { object: object(), before, after });
    }
    for (name, pair) in pairs(&mut before.selected_field_mappings, &mut after.selected_field_mappings) {
        let object = object();
        match pair {
            (None, Some(field)) => changes.push(ConfigChange::MappingAdded { object, name, field }),
            (Some(field), None) => changes.push(ConfigChange::MappingRemoved { object, name, field }),
            (Some(before), Some(after)) if before != after => {
                changes.push(ConfigChange::MappingChanged { object, name, before, after });
            }
            _ => {}
        }
    }
    for (field, pair) in pairs(&mut before.selected_value_mappings, &mut after.selected_value_mappings) {
        let [mut one, mut other] = [pair.0, pair.1].map(|mappings| mappings.map_or_else(Map::new, Items::into_inner));
        for (key, (before, after)) in pairs(&mut one, &mut other) {
            if before != after {
                let (object, field) = (object(), field.clone());
                changes.push(ConfigChange::ValueMappingChanged { object, field, key, before, after });
            }
        }
    }
    let [one, other] = [before, after].map(|object| {
        let period = object.backfill.as_mut().map(|backfill| take(&mut backfill.default_period));
        period.filter(|period| !is_nothing(Some(&json(period))))
    });
    if !is_same(one.as_ref().map(json).as_ref(), other.as_ref().map(json).as_ref()) {
        changes.push(ConfigChange::BackfillChanged { object: object(), before: one, after: other });
    }
}

fn write(object: &str, before: &mut WriteConfigObject, after: &mut WriteConfigObject, changes: &mut Changes) {
    for (field, pair) in pairs(&mut before.selected_field_settings, &mut after.selected_field_settings) {
        let [mut one, mut other] = [pair.0, pair.1].map(Option::unwrap_or_default);
        setting(object, &field, &mut one, &mut other, changes);
        before.selected_field_settings.insert(field.clone(), one);
        after.selected_field_settings.insert(field, other);
    }
    for (field, (before, after)) in pairs(&mut before.selected_value_defaults, &mut after.selected_value_defaults) {
        if let Some((before, after)) = differing(before, after) {
            let object = object.to_owned();
            changes.push(ConfigChange::LegacyDefaultChanged { object, field, before, after });
        }
    }
}

fn setting(object: &str, field: &str, one: &mut FieldSetting, other: &mut FieldSetting, changes: &mut Changes) {
    let (object, field) = (|| object.to_owned(), || field.to_owned());
    let (before, after) = (one.default.take().as_ref().map(json), other.default.take().as_ref().map(json));
    if let Some((before, after)) = differing(before, after) {
        changes.push(ConfigChange::DefaultChanged { object: object(), field: field(), before, after });
    }
    let (before, after) = (one.write_on_create_or_default(), other.write_on_create_or_default());
    (one.write_on_create, other.write_on_create) = (None, None);
    if before != after {
        changes.push(ConfigChange::WriteOnCreateChanged { object: object(), field: field(), before, after });
    }
    let (before, after) = (one.write_on_update_or_default(), other.write_on_update_or_default());
    (one.write_on_update, other.write_on_update) = (None, None);
    if before != after {
        changes.push(ConfigChange::WriteOnUpdateChanged { object: object(), field: field(), before, after });
    }
}

fn subscribe(
    object: &str,
    before: &mut SubscribeConfigObject,
    after: &mut SubscribeConfigObject,
    changes: &mut Changes,
) {
    if let Some((before, after)) = changed(&mut before.destination, &mut after.destination) {
        changes.push(ConfigChange::DestinationChanged {
            action: ConfigAction::Subscribe,
            object: object.to_owned(),
            before: Some(before),
            after: Some(after),
        });
    }
}

/// Records what no step compared. It names each member of an added or removed object, as steps may have taken others.
fn others(path: &str, before: Option<&RawJson>, after: Option<&RawJson>, levels: usize, changes: &mut Changes) {
    if let (Some(one), Some(other)) = (parts(before), parts(after))
        && levels > 0
    {
        for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
            others(&format!("{path}{}", Member(name)), one.get(name), other.get(name), levels - 1, changes);
        }
    } else if let Some((before, after)) = differing(before.cloned(), after.cloned()) {
        changes.push(ConfigChange::Other { path: path.to_owned(), before, after });
    }
}

/// Returns the members of an object; an empty map for an empty or absent value. `None` for any other value.
fn parts(json: Option<&RawJson>) -> Option<Map<RawJson>> {
    json.and_then(members).or_else(|| is_nothing(json).then(Map::new))
}

/// Takes a value out of both configurations, and returns the pair if the values differ.
fn changed<T: Default + PartialEq>(before: &mut T, after: &mut T) -> Option<(T, T)> {
    let pair = (take(before), take(after));
    (pair.0 != pair.1).then_some(pair)
}

/// Returns both values if they differ in meaning, with `None` for an empty one.
fn differing(before: Option<RawJson>, after: Option<RawJson>) -> Option<(Option<RawJson>, Option<RawJson>)> {
    let said = |json: Option<RawJson>| json.filter(|json| !is_nothing(Some(json)));
    (!is_same(before.as_ref(), after.as_ref())).then(|| (said(before), said(after)))
}

/// Takes all entries out of both maps.
fn pairs<V>(before: &mut Map<V>, after: &mut Map<V>) -> Map<(Option<V>, Option<V>)> {
    let mut pairs: Map<_> = take(before).into_iter().map(|(name, one)| (name, (Some(one), None))).collect();
    for (name, other) in take(after) {
        pairs.entry(name).or_insert((None, None)).1 = Some(other);
    }
    pairs
}

fn json<T: Serialize>(part: &T) -> RawJson {
    // Every part of a configuration has a JSON form.
    RawJson::encode(part).unwrap_or_else(|_| RawJson::null())
}
