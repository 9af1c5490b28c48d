use std::fmt;

use ampersand_types::notifications::NotificationType;

use crate::hint;

/// Why a body is not a delivery. It holds the body, so you can store it and try again.
///
/// `Debug` and `Display` show no part of the body.
#[derive(Clone, PartialEq, Eq)]
pub struct NormalizeError {
    kind: NormalizeErrorKind,
    body: Vec<u8>,
}

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NormalizeErrorKind {
    /// It is not JSON: it is cut short, in another format, not UTF-8, or has trailing text.
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
    },
    /// Neither `notificationType` in the body nor the metadata names its type. Look up the type in the settings of the
    /// destination.
    TypeMissing {
        /// The known types whose data have this shape. Several types often have the same shape.
        fits: Vec<NotificationType>,
        /// The names in the metadata of the body.
        metadata: Vec<String>,
    },
    /// It does not have the shape of its type.
    Shape {
        /// The expected type; `None` for an envelope or a data message.
        notification_type: Option<NotificationType>,
        /// The place in the body, as a JSONPath.
        path: String,
        /// The expected and the actual kind of value.
        reason: String,
    },
}

impl NormalizeError {
    pub(crate) fn new(kind: NormalizeErrorKind, body: Vec<u8>) -> Self {
        Self { kind, body }
    }

    /// Returns what is wrong with the body.
    pub fn kind(&self) -> &NormalizeErrorKind {
        &self.kind
    }

    /// Returns advice on the likely mistake: the body is base64, or Lambda, SNS or API Gateway wraps it, or the attributes
    /// are not those that Ampersand sets. `Display` ends with it.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.kind {
            NormalizeErrorKind::TypeMissing { metadata, .. } => {
                hint::of_metadata(metadata).or_else(|| hint::of_body(&self.body))
            }
            NormalizeErrorKind::NotJson { .. } => hint::of_body(&self.body),
            NormalizeErrorKind::Shape { path, .. } if path == "$" => hint::of_body(&self.body),
            NormalizeErrorKind::Shape { .. } => None,
        }
    }

    /// Returns the body, as it came.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body, as it came.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

impl fmt::Debug for NormalizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = format_args!("{} bytes", self.body.len());
        f.debug_struct("NormalizeError").field("kind", &self.kind).field("body", &body).finish()
    }
}

impl fmt::Display for NormalizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        self.hint().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl fmt::Display for NormalizeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { line, column } => write!(f, "not valid JSON at line {line} column {column}"),
            Self::TypeMissing { fits, metadata } => {
                f.write_str(
                    "nothing names the notification type: no `notificationType` stands beside `data` in the body",
                )?;
                match metadata.as_slice() {
                    [] => f.write_str(", nor in metadata")?,
                    names => {
                        let known = names.iter().take(MOST_NAMES).map(|name| format!("`{}`", shown(name)));
                        let more = if names.len() > MOST_NAMES { ", …" } else { "" };
                        write!(f, ", nor in the metadata, which has {}{more}", known.collect::<Vec<_>>().join(", "))?;
                    }
                }
                match fits.as_slice() {
                    [] => f.write_str("; no known type has this shape"),
                    fits => {
                        let fits: Vec<&str> = fits.iter().map(NotificationType::as_str).collect();
                        write!(f, "; by its shape it may be {}: pass the type", fits.join(", "))
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

/// Enough names to see where the metadata came from.
const MOST_NAMES: usize = 12;

/// The beginning of a name that came from outside, escaped.
fn shown(name: &str) -> String {
    const LONGEST: usize = 40;
    let end = if name.chars().nth(LONGEST).is_some() { "…" } else { "" };
    name.chars().take(LONGEST).flat_map(char::escape_debug).chain(end.chars()).collect()
}

impl std::error::Error for NormalizeError {}
