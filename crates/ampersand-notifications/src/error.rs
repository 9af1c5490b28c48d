use std::fmt;

use ampersand_types::notifications::NotificationType;

/// Why a body is not a delivery, and the body itself: nothing is lost, it can be put aside and tried again.
///
/// `Debug` and `Display` show no part of the body.
#[derive(Clone, PartialEq, Eq)]
pub struct NormalizeError {
    problem: Problem,
    body: Vec<u8>,
}

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It is not JSON: cut short, another format, not UTF-8, or with something behind it.
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column of the line in bytes, from 1.
        column: usize,
    },
    /// Its type is said nowhere. It has to come from where it is known: how the destination is set up.
    TypeMissing {
        /// The known types whose data have the shape of this payload, several of which are often alike.
        fits: Vec<NotificationType>,
    },
    /// It does not have the shape of its type.
    Shape {
        /// What it should be: the notification type, or `None` for an envelope or a data message.
        notification_type: Option<NotificationType>,
        /// Where in the body, as a JSONPath.
        path: String,
        /// What was expected, and what kind of value was found.
        reason: String,
    },
}

impl NormalizeError {
    pub(crate) fn new(problem: Problem, body: Vec<u8>) -> Self {
        Self { problem, body }
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The body, as it came.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, as it came.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

impl fmt::Debug for NormalizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = format_args!("{} bytes", self.body.len());
        f.debug_struct("NormalizeError").field("problem", &self.problem).field("body", &body).finish()
    }
}

impl fmt::Display for NormalizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { line, column } => write!(f, "not valid JSON at line {line} column {column}"),
            Self::TypeMissing { fits } => {
                f.write_str("nothing says which notification this is: pass its type, ")?;
                match fits.as_slice() {
                    [] => f.write_str("though no known type has this shape"),
                    fits => {
                        f.write_str("which by its shape may be")?;
                        for (index, fit) in fits.iter().enumerate() {
                            write!(f, "{} {fit}", if index == 0 { "" } else { "," })?;
                        }
                        Ok(())
                    }
                }
            }
            Self::Shape { notification_type, path, reason } => match notification_type {
                Some(notification_type) => write!(f, "not a `{notification_type}`: at {path}: {reason}"),
                None => write!(f, "at {path}: {reason}"),
            },
        }
    }
}

impl std::error::Error for NormalizeError {}
