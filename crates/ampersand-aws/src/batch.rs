use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ampersand_notifications::{Delivery, Source};
use ampersand_types::notifications::NotificationType;
use futures_util::StreamExt as _;
use futures_util::stream::iter;
use tokio::time::{Instant, timeout_at};

use crate::document::{Inside, Object, Record, Service};
use crate::item::{body_of, read};
use crate::{BatchResponse, Cause, Event, EventError, Fetched, ItemFailure, Unreadable, UnreadableError, stream};

/// So many messages come in a batch of SQS, unless the event source mapping says another number.
const CONCURRENCY: usize = 10;
/// The time that the answer has: Lambda discards it where it comes after the timeout.
const MARGIN: Duration = Duration::from_secs(1);

/// No deadline of Lambda is before 2014, in milliseconds since 1970.
const FIRST: u64 = 1_388_534_400_000;

/// An async function of the user's.
type Function<I, O> = Arc<dyn Fn(I) -> Pin<Box<dyn Future<Output = O> + Send>> + Send + Sync>;

/// How a batch is handled: where records go that cannot be read, who fetches objects of S3, and by when it must be done.
///
/// Every record is handled at least once. A handler that is not done by the deadline is dropped where it waits, and the
/// record comes again. No limit stops a handler that blocks its thread: it must `.await`.
///
/// ```
/// use std::time::Duration;
///
/// use ampersand_aws::Batch;
/// use ampersand_notifications::Delivery;
/// use ampersand_testing::{Fixture, aws};
///
/// async fn handle(delivery: Delivery) -> Result<(), std::io::Error> {
///     println!("{:?}", delivery.group_ref());
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let batch = Batch::new().within(Duration::from_secs(29)).park(async |unreadable| {
///     std::fs::write(std::env::temp_dir().join("unreadable.json"), unreadable.record)
/// });
/// let mut event = aws::kinesis_event([&Fixture::new("connection.created"), &Fixture::records()]);
/// event["Records"][0]["kinesis"]["data"] = "%".into(); // parked
/// assert_eq!(batch.kinesis(&event, handle).await?.failures(), []);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Batch {
    park: Option<Function<Unreadable, bool>>,
    fetch: Option<Function<Object, Option<Fetched>>>,
    notification_type: Option<NotificationType>,
    deadline: Option<Instant>,
    concurrency: usize,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("park", &self.park.is_some())
            .field("fetch", &self.fetch.is_some())
            .field("notification_type", &self.notification_type)
            .field("deadline", &self.deadline)
            .field("concurrency", &self.concurrency)
            .finish()
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self { park: None, fetch: None, notification_type: None, deadline: None, concurrency: CONCURRENCY }
    }
}

/// Handles a batch of Kinesis without options: see [`Batch::kinesis`].
///
/// ```
/// use ampersand_aws::kinesis;
/// use ampersand_notifications::Delivery;
/// use ampersand_testing::{Fixture, aws};
///
/// async fn refuse(_: Delivery) -> Result<(), &'static str> {
///     Err("the database is away")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let fixture = Fixture::new("connection.created");
/// let answer = kinesis(aws::kinesis_event([&fixture]), refuse).await?;
/// let json = serde_json::to_string(&answer)?;
/// assert!(json.starts_with(r#"{"batchItemFailures":[{"itemIdentifier":"495903382"#));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`Batch::kinesis`].
pub async fn kinesis<'e, H, R, E>(event: impl Into<Event<'e>>, handler: H) -> Result<BatchResponse, EventError>
where
    H: Fn(Delivery) -> R,
    R: Future<Output = Result<(), E>>,
{
    Batch::new().kinesis(event, handler).await
}

