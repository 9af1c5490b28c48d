//! Finds what deliveries hold that the contract of this version does not have.
//!
//! The types describe the contract by their own JSON Schemas, so this module follows the contract as they do. It walks
//! the text of a payload, down to the values whose shape the contract leaves open. `decode --drift` counts the
//! findings; the page of `inspect` marks them in a payload.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::{self, Write as _};

use ampersand_aws::__private::Members;
use ampersand_notifications::Delivery;
use ampersand_types::__private::{Member, kind as type_of};
use ampersand_types::config::ConfigContent;
use ampersand_types::messages::WebhookMessage;
use ampersand_types::notifications::{Event, NotificationType};
use anyhow::Result;
use schemars::SchemaGenerator;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::output::{Output, plain};
use crate::reader::{At, Sink};

/// The maximum number of findings, and of bytes in their names: no stream can fill the memory.
const MOST: usize = 10_000;
const LONGEST: usize = 100;

/// The members of an envelope.
const ENVELOPE: [&str; 3] = ["data", "metadata", "notificationType"];

/// A sink for deliveries that keeps only what is new in them.
pub(crate) struct Drift {
    contract: Contract,
    findings: Findings,
}

impl Drift {
    pub(crate) fn new() -> Self {
        Self { contract: Contract::known(), findings: Findings::default() }
    }

    /// Prints each finding, and returns a sentence with their number.
    pub(crate) fn report(&self, output: &mut Output) -> Result<String> {
        let Findings { seen, there_are_more } = &self.findings;
        let width = |of: fn(&Finding) -> usize| seen.keys().map(of).max().unwrap_or_default();
        let (event_width, path_width) =
            (width(|one| one.event().chars().count()), width(|one| one.path.chars().count()));
        for (finding, Seen { count, json_type }) in seen {
            let (kind, event, path) = (finding.kind.words(), plain(finding.event()), plain(&finding.path));
            let sentence =
                format_args!("{count:>8}  {kind:<11}  {event:<event_width$}  {path:<path_width$}  {json_type}");
            output.line(&Line { finding, count: *count, json_type }, sentence)?;
        }
        Ok(match (seen.len(), there_are_more) {
            (0, _) => "all of it is in the contract that this version knows".to_owned(),
            (1, _) => "1 thing is not in the contract that this version knows".to_owned(),
            (many, false) => format!("{many} things are not in the contract that this version knows"),
            (many, true) => format!("more than {many} things are not in the contract that this version knows"),
        })
    }
}

impl Sink for Drift {
    fn delivery(&mut self, delivery: Delivery, _: &At<'_>) -> Result<()> {
        let event = match &delivery {
            Delivery::Notification(notification) => Some(notification.notification_type.as_str()),
            Delivery::Records(_) => None,
        };
        let findings = &mut self.findings;
        self.contract.walk(&delivery, delivery.raw().data(), &mut |found| {
            let notification_type = event.map(|event| cut(event).into_owned());
            findings.add(Finding { kind: found.kind, notification_type, path: found.path.to_owned() }, found.json_type);
        });
        Ok(())
    }

