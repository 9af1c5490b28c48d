//! One thread that holds the connection. Whatever waits for it is done in one transaction, so that concurrent deliveries
//! share one sync of the disk.

use std::fmt;
use std::sync::mpsc;
use std::thread;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::{InboxError, store};

/// So much is done in one transaction at most: what is asked for first does not wait for all that comes later.
const MOST: usize = 256;

/// Something to be done with the connection, and afterwards to be answered.
trait Job: Send {
    fn run(&mut self, connection: &Connection);
    /// Says what came of it, once it is on the disk; or why it is not.
    fn answer(self: Box<Self>, committed: Option<&InboxError>);
}

struct Call<F, T> {
    function: Option<F>,
    result: Option<rusqlite::Result<T>>,
    reply: oneshot::Sender<Result<T, InboxError>>,
}

impl<F, T> Job for Call<F, T>
where
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) {
        self.result = self.function.take().map(|function| function(connection));
    }

    fn answer(self: Box<Self>, failed: Option<&InboxError>) {
        let result = match (failed, self.result) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(result)) => result.map_err(|error| InboxError::of(&error)),
            (None, None) => Err(InboxError::Closed),
        };
        // Who asked may have gone.
        let _ = self.reply.send(result);
    }
}

/// A handle of the thread, which ends with the last of them.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Box<dyn Job>>);

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    pub(crate) fn start(mut connection: Connection) -> Result<Self, InboxError> {
        let (sender, receiver) = mpsc::channel::<Box<dyn Job>>();
        let run = move || {
            while let Ok(first) = receiver.recv() {
                let mut jobs = vec![first];
                jobs.extend(receiver.try_iter().take(MOST - 1));
                let failed = together(&mut connection, &mut jobs).err().map(|error| InboxError::of(&error));
                jobs.into_iter().for_each(|job| job.answer(failed.as_ref()));
            }
        };
        let thread = thread::Builder::new().name("ampersand-inbox".to_owned());
        thread.spawn(run).map_err(|error| InboxError::Unreachable(error.to_string()))?;
        Ok(Self(sender))
    }

    /// Has something done, and waits until it is on the disk.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        function: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (reply, answer) = oneshot::channel();
        let call = Call { function: Some(function), result: None, reply };
        self.0.send(Box::new(call)).map_err(|_| InboxError::Closed)?;
        answer.await.unwrap_or(Err(InboxError::Closed))
    }
}

fn together(connection: &mut Connection, jobs: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in jobs {
        job.run(&transaction);
    }
    store::point("before the commit");
    transaction.commit()?;
    store::point("after the commit");
    Ok(())
}
