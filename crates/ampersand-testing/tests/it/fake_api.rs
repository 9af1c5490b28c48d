use std::time::{Duration, Instant};

use ampersand_client::types::{
    ApiKeyRequest, CreateDestinationRequest, CreateDestinationRequestMetadata, CreateProjectRequest,
    CreateTopicRequest, Topic,
};
use ampersand_client::{Endpoint, ErrorKind, Host};
use ampersand_testing::api;
use ampersand_testing::api::Sample;
use ampersand_testing::fake_api::FakeApi;
use ampersand_types::RawJson;
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

#[tokio::test]
async fn an_operation_answers_with_what_the_contract_allows() {
    let api = FakeApi::start().unwrap();
    let project = api.client().project("my-project");
    assert_eq!(project.destinations().list_topics().await.unwrap().len(), 1);
    assert_eq!(*project.installations().get_installation("i", "j").await.unwrap(), api::installation());
    insta::assert_json_snapshot!(api.requests(), @r#"
    [
      {
        "operation": "listTopics",
        "method": "GET",
        "path": "/projects/my-project/topics",
        "query": [],
        "body": null
      },
      {
        "operation": "getInstallation",
        "method": "GET",
        "path": "/projects/my-project/integrations/i/installations/j",
        "query": [],
        "body": null
      }
    ]
    "#);
}

#[tokio::test]
async fn what_is_created_is_listed_got_and_deleted() {
    let api = FakeApi::keeping().unwrap();
    let destinations = api.client().project("my-project").destinations();
    assert!(destinations.list_topics().await.unwrap().is_empty());
    let orders = destinations.create_topic(CreateTopicRequest::new("orders")).await.unwrap();
    let people = destinations.create_topic(CreateTopicRequest::new("people")).await.unwrap();
    assert_ne!(orders.id, people.id);
    assert_eq!(*destinations.list_topics().await.unwrap(), [(*orders).clone(), (*people).clone()]);
    destinations.delete_topic(&orders.id).await.unwrap();
    assert_eq!(*destinations.list_topics().await.unwrap(), [(*people).clone()]);
    let others = destinations.create_topic(CreateTopicRequest::new("others")).await.unwrap();
    assert_ne!(others.id, people.id);
    destinations.delete_topic(&others.id).await.unwrap();
    let gone = destinations.delete_topic(&orders.id).await.unwrap_err();
    assert_eq!((gone.kind(), gone.status().map(|status| status.as_u16())), (ErrorKind::Problem, Some(404)));
    assert!(api.client().project("other").destinations().list_topics().await.unwrap().is_empty());

    let projects = api.client().projects();
    let made = projects.create_project(CreateProjectRequest::new("app", "shop", "org")).await.unwrap();
    for known in [&made.id, &made.name] {
        assert_eq!(*projects.get_project(known).await.unwrap(), *made);
    }
}

#[tokio::test]
async fn answers_errors_delays_and_pages_are_said() {
    let api = FakeApi::start().unwrap();
    let client = api.client();
    let project = client.project("my-project");
    let topic = Sample::<Topic>::new().set("name", "orders").data();
    api.on("listTopics").answer([&topic]);
    api.on("listTopics").times(1).fail(503, "Service Unavailable");
    api.on("listTopics").times(0).fail(500, "Internal Server Error");
    let list = || project.destinations().list_topics();
    assert!(list().await.unwrap_err().is_retryable(), "what is said for some times goes first");
    assert_eq!(list().await.unwrap()[0], topic);

    api.on("listTopics").after(Duration::from_millis(50)).answer([&topic]);
    let begun = Instant::now();
    list().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(50));

    let (one, other) = (api::operation(), Sample::seeded(1).data());
    api.on("listOperations").pages([vec![&one], vec![&other]]);
    let operations = || project.operations().list_operations("integration", "installation");
    let page = operations().await.unwrap();
    assert_eq!((page.results.len(), page.pagination.done), (1, false));
    let all: Vec<_> = operations().stream().try_collect().await.unwrap();
    assert_eq!(all, [one, other]);
}

#[tokio::test]
async fn what_the_contract_does_not_allow_is_refused_with_the_reason() {
    let api = FakeApi::start().unwrap();
    let client = api.client();
    let long = "a".repeat(65);
    let refused = client.project("p").destinations().create_topic(CreateTopicRequest::new(long)).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().title.as_deref(), Some("the contract does not allow the request"));
    client.raw("GET", Host::Api, "/projects/p/topics").query("page", 2).await.unwrap_err();
    client.raw("GET", Host::Api, "/no/such/path").await.unwrap_err();
    let body = RawJson::new(json!({ "appName": 5 }).to_string()).unwrap();
    client.raw("POST", Host::Api, "/projects").body(body).await.unwrap_err();
    insta::assert_snapshot!(api.refused().join("\n"));
}

#[test]
#[should_panic(expected = "POST /api/projects: the body is missing")]
fn a_test_that_sends_what_the_contract_does_not_allow_fails() {
    let api = FakeApi::start().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = api.client();
    let _ = runtime.block_on(async { client.raw("POST", Host::Api, "/projects").send().await });
}

#[test]
#[should_panic(expected = "the contract has no operation `listTopic`; is it `listTopics`?")]
fn an_operation_that_is_misspelt_is_told() {
    let api = FakeApi::start().unwrap();
    let _ = api.on("listTopic");
}

#[test]
#[should_panic(expected = "the contract does not allow this answer of `listTopics` with 200: at `/0`: ")]
fn an_answer_that_the_contract_does_not_allow_is_told_where_it_is_set() {
    let api = FakeApi::start().unwrap();
    api.on("listTopics").answer([json!({ "id": "t" })]);
}

