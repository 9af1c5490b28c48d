//! Sends notifications as Ampersand does.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use ampersand_notifications::Secret;
use ampersand_testing::{Envelope, Fixture, Sent, aws};
use ampersand_types::notifications::NotificationType;
use anyhow::{Context as _, Result};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use reqwest::{Client, Url};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::args::{self, Service};
use crate::cmd::{client_for, http_url, is_loopback};
use crate::connection::why_of_receiver;
use crate::kept::{self, Folder, Kept, end_to_end};
use crate::known::{CHANGES, RECORDS};
use crate::output::{Messages, Output, plain};
use crate::secrets::{VARIABLE, secrets};
use crate::usage::usage;

/// The number of requests that are in progress at the same time.
const AT_ONCE: usize = 64;

/// The time limit of the sender.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) fn run(options: args::Trigger) -> Result<ExitCode> {
    let messages = Messages::default();
    for name in options.types.iter().filter(|name| ![RECORDS, CHANGES].contains(&name.as_str())) {
        if let NotificationType::Unknown(name) = NotificationType::from(name.as_str()) {
            messages.say(format_args!("{} is no type of the contract: sent as one that is new", plain(name.as_str())));
        }
    }
    match (&options.to, options.lambda) {
        (Some(url), _) => send_all(&options, url, &messages),
        (None, Some(service)) => print_events(&options, service),
        (None, None) => {
            if options.save.is_none() && matches!(options.envelope, Envelope::S3 | Envelope::Sqs | Envelope::Attributes)
            {
                messages.say("what goes beside the bodies, which says the types, is not shown: --save DIR keeps it");
            }
            print_all(&options)
        }
    }
}

/// Prints the bodies, or stores them in files, with their headers or metadata.
fn print_all(options: &args::Trigger) -> Result<ExitCode> {
    let mut output = Output::new(options.output.output);
    let secret = secret(options)?;
    let folder = options.save.as_deref().map(Folder::open).transpose()?;
    for fixture in fixtures(options, 0) {
        let Some(folder) = &folder else {
            output.raw(&fixture.send(options.envelope).body)?;
            continue;
        };
        let (extension, beside, body) = match options.envelope {
            Envelope::Webhook => {
                let Sent { headers, body } = webhook(&fixture, secret.as_deref())?;
                (kept::HEADERS, kept::lines(&kept::headers(&headers)), body)
            }
            envelope => {
                let Sent { headers, body } = fixture.send(envelope);
                let metadata = if headers.is_empty() { Vec::new() } else { serde_json::to_vec(&headers)? };
                ("metadata.json", metadata, body)
            }
        };
        folder.keep(extension, &beside, &body)?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the events with which Lambda would call a function.
fn print_events(options: &args::Trigger, service: Service) -> Result<ExitCode> {
    let secret = secret(options)?;
    let fixtures: Vec<Fixture> = fixtures(options, 0).collect();
    let requests = |event: fn(&Sent) -> Value| {
        let webhooks = fixtures.iter().map(|fixture| webhook(fixture, secret.as_deref()));
        webhooks.map(|webhook| Ok(event(&webhook?))).collect::<Result<Vec<_>>>()
    };
    let events = match service {
        Service::Kinesis => vec![aws::kinesis_event(&fixtures)],
        Service::Sqs => vec![aws::sqs_event(&fixtures)],
        Service::S3 => vec![aws::s3_event(&fixtures)],
        Service::Apigw => requests(aws::api_gateway_event)?,
        Service::Url => requests(aws::http_api_event)?,
        Service::Alb => requests(aws::alb_event)?,
    };
    let mut output = Output::new(options.output.output);
    for event in &events {
        output.raw(event.to_string().as_bytes())?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn send_all(options: &args::Trigger, url: &str, messages: &Messages) -> Result<ExitCode> {
    if options.envelope != Envelope::Webhook {
        return Err(usage(format!("a URL is sent webhooks: {} is printed, without --to", options.envelope)));
    }
    let url = http_url("--to", url)?;
    let secret = secret(options)?;
    if secret.is_none() {
        let how = if options.replay.is_empty() { "not signed" } else { "not signed anew" };
        messages.say(format_args!("{how}: set {VARIABLE}, or pass --secret-file FILE"));
    }
    let client = client_for(&url, options.insecure, |client| client.timeout(PATIENCE))?;
    let start = Instant::now();
    let pause = options.rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate);
    let requests = requests(options).enumerate().map(|(index, request)| {
        let (client, url, secret) = (&client, &url, secret.as_deref());
        async move {
            sleep_until(start + pause.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX))).await;
            send(client, url, request, secret).await
        }
    });
    let mut output = Output::new(options.output.output).going_on();
    let mut failed = 0;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut answers = stream::iter(requests).buffered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            failed += usize::from(!answer.status.is_some_and(|status| (200..300).contains(&status)));
            let Answer { kind, status, milliseconds, reason } = &answer;
            let said = status.map_or_else(|| reason.clone().unwrap_or_default(), |status| status.to_string());
            output.line(&answer, format_args!("{:28}  {milliseconds:>6} ms  {}", plain(kind), plain(&said)))?;
            output.flush()?;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the first secret, if there is one.
fn secret(options: &args::Trigger) -> Result<Option<String>> {
    let secret = secrets(options.secret_file.as_deref())?.into_iter().next();
    if let Some(secret) = &secret {
        Secret::new(secret).map_err(|error| usage(format!("the secret is {error}")))?;
    }
    Ok(secret)
}

/// A request to send.
enum Request<'o> {
    Made(Fixture),
    /// A stored request, which was received before.
    Kept(&'o Path),
}

/// Returns the requests, as often as the options say. Without a seed, notifications are new each time, not repeats.
fn requests(options: &args::Trigger) -> impl Iterator<Item = Request<'_>> {
    let now = Timestamp::now().as_nanosecond();
    let kept = (0..options.count).flat_map(|_| &options.replay).map(|file| Request::Kept(file));
    fixtures(options, now as u64).map(Request::Made).chain(kept)
}

/// Returns the notifications. Their seeds count up from the given seed, or else from this one.
fn fixtures(options: &args::Trigger, seed: u64) -> impl Iterator<Item = Fixture> {
    let known = NotificationType::KNOWN.iter().map(NotificationType::as_str).chain([RECORDS, CHANGES]);
    let types: Vec<String> = if options.all { known.map(str::to_owned).collect() } else { options.types.clone() };
    let seed = options.seed.unwrap_or(seed);
    (0..options.count).flat_map(move |round| {
        let types = types.clone();
        (0..types.len()).filter_map(move |place| {
            let name = types.get(place)?;
            let same = types.iter().filter(|other| *other == name).count() as u64;
            let before = types.iter().take(place).filter(|other| *other == name).count() as u64;
            let seed = seed.wrapping_add(round * same + before);
            let fixture = match name.as_str() {
                RECORDS => Fixture::seeded_records(seed),
                CHANGES => Fixture::seeded_changes(seed),
                name if NotificationType::KNOWN.iter().any(|known| known.as_str() == name) => {
                    Fixture::seeded(name, seed)
                }
                name => Fixture::seeded_unknown(name, seed),
            };
            Some(options.set.iter().fold(fixture, |fixture, (field, value)| fixture.set(field, value)))
        })
    })
}

impl Request<'_> {
    /// Returns the name that distinguishes the request from others.
    fn name(&self) -> String {
        match self {
            Self::Made(fixture) => fixture.name().to_owned(),
            Self::Kept(file) => file.display().to_string(),
        }
    }

    /// Returns headers and body, signed if there is a secret.
    fn sent(&self, secret: Option<&str>) -> Result<(HeaderMap, Vec<u8>)> {
        match self {
            Self::Made(fixture) => {
                let Sent { body, headers } = webhook(fixture, secret)?;
                Ok((kept::headers(&headers), body))
            }
            Self::Kept(file) => {
                let Kept { mut headers, body } = Kept::read(file)?;
                if let Some(secret) = secret {
                    sign(&mut headers, &body, &Secret::new(secret)?, Timestamp::now())?;
                }
                Ok((end_to_end(headers), body))
            }
        }
    }
}

