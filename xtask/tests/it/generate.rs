//! `generate` and `check`: from the contract to Rust.

use std::process::Command;

use serde_json::{Value, json};

use crate::Workspace;

const NOTIFICATIONS: &str = "openapi/contract/notifications.json";
const CONFIG: &str = "openapi/contract/config.json";
const API: &str = "openapi/contract/api.json";
const PROJECT: &str = "openapi/project.toml";
const GENERATED: &str = "crates/ampersand-types/src/generated";
const CLIENT: &str = "crates/ampersand-client/src/generated";
const TESTING: &str = "crates/ampersand-testing/src/generated";

fn workspace() -> Workspace {
    Workspace::copy_of(&["openapi", GENERATED, CLIENT, TESTING, "benches/generated", "tests/it/generated"])
}

impl Workspace {
    /// Changes a contract file as JSON.
    fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut document: Value = serde_json::from_str(&self.read(path)).unwrap();
        change(&mut document);
        self.write(path, &(serde_json::to_string_pretty(&document).unwrap() + "\n"));
    }
}

#[test]
fn what_is_there_is_what_would_be_generated() {
    let workspace = workspace();
    let before = workspace.tree("");
    assert!(workspace.succeed(&["check"]).err.ends_with("everything is up to date\n"));
    assert!(workspace.succeed(&["generate"]).err.ends_with("\n0 of 33 files changed\n"));
    assert_eq!(workspace.tree(""), before);
}

