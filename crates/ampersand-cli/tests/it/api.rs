//! Tests `api` against a server that checks the contract. Where exact bytes matter, the server returns fixed bytes.

use std::collections::BTreeSet;

use ampersand_client::Host;
use ampersand_testing::fake_api::FakeApi;
use insta::assert_snapshot;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use test_support::contract::contract;
use test_support::server::{Server, response};
use test_support::values::{Members, value};

use crate::command::{Run, command, feed, run};

const KEY: &str = "key-that-nobody-may-see";
const JSON: &str = "Content-Type: application/json\r\n";

/// Runs `api` with these hosts. No run may print the key.
fn call_at(url: impl Fn(Host) -> String, stdin: &str, arguments: &[&str]) -> Run {
    let mut command = command(&[&["api"], arguments].concat());
    command.env("AMPERSAND_API_KEY", KEY);
    for host in Host::ALL {
        command.env(format!("AMPERSAND_{}_URL", host.name().to_uppercase()), url(*host));
    }
    let run = feed(command, stdin);
    assert!(!run.to_string().contains(KEY), "{run}");
    run
}

/// Runs `api` against a server that returns fixed bytes.
fn call_with(server: &Server, stdin: &str, arguments: &[&str]) -> Run {
    call_at(|_| server.url.clone(), stdin, arguments)
}

fn call(server: &Server, arguments: &[&str]) -> Run {
    call_with(server, "", arguments)
}

/// Runs `api` against a server that checks the contract.
fn ask(api: &FakeApi, arguments: &[&str]) -> Run {
    call_at(|host| api.url(host), "", arguments)
}

/// Returns each operation of the published contract: its method, its path, its description, and its document.
fn operations() -> Vec<(String, String, Value, Value)> {
    let documents = ["api", "read", "write", "search"].map(contract);
    let operations = documents.iter().flat_map(|document| {
        let paths = document["paths"].as_object().unwrap().iter();
        paths.flat_map(move |(path, item)| {
            let methods = item.as_object().unwrap().iter().filter(|(_, operation)| operation.is_object());
            methods.map(move |(method, operation)| {
                (method.to_uppercase(), path.clone(), operation.clone(), document.clone())
            })
        })
    });
    operations.collect()
}

/// Returns the command-line name of an operation, computed in another way than the command does.
fn kebab(name: &str) -> String {
    let words = regex::Regex::new("([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])").unwrap();
    words.replace_all(name, "$1$3-$2$4").to_lowercase()
}

