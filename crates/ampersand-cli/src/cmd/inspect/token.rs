//! Random text.

use anyhow::{Result, anyhow};

/// A text of 128 bits that nobody guesses.
pub(super) fn token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat())
}
