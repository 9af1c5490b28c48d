use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use anyhow::Result;

use super::context::Context;
use super::{Document, Enum, Kind, Node, Rust, Schema, Step, names};

/// Replaces every reference to an alias by its definition. An alias is a named schema that is neither an object with
/// fields nor an enum: an array, a map, a string or another name.
///
/// typify would generate a newtype for each. A user would have to unwrap it to get the list, and could not see what a
/// field is or whether it may be `null`.
pub(super) fn inline_aliases(document: &mut Document, _: &Context<'_>) -> Result<usize> {
    // A choice is `RawJson`, whatever its alternatives. With them, it would hold copies of copies of other choices.
    document.before_choices = document.directions();
    document.change_schemas(&mut |schema| {
        if matches!(schema.kind, Kind::Choice(_)) {
            schema.kind = Kind::Any;
        }
    });
    Ok(inline(document, |schema| !schema.is_struct() && !schema.is_enum()))
}

fn inline(document: &mut Document, is_alias: fn(&Schema) -> bool) -> usize {
    let (aliases, others) = std::mem::take(&mut document.schemas).into_iter().partition(|(_, node)| is_alias(node));
    document.schemas = others;
    let mut inlined = Inlined { aliases, resolved: BTreeMap::new() };
    for name in inlined.aliases.keys().cloned().collect::<Vec<_>>() {
        inlined.resolve(&name);
    }
    document.change_schemas(&mut |schema| inlined.replace(schema));
    inlined.resolved.len()
}

/// The definitions that replace references to them.
struct Inlined {
    aliases: BTreeMap<String, Node>,
    /// Definitions without references to other aliases; `None` while one is being resolved.
    resolved: BTreeMap<String, Option<Schema>>,
}

impl Inlined {
    fn resolve(&mut self, name: &str) {
        let Some(definition) = self.aliases.get(name).filter(|_| !self.resolved.contains_key(name)) else { return };
        let mut definition = Schema::clone(definition);
        self.resolved.insert(name.to_owned(), None);
        let references = definition.references().into_iter().map(str::to_owned);
        references.collect::<Vec<_>>().iter().for_each(|target| self.resolve(target));
        definition.change_all(&mut |schema| self.replace(schema));
        self.resolved.insert(name.to_owned(), Some(definition));
    }

    fn replace(&self, schema: &mut Schema) {
        let Kind::Reference(target, _) = &schema.kind else { return };
        match self.resolved.get(target) {
            None => {}
            // An alias that contains itself, such as a list of itself, has no type that could be written out.
            Some(None) => (schema.kind, schema.becomes) = (Kind::Any, Some(Rust::Raw)),
            Some(Some(definition)) => {
                let outer = std::mem::replace(schema, definition.clone());
                schema.take_beside(outer);
            }
        }
    }
}

/// Names enums and objects inside of other schemas after the schema and field that hold them: `WebhookMessageReadType`.
/// Enums go to a list of their own, from which open enums are generated.
///
/// typify's enums are closed: one unknown value refuses the whole event. And typify cannot name schemas in our types.
pub(super) fn name_inline_schemas(document: &mut Document, context: &Context<'_>) -> Result<usize> {
    // Also the names of aliases, which are no longer there: another document may have the same ones.
    let taken = document.taken().into_iter().chain(document.uses.keys().map(|name| names::pascal(name))).collect();
    let mut named = Named { path: context.path, taken, structs: BTreeMap::new(), enums: Vec::new() };
    for (name, node) in &mut document.schemas {
        let schema = Rc::make_mut(node);
        named.inside(schema, name);
        named.hoist_enum(schema, name);
    }
    let hits = named.structs.len() + named.enums.len();
    document.schemas.extend(named.structs);
    document.enums = named.enums;
    inline(document, |schema| !schema.is_struct());
    Ok(hits)
}

struct Named<'a> {
    /// The path of the module in Rust.
    path: &'a str,
    /// The names in use, of schemas and of those named here.
    taken: BTreeSet<String>,
    structs: BTreeMap<String, Node>,
    enums: Vec<Enum>,
}

impl Named<'_> {
    fn inside(&mut self, schema: &mut Schema, name: &str) {
        if schema.becomes.is_some() {
            return;
        }
        schema.change_children(&mut |step, schema| {
            let mut name = match step {
                Step::Field(field) => format!("{name}{}", names::part(field)),
                Step::Item => format!("{name}Item"),
                Step::Value => format!("{name}Value"),
                Step::Part => return,
            };
            if schema.is_struct() || schema.is_enum() {
                while !self.taken.insert(names::pascal(&name)) {
                    name.push_str("Inline");
                }
            }
            self.inside(schema, &name);
            self.hoist_enum(schema, &name);
            if schema.is_struct() {
                let kind = Kind::Reference(name.clone(), schema.place.clone());
                let mut outside = Schema::new(schema.place.clone(), kind);
                outside.take_beside(schema.clone());
                self.structs.insert(name, Rc::new(std::mem::replace(schema, outside)));
            }
        });
    }

    fn hoist_enum(&mut self, schema: &mut Schema, name: &str) {
        if schema.is_enum() {
            let name = names::pascal(name);
            schema.becomes = Some(Rust::Type(format!("{}::{name}", self.path)));
            self.enums.push(Enum {
                words: schema.says.words.clone(),
                values: schema.texts().into_iter().map(str::to_owned).collect(),
                value_words: schema.says.value_words.clone(),
                name,
            });
        }
    }
}