/// Handles a batch of SQS without options: see [`Batch::sqs`].
///
/// ```
/// use ampersand_aws::sqs;
/// use ampersand_notifications::Delivery;
/// use ampersand_testing::{Fixture, aws};
///
/// async fn refuse(_: Delivery) -> Result<(), &'static str> {
///     Err("the database is away")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let fixture = Fixture::new("connection.created");
/// let answer = sqs(aws::sqs_event([&fixture]), refuse).await?;
/// let expected = format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{}"}}]}}"#, fixture.id());
/// assert_eq!(serde_json::to_string(&answer)?, expected);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`Batch::sqs`].
pub async fn sqs<'e, H, R, E>(event: impl Into<Event<'e>>, handler: H) -> Result<BatchResponse, EventError>
where
    H: Fn(Delivery) -> R,
    R: Future<Output = Result<(), E>>,
{
    Batch::new().sqs(event, handler).await
}

impl Batch {
    /// A batch without a deadline, in which records that cannot be read fail.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands each record that cannot be read to this function, which stores it: in a bucket, or in a queue of its own. Then
    /// the record counts as done.
    ///
    /// Without it, and where the function fails, the record fails: Lambda sends it again until its event source mapping
    /// gives up, and a stream waits for that.
    #[must_use]
    pub fn park<F, R, E>(mut self, park: F) -> Self
    where
        F: Fn(Unreadable) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
    {
        self.park = Some(Arc::new(move |unreadable| {
            let parked = park(unreadable);
            Box::pin(async move { parked.await.is_ok() })
        }));
        self
    }

    /// Fetches objects of S3 with this function: give it the `GetObject` of your client.
    ///
    /// Where it returns an error, the record fails and comes again. Permissions and deleted objects are errors too: give
    /// the queue a dead letter queue.
    #[must_use]
    pub fn fetch<F, R, E>(mut self, fetch: F) -> Self
    where
        F: Fn(Object) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Fetched, E>> + Send + 'static,
    {
        self.fetch = Some(Arc::new(move |object| {
            let fetched = fetch(object);
            Box::pin(async move { fetched.await.ok() })
        }));
        self
    }

    /// Says the type of records that do not name it: a Kinesis destination may be set up to leave it out. A type that a
    /// record names counts more.
    #[must_use]
    pub fn of_type(mut self, notification_type: impl Into<NotificationType>) -> Self {
        self.notification_type = Some(notification_type.into());
        self
    }

