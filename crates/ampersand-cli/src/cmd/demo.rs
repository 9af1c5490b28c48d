//! One of everything, sent and received on this machine.

use std::process::ExitCode;

use ampersand_notifications::axum::Received;
use ampersand_notifications::{Delivery, Policy, ResolveError, Resolver, Verifier};
use ampersand_testing::{Envelope, Fixture, Sent, UrlServer};
use ampersand_types::notifications::Event;
use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::post;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Sender, channel};

use crate::args::Form;
use crate::output::{Messages, Output};

/// Known to all, as it is in the source.
const SECRET: &str = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkZW1vbnN0cmF0aW9u";

const CONFIG: &str = r#"{"provider": "salesforce", "read": {"objects": {"account": {"objectName": "account"}}}}"#;

#[derive(Clone, FromRef)]
struct App {
    verifier: Verifier,
    received: Sender<Delivery>,
}

async fn receive(State(received): State<Sender<Delivery>>, Received(delivery): Received) -> StatusCode {
    match received.send(delivery).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

pub(crate) fn run() -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(demonstrate())
}

async fn demonstrate() -> Result<ExitCode> {
    let (sender, mut received) = channel(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.context("the receiver")?;
    let url = format!("http://{}/", listener.local_addr()?);
    let app = App { verifier: Verifier::new(SECRET)?, received: sender };
    let app = Router::new().route("/", post(receive)).with_state(app);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let files = UrlServer::start().context("the server of signed URLs")?;
    let (config, records) = (files.url(CONFIG), files.url(r#"[{"id": "1"}, {"id": "2"}]"#));
    let resolver = Resolver::new(Policy { allow_http: true, allow_private_addresses: true, ..Policy::default() })?;
    let client = reqwest::Client::builder().no_proxy().build().context("the sender")?;

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
    ];
    for (seed, envelope) in (0..).zip(Envelope::ALL) {
        messages.say(format_args!("{envelope}:"));
        let all =
            Fixture::all().filter_map(|fixture| Some(Fixture::seeded(fixture.notification_type()?.clone(), seed)));
        for fixture in all.chain(special.iter().filter(|_| envelope == Envelope::Webhook).cloned()) {
            let delivery = match envelope {
                Envelope::Webhook => {
                    let Sent { body, headers } = fixture.signed(SECRET, Timestamp::now())?;
                    let request =
                        headers.iter().fold(client.post(&url), |request, (name, value)| request.header(name, value));
                    let answer = tokio::spawn(request.body(body).send());
                    let delivery = received.recv().await.context("the receiver ended")?;
                    tally.answered += usize::from(answer.await??.status() == StatusCode::NO_CONTENT);
                    delivery
                }
                _ => fixture.delivery(envelope)?,
            };
            output.delivery(&delivery, delivery.raw().data())?;
            output.flush()?;
            tally.received += 1;
            tally.resolve(&resolver, &delivery, &messages).await?;
        }
    }
    let Tally { received, answered, downloaded, expired } = tally;
    messages.say(format_args!(
        "\n{received} deliveries in {} envelopes, {answered} of them signed webhooks; {downloaded} downloads, and {expired} \
         URL that had expired",
        Envelope::ALL.len()
    ));
    let types = Fixture::all().count();
    let expected = Tally {
        received: types * Envelope::ALL.len() + special.len(),
        answered: types + special.len(),
        downloaded: 3,
        expired: 1,
    };
    ensure!(tally == expected, "that is not all: it should have been {expected:?}");
    messages.say("all is as it should be");
    Ok(ExitCode::SUCCESS)
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    received: usize,
    answered: usize,
    downloaded: usize,
    expired: usize,
}

impl Tally {
    /// Gets what a delivery has a URL for.
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