#[test]
fn everything_is_made_again_where_nothing_is() {
    let workspace = workspace();
    let before = workspace.tree("");
    for folder in ["benches", "crates", "tests"] {
        std::fs::remove_dir_all(workspace.path().join(folder)).unwrap();
    }
    insta::assert_snapshot!(workspace.succeed(&["generate"]).err, @"
    read openapi/contract/notifications.json: 28 schemas
    read openapi/contract/webhook.json: 5 schemas
    read openapi/contract/config.json: 38 schemas
    read openapi/contract/api.json: 175 schemas
    read openapi/contract/read.json: 7 schemas
    read openapi/contract/write.json: 7 schemas
    read openapi/contract/search.json: 6 schemas
    wrote benches/generated/plain.rs
    wrote crates/ampersand-client/src/generated/groups/api_keys.rs
    wrote crates/ampersand-client/src/generated/groups/billing_accounts.rs
    wrote crates/ampersand-client/src/generated/groups/connections.rs
    wrote crates/ampersand-client/src/generated/groups/destinations.rs
    wrote crates/ampersand-client/src/generated/groups/installations.rs
    wrote crates/ampersand-client/src/generated/groups/integrations.rs
    wrote crates/ampersand-client/src/generated/groups/jwt_keys.rs
    wrote crates/ampersand-client/src/generated/groups/notifications.rs
    wrote crates/ampersand-client/src/generated/groups/oauth.rs
    wrote crates/ampersand-client/src/generated/groups/objects.rs
    wrote crates/ampersand-client/src/generated/groups/operations.rs
    wrote crates/ampersand-client/src/generated/groups/orgs.rs
    wrote crates/ampersand-client/src/generated/groups/projects.rs
    wrote crates/ampersand-client/src/generated/groups/provider_apps.rs
    wrote crates/ampersand-client/src/generated/groups/providers.rs
    wrote crates/ampersand-client/src/generated/groups/reads.rs
    wrote crates/ampersand-client/src/generated/groups/revisions.rs
    wrote crates/ampersand-client/src/generated/groups/search.rs
    wrote crates/ampersand-client/src/generated/groups/upload_urls.rs
    wrote crates/ampersand-client/src/generated/groups/users.rs
    wrote crates/ampersand-client/src/generated/groups/writes.rs
    wrote crates/ampersand-client/src/generated/mod.rs
    wrote crates/ampersand-client/src/generated/types.rs
    wrote crates/ampersand-testing/src/generated/api.rs
    wrote crates/ampersand-testing/src/generated/contract.json
    wrote crates/ampersand-testing/src/generated/httpmock.rs
    wrote crates/ampersand-types/src/generated/config.rs
    wrote crates/ampersand-types/src/generated/messages.rs
    wrote crates/ampersand-types/src/generated/mod.rs
    wrote crates/ampersand-types/src/generated/notifications.rs
    wrote tests/it/generated/calls.rs
    wrote tests/it/generated/mod.rs
    33 of 33 files changed
    ");
    assert_eq!(workspace.tree(""), before);
}

#[test]
fn an_edit_by_hand_is_found_and_shown() {
    let workspace = workspace();
    workspace.edit(
        &format!("{GENERATED}/messages.rs"),
        "pub num_records: ::ampersand_types::Integer",
        "pub num_records: u64",
    );
    workspace.write(&format!("{GENERATED}/own.rs"), "struct Own;\n");
    let run = workspace.xtask(&["check"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.out, @"
    --- a/crates/ampersand-types/src/generated/messages.rs
    +++ b/crates/ampersand-types/src/generated/messages.rs
    @@ -137,7 +137,7 @@
         /// Whoever holds it can read the customer's records: keep it out of logs.
         pub download_url: ::std::option::Option<::ampersand_types::SignedUrl>,
         /// Count of the records, inline or in the file.
    -    pub num_records: u64,
    +    pub num_records: ::ampersand_types::Integer,
         /// Whether the records are in the message or in a file.
         pub type_: ::ampersand_types::messages::ResultInfoType,
         /// Members without a field of their own: see [`OtherFields`](::ampersand_types::OtherFields).
    --- a/crates/ampersand-types/src/generated/own.rs
    +++ b/crates/ampersand-types/src/generated/own.rs
    @@ -1 +0,0 @@
    -struct Own;
    ");
    let err = workspace.succeed(&["generate"]).err;
    assert_eq!((err.matches("wrote ").count(), err.matches("removed ").count()), (1, 1), "{err}");
    assert_eq!(workspace.succeed(&["check"]).out, "");
}

#[test]
fn a_contract_that_is_not_the_locked_one_is_found_and_shown() {
    let workspace = workspace();
    let problem = "openapi/contract/problem.json";
    workspace.write(problem, &(workspace.read(problem) + "\n"));
    let run = workspace.xtask(&["check"]);
    assert_eq!(run.code, 1);
    let lines: Vec<&str> = run.out.lines().filter(|line| line.starts_with(['-', '+'])).collect();
    assert_eq!(lines.len(), 4, "{}", run.out);
    assert_eq!(lines[..2], ["--- a/openapi/contract.lock", "+++ b/openapi/contract.lock"]);
}

#[test]
fn an_event_type_a_value_and_a_field_that_are_new_are_all_that_changes() {
    let workspace = workspace();
    workspace.change(NOTIFICATIONS, |document| {
        let schemas = &mut document["components"]["schemas"];
        let mut body = schemas["ConnectionDeletedNotificationPayload"].clone();
        body["properties"]["notificationType"]["enum"] = json!(["connection.paused"]);
        schemas["ConnectionPausedNotificationPayload"] = body;
    });
    for document in [CONFIG, API] {
        workspace.change(document, |document| {
            let schemas = &mut document["components"]["schemas"];
            schemas["ReadFilter"]["properties"]["caseSensitive"] = json!({ "type": "boolean" });
            schemas["ReadFilter"]["properties"]["operator"]["enum"] = json!(["eq", "not-eq"]);
        });
    }
    let diff = workspace.xtask(&["check"]).out;
    let diff = diff.split_once("--- a/crates").unwrap().1;
    let changed: Vec<&str> = diff.lines().filter(|line| line.starts_with(['-', '+'])).collect();
    insta::assert_snapshot!(changed.join("\n"), @r##"
    +++ b/crates/ampersand-testing/src/generated/api.rs
    -    read_filter ReadFilter (:: ampersand_types :: config :: ReadFilter) r#"{"fieldName":"email","operator":"eq","value":"{groupName}"}"#,
    +    read_filter ReadFilter (:: ampersand_types :: config :: ReadFilter) r#"{"caseSensitive":true,"fieldName":"email","operator":"eq","value":"{groupName}"}"#,
    --- a/crates/ampersand-testing/src/generated/contract.json
    +++ b/crates/ampersand-testing/src/generated/contract.json
    -"ReadFilter":{"properties":{"fieldName":{"type":"string"},"operator":{"enum":["eq"],"type":"string"},"value":{"$ref":"#/components/schemas/ReadFilterValue"}},"required":["fieldName","operator"],"type":"object"},
    +"ReadFilter":{"properties":{"caseSensitive":{"type":"boolean"},"fieldName":{"type":"string"},"operator":{"enum":["eq","not-eq"],"type":"string"},"value":{"$ref":"#/components/schemas/ReadFilterValue"}},"required":["fieldName","operator"],"type":"object"},
    -"ReadFilter":{"description":"One condition that a record must meet to be read.","properties":{"fieldName":{"description":"Name of the field that is compared, such as `status`.","type":"string"},"operator":{"description":"How the field is compared with `value`.","enum":["eq"],"type":"string","x-enum-descriptions":{"eq":"The field equals `value`."}},"value":{"$ref":"#/components/schemas/ReadFilterValue","description":"What the field is compared with."}},"required":["fieldName","operator"],"type":"object"},
    +"ReadFilter":{"description":"One condition that a record must meet to be read.","properties":{"caseSensitive":{"type":"boolean"},"fieldName":{"description":"Name of the field that is compared, such as `status`.","type":"string"},"operator":{"description":"How the field is compared with `value`.","enum":["eq","not-eq"],"type":"string","x-enum-descriptions":{"eq":"The field equals `value`."}},"value":{"$ref":"#/components/schemas/ReadFilterValue","description":"What the field is compared with."}},"required":["fieldName","operator"],"type":"object"},
    +"ConnectionPausedNotificationPayload":{"properties":{"data":{"$ref":"#/components/schemas/ConnectionData"},"notificationType":{"enum":["connection.paused"],"type":"string"}},"required":["data","notificationType"],"type":"object"},
    --- a/crates/ampersand-types/src/generated/config.rs
    +++ b/crates/ampersand-types/src/generated/config.rs
    +    /// Not documented yet: the contract has it, and our words for it are still to be written.
    +    pub case_sensitive: ::std::option::Option<bool>,
    +    optional case_sensitive = "caseSensitive",
    +    /// Not documented yet: the contract has it, and our words for it are still to be written.
    +    NotEq,
    +    NotEq = "not-eq",
    +            case_sensitive: ::core::default::Default::default(),
    +    /// Not documented yet: the contract has it, and our words for it are still to be written.
    +    pub fn case_sensitive(mut self, case_sensitive: bool) -> Self {
    +        self.case_sensitive = ::core::option::Option::Some(case_sensitive);
    +        self
    +    }
    --- a/crates/ampersand-types/src/generated/notifications.rs
    +++ b/crates/ampersand-types/src/generated/notifications.rs
    +    /// Not documented yet: the contract has it, and our words for it are still to be written.
    +    ConnectionPaused,
    +    ConnectionPaused = "connection.paused",
    +    /// Not documented yet: the contract has it, and our words for it are still to be written.
    +    ConnectionPaused(ConnectionData),
    +            NotificationType::ConnectionPaused => {
    +                ConnectionData::deserialize(data).map(Self::ConnectionPaused)
    +            }
    +            Self::ConnectionPaused(data) => Some(data.project_id.as_str()),
    +            Self::ConnectionPaused(data) => Some(data.group_ref.as_str()),
    +            Self::ConnectionPaused(data) => data,
    +            NotificationType::ConnectionPaused => {
    +                generator.subschema_for::<ConnectionData>()
    +            }
    +            Self::ConnectionPaused(data) => data.serialize(serializer),
    "##);

    let err = workspace.succeed(&["generate"]).err;
    let warnings: Vec<&str> = err.lines().filter(|line| line.starts_with("warning")).collect();
    insta::assert_snapshot!(warnings.join("\n"), @"
    warning: notifications::NotificationType::ConnectionPaused is not documented in openapi/overlays
    warning: notifications::Event::ConnectionPaused is not documented in openapi/overlays
    warning: config::ReadFilter::caseSensitive is not documented in openapi/overlays
    warning: config::ReadFilterOperator::NotEq is not documented in openapi/overlays
    ");
}

#[test]
fn an_operation_a_parameter_and_a_schema_that_are_new_are_all_that_changes() {
    let workspace = workspace();
    workspace.change(API, |document| {
        document["components"]["schemas"]["Label"] =
            json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string" } } });
        let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Label" } } });
        document["paths"]["/labels"] = json!({ "post": {
            "operationId": "createLabel",
            "tags": ["Label"],
            "requestBody": { "required": true, "content": content },
            "responses": { "201": { "description": "", "content": content } },
        } });
        let parameters = &mut document["paths"]["/projects"]["get"]["parameters"];
        *parameters = json!([{ "name": "type", "in": "query", "schema": { "type": "string", "enum": ["a"] } }]);
    });
    let diff = workspace.xtask(&["check"]).out;
    let files: Vec<&str> = diff.lines().filter_map(|line| line.strip_prefix("+++ b/")).collect();
    insta::assert_snapshot!(files.join("\n"), @"
    openapi/contract.lock
    crates/ampersand-client/src/generated/groups/label.rs
    crates/ampersand-client/src/generated/groups/projects.rs
    crates/ampersand-client/src/generated/mod.rs
    crates/ampersand-client/src/generated/types.rs
    crates/ampersand-testing/src/generated/api.rs
    crates/ampersand-testing/src/generated/contract.json
    crates/ampersand-testing/src/generated/httpmock.rs
    tests/it/generated/calls.rs
    tests/it/generated/mod.rs
    ");
    let public = |line: &&str| line.starts_with('+') && line.contains("pub ");
    let added: Vec<&str> = diff.lines().filter(public).map(|line| line[1..].trim()).collect();
    insta::assert_snapshot!(added.join("\n"), @"
    pub struct Label {
    pub fn create_label(&self, body: types::Label) -> CreateLabel {
    pub struct CreateLabel {
    pub const ENDPOINT: crate::Endpoint = crate::Endpoint {
    pub fn type_(
    pub mod label;
    pub fn label(&self) -> groups::label::Label {
    pub struct Label {
    pub text: ::std::string::String,
    pub other_fields: ::ampersand_types::OtherFields,
    pub enum ListProjectsType {
    pub fn new(text: impl ::core::convert::Into<::std::string::String>) -> Self {
    pub struct CreateLabelWhen(::httpmock::When);
    pub fn new(inner: ::httpmock::When) -> Self {
    pub fn into_inner(self) -> ::httpmock::When {
    pub fn body(self, value: &types::Label) -> Self {
    pub struct CreateLabelThen(::httpmock::Then);
    pub fn new(inner: ::httpmock::Then) -> Self {
    pub fn into_inner(self) -> ::httpmock::Then {
    pub fn created(self, value: &types::Label) -> Self {
    pub fn type_<'a, T>(self, value: T) -> Self
    ");
}

#[test]
fn what_no_longer_applies_is_named() {
    let workspace = workspace();
    for document in [CONFIG, API] {
        workspace.change(document, |document| {
            let schemas = &mut document["components"]["schemas"];
            schemas["ReadFilter"]["properties"].as_object_mut().unwrap().remove("value");
            schemas["ConfigContent"]["allOf"][1].as_object_mut().unwrap().remove("required");
            schemas["FieldSetting"]["properties"]["writeOnUpdate"]["enum"] = json!(["always", "never"]);
        });
    }
    let before = workspace.tree("");
    let run = workspace.xtask(&["generate"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.err, @"
    error: what no longer applies has to go (--allow-stale makes these warnings, for an older contract):
      openapi/overlays/config.corrections.yaml: action on `$.components.schemas.ConfigContent..required[?@ == 'provider']` changes nothing
      openapi/overlays/config.docs.yaml: action on `$.components.schemas.ReadFilter..properties.value` changes nothing
      openapi/overlays describe `ifEmpty`, which is no value of FieldSettingWriteOnUpdate
    ");
    assert_eq!(workspace.tree(""), before);

    let run = workspace.succeed(&["generate", "--allow-stale"]);
    assert_eq!(run.err.matches("warning: ").count(), 3, "{}", run.err);
}

#[test]
fn a_step_that_finds_nothing_is_named() {
    let workspace = workspace();
    for document in ["notifications", "webhook", "config", "api", "read", "write", "search"] {
        workspace.write(
            &format!("openapi/contract/{document}.json"),
            r#"{"openapi": "3.0.1", "components": {"schemas": {"A": {"properties": {"id": {"type": "string"}}}}}}"#,
        );
    }
    for overlay in std::fs::read_dir(workspace.path().join("openapi/overlays")).expect("there are overlays") {
        std::fs::remove_file(overlay.expect("is readable").path()).expect("is removed");
    }
    insta::assert_snapshot!(workspace.xtask(&["generate"]).err, @"
    error: what no longer applies has to go (--allow-stale makes these warnings, for an older contract):
      step `credentials` finds nothing to do in the whole contract
      step `flatten_alternatives` finds nothing to do in the whole contract
      step `fold_alternatives` finds nothing to do in the whole contract
      step `inline_aliases` finds nothing to do in the whole contract
      step `merge_all_of` finds nothing to do in the whole contract
      step `name_inline_schemas` finds nothing to do in the whole contract
      step `opaque_values` finds nothing to do in the whole contract
      step `prune` finds nothing to do in the whole contract
      step `signed_urls` finds nothing to do in the whole contract
      step `split_events` finds nothing to do in the whole contract
      step `timestamps` finds nothing to do in the whole contract
    ");
}

#[test]
fn broken_input_gives_one_error_with_its_place_and_leaves_the_tree_alone() {
    let docs = "openapi/overlays/config.docs.yaml";
    let cases = [
        (CONFIG, "\"components\"", "\"components", "openapi/contract/config.json: error: line "),
        (
            CONFIG,
            "\"openapi\": \"3.0.1\"",
            "\"openapi\": \"4.0.0\"",
            "openapi/contract/config.json: at /openapi: version 4.0.0, where 3.0 or 3.1 is expected",
        ),
        (
            CONFIG,
            "schemas/ReadFilterValue",
            "schemas/Gone",
            "openapi/contract/config.json: at /components/schemas/ReadFilter/properties/value/$ref: `#/components/schemas/Gone` refers to nothing",
        ),
        (CONFIG, "\"ReadFilter\": {", "\"ReadFilter\": {}, \"ReadFilter\": {", "duplicate mapping key: ReadFilter"),
        (
            CONFIG,
            "\"BaseProxyConfig\": {",
            "\"BaseProxyConfig\": {\"allOf\": [{\"$ref\": \"#/components/schemas/BaseProxyConfig\"}, {}],",
            "openapi/contract/config.json: at schema `BaseProxyConfig`: it is an `allOf` of itself",
        ),
        (
            API,
            "\"issues\": {",
            "\"problems\": {",
            "the contract's `InputValidationProblem` is not the problem that the client reads, in which `issues` is optional",
        ),
        (
            API,
            "\"in\": \"query\"",
            "\"in\": \"body\"",
            "is no parameter, which has a name and is in a path, query, header or cookie",
        ),
        (PROJECT, "name = \"config\"", "name = \"my-config\"", "`my-config` is not the name of a module in Rust"),
        (
            PROJECT,
            "[\"api\", \"read\",",
            "[\"api\", \"api\", \"read\",",
            "the documents `api` and `api` have one name in Rust",
        ),
        (docs, "actions:", "actoins:", "openapi/overlays/config.docs.yaml: error: line "),
        (
            docs,
            "$.components.schemas.ReadFilter\n",
            "$.components[\n",
            "openapi/overlays/config.docs.yaml: action on `$.components[",
        ),
        (
            docs,
            "contract/config.json",
            "contract/gone.json",
            "openapi/overlays/config.docs.yaml extends no contract file",
        ),
        ("openapi/contract.lock", "[published]", "[publish", "openapi/contract.lock: TOML parse error at line"),
    ];
    for (file, old, new, message) in cases {
        let workspace = workspace();
        workspace.edit(file, old, new);
        let before = workspace.tree("");
        let run = workspace.xtask(&["generate"]);
        assert_eq!(run.code, 1, "{new}");
        assert!(run.err.contains(message), "{message}\n{}", run.err);
        assert_eq!(workspace.tree(""), before, "{new}");
    }
    let workspace = workspace();
    std::fs::remove_file(workspace.path().join(CONFIG)).unwrap();
    assert_eq!(
        workspace.xtask(&["generate"]).err,
        "error: openapi/contract/config.json: No such file or directory (os error 2)\n"
    );
}

#[test]
fn schemas_that_are_alike_in_rust_are_told_apart() {
    let workspace = workspace();
    workspace.edit(
        CONFIG,
        "\"ReadFilter\": {",
        r#""read_filter": {"properties": {"a": {}}}, "ReadFilter2": {"properties": {"b": {}}}, "ReadFilter": {"#,
    );
    workspace.succeed(&["generate"]);
    let config = workspace.read(&format!("{GENERATED}/config.rs"));
    for (name, field) in [("ReadFilter2", "b"), ("ReadFilter3", "a")] {
        let text = config.split_once(&format!("pub struct {name} {{")).unwrap().1;
        assert!(text.split_once("pub ").unwrap().1.starts_with(&format!("{field}: ")), "{name}");
    }
}

/// What the contract does not do today and may do next month, all at once: the result has to compile.
#[test]
fn the_contract_of_next_month_compiles() {
    let workspace = buildable();
    workspace.change(NOTIFICATIONS, |document| {
        let schemas = &mut document["components"]["schemas"];
        // Two types in one body, with data of its own.
        schemas["Body"] = json!({ "properties": {
            "notificationType": { "type": "string", "enum": ["read.unknown", "unknown", "self"] },
            "data": { "type": "object", "properties": { "self": { "type": "string" } } },
        } });
        schemas["Raw"] = json!({ "properties": {
            "notificationType": { "type": "string", "enum": ["raw"] },
            "data": { "type": "object" },
        } });
        schemas["AnyBody"] =
            json!({ "oneOf": [{ "$ref": "#/components/schemas/Body" }, { "$ref": "#/components/schemas/Raw" }] });
        // Bodies in parts, a list of all types, and names that are ours.
        schemas["PartsBody"] = json!({ "allOf": [
            { "properties": { "notificationType": { "$ref": "#/components/schemas/NotificationType" } } },
            { "properties": { "data": { "$ref": "#/components/schemas/Event" } } },
        ] });
        schemas["NotificationType"] = json!({ "type": "string", "enum": ["parts", "connection-error"] });
        schemas["Event"] = json!({ "properties": { "report": { "$ref": "#/components/schemas/ConnectionData" },
            "reportURL": { "$ref": "#/components/schemas/Link" } } });
        schemas["Link"] = json!({ "type": "string" });
        // A configuration that is required, and one whose URL may be null.
        let data = &mut schemas["ReadSchedulePausedData"]["allOf"][1];
        data["required"] = json!(["config"]);
        data["properties"]["configURL"]["nullable"] = json!(true);
        schemas.as_object_mut().unwrap().remove("SubscribeCreateErrorNotificationPayload");
    });
    workspace.change(CONFIG, |document| {
        document["components"]["schemas"]["Next"] = json!({
            "type": "object",
            "required": ["list", "nothing", "requiredNull", "gone"],
            "additionalProperties": false,
            "properties": {
                "@odata.type": { "type": "string" },
                "type": { "type": "string", "nullable": true },
                "requiredNull": { "type": "integer", "format": "int32", "minimum": 1, "nullable": true },
                "map": { "type": "object", "additionalProperties": { "type": "string", "enum": ["", "*", "1h", "Unknown", "a b"] } },
                "otherFields": { "type": "number" },
                "@type": { "type": "string" },
                "order": { "type": "string", "enum": ["asc", "ASC", "a-sc"] },
                "parent": { "nullable": true, "allOf": [{ "$ref": "#/components/schemas/Next" }] },
                "mixed": { "enum": [1, "a", true] },
                "others": { "type": "boolean" },
                "name": { "type": "string", "maxLength": 3, "pattern": "^a" },
                "list": { "type": "array", "uniqueItems": true, "minItems": 2, "maxItems": 2, "items": {
                    "type": "array", "items": { "type": "object", "properties": {
                        "self": { "$ref": "#/components/schemas/Next" },
                        "when": { "type": "string", "format": "date-time", "nullable": true },
                    } },
                } },
                "nulls": { "type": "array", "items": { "type": "string", "nullable": true } },
                "nothing": {},
                "described": { "description": "d", "nullable": true, "allOf": [{ "$ref": "#/components/schemas/ReadFilter" }] },
                "reference": { "$ref": "#/components/schemas/Tree", "nullable": true },
                "choice": { "anyOf": [{ "type": "string" }, { "$ref": "#/components/schemas/ReadFilter" }] },
                "read-filter": { "type": "object", "properties": { "value": { "type": "object", "properties": { "a": {} } } } },
            },
        });
        document["components"]["schemas"]["Alternatives"] = json!({
            "properties": { "a": { "type": "string" } },
            "oneOf": [
                { "required": ["b"], "properties": { "b": { "type": "string" } } },
                { "$ref": "#/components/schemas/ReadFilter" },
            ],
        });
        document["components"]["schemas"]["Tree"] = json!({ "type": "array", "items": { "$ref": "#/components/schemas/Tree" } });
        document["components"]["schemas"]["NextReadFilter"] = json!({ "properties": { "taken": { "type": "string" } } });
    });
    workspace.change(API, |document| {
        let schemas = &mut document["components"]["schemas"];
        schemas["Next"] = json!({
            "required": ["type", "when", "maps"],
            "properties": {
                "type": { "$ref": "#/components/schemas/NotificationEventType" },
                "when": { "type": "string", "format": "date-time" },
                "self": { "$ref": "#/components/schemas/Next" },
                "maps": { "additionalProperties": { "type": "array", "items": { "type": "integer" } } },
                "nested": { "type": "array", "items": { "type": "array", "items": { "properties": { "a": {} } } } },
                "builder": { "type": "integer", "minimum": 1 },
                "config": { "allOf": [{ "$ref": "#/components/schemas/ConfigContent" }] },
            },
        });
        let next = json!({ "$ref": "#/components/schemas/Next" });
        let json = |schema: &Value| json!({ "description": "", "content": { "application/json": { "schema": schema } } });
        document["paths"]["/next/{type}/{client}:go"] = json!({
            "parameters": [
                { "name": "type", "in": "path", "required": true, "schema": { "type": "integer" } },
                { "name": "client", "in": "path", "required": true, "schema": { "type": "string", "enum": ["a", "b"] } },
            ],
            "put": {
                "operationId": "putNext",
                "deprecated": true,
                "parameters": [
                    { "name": "X-Mode", "in": "header", "schema": { "type": "string" } },
                    { "name": "until", "in": "query", "required": true, "schema": { "type": "string", "format": "date-time" } },
                ],
                "requestBody": json(&next),
                "responses": { "2XX": json(&json!({ "additionalProperties": next })), "4XX": json(&json!({})) },
            },
            "post": {
                "operationId": "postNext",
                "tags": ["Next & Last", "Other"],
                "requestBody": json(&json!({ "type": "array", "items": next })),
                "responses": { "200": json(&json!({ "type": "string" })), "204": { "description": "" } },
            },
        });
    });
    workspace.succeed(&["generate", "--allow-stale"]);
    let notifications = workspace.read(&format!("{GENERATED}/notifications.rs"));
    for expected in ["Parts(EventSchema)", "ConnectionError2(ConnectionErrorData)", "pub fn report_source(&self)"] {
        assert!(notifications.contains(expected), "{expected}");
    }
    compile(&workspace);
}

/// An older contract may have nothing of what a step is for.
#[test]
fn a_contract_in_which_steps_find_nothing_compiles() {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|key, value| {
                    !(["oneOf", "anyOf"].contains(&key.as_str()) && value.is_array()) && *value != "date-time"
                });
                members.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let workspace = buildable();
    for document in ["notifications", "webhook", "config", "api", "read", "write", "search"] {
        workspace.change(&format!("openapi/contract/{document}.json"), strip);
    }
    std::fs::remove_file(workspace.path().join("openapi/overlays/notifications.corrections.yaml")).unwrap();
    let err = workspace.succeed(&["generate", "--allow-stale"]).err;
    let idle: Vec<&str> = err.lines().filter(|line| line.starts_with("warning: step")).collect();
    insta::assert_snapshot!(idle.join("\n"), @"
    warning: step `flatten_alternatives` finds nothing to do in the whole contract
    warning: step `fold_alternatives` finds nothing to do in the whole contract
    warning: step `timestamps` finds nothing to do in the whole contract
    ");
    compile(&workspace);
}

/// A workspace with all that it takes to compile what is generated.
fn buildable() -> Workspace {
    Workspace::copy_of(&[
        "Cargo.toml",
        "Cargo.lock",
        "openapi",
        "benches",
        "crates",
        "fuzz/Cargo.toml",
        "fuzz/src",
        "fuzz/targets",
        "xtask/Cargo.toml",
        "xtask/src/main.rs",
        "tests/Cargo.toml",
        "tests/it/main.rs",
        "tests/peers/Cargo.toml",
        "tests/peers/src/main.rs",
        "tests/peers/tests/it/main.rs",
        "xtask/tests/it/main.rs",
    ])
}

/// Compiles the types and the client.
fn compile(workspace: &Workspace) {
    let output = Command::new(env!("CARGO"))
        .args(["check", "--package=ampersand-types", "--all-features", "--locked", "--offline", "--quiet"])
        .env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"))
        .env("RUSTFLAGS", "-D warnings")
        .current_dir(workspace.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Where the dependencies of the client are built already.
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["check", "--package=ampersand-client", "--locked", "--offline", "--quiet"])
        .env("CARGO_TARGET_DIR", target)
        .current_dir(workspace.path())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !err.contains("warning"), "{err}");
}
