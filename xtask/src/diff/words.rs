//! Schemas and values, in words.

use serde_json::Value;

use super::shape::{Others, Shape};
use super::side::Node;

impl Shape<'_> {
    /// A type, for a reader.
    pub(super) fn describe(&self) -> String {
        let text = self.plain();
        if self.nullable { format!("{text} or null") } else { text }
    }

    fn plain(&self) -> String {
        if let Some(name) = &self.called {
            return name.clone();
        }
        if !self.choices.is_empty() {
            // What stands inside has the place of the choice, and not its name.
            let inside = |node: &Node<'_>| Shape { place: self.place.below("|"), ..node.shape() }.describe();
            let name = |node| if Node::place(node) == self.place { inside(node) } else { node.name() };
            let choices: Vec<String> = self.choices.iter().map(name).collect();
            return format!("one of {}", choices.join(", "));
        }
        if let Some(values) = &self.values {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            return format!("one of {}", values.join(", "));
        }
        let types: Vec<&str> = self.types.iter().copied().collect();
        match (types.as_slice(), &self.items, &self.others) {
            ([], ..) => "anything".to_owned(),
            (["array"], Some(items), _) => format!("list of {}", items.name()),
            (["object"], _, Others::Of(values)) if !self.is_struct() => format!("map of {}", values.name()),
            (["object"], ..) if !self.is_struct() => "any object".to_owned(),
            (["object"], ..) if self.place.path == "$" => self.place.schema.clone(),
            (types, ..) => match self.facets.get("format").and_then(|(format, _)| format.as_str()) {
                Some(format) => format!("{} ({format})", types.join(" or ")),
                None => types.join(" or "),
            },
        }
    }
}

impl Others<'_> {
    /// What a field without a name may be.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::None => "nothing".to_owned(),
            Self::Of(values) => values.name(),
        }
    }
}

impl Node<'_> {
    /// A schema that has a name by its name, and any other by its type.
    pub(super) fn name(&self) -> String {
        let place = self.place();
        match place.path.as_str() {
            "$" if !place.schema.is_empty() => place.schema,
            _ => self.shape().describe(),
        }
    }
}

/// A value of JSON, as text; what is text already as it is.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
