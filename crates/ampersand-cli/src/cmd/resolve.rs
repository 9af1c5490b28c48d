//! Reads documents, and inserts the values that were too large to send.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use ampersand_notifications::{Blocked, Delivery, ResolveError, Resolver};
use ampersand_types::messages::ResultEntry;
use ampersand_types::{ConfigSource, RawJson};
use anyhow::{Context as _, Result, anyhow};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::args;
use crate::changes::Reach;
use crate::connection::why;
use crate::gaps::{Gap, RESULT, gaps};
use crate::output::{Form, Messages, Output, plain};
use crate::reader::{At, Reader, Sink};

/// The number of deliveries that download at the same time.
const AT_ONCE: usize = 8;

pub(crate) fn run(options: args::Resolve) -> Result<ExitCode> {
    let form = options.output.output;
    let resolver = Resolver::new(options.policy.into())?;
    let progress =
        ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} resolved {msg}")?);
    progress.enable_steady_tick(Duration::from_millis(100));
    let messages = Messages(progress.clone());

    // Reading may block at a pipe, and must not block the downloads.
    let (sender, mut read) = mpsc::channel(AT_ONCE);
    let reader = thread::spawn({
        let messages = messages.clone();
        move || Reader::new(&options.input, messages)?.read(&mut Channel(sender))
    });
    let mut output = Output::new(form);
    if options.changes {
        output = output.with_changes(Reach::Downloaded);
    }
    let (mut downloaded, mut failed) = (0, 0);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let deliveries = stream::poll_fn(|context| read.poll_recv(context));
        let mut resolved = deliveries
            .map(|Located { delivery, at }| {
                let resolver = &resolver;
                async move { resolved(resolver, delivery, &at).await }
            })
            .buffered(AT_ONCE);
        while let Some(Resolved { delivery, data, downloads, failures }) = resolved.next().await {
            downloaded += downloads;
            failed += failures.len();
            for failure in failures {
                messages.say(plain(&failure));
            }
            progress.inc(1);
            progress.suspend(|| output.delivery(&delivery, &data).and_then(|()| output.flush()))?;
        }
        anyhow::Ok(())
    })?;
    let tally = reader.join().map_err(|_| anyhow!("the input could not be read"))??;
    progress.finish_and_clear();

    let all_is_well = tally.failed == 0 && failed == 0;
    if !all_is_well || form == Form::Text {
        let unread = tally.failed;
        messages
            .say(format_args!("{} decoded, {unread} failed; {downloaded} downloaded, {failed} failed", tally.decoded));
    }
    Ok(if all_is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Located {
    delivery: Delivery,
    at: String,
}

struct Channel(mpsc::Sender<Located>);

impl Sink for Channel {
    fn delivery(&mut self, delivery: Delivery, at: &At<'_>) -> Result<()> {
        self.0.blocking_send(Located { delivery, at: at.to_string() }).context("nobody reads any more")
    }

    fn pause(&mut self) -> Result<()> {
        Ok(())
    }
}

pub(super) struct Resolved {
    delivery: Delivery,
    /// The payload, including downloads.
    pub(super) data: String,
    downloads: usize,
    pub(super) failures: Vec<String>,
}

/// Downloads the missing values of a delivery. A failure names the place of the delivery.
pub(super) async fn resolved(resolver: &Resolver, delivery: Delivery, at: &str) -> Resolved {
    let mut data = delivery.raw().data().to_owned();
    let gaps = gaps(&data, matches!(delivery, Delivery::Records(_)));
    let downloads = join_all(gaps.iter().map(|gap| download(gap, resolver))).await;
    let mut failures = Vec::new();
    for (gap, download) in gaps.iter().zip(downloads).rev() {
        match download {
            Ok(value) => gap.fill(&mut data, value.as_str()),
            Err(error) => {
                failures.push(format!("{at}: {} of {}: {}", gap.member, gap.url, describe(error)));
            }
        }
    }
    failures.reverse();
    let downloads = gaps.len() - failures.len();
    // Some messages announce records behind a URL, but have no URL.
    if gaps.is_empty()
        && let Delivery::Records(records) = &delivery
        && let Err(error) = resolver.records(records).await
    {
        failures.push(format!("{at}: {RESULT}: {error}"));
    }
    Resolved { delivery, data, downloads, failures }
}

/// Returns why a download failed, and the option that would have allowed it.
fn describe(error: ResolveError) -> String {
    let option = match error {
        ResolveError::TooLarge { limit } => return format!("there is more than {limit} bytes (option --max-bytes)"),
        ResolveError::Connection(cause) | ResolveError::Tls(cause) => return why(cause.as_ref()),
        ResolveError::Blocked(Blocked::NotHttps) => " (option --allow-http)",
        ResolveError::Blocked(Blocked::Address(_)) => " (option --allow-private)",
        ResolveError::Blocked(Blocked::Host(_)) => " (option --allow-host)",
        _ => "",
    };
    format!("{:#}{option}", anyhow::Error::from(error))
}

async fn download(gap: &Gap, resolver: &Resolver) -> Result<RawJson, ResolveError> {
    let value = resolver.config(ConfigSource::Url(&gap.url)).await?.into_owned();
    if gap.member == RESULT {
        value.parse::<Vec<ResultEntry>>()?;
    }
    Ok(value)
}
