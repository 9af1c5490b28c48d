//! Describes schemas and values in words.

use std::collections::BTreeSet;

use serde_json::Value;

use super::seen::{Seen, SeenField};
use crate::keywords::word;
use crate::model::{Group, Kind, Need, Others};

impl Seen<'_> {
    /// Describes the type of the schema.
    pub(crate) fn describe(&self) -> String {
        let whole = self.whole();
        let text = self.plain(&whole);
        if whole.node.nullable { format!("{text} or null") } else { text }
    }

    fn plain(&self, whole: &Self) -> String {
        if let Some(name) = &self.called {
            return name.clone();
        }
        if let Kind::Reference(_, to) = &self.node.kind {
            return if self.place.path == "$" { self.place.schema.clone() } else { to.schema.clone() };
        }
        let choices = whole.choices();
        if !choices.is_empty() {
            // An alternative without a name stands at the place of the choice, whose name is not its own.
            let inside = |one: &Self| Self { place: self.place.below("|"), ..one.clone() }.describe();
            let name = |one: &Self| if one.place == self.place { inside(one) } else { one.name() };
            return format!("one of {}", choices.iter().map(name).collect::<Vec<_>>().join(", "));
        }
        if let Some(values) = &whole.node.values {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            return format!("one of {}", values.join(", "));
        }
        match (&whole.node.kind, whole.items()) {
            (_, Some(items)) => format!("list of {}", items.name()),
            (Kind::Object(object), _) => match &object.others {
                Others::Of(values) if !whole.is_struct() => format!("map of {}", whole.inside(values).name()),
                _ if !whole.is_struct() => "any object".to_owned(),
                _ if self.place.path == "$" => self.place.schema.clone(),
                _ => "object".to_owned(),
            },
            _ => {
                let types: Vec<String> = whole.types().into_iter().map(word).collect();
                match whole.node.facet("format").and_then(Value::as_str) {
                    _ if types.is_empty() => "anything".to_owned(),
                    Some(format) => format!("{} ({format})", types.join(" or ")),
                    None => types.join(" or "),
                }
            }
        }
    }

    /// Returns the name of the schema, or describes its type.
    pub(crate) fn name(&self) -> String {
        match self.place.path.as_str() {
            "$" if !self.place.schema.is_empty() => self.place.schema.clone(),
            _ => self.describe(),
        }
    }

    /// Describes the values that undeclared fields may have.
    pub(crate) fn describe_others(&self) -> String {
        match self.others() {
            Some(Others::None) => "nothing".to_owned(),
            Some(Others::Of(values)) => self.inside(values).name(),
            Some(Others::Any) | None => "anything".to_owned(),
        }
    }

    /// Describes whether a field is required.
    pub(crate) fn describe_need(&self, name: &str, need: Need) -> String {
        match need {
            Need::Required => "required".to_owned(),
            Need::Optional => "optional".to_owned(),
            Need::Conditional => {
                let of_field = |names: &BTreeSet<String>| names.contains(name);
                let groups = self.groups().iter().filter(|group| group.alternatives.iter().any(of_field));
                describe(groups)
            }
        }
    }

    /// Describes a field: whether it is required, and its type.
    pub(crate) fn describe_field(&self, name: &str, field: &SeenField<'_>) -> String {
        let (kind, need) = (field.value.name(), self.describe_need(name, field.need));
        match field.need {
            Need::Conditional => format!("{kind}, {need}"),
            _ => format!("{need} {kind}"),
        }
    }
}

/// Describes groups of fields of which some are required.
pub(crate) fn describe<'g>(groups: impl IntoIterator<Item = &'g Group>) -> String {
    let fields = |names: &BTreeSet<String>| match names.is_empty() {
        true => "none".to_owned(),
        false => Vec::from_iter(names.clone()).join(" and "),
    };
    let one = |group: &Group| {
        let which = if group.exclusive { "exactly one of" } else { "at least one of" };
        format!("{which} {}", Vec::from_iter(group.alternatives.iter().map(fields)).join(", "))
    };
    Vec::from_iter(groups.into_iter().map(one)).join("; ")
}

/// Returns a JSON value as text, a string without its quotes.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `a, b and c`
pub(crate) fn and(names: Vec<String>) -> String {
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
