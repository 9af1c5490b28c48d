//! Asks Ampersand for notifications: creates the missing destination, topic and routes from events to a receiver.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use ampersand_client::types::{
    CreateDestinationRequest, CreateDestinationRequestMetadata, CreateEventTopicRouteRequest,
    CreateTopicDestinationRouteRequest, CreateTopicRequest, Destination,
};
use ampersand_client::{Client, Project};
use ampersand_types::Credential;
use ampersand_types::notifications::NotificationType;
use anyhow::{Context as _, Result, bail};
use reqwest::Url;
use serde::Serialize;

use crate::args;
use crate::cmd::http_url;
use crate::input::read_text;
use crate::output::{Messages, Output, plain};
use crate::reader::quoted;
use crate::usage::usage;

/// The `type` of a destination with a URL.
const WEBHOOK: &str = "webhook";

pub(crate) fn run(options: &args::Setup) -> Result<ExitCode> {
    let url = options.url.as_deref().map(|url| http_url("--url", url)).transpose()?;
    let client = Client::from_env().map_err(|error| usage(error.to_string()))?;
    let project = client.project(&options.project);
    let mut setup = Setup { project, options, output: Output::new(options.output.output).going_on() };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(setup.run(url.as_ref()))
}

struct Setup<'o> {
    project: Project,
    options: &'o args::Setup,
    output: Output,
}

/// A thing that setup needs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step<'s> {
    kind: Kind,
    state: State,
    /// `None` if it would be created.
    id: Option<&'s str>,
    name: &'s str,
}

/// Named as in the contract.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Destination,
    Topic,
    TopicDestinationRoute,
    EventTopicRoute,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    Found,
    Created,
    /// It would be created without `--dry-run`.
    WouldBeCreated,
}

