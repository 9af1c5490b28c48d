//! Known values of options. Help and completion show them, but options accept other values too.

use std::ffi::OsStr;
use std::sync::Arc;

use ampersand_types::notifications::NotificationType;
use clap::builder::{NonEmptyStringValueParser, PossibleValue, TypedValueParser};

use crate::contract::{self, Operation};

/// The names of the data messages, which have no notification type: records that were read, and records that changed.
pub(crate) const RECORDS: &str = "records";
pub(crate) const CHANGES: &str = "changes";

/// Values for help and completion; the option accepts others too. They are computed when they are needed.
#[derive(Clone)]
pub(crate) struct Known(Arc<dyn Fn() -> Vec<PossibleValue> + Send + Sync>);

impl Known {
    pub(crate) fn new(values: impl Fn() -> Vec<PossibleValue> + Send + Sync + 'static) -> Self {
        Self(Arc::new(values))
    }

    pub(crate) fn types() -> Self {
        Self::new(|| NotificationType::KNOWN.iter().map(|known| PossibleValue::new(known.as_str())).collect())
    }

    pub(crate) fn and(self, other: &'static str) -> Self {
        Self::new(move || {
            let mut values = (self.0)();
            values.push(PossibleValue::new(other));
            values
        })
    }
}

impl TypedValueParser for Known {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> clap::error::Result<String> {
        NonEmptyStringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter()))
    }
}

/// Returns every name that `explain` knows, except fields.
pub(crate) fn names() -> Vec<PossibleValue> {
    all_names().into_iter().map(PossibleValue::new).collect()
}

pub(crate) fn all_names() -> Vec<String> {
    let events = contract::events().map(|(name, _)| name.to_owned());
    let messages = [RECORDS, CHANGES].map(str::to_owned);
    let operations = contract::operations().map(Operation::command);
    let types = contract::types().map(|(name, ..)| name.to_owned());
    events.chain(messages).chain(operations).chain(types).collect()
}
