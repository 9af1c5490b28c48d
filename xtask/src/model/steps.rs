//! The steps that turn a document into what code is generated from. Each does one thing, and counts how often it did. A
//! step that finds nothing to do in the whole contract may have stopped matching its target.

use anyhow::{Context as _, Result};

use super::context::Context;
use super::{Document, Kind, Rust, api, credentials, events, named};

type Run = fn(&mut Document, &Context<'_>) -> Result<usize>;

/// The steps, in order. `read` runs two more before them.
const STEPS: [(&str, Run); 11] = [
    ("flatten_alternatives", api::flatten_alternatives),
    ("texts_of_choices", api::texts_of_choices),
    ("prune", api::prune),
    ("share_types", api::share_types),
    ("split_events", events::split_events),
    ("inline_aliases", named::inline_aliases),
    ("signed_urls", signed_urls),
    ("credentials", |document, context| credentials::credentials(document, context.project)),
    ("timestamps", |document, _| Ok(count(document, &Rust::Timestamp))),
    ("opaque_values", |document, _| Ok(count(document, &Rust::Raw))),
    ("name_inline_schemas", named::name_inline_schemas),
];

/// The steps that name schemas like their types, and keep the values that the schemas allow.
const NAMING: [Run; 4] =
    [api::flatten_alternatives, api::texts_of_choices, named::inline_aliases, named::name_inline_schemas];

impl Document {
    /// Runs all steps, and counts what each did.
    pub(crate) fn take_steps(&mut self, context: &Context<'_>) -> Result<()> {
        for (name, run) in STEPS {
            let found = run(self, context).with_context(|| format!("step `{name}`"))?;
            *self.steps.entry(name).or_default() += found;
        }
        Ok(())
    }

    /// Runs one step alone.
    #[cfg(test)]
    pub(super) fn take_step(&mut self, name: &str, context: &Context<'_>) -> Result<usize> {
        let (_, run) = STEPS.iter().find(|(step, _)| *step == name).context("there is no such step")?;
        run(self, context)
    }

    /// Returns the document with schemas that have the names of their types, and still say which values they allow.
    pub(crate) fn named(&self, context: &Context<'_>) -> Result<Self> {
        let mut named = self.clone();
        NAMING.iter().try_for_each(|run| run(&mut named, context).map(drop))?;
        Ok(named)
    }
}

/// Makes a string `xURL` beside a field `x` a `SignedUrl`, and also a string that an overlay marks with `x-signed-url`.
/// The field `x`, which the URL leads to, becomes `RawJson`.
///
/// `Debug` would show the signature of a URL in a `String`. A value that is sometimes inline and sometimes at a URL is
/// one value to a reader, a `ConfigSource`.
fn signed_urls(document: &mut Document, context: &Context<'_>) -> Result<usize> {
    let mut hits = 0;
    document.change_schemas(&mut |schema| {
        let Kind::Object(object) = &mut schema.kind else { return };
        let mut replaced = Vec::new();
        let names: Vec<String> = object.fields.keys().cloned().collect();
        for (name, field) in &mut object.fields {
            let stands_for =
                context.project.replaced_by_url(name).filter(|other| names.iter().any(|name| name == other));
            let is_text = matches!(field.schema.kind, Kind::Text) && field.schema.becomes.is_none();
            if is_text && (stands_for.is_some() || field.schema.says.signed_url) {
                std::rc::Rc::make_mut(&mut field.schema).becomes = Some(Rust::SignedUrl);
                replaced.extend(context.project.replaced_by_url(name).map(str::to_owned));
                hits += 1;
            }
        }
        for name in replaced {
            if let Some(field) = object.fields.get_mut(&name) {
                std::rc::Rc::make_mut(&mut field.schema).becomes = Some(Rust::Raw);
            }
        }
    });
    Ok(hits)
}

/// Returns how many schemas become a type.
fn count(document: &mut Document, rust: &Rust) -> usize {
    let mut found = 0;
    document.change_schemas(&mut |schema| {
        found += usize::from(!matches!(schema.kind, Kind::Reference(..)) && schema.rust() == *rust);
    });
    found
}