    fn pause(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The contract, as JSON Schemas.
pub(crate) struct Contract {
    /// The schemas of notification data, by notification type.
    events: BTreeMap<&'static str, Value>,
    /// The schema of data messages.
    records: Value,
    /// The schemas that others refer to, by name.
    schemas: Map<String, Value>,
}

impl Contract {
    pub(crate) fn known() -> Self {
        let mut generator = SchemaGenerator::default();
        let events = NotificationType::KNOWN.iter();
        let events = events.map(|known| (known.as_str(), Event::data_schema(known, &mut generator).to_value()));
        let events = events.collect();
        let records = generator.subschema_for::<WebhookMessage>().to_value();
        let config = generator.subschema_for::<Option<ConfigContent>>().to_value();
        let mut schemas = generator.take_definitions(true);
        // The contract of notifications allows any object as a configuration.
        for properties in schemas.values_mut().filter_map(|schema| schema.get_mut("properties")?.as_object_mut()) {
            for (name, url) in [("config", "configURL"), ("lastConfig", "lastConfigURL")] {
                if properties.contains_key(name) && properties.contains_key(url) {
                    properties.insert(name.to_owned(), config.clone());
                }
            }
        }
        Self { events, records, schemas }
    }

    /// Reports what is new in a delivery. `data` is its payload, which may include downloads.
    pub(crate) fn walk(&self, delivery: &Delivery, data: &str, found: &mut dyn FnMut(Found<'_>)) {
        let body = delivery.raw().body().trim_ascii();
        let is_wrapped = delivery.raw().data().len() < body.len();
        let schema = match delivery {
            Delivery::Notification(notification) => self.events.get(notification.notification_type.as_str()),
            Delivery::Records(_) => Some(&self.records),
        };
        let mut walk = Walk { schemas: &self.schemas, found, path: "$".to_owned(), place: Vec::new() };
        if is_wrapped {
            for (name, value) in members(body).filter(|(name, _)| !ENVELOPE.contains(&&**name)) {
                walk.enter(Step::Member(&name), |walk| walk.found(Kind::EnvelopeField, type_of(value)));
            }
        }
        match schema {
            Some(schema) => walk.enter(Step::Member("data"), |walk| walk.value(data, schema)),
            None => walk.enter(Step::Member("notificationType"), |walk| walk.found(Kind::NotificationType, "string")),
        }
    }
}

/// Something that the contract does not have.
pub(crate) struct Found<'w> {
    pub(crate) kind: Kind,
    /// The place, as a JSONPath that does not distinguish the items of a list.
    pub(crate) path: &'w str,
    /// The place in the payload: the index of each member or item on the way. Empty outside of the payload.
    pub(crate) place: &'w [usize],
    json_type: &'static str,
}

/// A walk through a payload, and the function that gets the findings.
struct Walk<'a> {
    schemas: &'a Map<String, Value>,
    found: &'a mut dyn FnMut(Found<'_>),
    path: String,
    place: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, text: &str, schema: &'a Value) {
        let json_type = type_of(text);
        let Some(schema) = self.meant(schema, json_type) else { return };
        if !has_type(schema, json_type) {
            return self.found(Kind::Type, json_type);
        }
        match json_type {
            "object" => self.object(text, schema),
            "array" => {
                let Some(items) = schema.get("items") else { return };
                let values: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
                self.enter(Step::Item, |walk| {
                    for (position, value) in values.iter().enumerate() {
                        walk.at(position, |walk| walk.value(value.get(), items));
                    }
                });
            }
            // The enums of the types are open: their schemas give the known values only as examples.
            "string" if schema.get("examples").is_some_and(|known| !is_one_of(text, known)) => {
                self.found(Kind::EnumValue, json_type);
            }
            _ => {}
        }
    }

    fn object(&mut self, text: &str, schema: &'a Value) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (position, (name, value)) in members(text).enumerate() {
                self.enter(Step::Member(&name), |walk| {
                    walk.at(position, |walk| match properties.get(&*name) {
                        Some(schema) => walk.value(value, schema),
                        None => walk.found(Kind::Field, type_of(value)),
                    });
                });
            }
        } else if let Some(values) = schema.get("additionalProperties") {
            self.enter(Step::Key, |walk| {
                for (position, (_, value)) in members(text).enumerate() {
                    walk.at(position, |walk| walk.value(value, values));
                }
            });
        }
    }

    /// Follows references, and skips the alternative for `null`. Returns `None` if any value is allowed.
    fn meant(&self, mut schema: &'a Value, json_type: &str) -> Option<&'a Value> {
        loop {
            if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
                schema = self.schemas.get(reference.rsplit('/').next()?)?;
            } else if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
                let mut others = choices.iter().filter(|choice| choice.get("type").is_none_or(|one| one != "null"));
                match (others.next(), others.next()) {
                    (Some(only), None) if json_type != "null" => schema = only,
                    _ => return None,
                }
            } else {
                return schema.is_object().then_some(schema);
            }
        }
    }

    fn enter(&mut self, step: Step<'_>, walk: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        let _ = write!(self.path, "{step}");
        walk(self);
        self.path.truncate(before);
    }

    fn at(&mut self, position: usize, walk: impl FnOnce(&mut Self)) {
        self.place.push(position);
        walk(self);
        self.place.pop();
    }

    fn found(&mut self, kind: Kind, json_type: &'static str) {
        (self.found)(Found { kind, path: &self.path, place: &self.place, json_type });
    }
}

/// A step of a JSONPath.
enum Step<'a> {
    Member(&'a str),
    /// Any member of an object whose names the contract does not define.
    Key,
    Item,
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => Member(&cut(name)).fmt(f),
            Self::Key => f.write_str(".*"),
            Self::Item => f.write_str("[*]"),
        }
    }
}

/// Cuts a name from outside to the maximum length.
fn cut(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST {
        return name.into();
    }
    let end = (0..=LONGEST).rev().find(|end| name.is_char_boundary(*end)).unwrap_or_default();
    format!("{}…", &name[..end]).into()
}

/// Returns the members of an object, in their order.
pub(crate) fn members(text: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let members = serde_json::from_str::<Members<'_>>(text).map_or_else(|_| Vec::new(), |members| members.0);
    members.into_iter().map(|(name, value)| (name, value.get()))
}

fn has_type(schema: &Value, json_type: &str) -> bool {
    let is = |one: &Value| one == json_type || one == "integer" && json_type == "number";
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(is),
        Some(one) => is(one),
        None => true,
    }
}

fn is_one_of(text: &str, known: &Value) -> bool {
    let value: Option<Value> = serde_json::from_str(text).ok();
    known.as_array().into_iter().flatten().any(|known| Some(known) == value.as_ref())
}

#[derive(Default)]
struct Findings {
    seen: BTreeMap<Finding, Seen>,
    there_are_more: bool,
}

impl Findings {
    fn add(&mut self, finding: Finding, json_type: &'static str) {
        let is_full = self.seen.len() >= MOST;
        match self.seen.entry(finding) {
            Entry::Occupied(mut seen) => seen.get_mut().count += 1,
            Entry::Vacant(_) if is_full => self.there_are_more = true,
            Entry::Vacant(place) => drop(place.insert(Seen { count: 1, json_type })),
        }
    }
}

/// Something new, with its event and its place.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    kind: Kind,
    /// `None` for records.
    notification_type: Option<String>,
    path: String,
}

impl Finding {
    fn event(&self) -> &str {
        self.notification_type.as_deref().unwrap_or("records")
    }
}

/// The number of occurrences, and the JSON type of the first value.
struct Seen {
    count: u64,
    json_type: &'static str,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    count: u64,
    #[serde(rename = "type")]
    json_type: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    NotificationType,
    EnvelopeField,
    Field,
    EnumValue,
    /// A known field whose value has another type.
    Type,
}

impl Kind {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NotificationType => "new event",
            Self::EnvelopeField => "in envelope",
            Self::Field => "new field",
            Self::EnumValue => "new value",
            Self::Type => "other type",
        }
    }
}
