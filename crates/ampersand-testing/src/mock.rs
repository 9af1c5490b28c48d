//! Typed mocks of the API's operations, for tests of what calls it.
//!
//! [`MockServerExt`] gives a server of [`httpmock`] a method for each operation. It says which requests are meant, and what
//! is answered, with the types of the client. [`client`] is a client of that server.
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
//! progenitor makes them of the contract; what is not in that can be said with the `into_inner` of each half: a body that is
//! text, a status that the contract lacks. A parameter of the path is a regular expression, of the value as it is encoded in
//! the path. Of two mocks that match, the first one answers; what none matches gets a 404.

use ampersand_client::{Client, Host, Retry};
use httpmock::MockServer;

pub use crate::generated::httpmock::*;

/// A client of a mock server, which stands for all hosts of the API. It tries everything once.
///
/// The server has a folder for each host, as two of them have the same paths: `/read`, for instance.
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
