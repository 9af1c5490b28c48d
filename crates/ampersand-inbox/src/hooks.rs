//! Hooks for tests: they remove guards from SQL statements, and stop the process at named points.

use std::borrow::Cow;

#[cfg(test)]
use crate::tests;

/// Returns a statement. Tests remove guards from it, to prove that each guard is needed.
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
