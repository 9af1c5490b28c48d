//! What the two parts of the demo have in common.

use std::time::Duration;

/// Known to all, as it is in the source.
pub(super) const SECRET: &str = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkZW1vbnN0cmF0aW9u";

/// Nothing on one machine takes longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
