//! Tests of the model: how small contracts are read, and how each step changes them.

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

/// Reads schemas, and shows one in each line.
fn read(text: Value) -> String {
    show_all(&schemas(&text))
}

/// Shows schemas after a step, and how often it did something.
fn after(step: &str, text: Value) -> String {
    let mut document = schemas(&text);
    let found = take(&mut document, step).expect("the step is taken");
    format!("{}{step}: {found}", show_all(&document))
}

/// Runs a step for a module `m`. Another crate has the type of a schema `Shared`.
fn take(document: &mut Document, step: &str) -> Result<usize> {
    let shared = BTreeMap::from([("Shared".to_owned(), Some("ours::Shared".to_owned()))]);
    document.take_step(step, &Context { project: &project(), path: "m", shared: &shared })
}
