//! The test kit is as good as what it stands for.

use std::collections::BTreeSet;
use std::time::Duration;

use ampersand_client::Endpoint;
use ampersand_client::types::{Installation, ReadRequest, WriteRequest};
use ampersand_notifications::{
    Delivery, Notification, Policy, Records, ResolveError, Resolver, Verifier, from_attributes, from_kinesis,
    from_webhook,
};
use ampersand_testing::api::Sample;
use ampersand_testing::mock::{self, MockServerExt as _};
use ampersand_testing::{Envelope, Fixture, Sent, UrlServer, api, assert_delivery_snapshot, aws, redacted};
use ampersand_types::messages::ResultEntrySubscribeEventType as SubscribeEventType;
use ampersand_types::notifications::{Event, InstallationCreatedData, InstallationUpdatedData, NotificationType};
use ampersand_types::{ConfigSource, RawJson, SignedUrl};
use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use aws_lambda_events::kinesis::KinesisEvent;
use aws_lambda_events::s3::S3Event;
use aws_lambda_events::sqs::SqsEvent;
use httpmock::MockServer;
use jiff::Timestamp;
use jsonschema::Draft;
use serde_json::{Value, json};

use crate::contract::contract;
use crate::generated::{SCHEMAS, STRUCTS};
use crate::properties::validator;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn every_event_of_the_contract_has_a_fixture_that_the_contract_allows() {
    let (contract, messages) = (contract("notifications"), contract("webhook"));
    let bodies = contract["components"]["schemas"].as_object().unwrap();
    for seed in 0..20 {
        for notification_type in NotificationType::KNOWN {
            let sent = Fixture::seeded(notification_type.clone(), seed).send(Envelope::Webhook);
            let body = serde_json::from_slice(&sent.body).unwrap();
            let is_it = |name: &&String| {
                bodies[*name]["properties"]["notificationType"]["enum"] == json!([notification_type.as_str()])
            };
            let schema = bodies.keys().find(is_it).unwrap();
            let add = format!("see payloads.json of ampersand-testing: {notification_type}");
            validator(&contract, schema).validate(&body).unwrap_or_else(|error| panic!("{add}: {error}"));
            // Not just what is required: an event that tells of an installation names it.
            assert!(body["data"].as_object().unwrap().len() >= 4, "{add}");
        }
        for fixture in [Fixture::seeded_records(seed), Fixture::seeded_changes(seed)] {
            validator(&messages, "WebhookMessage").validate(fixture.payload()).unwrap();
            assert_eq!(
                fixture.payload()["resultInfo"]["numRecords"],
                fixture.payload()["result"].as_array().unwrap().len()
            );
        }
    }
}

#[test]
fn the_data_of_a_fixture_are_those_of_its_event() {
    let fixture = Fixture::seeded("installation.updated", 3).set("groupRef", "acme");
    let data: InstallationUpdatedData = fixture.data();
    assert_eq!(fixture.delivery(Envelope::S3).unwrap().raw().data(), serde_json::to_string(&data).unwrap());
    let new: RawJson = Fixture::unknown("next.month").data();
    assert!(new.as_str().contains("projectId"));
}

#[test]
#[should_panic(expected = "a fixture of `installation.deleted` has no `InstallationCreatedData`")]
fn data_of_another_event_are_refused_though_they_would_decode() {
    Fixture::new("installation.deleted").data::<InstallationCreatedData>();
}

#[test]
#[should_panic(expected = "not a `installation.created`: at $.data: missing field `consumerName`")]
fn data_that_no_longer_decode_say_why() {
    Fixture::new("installation.created").without("consumerName").data::<InstallationCreatedData>();
}

/// Whether a value is one that a schema of the contract allows, which may refer to other schemas.
fn allows(contract: &Value, name: &str, schema: &Value, value: &Value) {
    let mut schema = schema.clone();
    schema["components"] = contract["components"].clone();
    let options = jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true);
    options.build(&schema).unwrap().validate(value).unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[test]
