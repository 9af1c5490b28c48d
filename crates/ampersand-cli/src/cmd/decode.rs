//! Prints deliveries, or what is new in them.

use std::process::ExitCode;

use ampersand_notifications::Delivery;
use anyhow::Result;

use crate::args;
use crate::changes::Reach;
use crate::drift::Drift;
use crate::output::{Form, Messages, Output};
use crate::reader::{At, Reader, Sink};

pub(crate) fn run(options: &args::Decode) -> Result<ExitCode> {
    let messages = Messages::default();
    let form = options.output.output;
    let mut output = Output::new(form);
    if options.changes {
        output = output.with_changes(Reach::Sent);
    }
    let reader = Reader::new(&options.input, messages.clone())?;
    let (tally, beside) = if options.drift {
        let mut drift = Drift::new();
        (reader.read(&mut drift)?, format!("; {}", drift.report(&mut output)?))
    } else {
        (reader.read(&mut output)?, String::new())
    };
    output.flush()?;
    if tally.failed > 0 || form == Form::Text {
        messages.say(format_args!("{} decoded, {} failed{beside}", tally.decoded, tally.failed));
    }
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Sink for Output {
    fn delivery(&mut self, delivery: Delivery, _: &At<'_>) -> Result<()> {
        self.delivery(&delivery, delivery.raw().data())
    }

    fn pause(&mut self) -> Result<()> {
        self.flush()
    }
}
