//! A thread that holds the writing connection. It does all waiting jobs in one transaction, so concurrent deliveries
//! share one sync of the disk.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::InboxError;
use crate::hooks::point;

/// The most jobs in one transaction: the first job should not wait for all that follow.
const MOST: usize = 64;

/// How long the last handle waits for the thread to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// A job for the connection, which gets `None` if an earlier job failed. It returns its own error, and the answer to
/// send when the transaction has ended. The answer takes the error of the transaction, if it failed.
type Job = Box<dyn FnOnce(Option<&Connection>) -> (Option<InboxError>, Answer) + Send>;
type Answer = Box<dyn FnOnce(Option<InboxError>)>;

/// A handle of the thread.
#[derive(Clone, Debug)]
pub(crate) struct Writer(Arc<Thread>);

#[derive(Debug)]
struct Thread {
    /// `None` once the last handle is dropped, which ends the thread.
    jobs: Option<mpsc::Sender<Job>>,
    thread: JoinHandle<()>,
}

impl Drop for Thread {
    /// Waits until the connection is closed, but not for a handler that goes on. The last connection to close moves the
    /// journal into the file.
    fn drop(&mut self) {
        self.jobs = None;
        // A job may have held the last handle.
        let is_elsewhere = self.thread.thread().id() != thread::current().id();
        let begun = Instant::now();
        while is_elsewhere && !self.thread.is_finished() && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Writer {
    pub(crate) fn start(mut connection: Connection) -> Result<Self, InboxError> {
        let (sender, receiver) = mpsc::channel::<Job>();
        let run = move || {
            let mut alone = 0_usize;
            while let Ok(first) = receiver.recv() {
                let mut jobs = vec![first];
                jobs.extend(receiver.try_iter().take(if alone == 0 { MOST - 1 } else { 0 }));
                alone = alone.saturating_sub(1);
                match together(&mut connection, jobs) {
                    // The next jobs have waited for the lock already.
                    Some(locked @ InboxError::Locked) => {
                        receiver.try_iter().for_each(|job| job(None).1(Some(locked.clone())));
                    }
                    // When they come again, the job that undid the others does so alone.
                    Some(InboxError::Undone) => alone = MOST,
                    _ => {}
                }
            }
        };
        let thread = thread::Builder::new().name("ampersand-inbox".to_owned());
        let thread = thread.spawn(run).map_err(|error| InboxError::Unreachable(error.to_string()))?;
        Ok(Self(Arc::new(Thread { jobs: Some(sender), thread })))
    }

    /// Does a job, and waits until its result is on the disk.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        function: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (reply, answer) = oneshot::channel();
        let job = move |connection: Option<&Connection>| {
            let call = |connection| function(connection).map_err(|error| InboxError::of(&error));
            let result = connection.map_or(Err(InboxError::Closed), call);
            let error = result.as_ref().err().cloned();
            // The caller may have stopped waiting.
            let answer: Answer = Box::new(move |failed| drop(reply.send(failed.map_or(result, Err))));
            (error, answer)
        };
        let jobs = self.0.jobs.as_ref().ok_or(InboxError::Closed)?;
        jobs.send(Box::new(job)).map_err(|_| InboxError::Closed)?;
        answer.await.unwrap_or(Err(InboxError::Closed))
    }
}

/// Does jobs in one transaction. If one fails, it rolls back all of them, as the failed job may have done a part. The
/// callers of the others get an error, and try again. Returns the error.
fn together(connection: &mut Connection, jobs: Vec<Job>) -> Option<InboxError> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let (mut failed, mut answers) = (begun.as_ref().err().map(InboxError::of), Vec::with_capacity(jobs.len()));
    let transaction = begun.ok();
    for job in jobs {
        let (error, answer) = job(transaction.as_deref().filter(|_| failed.is_none()));
        failed = failed.or(error);
        answers.push(answer);
    }
    if let Some(transaction) = transaction
        && failed.is_none()
    {
        point("before the commit");
        failed = transaction.commit().err().map(|error| InboxError::of(&error));
        point("after the commit");
    }
    // A constraint of a handler's table may refuse the commit, for example.
    if answers.len() > 1 && matches!(failed, Some(InboxError::Unreachable(_))) {
        failed = Some(InboxError::Undone);
    }
    answers.into_iter().for_each(|answer| answer(failed.clone()));
    failed
}
