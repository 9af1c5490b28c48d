//! `setup`, against a server that keeps what it is told to make.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use axum::{Json, response::IntoResponse, response::Response};
use serde_json::{Value, json};

use crate::command::{Run, command};

const URL: &str = "https://ada:pass@example.com/webhooks";
const SECRET: &str = "whsec_c2VjcmV0IG9mIHRoZSBkZXN0aW5hdGlvbg==";

/// What was made, by the last part of the path that it was posted to.
type Made = Arc<Mutex<BTreeMap<String, Vec<Value>>>>;

struct Api {
    url: String,
    made: Made,
    _runtime: tokio::runtime::Runtime,
}

impl Api {
    fn start() -> Self {
        let made = Made::default();
        let app = Router::new()
            .route("/projects/acme/{collection}", get(list).post(make))
            .route("/projects/acme/destinations/{name}", get(destination))
            .with_state(made.clone());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { url, made, _runtime: runtime }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let arguments: Vec<&str> =
            ["setup", "--project", "acme"].into_iter().chain(arguments.iter().copied()).collect();
        let mut command = command(&arguments);
        command.env("AMPERSAND_API_KEY", "key").env("AMPERSAND_API_URL", &self.url).output().unwrap().into()
    }

    fn made(&self) -> BTreeMap<String, Vec<Value>> {
        self.made.lock().unwrap().clone()
    }
}

async fn list(State(made): State<Made>, Path(collection): Path<String>) -> Json<Vec<Value>> {
    Json(made.lock().unwrap().get(&collection).cloned().unwrap_or_default())
}

async fn make(State(made): State<Made>, Path(collection): Path<String>, Json(sent): Json<Value>) -> Response {
    if sent["eventType"] == "refused.event" {
        let problem = Json(json!({ "title": "Unprocessable", "detail": "no such event" }));
        return (StatusCode::UNPROCESSABLE_ENTITY, [("content-type", "application/problem+json")], problem)
            .into_response();
    }
    let mut made = made.lock().unwrap();
    let there = made.entry(collection.clone()).or_default();
    let mut new = json!({ "id": format!("{}{}", &collection[..1], there.len()), "projectId": "acme", "createTime": "2026-08-19T10:00:00Z" });
    new.as_object_mut().unwrap().extend(sent.as_object().unwrap().clone());
    there.push(new.clone());
    (StatusCode::CREATED, Json(new)).into_response()
}

async fn destination(State(made): State<Made>, Path(name): Path<String>, uri: Uri) -> Json<Value> {
    let made = made.lock().unwrap();
    let mut found = made["destinations"].iter().find(|one| one["name"] == name.as_str()).unwrap().clone();
    if uri.query() == Some("includeSecrets=true") {
        found["secrets"] = json!({ "webhookSigningKey": SECRET });
    }
    Json(found)
}