fn every_response_of_the_api_has_a_value_that_the_contract_allows() {
    let values: Vec<(&str, Value)> = api::all().collect();
    let value_of =
        |name: &str| values.iter().find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value));
    let hosts = ["api", "read", "write", "search"];
    for (document, schema) in SCHEMAS.iter().filter(|(document, _)| hosts.contains(document)) {
        let value = value_of(schema).unwrap_or_else(|| panic!("{document} {schema} has no value"));
        allows(&contract(document), schema, &json!({ "$ref": format!("#/components/schemas/{schema}") }), value);
    }
    for operation in Endpoint::ALL {
        let contract = contract(operation.host.name());
        let responses = &contract["paths"][operation.path][operation.method.to_lowercase()]["responses"];
        for (status, response) in responses.as_object().unwrap() {
            let status = if status.starts_with('2') { "" } else { status };
            let name = format!("{}Response{status}", operation.id);
            let schema = &response["content"]["application/json"]["schema"];
            value_of(&name).into_iter().for_each(|value| allows(&contract, &name, schema, value));
        }
    }
}

#[test]
fn the_values_of_responses_hold_nothing_that_their_types_do_not_know() {
    assert!(api::all().count() > 100);
    for (name, value) in api::all() {
        let of = STRUCTS.iter().rfind(|of| of.name == name).unwrap();
        let shown = (of.debug)(&value.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!shown.replace("other_fields: {}", "").contains("other_fields: "), "{name}: {shown}");
    }
}

