use std::future::{self, Future};
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ampersand_notifications::Metadata;
#[cfg(feature = "resolve")]
use ampersand_notifications::{Delivery, ResolveError, Resolver};
use rusqlite::Connection;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::delivery::{self, Failure, Incoming};
use crate::hooks::point;
use crate::rows::{Claimed, Outcome};
use crate::{Inbox, InboxError, observe, sqlite};

/// When to retry a failed delivery, and when to give up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// The number of attempts before a delivery becomes a dead letter. Default: 24, which take some 6 hours.
    pub attempts: u32,
    /// The longest pause after the first failure. It doubles with each further failure. The actual pause is random, between
    /// zero and the longest. Default: 1 second.
    pub first: Duration,
    /// The upper limit of a pause. Default: 1 hour.
    pub longest: Duration,
    /// A delivery that fails when it is this old becomes a dead letter. Default: 3 days.
    pub age: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        let hour = Duration::from_secs(60 * 60);
        Self { attempts: 24, first: Duration::from_secs(1), longest: hour, age: 72 * hour }
    }
}

impl Retry {
    /// The pause after a number of attempts, for a random number from 0 to 1.
    fn pause(&self, attempts: u32, random: f64) -> Duration {
        let doubled = 2_u32.checked_pow(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.longest).mul_f64(random)
    }
}

/// Runs a handler on stored deliveries. [`Inbox::worker`] makes one.
#[must_use = "a worker works once it is run"]
pub struct Worker {
    shared: Shared,
    concurrency: usize,
    pub(crate) grace: Duration,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}

/// How often a worker looks for new deliveries without a notification: another process may have stored some.
const POLL: Duration = Duration::from_secs(1);

/// How long a stopping worker waits for the handlers that it has told to stop. It does not release the deliveries of those
/// that go on: their leases end later.
const PATIENCE: Duration = Duration::from_secs(5);

impl Inbox {
    /// Returns a worker, which runs a handler on stored deliveries.
    pub fn worker(&self) -> Worker {
        let shared = Shared {
            inbox: self.clone(),
            lease: Duration::from_secs(60),
            retry: Retry::default(),
            leave: watch::Sender::new(()),
            #[cfg(feature = "resolve")]
            resolver: None,
        };
        Worker { shared, concurrency: 16, grace: Duration::from_secs(20), stop: Box::pin(future::pending()) }
    }
}

impl Worker {
    /// Sets how many deliveries are handled at once. Default: 16.
    pub fn concurrency(mut self, deliveries: usize) -> Self {
        self.concurrency = deliveries.max(1);
        self
    }