#[test]
fn every_operation_sends_what_the_contract_says() {
    let server = Server::script([response(200, JSON, "{}")]);
    let mut runner = TestRunner::deterministic();
    let mut names = BTreeSet::new();
    for (method, path, operation, document) in operations() {
        let name = kebab(operation["operationId"].as_str().unwrap());
        let mut arguments = vec![name.clone()];
        let mut expected = format!("{method} {path}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["required"] == true {
                arguments.extend([format!("--{}", kebab(name)), format!("{name}/1")]);
                expected = expected.replace(&format!("{{{name}}}"), &format!("{name}%2F1"));
                if parameter["in"] == "query" {
                    expected += &format!("?{name}={name}%2F1");
                }
            }
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = match schema {
            Value::Null => String::new(),
            schema => {
                arguments.extend(["--json".to_owned(), "-".to_owned()]);
                value(schema, &document, Members::Required).new_tree(&mut runner).unwrap().current().to_string()
            }
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = call_with(&server, &body, &arguments);
        assert_eq!(run.code, 0, "{name} {body}: {run}");
        let request = server.requests().pop().unwrap();
        assert_eq!((request.line, request.body), (expected, body), "{name}");
        names.insert(name);
    }
    assert_eq!((names.len(), server.requests().len()), (88, 88));
}

/// The checks accept everything that the contract allows: they stop no valid request.
#[test]
fn what_the_contract_allows_is_not_refused() {
    let server = Server::script([response(204, "", "")]);
    let mut runner = TestRunner::deterministic();
    for (_, _, operation, document) in operations() {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let mut arguments = vec![kebab(operation["operationId"].as_str().unwrap())];
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            arguments.push(format!("--{}={}", kebab(parameter["name"].as_str().unwrap()), "true"));
        }
        arguments.extend(["--json", "-", "--dry-run"].map(str::to_owned));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        for members in [Members::All, Members::Any] {
            let body = value(schema, &document, members).new_tree(&mut runner).unwrap().current();
            let run = call_with(&server, &body.to_string(), &arguments);
            assert_eq!(run.code, 0, "{body}: {run}");
        }
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn help_has_our_documentation() {
    for operation in ["list-operations", "create-event-topic-route", "update-installation"] {
        let help = run(&["api", operation, "--help"]);
        assert_eq!((help.code, help.stderr.as_str()), (0, ""));
        assert_snapshot!(format!("help-{operation}"), help.stdout);
    }
    assert_snapshot!("help-short", run(&["api", "create-event-topic-route", "-h"]).stdout);
}

#[test]
fn completions_know_operations_and_the_values_of_enums() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).stdout;
        for word in ["list-installations", "skip-sampling", "subscribe.create.error", "ifExpired"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert!(run(&["man", "api", "create-topic"]).stdout.contains(".TH ampersand-api-create-topic 1"));
}

#[test]
fn a_list_is_a_table_and_json_stays_as_it_came() {
    let api = FakeApi::start().unwrap();
    let topic = |id: &str, name: &str| json!({ "id": id, "name": name, "projectId": "p", "createTime": "2026-08-19T10:00:00Z" });
    api.on("listTopics").answer([topic("t1", "acme"), topic("t2", "globex\u{1b}[2J")]);
    assert_snapshot!(ask(&api, &["list-topics", "--project", "acme"]), @"
    exit code 0
    -- stdout
    ID  NAME        CREATE TIME           PROJECT ID
    t1  acme        2026-08-19T10:00:00Z  p
    t2  globex�[2J  2026-08-19T10:00:00Z  p
    -- stderr
    ");
    api.on("listTopics").answer([(); 0]);
    assert_snapshot!(ask(&api, &["list-topics", "--project", "acme"]), @"
    exit code 0
    -- stdout
    -- stderr
    the list is empty
    ");
    // The contract requires more fields than a row can show.
    api.on("listProviders").unchecked().answer(
        json!({ "hubspot": { "name": "hubspot", "authType": "oauth2" }, "x": { "name": "x", "authType": "none" } }),
    );
    assert_snapshot!(ask(&api, &["list-providers"]), @"
    exit code 0
    -- stdout
    NAME     AUTH TYPE
    hubspot  oauth2
    x        none
    -- stderr
    ");
    let large = r#"[
        {"id": "t1", "size": 1e400, "name": "\u001b[2J"}
    ]"#;
    let server = Server::script([response(200, JSON, large)]);
    assert_snapshot!(call(&server, &["list-topics", "--project", "acme", "--output", "json"]), @r#"
    exit code 0
    -- stdout
    [{"id":"t1","size":1e400,"name":"\u001b[2J"}]
    -- stderr
    "#);
}

#[test]
fn an_object_is_two_columns_and_its_secrets_are_hidden() {
    let destination = json!({
        "id": "d", "name": "hook", "type": "webhook", "metadata": { "url": "https://ada:pass@example.com/" },
        "secrets": { "webhookSigningKey": "whsec_1" }, "createTime": "2026-08-19T10:00:00Z",
    });
    let api = FakeApi::start().unwrap();
    api.on("getDestination").answer(destination);
    let arguments = ["get-destination", "--project", "p", "--destination", "hook", "--include-secrets"];
    assert_snapshot!(ask(&api, &arguments), @r#"
    exit code 0
    -- stdout
    createTime  2026-08-19T10:00:00Z
    id          d
    metadata    {"url":"(hidden)"}
    name        hook
    secrets     {"webhookSigningKey":"(hidden)"}
    type        webhook
    -- stderr
    "#);
    assert!(ask(&api, &[&arguments[..], &["--output", "json"]].concat()).stdout.contains("whsec_1"));
    let asked = &api.requests()[0];
    let query = [("includeSecrets".to_owned(), "true".to_owned())];
    assert_eq!((&*asked.path, &*asked.query), ("/projects/p/destinations/hook", &query[..]));

    api.on("oauthConnect").answer("https://example.com/oauth");
    let arguments = ["oauth-connect", "--project", "p", "--provider", "x", "--group-ref", "g", "--consumer-ref", "c"];
    assert_snapshot!(ask(&api, &arguments), @"
    exit code 0
    -- stdout
    https://example.com/oauth
    -- stderr
    ");
    assert_snapshot!(ask(&api, &["delete-topic", "--project", "p", "--topic", "t"]), @"
    exit code 0
    -- stdout
    -- stderr
    deleteTopic: 204 No Content
    ");
}

#[test]
fn what_would_do_it_again_is_not_sent_again() {
    for (rotate, requests) in [("--include-secrets", 2), ("--rotate", 1)] {
        let api = FakeApi::start().unwrap();
        api.on("getDestination").times(1).header("retry-after", "0").fail(503, "Service Unavailable");
        let run = ask(&api, &["get-destination", "--project", "p", "--destination", "d", rotate]);
        assert_eq!((run.code, api.requests().len()), (2 - requests as i32, requests), "{rotate}: {run}");
    }
}

const PAGED: [&str; 7] = ["list-operations", "--project", "p", "--integration", "i", "--installation", "n"];

#[test]
fn every_page_is_got() {
    let operation = |id: &str| {
        let known = json!({ "projectId": "p", "integrationId": "i", "configId": "c", "installationId": "n" });
        let mut operation =
            json!({ "id": id, "status": "success", "actionType": "read", "createTime": "2026-08-19T10:00:00Z" });
        operation.as_object_mut().unwrap().extend(known.as_object().unwrap().clone());
        operation
    };
    let api = FakeApi::start().unwrap();
    api.on("listOperations").pages([vec![operation("o1")], vec![operation("o2")]]);
    assert_snapshot!(ask(&api, &[&PAGED[..], &["--all", "--page-size", "1"]].concat()), @"
    exit code 0
    -- stdout
    ID  ACTION TYPE  CONFIG ID  INSTALLATION ID  INTEGRATION ID  STATUS   CREATE TIME
    o1  read         c          n                i               success  2026-08-19T10:00:00Z
    o2  read         c          n                i               success  2026-08-19T10:00:00Z
    -- stderr
    ");
    let queries: Vec<Vec<(String, String)>> = api.requests().into_iter().map(|request| request.query).collect();
    let [size, token] =
        [("pageSize", "1"), ("pageToken", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(queries, [vec![size.clone()], vec![size, token]]);
    assert_snapshot!(ask(&api, &[&PAGED[..], &["--all", "--output", "json"]].concat()), @r#"
    exit code 0
    -- stdout
    {"actionType":"read","configId":"c","createTime":"2026-08-19T10:00:00Z","id":"o1","installationId":"n","integrationId":"i","projectId":"p","status":"success"}
    {"actionType":"read","configId":"c","createTime":"2026-08-19T10:00:00Z","id":"o2","installationId":"n","integrationId":"i","projectId":"p","status":"success"}
    -- stderr
    "#);
    assert_snapshot!(ask(&api, &PAGED), @"
    exit code 0
    -- stdout
    ID  ACTION TYPE  CONFIG ID  INSTALLATION ID  INTEGRATION ID  STATUS   CREATE TIME
    o1  read         c          n                i               success  2026-08-19T10:00:00Z
    -- stderr
    there are more: --all gets every page
    ");

    let again = json!({ "done": false, "nextPageToken": "again" });
    api.on("listOperations").answer(json!({ "results": [operation("o1")], "pagination": again }));
    assert_snapshot!(ask(&api, &[&PAGED[..], &["--all"]].concat()), @"
    exit code 1
    -- stdout
    -- stderr
    error: listOperations: the API sent the same page token twice, so the list may be incomplete
    ");

    let page = |token| json!({ "results": [], "pagination": { "done": false, "nextPageToken": token } });
    for token in [json!("a"), json!("b"), json!("a")] {
        api.on("listOperations").times(1).unchecked().answer(page(token));
    }
    let said = ask(&api, &[&PAGED[..], &["--all"]].concat()).to_string();
    assert!(said.contains("exit code 1") && said.contains("the same page token twice"), "{said}");
    api.on("listOperations").times(1).unchecked().answer(page(json!(null)));
    let said = ask(&api, &[&PAGED[..], &["--all"]].concat()).to_string();
    assert!(said.contains("exit code 1") && said.contains("no token for the next page"), "{said}");
    api.on("listOperations").times(1).unchecked().answer(json!({ "results": "SECRET" }));
    let said = ask(&api, &[&PAGED[..], &["--all"]].concat()).to_string();
    assert!(said.contains("found string, expected a sequence") && !said.contains("SECRET"), "{said}");
}

#[test]
fn a_problem_is_told_with_its_remedy_and_its_request() {
    let api = FakeApi::start().unwrap();
    let problem = json!({
        "title": "Not Found", "detail": "there is no project acme", "remedy": "create it first", "requestId": "req_1",
        "status": 404, "type": "about:blank",
    });
    api.on("listTopics").fail_with(404, problem);
    assert_snapshot!(ask(&api, &["list-topics", "--project", "acme"]), @"
    exit code 1
    -- stdout
    -- stderr
    error: listTopics: 404 Not Found: Not Found: there is no project acme: create it first (request req_1)
    ");
}

#[test]
fn a_body_is_made_of_options_and_a_file() {
    let server = Server::script([response(204, "", "")]);
    let body = |stdin: &str, arguments: &[&str]| {
        let run = call_with(&server, stdin, arguments);
        assert_eq!(run.code, 0, "{run}");
        server.requests().pop().unwrap().body
    };
    let topic = ["create-topic", "--project", "p"];
    assert_eq!(body("", &[&topic[..], &["--name", "7"]].concat()), r#"{"name":"7"}"#);
    assert_eq!(body(r#"{"name": "file"}"#, &[&topic[..], &["--json", "-"]].concat()), r#"{"name": "file"}"#);
    assert_eq!(body(r#"{"name": "file"}"#, &[&topic[..], &["--json", "-", "--name", "x"]].concat()), r#"{"name":"x"}"#);

    let patch = ["patch-object-config-content", "--project", "p", "--integration", "i", "--object-name", "contact"];
    let set = [
        "--action",
        "read",
        "--group-ref",
        "g",
        "--set",
        "changes.0.op=add",
        "--set",
        "changes.0.path=/a.b",
        "--set",
        r#"changes.0.value={"a": 1}"#,
    ];
    assert_snapshot!(body("", &[&patch[..], &set].concat()), @r#"{"action":"read","changes":[{"op":"add","path":"/a.b","value":{"a":1}}],"groupRef":"g"}"#);

    let update = [
        "update-project",
        "--project",
        "p",
        "--update-mask",
        "name",
        "--update-mask",
        "appName",
        "--set",
        "project.name=12",
    ];
    assert_snapshot!(body("", &update), @r#"{"project":{"name":"12"},"updateMask":["name","appName"]}"#);
    let config = [
        "create-installation",
        "--project",
        "p",
        "--integration",
        "i",
        "--group-ref",
        "g",
        "--set",
        "config.content.provider=hubspot",
        "--set",
        r"config.content.write.objects.a\.b.objectName=a.b",
        "--skip-sampling",
    ];
    assert_snapshot!(body("", &config), @r#"{"config":{"content":{"provider":"hubspot","write":{"objects":{"a.b":{"objectName":"a.b"}}}}},"groupRef":"g"}"#);
    assert!(server.requests().pop().unwrap().line.ends_with("installations?skipSampling=true"));
}

#[test]
fn a_request_that_does_not_fit_the_contract_is_not_sent() {
    let server = Server::script([response(204, "", "")]);
    let route = ["create-event-topic-route", "--project", "p"];
    assert_snapshot!(call(&server, &[&route[..], &["--event-type", "installation.update"]].concat()), @"
    exit code 2
    -- stdout
    -- stderr
    `topicId` is missing: pass --topic
    `eventType` has no value `installation.update`: did you mean `installation.updated`?
    error: the request does not fit the contract, and was not sent: --no-check sends it all the same
    ");
    assert_snapshot!(call(&server, &[&PAGED[..], &["--page-size", "1001"]].concat()), @"
    exit code 2
    -- stdout
    -- stderr
    `--page-size` has to be at most 1000, and is 1001
    error: the request does not fit the contract, and was not sent: --no-check sends it all the same
    ");
    assert_snapshot!(call(&server, &[&PAGED[..], &["--page-size", "many"]].concat()), @"
    exit code 2
    -- stdout
    -- stderr
    `--page-size` has to be an integer, and is a string
    error: the request does not fit the contract, and was not sent: --no-check sends it all the same
    ");
    let name = "n".repeat(65);
    assert_snapshot!(call(&server, &["create-topic", "--project", "p", "--name", &name, "--set", "nme=1"]), @"
    exit code 2
    -- stdout
    -- stderr
    `name` has to be at most 64 characters, and is 65
    `nme` is no field of the contract: did you mean `name`?
    error: the request does not fit the contract, and was not sent: --no-check sends it all the same
    ");
    assert_snapshot!(call_with(&server, "[1]", &["create-topic", "--project", "p", "--json", "-"]), @"
    exit code 2
    -- stdout
    -- stderr
    the body has to be an object, and is a list
    error: the request does not fit the contract, and was not sent: --no-check sends it all the same
    ");
    assert_snapshot!(call_with(&server, "{", &["create-topic", "--project", "p", "--json", "-"]), @"
    exit code 2
    -- stdout
    -- stderr
    error: --json -: not valid JSON: EOF while parsing an object at line 1 column 1
    ");
    let patch = ["patch-object-config-content", "--project", "p", "--integration", "i", "--object-name", "contact"];
    assert_snapshot!(call(&server, &[&patch[..], &["--action", "read", "--group-ref", "g", "--set", "changes.1.op=add"]].concat()), @"
    exit code 2
    -- stdout
    -- stderr
    error: --set changes.1.op: `1` is no place in a list of 0: the next one is 0
    ");
    assert_snapshot!(call(&server, &[&patch[..], &["--action", "read", "--group-ref", "g", "--set", "changes=[]"]].concat()), @"
    exit code 2
    -- stdout
    -- stderr
    `changes` has to be at least 1 items, and is 0
    error: the request does not fit the contract, and was not sent: --no-check sends it all the same
    ");
    assert_snapshot!(call(&server, &["delete-topic", "--project", "p", "--topic", ".."]), @r#"
    exit code 2
    -- stdout
    -- stderr
    error: --topic: ".." would lead to another path
    "#);
    assert_eq!(server.requests().len(), 0);

    let new = ["--event-type", "new.event", "--topic", "t", "--no-check"];
    assert_eq!(call(&server, &[&route[..], &new].concat()).code, 0);
    assert_eq!(server.requests()[0].body, r#"{"eventType":"new.event","topicId":"t"}"#);
}

#[test]
fn a_dry_run_prints_what_curl_would_send_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret").to_str().unwrap().to_owned();
    std::fs::write(&secret, "s3cret\n").unwrap();
    let dry = |arguments: &[&str]| {
        let arguments = [&["api"], arguments, &["--dry-run"]].concat();
        let run: Run = command(&arguments).env("AMPERSAND_API_KEY", KEY).output().unwrap().into();
        assert!(!run.to_string().contains(KEY) && !run.to_string().contains("s3cret"), "{run}");
        assert_eq!(run.code, 0, "{run}");
        run.stdout
    };
    assert_snapshot!(dry(&["list-topics", "--project", "it's"]), @r#"curl --request GET 'https://api.withampersand.com/v1/projects/it%27s/topics' --header "X-Api-Key: $AMPERSAND_API_KEY""#);
    assert_snapshot!(dry(&["create-topic", "--project", "p", "--name", "it's"]), @r#"curl --request POST 'https://api.withampersand.com/v1/projects/p/topics' --header "X-Api-Key: $AMPERSAND_API_KEY" --header 'Content-Type: application/json' --data '{"name":"it'\''s"}'"#);
    assert_snapshot!(dry(&["get-my-info"]), @r#"curl --request GET 'https://api.withampersand.com/v1/my-info' --header "Authorization: Bearer $AMPERSAND_BEARER_TOKEN""#);
    assert_snapshot!(dry(&["list-providers"]), @"curl --request GET 'https://api.withampersand.com/v1/providers'");
    assert_snapshot!(dry(&["delete-api-key", "--project", "p", "--api-key", &format!("@{secret}")]), @r#"curl --request DELETE 'https://api.withampersand.com/v1/projects/p/api-keys/'"$API_KEY" --header "X-Api-Key: $AMPERSAND_API_KEY""#);
    let app = ["create-provider-app", "--project", "p", "--client-id", "c", "--provider", "x", "--set"];
    assert_snapshot!(dry(&[&app[..], &[&format!("clientSecret=@{secret}")]].concat()), @r#"curl --request POST 'https://api.withampersand.com/v1/projects/p/provider-apps' --header "X-Api-Key: $AMPERSAND_API_KEY" --header 'Content-Type: application/json' --data '{"clientId":"c","clientSecret":"'"$CLIENT_SECRET"'","provider":"x"}'"#);

    let connection = json!({
        "basicAuth": { "username": "s3cret", "password": "s3cret" }, "customAuth": { "x": ["s3cret"] }, "provider": "x",
        "groupRef": "g", "consumerRef": "c", "apiKey": "s3cret",
    });
    let file = folder.path().join("body.json").to_str().unwrap().to_owned();
    std::fs::write(&file, connection.to_string()).unwrap();
    assert_snapshot!(dry(&["generate-connection", "--project", "p", "--json", &file]), @r#"curl --request POST 'https://api.withampersand.com/v1/projects/p/connections:generate' --header "X-Api-Key: $AMPERSAND_API_KEY" --header 'Content-Type: application/json' --data '{"apiKey":"'"$API_KEY"'","basicAuth":{"password":"'"$PASSWORD"'","username":"'"$USERNAME"'"},"consumerRef":"c","customAuth":{"x":["'"$X"'"]},"groupRef":"g","provider":"x"}'"#);

    let server = Server::script([response(204, "", "")]);
    let run = call(&server, &["list-topics", "--project", "p", "--dry-run"]);
    assert_snapshot!(run, @r#"
    exit code 0
    -- stdout
    curl --request GET "$AMPERSAND_API_URL"'/projects/p/topics' --header "X-Api-Key: $AMPERSAND_API_KEY"
    -- stderr
    "#);
    assert_eq!(server.requests().len(), 0);
    assert_snapshot!(call(&server, &[&app[..], &["clientSecret=s3cret"]].concat()), @"
    exit code 2
    -- stdout
    -- stderr
    error: --set clientSecret: other users of this machine see arguments: put the credential into a file, and pass --set clientSecret=@FILE
    ");
    let username = ["generate-connection", "--project", "p", "--set", "basicAuth.username=s3cret"];
    assert_snapshot!(call(&server, &username), @"
    exit code 2
    -- stdout
    -- stderr
    error: --set basicAuth.username: other users of this machine see arguments: put the credential into a file, and pass --set basicAuth.username=@FILE
    ");
    let within =
        ["generate-connection", "--project", "p", "--set", r#"oauth2ClientCredentials={"clientSecret": "s3cret"}"#];
    assert_eq!(call(&server, &within).code, 2);
    assert_eq!(call(&server, &[&app[..], &[&format!("clientSecret=@{secret}")]].concat()).code, 0);
    assert!(server.requests()[0].body.contains(r#""clientSecret":"s3cret""#));
}

/// A shell sends the request if the line is pasted into it.
#[cfg(unix)]
#[test]
fn the_line_of_a_dry_run_can_be_pasted() {
    let server = Server::script([response(204, "", "")]);
    let arguments =
        ["create-provider-app", "--project", "it's $HOME", "--client", "`id`", "--provider", "x", "--json", "-"];
    let line = call_with(&server, r#"{"clientSecret": "s"}"#, &[&arguments[..], &["--dry-run"]].concat()).stdout;
    let shell = std::process::Command::new("bash")
        .args(["-c", &format!("curl() {{ printf '%s\\n' \"$@\"; }}; {line}")])
        .env("AMPERSAND_API_KEY", "k")
        .env("AMPERSAND_API_URL", "http://localhost")
        .env("CLIENT_SECRET", "s")
        .output()
        .unwrap();
    assert_snapshot!(String::from_utf8(shell.stdout).unwrap(), @r#"
    --request
    POST
    http://localhost/projects/it%27s%20%24HOME/provider-apps
    --header
    X-Api-Key: k
    --header
    Content-Type: application/json
    --data
    {"clientId":"`id`","clientSecret":"s","provider":"x"}
    "#);
}

#[test]
fn the_key_is_of_the_environment_or_of_a_file() {
    let server = Server::script([response(200, JSON, "[]")]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "key-of-a-file\n").unwrap();
    let path = file.path().to_str().unwrap();
    for arguments in [&["list-topics", "--project", "p"][..], &["list-topics", "--project", "p", "--key-file", path]] {
        assert_eq!(call(&server, arguments).code, 0);
    }
    let keys: Vec<String> = server.requests().iter().map(|request| request.header("x-api-key").to_owned()).collect();
    assert_eq!(keys, [KEY, "key-of-a-file"]);
    assert_snapshot!(run(&["api", "list-topics", "--project", "p"]), @"
    exit code 2
    -- stdout
    -- stderr
    error: there is neither an API key nor a bearer token: set AMPERSAND_API_KEY
    ");
}
