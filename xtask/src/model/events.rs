use std::collections::BTreeMap;

use super::{Document, Node};
use crate::project::Project;

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
    let mut bodies: Vec<(Vec<&str>, Body)> = Vec::new();
    for (name, node) in &document.schemas {
        let body = |data, types: &[&str]| Body { schema: name.clone(), node: Node::clone(node), data, types: types.len() };
        match (node.field(&event.kind), node.field(&event.data)) {
            (Some(kind), Some(data)) => {
                let types = document.resolve(&kind.schema).texts();
                bodies.push((types.clone(), body(Some(Node::clone(&data.schema)), &types)));
            }
            // A list of the types is no body, and says that they are.
            _ if *name == event.list => bodies.push((node.texts(), body(None, &node.texts()))),
            _ => {}
        }
    }
    // The body of one type says more of it than that of many.
    bodies.sort_by_key(|(types, body)| (body.data.is_none(), types.len()));
    let mut found = BTreeMap::new();
    for (types, body) in bodies {
        for name in types {
            found.entry(name.to_owned()).or_insert_with(|| body.clone());
        }
    }
    found
}
