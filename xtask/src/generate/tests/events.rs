//! Events and their types.

use serde_json::{Value, json};

use super::received;
use crate::model::testing::reference;

fn body(kind: &str, data: Value) -> Value {
    json!({ "description": format!("Of {kind}."), "properties": { "type": { "enum": [kind] }, "data": data } })
}

#[test]
fn an_event_has_the_type_of_its_data_or_is_json() {
    let made = received(&json!({
        "ABody": body("a.b", reference("AData")),
        "AData": { "required": ["id"], "properties": { "id": { "type": "string" }, "config": {}, "configURL": { "type": "string" } } },
        "CBody": body("c", json!({ "type": "object" })),
        "DBody": body("d", json!({ "properties": { "id": { "type": "string" } } })),
        "EventType": { "enum": ["a.b", "listed"] },
    }));
    insta::assert_snapshot!(made.brief(&["pub enum EventType", "crate::open_enum::open_enum!(EventType", "pub enum Event {", "impl Event {"]), @r#"
    pub enum EventType {
        Ab,
        C,
        D,
        Listed,
        Unknown(UnknownValue<Self>),
    }
    crate::open_enum::open_enum!(EventType {
        Ab = "a.b",
        C = "c",
        D = "d",
        Listed = "listed",
    });
    pub enum Event {
        Ab(AData),
        C(RawJson),
        D(DData),
        Unknown(RawJson),
    }
    impl Event {
        pub fn parse(
            notification_type: &EventType,
            data: &RawJson,
        ) -> Result<Self, JsonError> {
            data.parse_with(|data| Self::from_deserializer(notification_type, data))
        }
        pub fn from_deserializer<'de, D>(
            notification_type: &EventType,
            data: D,
        ) -> Result<Self, D::Error>
        where
            D: ::serde::Deserializer<'de>,
        {
            use ::serde::Deserialize as _;
            match notification_type {
                EventType::Ab => AData::deserialize(data).map(Self::Ab),
                EventType::C => RawJson::deserialize(data).map(Self::C),
                EventType::D => DData::deserialize(data).map(Self::D),
                _ => RawJson::deserialize(data).map(Self::Unknown),
            }
        }
        pub fn id(&self) -> Option<::std::borrow::Cow<'_, str>> {
            let text = match self {
                Self::Ab(data) => Some(data.id.as_str()),
                Self::D(data) => data.id.as_deref(),
                Self::Unknown(data) => {
                    return __private::text_of(data, "id");
                }
                _ => None,
            };
            text.map(::std::borrow::Cow::Borrowed)
        }
        pub fn config_sources(
            &self,
        ) -> Vec<(&'static str, ConfigSource<'_>)> {
            match self {
                Self::Ab(data) => ::std::vec![("config", data.config_source())],
                _ => Vec::new(),
            }
        }
        pub fn set_config(&mut self, name: &str, config: RawJson) {
            match (self, name) {
                (Self::Ab(data), "config") => data.config = config.into(),
                _ => {}
            }
        }
        pub fn __data(&self) -> &dyn ::core::any::Any {
            match self {
                Self::Ab(data) => data,
                Self::C(data) => data,
                Self::D(data) => data,
                Self::Unknown(data) => data,
            }
        }
    }
    "#);
    assert!(made.text.contains("/// Of a.b.\n    Ab(AData),"));
    assert_eq!(
        made.findings.undocumented.iter().filter(|item| item.starts_with("m::Event")).collect::<Vec<_>>(),
        ["m::EventType::Listed"]
    );
}
