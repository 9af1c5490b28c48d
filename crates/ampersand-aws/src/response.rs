use std::fmt;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// The answer to a batch of Kinesis or SQS: what Lambda must send again. Return it from the function.
///
/// It serializes to `{"batchItemFailures": [{"itemIdentifier": …}]}`. Lambda heeds it only where the event source mapping
/// has `ReportBatchItemFailures` in its `FunctionResponseTypes`. Without that, it takes any answer for success, and what
/// failed is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "return it from the function: what failed is lost otherwise"]
pub struct BatchResponse {
    pub(crate) failures: Vec<ItemFailure>,
}

impl BatchResponse {
    /// What Lambda must send again, in the order of the event. Empty if all was handled.
    ///
    /// Of Kinesis it is at most one: Lambda sends that record and all after it again.
    pub fn failures(&self) -> &[ItemFailure] {
        &self.failures
    }
}

/// A record that Lambda must send again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItemFailure {
    /// The sequence number of a record of Kinesis, or the `messageId` of a message of SQS; never empty.
    pub id: String,
    /// Why it must come again, for your log. It is not part of the answer.
    pub cause: Cause,
}

/// Why a record is not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The handler returned an error.
    Handler,
    /// The handler, or another function of yours, panicked. Only with `panic = "unwind"`: Cargo Lambda builds with `abort` unless
    /// your `Cargo.toml` says so.
    Panic,
    /// It was not done by the deadline.
    Deadline,
    /// An object of S3 could not be fetched, or no function fetches objects: see [`Batch::fetch`](crate::Batch::fetch).
    Fetch,
    /// It cannot be read, and was not parked: see [`Batch::park`](crate::Batch::park).
    Unreadable,
    /// A message before it in its group of a FIFO queue failed, so that its turn did not come.
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

/// Serializes what Lambda reads: the identifier alone.
impl Serialize for ItemFailure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("itemIdentifier", &self.id)?;
        map.end()
    }
}