impl Setup<'_> {
    /// Reports each step when it is done. If a step fails, another run continues from there.
    async fn run(&mut self, url: Option<&Url>) -> Result<ExitCode> {
        let destination = self.destination(url).await?;
        let topic = self.topic().await?;
        let id = destination.as_ref().map(|destination| destination.id.as_str());
        let topics = self.topic_route(topic.as_deref(), id).await?;
        self.event_routes(topic.as_deref(), &topics).await?;
        self.output.flush()?;
        if let Some(webhook) = destination.filter(|one| one.type_ == WEBHOOK && !self.options.dry_run) {
            self.signing_secret(&webhook.name).await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Finds or creates the destination. Returns `None` if it would be created.
    async fn destination(&mut self, url: Option<&Url>) -> Result<Option<Destination>> {
        let (destinations, name) = (self.project.destinations(), self.options.name.as_str());
        let list = destinations.list_destinations().await?;
        let Some(url) = url else {
            let name = self.options.destination.as_deref().unwrap_or_default();
            let found = list.iter().find(|one| one.id == name).or_else(|| list.iter().find(|one| one.name == name));
            let Some(found) = found else { bail!("the project has no destination `{}`", plain(name)) };
            self.tell(Kind::Destination, State::Found, Some(&found.id), &found.name)?;
            return Ok(Some(found.clone()));
        };
        let leads_there = |one: &&Destination| {
            one.type_ == WEBHOOK
                && one.metadata.url.as_ref().is_some_and(|at| Url::parse(at.expose_secret()).as_ref() == Ok(url))
        };
        if let Some(found) = list.iter().find(leads_there) {
            self.tell(Kind::Destination, State::Found, Some(&found.id), &found.name)?;
            return Ok(Some(found.clone()));
        }
        if list.iter().any(|one| one.name == name) {
            bail!("the project has a destination `{}` that leads elsewhere: pass another --name", plain(name));
        }
        if self.options.dry_run {
            self.tell(Kind::Destination, State::WouldBeCreated, None, name)?;
            return Ok(None);
        }
        let metadata = CreateDestinationRequestMetadata::new().url(url.as_str());
        let made = destinations.create_destination(CreateDestinationRequest::new(name, WEBHOOK, metadata)).await?;
        self.tell(Kind::Destination, State::Created, Some(&made.id), name)?;
        Ok(Some(made.into_inner()))
    }

    async fn topic(&mut self) -> Result<Option<String>> {
        let (destinations, name) = (self.project.destinations(), self.options.name.as_str());
        let list = destinations.list_topics().await?;
        if let Some(found) = list.iter().find(|topic| topic.name == name) {
            self.tell(Kind::Topic, State::Found, Some(&found.id), name)?;
            return Ok(Some(found.id.clone()));
        }
        if self.options.dry_run {
            self.tell(Kind::Topic, State::WouldBeCreated, None, name)?;
            return Ok(None);
        }
        let made = destinations.create_topic(CreateTopicRequest::new(name)).await?;
        self.tell(Kind::Topic, State::Created, Some(&made.id), name)?;
        Ok(Some(made.into_inner().id))
    }

    /// Finds or creates the route to the destination. Returns the topics that lead there.
    async fn topic_route(&mut self, topic: Option<&str>, destination: Option<&str>) -> Result<BTreeSet<String>> {
        let (destinations, kind) = (self.project.destinations(), Kind::TopicDestinationRoute);
        let list = destinations.list_topic_destination_routes().await?;
        let there = list.iter().filter(|route| Some(route.destination_id.as_str()) == destination);
        let mut topics: BTreeSet<String> = there.clone().map(|route| route.topic_id.clone()).collect();
        if let Some(found) = there.clone().find(|route| Some(route.topic_id.as_str()) == topic) {
            self.tell(kind, State::Found, Some(&found.id), &self.options.name)?;
        } else if let (Some(topic), Some(destination), false) = (topic, destination, self.options.dry_run) {
            let route = CreateTopicDestinationRouteRequest::new(topic, destination);
            let made = destinations.create_topic_destination_route(route).await?;
            self.tell(kind, State::Created, Some(&made.id), &self.options.name)?;
            topics.insert(topic.to_owned());
        } else {
            self.tell(kind, State::WouldBeCreated, None, &self.options.name)?;
        }
        Ok(topics)
    }

    /// Creates the missing routes. Event types that reach the destination through another topic are skipped.
    async fn event_routes(&mut self, topic: Option<&str>, topics: &BTreeSet<String>) -> Result<()> {
        let (notifications, kind) = (self.project.notifications(), Kind::EventTopicRoute);
        let list = notifications.list_event_topic_routes().await?;
        for event in chosen(self.options) {
            let leads = |at: &str| Some(at) == topic || topics.contains(at);
            let found = list.iter().find(|route| route.event_type.as_str() == event && leads(&route.topic_id));
            if let Some(found) = found {
                self.tell(kind, State::Found, Some(&found.id), event)?;
            } else if let (Some(topic), false) = (topic, self.options.dry_run) {
                let route = CreateEventTopicRouteRequest::new(event, topic);
                let made = notifications.create_event_topic_route(route).await?;
                self.tell(kind, State::Created, Some(&made.id), event)?;
            } else {
                self.tell(kind, State::WouldBeCreated, None, event)?;
            }
        }
        Ok(())
    }

    /// Prints where the signing secret is, and saves it if the options name a file. It is never shown.
    async fn signing_secret(&self, destination: &str) -> Result<()> {
        let (project, messages) = (self.options.project.as_str(), Messages::default());
        let Some(file) = &self.options.save_secret else {
            messages.say(format_args!(
                "The signing secret is in `secrets.webhookSigningKey` of GET \
                 /projects/{}/destinations/{}?includeSecrets=true; --save-secret FILE keeps it in a file",
                plain(project),
                plain(destination),
            ));
            return Ok(());
        };
        let got = self.project.destinations().get_destination(destination).include_secrets(true).await?;
        let secret = got.secrets.as_ref().and_then(|secrets| secrets.webhook_signing_key.as_ref());
        let Some(secret) = secret else { bail!("the destination came without a signing secret") };
        save(secret, file).with_context(|| format!("--save-secret {}", file.display()))?;
        let (name, quoted) = (file.display(), quoted(&file.to_string_lossy()));
        messages.say(format_args!("The signing secret is in {name}: `ampersand listen --secret-file {quoted}`"));
        Ok(())
    }

    fn tell(&mut self, kind: Kind, state: State, id: Option<&str>, name: &str) -> Result<()> {
        let what = match kind {
            Kind::Destination => "destination",
            Kind::Topic => "topic",
            Kind::TopicDestinationRoute => "route of topic",
            Kind::EventTopicRoute => "route of",
        };
        let done = match state {
            State::Found => "found",
            State::Created => "created",
            State::WouldBeCreated => "would create",
        };
        let id_of = id.map(|id| format!(" ({})", plain(id))).unwrap_or_default();
        self.output.line(&Step { kind, state, id, name }, format_args!("{done:<12}  {what} {}{id_of}", plain(name)))?;
        self.output.flush()
    }
}

/// Returns the chosen event types, each once.
fn chosen(options: &args::Setup) -> BTreeSet<&str> {
    match options.all {
        true => NotificationType::KNOWN.iter().map(NotificationType::as_str).collect(),
        false => options.types.iter().map(String::as_str).collect(),
    }
}

/// Saves the secret in a new file that nobody else can read. It does not overwrite a file that holds something.
fn save(secret: &Credential, file: &Path) -> Result<()> {
    let secret = secret.expose_secret();
    match fs::metadata(file) {
        Err(_) => {}
        Ok(known) if !known.is_file() => bail!("it is no file: name one"),
        Ok(known) if known.len() == 0 => fs::remove_file(file)?,
        Ok(_) if read_text(file)?.lines().any(|line| line.trim() == secret) => return Ok(()),
        Ok(_) => bail!("it holds something else: name a file that is not there"),
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(file)?;
    Ok(writeln!(new, "{secret}").inspect_err(|_| drop(fs::remove_file(file)))?)
}
