//! Moves the deliveries of an SQS queue into an inbox, and handles them: for containers, without Lambda.
//!
//! `QUEUE_URL` names the queue, and `INBOX_URL` the inbox. It deletes a message once its delivery is committed. Until
//! then, SQS hides the message for `HIDDEN_SECONDS` (30 by default) at a time. At SIGTERM, it finishes what it has
//! begun, and exits. If the messages come through SNS, enable raw message delivery in the subscription.

use std::env;
use std::num::NonZero;
use std::pin::pin;
use std::time::Duration;

use ampersand_inbox::{Failure, Inbox, Incoming, Put};
use ampersand_notifications::{Metadata, Source, from_attributes};
use aws_examples::{BoxError, aws, inbox, log, setting};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message};
use futures_util::future::join_all;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{interval, sleep};

/// The most messages in one response.
const MESSAGES: i32 = 10;
/// How long a call waits for messages: as long as SQS allows.
const WAIT: Duration = Duration::from_secs(20);

/// Handles a delivery. Put your code here. The inbox retries after an error.
async fn handle(incoming: Incoming) -> Result<(), Failure> {
    tracing::info!(id = incoming.id, group = incoming.delivery.group_ref().as_deref(), "handled");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    log();
    let config = aws().load().await;
    let hidden = match env::var("HIDDEN_SECONDS") {
        Ok(seconds) => seconds.parse::<NonZero<u16>>().map_err(|error| format!("HIDDEN_SECONDS: {error}"))?.get(),
        Err(_) => 30,
    };
    let queue = Queue { client: Client::new(&config), url: setting("QUEUE_URL")?, hidden };
    let inbox = inbox().await?;
    let mut worker = tokio::spawn(inbox.worker().until(terminated()).run(handle));

    let mut stop = pin!(terminated());
    loop {
        let received = tokio::select! {
            biased;
            () = &mut stop => break,
            ended = &mut worker => return Ok(ended??),
            received = queue.receive() => received,
        };
        let taken = match received {
            Ok(messages) => queue.take(&inbox, messages).await,
            Err(error) => Err(error),
        };
        if let Err(error) = taken {
            // SQS delivers the messages again. The AWS SDK has already retried its calls.
            tracing::warn!(error = %DisplayErrorContext(&*error), "messages were not taken");
            sleep(Duration::from_secs(1)).await;
        }
    }
    Ok(worker.await??)
}

/// Resolves when the process is asked to stop.
async fn terminated() {
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => signal.recv().await.unwrap_or_default(),
        Err(error) => tracing::error!(%error, "SIGTERM cannot be heard"),
    }
}

struct Queue {
    client: Client,
    url: String,
    /// How many seconds SQS hides a message that is being stored. This is extended before it ends.
    hidden: u16,
}

impl Queue {
    async fn receive(&self) -> Result<Vec<Message>, BoxError> {
        let receive = self.client.receive_message().queue_url(&self.url).message_attribute_names("All");
        let receive = receive.max_number_of_messages(MESSAGES);
        let receive = receive.wait_time_seconds(WAIT.as_secs() as i32).visibility_timeout(self.hidden.into());
        Ok(receive.send().await?.messages.unwrap_or_default())
    }

    /// Stores messages, keeps them hidden meanwhile, and deletes those that are stored.
    async fn take(&self, inbox: &Inbox, messages: Vec<Message>) -> Result<(), BoxError> {
        let stored = tokio::select! {
            stored = join_all(messages.iter().map(|message| store(inbox, message))) => stored,
            error = self.hide(&messages) => return Err(error),
        };
        let (deleted, failed): (Vec<_>, Vec<_>) = messages.iter().zip(stored).partition(|(_, stored)| stored.is_ok());
        let entries = deleted.into_iter().enumerate().map(|(index, (message, _))| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.set_receipt_handle(message.receipt_handle.clone()).build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        if !entries.is_empty() {
            // A message that is not deleted comes again, as a duplicate.
            self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await?;
        }
        failed.into_iter().find_map(|(_, stored)| stored.err()).map_or(Ok(()), Err)
    }

    /// Extends the hiding of messages until the caller drops this. Returns the error if that fails.
    async fn hide(&self, messages: &[Message]) -> BoxError {
        let mut ticks = interval(Duration::from_secs(self.hidden.into()) / 2);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let entries = messages.iter().enumerate().map(|(index, message)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                let entry = entry.set_receipt_handle(message.receipt_handle.clone());
                entry.visibility_timeout(self.hidden.into()).build()
            });
            let entries = match entries.collect::<Result<Vec<_>, _>>() {
                Ok(entries) => entries,
                Err(error) => return error.into(),
            };
            let hide = self.client.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries));
            if let Err(error) = hide.send().await {
                return error.into();
            }
        }
    }
}

/// Stores a message under the id of its delivery. An unreadable one gets the id of the message, and is a dead letter.
async fn store(inbox: &Inbox, message: &Message) -> Result<(), BoxError> {
    let body = message.body.as_deref().unwrap_or_default();
    let attributes = message.message_attributes.iter().flatten();
    let metadata: Metadata =
        attributes.filter_map(|(name, value)| Some((name, value.string_value.as_ref()?))).collect();
    let delivery = from_attributes(body, metadata.iter());
    let id = delivery.as_ref().ok().and_then(|delivery| delivery.id()).or(message.message_id.as_deref());
    match inbox.put_with(Source::Attributes, id.unwrap_or_default(), body, &metadata).await? {
        Put::Stored | Put::Duplicate => Ok(()),
        _ => Err("the inbox is full".into()),
    }
}
