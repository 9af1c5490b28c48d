//! Tests with third-party programs, which `cargo xtask peers` installs and runs.

mod restarts;
mod sync;
