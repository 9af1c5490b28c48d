//! A client for a server on loopback.

use ampersand_client::{Client, ClientBuilder, Host, Retry};
use test_support::server::Server;

/// A client whose hosts are paths of one server.
pub(crate) fn client(server: &Server) -> Client {
    let builder = Client::builder().api_key("secret").bearer_token("secret").retry(Retry::NEVER);
    let at = |builder: ClientBuilder, host: &Host| {
        builder.base_url(*host, server.at::<String>(&format!("/{}", host.name())))
    };
    Host::ALL.iter().fold(builder, at).build().unwrap()
}