#[test]
#[should_panic(expected = "the contract does not allow this answer of `listTopics` with 200: ")]
fn a_list_that_does_not_come_in_pages_is_told() {
    let api = FakeApi::start().unwrap();
    api.on("listTopics").pages([vec![api::topic()]]);
}

#[test]
#[should_panic(expected = "the contract does not allow this answer of `listTopics` with 503: at `/status`: ")]
fn a_problem_that_the_contract_does_not_allow_is_told() {
    let api = FakeApi::start().unwrap();
    api.on("listTopics").fail_with(503, json!({ "status": "down" }));
}

#[test]
#[should_panic(expected = "of `deleteTopic` with 204: a response with this status has no body")]
fn a_body_where_the_contract_has_none_is_told() {
    let api = FakeApi::start().unwrap();
    api.on("deleteTopic").answer(api::topic());
}

#[tokio::test]
async fn a_wrong_answer_is_given_where_the_test_asks_for_one() {
    let api = FakeApi::start().unwrap();
    let destinations = api.client().project("my-project").destinations();
    api.on("listTopics").unchecked().answer([json!({ "id": "t" })]);
    assert_eq!(destinations.list_topics().await.unwrap_err().kind(), ErrorKind::Response);
    api.on("listTopics").unchecked().fail(302, "Found");
    assert_eq!(destinations.list_topics().await.unwrap_err().status().unwrap().as_u16(), 302);
    api.on("deleteTopic").answer(());
    destinations.delete_topic("t").await.unwrap();
}

#[tokio::test]
async fn an_answer_has_its_media_type_and_its_headers() {
    let api = FakeApi::start().unwrap();
    let project = api.client().project("my-project");
    api.on("oauthUpdate").answer("https://provider.example/authorize");
    let url = project.oauth().oauth_update("connection").await.unwrap();
    assert_eq!(url.into_inner(), "https://provider.example/authorize");
    api.on("listTopics").header("retry-after", "7").fail(429, "Too Many Requests");
    let error = project.destinations().list_topics().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn what_was_not_created_is_not_there() {
    let api = FakeApi::keeping().unwrap();
    let destinations = api.client().project("my-project").destinations();
    let got = destinations.get_destination("hook").await.unwrap_err();
    let deleted = destinations.delete_destination("hook").await.unwrap_err();
    assert_eq!([got, deleted].map(|error| error.status().unwrap().as_u16()), [404, 404]);
}

#[tokio::test]
async fn each_key_is_another() {
    let api = FakeApi::keeping().unwrap();
    let keys = api.client().project("my-project").api_keys();
    let one = keys.create_api_key(ApiKeyRequest::new("one")).await.unwrap();
    let two = keys.create_api_key(ApiKeyRequest::new("two")).await.unwrap();
    assert_ne!(one.key, two.key);
    keys.delete_api_key(one.key.clone()).await.unwrap();
    assert_eq!(keys.get_api_key(two.key.clone()).await.unwrap().label, "two");
}

/// The contract has more members of an installation than a request sets, some of them inside the configuration.
#[tokio::test]
async fn a_configuration_is_created_and_changed() {
    let api = FakeApi::keeping().unwrap();
    let client = api.client();
    let call = |id: &str, path: &[(&str, &str)], body: Option<Value>| {
        let operation = Endpoint::ALL.iter().find(|one| one.id == id).unwrap();
        let mut raw = client.raw_operation(operation).path("projectIdOrName", "p").path("integrationId", "i");
        for (name, value) in path {
            raw = raw.path(name, value);
        }
        match body {
            Some(body) => raw.body(RawJson::new(body.to_string()).unwrap()),
            None => raw,
        }
    };
    let body = json!({ "groupRef": "acme", "connectionId": "c", "config": { "content": { "provider": "hubspot", "proxy": { "enabled": false } } } });
    let made = call("createInstallation", &[], Some(body)).await.unwrap();
    let made: Value = serde_json::from_str(made.as_str()).unwrap();
    assert_eq!(made["config"]["content"], json!({ "provider": "hubspot", "proxy": { "enabled": false } }));

    let place = [("installationId", made["id"].as_str().unwrap())];
    let content = json!({ "provider": "salesforce", "proxy": { "enabled": true } });
    let body =
        json!({ "updateMask": ["config.content.proxy.enabled"], "installation": { "config": { "content": content } } });
    call("updateInstallation", &place, Some(body)).await.unwrap();
    let now = call("getInstallation", &place, None).await.unwrap();
    let now: Value = serde_json::from_str(now.as_str()).unwrap();
    assert_eq!(now["config"]["content"], json!({ "provider": "hubspot", "proxy": { "enabled": true } }));
}

#[tokio::test]
#[should_panic = "an API fails with a status from 300 to 599, not with 42"]
async fn no_api_fails_with_a_success() {
    FakeApi::start().unwrap().on("listTopics").fail(42, "What?");
}

#[tokio::test]
async fn a_get_has_what_the_answer_to_a_create_lacks() {
    let api = FakeApi::keeping().unwrap();
    let destinations = api.client().project("my-project").destinations();
    let metadata = CreateDestinationRequestMetadata::new().url("https://example.com/");
    destinations.create_destination(CreateDestinationRequest::new("hook", "webhook", metadata)).await.unwrap();
    let got = destinations.get_destination("hook").include_secrets(true).await.unwrap();
    assert!(got.secrets.is_some());
}