    /// Sets how long a claim lasts. The worker renews it while the handler runs. If the process dies, another worker gets
    /// the delivery after this time. Default: 60 seconds; at least 10 milliseconds.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.shared.lease = lease.max(Duration::from_millis(10));
        self
    }

    /// Sets when to retry a failed delivery, and when to give up.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.shared.retry = retry;
        self
    }

    /// Downloads content that was too large to send, before the handler is called. The inbox keeps it beside the delivery,
    /// because the URLs are valid for 15 minutes and a retry may be later. The handler finds configurations and records in
    /// the delivery, as if they had been sent. Content that is [lost](ampersand_notifications::ResolveError::is_lost) is
    /// left as a URL. Any other failed download fails the attempt.
    ///
    /// ```no_run
    /// # async fn handle(_: ampersand_inbox::Incoming) -> Result<(), ampersand_inbox::Failure> { Ok(()) }
    /// # async fn example(inbox: ampersand_inbox::Inbox) -> Result<(), Box<dyn std::error::Error>> {
    /// use ampersand_notifications::{Policy, Resolver};
    ///
    /// inbox.worker().resolve(Resolver::new(Policy::default())?).run(handle).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "resolve")]
    pub fn resolve(mut self, resolver: Resolver) -> Self {
        self.shared.resolver = Some(resolver);
        self
    }

    /// Stops the worker when a future is ready, such as a signal. The worker claims no more deliveries, and
    /// [`run`](Self::run) returns when the running handlers have ended. After 20 seconds, it stops them and releases their
    /// deliveries. It waits 5 more seconds for a handler that blocks its thread; the lease of its delivery ends later.
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// Runs an async handler on each delivery, at least once, until the worker is [stopped](Self::until).
    ///
    /// It handles one delivery of an installation at a time, in order of arrival, and other installations meanwhile. A
    /// panic of the handler is a failure. If a handler kills the process, that attempt counts too: attempts are counted
    /// when they begin.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: the store cannot be used. Claimed deliveries are free again when their leases end. While a Postgres
    /// database cannot be reached, the worker waits for it instead.
    pub async fn run<H, F>(self, handler: H) -> Result<(), InboxError>
    where
        H: Fn(Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let handle = move |_, incoming| {
            let handling = handler(incoming);
            async move { handling.await.map(|()| Ended::Returned) }
        };
        self.drive(handle).await
    }

    /// Applies each delivery, once, to the file that holds the inbox. The handler's writes through the connection and the
    /// end of the delivery commit together, or not at all. Effects elsewhere are not part of that.
    ///
    /// The handler runs in the store's thread, within its transaction. New deliveries wait meanwhile, so be quick. It may
    /// use savepoints; a statement that begins or ends a transaction fails. Table names that begin with `delivery` belong
    /// to the inbox.
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
    /// As [`run`](Self::run); and [`InboxError::OtherStore`] if the inbox is not a file.
    pub async fn in_transaction<H>(self, handler: H) -> Result<(), InboxError>
    where
        H: Fn(&Incoming, &Connection) -> Result<(), Failure> + Send + Sync + 'static,
    {
        let (file, handler) = (self.shared.inbox.store.file()?.clone(), Arc::new(handler));
        let apply = move |claim: Claim, incoming| {
            let (file, handler) = (file.clone(), handler.clone());
            async move {
                let apply = move |connection: &Connection, now| {
                    let call = || {
                        let call = AssertUnwindSafe(|| handler(&incoming, connection));
                        panic::catch_unwind(call).unwrap_or_else(|_| Err(Failure::transient(PANICKED)))
                    };
                    sqlite::apply(connection, claim.seq, claim.token, now, call)
                };
                match file.write(apply).await {
                    // Nothing was applied, which need not be the fault of this handler.
                    Err(InboxError::Undone | InboxError::Locked | InboxError::Full) => Ok(Ended::Stopped),
                    applied => Ok(if applied?? { Ended::Committed } else { Ended::Lost }),
                }
            }
        };
        self.drive(apply).await
    }

    /// Applies each delivery, once, to the Postgres database that holds the inbox. The handler's writes in the transaction
    /// and the end of the delivery commit together, or not at all. Effects elsewhere are not part of that.
    ///
    /// Each running handler has its own connection, with a transaction at the level *read committed*. The worker renews the
    /// claim meanwhile. If the claim or the connection is lost, the database rolls the transaction back. A handler may use
    /// savepoints. If it commits or ends the transaction, the delivery becomes a dead letter. Pass a closure in place, as
    /// here, or a function.
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
    /// As [`run`](Self::run); and [`InboxError::OtherStore`] if the inbox is a file.
    #[cfg(feature = "postgres")]
    pub async fn in_postgres_transaction<H>(self, handler: H) -> Result<(), InboxError>
    where
        H: for<'t> Fn(Incoming, &'t tokio_postgres::Transaction<'t>) -> crate::Handling<'t> + Send + Sync + 'static,
    {
        let (database, handler) = (self.shared.inbox.store.postgres()?.clone(), Arc::new(handler));
        let apply = move |claim: Claim, incoming| {
            let (database, handler) = (database.clone(), handler.clone());
            async move {
                let applied = database.apply(claim.seq, claim.token, incoming, &*handler).await?;
                Ok(if applied { Ended::Committed } else { Ended::Lost })
            }
        };
        self.drive(apply).await
    }

    /// Claims as many deliveries as may be handled at once, and ends all claims.
    async fn drive<H, F>(self, handler: H) -> Result<(), InboxError>
    where
        H: Fn(Claim, Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Handled> + Send + 'static,
    {
        let Self { shared, concurrency, grace, mut stop } = self;
        let (shared, handler) = (Arc::new(shared), Arc::new(handler));
        let inbox = &shared.inbox;
        let mut running = JoinSet::new();
        #[cfg(feature = "metrics")]
        let _until_it_is_dropped = JoinSet::from_iter([gauges(inbox.clone())]);
        loop {
            let free = concurrency - running.len();
            let claimed = match free {
                0 => Some(Vec::new()),
                _ => shared.or_wait(inbox.store.claim(free, shared.lease()).await)?,
            };
            let wait = match &claimed {
                None => POLL, // The store is away.
                Some(claimed) if claimed.is_empty() => {
                    let due = shared.or_wait(inbox.store.next_due().await)?.flatten();
                    due.map_or(POLL, delivery::milliseconds).min(POLL)
                }
                Some(_) => Duration::ZERO,
            };
            for claimed in claimed.unwrap_or_default() {
                point("after the claim");
                #[cfg(feature = "tracing")]
                let span = {
                    let Claimed { source, id, notification_type, lane, attempt, .. } = &claimed;
                    tracing::info_span!("delivery", source, id, r#type = notification_type, lane, attempt)
                };
                let work = shared.clone().work(claimed, handler.clone());
                #[cfg(feature = "tracing")]
                let work = tracing::Instrument::instrument(work, span);
                running.spawn(work);
            }
            let can_claim = running.len() < concurrency;
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = running.join_next() => {
                    told(ended)?;
                    // Takes all that have ended, so that as many are claimed together, with one sync.
                    while let Some(ended) = running.try_join_next() {
                        told(ended)?;
                    }
                }
                () = inbox.ready.notified(), if can_claim => {}
                () = tokio::time::sleep(wait), if can_claim => {}
            }
        }
        for patience in [grace, PATIENCE] {
            let drained = tokio::time::timeout(patience, async {
                while let Some(ended) = running.join_next().await {
                    told(ended)?;
                }
                Ok(())
            });
            if let Ok(ended) = drained.await {
                return ended;
            }
            shared.leave.send_replace(());
        }
        Ok(())
    }
}

