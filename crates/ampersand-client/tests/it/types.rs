use ampersand_client::types;
use ampersand_client::types::{
    CreateInstallationRequest, CreateInstallationRequestConfig, CustomAuthConnectResponse, FieldFilter, Integration,
    ListOperationsResponse, Log, ManifestIntegration, PatchApiKeyRequest, WriteRecordsResponse, WriteRequest,
    WriteRequestBatchPolicy,
};
use ampersand_types::RawJson;
use ampersand_types::config::ConfigContent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use test_support::json::difference;

fn decode<T: DeserializeOwned + Serialize>(json: &str) -> T {
    let value: T = serde_json::from_str(json).unwrap();
    assert_eq!(difference(json, &encode(&value)), None);
    value
}

fn encode<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn a_batch_keeps_its_counts_and_what_is_new() {
    let batch: WriteRecordsResponse = decode(
        r#"{"operationId":"o","successCount":1,"failureCount":1e0,"results":[{"success":true,"recordId":"1"},{"success":false}],
            "errors":null,"new":{}}"#,
    );
    assert_eq!(batch.success_count.unwrap(), 1);
    assert_eq!(batch.results.len(), 2);
    let single: WriteRecordsResponse = decode(r#"{"operationId":"o","result":{"success":true,"data":{"a":1.10}}}"#);
    assert_eq!(single.result.unwrap().data.unwrap().as_str(), r#"{"a":1.10}"#);
}

#[test]
fn a_member_beside_a_step_of_authentication_is_no_error() {
    let step: CustomAuthConnectResponse =
        decode(r#"{"redirect":{"url":"https://provider/","sessionId":"s"},"connection":null,"expires":5}"#);
    assert!(step.redirect.is_some() && step.connection.is_none());
    let _: CustomAuthConnectResponse = decode("{}");
}

#[test]
fn a_value_is_sent_as_it_is_written() {
    for (value, expected) in [
        (RawJson::from(5), "5"),
        (RawJson::from(9_007_199_254_740_993_i64), "9007199254740993"),
        (RawJson::from("5"), r#""5""#),
        (RawJson::from(true), "true"),
        (RawJson::from(json!(1.5)), "1.5"),
        (RawJson::new("1.10").unwrap(), "1.10"),
    ] {
        let filter = FieldFilter::new("a", "eq", value);
        assert_eq!(encode(&filter), format!(r#"{{"fieldName":"a","operator":"eq","value":{expected}}}"#));
    }
}

#[test]
fn values_and_lists_that_the_contract_does_not_have_survive() {
    let answered: types::Connection = decode(
        r#"{"id":"c","projectId":"p","provider":"x","authScheme":"passkey","status":"dormant","group":{"groupRef":"g","groupName":"G",
            "projectId":"p","createTime":"yesterday"},"consumer":{"consumerRef":"r","consumerName":"R","projectId":"p",
            "createTime":""},"createTime":"2026-08-19T10:03:10-07:00"}"#,
    );
    assert_eq!(answered.auth_scheme.as_str(), "passkey");
    let page: ListOperationsResponse = decode(r#"{"results":null,"pagination":{"done":true,"nextPageToken":null}}"#);
    assert!(page.results.is_empty() && page.pagination.done);
    let log: Log =
        decode(r#"{"severity":"INFO","timestamp":"t","message":{"msg":"m","details":null,"object_name":"a"}}"#);
    assert_eq!(log.message.other_fields["object_name"].as_str(), r#""a""#);
}

#[test]
fn a_request_holds_what_was_said_and_nothing_else() {
    let config = CreateInstallationRequestConfig::new(ConfigContent::default());
    let create = CreateInstallationRequest::new("g", config);
    assert_eq!(encode(&create), r#"{"config":{"content":{}},"groupRef":"g"}"#);

    let write = WriteRequest::new("g", "upsert").record(json!({ "id": 5 }));
    let mut write = write.batch_policy(WriteRequestBatchPolicy::new());
    write.other_fields.insert("priority".to_owned(), 1.into());
    let expected = r#"{"batchPolicy":{},"groupRef":"g","record":{"id":5},"type":"upsert","priority":1}"#;
    assert_eq!(difference(expected, &encode(&write)), None);

    // An empty list is sent, an absent one is not.
    let patch = PatchApiKeyRequest::new(types::PatchApiKeyRequestApiKey::new().scopes([""; 0]), [""; 0]);
    assert_eq!(encode(&patch), r#"{"apiKey":{"scopes":[]},"updateMask":[]}"#);
}

#[test]
fn what_is_at_hand_becomes_what_is_asked_for() {
    let (name, count, record) = (String::from("upsert"), 5_u32, &json!({ "amount": 1.5 }));
    let write = WriteRequest::new(&name, &name).record(record);
    assert_eq!(encode(&write), r#"{"groupRef":"upsert","record":{"amount":1.5},"type":"upsert"}"#);
    assert_eq!(encode(&types::ResultDeliveryRequestBody::new("g", count)), r#"{"groupRef":"g","pages":5}"#);
    assert_eq!(encode(&FieldFilter::new("amount", "gt", 1.5).value), "1.5");
    let grant = types::ConnectionRequestOauth2PasswordCredentials::new("id", "MARKER", "MARKER", "MARKER");
    assert!(!format!("{grant:?}").contains("MARKER"), "{grant:?}");
}

#[test]
fn names_that_two_documents_have_are_qualified_by_the_document() {
    let integration: Integration = decode(
        r#"{"id":"i","projectId":"p","name":"n","provider":"x","createTime":"t","latestRevision":
            {"id":"r","specVersion":"1","createTime":"t","content":{"name":"m","provider":"x","new":1}}}"#,
    );
    let manifest: &ManifestIntegration = &integration.latest_revision.content;
    assert_eq!((integration.name.as_str(), manifest.name.as_str()), ("n", "m"));
    assert_eq!(encode(&ManifestIntegration::new("n", "x")), r#"{"name":"n","provider":"x"}"#);
}
