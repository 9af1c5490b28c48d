use std::collections::BTreeMap;

use serde_json::Value;

use super::read::{Reader, members, owned, text};
use super::{Document, Place, Use, operations};
use crate::document;

impl Document {
    /// Reads a document by itself, so that none of its schemas is a copy of another document's.
    pub(crate) fn alone(name: &str, document: &Value) -> Self {
        Self::read(name, document, BTreeMap::new())
    }

    pub(super) fn read(name: &str, document: &Value, copies: BTreeMap<String, Place>) -> Self {
        let mut reader = Reader::new(name, document, copies);
        let mut node = |(name, schema): (&String, _)| (name.clone(), reader.node(schema, reader.place(name)));
        let schemas = document::schemas(document).map(&mut node).collect();
        let mut operations = operations::read(&mut reader);
        let servers = document["servers"].as_array().into_iter().flatten();
        let mut servers: Vec<String> = servers.filter_map(operations::server).collect();
        if servers.is_empty() && operations.iter().all(|operation| operation.server.is_some()) {
            servers.extend(operations.iter().find_map(|operation| operation.server.clone()));
        }
        for operation in &mut operations {
            operation.server.take_if(|url| servers.first().map_or(url.is_empty(), |first| first == url));
        }
        let tags = document["tags"].as_array().into_iter().flatten();
        Self {
            name: name.to_owned(),
            words: text(&document["info"]["description"]),
            schemas,
            operations,
            tags: tags.filter_map(operations::tag).collect(),
            servers,
            security_schemes: members(&document["components"]["securitySchemes"]).map(owned).collect(),
            uses: uses(document),
            copies: reader.copies,
            problems: reader.problems,
            steps: reader.steps,
            ..Self::default()
        }
    }
}

/// Returns how a document uses each of its schemas.
fn uses(document: &Value) -> BTreeMap<String, Use> {
    let mut uses: BTreeMap<String, Use> = BTreeMap::new();
    for (place, reference) in document::refs(document) {
        let Some(name) = document::schema_name(reference) else { continue };
        let is_part = matches!(place.split('/').collect::<Vec<_>>()[..], [_, _, _, _, "allOf", _, "$ref"]);
        let this = if is_part { Use::Base } else { Use::Value };
        let known = uses.entry(name.to_owned()).or_insert(this);
        *known = this.max(*known);
    }
    uses
}