#[test]
fn what_is_not_there_is_made_and_what_is_there_is_found() {
    let api = Api::start();
    let asked = ["--url", URL, "installation.updated", "installation.created", "installation.created"];
    let first = api.run(&asked);
    insta::assert_snapshot!(first);
    insta::assert_snapshot!("what_is_made", serde_json::to_string_pretty(&api.made()).unwrap());

    let (made, again) = (api.made(), api.run(&asked));
    assert_eq!((again.code, again.stdout.as_str()), (0, &*first.stdout.replace("created     ", "found       ")));
    let more = api.run(&["--url", URL, "--all", "--output", "json"]);
    assert_eq!(more.lines().iter().filter(|line| line.contains(r#""state":"created""#)).count(), 13, "{more}");
    for kind in ["destinations", "topics", "topic-destination-routes"] {
        assert_eq!(api.made()[kind], made[kind]);
    }
}

#[test]
fn a_dry_run_makes_nothing() {
    let api = Api::start();
    let dry = ["--url", URL, "connection.error", "--dry-run"];
    insta::assert_snapshot!(api.run(&dry), @"
    exit code 0
    -- stdout
    would create  destination notifications
    would create  topic notifications
    would create  route of topic notifications
    would create  route of connection.error
    -- stderr
    ");
    assert_eq!(api.made(), BTreeMap::new());

    api.run(&["--url", URL, "read.backfill.done"]);
    let made = api.made();
    insta::assert_snapshot!(api.run(&[&dry[..], &["--output", "json"]].concat()), @r#"
    exit code 0
    -- stdout
    {"kind":"destination","state":"found","id":"d0","name":"notifications"}
    {"kind":"topic","state":"found","id":"t0","name":"notifications"}
    {"kind":"topicDestinationRoute","state":"found","id":"t0","name":"notifications"}
    {"kind":"eventTopicRoute","state":"wouldBeCreated","id":null,"name":"connection.error"}
    -- stderr
    "#);
    assert_eq!(api.made(), made);
}

#[test]
fn the_secret_is_kept_for_listen_and_shown_to_nobody() {
    let (api, folder) = (Api::start(), tempfile::tempdir().unwrap());
    let file = folder.path().join("secret").to_str().unwrap().to_owned();
    let arguments = ["--url", URL, "--all", "--save-secret", &file];
    for _ in 0..2 {
        let run = api.run(&arguments);
        assert_eq!(run.code, 0, "{run}");
        assert!(!run.to_string().contains(SECRET) && !run.to_string().contains("pass"), "{run}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{SECRET}\n"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    std::fs::write(&file, "whsec_b3RoZXI=\n").unwrap();
    let run = api.run(&arguments);
    assert_eq!(run.code, 1, "{run}");
    insta::assert_snapshot!(run.stderr.replace(&file, "secret"), @"error: --save-secret secret: it holds something else: name a file that is not there, and add it yourself");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "whsec_b3RoZXI=\n");
}

#[test]
fn a_destination_of_any_type_may_be_named() {
    let api = Api::start();
    let stream =
        json!({ "id": "d", "name": "stream", "type": "kinesis", "metadata": {}, "createTime": "2026-08-19T10:00:00Z" });
    api.made.lock().unwrap().insert("destinations".to_owned(), vec![stream]);
    insta::assert_snapshot!(api.run(&["--destination", "stream", "connection.error"]), @"
    exit code 0
    -- stdout
    found         destination stream (d)
    created       topic notifications (t0)
    created       route of topic notifications (t0)
    created       route of connection.error (n0)
    -- stderr
    ");
    insta::assert_snapshot!(api.run(&["--destination", "brook", "connection.error"]), @"
    exit code 1
    -- stdout
    -- stderr
    error: the project has no destination `brook`
    ");
    insta::assert_snapshot!(api.run(&["--url", URL, "--name", "stream", "connection.error"]), @"
    exit code 1
    -- stdout
    -- stderr
    error: the project has a destination `stream` that leads elsewhere: pass another --name
    ");
}

#[test]
fn an_event_that_another_topic_leads_there_is_not_sent_twice() {
    let api = Api::start();
    api.run(&["--url", URL, "--name", "before", "connection.error"]);
    let run = api.run(&["--url", URL, "connection.error", "connection.created"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    -- stdout
    found         destination before (d0)
    created       topic notifications (t1)
    created       route of topic notifications (t1)
    created       route of connection.created (n1)
    found         route of connection.error (n0)
    -- stderr
    The signing secret is in `secrets.webhookSigningKey` of GET /projects/acme/destinations/before?includeSecrets=true; --save-secret FILE keeps it in a file
    ");
    let routes = &api.made()["notification-event-topic-routes"];
    let pairs: Vec<(&Value, &Value)> = routes.iter().map(|route| (&route["eventType"], &route["topicId"])).collect();
    assert_eq!(pairs, [(&json!("connection.error"), &json!("t0")), (&json!("connection.created"), &json!("t1"))]);
}

#[test]
fn what_fails_is_told_and_gone_on_with_later() {
    let api = Api::start();
    insta::assert_snapshot!(api.run(&["--url", URL, "connection.error", "refused.event"]), @"
    exit code 1
    -- stdout
    created       destination notifications (d0)
    created       topic notifications (t0)
    created       route of topic notifications (t0)
    created       route of connection.error (n0)
    -- stderr
    error: createEventTopicRoute: 422 Unprocessable Entity: Unprocessable: no such event
    ");
    assert_eq!(api.run(&["--url", URL, "connection.error"]).code, 0);
    assert_eq!(api.made()["destinations"].len(), 1);
}
