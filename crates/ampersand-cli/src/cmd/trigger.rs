//! Sends notifications as Ampersand would.

use std::process::ExitCode;
use std::time::Duration;

use ampersand_testing::{Envelope, Fixture, Sent};
use ampersand_types::notifications::NotificationType;
use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use reqwest::Client;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use crate::args;
use crate::cmd::verify::{VARIABLE, secrets};
use crate::output::{Messages, Output};
use crate::usage;

/// How many requests are under way at a time.
const AT_ONCE: usize = 64;

/// The sender does not wait for longer.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) fn run(options: args::Trigger) -> Result<ExitCode> {
    let mut output = Output::new(options.output.output);
    let Some(url) = &options.to else {
        for fixture in fixtures(&options) {
            output.raw(&fixture.send(options.envelope).body)?;
        }
        output.flush()?;
        return Ok(ExitCode::SUCCESS);
    };
    if options.envelope != Envelope::Webhook {
        return Err(usage(format!("a URL is sent webhooks: {} is printed, without --to", options.envelope)));
    }
    let secret = secrets(options.secret_file.as_deref())?.into_iter().next();
    if secret.is_none() {
        Messages::default().say(format_args!("not signed: set {VARIABLE}, or pass --secret-file FILE"));
    }
    let client = Client::builder().no_proxy().timeout(PATIENCE).build().context("TLS cannot be set up")?;
    let start = Instant::now();
    let pause = options.rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate);
    let requests = fixtures(&options).enumerate().map(|(index, fixture)| {
        let (client, secret) = (&client, secret.as_deref());
        async move {
            sleep_until(start + pause.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX))).await;
            send(client, url, &fixture, secret).await
        }
    });
    let mut failed = 0;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut answers = stream::iter(requests).buffered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            let answer = answer?;
            failed += usize::from(!answer.status.is_some_and(|status| (200..300).contains(&status)));
            let Answer { kind, status, milliseconds, reason } = &answer;
            let said = status.map_or_else(|| reason.clone().unwrap_or_default(), |status| status.to_string());
            output.line(&answer, format_args!("{kind:28}  {milliseconds:>6} ms  {said}"))?;
            output.flush()?;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was asked for, so many times over, each with a seed of its own.
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

const RECORDS: &str = "records";

/// What a receiver answered, or why it did not.
#[derive(Serialize)]
struct Answer {
    #[serde(rename = "type")]
    kind: String,
    status: Option<u16>,
    milliseconds: u128,
    reason: Option<String>,
}

async fn send(client: &Client, url: &str, fixture: &Fixture, secret: Option<&str>) -> Result<Answer> {
    let Sent { body, headers } = match secret {
        Some(secret) => {
            fixture.signed(secret, Timestamp::now()).map_err(|error| usage(format!("the secret is {error}")))?
        }
        None => fixture.send(Envelope::Webhook),
    };
    let request = client.post(url).header("content-type", "application/json").body(body);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    let request = request.build().map_err(|_| usage(format!("--to {url}: not a URL of http or https")))?;
    let start = Instant::now();
    let answer = client.execute(request).await;
    let milliseconds = start.elapsed().as_millis();
    let kind = fixture.notification_type().map_or_else(|| RECORDS.to_owned(), NotificationType::to_string);
    let (status, reason) = match answer {
        Ok(response) => (Some(response.status().as_u16()), None),
        Err(error) if error.is_timeout() => (None, Some(format!("no answer within {} s", PATIENCE.as_secs()))),
        Err(_) => (None, Some("no connection".to_owned())),
    };
    Ok(Answer { kind, status, milliseconds, reason })
}
