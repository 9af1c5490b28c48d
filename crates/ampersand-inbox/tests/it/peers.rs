//! With programs that we did not write: `cargo xtask peers` brings them and runs these.

mod restarts;
mod sync;
