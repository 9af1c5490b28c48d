//! An inbox beside an application: receives and stores webhooks, and delivers each until the application accepts it.

mod admin;
mod forward;
mod problems;
mod settings;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ampersand_inbox::{Entry, Inbox, Retry, State};
use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{interval, sleep};

use self::forward::Forward;
use self::problems::Problems;
use self::settings::{Endpoint, Settings};
use crate::args::{self, Admin};
use crate::cmd::{client_for, is_loopback};
use crate::output::{Messages, plain};
use crate::signals::Ends;
use crate::store;

pub(crate) fn run(options: args::Serve) -> Result<ExitCode> {
    let settings = Settings::new(options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(settings));
    match served {
        // Drops what still holds the store, so that its file is closed.
        Ok(()) => runtime.shutdown_timeout(Duration::from_secs(2)),
        // After a second signal, the program waits for nothing.
        Err(_) => runtime.shutdown_background(),
    }
    served.map(|()| ExitCode::SUCCESS)
}

async fn serve(settings: Settings) -> Result<()> {
    let Settings { endpoints, forward: url, sign, timeout, .. } = settings;
    let messages = Messages::default();
    let ends = Ends::new().context("signals cannot be handled")?;
    let client = client_for(&url, settings.insecure, |client| client.timeout(timeout))?;
    if sign.is_none() && !is_loopback(&url) {
        messages
            .say("WARNING: the application cannot tell who sends to it, as nothing is signed: pass --sign-file FILE");
    }
    let problems = Arc::new(Problems::new(messages.clone()));
    let forward = Arc::new(Forward { client, url, sign, timeout, problems: problems.clone() });

    let (stop, stopping) = watch::channel(false);
    let admin = match settings.admin {
        Admin::Off => None,
        Admin::At(address) => Some((bind("--admin", &address).await?, admin::count()?)),
    };
    let inbox = store::open(&settings.store).await?;
    let listener = bind("--address", &settings.address).await?;
    let at = listener.local_addr()?;
    if let Some((listener, _)) = &admin {
        messages.say(format_args!("/healthz, /readyz and /metrics at http://{}/", listener.local_addr()?));
    }
    let operate = async {
        let Some((listener, handle)) = admin else { return std::future::pending().await };
        let app = admin::router(inbox.clone(), stopping.clone(), handle.clone());
        tokio::join!(ampersand_inbox::serve(listener, app, std::future::pending()), admin::upkeep(handle));
    };
    let places: Vec<String> = endpoints.iter().map(|endpoint| format!("http://{at}{}", endpoint.path)).collect();
    let app = router(&inbox, endpoints, &problems);
    let mut retry = Retry::default();
    retry.attempts = settings.attempts;
    let worker = inbox.worker().concurrency(settings.concurrency).lease(settings.lease).retry(retry);
    let worker = worker.until(stopped(&stopping));
    let worker = match settings.resolver {
        Some(resolver) => worker.resolve(resolver),
        None => worker,
    };
    let deliver = move |incoming| {
        let forward = forward.clone();
        async move { forward.deliver(incoming).await }
    };
    messages.say(format_args!("listening at {}, until ctrl-C", places.join(" and ")));
    let receive = async {
        ampersand_inbox::serve(listener, app, stopped(&stopping)).await;
        Ok(())
    };
    tokio::select! {
        worked = async { tokio::try_join!(receive, worker.run(deliver)) } => {
            worked?;
            Ok(())
        }
        impatient = impatience(ends, stop, &messages) => impatient,
        () = operate => Ok(()),
        () = prune(&inbox, &problems) => Ok(()),
        () = watch_dead_letters(&inbox, &problems) => Ok(()),
    }
}

async fn bind(option: &str, address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{option} {address}"))
}

/// Completes when `serve` has to stop, or the sender of that message is gone.
fn stopped(stopping: &watch::Receiver<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut stopping = stopping.clone();
    async move { drop(stopping.wait_for(|stop| *stop).await) }
}

/// Starts to stop at the first signal. Returns an error at the second.
async fn impatience(mut ends: Ends, stop: watch::Sender<bool>, messages: &Messages) -> Result<()> {
    ends.next().await;
    stop.send_replace(true);
    messages.say("stopping: what is being delivered may end; ctrl-C again ends at once");
    ends.next().await;
    bail!("ended before all deliveries had: they are stored, and tried again")
}

fn router(inbox: &Inbox, endpoints: Vec<Endpoint>, problems: &Arc<Problems>) -> Router {
    let routes = endpoints.into_iter().fold(Router::new(), |router, Endpoint { name, path, verifier }| {
        let inbox = name.map_or_else(|| inbox.clone(), |name| inbox.endpoint(&name));
        router.route(&path, inbox.webhook(verifier))
    });
    let problems = problems.clone();
    routes.layer(from_fn(move |request, next| refusals(problems.clone(), request, next)))
}

/// Reports requests that are not stored.
async fn refusals(problems: Arc<Problems>, request: Request, next: Next) -> Response {
    const LONGEST: usize = 1 << 10;
    let path = request.uri().path().to_owned();
    let answer = next.run(request).await;
    let status = answer.status();
    if status.is_success() {
        return answer;
    }
    let (head, body) = answer.into_parts();
    let why = to_bytes(body, LONGEST).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&why);
    let shown = if text.is_empty() { status.canonical_reason().unwrap_or_default() } else { &*text };
    problems.say(status.as_str(), format_args!("{path}: refused with {}: {shown}", status.as_u16()));
    Response::from_parts(head, Body::from(why))
}

/// Deletes deliveries that are no longer needed, now and every hour.
async fn prune(inbox: &Inbox, problems: &Problems) {
    let mut hourly = interval(Duration::from_secs(60 * 60));
    loop {
        hourly.tick().await;
        if let Err(error) = inbox.prune().await {
            problems.say("prune", format_args!("nothing is pruned: {error}"));
        }
    }
}

/// Reports each new dead letter, and at the start how many there are.
async fn watch_dead_letters(inbox: &Inbox, problems: &Problems) {
    const MOST: usize = 100;
    const OFTEN: Duration = Duration::from_secs(1);
    let mut known: Option<Vec<Entry>> = None;
    let mut newest = None;
    loop {
        match inbox.list(State::Dead, MOST).await {
            Ok(dead) => {
                match &known {
                    Some(known) => dead.iter().rev().filter(|one| is_new(one, known, newest)).for_each(|one| {
                        problems.messages.say(format_args!("dead letter: {}", plain(&in_a_line(one))));
                    }),
                    None if dead.is_empty() => {}
                    None => problems.messages.say("there are dead letters: `ampersand inbox list` shows them"),
                }
                newest = dead.first().and_then(|one| one.finished).max(newest);
                known = Some(dead);
            }
            Err(error) => problems.say("store", error),
        }
        sleep(OFTEN).await;
    }
}

/// Returns whether a dead letter is newer than the known ones. After a replay, older ones appear in the list again.
fn is_new(one: &Entry, known: &[Entry], newest: Option<SystemTime>) -> bool {
    one.finished >= newest && !known.contains(one)
}

fn in_a_line(dead: &Entry) -> String {
    let Entry { source, id, attempts, notification_type, reason, .. } = dead;
    let (kind, reason) = (notification_type.as_deref().unwrap_or("-"), reason.as_deref().unwrap_or("-"));
    format!("{source} {id} ({kind}), {attempts} attempts: {reason}")
}
