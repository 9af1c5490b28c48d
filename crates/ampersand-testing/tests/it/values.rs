//! Values of the API's responses.

use ampersand_client::types::Installation;
use ampersand_testing::api::{self, Sample};

#[test]
fn a_value_of_a_response_has_every_field_and_agrees_with_the_others() {
    let installation = api::installation();
    assert_eq!(installation, Sample::new().data());
    assert_eq!(installation.connection, api::connection());
    assert_eq!(installation.integration_id, api::integration().id);
    insta::assert_json_snapshot!(Sample::<Installation>::new().without("config").payload());
    let other = Sample::<Installation>::seeded(1)
        .set("new.field", 1)
        .set("group.groupRef", "acme")
        .without("connection.apiKey");
    assert_ne!(other.payload()["id"], installation.id);
    let other = other.data();
    assert_eq!((other.group.unwrap().group_ref.as_str(), other.connection.api_key), ("acme", None));
    assert_eq!(other.other_fields["new"].as_str(), r#"{"field":1}"#);
}
