//! The error for an invalid command line.

use std::fmt;

/// The command line is invalid, whatever the input is.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

pub(crate) fn usage(message: String) -> anyhow::Error {
    Usage(message).into()
}