/// Returns a webhook, signed now if there is a secret.
fn webhook(fixture: &Fixture, secret: Option<&str>) -> Result<Sent> {
    match secret {
        Some(secret) => Ok(fixture.signed(secret, Timestamp::now())?),
        None => Ok(fixture.send(Envelope::Webhook)),
    }
}

/// Signs a stored request as the sender does for a retry: with the same id and a new time.
pub(super) fn sign(headers: &mut HeaderMap, body: &[u8], secret: &Secret, now: Timestamp) -> Result<()> {
    let family = if headers.contains_key("webhook-id") { "webhook" } else { "svix" };
    let name = |part: &str| HeaderName::try_from(format!("{family}-{part}"));
    let id = headers.get(name("id")?).and_then(|id| id.to_str().ok());
    let id = id.context("it has no header `svix-id` or `webhook-id`, so it cannot be signed")?;
    let signature = HeaderValue::try_from(secret.sign(id, now, body))?;
    headers.insert(name("timestamp")?, HeaderValue::from(now.as_second()));
    headers.insert(name("signature")?, signature);
    Ok(())
}

/// The response of a receiver, or the reason why there was none.
#[derive(Serialize)]
struct Answer {
    #[serde(rename = "type")]
    kind: String,
    status: Option<u16>,
    milliseconds: u128,
    reason: Option<String>,
}

async fn send(client: &Client, url: &Url, request: Request<'_>, secret: Option<&str>) -> Answer {
    let kind = request.name();
    let (headers, body) = match request.sent(secret) {
        Ok(sent) => sent,
        Err(error) => return Answer { kind, status: None, milliseconds: 0, reason: Some(format!("{error:#}")) },
    };
    let start = Instant::now();
    let answer = client.post(url.clone()).headers(headers).body(body).send().await;
    let milliseconds = start.elapsed().as_millis();
    let (status, reason) = match answer {
        Ok(response) => (Some(response.status().as_u16()), None),
        Err(error) if error.is_timeout() => {
            (None, Some(format!("timed out: no answer within {} s", PATIENCE.as_secs())))
        }
        Err(error) => (None, Some(why_of_receiver(error, is_loopback(url)))),
    };
    Answer { kind, status, milliseconds, reason }
}