#[test]
fn a_value_of_a_response_has_every_field_and_agrees_with_the_others() {
    let installation = api::installation();
    assert_eq!(installation, Sample::new().data());
    assert_eq!(installation.connection, api::connection());
    assert_eq!(installation.integration_id, api::integration().id);
    insta::assert_json_snapshot!(Sample::<Installation>::new().without("config").payload());
    let other = Sample::<Installation>::seeded(1)
        .set("new.field", 1)
        .set("group.groupRef", "acme")
        .without("connection.apiKey");
    assert_ne!(other.payload()["id"], installation.id);
    let other = other.data();
    assert_eq!((other.group.unwrap().group_ref.as_str(), other.connection.api_key), ("acme", None));
    assert_eq!(other.other_fields["new"].as_str(), r#"{"field":1}"#);
}

#[test]
fn a_fixture_is_the_same_event_in_every_envelope() {
    assert_eq!(Fixture::all().count(), NotificationType::KNOWN.len());
    for fixture in Fixture::all() {
        let events: Vec<(Option<String>, Event)> = Envelope::ALL
            .into_iter()
            .map(|envelope| match fixture.delivery(envelope) {
                Ok(Delivery::Notification(Notification { notification_type, event, id, .. })) => {
                    assert_eq!(Some(&notification_type), fixture.notification_type(), "{envelope}");
                    assert!(!matches!(event, Event::Unknown(_)), "{envelope}");
                    if envelope == Envelope::Webhook {
                        assert_eq!(id, Some(fixture.webhook_id()));
                        return (None, event);
                    }
                    (id, event)
                }
                other => panic!("{envelope}: {other:?}"),
            })
            .collect();
        assert!(events.iter().all(|(_, event)| *event == events[0].1));
        let ids: BTreeSet<&String> = events.iter().filter_map(|(id, _)| id.as_ref()).collect();
        assert_eq!(ids, BTreeSet::from([&fixture.id()]));
    }
    for envelope in Envelope::ALL {
        let delivery = Fixture::records().delivery(envelope);
        assert!(
            matches!(&delivery, Ok(Delivery::Records(records)) if records.message.result.len() == 2),
            "{delivery:?}"
        );
        let Ok(Delivery::Records(changes)) = Fixture::changes().delivery(envelope) else { panic!("{envelope}") };
        let kinds = changes.message.result.iter().filter_map(|entry| entry.subscribe_event_type.as_ref());
        let kinds: Vec<&str> = kinds.map(SubscribeEventType::as_str).collect();
        assert_eq!(
            (changes.message.action.as_deref(), &kinds[..]),
            (Some("subscribe"), &["create", "update", "delete"][..])
        );
    }
}

/// What a handler keeps, to drop repeats.
fn id_and_time(delivery: Delivery) -> (Option<String>, Option<String>) {
    let (id, time) = match delivery {
        Delivery::Notification(Notification { id, timestamp, .. }) => (id, timestamp),
        Delivery::Records(Records { id, timestamp, .. }) => (id, timestamp),
    };
    (id, time.map(|time| time.as_str().to_owned()))
}

#[test]
fn a_webhook_has_the_id_and_the_time_that_its_headers_say() {
    for fixture in Fixture::all().chain([Fixture::records(), Fixture::changes()]) {
        let Sent { body, headers } = fixture.signed(SECRET, fixture.timestamp()).unwrap();
        let verifier = Verifier::new(SECRET).unwrap();
        let verified = verifier.verify_at(&headers, body, fixture.timestamp()).unwrap();
        let received = id_and_time(from_webhook(verified).unwrap());
        assert!(received.0.is_some() && received.1.is_some(), "{}", fixture.name());
        assert_eq!(id_and_time(fixture.delivery(Envelope::Webhook).unwrap()), received);
        assert_eq!(
            id_and_time(fixture.clone().set("groupRef", "other").delivery(Envelope::Webhook).unwrap()),
            received
        );
    }
    let ids = Fixture::all().chain([Fixture::records(), Fixture::changes()]).map(|fixture| fixture.webhook_id());
    assert_eq!(ids.collect::<BTreeSet<_>>().len(), NotificationType::KNOWN.len() + 2);
}

#[test]
fn what_is_said_beside_the_payload_can_be_set() {
    let at = "2026-08-19T17:03:10Z";
    let fixture = Fixture::changes().with_id("evt_1").at(at.parse().unwrap()).with_metadata("topic", "other");
    for envelope in [Envelope::Webhook, Envelope::Kinesis, Envelope::S3, Envelope::Sqs, Envelope::Attributes] {
        let delivery = fixture.delivery(envelope).unwrap();
        assert_eq!(id_and_time(delivery), (Some("evt_1".to_owned()), Some(at.to_owned())), "{envelope}");
    }
    let Delivery::Records(records) = fixture.delivery(Envelope::S3).unwrap() else { panic!("records") };
    assert_eq!(records.metadata.get("topic"), Some("other"));
}

#[test]
fn a_webhook_may_be_signed_twice_and_have_the_headers_of_the_standard() {
    let (old, new) = ("whsec_b2xkIHNlY3JldCBvZiBhIHRlc3Q=", "whsec_bmV3IHNlY3JldCBvZiBhIHRlc3Q=");
    let at = Fixture::records().timestamp();
    let sent = Fixture::records().with_id("msg_1").signed(old, at).unwrap();
    for sent in [
        sent.clone().and_signed(new).unwrap().with_webhook_headers(),
        sent.with_webhook_headers().and_signed(new).unwrap(),
    ] {
        assert_eq!(sent.headers["webhook-id"], "msg_1");
        assert!(sent.headers.keys().all(|name| !name.starts_with("svix-")), "{:?}", sent.headers);
        for secret in [old, new] {
            assert!(Verifier::new(secret).unwrap().verify_at(&sent.headers, &sent.body, at).is_ok());
        }
    }
}

#[test]
#[should_panic(expected = "there is no `config.nope` in the payload of `installation.created` that could be left out")]
fn what_is_not_there_cannot_be_left_out() {
    let _ = Fixture::new("installation.created").without("config.nope");
}

#[test]
fn equal_seeds_make_equal_fixtures_and_others_make_others() {
    let seeded = |seed| Fixture::seeded("installation.updated", seed).send(Envelope::Kinesis);
    assert_eq!(seeded(7), seeded(7));
    let bodies: BTreeSet<Vec<u8>> = (0..1000).map(|seed| seeded(seed).body).collect();
    assert_eq!(bodies.len(), 1000);
    insta::assert_snapshot!(String::from_utf8(Fixture::new("connection.created").send(Envelope::Kinesis).body).unwrap(), @r#"{"data":{"connectionId":"f961f595-6500-45b2-ac90-f779fc0e6c29","consumerName":"Hank Scorpio","consumerRef":"usr_1207","groupRef":"globex","projectId":"01d68c52-4547-42ab-afbc-01a2c22525b7","provider":"zendeskSupport"},"metadata":{"connectionId":"f961f595-6500-45b2-ac90-f779fc0e6c29","event-id":"2a59d158-e463-4e31-9cf4-7201b28a39ac","notificationType":"connection.created","projectId":"01d68c52-4547-42ab-afbc-01a2c22525b7","timestamp":"2025-12-27T12:03:27Z","topic":"crm-events"}}"#);
}

#[test]
fn any_field_can_be_set_or_left_out() {
    let fixture = Fixture::new("installation.created")
        .set("groupRef", "acme")
        .set("config.read.objects", json!({"a": [1, {"b": 2}]}))
        .set("config.read.objects.a.1.b", 3)
        .set("brand.new", true)
        .without("config.provider")
        .without("consumerName");
    assert_eq!(fixture.payload()["groupRef"], "acme");
    assert_eq!(fixture.payload()["config"], json!({"read": {"objects": {"a": [1, {"b": 3}]}}}));
    assert_eq!(fixture.payload()["brand"], json!({"new": true}));
    let error = fixture.delivery(Envelope::Webhook).unwrap_err();
    assert_eq!(error.to_string(), "not a `installation.created`: at $.data: missing field `consumerName`");
}

#[test]
fn a_type_that_is_new_has_a_fixture_too() {
    let delivery = Fixture::unknown("next.month").set("answer", 42).delivery(Envelope::S3).unwrap();
    assert_delivery_snapshot!(delivery, @r#"
    {
      "data": {
        "answer": 42,
        "projectId": "[uuid 1]"
      },
      "id": "[uuid 2]",
      "kind": "notification",
      "metadata": {
        "event-id": "[uuid 2]",
        "notificationtype": "next.month",
        "projectid": "[uuid 1]",
        "timestamp": "[time 1]",
        "topic": "crm-events"
      },
      "notificationType": "next.month",
      "timestamp": "[time 1]"
    }
    "#);
}

#[test]
fn what_is_signed_verifies_with_an_implementation_that_is_not_ours() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let theirs = standardwebhooks::Webhook::new(secret).unwrap();
    for fixture in Fixture::all() {
        let now = Timestamp::now();
        let Sent { body, headers } = fixture.signed(secret, now).unwrap();
        assert_eq!(theirs.sign(&headers["svix-id"], now.as_second(), &body).unwrap(), headers["svix-signature"]);
    }
    assert!(Fixture::records().signed("no secret", Timestamp::now()).is_err());
}

#[tokio::test]
async fn a_signed_url_does_what_it_is_made_for() {
    let policy = Policy {
        allow_http: true,
        allow_private_addresses: true,
        idle_timeout: Duration::from_millis(200),
        max_attempts: 1,
        ..Policy::default()
    };
    let (server, resolver) = (UrlServer::start().unwrap(), Resolver::new(policy).unwrap());
    let get = async |url: &SignedUrl| {
        let config = resolver.config(ConfigSource::Url(url)).await;
        config.map_or_else(|error| format!("{error:?}"), |config| config.as_str().to_owned())
    };
    let large = format!("[{}]", " ".repeat(5 << 20));
    assert_eq!(server.requests(), 0);
    assert_eq!(get(&server.url("{}")).await, "{}");
    assert_eq!(server.requests(), 1);
    assert!(get(&server.expired()).await.starts_with("Expired"));
    assert_eq!(server.requests(), 1, "what says that it has expired is not asked for");
    assert_eq!(get(&server.url(large.as_str())).await, large);
    assert_eq!(get(&server.slow("{}", Duration::from_millis(50))).await, "{}");
    assert_eq!(get(&server.slow("{}", Duration::from_secs(1))).await, "TimedOut");
    assert!(get(&server.broken("{\"a\": 1}")).await.starts_with("Connection("));
    assert_eq!(get(&server.failing(404)).await, "Gone");
    assert_eq!(get(&server.failing(503)).await, "Status { status: 503, retry_after: None }");
    let forged = server.url("{}").expose_secret().replace("c0ffee", "decaf");
    assert!(get(&forged.into()).await.starts_with("Forbidden { expires_at: Some("));

    let expired = server.expired();
    let error = resolver.config(ConfigSource::Url(&expired)).await.unwrap_err();
    assert!(matches!(error, ResolveError::Expired { at } if at == expired.expires_at() && at < Some(Timestamp::now())));
    let expired = server.expired_for_the_server();
    let error = resolver.config(ConfigSource::Url(&expired)).await.unwrap_err();
    assert!(matches!(error, ResolveError::Expired { at: None }), "its own account is wrong: {error:?}");
}

#[tokio::test]
async fn what_is_too_large_is_at_a_url_in_every_envelope() {
    let policy = Policy { allow_http: true, allow_private_addresses: true, ..Policy::default() };
    let (server, resolver) = (UrlServer::start().unwrap(), Resolver::new(policy).unwrap());
    let (config, records) = (server.url(r#"{"a": 1}"#), server.url(r#"[{"id": "1"}]"#));
    for envelope in Envelope::ALL {
        let delivery = Fixture::new("installation.created").too_large(&config).delivery(envelope).unwrap();
        let Delivery::Notification(Notification { event: Event::InstallationCreated(data), .. }) = delivery else {
            panic!("{delivery:?}")
        };
        assert_eq!(resolver.config(&data).await.unwrap().as_str(), r#"{"a": 1}"#);
        let delivery = Fixture::records().too_large(&records).delivery(envelope).unwrap();
        let Delivery::Records(records) = delivery else { panic!("{delivery:?}") };
        let records: Records = records;
        assert_eq!(resolver.records(&records).await.unwrap()[0].id.as_deref(), Some("1"));
    }
}

#[test]
fn the_page_lists_what_its_code_needs() {
    let page = include_str!("../../docs/test-a-handler.md");
    let (manifest, code) = page.split_once("[dependencies]").unwrap().1.split_once("```").unwrap();
    let named = code.lines().filter_map(|line| line.strip_prefix("use ").or(line.strip_prefix("#[")));
    let needed: BTreeSet<&str> = named.filter_map(|path| Some(path.split_once("::")?.0)).collect();
    assert!(needed.len() >= 5, "{needed:?}");
    for name in needed.into_iter().filter(|name| *name != "std") {
        assert!(manifest.contains(&format!("\n{} = ", name.replace('_', "-"))), "{name}");
    }
}

#[test]
fn a_snapshot_has_a_name_and_its_numbers_are_as_written() {
    let body = br#"{"notificationType": "new", "data": {"b": [1742558812455698401, 1.10, 1e400], "a": {}}}"#;
    assert_delivery_snapshot!("numbers", from_webhook(&body[..]).unwrap());
}

#[test]
fn snapshots_show_what_refers_to_what_and_nothing_that_changes() {
    let snapshot = |seed| {
        let fixture = Fixture::seeded("read.triggered.done", seed).set("groupRef", "g").set("groupName", "G");
        let fixture =
            fixture.set("consumerRef", "c").set("consumerName", "C").set("provider", "p").set("objectName", "o");
        redacted(&fixture.set("integrationName", "i").delivery(Envelope::Kinesis).unwrap())
    };
    assert_eq!(snapshot(1), snapshot(2));
    insta::assert_snapshot!(snapshot(1), @r#"
    {
      "data": {
        "connectionId": "[uuid 1]",
        "consumerName": "C",
        "consumerRef": "c",
        "fromTimestamp": "[time 1]",
        "groupName": "G",
        "groupRef": "g",
        "installationId": "[uuid 2]",
        "integrationId": "[uuid 3]",
        "integrationName": "i",
        "objectName": "o",
        "projectId": "[uuid 4]",
        "provider": "p",
        "untilTimestamp": "[time 2]"
      },
      "id": "[uuid 5]",
      "kind": "notification",
      "metadata": {
        "connectionId": "[uuid 1]",
        "event-id": "[uuid 5]",
        "installationId": "[uuid 2]",
        "notificationType": "read.triggered.done",
        "objectName": "o",
        "projectId": "[uuid 4]",
        "timestamp": "[time 3]",
        "topic": "crm-events"
      },
      "notificationType": "read.triggered.done",
      "timestamp": "[time 3]"
    }
    "#);
}

#[test]
fn a_type_that_the_contract_lacks_is_asked_for_by_that_name() {
    let message = |make: fn() -> Fixture| {
        let panic = std::panic::catch_unwind(make).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    insta::assert_snapshot!(message(|| Fixture::new("instalation.created")), @"the contract has no notification type `instalation.created`: did you mean `installation.created`? `Fixture::unknown` makes one that is new");
    insta::assert_snapshot!(message(|| Fixture::seeded("read.backfill.finished", 7)), @"the contract has no notification type `read.backfill.finished`: did you mean `read.backfill.done`? `Fixture::unknown` makes one that is new");
    insta::assert_snapshot!(message(|| Fixture::unknown("connection.error")), @"the contract has the notification type `connection.error`: `Fixture::new` makes it");
    let delivery = Fixture::unknown("integration.retired").set("groupRef", "acme").delivery(Envelope::Sqs).unwrap();
    assert_eq!(delivery.group_ref().as_deref(), Some("acme"));
    assert_ne!(Fixture::seeded_unknown("x", 1).id(), Fixture::seeded_unknown("x", 2).id());
}

#[test]
fn the_events_of_lambda_are_those_that_its_own_types_read() {
    let fixtures: Vec<Fixture> = Fixture::all().chain([Fixture::records(), Fixture::changes()]).collect();
    let expected =
        |envelope| -> Vec<Delivery> { fixtures.iter().map(|fixture| fixture.delivery(envelope).unwrap()).collect() };

    let event: KinesisEvent = serde_json::from_value(aws::kinesis_event(&fixtures)).unwrap();
    let read = event.records.iter().map(|record| from_kinesis(record.kinesis.data.0.clone()).unwrap());
    assert_eq!(read.collect::<Vec<_>>(), expected(Envelope::Kinesis));
    assert!(event.records.is_sorted_by_key(|record| record.kinesis.sequence_number.clone()));

    let event: SqsEvent = serde_json::from_value(aws::sqs_event(&fixtures)).unwrap();
    let read = event.records.into_iter().map(|message| {
        let attributes = message.message_attributes.into_iter();
        from_attributes(message.body.unwrap(), attributes.map(|(name, value)| (name, value.string_value.unwrap())))
            .unwrap()
    });
    assert_eq!(read.collect::<Vec<_>>(), expected(Envelope::Sqs));

    let event: S3Event = serde_json::from_value(aws::s3_event(&fixtures)).unwrap();
    for (record, fixture) in event.records.iter().zip(&fixtures) {
        assert_eq!(record.s3.bucket.name.as_deref(), Some(aws::BUCKET));
        let key = record.s3.object.key.as_deref().unwrap().replace('+', " ").replace("%3A", ":").replace("%3D", "=");
        assert_eq!(key, aws::s3_key(fixture));
        assert_ne!(record.s3.object.key.as_deref(), Some(&*key), "it is encoded");
    }
}

#[test]
fn a_webhook_in_a_request_of_lambda_is_verified() {
    let sent = Fixture::new("connection.created").signed_now(SECRET).unwrap();
    let verifier = Verifier::new(SECRET).unwrap();
    let v1: ApiGatewayProxyRequest = serde_json::from_value(aws::api_gateway_event(&sent)).unwrap();
    let v2: ApiGatewayV2httpRequest = serde_json::from_value(aws::http_api_event(&sent)).unwrap();
    let single: AlbTargetGroupRequest = serde_json::from_value(aws::alb_event(&sent)).unwrap();
    let multi: AlbTargetGroupRequest = serde_json::from_value(aws::alb_multi_value_event(&sent)).unwrap();
    for (headers, body) in [
        (&v1.headers, &v1.body),
        (&v1.multi_value_headers, &v1.body),
        (&v2.headers, &v2.body),
        (&single.headers, &single.body),
        (&multi.multi_value_headers, &multi.body),
    ] {
        verifier.verify(headers, body.as_deref().unwrap()).unwrap();
    }
}

#[tokio::test]
async fn mocks_answer_what_an_operation_gives_or_how_it_fails() {
    let server = MockServer::start_async().await;
    let key = server.get_api_key(|when, then| {
        when.project_id_or_name("p").api_key("k");
        then.ok(&api::api_key());
    });
    let read = server.trigger_read(|when, then| {
        when.project_id_or_name("p").integration_id("i").object_name("contact").body(&ReadRequest::new("g", "async"));
        then.default_response(422, &api::api_problem());
    });

    let client = mock::client(&server);
    assert_eq!(*client.api_keys().get_api_key("p", "k").await.unwrap(), api::api_key());
    let project = client.project("p");
    let refused = project.reads().trigger_read("i", "contact", ReadRequest::new("g", "async")).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().detail, api::api_problem().detail);
    key.assert();
    read.assert();

    // The same path of another host, and another body, are not mocked.
    let written = project.writes().write_records("i", "contact", WriteRequest::new("g", "create")).await;
    assert_eq!(written.unwrap_err().status().unwrap(), 404);
    let other = project.reads().trigger_read("i", "contact", ReadRequest::new("h", "async")).await;
    assert_eq!(other.unwrap_err().status().unwrap(), 404);
}
