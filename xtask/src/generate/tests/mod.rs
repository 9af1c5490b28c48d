//! Tests of the code that is generated from small contracts.

mod enums;
mod events;
mod format;
mod methods;
mod requests;
mod samples;
mod structs;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::{Docs, Findings, format as text, items, structs as of};
use crate::model::testing::{project, schemas};
use crate::model::{Context, Document};

/// A generated module.
struct Made {
    text: String,
    findings: Findings,
}

/// Generates the module `m`, from schemas whose structs callers build.
fn sent(text: &Value) -> Made {
    module(schemas(text), true).expect("a module")
}

/// Generates the module `m`, from schemas that are only received.
fn received(text: &Value) -> Made {
    module(schemas(text), false).expect("a module")
}

fn module(mut document: Document, is_sent: bool) -> Result<Made> {
    let project = project();
    document.tell_apart();
    document.take_steps(&Context { project: &project, path: "m", shared: &BTreeMap::new() })?;
    let mut findings = Findings::default();
    let structs = of::structs(&document, |_| is_sent)?;
    let items = items(&document, &structs, &mut Docs::of_module("m", &project, &mut findings))?;
    Ok(Made { text: text::file("here", None, items)?, findings })
}

impl Made {
    /// Returns the items with these beginnings, without documentation and attributes, and with short paths.
    fn brief(&self, beginnings: &[&str]) -> String {
        let mut items = Vec::new();
        for beginning in beginnings {
            let start = self.text.find(&format!("\n{beginning}"));
            let item = &self.text[start.unwrap_or_else(|| panic!("{beginning} is not in {}", self.text)) + 1..];
            let lines = item.lines().position(|line| line.starts_with('}')).expect("an end");
            items.extend(item.lines().take(lines + 1));
        }
        brief(&items.join("\n"))
    }
}

/// Returns code without documentation and attributes, and with short paths.
fn brief(code: &str) -> String {
    let paths = [
        "::ampersand_types::",
        "::core::convert::",
        "::core::default::",
        "::core::option::",
        "::core::result::",
        "::std::boxed::",
        "::std::collections::",
        "::std::option::",
        "::std::string::",
        "::std::vec::",
    ];
    let lines = code.lines().filter(|line| !["///", "#["].iter().any(|mark| line.trim_start().starts_with(mark)));
    paths.iter().fold(lines.collect::<Vec<_>>().join("\n"), |code, path| code.replace(path, ""))
}
