//! What is read of small contracts, and what each step makes of it.

mod all_of;
mod alternatives;
mod api;
mod credentials;
mod events;
mod named;
mod operations;
mod places;
mod scalars;
mod schemas;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::testing::{project, schemas, show_all};
use super::{Context, Document};

/// What is read of schemas, a line each.
fn read(text: Value) -> String {
    show_all(&schemas(&text))
}

/// What a step makes of schemas, and how often it did something.
fn after(step: &str, text: Value) -> String {
    let mut document = schemas(&text);
    let found = take(&mut document, step).expect("the step is taken");
    format!("{}{step}: {found}", show_all(&document))
}

/// Takes a step for a module `m`, where another crate has the type of a schema `Shared`.
fn take(document: &mut Document, step: &str) -> Result<usize> {
    let shared = BTreeMap::from([("Shared".to_owned(), Some("ours::Shared".to_owned()))]);
    document.take_step(step, &Context { project: &project(), path: "m", shared: &shared })
}
