//! Kills an inbox, and shows that it loses nothing.

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ampersand_notifications::Verifier;
use ampersand_testing::{Fixture, Sent};
use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use futures_util::{StreamExt as _, stream};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::setting::{PATIENCE, SECRET};
use crate::output::Messages;

const DELIVERIES: u64 = 200;
/// The demo kills it after this number of acknowledgements.
const KILLS: [usize; 2] = [50, 120];
const AT_ONCE: usize = 16;

/// The secret with which the inbox signs for the application. It is public, too.
const SIGN: &str = "whsec_YW5vdGhlciBzZWNyZXQgb2YgdGhlIGRlbW9uc3RyYXRpb24=";

/// The number of times that the application received each delivery, by its id.
type Got = Arc<Mutex<HashMap<String, usize>>>;

/// Sends deliveries through `ampersand serve`, kills it twice meanwhile, and counts what the application receives.
pub(super) async fn demonstrate(client: &Client, messages: &Messages) -> Result<()> {
    let got = Got::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.context("the application")?;
    let forward = format!("http://{}/", listener.local_addr()?);
    let app = Router::new().route("/", post(take)).with_state((Verifier::new(SIGN)?, got.clone()));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let folder = Folder::new().context("a folder for the inbox")?;
    let (mut inbox, mut acknowledged, mut kills) = (folder.start(&forward)?, HashSet::new(), 0);
    let mut left: Vec<Sent> = signed()?;
    while !left.is_empty() {
        let url = inbox.url.clone();
        let sends = left.iter().map(|sent| send(client, &url, sent));
        let mut sends = stream::iter(sends).buffer_unordered(AT_ONCE);
        while let Some(id) = sends.next().await {
            acknowledged.extend(id);
            if KILLS.get(kills).is_some_and(|after| acknowledged.len() >= *after) {
                kills += 1;
                drop(inbox); // by SIGKILL
                inbox = folder.start(&forward)?;
                break; // unacknowledged webhooks are sent again
            }
        }
        drop(sends);
        left.retain(|sent| !id_of(sent).is_some_and(|id| acknowledged.contains(id)));
    }
    let arrive = async {
        while lock(&got).len() < acknowledged.len() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    drop(timeout(PATIENCE, arrive).await);
    let got = lock(&got).clone();
    let lost = acknowledged.iter().filter(|id| !got.contains_key(*id)).count();
    let twice = match got.values().filter(|times| **times > 1).count() {
        0 => "none came twice".to_owned(),
        twice => format!("{twice} came twice, with the same id"),
    };
    ensure!(lost == 0, "{lost} deliveries were acknowledged and lost");
    messages.say(format_args!(
        "{DELIVERIES} deliveries through an inbox that was killed {kills} times: none lost; {twice}"
    ));
    Ok(())
}

/// The application: verifies requests, and counts them by id.
async fn take(State((verifier, got)): State<(Verifier, Got)>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(verified) = verifier.verify(&headers, &*body) else { return StatusCode::UNAUTHORIZED };
    *lock(&got).entry(verified.id.to_owned()).or_default() += 1;
    sleep(Duration::from_millis(5)).await; // so that some requests are in progress when the inbox is killed
    StatusCode::OK
}

fn lock(got: &Got) -> std::sync::MutexGuard<'_, HashMap<String, usize>> {
    got.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signed() -> Result<Vec<Sent>> {
    (0..DELIVERIES).map(|seed| Ok(Fixture::seeded("connection.error", seed).signed_now(SECRET)?)).collect()
}

fn id_of(sent: &Sent) -> Option<&str> {
    sent.headers.get("svix-id").map(String::as_str)
}

/// Sends a webhook, and returns its id if it was acknowledged.
async fn send(client: &Client, url: &str, sent: &Sent) -> Option<String> {
    let request = client.post(url).body(sent.body.clone());
    let request = sent.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    let is_acknowledged = request.send().await.is_ok_and(|answer| answer.status().is_success());
    id_of(sent).filter(|_| is_acknowledged).map(str::to_owned)
}

/// A folder for the store and the secrets, which is deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let name = format!("ampersand-demo-{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
        let path = std::env::temp_dir().join(name);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        let folder = Self(path);
        fs::write(folder.0.join("secret"), SECRET)?;
        fs::write(folder.0.join("sign"), SIGN)?;
        Ok(folder)
    }

    /// Starts `ampersand serve` in the folder.
    fn start(&self, forward: &str) -> Result<Inbox> {
        let mut command = Command::new(std::env::current_exe().context("this program")?);
        command.args(["serve", "--address", "0", "--admin", "none", "--store", "sqlite:inbox.db", "--lease", "1"]);
        command.args(["--secret-file", "secret", "--sign-file", "sign", "--forward", forward]);
        command.current_dir(&self.0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut inbox = Inbox { child: command.spawn().context("the inbox")?, url: String::new() };
        let said = inbox.child.stderr.take().context("the inbox")?;
        for line in BufReader::new(said).lines() {
            let line = line.context("the inbox")?;
            if let Some((url, _)) = line.strip_prefix("listening at ").and_then(|rest| rest.split_once(',')) {
                inbox.url = url.to_owned();
                return Ok(inbox);
            }
        }
        anyhow::bail!("the inbox did not start")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A process that is killed when it is dropped, without a chance to react.
struct Inbox {
    child: Child,
    url: String,
}

impl Drop for Inbox {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
