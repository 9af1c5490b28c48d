use std::fmt;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// The response to a Kinesis or SQS batch: the records that Lambda must send again. Return it from the function.
///
/// It serializes to `{"batchItemFailures": [{"itemIdentifier": …}]}`. Lambda reads it only if the event source mapping
/// has `ReportBatchItemFailures` in its `FunctionResponseTypes`. Without that setting, Lambda treats every response as
/// success, and failed records are lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "return it from the function: what failed is lost otherwise"]
pub struct BatchResponse {
    pub(crate) failures: Vec<ItemFailure>,
}

impl BatchResponse {
    /// Returns the records that Lambda must send again, in the order of the event. Empty if all were handled.
    ///
    /// For Kinesis there is at most one: Lambda sends that record and all later ones again.
    pub fn failures(&self) -> &[ItemFailure] {
        &self.failures
    }
}

/// A record that Lambda must send again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItemFailure {
    /// The sequence number of a Kinesis record, or the `messageId` of an SQS message; never empty.
    pub id: String,
    /// The reason why Lambda must send it again, for your log. The response does not contain it.
    pub cause: Cause,
}

/// The reason why a record was not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The handler returned an error.
    Handler,
    /// The handler, or another function of yours, panicked. Only with `panic = "unwind"`: Cargo Lambda builds with
    /// `abort` unless your `Cargo.toml` sets it.
    Panic,
    /// The handling did not finish by the deadline.
    Deadline,
    /// An S3 object could not be fetched, or no fetch function is set: see [`Batch::fetch`](crate::Batch::fetch).
    Fetch,
    /// The record is unreadable, and was not stored: see [`Batch::park`](crate::Batch::park).
    Unreadable,
    /// An earlier message in the same group of a FIFO queue failed, so this one was not handled.
    Held,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handler => "the handler returned an error",
            Self::Panic => "the handler panicked",
            Self::Deadline => "the deadline passed: raise the function's timeout, or make batches smaller",
            Self::Fetch => "the object could not be fetched",
            Self::Unreadable => "it cannot be read, and was not parked",
            Self::Held => "a message before it in its group failed",
        })
    }
}

impl Serialize for BatchResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("batchItemFailures", &self.failures)?;
        map.end()
    }
}

/// Serializes only the identifier, which Lambda reads.
impl Serialize for ItemFailure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("itemIdentifier", &self.id)?;
        map.end()
    }
}
