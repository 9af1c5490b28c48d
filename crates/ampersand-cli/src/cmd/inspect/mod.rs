//! A web page of what came: live, or from files and inboxes.
//!
//! `listen --inspect` puts requests into a [`Log`], and `inspect` what it finds. The [`Page`] shows the log.

mod again;
mod arrival;
mod log;
mod page;
mod rust_test;
mod signature;
mod sources;
mod tree;

use std::process::ExitCode;
use std::sync::Arc;

use ampersand_notifications::Resolver;
use anyhow::{Context as _, Result, anyhow};
use tokio::sync::oneshot;

pub(super) use self::arrival::{Arrival, Forwarded, Tone, Verdict};
pub(super) use self::log::Log;
pub(super) use self::page::{Page, Tools};
use crate::args;
use crate::output::Messages;
use crate::secrets::{knowing, secrets};
use crate::signals::Ends;
use crate::store;
use crate::usage::usage;

/// Where a delivery is sent again, if nobody said anything else: where `listen` and the examples listen.
pub(crate) const TO: &str = "http://localhost:3000/";

pub(crate) fn run(options: args::Inspect) -> Result<ExitCode> {
    let messages = Messages::default();
    if options.input.files.is_empty() && options.store.is_none() {
        return Err(usage("name a file, a folder that `listen --save` keeps, `-`, or an inbox by --store".to_owned()));
    }
    let secrets = secrets(options.secret_file.as_deref())?;
    let verifier = knowing(&secrets)?;
    let (log, files) = (Arc::new(Log::new()), options.input);
    let tools = Tools {
        secrets,
        verifier: verifier.clone(),
        resolver: Resolver::new(options.policy.into())?,
        to: options.to,
        insecure: options.insecure,
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut ends = Ends::new().context("signals cannot be handled")?;
        let inbox = match &options.store {
            Some(url) => Some(store::open_existing(url).await?),
            None => None,
        };
        let page = Page::open(&options.address, log.clone(), tools).await?;
        messages.say(format_args!("open {} until ctrl-C", page.url));
        let (failed, failure) = oneshot::channel();
        if !files.files.is_empty() {
            // A thread, as reading may wait for a pipe.
            let (log, messages) = (log.clone(), messages.clone());
            std::thread::spawn(move || failed.send(sources::follow(&files, verifier.as_ref(), &log, &messages)));
        }
        tokio::select! {
            served = page.serve() => served,
            Ok(read) = failure => read,
            watched = async { sources::watch(inbox.as_ref().ok_or_else(|| anyhow!("no inbox"))?, &log).await }, if inbox.is_some() => watched,
            () = ends.next() => Ok(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What nobody guesses.
fn token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat())
}
