use std::error::Error;
use std::fmt;

use ampersand_notifications::NormalizeError;

use crate::Cause;

/// The error for a record that cannot be opened. It shows no part of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// The record does not look like a record of any known service.
    Unknown,
    /// This member is missing, or `null`.
    Missing(&'static str),
    /// This member is not an object.
    NotObject(&'static str),
    /// This member is not a string, or has an escape that is not a valid character.
    NotText(&'static str),
    /// This member is not base64.
    NotBase64(&'static str),
    /// An attribute is not a string, or a name occurs twice.
    Attributes,
    /// The key of an object is not URL-encoded.
    Key,
    /// The record is an unverified webhook. A batch never handles one: see [`deliveries`](crate::deliveries).
    Unverified,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not a record of Kinesis, SQS, SNS, S3, Pub/Sub or Lambda@Edge"),
            Self::Missing(member) => write!(f, "the record has no `{member}`"),
            Self::NotObject(member) => write!(f, "`{member}` of the record is not an object"),
            Self::NotText(member) => write!(f, "`{member}` of the record is not a valid string"),
            Self::NotBase64(member) => write!(f, "`{member}` of the record is not valid base64"),
            Self::Attributes => f.write_str("the attributes of the record are not an object of strings"),
            Self::Key => f.write_str("the key of the object is not URL-encoded"),
            Self::Unverified => f.write_str("a webhook in a batch: take it from `deliveries`, and verify it"),
        }
    }
}

impl Error for RecordError {}

/// The error for a record without a readable delivery. It shows no part of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnreadableError {
    /// The record cannot be opened.
    Record(RecordError),
    /// The body of the record, or the S3 object that it names, is not a delivery. The error keeps the body.
    Body(NormalizeError),
}

impl fmt::Display for UnreadableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(error) => error.fmt(f),
            Self::Body(error) => write!(f, "in the body: {error}"),
        }
    }
}

impl Error for UnreadableError {}

/// The error for a whole event. Return it from the function: Lambda sends the event again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// The event is not JSON in UTF-8, or does not look like an event of any known service.
    Unknown,
    /// A record has no identifier for the response, or belongs to another service than the called function. No handler
    /// was called.
    NoIdentifier {
        /// The index of the record in the event, counted from 0.
        index: usize,
    },
    /// Some records failed in an event without partial responses: see [`Batch::all`](crate::Batch::all).
    Failed {
        /// The number of records that failed.
        failed: usize,
        /// The number of all records.
        total: usize,
        /// The cause of the first failure.
        first: Cause,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str(
                "not an event of Kinesis, SQS, SNS, S3, EventBridge Pipes, API Gateway, a function URL or ALB: is the \
                 function called by another service?",
            ),
            Self::NoIdentifier { index } => write!(
                f,
                "record {index} of the event has no identifier of this service: call `kinesis` for Kinesis, `sqs` for \
                 SQS, and `all` for what has no partial answer"
            ),
            Self::Failed { failed, total, first } => {
                write!(f, "{failed} of {total} records failed, the first: {first}")
            }
        }
    }
}

impl Error for EventError {}
