//! Samples, as templates.

use std::collections::BTreeMap;

use quote::quote;
use serde_json::json;

use super::super::samples::samples;
use crate::model::Context;
use crate::model::testing::{project, reference, schemas};
use crate::project::Samples;

#[test]
fn a_text_is_made_of_its_format_its_name_or_what_is_known_of_it() {
    let text = |format: &str| json!({ "type": "string", "format": format });
    let plain = || json!({ "type": "string" });
    let document = schemas(&json!({ "Thing": { "properties": {
        "address": text("email"), "callback": text("uri"), "createTime": plain(), "disabled": { "type": "boolean" },
        "groupName": plain(), "key": text("pem"), "kindOf": { "enum": ["a", "b"] }, "listOfAny": { "type": "array" },
        "listObjects": { "additionalProperties": plain() }, "name": plain(), "role": plain(), "share": { "type": "number" },
        "status": plain(), "userID": plain(), "uuid": text("uuid"), "words_apart": plain(), "workEmail": plain(),
    } } }));
    let project = project();
    let context = Context { project: &project, path: "m", shared: &BTreeMap::new() };
    let document = document.named(&context).expect("names");
    let known =
        [("Thing.status", "working"), ("status", "unlike it"), ("role", "admin"), ("kindOf", "b"), ("share", "12")];
    let facts = Samples {
        off: vec!["disabled".to_owned()],
        identifiers: vec!["id".to_owned()],
        values: known.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Samples::default()
    };
    let tokens = samples(&document, &["Thing".to_owned()].into(), &BTreeMap::new(), ("m", &facts)).expect("samples");
    insta::assert_snapshot!(tokens.to_string().replace(",\"", ",\n\""), @r##"
    crate :: api :: responses ! (RESPONSES { thing Thing (:: m :: Thing) r#"{"address":"{consumerRef}@{groupRef}.example",
    "callback":"https://{groupRef}.example/callback",
    "createTime":"{timestamp}",
    "disabled":false,
    "groupName":"{groupName}",
    "key":"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
    "kindOf":"b",
    "listObjects":{"{objectName}":"list objects"},
    "listOfAny":[],
    "name":"thing",
    "role":"admin",
    "share":12,
    "status":"working",
    "userID":"{userId}",
    "uuid":"{uuid}",
    "words_apart":"words apart",
    "workEmail":"{consumerRef}@{groupRef}.example"}"# , }) ; crate :: api :: parts ! (PARTS { }) ;
    "##);
}

#[test]
fn a_template_has_every_field_but_those_that_would_not_end_or_exclude_others() {
    let text = || json!({ "type": "string" });
    let document = schemas(&json!({
        "Thing": {
            "properties": {
                "id": text(), "projectId": text(), "displayName": text(), "homeURL": text(), "mode": { "enum": ["b", "a"] },
                "at": { "type": "string", "format": "date-time" }, "count": { "type": "integer", "minimum": 5 },
                "part": reference("Part"), "things": { "type": "array", "items": reference("Thing") },
                "tags": { "type": "object", "additionalProperties": { "properties": { "on": { "type": "boolean" } } } },
            },
            "oneOf": [{ "required": ["displayName"] }, { "required": ["homeURL"] }],
        },
        "Part": { "properties": { "whole": reference("Thing"), "any": reference("Any") } },
        "Any": { "properties": { "value": {} } },
    }));
    let project = project();
    let context = Context { project: &project, path: "ampersand_client::types", shared: &BTreeMap::new() };
    let document = document.named(&context).expect("names");
    let facts = Samples { identifiers: vec!["id".to_owned()], ..Default::default() };
    let shared = BTreeMap::from([("Part".to_owned(), Some("ours::Part".to_owned())), ("Any".to_owned(), None)]);
    let tokens = samples(
        &document,
        &["Thing", "ThingTagsValue"].map(str::to_owned).into(),
        &shared,
        ("ampersand_client::types", &facts),
    )
    .expect("samples");
    let expected = quote! {
        crate::api::responses!(RESPONSES {
            part Part (::ours::Part) r#"{"any":"{Any}"}"#,
            thing Thing (::ampersand_client::types::Thing) r#"{"at":"{timestamp}","count":5,"displayName":"display name","id":"{thingId}","mode":"b","projectId":"{projectId}","tags":{"name":"{ThingTagsValue}"}}"#,
            thing_tags_value ThingTagsValue (::ampersand_client::types::ThingTagsValue) r#"{"on":true}"#,
        });
        crate::api::parts!(PARTS { Any r#"{"value":"{groupName}"}"#, });
    };
    assert_eq!(tokens.to_string(), expected.to_string());
}

#[test]
fn a_schema_whose_name_rust_does_not_take_has_a_function_all_the_same() {
    let document = schemas(&json!({ "3d": {}, "Type": {}, "Thing-2": {} }));
    let shared = BTreeMap::new();
    let received = ["3d", "Type", "Thing-2"].map(str::to_owned).into();
    let tokens = samples(&document, &received, &shared, ("client", &Samples::default())).expect("samples").to_string();
    for function in ["_3d X3d", "thing_2 Thing2", "type_ Type"] {
        assert!(tokens.contains(function), "{tokens}");
    }
}