    /// Sets how many records of SQS or S3 are handled at the same time: 10 by default, at least 1. Records of Kinesis and of a
    /// group of a FIFO queue are always handled one by one.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Reports what is not done at this time as failed, so that the rest of the batch is not sent again.
    ///
    /// It needs a runtime of tokio whose time is enabled, as `#[tokio::main]` has it.
    #[must_use]
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// As [`until`](Self::until), by the time from now.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        // A time that the clock cannot reach sets no deadline.
        self.deadline = Instant::now().checked_add(time);
        self
    }

    /// As [`until`](Self::until), a second before Lambda's timeout: it takes `context.deadline` of the crate
    /// `lambda_runtime`, in milliseconds since 1970. It ignores one from before 2014: `cargo lambda watch` always gives
    /// one of 1970.
    #[must_use]
    pub fn before_timeout(self, deadline: u64) -> Self {
        if deadline < FIRST {
            return self;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.within(Duration::from_millis(deadline).saturating_sub(now).saturating_sub(MARGIN))
    }

    /// Handles a batch of a Kinesis stream, in order. It stops at the first record that fails, and the answer names that
    /// record: Lambda sends it and all after it again.
    ///
    /// # Errors
    ///
    /// [`EventError::Unknown`] and [`EventError::NoIdentifier`]: no handler was called, and Lambda sends the batch again.
    pub async fn kinesis<'e, H, R, E>(
        &self,
        event: impl Into<Event<'e>>,
        handler: H,
    ) -> Result<BatchResponse, EventError>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let event = event.into();
        let (streamed, mut done) = (stream::records(event.text()?).unwrap_or_default(), 0);
        for record in &streamed {
            let work = async {
                let delivery = record.read(self.notification_type.as_ref()).ok_or(Cause::Unreadable)?;
                handler(delivery).await.map_err(|_| Cause::Handler)
            };
            match self.in_time(work).await {
                Ok(()) => done += 1,
                Err(Cause::Unreadable) => break,
                Err(cause) => {
                    let id = record.sequence_number.to_owned();
                    return Ok(BatchResponse { failures: vec![ItemFailure { id, cause }] });
                }
            }
        }
        if done > 0 && done == streamed.len() {
            return Ok(BatchResponse::default());
        }
        // One that cannot be read is put aside as it stands in the event.
        for Named { id, record, .. } in named(event.records()?, Service::Kinesis)?.into_iter().skip(done) {
            if let Err(cause) = self.handle(record, &handler).await {
                return Ok(BatchResponse { failures: vec![ItemFailure { id, cause }] });
            }
        }
        Ok(BatchResponse::default())
    }

    /// Handles a batch of an SQS queue, and answers with every message that failed.
    ///
    /// - Messages of a standard queue are handled concurrently.
    /// - Messages of a FIFO queue are handled in order within a group, and groups concurrently. The first failure of a group
    ///   stops the group: that message and all after it in the group are in the answer.
    ///
    /// The ARN of a FIFO queue ends in `.fifo`. Where a message does not tell its queue, one with a group counts as FIFO.
    ///
    /// # Errors
    ///
    /// [`EventError::Unknown`] and [`EventError::NoIdentifier`]: no handler was called, and Lambda sends the batch again.
    pub async fn sqs<'e, H, R, E>(&self, event: impl Into<Event<'e>>, handler: H) -> Result<BatchResponse, EventError>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let event = event.into();
        let lanes = lanes(named(event.records()?, Service::Sqs)?);
        let lanes: Vec<_> = lanes.into_iter().map(|lane| self.lane(lane, &handler)).collect();
        let mut failed = iter(lanes).buffer_unordered(self.concurrency).collect::<Vec<_>>().await.concat();
        failed.sort_by_key(|(index, _)| *index);
        Ok(BatchResponse { failures: failed.into_iter().map(|(_, failure)| failure).collect() })
    }

    /// Handles an event that has no partial answer: a notification of S3 or SNS. Its records are handled concurrently.
    ///
    /// # Errors
    ///
    /// [`EventError::Failed`] when some records failed, and [`EventError::Unknown`]. Lambda sends the whole event again,
    /// twice, and then to the function's dead letter queue or on-failure destination.
    pub async fn all<'e, H, R, E>(&self, event: impl Into<Event<'e>>, handler: H) -> Result<(), EventError>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let event = event.into();
        let work: Vec<_> = event.records()?.into_iter().map(|record| self.handle(record, &handler)).collect();
        let total = work.len();
        let results: Vec<_> = iter(work).buffered(self.concurrency).collect().await;
        let causes: Vec<Cause> = results.into_iter().filter_map(Result::err).collect();
        match causes.first() {
            Some(first) => Err(EventError::Failed { failed: causes.len(), total, first: *first }),
            None => Ok(()),
        }
    }

    /// Handles messages one by one, to the first that fails, and returns that one and those that it holds back.
    async fn lane<H, R, E>(&self, messages: Vec<Named<'_>>, handler: &H) -> Vec<(usize, ItemFailure)>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let mut failed = Vec::new();
        for Named { index, id, record } in messages {
            let result = if failed.is_empty() { self.handle(record, handler).await } else { Err(Cause::Held) };
            if let Err(cause) = result {
                failed.push((index, ItemFailure { id, cause }));
            }
        }
        failed
    }

    async fn handle<H, R, E>(&self, record: Record<'_>, handler: &H) -> Result<(), Cause>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        self.in_time(self.attend(record, handler)).await
    }

    /// Works on a record by the deadline, whatever happens in the functions that it calls.
    async fn in_time(&self, work: impl Future<Output = Result<(), Cause>>) -> Result<(), Cause> {
        let work = caught(work);
        match self.deadline {
            Some(deadline) if deadline <= Instant::now() => Err(Cause::Deadline),
            Some(deadline) => timeout_at(deadline, work).await.unwrap_or(Err(Cause::Deadline)),
            None => work.await,
        }
    }

    async fn attend<H, R, E>(&self, mut record: Record<'_>, handler: &H) -> Result<(), Cause>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let inside = std::mem::replace(&mut record.inside, Ok(Inside::Nothing("")));
        let read = match inside {
            Ok(Inside::Nothing(_)) => return Ok(()),
            Ok(Inside::Objects(objects)) => return self.objects(objects, &record, handler).await,
            Ok(Inside::Delivery(wrapped)) => read(wrapped, self.notification_type.as_ref()),
            Err(error) => Err(UnreadableError::Record(error)),
        };
        self.pass(read, &record, handler).await
    }

    /// Handles every object that a record names: one that fails does not hide the others.
    async fn objects<H, R, E>(&self, objects: Vec<Object>, record: &Record<'_>, handler: &H) -> Result<(), Cause>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let mut result = Ok(());
        for object in objects.into_iter().filter(Object::is_created) {
            let fetch = self.fetch.as_ref().map(|fetch| caught(async { fetch(object).await.ok_or(Cause::Fetch) }));
            let fetched = match fetch {
                Some(fetch) => fetch.await,
                None => Err(Cause::Fetch),
            };
            let handled = match fetched {
                Ok(Fetched { body, metadata }) => {
                    let read = body_of(body, Source::S3, metadata, self.notification_type.as_ref());
                    caught(self.pass(read, record, handler)).await
                }
                Err(cause) => Err(cause),
            };
            result = result.and(handled);
        }
        result
    }

    /// Hands on what was read, to the handler or to where it is parked.
    async fn pass<H, R, E>(
        &self,
        read: Result<Delivery, UnreadableError>,
        record: &Record<'_>,
        handler: &H,
    ) -> Result<(), Cause>
    where
        H: Fn(Delivery) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let is_parked = match (read, &self.park) {
            (Ok(delivery), _) => return handler(delivery).await.map_err(|_| Cause::Handler),
            (Err(error), Some(park)) => park(Unreadable::new(record, error)).await,
            (Err(_), None) => false,
        };
        if is_parked { Ok(()) } else { Err(Cause::Unreadable) }
    }
}

