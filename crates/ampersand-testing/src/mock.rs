//! Typed mocks of the API's operations, for tests of code that calls the API.
//!
//! [`MockServerExt`] adds a method for each operation to a server of [`httpmock`]. The method sets which requests match
//! and how the server responds, with the types of the client. [`client`] returns a client of that server.
//!
//! ```
//! use ampersand_client::types::CreateTopicRequest;
//! use ampersand_testing::api;
//! use ampersand_testing::mock::{MockServerExt as _, client};
//! use httpmock::MockServer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ampersand_client::Error> {
//! let server = MockServer::start_async().await;
//! let request = CreateTopicRequest::new("acme");
//! let created = server.create_topic(|when, then| {
//!     when.project_id_or_name("my-project").body(&request);
//!     then.created(&api::topic());
//! });
//!
//! let project = client(&server).project("my-project");
//! assert_eq!(*project.destinations().create_topic(request.clone()).await?, api::topic());
//! created.assert();
//! # Ok(())
//! # }
//! ```
//!
//! progenitor generates the mocks from the contract. Use `into_inner` of each half for anything else, such as a text
//! body or a status that the contract lacks. A path parameter is a regular expression that matches the encoded value.
//! If two mocks match, the first one responds. If none matches, the server responds with a 404.

use ampersand_client::{Client, Host, Retry};
use httpmock::MockServer;

pub use crate::generated::httpmock::*;

/// Returns a client that sends the requests for every host to one mock server. It never retries.
///
/// The server has a folder for each host, for instance `/read`, because two hosts use the same paths.
pub fn client(server: &MockServer) -> Client {
    let builder = Client::builder().api_key("any").retry(Retry::NEVER);
    let with_host = |builder: ampersand_client::ClientBuilder, host: &Host| {
        builder.base_url(*host, server.url(format!("/{}", host.name())))
    };
    match Host::ALL.iter().fold(builder, with_host).build() {
        Ok(client) => client,
        Err(error) => panic!("a client of a mock server: {error}"),
    }
}
