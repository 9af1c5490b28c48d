//! A web page that shows deliveries: live, or from files and inboxes.
//!
//! `listen --inspect` adds requests to a [`Log`], and `inspect` adds what it finds. The [`Page`] shows the log.

mod again;
mod arrival;
mod log;
mod page;
mod signature;
mod snippet;
mod sources;
mod token;
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

pub(crate) fn run(options: args::Inspect) -> Result<ExitCode> {
    let messages = Messages::default();
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
        if !files.files.is_empty() || inbox.is_none() {
            // Reads in a thread, because a read may wait for a pipe.
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
