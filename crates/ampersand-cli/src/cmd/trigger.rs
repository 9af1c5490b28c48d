//! Sends notifications as Ampersand would.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use ampersand_notifications::Secret;
use ampersand_testing::{Envelope, Fixture, Sent};
use ampersand_types::notifications::NotificationType;
use anyhow::{Context as _, Result};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use reqwest::{Client, Url};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use crate::args;
use crate::cmd::verify::{VARIABLE, secrets};
use crate::kept::{self, Kept, end_to_end};
use crate::output::{Messages, Output, plain};
use crate::usage;

/// How many requests are under way at a time.
const AT_ONCE: usize = 64;

/// The sender does not wait for longer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is said for a message of records in place of a notification type.
pub(crate) const RECORDS: &str = "records";

pub(crate) fn run(options: args::Trigger) -> Result<ExitCode> {
    let messages = Messages::default();
    for name in options.types.iter().filter(|name| *name != RECORDS) {
        if let NotificationType::Unknown(name) = NotificationType::from(name.as_str()) {
            messages.say(format_args!("{} is no type of the contract: sent as one that is new", plain(name.as_str())));
        }
    }
    match &options.to {
        Some(url) => send_all(&options, url, &messages),
        None => print_all(&options),
    }
}

/// Prints the bodies, or keeps them in files with what goes beside them.
fn print_all(options: &args::Trigger) -> Result<ExitCode> {
    let mut output = Output::new(options.output.output);
    let secret = secret(options)?;
    if let Some(folder) = &options.save {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    for (index, fixture) in fixtures(options).enumerate() {
        let Some(folder) = &options.save else {
            output.raw(&fixture.send(options.envelope).body)?;
            continue;
        };
        let sent = match &secret {
            Some(secret) if options.envelope == Envelope::Webhook => fixture.signed(secret, Timestamp::now())?,
            _ => fixture.send(options.envelope),
        };
        save(folder, index + 1, options.envelope, &sent).with_context(|| folder.display().to_string())?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Keeps a request as `listen` does, and of another envelope the metadata in place of headers.
fn save(folder: &Path, number: usize, envelope: Envelope, sent: &Sent) -> Result<()> {
    let [headers, body] = kept::files(folder, number);
    std::fs::write(&body, &sent.body)?;
    if envelope == Envelope::Webhook {
        std::fs::write(headers, kept::lines(&kept::headers(&sent.headers)))?;
    } else if !sent.headers.is_empty() {
        std::fs::write(body.with_extension("metadata.json"), serde_json::to_vec(&sent.headers)?)?;
    }
    Ok(())
}

fn send_all(options: &args::Trigger, url: &str, messages: &Messages) -> Result<ExitCode> {
    if options.envelope != Envelope::Webhook {
        return Err(usage(format!("a URL is sent webhooks: {} is printed, without --to", options.envelope)));
    }
    let wrong = || usage(format!("--to {url}: not a URL of http or https"));
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(wrong)?;
    let secret = secret(options)?;
    if secret.is_none() {
        let how = if options.replay.is_empty() { "not signed" } else { "not signed anew" };
        messages.say(format_args!("{how}: set {VARIABLE}, or pass --secret-file FILE"));
    }
    let client = Client::builder().no_proxy().timeout(PATIENCE).build().context("TLS cannot be set up")?;
    let start = Instant::now();
    let pause = options.rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate);
    let requests = requests(options).enumerate().map(|(index, request)| {
        let (client, url, secret) = (&client, &url, secret.as_deref());
        async move {
            sleep_until(start + pause.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX))).await;
            send(client, url, request?, secret).await
        }
    });
    let mut output = Output::new(options.output.output);
    let mut failed = 0;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut answers = stream::iter(requests).buffered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            let answer = answer?;
            failed += usize::from(!answer.status.is_some_and(|status| (200..300).contains(&status)));
            let Answer { kind, status, milliseconds, reason } = &answer;
            let said = status.map_or_else(|| reason.clone().unwrap_or_default(), |status| status.to_string());
            output.line(&answer, format_args!("{:28}  {milliseconds:>6} ms  {said}", plain(kind)))?;
            output.flush()?;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The first secret that there is.
fn secret(options: &args::Trigger) -> Result<Option<String>> {
    let secret = secrets(options.secret_file.as_deref())?.into_iter().next();
    if let Some(secret) = &secret {
        Secret::new(secret).map_err(|error| usage(format!("the secret is {error}")))?;
    }
    Ok(secret)
}

/// What is to be sent.
enum Request {
    Made(Fixture),
    /// One that was received before, and the name that it is told by.
    Kept(String, Kept),
}

/// What was asked for, so many times over.
fn requests(options: &args::Trigger) -> impl Iterator<Item = Result<Request>> {
    let kept = (0..options.count).flat_map(|_| &options.replay).map(|file| {
        let kept = Kept::read(file)?;
        Ok(Request::Kept(file.display().to_string(), kept))
    });
    fixtures(options).map(|fixture| Ok(Request::Made(fixture))).chain(kept)
}

/// The notifications, each time with seeds of their own.
fn fixtures(options: &args::Trigger) -> impl Iterator<Item = Fixture> {
    let known = NotificationType::KNOWN.iter().map(NotificationType::to_string).chain([RECORDS.to_owned()]);
    let types: Vec<String> = if options.all { known.collect() } else { options.types.clone() };
    (0..options.count).flat_map(move |index| {
        let seed = options.seed.wrapping_add(index);
        types.clone().into_iter().map(move |name| {
            let fixture =
                if name == RECORDS { Fixture::seeded_records(seed) } else { Fixture::seeded(name.as_str(), seed) };
            options.set.iter().fold(fixture, |fixture, (field, value)| fixture.set(field, value))
        })
    })
}

impl Request {
    /// What tells it from others.
    fn name(&self) -> String {
        match self {
            Self::Made(fixture) => {
                fixture.notification_type().map_or_else(|| RECORDS.to_owned(), NotificationType::to_string)
            }
            Self::Kept(name, _) => name.clone(),
        }
    }

    /// Headers and body, signed when there is a secret.
    fn sent(self, secret: Option<&str>) -> Result<(HeaderMap, Vec<u8>)> {
        let now = Timestamp::now();
        match (self, secret) {
            (Self::Made(fixture), secret) => {
                let sent = secret.map(|secret| fixture.signed(secret, now)).transpose()?;
                let Sent { body, headers } = sent.unwrap_or_else(|| fixture.send(Envelope::Webhook));
                Ok((kept::headers(&headers), body))
            }
            (Self::Kept(name, Kept { mut headers, body }), Some(secret)) => {
                sign(&mut headers, &body, &Secret::new(secret)?, now).context(name)?;
                Ok((end_to_end(headers), body))
            }
            (Self::Kept(_, Kept { headers, body }), None) => Ok((end_to_end(headers), body)),
        }
    }
}

/// Signs a request that was kept as the sender does when it tries again: with its id, at another time.
fn sign(headers: &mut HeaderMap, body: &[u8], secret: &Secret, now: Timestamp) -> Result<()> {
    let family = if headers.contains_key("webhook-id") { "webhook" } else { "svix" };
    let name = |part: &str| HeaderName::try_from(format!("{family}-{part}"));
    let id = headers.get(name("id")?).and_then(|id| id.to_str().ok());
    let id = id.context("it has no header `svix-id` or `webhook-id`, so it cannot be signed")?;
    let signature = HeaderValue::try_from(secret.sign(id, now, body))?;
    headers.insert(name("timestamp")?, HeaderValue::from(now.as_second()));
    headers.insert(name("signature")?, signature);
    Ok(())
}

/// What a receiver answered, or why it did not.
#[derive(Serialize)]
struct Answer {
    #[serde(rename = "type")]
    kind: String,
    status: Option<u16>,
    milliseconds: u128,
    reason: Option<String>,
}

async fn send(client: &Client, url: &Url, request: Request, secret: Option<&str>) -> Result<Answer> {
    let kind = request.name();
    let (headers, body) = request.sent(secret)?;
    let start = Instant::now();
    let answer = client.post(url.clone()).headers(headers).body(body).send().await;
    let milliseconds = start.elapsed().as_millis();
    let (status, reason) = match answer {
        Ok(response) => (Some(response.status().as_u16()), None),
        Err(error) if error.is_timeout() => (None, Some(format!("no answer within {} s", PATIENCE.as_secs()))),
        Err(_) => (None, Some("no connection".to_owned())),
    };
    Ok(Answer { kind, status, milliseconds, reason })
}
