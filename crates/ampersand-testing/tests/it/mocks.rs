//! Mocks of the API's operations.

use ampersand_client::types::{ReadRequest, WriteRequest};
use ampersand_testing::api;
use ampersand_testing::mock::{self, MockServerExt as _};
use httpmock::MockServer;

#[tokio::test]
async fn mocks_answer_what_an_operation_gives_or_how_it_fails() {
    let server = MockServer::start_async().await;
    let key = server.get_api_key(|when, then| {
        when.project_id_or_name("p").api_key("k");
        then.ok(&api::api_key());
    });
    let read = server.trigger_read(|when, then| {
        when.project_id_or_name("p").integration_id("i").object_name("contact").body(&ReadRequest::new("g", "async"));
        then.default_response(422, &api::api_problem());
    });

    let client = mock::client(&server);
    assert_eq!(*client.api_keys().get_api_key("p", "k").await.unwrap(), api::api_key());
    let project = client.project("p");
    let refused = project.reads().trigger_read("i", "contact", ReadRequest::new("g", "async")).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().detail, api::api_problem().detail);
    key.assert();
    read.assert();

    // No mock matches the same path of another host, or another body.
    let written = project.writes().write_records("i", "contact", WriteRequest::new("g", "create")).await;
    assert_eq!(written.unwrap_err().status().unwrap(), 404);
    let other = project.reads().trigger_read("i", "contact", ReadRequest::new("h", "async")).await;
    assert_eq!(other.unwrap_err().status().unwrap(), 404);
}
