//! Where tests reach in: what they take out of statements, and where they end the process.

use std::borrow::Cow;

#[cfg(test)]
use crate::tests;

/// A statement. Tests take guards out of it, to see that they are missed.
pub(crate) fn sql(statement: &'static str) -> Cow<'static, str> {
    #[cfg(test)]
    if let Some((guard, nothing)) = tests::REMOVED.get() {
        return Cow::Owned(statement.replace(guard, nothing));
    }
    Cow::Borrowed(statement)
}

/// A point where tests kill the process, or stop it.
pub(crate) fn point(_name: &str) {
    #[cfg(test)]
    tests::points::reached(_name);
}
