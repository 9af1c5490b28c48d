//! What the generated builders have in common.

use std::collections::BTreeMap;
use std::fmt;

/// Why a value cannot be built: a field is missing, or was given what it cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    field: &'static str,
    /// `None` for a field that is missing.
    reason: Option<String>,
}

impl BuildError {
    pub(crate) fn missing(field: &'static str) -> Self {
        Self { field, reason: None }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            None => write!(f, "`{}` is required and was not given", self.field),
            Some(reason) => write!(f, "`{}`: {reason}", self.field),
        }
    }
}

impl std::error::Error for BuildError {}

pub(crate) fn value<T, V>(field: &'static str, value: V) -> Result<T, BuildError>
where
    V: TryInto<T, Error: fmt::Display>,
{
    value.try_into().map_err(|error| BuildError { field, reason: Some(error.to_string()) })
}

pub(crate) fn list<T, V>(field: &'static str, values: impl IntoIterator<Item = V>) -> Result<Vec<T>, BuildError>
where
    V: TryInto<T, Error: fmt::Display>,
{
    values.into_iter().map(|item| value(field, item)).collect()
}

pub(crate) fn map<T, V>(
    field: &'static str,
    values: impl IntoIterator<Item = (impl Into<String>, V)>,
) -> Result<BTreeMap<String, T>, BuildError>
where
    V: TryInto<T, Error: fmt::Display>,
{
    values.into_iter().map(|(key, item)| Ok((key.into(), value(field, item)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_the_field() {
        let error = value::<u8, i64>("count", 300).expect_err("too large");
        assert_eq!(error.to_string(), "`count`: out of range integral type conversion attempted");
        assert_eq!(BuildError::missing("name").to_string(), "`name` is required and was not given");
        assert_eq!(list::<String, _>("names", ["a", "b"]), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(map::<i64, _>("sizes", [("a", 1)]).map(|map| map.len()), Ok(1));
    }
}
