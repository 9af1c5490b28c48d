//! Random text.

use anyhow::{Result, anyhow};
use rustls::crypto::ring;

/// A text of 128 bits that nobody guesses.
pub(super) fn token() -> Result<String> {
    let mut bytes = [0; 16];
    let random = ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| anyhow!("the system gives no random numbers"))?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat())
}
