use std::collections::HashMap;
use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ampersand_notifications::Metadata;
use rusqlite::Connection;
use tokio::task::{Id, JoinError, JoinSet};

use crate::delivery::{self, Failure, Incoming};
use crate::sqlite::{self, Claimed, Outcome};
use crate::{Inbox, InboxError};

/// When a delivery that failed is tried again, and when it is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// So often a delivery is handed to a handler, before it becomes a dead letter. Default: 12.
    pub attempts: u32,
    /// The longest pause after the first failure. It doubles with each further one; the pause is drawn at random between
    /// nothing and the longest. Default: 1 second.
    pub first: Duration,
    /// No pause is longer. Default: 1 hour.
    pub longest: Duration,
    /// What was put so long ago and fails is not tried again. Default: 3 days.
    pub age: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        let hour = Duration::from_secs(60 * 60);
        Self { attempts: 12, first: Duration::from_secs(1), longest: hour, age: 72 * hour }
    }
}

impl Retry {
    /// The pause after a number of attempts, with a random number from 0 to 1.
    fn pause(&self, attempts: u32, random: f64) -> Duration {
        let doubled = 2_u32.checked_pow(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.longest).mul_f64(random)
    }
}

/// Hands what is stored to a handler: [`Inbox::worker`] begins one.
#[must_use = "a worker works once it is run"]
pub struct Worker {
    inbox: Inbox,
    concurrency: usize,
    lease: Duration,
    retry: Retry,
    grace: Duration,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { concurrency, lease, retry, .. } = self;
        let mut shown = f.debug_struct("Worker");
        shown.field("concurrency", concurrency).field("lease", lease).field("retry", retry).finish_non_exhaustive()
    }
}

/// What is looked at again though nothing was told: another process may have put something.
const POLL: Duration = Duration::from_secs(1);

impl Worker {
    pub(crate) fn new(inbox: Inbox) -> Self {
        let stop = Box::pin(future::pending());
        let (lease, grace) = (Duration::from_secs(60), Duration::from_secs(20));
        Self { inbox, concurrency: 16, lease, retry: Retry::default(), grace, stop }
    }

    /// So many deliveries are handled at once. Default: 16.
    pub fn concurrency(mut self, deliveries: usize) -> Self {
        self.concurrency = deliveries.max(1);
        self
    }

    /// For how long a delivery is claimed. The claim is renewed while its handler runs; when the process dies, another
    /// worker gets the delivery after this time. Default: 60 seconds.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(10));
        self
    }

    /// When a delivery that failed is tried again, and when it is given up.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Stops the worker when a future is ready, such as a signal. It claims nothing more, and [`run`](Self::run) returns when
    /// the handlers that run have ended. Those that take more than 20 seconds are stopped, and their deliveries given back.
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// Hands each delivery to a handler, at least once, until the worker is [stopped](Self::until).
    ///
    /// Of one installation, one delivery is handled at a time, in order of arrival; those of others meanwhile. A handler
    /// that panics has failed. One that kills the process has too: the attempt was counted when it began.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: the store cannot be used. What was claimed is free again when its lease ends.
    pub async fn run<H, F>(self, handler: H) -> Result<(), InboxError>
    where
        H: Fn(Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let Self { inbox, concurrency, lease, retry, grace, mut stop } = self;
        let task = Arc::new(Task { inbox, lease, retry, handler });
        let inbox = &task.inbox;
        let (mut running, mut claims) = (JoinSet::new(), HashMap::new());
        loop {
            let free = concurrency - running.len();
            let claimed = if free > 0 { task.claim(free).await? } else { Vec::new() };
            let is_idle = claimed.is_empty();
            for claimed in claimed {
                let claim = (claimed.seq, claimed.token);
                claims.insert(running.spawn(task.clone().work(claimed)).id(), claim);
            }
            let wait = match is_idle {
                true => task.next_due().await?.unwrap_or(POLL).min(POLL),
                false => Duration::ZERO,
            };
            let can_claim = running.len() < concurrency;
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = running.join_next_with_id() => told(ended, &mut claims)?,
                () = inbox.ready.notified(), if can_claim => {}
                () = tokio::time::sleep(wait), if can_claim => {}
            }
        }
        let drained = tokio::time::timeout(grace, async {
            while let Some(ended) = running.join_next_with_id().await {
                told(ended, &mut claims)?;
            }
            Ok(())
        });
        if let Ok(ended) = drained.await {
            return ended;
        }
        running.shutdown().await;
        let now = inbox.now();
        for (seq, token) in claims.into_values() {
            let release = move |connection: &Connection| sqlite::finish(connection, seq, token, &Outcome::Released, now);
            inbox.writer.call(release).await?;
        }
        Ok(())
    }
}

