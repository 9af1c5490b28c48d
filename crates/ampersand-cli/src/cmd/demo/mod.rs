//! Sends and receives one of everything on this machine, and kills an inbox meanwhile.

mod inbox;
mod setting;

use std::process::ExitCode;

use ampersand_notifications::{
    Delivery, Policy, ResolveError, Resolver, Secret, Source, Verifier, from_source, from_webhook,
};
use ampersand_testing::{Envelope, Fixture, Sent, UrlServer};
use ampersand_types::notifications::{Event, NotificationType};
use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Sender, channel};

use self::setting::{PATIENCE, SECRET};
use crate::output::Form;
use crate::output::{Messages, Output};

/// The number of objects that makes a configuration larger than a webhook may be.
const OBJECTS: usize = 10_000;

/// The prefix of headers that carry metadata, as in Amazon S3.
const METADATA: &str = "x-amz-meta-";

/// The header with the type of a bare payload: the demo knows how the destination is configured.
const TYPE: &str = "x-type";

#[derive(Clone)]
struct App {
    verifier: Verifier,
    received: Sender<Delivery>,
}

/// Verifies a request and reads it from the envelope that the path names.
async fn receive(
    State(app): State<App>,
    envelope: Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    let verified = app.verifier.verify(&headers, body.to_vec());
    let verified = verified.map_err(|error| (StatusCode::UNAUTHORIZED, error.to_string()))?;
    let delivery = match envelope.as_str() {
        "webhook" => from_webhook(verified),
        envelope => {
            let source = match envelope {
                "s3" => Source::S3,
                "sqs" | "attributes" => Source::Attributes,
                _ => Source::Kinesis,
            };
            fn text(value: &HeaderValue) -> Option<&str> {
                value.to_str().ok()
            }
            let metadata = headers.iter().filter_map(|(name, value)| {
                Some((name.as_str().strip_prefix(METADATA)?.to_owned(), text(value)?.to_owned()))
            });
            let known = headers.get(TYPE).and_then(text).map(NotificationType::from);
            from_source(verified.body, source, metadata.collect(), known.as_ref())
        }
    };
    let delivery = delivery.map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    match app.received.send(delivery).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(_) => Err((StatusCode::SERVICE_UNAVAILABLE, "the demo has ended".to_owned())),
    }
}

pub(crate) fn run() -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(demonstrate())
}

async fn demonstrate() -> Result<ExitCode> {
    let (sender, mut received) = channel(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.context("the receiver")?;
    let url = format!("http://{}/", listener.local_addr()?);
    let app = Router::new().route("/{envelope}", post(receive));
    let app = app.with_state(App { verifier: Verifier::new(SECRET)?, received: sender });
    tokio::spawn(async move { axum::serve(listener, app).await });

    let files = UrlServer::start().context("the server of signed URLs")?;
    let (config, records) = (files.url(large_config()), files.url(r#"[{"id": "1"}, {"id": "2"}]"#));
    let resolver = Resolver::new(Policy { allow_http: true, allow_private_addresses: true, ..Policy::default() })?;
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().context("the sender")?;

    let messages = Messages::default();
    messages.say(format_args!("a receiver at {url}, a sender, and a server of signed URLs: all on this machine\n"));
    let mut output = Output::new(Form::Text);
    let mut tally = Tally::default();
    let special = [
        Fixture::new("installation.created").too_large(&config),
        Fixture::new("installation.updated").too_large(&config),
        Fixture::new("read.schedule.paused").too_large(&files.expired()),
        Fixture::records(),
        Fixture::records().too_large(&records),
        Fixture::changes(),
    ];
    for (seed, envelope) in (0..).zip(Envelope::ALL) {
        messages.say(format_args!("{envelope}:"));
        let all =
            Fixture::all().filter_map(|fixture| Some(Fixture::seeded(fixture.notification_type()?.clone(), seed)));
        for fixture in all.chain(special.iter().filter(|_| envelope == Envelope::Webhook).cloned()) {
            let answer = client.execute(request(&client, &url, &fixture, envelope)?).await.context("the sender")?;
            ensure!(answer.status() == StatusCode::NO_CONTENT, "{}: {}", answer.status(), answer.text().await?);
            let delivery = received.try_recv().context("what was answered was not received")?;
            output.delivery(&delivery, delivery.raw().data())?;
            output.flush()?;
            tally.received += 1;
            tally.resolve(&resolver, &delivery, &messages).await?;
        }
    }
    let Tally { received, downloaded, expired } = tally;
    messages.say("");
    inbox::demonstrate(&client, &messages).await?;
    messages.say(format_args!(
        "{received} signed deliveries in {} envelopes; {downloaded} downloads, and {expired} URL that had expired",
        Envelope::ALL.len()
    ));
    let received = Fixture::all().count() * Envelope::ALL.len() + special.len();
    let expected = Tally { received, downloaded: 3, expired: 1 };
    ensure!(tally == expected, "that is not all: it should have been {expected:?}");
    messages.say("all is as it should be");
    Ok(ExitCode::SUCCESS)
}

/// Returns a request with a delivery in its envelope. Every envelope is signed.
fn request(client: &reqwest::Client, url: &str, fixture: &Fixture, envelope: Envelope) -> Result<reqwest::Request> {
    let Sent { body, headers } = fixture.send(envelope);
    let (id, now) = (fixture.id(), Timestamp::now());
    let request =
        client.post(format!("{url}{envelope}")).header("svix-id", &id).header("svix-timestamp", now.as_second());
    let request = request.header("svix-signature", Secret::new(SECRET)?.sign(&id, now, &body)).body(body);
    let beside = if envelope == Envelope::Webhook { "" } else { METADATA };
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(format!("{beside}{name}"), value));
    let request = match (envelope, fixture.notification_type()) {
        (Envelope::KinesisWrapped | Envelope::KinesisBare, Some(known)) => request.header(TYPE, known.as_str()),
        _ => request,
    };
    Ok(request.build()?)
}

fn large_config() -> String {
    let object = |number| format!(r#""object_{number}": {{"objectName": "object_{number}"}}"#);
    let objects: Vec<String> = (0..OBJECTS).map(object).collect();
    format!(r#"{{"provider": "salesforce", "read": {{"objects": {{{}}}}}}}"#, objects.join(", "))
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    received: usize,
    downloaded: usize,
    expired: usize,
}

impl Tally {
    /// Downloads the values for which a delivery has a URL.
    async fn resolve(&mut self, resolver: &Resolver, delivery: &Delivery, messages: &Messages) -> Result<()> {
        let source = match delivery {
            Delivery::Notification(notification) => match &notification.event {
                Event::InstallationCreated(data) => data.config_source(),
                Event::InstallationUpdated(data) => data.config_source(),
                Event::ReadSchedulePaused(data) => data.config_source(),
                _ => return Ok(()),
            },
            Delivery::Records(records) => {
                if records.message.result.is_empty() {
                    let found = resolver.records(records).await?;
                    messages.say(format_args!("    its {} records were downloaded", found.len()));
                    self.downloaded += 1;
                }
                return Ok(());
            }
        };
        match resolver.config(source).await {
            Ok(std::borrow::Cow::Borrowed(_)) => {}
            Ok(config) => {
                messages.say(format_args!("    its configuration, {} bytes, was downloaded", config.as_str().len()));
                self.downloaded += 1;
            }
            Err(error @ ResolveError::Expired { .. }) => {
                messages.say(format_args!("    its configuration was not downloaded: {error}"));
                self.expired += 1;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