/// Returns the result of a task. Handlers run in their own tasks, so a panic is a bug of this crate.
fn told(ended: Result<Result<(), InboxError>, JoinError>) -> Result<(), InboxError> {
    ended.map_err(|_| InboxError::Closed)?
}

/// What the deliveries of a worker share.
struct Shared {
    inbox: Inbox,
    lease: Duration,
    retry: Retry,
    /// Tells running handlers to stop.
    leave: watch::Sender<()>,
    #[cfg(feature = "resolve")]
    resolver: Option<Resolver>,
}

/// How a successful handler ended.
enum Ended {
    /// The worker still has to end the claim.
    Returned,
    /// The claim has ended, together with the handler's effects.
    Committed,
    /// The claim was lost, and the handler's effects are rolled back.
    Lost,
    /// The worker has stopped the handler, or the store could not apply it. The attempt does not count.
    Stopped,
}

type Handled = Result<Ended, Failure>;

/// A claimed delivery: what the worker needs to end the claim.
#[derive(Clone, Copy)]
struct Claim {
    seq: i64,
    token: i64,
    attempt: u32,
    age: Duration,
    since: Instant,
}

impl Shared {
    fn lease(&self) -> i64 {
        delivery::in_milliseconds(self.lease)
    }

    /// The result of a store; `None` while the store is unavailable and the worker waits for it.
    fn or_wait<T>(&self, told: Result<T, InboxError>) -> Result<Option<T>, InboxError> {
        match told {
            Err(error) if self.inbox.store.is_away(&error) => {
                observe::away(&error);
                Ok(None)
            }
            told => told.map(Some),
        }
    }

