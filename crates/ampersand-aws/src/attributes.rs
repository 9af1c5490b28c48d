//! Reads the metadata of a delivery: the attributes of a message, in the forms that AWS uses.

use std::collections::{BTreeMap, HashSet};

use ampersand_notifications::{Metadata, Source};
use serde_json::value::RawValue;

use crate::members::Members;

/// Names and values, in the order of the document.
pub type Entries = Vec<(String, String)>;

/// The error for attributes that cannot be read, with the name of the attribute.
#[derive(Debug)]
pub enum EntriesError {
    /// The name occurs twice.
    Twice(String),
    /// The value is not a string.
    NotText(String),
}

/// Reads attributes of a message, or metadata. Returns `None` if they are not an object of strings.
pub(crate) fn of_attributes(attributes: &RawValue) -> Option<Entries> {
    entries(serde_json::from_str(attributes.get()).ok()?).ok()
}

/// Reads the members of an object as attributes, or as metadata.
///
/// # Errors
///
/// When a name occurs twice, or a value is not a string.
pub fn entries(members: Members<'_>) -> Result<Entries, EntriesError> {
    let (mut entries, mut names) = (Entries::new(), HashSet::new());
    for (name, value) in members.0 {
        if !names.insert(name.clone()) {
            return Err(EntriesError::Twice(name.into_owned()));
        }
        if let Some(text) = text_of(value).ok_or_else(|| EntriesError::NotText(name.clone().into_owned()))? {
            entries.push((name.into_owned(), text));
        }
    }
    Ok(entries)
}

/// Returns the member with this name, ignoring ASCII case, if it has this shape.
pub fn inner<'t, T: serde::Deserialize<'t>>(members: &Members<'t>, name: &str) -> Option<T> {
    let found = members.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.and_then(|(_, value)| serde_json::from_str(value.get()).ok())
}

/// Returns the text of a value: `Some(None)` for null and binary attributes, `None` for a value of unknown form.
fn text_of(value: &RawValue) -> Option<Option<String>> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(json).ok()?;
            let of_bytes = || inner::<String>(&members, "DataType").is_some_and(|kind| kind.starts_with("Binary"));
            attribute(&members).map(Some).or_else(|| of_bytes().then_some(None))
        }
        Some(b'[') => None,
        Some(b'n') => Some(None),
        _ => Some(Some(serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()))),
    }
}

/// Returns the text of a message attribute, by the names that SQS, Lambda and SNS use.
pub fn attribute(members: &Members<'_>) -> Option<String> {
    inner(members, "StringValue").or_else(|| inner(members, "Value"))
}

/// Merges entries; later entries replace earlier ones. Names are compared without ASCII case and without the prefix of
/// S3.
pub fn merge<'e>(said: impl IntoIterator<Item = &'e Entries>, source: Source) -> Metadata {
    let mut merged = BTreeMap::new();
    for entries in said {
        for (name, value) in opened(entries, source).as_ref().unwrap_or(entries) {
            let name = without_prefix(name);
            merged.insert(name.to_ascii_lowercase(), (name.to_owned(), value.clone()));
        }
    }
    merged.into_values().collect()
}

/// Returns the entries that SQS carries as JSON in one attribute, `metadata`.
fn opened(entries: &Entries, source: Source) -> Option<Entries> {
    if !matches!(source, Source::Bare | Source::Attributes) {
        return None;
    }
    let (_, json) = entries.iter().find(|(name, _)| name.eq_ignore_ascii_case("metadata"))?;
    let metadata: Metadata = serde_json::from_str(json).ok()?;
    Some(metadata.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn without_prefix(name: &str) -> &str {
    const PREFIX: &str = "x-amz-meta-";
    match name.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => name,
    }
}
