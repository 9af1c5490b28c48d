//! Reports the problems of `serve`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::output::{Messages, plain};

/// Reports problems, and does not repeat one of the same kind for a while.
pub(crate) struct Problems {
    pub(crate) messages: Messages,
    said: Mutex<HashMap<String, Instant>>,
}

impl Problems {
    pub(crate) fn new(messages: Messages) -> Self {
        Self { messages, said: Mutex::default() }
    }

    /// Prints a line, unless one of the same kind was printed recently.
    pub(crate) fn say(&self, kind: &str, line: impl fmt::Display) {
        const WHILE: Duration = Duration::from_secs(10);
        let is_new = self.said.lock().is_ok_and(|mut said| {
            said.retain(|_, at| at.elapsed() < WHILE);
            let is_new = !said.contains_key(kind);
            if is_new {
                said.insert(kind.to_owned(), Instant::now());
            }
            is_new
        });
        if is_new {
            self.messages.say(plain(&line.to_string()));
        }
    }
}
