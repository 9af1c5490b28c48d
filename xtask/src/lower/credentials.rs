use anyhow::{Result, bail};
use heck::ToSnakeCase as _;
use serde_json::Value;

use super::{Child, Context, OPERATIONS, become_rust_type, for_each_child};
use crate::document;

/// What an overlay says of a value whose name does not tell whether it is a credential, or tells it wrong.
pub(crate) const CREDENTIAL: &str = "x-credential";

/// Last words of the names of credentials.
const CREDENTIALS: [&str; 17] = [
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "key",
    "keys",
    "passphrase",
    "password",
    "passwords",
    "pem",
    "secret",
    "secrets",
    "session",
    "signature",
    "token",
    "tokens",
];

/// Last words of the names of what holds nothing else: an API key may be sent as the name of a user.
const HOLDERS: [&str; 5] = ["auth", "cookies", "headers", "secret", "secrets"];

/// Words that say that it is none, though the last one would be.
const HARMLESS: [&str; 2] = ["page", "public"];

/// Makes `Credential` of a string that is one by its name, by the name of what holds it, or as an overlay says by
/// `x-credential`. As a `String` it would show in `Debug`.
pub(super) fn credentials(document: &mut Value, _: &Context<'_>) -> Result<usize> {
    let mut marking = Marking::default();
    for schema in document::schemas_mut(document).into_iter().flat_map(serde_json::Map::values_mut) {
        marking.schema(schema, "", false);
    }
    for operation in document.get_mut(OPERATIONS).and_then(Value::as_array_mut).into_iter().flatten() {
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            marking.schema(&mut parameter["schema"], &name, false);
        }
    }
    if !marking.repeated.is_empty() {
        bail!("`{CREDENTIAL}` says what the name does, and has to go: {}", marking.repeated.join(", "));
    }
    Ok(marking.hits)
}

#[derive(Default)]
struct Marking {
    hits: usize,
    /// Names of which an overlay says what they say themselves.
    repeated: Vec<String>,
}

impl Marking {
    fn schema(&mut self, schema: &mut Value, name: &str, is_held: bool) {
        let is_text = schema["type"] == "string" && schema.get("enum").is_none();
        let told = is_held || ends_with(name, if is_text { &CREDENTIALS } else { &HOLDERS });
        let said = schema.as_object_mut().and_then(|members| members.remove(CREDENTIAL)?.as_bool());
        if said == Some(told) {
            self.repeated.push(name.to_owned());
        }
        let is = said.unwrap_or(told);
        if is && is_text {
            become_rust_type(schema, "Credential", &[]);
            self.hits += 1;
        }
        for_each_child(schema, &mut |child, schema| match child {
            Child::Property(property) => self.schema(schema, property, is),
            Child::Item | Child::MapValue | Child::Part => self.schema(schema, name, is),
        });
    }
}

fn ends_with(name: &str, last: &[&str]) -> bool {
    let name = name.to_snake_case();
    let mut words = name.split('_');
    words.next_back().is_some_and(|word| last.contains(&word)) && !words.any(|word| HARMLESS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::is_rust_type;
    use crate::lower::testing::{run, run_document};
    use serde_json::json;

    #[test]
    fn credentials_are_told_by_their_names_by_what_holds_them_and_by_overlays() {
        let text = || json!({ "type": "string" });
        let said = |is: bool| json!({ "type": "string", CREDENTIAL: is });
        let (schemas, hits) = run(
            credentials,
            json!({ "A": { "properties": {
                "apiKey": { "type": "string", "description": "kept" },
                "clientSecret": text(),
                "tokens": { "type": "array", "items": text() },
                "headers": { "type": "object", "additionalProperties": text() },
                "basicAuth": { "properties": { "username": text(), "realm": said(false) } },
                "sessionId": said(true),
                "callback": { "type": "object", CREDENTIAL: true, "additionalProperties": text() },
                "nextPageToken": text(),
                "publicKeyPem": text(),
                "tokenURL": text(),
                "key": { "type": "string", "enum": ["a"] },
                "includeToken": { "type": "boolean" },
            } } }),
        );
        assert_eq!(hits, 7);
        let properties = &schemas["A"]["properties"];
        for (pointer, is) in [
            ("/apiKey", true),
            ("/clientSecret", true),
            ("/tokens/items", true),
            ("/headers/additionalProperties", true),
            ("/basicAuth/properties/username", true),
            ("/basicAuth/properties/realm", false),
            ("/sessionId", true),
            ("/callback/additionalProperties", true),
            ("/nextPageToken", false),
            ("/publicKeyPem", false),
            ("/tokenURL", false),
            ("/key", false),
            ("/includeToken", false),
        ] {
            let schema = properties.pointer(pointer).expect(pointer);
            assert_eq!(is_rust_type(schema, "Credential"), is, "{pointer}");
        }
        assert_eq!(properties["apiKey"]["description"], "kept");
        assert!(!schemas.to_string().contains(CREDENTIAL), "{schemas}");
    }

    #[test]
    fn parameters_are_credentials_too() {
        let parameter = json!({ "name": "apiKey", "schema": { "type": "string" } });
        let operation = json!({ "parameters": [parameter] });
        let (document, hits) = run_document(credentials, json!({ OPERATIONS: [operation] })).expect("passes");
        assert!(hits == 1 && is_rust_type(&document[OPERATIONS][0]["parameters"][0]["schema"], "Credential"));
    }

    #[test]
    fn what_the_name_says_is_not_said_again() {
        for (name, is) in [("apiKey", true), ("label", false)] {
            let property = json!({ "type": "string", CREDENTIAL: is });
            let document = json!({ "components": { "schemas": { "A": { "properties": { name: property } } } } });
            let error = run_document(credentials, document).expect_err(name);
            assert_eq!(error.to_string(), format!("`x-credential` says what the name does, and has to go: {name}"));
        }
    }
}