    /// Runs the handler on one delivery, and ends the claim unless the handler did.
    async fn work<H, F>(self: Arc<Self>, claimed: Claimed, handler: Arc<H>) -> Result<(), InboxError>
    where
        H: Fn(Claim, Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Handled> + Send + 'static,
    {
        let Claimed { seq, token, attempt, age, .. } = claimed;
        let claim = Claim { seq, token, attempt, age: delivery::milliseconds(age), since: Instant::now() };
        let shared = self.clone();
        let handling = async move {
            let incoming = shared.incoming(claimed).await?;
            handler(claim, incoming).await
        };
        let (outcome, holds) = match self.renewing(claim, handling).await? {
            Ok(Ended::Committed) => (Outcome::Done, true),
            Ok(Ended::Lost) => (Outcome::Done, false),
            handled => {
                let outcome = match handled {
                    Ok(Ended::Stopped) => Outcome::Released,
                    Ok(_) => Outcome::Done,
                    Err(failure) => self.failed(failure, claim),
                };
                let holds = self.finish(claim, &outcome).await?;
                (outcome, holds)
            }
        };
        observe::ended(holds.then_some(&outcome), claim.since, attempt, claim.age);
        self.inbox.ready.notify_one();
        Ok(())
    }

    /// Ends a claim. Returns false if it was lost. Retries for as long as the lease while a database is unavailable.
    async fn finish(&self, claim: Claim, outcome: &Outcome) -> Result<bool, InboxError> {
        point("before the completion");
        let begun = Instant::now();
        loop {
            match self.inbox.store.finish(claim.seq, claim.token, outcome.clone()).await {
                Err(error) if self.inbox.store.is_away(&error) && begun.elapsed() < self.lease => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                finished => return Ok(self.or_wait(finished)?.unwrap_or_default()),
            }
        }
    }

    /// Reads what the handler gets, or fails.
    async fn incoming(&self, claimed: Claimed) -> Result<Incoming, Failure> {
        let Claimed { seq, token, attempt, age, source, id, lane, metadata, body, packed, .. } = claimed;
        if attempt > self.retry.attempts {
            return Err(Failure::permanent("the process ended, or lost its claim, at each attempt"));
        }
        let damaged = || Failure::permanent("the body in the store is damaged");
        let body = delivery::unpack(body, packed).ok_or_else(damaged)?;
        let metadata: Metadata = serde_json::from_str(&metadata).unwrap_or_default();
        let delivery = delivery::normalize(&source, &id, &metadata, body.into()).map_err(Failure::permanent)?;
        #[cfg(feature = "resolve")]
        let delivery = self.resolved(delivery, (seq, token), claimed.resolved).await?;
        let (completion, age) = (self.inbox.store.completion(seq, token), delivery::milliseconds(age));
        Ok(Incoming { delivery, source, id, lane, attempt, age, completion })
    }

    /// Fills a delivery with the content of its URLs: downloaded now, or kept from an earlier attempt.
    #[cfg(feature = "resolve")]
    async fn resolved(
        &self,
        mut delivery: Delivery,
        (seq, token): (i64, i64),
        kept: Option<Vec<u8>>,
    ) -> Result<Delivery, Failure> {
        let Some(resolver) = &self.resolver else { return Ok(delivery) };
        if let Some(kept) = kept.and_then(|kept| delivery::unpack(kept, true)) {
            delivery.fill(serde_json::from_slice(&kept)?)?;
            return Ok(delivery);
        }
        let failed = |error: ResolveError| {
            let is_permanent = !error.is_transient();
            Failure { is_permanent, ..error.into() }
        };
        let downloads = resolver.complete(&mut delivery).await.map_err(failed)?;
        if !downloads.is_empty() {
            self.inbox.store.keep(seq, token, delivery::pack(&serde_json::to_vec(&downloads)?)).await?;
        }
        Ok(delivery)
    }

    /// Runs a handler, and renews the claim meanwhile. If the claim is lost, it stops the handler.
    async fn renewing<F>(&self, claim: Claim, handling: F) -> Result<Handled, InboxError>
    where
        F: Future<Output = Handled> + Send + 'static,
    {
        let (mut running, mut leave) = (JoinSet::new(), self.leave.subscribe());
        running.spawn(handling);
        loop {
            tokio::select! {
                ended = running.join_next() => {
                    let panicked = || Err(Failure::transient(PANICKED));
                    return Ok(ended.and_then(Result::ok).unwrap_or_else(panicked));
                }
                Ok(()) = leave.changed() => {
                    // A handler that blocks its thread goes on until it awaits.
                    running.shutdown().await;
                    return Ok(Ok(Ended::Stopped));
                }
                () = tokio::time::sleep(self.lease / 3) => {
                    match self.inbox.store.renew(claim.seq, claim.token, self.lease()).await {
                        // Shows whether the claim is lost when the store can be used again.
                        Err(error) if self.inbox.store.is_away(&error) => {}
                        renewed => if !renewed? {
                            return Ok(Ok(Ended::Lost));
                        }
                    }
                }
            }
        }
    }

    fn failed(&self, Failure { is_permanent, reason }: Failure, claim: Claim) -> Outcome {
        let reason = delivery::plain(reason);
        let is_old = claim.age + claim.since.elapsed() >= self.retry.age;
        if is_permanent || is_old || claim.attempt >= self.retry.attempts {
            return Outcome::Dead { reason, blocks: self.inbox.options.dead_letters_block };
        }
        let pause = self.retry.pause(claim.attempt, fastrand::f64());
        Outcome::Retry { pause: delivery::in_milliseconds(pause), reason }
    }
}

const PANICKED: &str = "the handler panicked";

/// Keeps the gauges up to date.
#[cfg(feature = "metrics")]
async fn gauges(inbox: Inbox) {
    let mut often = tokio::time::interval(Duration::from_secs(10));
    loop {
        often.tick().await;
        // If the store cannot be used, the worker reports it.
        let _ = inbox.status().await;
    }
}
