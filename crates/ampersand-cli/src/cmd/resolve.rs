//! Reads documents, and puts in place what was too large to send.

use std::ops::Range;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use ampersand_notifications::{Blocked, Delivery, Policy, ResolveError, Resolver};
use ampersand_types::messages::ResultEntry;
use ampersand_types::{ConfigSource, RawJson, SignedUrl};
use anyhow::{Context as _, Result, anyhow};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::args::{self, Form};
use crate::changes::Reach;
use crate::connection::why;
use crate::members::Members;
use crate::output::{Messages, Output, plain};
use crate::reader::{At, Reader, Sink};

/// Deliveries whose downloads are under way at once.
const AT_ONCE: usize = 8;

pub(crate) fn run(options: args::Resolve) -> Result<ExitCode> {
    let form = options.output.output;
    let policy = Policy {
        hosts: (!options.policy.allow_host.is_empty()).then_some(options.policy.allow_host),
        allow_http: options.policy.allow_http,
        allow_private_addresses: options.policy.allow_private,
        max_bytes: options.policy.max_bytes,
        ..Policy::default()
    };
    let resolver = Resolver::new(policy)?;
    let progress =
        ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} resolved {msg}")?);
    progress.enable_steady_tick(Duration::from_millis(100));
    let messages = Messages(progress.clone());

    // Reading may wait for a pipe, and the downloads must not wait with it.
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
        let mut resolved = deliveries.map(|located| resolve(&resolver, located)).buffered(AT_ONCE);
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

struct Resolved {
    delivery: Delivery,
    /// The payload, with what was downloaded.
    data: String,
    downloads: usize,
    failures: Vec<String>,
}

async fn resolve(resolver: &Resolver, Located { delivery, at }: Located) -> Resolved {
    let mut data = delivery.raw().data().to_owned();
    let mut gaps = gaps(&data, matches!(delivery, Delivery::Records(_)));
    gaps.sort_by_key(|gap| gap.range.start);
    let downloads = join_all(gaps.iter().map(|gap| gap.download(resolver))).await;
    let mut failures = Vec::new();
    // From the end, so that the places before it stay what they are.
    for (gap, download) in gaps.iter().zip(downloads).rev() {
        match download {
            Ok(value) if gap.is_absent => {
                data.insert_str(gap.range.end, &format!(",\"{}\":{}", gap.member, value.as_str()));
            }
            Ok(value) => data.replace_range(gap.range.clone(), value.as_str()),
            Err(error) => {
                failures.push(format!("{at}: {} of {}: {}", gap.member, gap.url, describe(error)));
            }
        }
    }
    failures.reverse();
    let downloads = gaps.len() - failures.len();
    // Of some records it is said that a URL leads to them, and there is none.
    if gaps.is_empty()
        && let Delivery::Records(records) = &delivery
        && let Err(error) = resolver.records(records).await
    {
        failures.push(format!("{at}: {RESULT}: {error}"));
    }
    Resolved { delivery, data, downloads, failures }
}

/// Why there is no download, and the option that would have let it be.
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

/// Where something belongs that has to be downloaded.
struct Gap {
    member: &'static str,
    url: SignedUrl,
    /// The value that stands there, or the one that it goes behind.
    range: Range<usize>,
    is_absent: bool,
}

impl Gap {
    async fn download(&self, resolver: &Resolver) -> Result<RawJson, ResolveError> {
        let value = resolver.config(ConfigSource::Url(&self.url)).await?.into_owned();
        if self.member == RESULT {
            value.parse::<Vec<ResultEntry>>()?;
        }
        Ok(value)
    }
}

const RESULT: &str = "result";

/// Looks at the text and not at the typed event, so that the rest of it stays as it is, and types that are new are
/// resolved too.
fn gaps(data: &str, is_records: bool) -> Vec<Gap> {
    let Ok(payload) = serde_json::from_str::<Members<'_>>(data) else { return Vec::new() };
    let range = |value: &RawValue| {
        let start = value.get().as_ptr() as usize - data.as_ptr() as usize;
        start..start + value.get().len()
    };
    let gap = |member, url, inline: Option<&RawValue>, neighbour: &RawValue| {
        Some(Gap { member, url, range: range(inline.unwrap_or(neighbour)), is_absent: inline.is_none() })
    };
    let configuration = |(member, url_member)| {
        let neighbour = payload.get(url_member)?;
        let url: SignedUrl = serde_json::from_str(neighbour.get()).ok()?;
        let inline = payload.get(member);
        let value = inline.and_then(|inline| RawJson::new(inline.get()).ok());
        let is_gap = matches!(ConfigSource::new(value.as_ref(), Some(&url)), ConfigSource::Url(_));
        is_gap.then(|| gap(member, url, inline, neighbour)).flatten()
    };
    let records = || {
        let neighbour = payload.get("resultInfo")?;
        let info: Members<'_> = serde_json::from_str(neighbour.get()).ok()?;
        let url: SignedUrl = serde_json::from_str(info.get("downloadUrl")?.get()).ok()?;
        let inline = payload.get(RESULT);
        let is_empty = inline.is_none_or(is_empty_list);
        (is_empty && !url.expose_secret().is_empty()).then(|| gap(RESULT, url, inline, neighbour)).flatten()
    };
    if is_records {
        return records().into_iter().collect();
    }
    [("config", "configURL"), ("lastConfig", "lastConfigURL")].into_iter().filter_map(configuration).collect()
}

fn is_empty_list(value: &RawValue) -> bool {
    let tokens = value.get().bytes().filter(|byte| !byte.is_ascii_whitespace());
    value.get() == "null" || tokens.eq(*b"[]")
}
