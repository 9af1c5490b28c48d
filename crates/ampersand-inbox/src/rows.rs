//! The rows that both stores read, and the outcome of a claim that they write.

use crate::delivery::State;

/// The SQL condition and order for the deliveries in a state: in order of arrival, or for ended ones the latest first.
pub(crate) fn which(state: State) -> String {
    let order = if matches!(state, State::Ready | State::Claimed) { "seq" } else { "finished DESC, seq DESC" };
    format!("WHERE state = '{}' ORDER BY {order}", state.as_str())
}

/// A claimed delivery.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claimed {
    pub(crate) seq: i64,
    pub(crate) token: i64,
    pub(crate) attempt: u32,
    /// Milliseconds from the put to the claim.
    pub(crate) age: i64,
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) lane: String,
    #[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "for spans"))]
    pub(crate) notification_type: Option<String>,
    pub(crate) metadata: String,
    pub(crate) body: Vec<u8>,
    pub(crate) packed: bool,
    /// The downloaded content of its URLs, packed.
    #[cfg_attr(not(feature = "resolve"), expect(dead_code, reason = "for the feature"))]
    pub(crate) resolved: Option<Vec<u8>>,
}

/// Reads a row of either store. The columns are in this order.
macro_rules! claimed {
    ($row:ident.$get:ident) => {
        $crate::rows::Claimed {
            seq: $row.$get(0)?,
            token: $row.$get(1)?,
            attempt: $row.$get::<_, i64>(2)?.try_into().unwrap_or(u32::MAX),
            age: $row.$get(3)?,
            source: $row.$get(4)?,
            id: $row.$get(5)?,
            lane: $row.$get(6)?,
            notification_type: $row.$get(7)?,
            metadata: $row.$get(8)?,
            body: $row.$get::<_, Option<Vec<u8>>>(9)?.unwrap_or_default(),
            packed: $row.$get::<_, Option<bool>>(10)?.unwrap_or_default(),
            resolved: $row.$get(11)?,
        }
    };
}
pub(crate) use claimed;

/// Reads a row of either store. The columns are in this order.
macro_rules! entry {
    ($row:ident.$get:ident) => {{
        let state = $crate::delivery::State::named(&$row.$get::<_, String>(4)?);
        let is_open = matches!(state, $crate::delivery::State::Ready | $crate::delivery::State::Claimed);
        $crate::delivery::Entry {
            source: $row.$get(0)?,
            id: $row.$get(1)?,
            lane: $row.$get(2)?,
            notification_type: $row.$get(3)?,
            state,
            attempts: $row.$get::<_, i64>(5)?.try_into().unwrap_or(u32::MAX),
            reason: $row.$get(6)?,
            received: $crate::delivery::time($row.$get(7)?),
            due: if is_open { Some($crate::delivery::time($row.$get(8)?)) } else { None },
            finished: $row.$get::<_, Option<i64>>(9)?.map($crate::delivery::time),
        }
    }};
}
pub(crate) use entry;

/// The outcome of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// A worker retries it after `pause` milliseconds.
    Retry {
        pause: i64,
        reason: String,
    },
    Dead {
        reason: String,
        /// Whether it blocks its lane until it is replayed or deleted.
        blocks: bool,
    },
    /// The worker stopped before the attempt ended, and the attempt does not count.
    Released,
}

/// What a store records of an outcome.
pub(crate) struct End<'o> {
    pub(crate) state: &'static str,
    /// Milliseconds until it is due; `None` for never.
    pub(crate) pause: Option<i64>,
    pub(crate) reason: Option<&'o str>,
    /// The number of attempts that do not count.
    pub(crate) released: i64,
    /// Whether it leaves its lane to the next delivery.
    pub(crate) leaves: bool,
}

impl Outcome {
    pub(crate) fn end(&self) -> End<'_> {
        let (state, pause, reason, released, leaves) = match self {
            Self::Done => ("done", Some(0), None, 0, true),
            Self::Retry { pause, reason } => ("ready", Some(*pause), Some(&**reason), 0, false),
            Self::Dead { reason, blocks: false } => ("dead", Some(0), Some(&**reason), 0, true),
            Self::Dead { reason, blocks: true } => ("dead", None, Some(&**reason), 0, false),
            Self::Released => ("ready", Some(0), None, 1, false),
        };
        End { state, pause, reason, released, leaves }
    }
}

/// Reads a row of either store. The columns are in this order.
macro_rules! stored {
    ($row:ident.$get:ident) => {{
        let (body, packed) = ($row.$get::<_, Option<Vec<u8>>>(12)?, $row.$get::<_, Option<bool>>(13)?);
        let metadata = serde_json::from_str(&$row.$get::<_, String>(11)?).unwrap_or_default();
        let body = body.and_then(|body| $crate::delivery::unpack(body, packed == Some(true)));
        $crate::delivery::Stored { seq: $row.$get(10)?, entry: $crate::rows::entry!($row.$get), metadata, body }
    }};
}
pub(crate) use stored;
