//! Helpers for tests: a contract is JSON, and the model of it is shown as lines of text.
//!
//! `{id!: text, at?: time or null, list~: [#Item] 'Words.'; oneOf(id, list)}` is an object. `id` is required, `at`
//! optional, and `list` conditional. `#Item` is a reference, `[…]` a list, `{*: …}` a map, and `text("a"|"b")` an enum.

use serde_json::{Value, json};

use super::{Document, Group, Kind, Node, Object, Others, Schema};
use crate::project::Project;

pub(crate) fn project() -> Project {
    let text = "
        signed-urls = ['URL']
        event = { kind = 'type', data = 'data', list = 'EventType', words = 'A type.', subject = [{ field = 'id', words = 'An id.' }] }
        credentials = { names = ['key', 'secret', 'tokens', 'token'], holders = ['auth', 'headers'], harmless = ['page', 'public'] }
    ";
    toml::from_str(text).expect("a project")
}

pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Reads a document that has only schemas.
pub(crate) fn schemas(schemas: &Value) -> Document {
    document("api", json!({ "components": { "schemas": schemas } }))
}

pub(crate) fn document(name: &str, text: Value) -> Document {
    Document::alone(name, &text)
}

/// Shows the schemas of a document, one in each line.
pub(crate) fn show_all(document: &Document) -> String {
    document.schemas.iter().map(|(name, schema)| format!("{name}: {}\n", show(schema))).collect()
}

pub(crate) fn show(schema: &Schema) -> String {
    let texts = |nodes: &[Node]| nodes.iter().map(|node| show(node)).collect::<Vec<_>>().join(", ");
    let is_time = schema.facet("format").is_some_and(|format| format == "date-time");
    let mut text = match &schema.kind {
        Kind::Reference(name, _) => format!("#{name}"),
        Kind::Object(object) => format!("{{{}}}", show_object(object)),
        Kind::List(items) => format!("[{}]", texts(items.as_slice())),
        Kind::Choice(choice) if choice.exclusive => format!("oneOf({})", texts(&choice.alternatives)),
        Kind::Choice(choice) => format!("anyOf({})", texts(&choice.alternatives)),
        Kind::Text if is_time => "time".to_owned(),
        kind => format!("{kind:?}").to_lowercase(),
    };
    let values = schema.values.iter().map(|values| Vec::from_iter(values.iter().map(Value::to_string)).join("|"));
    text.extend(values.map(|values| format!("({values})")));
    text.push_str(if schema.nullable { " or null" } else { "" });
    let facets = schema.facets.iter().filter(|(keyword, _)| !is_time || *keyword != "format");
    text.extend(facets.map(|(keyword, facet)| format!(" {keyword}={}", facet.value)));
    text.extend(schema.becomes.iter().map(|rust| format!(" as {rust:?}")));
    text.extend(schema.says.words.iter().map(|words| format!(" '{words}'")));
    text
}

fn show_object(object: &Object) -> String {
    let fields = object.fields.iter().map(|(name, of)| {
        let need = ["!", "~", "?"][of.need as usize];
        format!("{name}{need}: {}", show(&of.schema))
    });
    let undescribed = object.undescribed.keys().map(|name| format!("{name}!"));
    let others = match &object.others {
        Others::Any => None,
        Others::None => Some("no others".to_owned()),
        Others::Of(values) => Some(format!("*: {}", show(values))),
    };
    let mut text = Vec::from_iter(fields.chain(undescribed).chain(others)).join(", ");
    for Group { exclusive, alternatives } in &object.groups {
        let names = alternatives.iter().map(|names| Vec::from_iter(names.clone()).join("+"));
        let keyword = if *exclusive { "oneOf" } else { "anyOf" };
        text += &format!("; {keyword}({})", Vec::from_iter(names).join(", "));
    }
    text
}
