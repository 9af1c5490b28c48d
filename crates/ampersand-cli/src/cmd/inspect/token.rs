//! Makes random text.

use anyhow::{Result, anyhow};
use rustls::crypto::ring;

/// Returns a text of 128 random bits, which nobody can guess.
pub(super) fn token() -> Result<String> {
    let mut bytes = [0; 16];
    let random = ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| anyhow!("the system gives no random numbers"))?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat())
}
