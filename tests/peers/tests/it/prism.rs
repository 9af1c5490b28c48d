//! Stoplight's Prism as a server of the contract: it refuses requests that the contract does not allow, and makes up
//! responses that the contract allows.

use std::collections::BTreeMap;

use ampersand_client::{Client, ClientBuilder, Endpoint, Host, Retry};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use test_support::contract::{arguments, contract};
use test_support::values::{Members, value};

use crate::Peer;

/// Operations for which Prism makes up no response, because its generator fails on an empty object in a configuration.
/// The tests take the response that Prism gives without that generator.
pub(crate) const NOT_MADE_UP: [&str; 6] = [
    "createInstallation",
    "getInstallation",
    "listInstallations",
    "listInstallationsForProject",
    "patchObjectConfigContent",
    "updateInstallation",
];

/// Prism, with a server for each host.
pub(crate) struct Prism {
    script: Peer,
    pub(crate) urls: BTreeMap<Host, String>,
}

impl Prism {
    pub(crate) fn start() -> Self {
        let mut script = Peer::start("prism.cjs", &[]);
        let mut serve = |host: &Host| {
            let contract = format!("{}/../../openapi/contract/{}.json", env!("CARGO_MANIFEST_DIR"), host.name());
            (*host, script.ask(&json!({ "contract": contract })).as_str().unwrap().to_owned())
        };
        let urls = Host::ALL.iter().map(&mut serve).collect();
        Self { script, urls }
    }

    /// Sets the response for requests that state no preference.
    pub(crate) fn prefer(&mut self, mock: &Value) {
        self.script.ask(&json!({ "prefer": mock }));
    }

    /// Takes the requests so far, each with its violations.
    pub(crate) fn requests(&mut self) -> Value {
        self.script.ask(&json!({}))
    }

    /// A client that states a preferred response, with these credentials.
    pub(crate) fn client(&self, preferred: &str, credentials: fn(ClientBuilder) -> ClientBuilder) -> Client {
        let preference = (HeaderName::from_static("prefer"), HeaderValue::from_str(preferred).unwrap());
        test_support::tls::install();
        let http = reqwest::Client::builder().default_headers(HeaderMap::from_iter([preference])).build().unwrap();
        let builder = credentials(Client::builder().http_client(http).retry(Retry::NEVER));
        self.urls.iter().fold(builder, |builder, (host, url)| builder.base_url(*host, url)).build().unwrap()
    }
}

pub(crate) fn contracts() -> BTreeMap<Host, Value> {
    Host::ALL.iter().map(|host| (*host, contract(host.name()))).collect()
}

/// A call of every operation with arguments that the contract allows, the same in every run.
pub(crate) fn calls(members: Members, seed: u8) -> Vec<(&'static str, Map<String, Value>)> {
    let contracts = contracts();
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let calls = Endpoint::ALL.iter().map(|operation| {
        let contract = &contracts[&operation.host];
        let strategy = value(&arguments(operation.method, operation.path, contract), contract, members);
        let Value::Object(arguments) = strategy.new_tree(&mut runner).unwrap().current() else { panic!("no object") };
        (operation.id, arguments)
    });
    calls.collect()
}
