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

/// The default number of messages in a batch of SQS. The event source mapping may set another number.
const CONCURRENCY: usize = 10;
/// The time reserved for the response: Lambda discards a response that arrives after the timeout.
const MARGIN: Duration = Duration::from_secs(1);

/// The earliest possible deadline, in milliseconds since 1970: Lambda exists since 2014.
const FIRST: u64 = 1_388_534_400_000;

/// An async function of the user.
type Function<I, O> = Arc<dyn Fn(I) -> Pin<Box<dyn Future<Output = O> + Send>> + Send + Sync>;

/// Sets how a batch is handled: who stores unreadable records, who fetches S3 objects, and the deadline.
///
/// Every record is handled at least once. If a handler does not finish by the deadline, it is dropped at an `.await`,
/// and Lambda sends the record again. No limit can stop a handler that blocks its thread: it must `.await`.
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

/// Handles a Kinesis batch without options: see [`Batch::kinesis`].
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

/// Handles an SQS batch without options: see [`Batch::sqs`].
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
    /// Makes a batch without a deadline. Unreadable records fail.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a function that stores unreadable records, in a bucket or in a queue. A record that it stores counts as
    /// handled.
    ///
    /// Without this function, or if it fails, the record fails: Lambda retries it until the event source mapping gives
    /// up, and a stream is blocked until then.
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

    /// Sets a function that fetches S3 objects, such as `GetObject` of your client.
    ///
    /// If it returns an error, the record fails and Lambda sends it again. This includes missing permissions and
    /// deleted objects: give the queue a dead letter queue.
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

    /// Sets the type of records that do not name it, because a Kinesis destination can be configured to omit it. A type
    /// in the record takes precedence.
    #[must_use]
    pub fn of_type(mut self, notification_type: impl Into<NotificationType>) -> Self {
        self.notification_type = Some(notification_type.into());
        self
    }

    /// Sets how many SQS or S3 records are handled at the same time: 10 by default, at least 1. Kinesis records, and
    /// messages of one group of a FIFO queue, are always handled one by one.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Reports the records that are not handled by this time as failed. Lambda does not retry the others.
    ///
    /// It needs a tokio runtime with time enabled, such as that of `#[tokio::main]`.
    #[must_use]
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the deadline of [`until`](Self::until) to this duration from now.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        // A duration that the clock cannot represent sets no deadline.
        self.deadline = Instant::now().checked_add(time);
        self
    }

    /// Sets the deadline of [`until`](Self::until) to one second before Lambda's timeout. `deadline` is
    /// `context.deadline` of the crate `lambda_runtime`, in milliseconds since 1970. A deadline before 2014 is ignored,
    /// because `cargo lambda watch` always sends one in 1970.
    #[must_use]
    pub fn before_timeout(self, deadline: u64) -> Self {
        if deadline < FIRST {
            return self;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.within(Duration::from_millis(deadline).saturating_sub(now).saturating_sub(MARGIN))
    }

    /// Handles a batch of a Kinesis stream, in order. It stops at the first record that fails, and names it in the
    /// response: Lambda sends that record and all later ones again.
    ///
    /// # Errors
    ///
    /// [`EventError::Unknown`] and [`EventError::NoIdentifier`]: no handler was called, and Lambda retries the batch.
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
        // An unreadable record is stored with its text in the event.
        for Named { id, record, .. } in named(event.records()?, Service::Kinesis)?.into_iter().skip(done) {
            if let Err(cause) = self.handle(record, &handler).await {
                return Ok(BatchResponse { failures: vec![ItemFailure { id, cause }] });
            }
        }
        Ok(BatchResponse::default())
    }

    /// Handles a batch of an SQS queue. The response names every message that failed.
    ///
    /// - Messages of a standard queue are handled concurrently.
    /// - Messages of a FIFO queue are handled in order within a group, and groups concurrently. A group stops at its
    ///   first failure: the response names that message and all later ones of the group.
    ///
    /// The ARN of a FIFO queue ends in `.fifo`. If a message does not name its queue, one with a group counts as FIFO.
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

    /// Handles an event without partial responses: an S3 or SNS notification. Its records are handled concurrently.
    ///
    /// # Errors
    ///
    /// [`EventError::Failed`] when some records failed, and [`EventError::Unknown`]. Lambda sends the whole event
    /// again, twice, and then to the function's dead letter queue or on-failure destination.
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

    /// Handles messages one by one, until one fails. Returns that message and those that it holds back.
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

    /// Runs the work on a record until the deadline. A panic in it becomes an error.
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

    /// Handles every object that a record names, even if one of them fails.
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

    /// Passes a delivery to the handler, or an unreadable record to the function that stores it.
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

/// A record with the identifier that the response uses.
struct Named<'e> {
    /// The index of the record in the event.
    index: usize,
    id: String,
    record: Record<'e>,
}

/// Returns every record with its identifier, or an error: a response without one would fail the whole batch afterwards.
fn named(records: Vec<Record<'_>>, service: Service) -> Result<Vec<Named<'_>>, EventError> {
    let named = records.into_iter().enumerate().map(|(index, record)| match &record.origin.id {
        Some(id) if record.origin.service == service => Ok(Named { index, id: id.clone(), record }),
        _ => Err(EventError::NoIdentifier { index }),
    });
    named.collect()
}

/// Puts the messages of each group in order. A message without a group is on its own.
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

/// Turns a panic into a failure of one record. Nothing of the future is used after a panic.
async fn caught<T>(work: impl Future<Output = Result<T, Cause>>) -> Result<T, Cause> {
    let mut work = pin!(work);
    poll_fn(move |context| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))).unwrap_or(Poll::Ready(Err(Cause::Panic)))
    })
    .await
}
