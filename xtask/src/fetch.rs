//! Reads the published documents. No other module uses the network.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use ureq::Agent;
use ureq::http::StatusCode;

use crate::bundle::{self, Tree};
use crate::canonical;
use crate::document;
use crate::output::Plan;
use crate::parts::Files;
use crate::sources::{CONTRACT, Contract, LOCK, Lock, Sources, sha256};

const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(30);
/// The only host that may get a GitHub token.
const GITHUB: &str = "https://api.github.com/";
/// The largest file that is read: far above any published document, and still harmless.
const LARGEST: u64 = 32 << 20;

#[derive(Args, Clone, Default)]
pub(crate) struct Options {
    /// Commit, tag or branch to read and to pin; when absent the pinned commit, and for `update` the newest.
    /// With --from, the commit that the copy was made of
    #[arg(long)]
    pub(crate) rev: Option<String>,
    /// Read a directory or a base URL that has the published layout, instead of the published repository
    #[arg(long, value_name = "DIR_OR_URL")]
    pub(crate) from: Option<String>,
    /// Leave out documents that are not there, as an older contract needs, and read a reference to what is not
    /// published as any value
    #[arg(long)]
    pub(crate) allow_missing: bool,
}

/// The files to write, notes about them, and the contract that they are made from.
pub(crate) struct Fetched {
    pub(crate) plan: Plan,
    pub(crate) notes: Vec<String>,
    pub(crate) read: Read,
}

/// A contract that was read, in memory.
pub(crate) struct Read {
    /// SHA-256 of every published file, by its path.
    pub(crate) published: BTreeMap<String, String>,
    /// The documents in canonical form, by their names here.
    pub(crate) documents: BTreeMap<String, Value>,
    /// The commit, if it is known.
    pub(crate) commit: Option<String>,
    /// A description of where the contract was read.
    pub(crate) place: String,
    notes: Vec<String>,
}

/// Reads everything, and writes nothing.
pub(crate) fn read(root: &Path, options: &Options) -> Result<Read> {
    let sources = Sources::load(root)?;
    let lock = Lock::load(root)?;
    let origin = Origin::choose(&sources, &lock, options)?;
    let (published, tree, notes) = read_all(&sources, &origin, options.allow_missing)?;

    let unchanged = published == lock.published;
    let commit = origin.commit.clone().or_else(|| lock.commit.clone().filter(|_| unchanged));
    let there = sources.documents().filter(|source| tree.contains_key(source.path));
    let documents = there.map(|source| Ok((source.name.to_owned(), bundle::bundle(source.path, &tree)?)));
    let documents = documents.collect::<Result<_>>()?;
    let place = origin.describe(commit.as_deref());
    Ok(Read { published, documents, commit, place, notes })
}

/// Reads everything, and only then plans what to write.
pub(crate) fn fetch(root: &Path, options: &Options) -> Result<Fetched> {
    let lock = Lock::load(root)?;
    let mut read = read(root, options)?;
    let mut notes = std::mem::take(&mut read.notes);
    let Read { published, documents, commit, place, .. } = &read;
    notes.push(format!("read {} files of {place}", published.len()));

    let mut plan = Plan::default();
    let mut contract = BTreeMap::new();
    for (name, document) in documents {
        let text = canonical::to_text(document)?;
        let (file, sha256) = (format!("{name}.json"), sha256(text.as_bytes()));
        let known = lock.contract.get(&file).filter(|known| known.sha256 == sha256);
        let since = known.map_or_else(|| commit.clone(), |known| known.since.clone());
        plan.add(format!("{CONTRACT}/{file}"), text);
        contract.insert(file, Contract { sha256, since });
    }
    plan.nothing_else_in(root, CONTRACT)?;
    let lock = Lock { commit: commit.clone(), published: published.clone(), contract };
    plan.add(LOCK.to_owned(), lock.to_text()?);
    Ok(Fetched { plan, notes, read })
}

type Published = (BTreeMap<String, String>, Tree, Vec<String>);

/// Reads the listed documents, and the files that they refer to.
fn read_all(sources: &Sources, origin: &Origin, allow_missing: bool) -> Result<Published> {
    let progress = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{spinner} {pos} {msg}").context("a template that indicatif reads")?);
    let (mut published, mut notes) = (BTreeMap::new(), Vec::new());
    let mut files = Files::new(sources.words, allow_missing, |path: &str, by: Option<&str>| {
        progress.set_message(path.to_owned());
        progress.inc(1);
        let bytes = match (origin.read(path)?, by) {
            (Some(bytes), _) => bytes,
            (None, None) => return Ok(None),
            (None, Some(by)) => bail!("{path}: not found in {}; {by} asks for it", origin.place(path)),
        };
        published.insert(path.to_owned(), sha256(&bytes));
        document::parse(path, &bytes).map(Some)
    });
    for source in sources.documents() {
        let by = (!source.optional && !allow_missing).then_some("openapi/sources.toml");
        if !files.add(source.path, by)? {
            notes.push(format!("warning: {} is not there, and is left out", source.path));
        }
    }
    let (tree, more) = files.finish();
    notes.extend(more);
    progress.finish_and_clear();
    Ok((published, tree, notes))
}

