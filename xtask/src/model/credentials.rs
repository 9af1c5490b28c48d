use anyhow::{Result, bail};
use heck::ToSnakeCase as _;

use super::{Document, Kind, Rust, Schema, Step};
use crate::project::{Credentials, Project};

/// Makes a string a `Credential` if its name, the name of what holds it, or an overlay's `x-credential` says so.
/// `Debug` would show a `String`.
pub(super) fn credentials(document: &mut Document, project: &Project) -> Result<usize> {
    let mut marking = Marking { words: &project.credentials, hits: 0, repeated: Vec::new() };
    for node in document.schemas.values_mut() {
        marking.schema(std::rc::Rc::make_mut(node), "", false);
    }
    for parameter in document.operations.iter_mut().flat_map(|operation| &mut operation.parameters) {
        marking.schema(std::rc::Rc::make_mut(&mut parameter.schema), &parameter.name, false);
    }
    if !marking.repeated.is_empty() {
        bail!("`x-credential` says what the name does, and has to go: {}", marking.repeated.join(", "));
    }
    Ok(marking.hits)
}

struct Marking<'a> {
    words: &'a Credentials,
    hits: usize,
    /// Names for which an overlay repeats what the name says.
    repeated: Vec<String>,
}

impl Marking<'_> {
    fn schema(&mut self, schema: &mut Schema, name: &str, is_held: bool) {
        if schema.becomes.is_some() {
            return;
        }
        let is_text = matches!(schema.kind, Kind::Text) && schema.values.is_none();
        let told = is_held || self.ends_with(name, if is_text { &self.words.names } else { &self.words.holders });
        let said = schema.says.credential.take();
        if said == Some(told) {
            self.repeated.push(name.to_owned());
        }
        let is = said.unwrap_or(told);
        if is && is_text {
            schema.becomes = Some(Rust::Credential);
            self.hits += 1;
        }
        schema.change_children(&mut |step, schema| match step {
            Step::Field(field) => self.schema(schema, field, is),
            Step::Item | Step::Value | Step::Part => self.schema(schema, name, is),
        });
    }

    fn ends_with(&self, name: &str, last: &[String]) -> bool {
        let name = name.to_snake_case();
        let mut words = name.split('_');
        let is = |of: &[String], word: &str| of.iter().any(|one| one == word);
        words.next_back().is_some_and(|word| is(last, word)) && !words.any(|word| is(&self.words.harmless, word))
    }
}
