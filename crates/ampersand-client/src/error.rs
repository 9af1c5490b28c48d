use std::fmt;

use bytes::Bytes;

use crate::Operation;

/// Why an operation did not give what it is to give.
#[derive(Debug)]
pub struct Error {
    operation: &'static Operation,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Request(String),
    Transport(reqwest::Error),
    Status(http::StatusCode, Bytes),
    Body(serde_json::Error),
}

impl Error {
    pub(crate) fn request(operation: &'static Operation, reason: String) -> Self {
        Self { operation, kind: Kind::Request(reason) }
    }

    pub(crate) fn transport(operation: &'static Operation, error: reqwest::Error) -> Self {
        Self { operation, kind: Kind::Transport(error.without_url()) }
    }

    pub(crate) fn status_is(operation: &'static Operation, status: http::StatusCode, body: Bytes) -> Self {
        Self { operation, kind: Kind::Status(status, body) }
    }

    pub(crate) fn body_is(operation: &'static Operation, error: serde_json::Error) -> Self {
        Self { operation, kind: Kind::Body(error) }
    }

    /// The status, where there was a response that is not 2xx.
    pub fn status(&self) -> Option<http::StatusCode> {
        match &self.kind {
            Kind::Status(status, _) => Some(*status),
            _ => None,
        }
    }

    /// The body that came with the status.
    pub fn body(&self) -> Option<&Bytes> {
        match &self.kind {
            Kind::Status(_, body) => Some(body),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation.id)?;
        match &self.kind {
            Kind::Request(reason) => f.write_str(reason),
            Kind::Transport(_) => f.write_str("the request failed"),
            Kind::Status(status, _) => write!(f, "answered with {status}"),
            Kind::Body(_) => f.write_str("the response is not what the contract says"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Transport(error) => Some(error),
            Kind::Body(error) => Some(error),
            Kind::Request(_) | Kind::Status(..) => None,
        }
    }
}