/// Where the published documents are read from.
struct Origin {
    /// The URL or the path of a file, with `{path}` in it.
    files: String,
    /// The commit that is read, if it is known.
    commit: Option<String>,
    /// Where a copy is, in words; empty for the published repository.
    place: String,
    /// `None` for a directory.
    agent: Option<Agent>,
}

impl Origin {
    fn choose(sources: &Sources, lock: &Lock, options: &Options) -> Result<Self> {
        if let Some(rev) = &options.rev {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            if rev.is_empty() || !rev.chars().all(plain) {
                bail!("--rev {rev:?} is not the name of a commit, tag or branch");
            }
            if options.from.is_some() && !is_commit(rev) {
                bail!("--rev {rev}: a copy is of one commit, which is to be given by the 40 digits of its SHA");
            }
        }
        let Some(base) = &options.from else {
            let agent = agent();
            let commit = match (&options.rev, &lock.commit) {
                (Some(rev), _) => resolve(&agent, &sources.revisions, rev)?,
                (None, Some(commit)) => commit.clone(),
                (None, None) => bail!("{LOCK} pins no commit: say which with --rev"),
            };
            let files = sources.files.replace("{commit}", &commit);
            return Ok(Self { files, commit: Some(commit), place: String::new(), agent: Some(agent) });
        };
        let is_url = base.contains("://");
        if is_url && !base.starts_with("http") {
            bail!("--from {base}: a folder, or a URL that begins with https:// or http://, is expected");
        }
        if !is_url && !Path::new(base).is_dir() {
            bail!("--from {base}: no such directory");
        }
        let folder = base.trim_end_matches('/');
        let place = if is_url { format!(" at {folder}") } else { format!(" in {base}") };
        let files = format!("{folder}/{{path}}");
        Ok(Self { files, commit: options.rev.clone(), place, agent: is_url.then(agent) })
    }

    fn describe(&self, commit: Option<&str>) -> String {
        let commit = commit.map_or_else(|| "an unknown commit".to_owned(), |commit| format!("commit {commit}"));
        commit + &self.place
    }

    /// Returns the URL or the path of a published file.
    fn place(&self, path: &str) -> String {
        self.files.replace("{path}", path)
    }

    /// Returns the bytes of a published file; `None` if there is no such file.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let place = self.place(path);
        match &self.agent {
            Some(agent) => get(agent, &place, "*/*", None),
            None => match std::fs::read(&place) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error).context(place),
            },
        }
    }
}

fn agent() -> Agent {
    Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).user_agent("xtask").build().into()
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the commit that a tag or a branch stands for now.
fn resolve(agent: &Agent, revisions: &str, rev: &str) -> Result<String> {
    if is_commit(rev) {
        return Ok(rev.to_owned());
    }
    let url = revisions.replace("{rev}", rev);
    // Without a token, the API only answers a few dozen times an hour for a whole network of runners.
    let token = std::env::var("GITHUB_TOKEN").ok().filter(|token| !token.is_empty() && url.starts_with(GITHUB));
    let Some(answer) = get(agent, &url, "application/vnd.github.sha", token.as_deref())? else {
        bail!("{url}: the published repository has no commit, tag or branch {rev:?}");
    };
    let commit = String::from_utf8_lossy(&answer).trim().to_owned();
    if !is_commit(&commit) {
        bail!("{url}: the answer is not a commit's SHA");
    }
    Ok(commit)
}

/// Gets a URL. Tries again if the failure may pass, after a pause that doubles.
fn get(agent: &Agent, url: &str, accept: &str, token: Option<&str>) -> Result<Option<Vec<u8>>> {
    let (mut tries, mut pause) = (1, FIRST_PAUSE);
    loop {
        let mut request = agent.get(url).header("accept", accept);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let failure = match request.call() {
            Ok(mut response) => match response.status() {
                StatusCode::OK => match response.body_mut().with_config().limit(LARGEST).read_to_vec() {
                    Ok(bytes) => return Ok(Some(bytes)),
                    Err(error) => error.to_string(),
                },
                StatusCode::NOT_FOUND => return Ok(None),
                status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => status.to_string(),
                status => bail!("{url}: the server answered {status}"),
            },
            Err(error) => error.to_string(),
        };
        if tries == TRIES {
            bail!("{url}: {failure}, {tries} times");
        }
        std::thread::sleep(pause);
        (tries, pause) = (tries + 1, pause * 2);
    }
}
