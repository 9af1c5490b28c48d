//! Waits for the signals that end the program.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end the program: ctrl-C, and on Unix SIGTERM. The program handles them from the start, because the
/// kernel does not end process 1 of a container with a signal that it does not handle.
#[cfg(unix)]
pub(crate) struct Ends {
    interrupt: Signal,
    terminate: Signal,
}

#[cfg(unix)]
impl Ends {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
pub(crate) struct Ends;

#[cfg(not(unix))]
impl Ends {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
