//! Gets the current configuration of an installation when the one of an event can no longer be downloaded.

use std::error::Error as _;

use ampersand_client::Client;
use ampersand_notifications::{Config, Delivery, Policy, ResolveError, Resolver};
use ampersand_testing::{Envelope, Fixture, UrlServer};
use ampersand_types::notifications::{Event, InstallationUpdatedData};
use test_support::corpus::installation;
use test_support::server::{Server, response};

use crate::api::client;

const LINE: &str = "/api/projects/p/integrations/n/installations/i";

/// A server of the API, and its client.
fn serving(config: &str) -> (Server, Client) {
    answering(&response(200, "content-type: application/json\r\n", installation(config)))
}

fn answering(response: &[u8]) -> (Server, Client) {
    let server = Server::script([response]);
    let client = client(&server);
    (server, client)
}

async fn resolve<'a>(
    data: &'a InstallationUpdatedData,
    resolver: &Resolver,
    client: &Client,
) -> Result<Config<'a>, ResolveError> {
    let current = || client.current_config(&data.project_id, &data.integration_id, &data.installation_id);
    resolver.config_or_current(data, current).await
}

fn updated(url: &ampersand_types::SignedUrl) -> InstallationUpdatedData {
    let fixture = Fixture::new("installation.updated").too_large(url).set("projectId", "p");
    let fixture = fixture.set("integrationId", "n").set("installationId", "i");
    let Ok(Delivery::Notification(notification)) = fixture.delivery(Envelope::Webhook) else { panic!() };
    let Event::InstallationUpdated(data) = notification.event else { panic!("{:?}", notification.event) };
    data
}

#[tokio::test]
async fn what_the_installation_has_now_stands_in_for_what_cannot_be_had_any_more() {
    const NOW: &str = r#"{"provider" : "hubspot", "read": {"objects": {}}, "new": 1e400}"#;
    let policy = Policy { allow_http: true, allow_private_addresses: true, max_attempts: 1, ..Policy::default() };
    let (server, resolver) = (UrlServer::start().unwrap(), Resolver::new(policy).unwrap());

    for url in [server.expired(), server.expired_for_the_server(), server.failing(404)] {
        let ((api, client), data) = (serving(NOW), updated(&url));
        let config = resolve(&data, &resolver, &client).await.unwrap();
        assert!(config.is_current());
        assert_eq!(config.as_str(), NOW);
        let [request] = api.requests().try_into().unwrap();
        assert_eq!(request.line, format!("GET {LINE}"));
    }

    // A configuration that can be downloaded is downloaded, and a failing server is a transient error.
    let ((api, client), data) = (serving(NOW), updated(&server.url(r#"{"provider":"then"}"#)));
    let config = resolve(&data, &resolver, &client).await.unwrap();
    assert_eq!((config.is_current(), config.as_str()), (false, r#"{"provider":"then"}"#));
    let data = updated(&server.failing(503));
    assert!(resolve(&data, &resolver, &client).await.unwrap_err().is_transient());
    assert_eq!(api.requests(), []);

    let ((_, gone), data) = (answering(&response(404, "", "")), updated(&server.expired()));
    let error = resolve(&data, &resolver, &gone).await.unwrap_err();
    assert!(matches!(&error, ResolveError::NoCurrent { lost, .. } if matches!(**lost, ResolveError::Expired { .. })));
    assert_eq!(error.source().unwrap().to_string(), "getInstallation: 404 Not Found");
}
