use std::collections::HashMap;
use std::future::{self, Future};
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ampersand_notifications::Metadata;
use rusqlite::Connection;
use tokio::task::{Id, JoinError, JoinSet};
#[cfg(feature = "postgres")]
use tokio_postgres::Transaction;

use crate::delivery::{self, Failure, Incoming};
use crate::store::{Claimed, Outcome};
use crate::{Inbox, InboxError, sqlite, store};

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

/// What a handler does within a transaction: [`Worker::in_postgres_transaction`].
#[cfg(feature = "postgres")]
pub type Handling<'t> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 't>>;

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
    /// [`InboxError`]: the store cannot be used. What was claimed is free again when its lease ends. A database on another
    /// machine that cannot be reached is no such error: the worker waits for it, and goes on.
    pub async fn run<H, F>(self, handler: H) -> Result<(), InboxError>
    where
        H: Fn(Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let work = move |shared: Arc<Shared>, claimed| {
            let handler = handler.clone();
            let handle = move |_, incoming| async move { handler(incoming).await.map(|()| Some(Outcome::Done)) };
            shared.work(claimed, handle)
        };
        self.drive(work).await
    }

    /// Applies each delivery to the file that the inbox is in, once: what the handler writes by the connection is
    /// committed together with the completion of the delivery, or not at all. Effects elsewhere are not part of that.
    ///
    /// The handler runs in the thread of the store, within its transaction: deliveries wait for it to be stored, so it is to
    /// be quick, and neither begins nor ends a transaction. Tables whose names begin with `delivery` are the inbox's own.
    ///
    /// ```no_run
    /// # async fn example(inbox: ampersand_inbox::Inbox) -> Result<(), ampersand_inbox::InboxError> {
    /// let applied = inbox.worker().in_transaction(|incoming, connection| {
    ///     let group = incoming.delivery.group_ref();
    ///     connection.execute("INSERT INTO customer (group_ref) VALUES (?1)", [group.as_deref()])?;
    ///     Ok(())
    /// });
    /// applied.await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); and [`InboxError::OtherStore`] where the inbox is no file.
    pub async fn in_transaction<H>(self, handler: H) -> Result<(), InboxError>
    where
        H: Fn(&Incoming, &Connection) -> Result<(), Failure> + Send + Sync + 'static,
    {
        self.inbox.store.writer()?;
        let handler = Arc::new(handler);
        self.drive(move |shared, claimed| shared.apply(claimed, handler.clone())).await
    }

    /// Applies each delivery to the Postgres database that the inbox is in, once: what the handler does in the transaction
    /// is committed together with the completion of the delivery, or not at all. Effects elsewhere are not part of that.
    ///
    /// Each handler that runs has a connection of its own, and its transaction is at the level *read committed*. The claim is
    /// renewed meanwhile. When the claim or the connection is lost, the database rolls back what the handler did. A handler
    /// may use savepoints; one that commits or ends the transaction makes a dead letter. Pass a closure in place, as here,
    /// or a function.
    ///
    /// ```no_run
    /// # async fn example(inbox: ampersand_inbox::Inbox) -> Result<(), ampersand_inbox::InboxError> {
    /// let applied = inbox.worker().in_postgres_transaction(|incoming, transaction| {
    ///     Box::pin(async move {
    ///         let group = incoming.delivery.group_ref();
    ///         transaction.execute("INSERT INTO customer (group_ref) VALUES ($1)", &[&group.as_deref()]).await?;
    ///         Ok(())
    ///     })
    /// });
    /// applied.await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); and [`InboxError::OtherStore`] where the inbox is a file.
    #[cfg(feature = "postgres")]
    pub async fn in_postgres_transaction<H>(self, handler: H) -> Result<(), InboxError>
    where
        H: for<'t> Fn(Incoming, &'t Transaction<'t>) -> Handling<'t> + Send + Sync + 'static,
    {
        let (database, handler) = (self.inbox.store.postgres()?.clone(), Arc::new(handler));
        let work = move |shared: Arc<Shared>, claimed| {
            let (database, handler) = (database.clone(), handler.clone());
            let apply = move |claim: Claim, incoming| async move {
                database.apply(claim.seq, claim.token, incoming, &*handler).await.map(|()| None)
            };
            shared.work(claimed, apply)
        };
        self.drive(work).await
    }

    /// Claims as much as may be worked on at once, and sees to it that all claims end.
    async fn drive<W, F>(self, work: W) -> Result<(), InboxError>
    where
        W: Fn(Arc<Shared>, Claimed) -> F,
        F: Future<Output = Result<(), InboxError>> + Send + 'static,
    {
        let Self { inbox, concurrency, lease, retry, grace, mut stop } = self;
        let shared = Arc::new(Shared { inbox, lease, retry });
        let inbox = &shared.inbox;
        let (mut running, mut claims) = (JoinSet::new(), HashMap::new());
        loop {
            let free = concurrency - running.len();
            let claimed = if free > 0 { shared.claim(free).await? } else { Vec::new() };
            let is_idle = claimed.is_empty();
            for claimed in claimed {
                store::point("after the claim");
                let claim = (claimed.seq, claimed.token);
                #[cfg(feature = "tracing")]
                let span = tracing::info_span!("delivery", id = claimed.id, attempt = claimed.attempt);
                let work = work(shared.clone(), claimed);
                #[cfg(feature = "tracing")]
                let work = tracing::Instrument::instrument(work, span);
                claims.insert(running.spawn(work).id(), claim);
            }
            let wait = match is_idle {
                true => shared.next_due().await?.unwrap_or(POLL).min(POLL),
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
        for (seq, token) in claims.into_values() {
            shared.or_wait(inbox.store.finish(seq, token, Outcome::Released).await)?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Worker {
    /// Applies what was claimed, whenever that was.
    pub(crate) async fn apply_one<H>(self, mut claimed: Vec<Claimed>, handler: H) -> Result<(), InboxError>
    where
        H: Fn(&Incoming, &Connection) -> Result<(), Failure> + Send + Sync + 'static,
    {
        let Self { inbox, lease, retry, .. } = self;
        Arc::new(Shared { inbox, lease, retry }).apply(claimed.remove(0), Arc::new(handler)).await
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
struct Shared {
    inbox: Inbox,
    lease: Duration,
    retry: Retry,
}

/// What came of a handler: what is still to be written down of it, or why it failed.
type Handled = Result<Option<Outcome>, Failure>;

/// A delivery that is claimed: what is needed to end the claim.
#[derive(Clone, Copy)]
struct Claim {
    seq: i64,
    token: i64,
    attempt: u32,
    age: i64,
    since: Instant,
}

impl Shared {
    fn lease(&self) -> i64 {
        delivery::in_milliseconds(self.lease)
    }

    /// What a store says; nothing while a database is away, which is waited for.
    fn or_wait<T: Default>(&self, told: Result<T, InboxError>) -> Result<T, InboxError> {
        match told {
            Err(error) if self.inbox.store.is_away(&error) => {
                #[cfg(feature = "tracing")]
                tracing::warn!(reason = %error, "waiting for the database");
                Ok(T::default())
            }
            told => told,
        }
    }

    async fn claim(&self, count: usize) -> Result<Vec<Claimed>, InboxError> {
        self.or_wait(self.inbox.store.claim(count, self.lease()).await)
    }

    async fn next_due(&self) -> Result<Option<Duration>, InboxError> {
        Ok(self.or_wait(self.inbox.store.next_due().await)?.map(delivery::milliseconds))
    }

    /// Hands one delivery to a handler, and writes down what came of it, unless the handler did.
    async fn work<F>(
        self: Arc<Self>,
        claimed: Claimed,
        handler: impl FnOnce(Claim, Incoming) -> F,
    ) -> Result<(), InboxError>
    where
        F: Future<Output = Handled> + Send + 'static,
    {
        let (claim, incoming) = self.incoming(claimed);
        let handled = match incoming {
            Ok(incoming) => self.handle(claim, handler(claim, incoming)).await?,
            Err(failure) => Some(Err(failure)),
        };
        // A claim that was lost belongs to another one, which writes down what comes of it there.
        let Some(handled) = handled else {
            #[cfg(feature = "tracing")]
            tracing::warn!("the claim was lost, and the handler is stopped");
            return Ok(());
        };
        if let Some(outcome) = handled.unwrap_or_else(|failure| Some(self.failed(failure, claim))) {
            self.finish(claim, &outcome).await?;
        }
        self.inbox.ready.notify_one();
        Ok(())
    }

    /// Writes down what came of a claim. While a database is away, the claim is not lost before its lease has ended.
    async fn finish(&self, claim: Claim, outcome: &Outcome) -> Result<(), InboxError> {
        const PAUSE: Duration = Duration::from_millis(100);
        store::point("before the completion");
        let begun = Instant::now();
        loop {
            match self.inbox.store.finish(claim.seq, claim.token, outcome.clone()).await {
                Err(error) if self.inbox.store.is_away(&error) && begun.elapsed() < self.lease => {
                    tokio::time::sleep(PAUSE).await;
                }
                finished => return self.or_wait(finished).map(drop),
            }
        }
    }

    /// Has a handler apply one delivery in the transaction in which the delivery ends.
    async fn apply<H>(self: Arc<Self>, claimed: Claimed, handler: Arc<H>) -> Result<(), InboxError>
    where
        H: Fn(&Incoming, &Connection) -> Result<(), Failure> + Send + Sync + 'static,
    {
        let (claim, incoming) = self.incoming(claimed);
        let shared = self.clone();
        let (writer, now) = self.inbox.store.writer()?;
        let apply = move |connection: &Connection| {
            let finish = |outcome: &Outcome| sqlite::finish(connection, claim.seq, claim.token, outcome, now);
            connection.execute_batch("SAVEPOINT handler")?;
            // Who no longer holds the claim applies nothing.
            let handled = match incoming {
                Ok(incoming) if finish(&Outcome::Done)? => {
                    let call = AssertUnwindSafe(|| handler(&incoming, connection));
                    panic::catch_unwind(call).unwrap_or_else(|_| Err(Failure::transient(PANICKED)))
                }
                Ok(_) => Ok(()),
                Err(failure) => Err(failure),
            };
            if let Err(failure) = handled {
                connection.execute_batch("ROLLBACK TO handler")?;
                finish(&shared.failed(failure, claim))?;
            }
            connection.execute_batch("RELEASE handler")
        };
        writer.call(apply).await?;
        self.inbox.ready.notify_one();
        Ok(())
    }

    /// What a handler gets of a claim, or why it gets nothing.
    fn incoming(&self, claimed: Claimed) -> (Claim, Result<Incoming, Failure>) {
        let Claimed { seq, token, attempt, age, source, id, metadata, body, packed } = claimed;
        let claim = Claim { seq, token, attempt, age, since: Instant::now() };
        if attempt > self.retry.attempts {
            return (claim, Err(Failure::permanent("the process ended, or lost its claim, at each attempt")));
        }
        let age = delivery::milliseconds(age);
        let read = || {
            let damaged = || Failure::permanent("the body in the store is damaged");
            let body = delivery::unpack(body, packed).ok_or_else(damaged)?;
            let metadata: Metadata = serde_json::from_str(&metadata).unwrap_or_default();
            let delivery = delivery::normalize(delivery::source_named(&source), &id, &metadata, &body);
            Ok(Incoming { delivery: delivery.map_err(Failure::permanent)?, id, attempt, age })
        };
        (claim, read())
    }

    /// Runs the handler, and renews the claim meanwhile. `None` when the claim was lost: then the handler is stopped.
    async fn handle<F>(&self, claim: Claim, handling: F) -> Result<Option<Handled>, InboxError>
    where
        F: Future<Output = Handled> + Send + 'static,
    {
        let mut running = JoinSet::new();
        running.spawn(handling);
        loop {
            tokio::select! {
                ended = running.join_next() => {
                    let panicked = || Err(Failure::transient(PANICKED));
                    return Ok(Some(ended.and_then(Result::ok).unwrap_or_else(panicked)));
                }
                () = tokio::time::sleep(self.lease / 3) => {
                    match self.inbox.store.renew(claim.seq, claim.token, self.lease()).await {
                        // Whether it is lost will be seen when the database is back.
                        Err(error) if self.inbox.store.is_away(&error) => {}
                        renewed => if !renewed? {
                            return Ok(None);
                        }
                    }
                }
            }
        }
    }

    fn failed(&self, Failure { is_permanent, reason }: Failure, claim: Claim) -> Outcome {
        let is_old = delivery::milliseconds(claim.age) + claim.since.elapsed() >= self.retry.age;
        if is_permanent || is_old || claim.attempt >= self.retry.attempts {
            #[cfg(feature = "tracing")]
            tracing::warn!(reason, "a dead letter");
            return Outcome::Dead { reason };
        }
        let pause = self.retry.pause(claim.attempt, fastrand::f64());
        Outcome::Retry { pause: delivery::in_milliseconds(pause), reason }
    }
}

const PANICKED: &str = "the handler panicked";
