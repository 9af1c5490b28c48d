//! The settings that both parts of the demo share.

use std::time::Duration;

/// A public secret, because it is in the source.
pub(super) const SECRET: &str = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkZW1vbnN0cmF0aW9u";

/// A time limit that nothing on one machine exceeds.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