/// A record that the answer can name.
struct Named<'e> {
    /// Where it is in the event.
    index: usize,
    id: String,
    record: Record<'e>,
}

/// Names every record of an event, or none: an answer that lacks a name would fail the whole batch after it was handled.
fn named(records: Vec<Record<'_>>, service: Service) -> Result<Vec<Named<'_>>, EventError> {
    let named = records.into_iter().enumerate().map(|(index, record)| match &record.origin.id {
        Some(id) if record.origin.service == service => Ok(Named { index, id: id.clone(), record }),
        _ => Err(EventError::NoIdentifier { index }),
    });
    named.collect()
}

/// Puts the messages of each group in order; those without one are each on their own.
fn lanes(messages: Vec<Named<'_>>) -> Vec<Vec<Named<'_>>> {
    let mut lanes: Vec<Vec<Named<'_>>> = Vec::new();
    let mut groups: HashMap<String, usize> = HashMap::new();
    for message in messages {
        let lane = match &message.record.origin.group {
            Some(group) => *groups.entry(group.clone()).or_insert(lanes.len()),
            None => lanes.len(),
        };
        match lanes.get_mut(lane) {
            Some(lane) => lane.push(message),
            None => lanes.push(vec![message]),
        }
    }
    lanes
}

/// Turns a panic into a failure of the one record. Nothing that the future held is looked at afterwards.
async fn caught<T>(work: impl Future<Output = Result<T, Cause>>) -> Result<T, Cause> {
    let mut work = pin!(work);
    poll_fn(move |context| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))).unwrap_or(Poll::Ready(Err(Cause::Panic)))
    })
    .await
}
