//! No `Debug` of a generated type shows a credential.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tests::generated::{STRUCTS, Struct};

/// Words in the names of possible credentials; more words than the generator uses.
const SUSPICIOUS: [&str; 22] = [
    "auth",
    "authorization",
    "bearer",
    "callback",
    "certificate",
    "code",
    "cookie",
    "credential",
    "header",
    "jwt",
    "key",
    "passphrase",
    "password",
    "pem",
    "pin",
    "private",
    "secret",
    "session",
    "signature",
    "signed",
    "signing",
    "token",
];

/// Fields that `Debug` shows, although their name or that of their parent has such a word.
const HARMLESS: &str = "
    accessTokenOpts.attachmentType accessTokenOpts.docsURL apiKey.label apiKey.scopes apiKeyAsBasicOpts.fieldUsed
    apiKeyAsBasicOpts.keyFormat apiKeyOpts.attachmentType apiKeyOpts.docsURL authHealthCheck.method
    authHealthCheck.url authQueryParams authQueryParams.defaultValue authQueryParams.displayName
    authQueryParams.docsURL authQueryParams.name authQueryParams.prompt authScheme authType authURL authURLParams
    connection.authScheme header.name header.valuePrefix headers.key headers.name headers.valueTemplate
    jwtKey.label key keyFormat keyTemplate metadata.authQueryParams metadata.keyTemplate
    metadata.partitionKeyTemplate nextPageToken oauth2AuthorizationCode.scopes oauth2ClientCredentials.clientId
    oauth2ClientCredentials.scopes oauth2Opts.authURL oauth2Opts.authURLParams oauth2Opts.tokenURL
    oauth2PasswordCredentials.clientId oauth2PasswordCredentials.scopes 
    pagination.nextPageToken partitionKeyTemplate publicKeyPem tokenMetadataFields.consumerRefField
    tokenMetadataFields.scopesField tokenMetadataFields.workspaceRefField tokenURL
";

/// A value of a JSON Schema. Each string in it is the path of names to it, and each object has an unknown member.
fn instance(schema: &Value, root: &Value, names: &[String]) -> Value {
    let definition = schema["$ref"].as_str().and_then(|to| root.pointer(to.trim_start_matches('#')));
    let schema = definition.unwrap_or(schema);
    let alternatives = schema["anyOf"].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null"));
    if let Some(schema) = alternatives {
        return instance(schema, root, names);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or_default();
    match kind {
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let members = properties.filter(|_| names.len() < 8).map(|(name, property)| {
                let names: Vec<String> = names.iter().chain([name]).cloned().collect();
                (name.clone(), instance(property, root, &names))
            });
            let mut object: Map<String, Value> = members.collect();
            let is_map = schema["additionalProperties"].is_object();
            let new = if is_map { &schema["additionalProperties"] } else { &json!({ "type": "string" }) };
            let names: Vec<String> = names.iter().cloned().chain((!is_map).then(|| "newSecret".to_owned())).collect();
            object.insert("newSecret".to_owned(), instance(new, root, &names));
            object.into()
        }
        "array" => json!([instance(&schema["items"], root, names)]),
        "string" if schema["format"] == "date-time" => json!("2026-08-19T10:00:00Z"),
        "string" => format!("<{}>", names.join(".")).into(),
        "boolean" => json!(true),
        "integer" => json!(1),
        _ => json!({ "newSecret": format!("<{}>", names.join(".")) }),
    }
}

/// The last two names of the path in a string, if one of them has a suspicious word.
fn suspicious(text: &str) -> Option<String> {
    let mut names: Vec<&str> = text.strip_prefix('<')?.strip_suffix('>')?.rsplit('.').take(2).collect();
    names.reverse();
    let names = names.join(".");
    let separate = |c: char| if c.is_uppercase() { format!(" {}", c.to_lowercase()) } else { c.to_string() };
    let words: String = names.chars().map(separate).collect();
    let mut words = words.split([' ', '.', '_', '-']);
    words.any(|word| SUSPICIOUS.contains(&word.trim_end_matches('s'))).then_some(names)
}

#[test]
fn no_type_shows_what_is_named_like_a_credential() {
    let (mut shown, mut hidden) = (BTreeSet::new(), 0);
    for Struct { name, json_schema, debug } in STRUCTS {
        let schema = json_schema().to_value();
        let json = instance(&schema, &schema, &[]).to_string();
        let debug = debug(&json).unwrap_or_else(|error| panic!("{name}: {error}: {json}"));
        for text in json.split('"') {
            match suspicious(text) {
                Some(names) if debug.contains(text) => _ = shown.insert(names),
                Some(_) => hidden += 1,
                None => {}
            }
        }
    }
    let harmless: BTreeSet<String> = HARMLESS.split_whitespace().map(str::to_owned).collect();
    assert_eq!(shown, harmless, "what is new is a credential, or is to be listed");
    assert!(hidden > 100, "{hidden}");
}
