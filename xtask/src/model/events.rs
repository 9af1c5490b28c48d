use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::context::Context;
use super::{Document, Event, Kind, Node, Place, Rust, names};
use crate::project::{self, Project};

/// The body of an event, as a webhook gets it: the event type beside the data.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) schema: String,
    pub(crate) node: Node,
    /// `None` where a type is only listed.
    pub(crate) data: Option<Node>,
    /// How many event types have this body.
    pub(crate) types: usize,
}

/// Returns the body of each event type. A body is known by its fields, whatever its name.
pub(crate) fn bodies(document: &Document, project: &Project) -> BTreeMap<String, Body> {
    let Some(event) = &project.event else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (types, body) in in_order(document, event) {
        for name in types {
            found.entry(name).or_insert_with(|| body.clone());
        }
    }
    found
}

/// Returns the bodies and their types. The body of one type comes before that of many: it says more about the type.
fn in_order(document: &Document, event: &project::Event) -> Vec<(Vec<String>, Body)> {
    let mut bodies: Vec<(Vec<String>, Body)> = Vec::new();
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    for (name, node) in &document.schemas {
        let (types, data) = match (node.field(&event.kind), node.field(&event.data)) {
            (Some(kind), Some(data)) => (document.resolve(&kind.schema).texts(), Some(Node::clone(&data.schema))),
            // The list of the types is not a body, but says that they exist.
            _ if *name == event.list => (node.texts(), None),
            _ => continue,
        };
        let body = Body { schema: name.clone(), node: Node::clone(node), data, types: types.len() };
        bodies.push((owned(types), body));
    }
    bodies.sort_by_key(|(types, body)| (body.data.is_none(), types.len()));
    bodies
}

/// Removes the bodies of events, and keeps which event type has which data.
///
/// Otherwise each body would be a struct, and a union of them an untagged enum. That enum would try one variant after
/// the other, refuse new event types, and could not hold JSON as text.
pub(super) fn split_events(document: &mut Document, context: &Context<'_>) -> Result<usize> {
    let Some(event) = context.project.event.as_ref().filter(|_| !context.is_of_client()) else { return Ok(0) };
    let mut events: BTreeMap<String, Event> = BTreeMap::new();
    let mut taken = Vec::new();
    for (types, body) in in_order(document, event) {
        let (Some(data), false) = (&body.data, types.is_empty()) else { continue };
        document.schemas.remove(&body.schema);
        taken.push(body.schema.clone());
        for kind in &types {
            if events.contains_key(kind) {
                if types.len() == 1 {
                    bail!("two schemas are the body of `{kind}`, of which one is `{}`", body.schema);
                }
                continue;
            }
            // Data that are described inside a body get a named schema.
            let data = data.target().map(str::to_owned).unwrap_or_else(|| {
                let name = document.free_name(&format!("{}Data", names::pascal(kind)));
                document.schemas.insert(name.clone(), Node::clone(data));
                name
            });
            events.insert(kind.clone(), Event { kind: kind.clone(), data, words: body.node.says.words.clone() });
        }
    }
    // A schema that refers to a body is a union of bodies, as `Event` is, or holds a whole body.
    document.replace_references(|name| taken.iter().any(|one| one == name).then_some(Rust::Raw));
    document.events = events.into_values().collect();
    if !document.events.is_empty() {
        make_way(document, event);
    }
    Ok(document.events.len())
}

/// Renames structs and enums whose names the events need. The list of event types keeps its name: it becomes their enum.
fn make_way(document: &mut Document, event: &project::Event) {
    for name in ["D", "Event", &event.list] {
        let is_list = name == event.list;
        if document.schemas.get(name).is_some_and(|node| node.is_struct() || (node.is_enum() && !is_list)) {
            let renamed = document.free_name(&format!("{name}Schema"));
            document.rename(name, &renamed);
            let published = document.renamed.remove(name).unwrap_or_else(|| name.to_owned());
            document.renamed.insert(renamed.clone(), published);
            for event in document.events.iter_mut().filter(|event| event.data == name) {
                event.data.clone_from(&renamed);
            }
        }
    }
}

impl Document {
    /// Returns a name that no schema has in Rust.
    pub(super) fn free_name(&self, name: &str) -> String {
        names::claim(name, &mut self.taken())
    }

    /// Renames a schema, and every reference to it.
    pub(super) fn rename(&mut self, name: &str, to: &str) {
        self.change_schemas(&mut |schema| {
            if let Kind::Reference(target, place) = &mut schema.kind
                && target == name
            {
                *target = to.to_owned();
                *place = Place { schema: to.to_owned(), ..place.clone() };
            }
        });
        if let Some(node) = self.schemas.remove(name) {
            self.schemas.insert(to.to_owned(), node);
        }
    }
}
