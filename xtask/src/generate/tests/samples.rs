//! Samples, as templates.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::samples::samples;
use crate::model::Context;
use crate::model::testing::{project, schemas};
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
