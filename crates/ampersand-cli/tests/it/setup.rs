//! `setup` runs against an API that stores what requests create.

use ampersand_client::Host;
use ampersand_client::types::DestinationWithSecrets;
use ampersand_testing::api::Sample;
use ampersand_testing::fake_api::FakeApi;
use serde_json::{Value, json};

use crate::command::{Run, command};

const URL: &str = "https://ada:pass@example.com/webhooks";

fn run(api: &FakeApi, arguments: &[&str]) -> Run {
    let mut command = command(arguments);
    command.env("AMPERSAND_API_KEY", "key").env("AMPERSAND_API_URL", api.url(Host::Api)).output().unwrap().into()
}

fn setup(api: &FakeApi, arguments: &[&str]) -> Run {
    run(api, &[&["setup", "--project", "acme"], arguments].concat())
}

/// Returns the operation and the body of each create request, in order.
fn created(api: &FakeApi) -> Vec<Value> {
    let requests = api.requests().into_iter().filter(|request| request.method == "POST");
    requests.map(|request| json!({ "operation": request.operation, "body": request.body })).collect()
}

#[test]
fn what_is_not_there_is_made_and_what_is_there_is_found() {
    let api = FakeApi::keeping().unwrap();
    let asked = ["--url", URL, "installation.updated", "installation.created", "installation.created"];
    let first = setup(&api, &asked);
    insta::assert_snapshot!(first);
    let once = created(&api);
    insta::assert_snapshot!("what_is_made", serde_json::to_string_pretty(&once).unwrap());

    let again = setup(&api, &asked);
    assert_eq!((again.code, again.stdout.as_str()), (0, &*first.stdout.replace("created     ", "found       ")));
    let more = setup(&api, &["--url", URL, "--all", "--output", "json"]);
    assert_eq!(more.lines().iter().filter(|line| line.contains(r#""state":"created""#)).count(), 13, "{more}");
    let more = created(&api).split_off(once.len());
    assert_eq!(more.len(), 13);
    assert!(more.iter().all(|made| made["operation"] == "createEventTopicRoute"), "{more:?}");
}

#[test]
fn a_dry_run_makes_nothing() {
    let api = FakeApi::keeping().unwrap();
    let dry = ["--url", URL, "connection.error", "--dry-run"];
    insta::assert_snapshot!(setup(&api, &dry), @"
    exit code 0
    -- stdout
    would create  destination notifications
    would create  topic notifications
    would create  route of topic notifications
    would create  route of connection.error
    -- stderr
    ");
    assert_eq!(created(&api), [Value::Null; 0]);

    setup(&api, &["--url", URL, "read.backfill.done"]);
    let made = created(&api);
    insta::assert_snapshot!(setup(&api, &[&dry[..], &["--output", "json"]].concat()), @r#"
    exit code 0
    -- stdout
    {"kind":"destination","state":"found","id":"c2b1897c-faef-45f0-a043-92d7845c4148-1","name":"notifications"}
    {"kind":"topic","state":"found","id":"dcdd5c62-b720-41ac-af77-f330a2e96c4d-1","name":"notifications"}
    {"kind":"topicDestinationRoute","state":"found","id":"8ff892a0-a089-4ff1-a659-05bc7aaf6aa1-1","name":"notifications"}
    {"kind":"eventTopicRoute","state":"wouldBeCreated","id":null,"name":"connection.error"}
    -- stderr
    "#);
    assert_eq!(created(&api), made);
}

#[test]
fn the_secret_is_kept_for_listen_and_shown_to_nobody() {
    const SECRET: &str = "whsec_c2VjcmV0IG9mIHRoZSBkZXN0aW5hdGlvbg==";
    let (api, folder) = (FakeApi::keeping().unwrap(), tempfile::tempdir().unwrap());
    let secrets = json!({ "webhookSigningKey": SECRET });
    api.on("getDestination").answer(Sample::<DestinationWithSecrets>::new().set("secrets", secrets).data());
    let file = folder.path().join("secret").to_str().unwrap().to_owned();
    let arguments = ["--url", URL, "--all", "--save-secret", &file];
    for _ in 0..2 {
        let run = setup(&api, &arguments);
        assert_eq!(run.code, 0, "{run}");
        assert!(!run.to_string().contains(SECRET) && !run.to_string().contains("pass"), "{run}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{SECRET}\n"));
        let last = api.requests().pop().unwrap();
        assert_eq!((&*last.path, last.query.len()), ("/projects/acme/destinations/notifications", 1));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // An earlier run may have found the disk full.
    std::fs::write(&file, "").unwrap();
    assert_eq!(setup(&api, &arguments).code, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{SECRET}\n"));
    let device = setup(&api, &["--url", URL, "--all", "--save-secret", "/dev/null"]);
    assert!(device.stderr.contains("--save-secret /dev/null: it is no file"), "{device}");

    std::fs::write(&file, "whsec_b3RoZXI=\n").unwrap();
    let run = setup(&api, &arguments);
    assert_eq!(run.code, 1, "{run}");
    insta::assert_snapshot!(run.stderr.replace(&file, "secret"), @"error: --save-secret secret: it holds something else: name a file that is not there");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "whsec_b3RoZXI=\n");
}

#[test]
fn a_destination_of_any_type_may_be_named() {
    let api = FakeApi::keeping().unwrap();
    let stream = ["--name", "stream", "--type", "kinesis", "--set", "metadata={}"];
    assert_eq!(run(&api, &[&["api", "create-destination", "--project", "acme"], &stream[..]].concat()).code, 0);
    insta::assert_snapshot!(setup(&api, &["--destination", "stream", "connection.error"]), @"
    exit code 0
    -- stdout
    found         destination stream (c2b1897c-faef-45f0-a043-92d7845c4148-1)
    created       topic notifications (dcdd5c62-b720-41ac-af77-f330a2e96c4d-1)
    created       route of topic notifications (8ff892a0-a089-4ff1-a659-05bc7aaf6aa1-1)
    created       route of connection.error (0774b401-4216-423d-aa1e-fc81f094e1ec-1)
    -- stderr
    ");
    insta::assert_snapshot!(setup(&api, &["--destination", "brook", "connection.error"]), @"
    exit code 1
    -- stdout
    -- stderr
    error: the project has no destination `brook`
    ");
    insta::assert_snapshot!(setup(&api, &["--url", URL, "--name", "stream", "connection.error"]), @"
    exit code 1
    -- stdout
    -- stderr
    error: the project has a destination `stream` that leads elsewhere: pass another --name
    ");
}

#[test]
fn an_event_that_another_topic_leads_there_is_not_sent_twice() {
    let api = FakeApi::keeping().unwrap();
    setup(&api, &["--url", URL, "--name", "before", "connection.error"]);
    let run = setup(&api, &["--url", URL, "connection.error", "connection.created"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    -- stdout
    found         destination before (c2b1897c-faef-45f0-a043-92d7845c4148-1)
    created       topic notifications (dcdd5c62-b720-41ac-af77-f330a2e96c4d-2)
    created       route of topic notifications (8ff892a0-a089-4ff1-a659-05bc7aaf6aa1-2)
    created       route of connection.created (0774b401-4216-423d-aa1e-fc81f094e1ec-2)
    found         route of connection.error (0774b401-4216-423d-aa1e-fc81f094e1ec-1)
    -- stderr
    The signing secret is in `secrets.webhookSigningKey` of GET /projects/acme/destinations/before?includeSecrets=true; --save-secret FILE keeps it in a file
    ");
    let mut routes = created(&api);
    routes.retain(|made| made["operation"] == "createEventTopicRoute");
    let (before, after) = (&routes[0]["body"], &routes[1]["body"]);
    assert_eq!((&before["eventType"], &after["eventType"]), (&json!("connection.error"), &json!("connection.created")));
    assert_ne!(before["topicId"], after["topicId"]);
    assert_eq!(routes.len(), 2);
}

#[test]
fn what_fails_is_told_and_gone_on_with_later() {
    let api = FakeApi::keeping().unwrap();
    let problem = json!({ "title": "Unprocessable", "detail": "no such event" });
    api.on("createEventTopicRoute").times(1).fail_with(422, problem);
    insta::assert_snapshot!(setup(&api, &["--url", URL, "connection.error"]), @"
    exit code 1
    -- stdout
    created       destination notifications (c2b1897c-faef-45f0-a043-92d7845c4148-1)
    created       topic notifications (dcdd5c62-b720-41ac-af77-f330a2e96c4d-1)
    created       route of topic notifications (8ff892a0-a089-4ff1-a659-05bc7aaf6aa1-1)
    -- stderr
    error: createEventTopicRoute: 422 Unprocessable Entity: Unprocessable: no such event
    ");
    assert_eq!(setup(&api, &["--url", URL, "connection.error"]).code, 0);
    let operations: Vec<Value> = created(&api).into_iter().map(|mut made| made["operation"].take()).collect();
    let route = "createEventTopicRoute";
    assert_eq!(operations, ["createDestination", "createTopic", "createTopicDestinationRoute", route, route]);
}
