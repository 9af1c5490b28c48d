use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::context::Context;
use super::{Document, Event, Kind, Node, Place, Rust, names};
use crate::project::{self, Project};

/// The body of an event, as a webhook gets it: the type beside the data.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) schema: String,
    pub(crate) node: Node,
    /// Nothing where a type is only listed.
    pub(crate) data: Option<Node>,
    /// How many types it is the body of.
    pub(crate) types: usize,
}

/// The bodies of a document by the types of events. They are known by their shape, whatever they are called.
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

/// The bodies and their types. That of one type says more of it than that of many.
fn in_order(document: &Document, event: &project::Event) -> Vec<(Vec<String>, Body)> {
    let mut bodies: Vec<(Vec<String>, Body)> = Vec::new();
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    for (name, node) in &document.schemas {
        let (types, data) = match (node.field(&event.kind), node.field(&event.data)) {
            (Some(kind), Some(data)) => (document.resolve(&kind.schema).texts(), Some(Node::clone(&data.schema))),
            // A list of the types is no body, and says that they are.
            _ if *name == event.list => (node.texts(), None),
            _ => continue,
        };
        let body = Body { schema: name.clone(), node: Node::clone(node), data, types: types.len() };
        bodies.push((owned(types), body));
    }
    bodies.sort_by_key(|(types, body)| (body.data.is_none(), types.len()));
    bodies
}

/// Takes the bodies of events out, and keeps which type has which data.
///
/// Generated as it stands, each would be a struct of its own, and a union of them an untagged enum that tries one after the
/// other, refuses a type that is new, and cannot hold JSON as text.
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
            // Data that stand inside a body have a schema of their own.
            let data = data.target().map(str::to_owned).unwrap_or_else(|| {
                let name = document.free_name(&format!("{}Data", names::pascal(kind)));
                document.schemas.insert(name.clone(), Node::clone(data));
                name
            });
            events.insert(kind.clone(), Event { kind: kind.clone(), data, words: body.node.says.words.clone() });
        }
    }
    // What refers to a body is a union of them, which `Event` is, or holds a whole one.
    document.replace_references(|name| taken.iter().any(|one| one == name).then_some(Rust::Raw));
    document.events = events.into_values().collect();
    if !document.events.is_empty() {
        make_way(document, event);
    }
    Ok(document.events.len())
}

/// Renames schemas that have a name which is needed here. A list of the types is none: it is what the enum of them is.
fn make_way(document: &mut Document, event: &project::Event) {
    for name in ["D", "Event", &event.list] {
        if document.schemas.get(name).is_some_and(|node| node.is_struct()) {
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
    /// A name in Rust that no schema has.
    pub(super) fn free_name(&self, name: &str) -> String {
        names::claim(name, &mut self.taken())
    }

    /// Gives a schema another name, wherever it is referred to.
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
