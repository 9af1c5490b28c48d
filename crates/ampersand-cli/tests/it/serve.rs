//! `serve` runs the inbox beside an application.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ampersand_testing::{Fixture, Sent, UrlServer};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use standardwebhooks::Webhook;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::command::{Run, command, run};
use crate::listen::SECRET;

const SIGN: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// An application that records the requests that it receives.
pub(crate) struct App {
    pub(crate) url: String,
    behaviour: Arc<Behaviour>,
    /// The application ends with this runtime.
    _runtime: Runtime,
}

#[derive(Default)]
struct Behaviour {
    got: Mutex<Vec<(HeaderMap, Bytes)>>,
    /// The number of requests that are answered with 500.
    failures: AtomicUsize,
    /// Whether requests get no response.
    hangs: AtomicBool,
}

async fn take(State(app): State<Arc<Behaviour>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    app.got.lock().unwrap().push((headers, body));
    while app.hangs.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let fails = app.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    if fails { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

impl App {
    pub(crate) fn start() -> Self {
        let (runtime, behaviour) = (runtime(), Arc::new(Behaviour::default()));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(behaviour.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, behaviour, _runtime: runtime }
    }

    pub(crate) fn fails(self, times: usize) -> Self {
        self.behaviour.failures.store(times, Ordering::SeqCst);
        self
    }

    fn hangs(&self, hangs: bool) {
        self.behaviour.hangs.store(hangs, Ordering::SeqCst);
    }

    /// Returns the received requests, once there are this many.
    pub(crate) fn got(&self, count: usize) -> Vec<(HeaderMap, Bytes)> {
        until("deliveries", || self.behaviour.got.lock().unwrap().len() >= count);
        self.behaviour.got.lock().unwrap().clone()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} did not come");
        thread::sleep(Duration::from_millis(30));
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers[name].to_str().unwrap()
}

/// `ampersand serve` on free ports, with its files in a folder.
pub(crate) struct Serve {
    child: Child,
    /// The output on stderr so far.
    said: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
    urls: Vec<String>,
    admin: String,
}

impl Serve {
    /// Starts `serve` with the secret `SECRET`, on a store in the folder.
    pub(crate) fn start(folder: &TempDir, arguments: &[&str]) -> Self {
        let secret = path(folder, "secret", SECRET);
        Self::spawn(folder, &[&["--secret-file", &secret], arguments].concat())
    }

    fn spawn(folder: &TempDir, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--address", "0", "--admin", "0"], arguments].concat();
        let mut child = command(&arguments)
            .current_dir(folder.path())
            .env("EU_SECRET", format!("{SIGN}, {SECRET}"))
            .env("US_SECRET", SIGN)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let said = Arc::new(Mutex::new(String::new()));
        let reader = thread::spawn({
            let said = said.clone();
            move || stderr.lines().for_each(|line| *said.lock().unwrap() += &(line.unwrap() + "\n"))
        });
        let mut serve = Self { child, said, reader, urls: Vec::new(), admin: String::new() };
        serve.until_said(", until ctrl-C\n");
        let said = serve.said();
        let after = |start: &str, end| said.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned();
        serve.admin = after("/metrics at ", "\n");
        serve.urls = after("listening at ", ",").split(" and ").map(str::to_owned).collect();
        serve
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn until_said(&self, text: &str) {
        until(text, || self.said.lock().unwrap().contains(text));
    }

    /// Sends a webhook, and returns the status of the response.
    pub(crate) fn post(&self, sent: &Sent) -> u16 {
        post(&self.urls[0], sent)
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    fn end(mut self) -> Run {
        self.reader.join().unwrap();
        let (code, stderr) = (self.child.wait().unwrap().code().unwrap_or(-1), self.said.lock().unwrap().clone());
        Run { code, stdout: String::new(), stderr }
    }

    pub(crate) fn terminate(self) -> Run {
        self.signal("-TERM");
        self.end()
    }
}

fn post(url: &str, Sent { headers, body }: &Sent) -> u16 {
    test_support::tls::install();
    let request = reqwest::Client::new().post(url).body(body.clone());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    runtime().block_on(request.send()).unwrap().status().as_u16()
}

fn get(url: &str) -> (u16, String) {
    test_support::tls::install();
    runtime().block_on(async {
        let answer = reqwest::get(url).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

/// Returns webhooks of different installations, signed now.
fn signed(count: u64) -> impl Iterator<Item = Sent> {
    (0..count).map(|seed| Fixture::seeded("connection.error", seed).signed_now(SECRET).unwrap())
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn path(folder: &TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn store(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("inbox.db").display())
}

fn status(folder: &TempDir) -> String {
    status_of(&store(folder))
}

fn status_of(store: &str) -> String {
    run(&["inbox", "status", "--store", store]).stdout
}

#[test]
fn a_delivery_arrives_as_a_standard_webhook_that_another_library_verifies() {
    let (folder, app) = (folder(), App::start());
    let sign = path(&folder, "sign", SIGN);
    let serve = Serve::start(&folder, &["--forward", &app.url, "--sign-file", &sign]);
    let sent = Fixture::new("installation.created").signed_now(SECRET).unwrap();
    assert_eq!((serve.post(&sent), serve.post(&sent)), (204, 204), "a repeat is acknowledged");

    let (headers, body) = app.got(1).remove(0);
    assert_eq!(body, sent.body, "to the byte");
    Webhook::new(SIGN).unwrap().verify(&body, &headers).unwrap();
    assert_eq!(header(&headers, "webhook-id"), sent.headers["svix-id"]);
    assert_eq!(header(&headers, "content-type"), "application/json");
    assert_eq!(header(&headers, "ampersand-source"), "webhook");
    assert_eq!(header(&headers, "ampersand-attempt"), "1");
    until("the end", || status(&folder).contains("1 done"));
    let ended = serve.terminate();
    assert_eq!((ended.code, app.got(1).len()), (0, 1), "a repeat is not delivered: {ended}");
}

#[test]
fn what_the_application_does_not_take_comes_again() {
    let (folder, app) = (folder(), App::start().fails(2));
    let serve = Serve::start(&folder, &["--forward", &app.url]);
    signed(1).for_each(|sent| assert_eq!(serve.post(&sent), 204));
    let attempts: Vec<String> =
        app.got(3).iter().map(|(headers, _)| header(headers, "ampersand-attempt").to_owned()).collect();
    assert_eq!(attempts, ["1", "2", "3"]);
    until("the end", || status(&folder).contains("1 done"));
    let ended = serve.terminate();
    assert!(ended.stderr.contains(", attempt 1: the application answered 500\n"), "{ended}");
    assert!(!ended.stderr.contains("attempt 2"), "the same is not said again at once: {ended}");
}

#[test]
fn what_the_application_never_takes_is_given_up_and_told_of() {
    let (folder, app) = (folder(), App::start().fails(9));
    let serve = Serve::start(&folder, &["--forward", &app.url, "--attempts", "2"]);
    signed(1).for_each(|sent| assert_eq!(serve.post(&sent), 204));
    serve.until_said("(connection.error), 2 attempts: the application answered 500\n");
    assert_eq!(status(&folder), "0 ready; 0 claimed; 0 done; 1 dead\n");
    assert_eq!(serve.terminate().code, 0);
}

#[test]
fn a_redirect_is_no_success_and_is_not_followed() {
    let (folder, elsewhere) = (folder(), App::start());
    let runtime = runtime();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let to = elsewhere.url.clone();
    let redirects = Router::new().fallback(async move || axum::response::Redirect::temporary(&to));
    runtime.spawn(async move { axum::serve(listener, redirects).await });
    let serve = Serve::start(&folder, &["--forward", &url]);
    signed(1).for_each(|sent| assert_eq!(serve.post(&sent), 204));
    serve.until_said("the application answered 307");
    assert!(elsewhere.behaviour.got.lock().unwrap().is_empty());
    assert_eq!(serve.terminate().code, 0);
}

#[test]
fn nothing_is_lost_when_the_process_is_killed() {
    let folder = folder();
    nothing_is_lost(&folder, &store(&folder));
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "run by `cargo xtask peers`"]
fn nothing_in_postgres_is_lost_when_the_process_is_killed() {
    let server = std::env::var("PEERS_POSTGRES").expect("run by `cargo xtask peers`");
    nothing_is_lost(&folder(), &format!("{server}/postgres"));
}

fn nothing_is_lost(folder: &TempDir, store: &str) {
    let app = App::start();
    app.hangs(true);
    let arguments = ["--forward", &app.url, "--store", store, "--lease", "1", "--concurrency", "4"];
    let mut serve = Serve::start(folder, &arguments);
    let sent: Vec<Sent> = signed(20).collect();
    sent.iter().for_each(|sent| assert_eq!(serve.post(sent), 204));
    app.got(4); // some are being delivered, and some wait
    serve.child.kill().unwrap();
    serve.child.wait().unwrap();

    app.hangs(false);
    let serve = Serve::start(folder, &arguments);
    until("all", || status_of(store).contains("20 done"));
    let ids: BTreeSet<String> =
        app.got(20).iter().map(|(headers, _)| header(headers, "webhook-id").to_owned()).collect();
    assert_eq!(ids, sent.iter().map(|sent| sent.headers["svix-id"].clone()).collect());
    assert_eq!(serve.terminate().code, 0);
}

#[test]
fn at_a_first_signal_what_is_being_delivered_ends() {
    let (folder, app) = (folder(), App::start());
    app.hangs(true);
    let serve = Serve::start(&folder, &["--forward", &app.url]);
    signed(1).for_each(|sent| assert_eq!(serve.post(&sent), 204));
    app.got(1);
    serve.signal("-TERM");
    serve.until_said("stopping: ");
    let (code, why) = get(&format!("{}readyz", serve.admin));
    assert_eq!((code, why.as_str()), (503, "it is stopping\n"));
    app.hangs(false);
    let ended = serve.end();
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(status(&folder), "0 ready; 0 claimed; 1 done; 0 dead\n");
}

#[test]
fn at_a_second_signal_it_ends_at_once() {
    let (folder, app) = (folder(), App::start());
    app.hangs(true);
    let serve = Serve::start(&folder, &["--forward", &app.url]);
    signed(1).for_each(|sent| assert_eq!(serve.post(&sent), 204));
    app.got(1);
    let begun = Instant::now();
    serve.signal("-INT");
    serve.until_said("stopping: ");
    serve.signal("-INT");
    let ended = serve.end();
    assert!(begun.elapsed() < Duration::from_secs(3), "{ended}");
    assert_eq!(ended.code, 1, "{ended}");
    insta::assert_snapshot!(ended.stderr.split_once("until ctrl-C\n").unwrap().1, @r"
    stopping: what is being delivered may end; ctrl-C again ends at once
    error: ended before all deliveries had: they are stored, and tried again
    ");
}

#[test]
fn a_file_of_settings_may_name_several_endpoints() {
    let (folder, app) = (folder(), App::start());
    fs::write(folder.path().join("us"), SIGN).unwrap();
    let url = &app.url;
    let config = format!(
        "forward = \"{url}\"\nstore = \"sqlite:inbox.db\"\n
         [[endpoint]]\nname = \"eu\"\npath = \"/eu\"\nsecret_env = \"EU_SECRET\"\n
         [[endpoint]]\nname = \"us\"\npath = \"/us\"\nsecret_file = \"us\"\n"
    );
    let serve = Serve::spawn(&folder, &["--config", &path(&folder, "serve.toml", &config)]);
    let [eu, us] = &serve.urls[..] else { panic!("{}", serve.said()) };
    let sent = signed(1).next().unwrap();
    assert_eq!((post(eu, &sent), post(us, &sent)), (204, 401));
    assert_eq!(post(&us.replace("/us", "/"), &sent), 404);
    assert_eq!(header(&app.got(1)[0].0, "ampersand-source"), "webhook:eu");
    until("the end", || status(&folder).contains("1 done"));
    let ended = serve.terminate();
    assert!(ended.stderr.contains("/us: refused with 401: the signature is wrong"), "{ended}");
}

#[test]
fn the_file_of_settings_in_the_documentation_can_be_used() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/receive-in-production.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, block) = page.split_once("```text\n").unwrap();
    let folder = folder();
    path(&folder, "serve.toml", block.split_once("```").unwrap().0);
    path(&folder, "sign-secret", SIGN);
    path(&folder, "eu-secret", SECRET);
    let serve = Serve::spawn(&folder, &["--config", "serve.toml"]);
    assert_eq!(serve.urls.len(), 2);
    assert_eq!(post(&serve.urls[0], &signed(1).next().unwrap()), 204);
    assert_eq!(serve.terminate().code, 0);
}

#[test]
fn operators_see_whether_it_is_ready_and_what_it_does() {
    let (folder, app) = (folder(), App::start().fails(1));
    let serve = Serve::start(&folder, &["--forward", &app.url]);
    let admin = |path: &str| get(&format!("{}{path}", serve.admin));
    assert_eq!(admin("healthz"), (200, "alive\n".to_owned()));
    assert_eq!(admin("readyz"), (200, "ready\n".to_owned()));
    signed(1).for_each(|sent| assert_eq!(serve.post(&sent), 204));
    until("the end", || status(&folder).contains("1 done"));
    let (code, metrics) = admin("metrics");
    assert_eq!(code, 200);
    for line in [
        "# TYPE ampersand_inbox_attempt_seconds histogram",
        "ampersand_inbox_put_seconds_bucket{le=\"10\"} 1",
        "ampersand_inbox_puts_total{result=\"stored\"} 1",
        "ampersand_inbox_attempts_total{result=\"retry\"} 1",
        "ampersand_inbox_attempts_total{result=\"done\"} 1",
        "ampersand_inbox_deliveries{state=\"ready\"} 0",
    ] {
        assert!(metrics.lines().any(|there| there == line), "{line}: {metrics}");
    }
    assert_eq!(serve.terminate().code, 0);
}

#[test]
fn what_cannot_be_read_is_told_of_as_a_dead_letter() {
    let (folder, app) = (folder(), App::start());
    let serve = Serve::start(&folder, &["--forward", &app.url]);
    let broken = Fixture::new("connection.error").set("projectId", 7).with_id("msg_1");
    assert_eq!(serve.post(&broken.signed_now(SECRET).unwrap()), 204);
    serve.until_said("dead letter: webhook msg_");
    let ended = serve.terminate();
    assert!(ended.stderr.contains("0 attempts: not a `connection.error`: at $.data.projectId"), "{ended}");
    let serve = Serve::start(&folder, &["--forward", &app.url]);
    serve.until_said("there are dead letters: `ampersand inbox list` shows them");
    assert_eq!(serve.terminate().code, 0);
}

#[test]
fn what_was_too_large_to_send_is_put_in() {
    let (folder, app, files) = (folder(), App::start(), UrlServer::start().unwrap());
    let sign = path(&folder, "sign", SIGN);
    let arguments = ["--forward", &app.url, "--sign-file", &sign, "--resolve", "--allow-http", "--allow-private"];
    let serve = Serve::start(&folder, &arguments);
    let config = r#"{"provider":  "hubspot"}"#;
    let sent = Fixture::new("installation.created").too_large(&files.url(config)).signed_now(SECRET).unwrap();
    let records = Fixture::records().too_large(&files.url(r#"[{"id":"1"}]"#)).signed_now(SECRET).unwrap();
    let lost = Fixture::new("read.schedule.paused").too_large(&files.expired()).signed_now(SECRET).unwrap();
    for sent in [&sent, &records, &lost] {
        assert_eq!(serve.post(sent), 204);
    }
    let bodies: Vec<String> = app
        .got(3)
        .iter()
        .map(|(headers, body)| {
            Webhook::new(SIGN).unwrap().verify(body, headers).unwrap();
            String::from_utf8(body.to_vec()).unwrap()
        })
        .collect();
    let came = String::from_utf8(sent.body).unwrap();
    let filled = bodies.iter().find(|body| body.contains("installation.created")).unwrap();
    assert_eq!(
        filled.replace(config, "{}").replace(&format!(",\"config\":{config}"), ""),
        came,
        "nothing else changes"
    );
    assert!(filled.contains(config), "{filled}");
    assert!(bodies.iter().any(|body| body.contains(r#""result":[{"id":"1"}]"#)), "{bodies:?}");
    assert!(bodies.contains(&String::from_utf8(lost.body).unwrap()), "what is lost is left as it came");
    assert_eq!(serve.terminate().code, 0);
}

#[test]
fn a_store_that_is_none_is_refused_without_its_password() {
    let folder = folder();
    let secret = path(&folder, "secret", SECRET);
    let serve = ["serve", "--secret-file", &secret, "--forward", "http://localhost/", "--admin", "none", "--store"];
    let refused = |url| Run::from(command(&[&serve[..], &[url]].concat()).output().unwrap());
    let unknown = refused("mysql://user:hunter2@host/db");
    assert_eq!(unknown.code, 2, "{unknown}");
    let expected = "error: `mysql://…@host/db` is no URL of a store: write `sqlite:` and the path of a file";
    assert!(unknown.stderr.starts_with(expected), "{unknown}");
    if cfg!(not(feature = "postgres")) {
        let other = refused("postgres://user:hunter2@host/db");
        assert_eq!(other.code, 2, "{other}");
        assert!(other.stderr.contains("install ampersand-cli with `--features postgres`"), "{other}");
        assert!(!other.stderr.contains("hunter2"), "{other}");
    }
}

#[test]
fn settings_that_cannot_be_used_are_refused_with_what_to_do() {
    let folder = folder();
    let forward = "forward = \"http://localhost:3000/\"\n";
    let endpoint = |name: &str, path: &str, more: &str| {
        format!("{forward}[[endpoint]]\nname = \"{name}\"\npath = \"{path}\"\n{more}\n")
    };
    let secret = path(&folder, "secret", SECRET);
    let mut shown = String::new();
    for config in [
        format!("{forward}stroe = \"postgres://user:hunter2@host/db\"\n"),
        format!("{forward}concurrency = 0\n"),
        format!("{forward}concurrency = \"postgres://user:hunter2@host/db\"\n"),
        "forward = \"localhost\"\n".to_owned(),
        format!("{forward}address = \"here\"\n"),
        format!("{forward}admin = \"off\"\n"),
        format!("{forward}sign_file = \"no-such-file\"\n"),
        "forward = \n".to_owned(),
        format!("{forward}[[endpoint]]\nname = \"eu\"\npath = \"/eu\"\nsecret = \"{SECRET}\"\n"),
        endpoint("eu", "/eu", ""),
        endpoint("eu", "/eu", "secret_env = \"NO_SUCH_VARIABLE\""),
        endpoint("eu", "/eu", "secret_env = \"whsec_hunter2\""),
        endpoint("eu", "/eu", "secret_file = \"whsec_hunter2\""),
        endpoint("eu", "eu", "secret_file = \"secret\""),
        endpoint("eu", "/{eu}", "secret_file = \"secret\""),
        endpoint("e:u", "/eu", "secret_file = \"secret\""),
        endpoint("eu", "/eu", "secret_file = \"serve.toml\""),
        endpoint("eu", "/eu", "secret_file = \"secret\"")
            + "[[endpoint]]\nname = \"us\"\npath = \"/eu\"\nsecret_file = \"secret\"",
        forward.to_owned(), // and no secret
    ] {
        path(&folder, "serve.toml", &config);
        let refused = command(&["serve", "--config", "serve.toml", "--address", "0", "--admin", "none"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let refused = Run::from(refused);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{config}{refused}");
        assert!(!refused.stderr.contains("hunter2"), "{refused}");
        shown += &refused.stderr;
    }
    for arguments in [
        &["--secret-file", &secret][..],
        &["--secret-file", &secret, "--forward", "localhost"],
        &["--secret-file", &secret, "--forward", "https://example.com/", "--insecure"],
        &["--forward", "http://localhost/", "--config", "no-such-file.toml"],
    ] {
        let arguments = [&["serve", "--address", "0", "--admin", "none"], arguments].concat();
        let refused = Run::from(command(&arguments).current_dir(folder.path()).output().unwrap());
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{refused}");
        assert!(!refused.stderr.contains("hunter2"), "{refused}");
        shown += &refused.stderr;
    }
    assert!(!folder.path().join("inbox.db").exists());
    insta::assert_snapshot!(shown);
}

#[test]
fn who_forwards_unsigned_to_another_machine_is_warned() {
    let folder = folder();
    let said = |arguments: &[&str]| {
        let mut serve = Serve::start(&folder, arguments);
        serve.child.kill().unwrap();
        serve.said().contains("WARNING: the application cannot tell who sends to it")
    };
    let sign = path(&folder, "sign", SIGN);
    assert!(said(&["--forward", "http://192.0.2.1/"]));
    assert!(!said(&["--forward", "http://192.0.2.1/", "--sign-file", &sign]));
    assert!(!said(&["--forward", "http://localhost:1/"]));
}
