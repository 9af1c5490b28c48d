//! Prints a response for people: a list as a table, an object as two columns.

use anyhow::Result;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::contract::{self, Schema, kebab};
use crate::output::{Messages, Output, plain};
use crate::table;

/// Replaces a credential or a signed URL.
const HIDDEN: &str = "(hidden: --output json shows it)";

pub(crate) fn response(text: &str, schema: Option<Schema>, output: &mut Output) -> Result<()> {
    if output.is_json() {
        return match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => output.json_text(text),
            Err(_) => output.json_text(&serde_json::to_string(text)?),
        };
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return output.raw(plain(text).as_bytes()); // A URL, for instance.
    };
    let results = value.get("results").filter(|_| value.get("pagination").is_some());
    match results.unwrap_or(&value) {
        Value::Array(rows) => list(rows, items(schema), output),
        // A map, such as that of all providers: its values contain their names.
        Value::Object(members) if schema.is_some_and(is_map) => {
            let rows: Vec<Value> = members.values().cloned().collect();
            list(&rows, schema.and_then(Schema::map_values), output)
        }
        Value::Object(members) => {
            let rows = members.iter().map(|(name, value)| [plain(name).into_owned(), cell(name, value, schema)]);
            print(&rows.collect::<Vec<_>>(), output)
        }
        other => output.raw(plain(&other.to_string()).as_bytes()),
    }
}

fn is_map(schema: Schema) -> bool {
    schema.fields().is_empty() && schema.map_values().is_some()
}

/// Returns the schema of the items of a list, or of a page.
pub(crate) fn items(schema: Option<Schema>) -> Option<Schema> {
    let schema = schema?;
    schema.items().or_else(|| schema.field("results")?.schema.items())
}

/// The maximum number of columns if the width of the terminal is unknown.
const MOST_COLUMNS: usize = 7;

pub(crate) fn list(rows: &[Value], schema: Option<Schema>, output: &mut Output) -> Result<()> {
    if rows.is_empty() {
        Messages::default().say("the list is empty");
        return Ok(());
    }
    if !rows.iter().all(Value::is_object) {
        return rows.iter().try_for_each(|row| output.raw(plain(&text(row)).as_bytes()));
    }
    let columns = columns(rows, schema);
    let head = columns.iter().map(|name| kebab(name).replace('-', " ").to_uppercase()).collect();
    let cells = |row: &Value| {
        columns.iter().map(|name| row.get(name).map_or("-".to_owned(), |value| cell(name, value, schema))).collect()
    };
    let mut table: Vec<Vec<String>> = [head].into_iter().chain(rows.iter().map(cells)).collect();
    fit(&mut table, table::width());
    print(&table, output)
}

/// Returns the names of scalar fields that some row has. Fields that identify a row come first, times last.
fn columns(rows: &[Value], schema: Option<Schema>) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for (name, value) in rows.iter().filter_map(Value::as_object).flatten() {
        let is_scalar = !value.is_object() && !value.is_array() && !value.is_null();
        if is_scalar && !columns.contains(name) && !contract::is_secret(name, schema, false) {
            columns.push(name.clone());
        }
    }
    columns.sort_by_key(|name| match name.as_str() {
        "id" => 0,
        "name" | "label" | "displayName" => 1,
        "projectId" | "orgId" => 4,
        name if name.ends_with("Time") => 3,
        _ => 2,
    });
    columns
}

/// Removes the last columns if the terminal has no room for them.
fn fit(table: &mut [Vec<String>], width: Option<usize>) {
    let columns = table.first().map_or(0, Vec::len);
    let widest = |column: usize| table.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let mut used = 0;
    let fitting = (0..columns).take_while(|column| {
        used += widest(*column).unwrap_or_default() + 2;
        width.is_none_or(|width| used <= width + 2)
    });
    let most = if width.is_some() { fitting.count() } else { MOST_COLUMNS };
    table.iter_mut().for_each(|row| row.truncate(most.max(2)));
}

fn cell(name: &str, value: &Value, schema: Option<Schema>) -> String {
    match value {
        Value::String(_) if contract::is_secret(name, schema, false) => HIDDEN.to_owned(),
        Value::Object(_) | Value::Array(_) => {
            let mut shown = Value::from(Map::from_iter([(name.to_owned(), value.clone())]));
            contract::redact(&mut shown, schema, |_| "(hidden)".to_owned());
            shown.get(name).map(|shown| plain(&shown.to_string()).into_owned()).unwrap_or_default()
        }
        value => plain(&text(value)).into_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn print<R: AsRef<[String]>>(rows: &[R], output: &mut Output) -> Result<()> {
    table::lines(rows, table::width()).iter().try_for_each(|line| output.raw(line.as_bytes()))
}