/// What came of a task, by which its claim is no longer to be given back. One that panics is our own fault: handlers run in
/// tasks of their own.
fn told(
    ended: Result<(Id, Result<(), InboxError>), JoinError>,
    claims: &mut HashMap<Id, (i64, i64)>,
) -> Result<(), InboxError> {
    match ended {
        Ok((id, result)) => {
            claims.remove(&id);
            result
        }
        Err(_) => Err(InboxError::Closed),
    }
}

/// What all deliveries of a worker share.
struct Task<H> {
    inbox: Inbox,
    lease: Duration,
    retry: Retry,
    handler: H,
}

impl<H, F> Task<H>
where
    H: Fn(Incoming) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    fn lease(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }

    async fn claim(&self, count: usize) -> Result<Vec<Claimed>, InboxError> {
        let (now, lease) = (self.inbox.now(), self.lease());
        self.inbox.writer.call(move |connection| sqlite::claim(connection, count, now, lease)).await
    }

    async fn next_due(&self) -> Result<Option<Duration>, InboxError> {
        let now = self.inbox.now();
        let due = self.inbox.writer.call(move |connection| sqlite::next_due(connection, now)).await?;
        Ok(due.map(delivery::milliseconds))
    }

    /// Handles one delivery, and writes down what came of it.
    async fn work(self: Arc<Self>, claimed: Claimed) -> Result<(), InboxError> {
        let (seq, token, attempt, received) = (claimed.seq, claimed.token, claimed.attempt, claimed.received);
        let handled = match self.incoming(claimed) {
            Err(failure) => Some(Err(failure)),
            Ok(_) if attempt > self.retry.attempts => {
                let reason = "the process ended, or lost its claim, at each attempt";
                Some(Err(Failure::permanent(reason)))
            }
            Ok(incoming) => self.handle(incoming, seq, token).await?,
        };
        // A claim that was lost belongs to another one, which writes down what comes of it there.
        let Some(handled) = handled else { return Ok(()) };
        let now = self.inbox.now();
        let outcome = self.outcome(handled, attempt, now, received);
        let finish = move |connection: &Connection| sqlite::finish(connection, seq, token, &outcome, now);
        self.inbox.writer.call(finish).await?;
        self.inbox.ready.notify_one();
        Ok(())
    }

    fn incoming(&self, claimed: Claimed) -> Result<Incoming, Failure> {
        let Claimed { source, id, metadata, body, packed, attempt, received, .. } = claimed;
        let damaged = || Failure::permanent("the body in the store is damaged");
        let body = delivery::unpack(body, packed).ok_or_else(damaged)?;
        let metadata: Metadata = serde_json::from_str(&metadata).unwrap_or_default();
        let delivery = delivery::normalize(delivery::source_named(&source), &id, &metadata, &body);
        let delivery = delivery.map_err(Failure::permanent)?;
        let age = delivery::milliseconds(self.inbox.now().saturating_sub(received));
        Ok(Incoming { delivery, id, attempt, age })
    }

    /// Runs the handler, and renews the claim meanwhile. `None` when the claim was lost: then the handler is stopped.
    async fn handle(&self, incoming: Incoming, seq: i64, token: i64) -> Result<Option<Result<(), Failure>>, InboxError> {
        let mut running = JoinSet::new();
        running.spawn((self.handler)(incoming));
        loop {
            tokio::select! {
                ended = running.join_next() => {
                    let panicked = || Failure::transient("the handler panicked");
                    return Ok(Some(ended.and_then(Result::ok).unwrap_or_else(|| Err(panicked()))));
                }
                () = tokio::time::sleep(self.lease / 3) => {
                    let until = self.inbox.now().saturating_add(self.lease());
                    let renew = move |connection: &Connection| sqlite::renew(connection, seq, token, until);
                    if !self.inbox.writer.call(renew).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn outcome(&self, handled: Result<(), Failure>, attempt: u32, now: i64, received: i64) -> Outcome {
        let Err(Failure { is_permanent, reason }) = handled else { return Outcome::Done };
        let is_old = delivery::milliseconds(now.saturating_sub(received)) >= self.retry.age;
        if is_permanent || is_old || attempt >= self.retry.attempts {
            return Outcome::Dead { reason };
        }
        let pause = self.retry.pause(attempt, fastrand::f64());
        Outcome::Retry { due: now.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)), reason }
    }
}
