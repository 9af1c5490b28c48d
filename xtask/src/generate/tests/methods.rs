//! Accessors, constructors, setters and conversions of structs.

use serde_json::{Value, json};

use super::{received, sent};
use crate::model::testing::reference;

#[test]
fn fields_with_an_url_have_a_source_and_those_with_a_default_a_value() {
    let text = || json!({ "type": "string" });
    let made = received(&json!({ "A": {
        "required": ["lastConfig", "required"],
        "properties": {
            "config": { "type": "object" }, "configURL": text(),
            "count": { "type": "integer", "default": 3 },
            "disabled": { "type": "boolean", "default": false },
            "lastConfig": { "type": "object" }, "lastConfigURL": text(),
            "list": { "type": "array", "items": text(), "default": [] },
            "mode": { "enum": ["always", "never"], "default": "always" },
            "oldConfig": { "type": "object" },
            "report": { "type": "object" },
            "required": { "type": "boolean", "default": true },
            "type": { "type": "string", "default": "a" },
            "wrong": { "type": "integer", "default": "a" },
        },
    } }));
    insta::assert_snapshot!(made.brief(&["impl A {", "impl<'a> ::core::convert::From<&'a A>"]), @r#"
    impl A {
        pub fn config_source(&self) -> ConfigSource<'_> {
            ConfigSource::new(
                self.config.as_ref(),
                self.config_url.as_ref(),
            )
        }
        pub fn last_config_source(&self) -> ConfigSource<'_> {
            ConfigSource::new(
                Option::Some(&self.last_config),
                self.last_config_url.as_ref(),
            )
        }
        pub fn old_config_source(&self) -> ConfigSource<'_> {
            ConfigSource::new(
                self.old_config.as_ref(),
                Option::None,
            )
        }
        pub fn count_or_default(&self) -> Integer {
            self.count.clone().unwrap_or_else(|| 3i64.into())
        }
        pub fn disabled_or_default(&self) -> bool {
            self.disabled.clone().unwrap_or_else(|| false)
        }
        pub fn mode_or_default(&self) -> ::m::AMode {
            self.mode.clone().unwrap_or_else(|| "always".into())
        }
        pub fn type_or_default(&self) -> String {
            self.type_.clone().unwrap_or_else(|| "a".to_owned())
        }
    }
    impl<'a> From<&'a A> for ConfigSource<'a> {
        fn from(data: &'a A) -> Self {
            data.config_source()
        }
    }
    "#);
    let documented = made
        .text
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("Where the") || line.contains("as the contract says"));
    insta::assert_snapshot!(Vec::from_iter(documented).join("\n"), @"
    /// Where the configuration is: in `config`, or to be downloaded from `configURL`.
    /// Where the last configuration is: in `lastConfig`, or to be downloaded from `lastConfigURL`.
    /// Where the old configuration is: in `oldConfig`.
    /// `count`, or `3` where it is absent, as the contract says.
    /// `disabled`, or `false` where it is absent, as the contract says.
    /// `mode`, or `always` where it is absent, as the contract says.
    /// `type`, or `a` where it is absent, as the contract says.
    ");
}

#[test]
fn callers_give_what_is_required_in_the_order_of_an_overlay() {
    let made = sent(&json!({ "A": {
        "x-order": ["to", "from_it", "gone"],
        "required": ["at", "fromIt", "nothing", "to"],
        "properties": {
            "at": { "type": "string", "format": "date-time" },
            "fromIt": { "type": "string" },
            "list": { "type": "array", "items": { "type": "string" } },
            "nothing": { "type": "string", "nullable": true },
            "other": { "type": "boolean" },
            "to": { "type": "string" },
        },
    } }));
    insta::assert_snapshot!(made.brief(&["impl A {"]), @"
    impl A {
        pub fn new(
            to: impl Into<String>,
            from_it: impl Into<String>,
            at: impl Into<Timestamp>,
        ) -> Self {
            Self {
                at: at.into(),
                from_it: from_it.into(),
                list: Default::default(),
                nothing: Default::default(),
                other: Default::default(),
                to: to.into(),
                other_fields: Default::default(),
            }
        }
        pub fn list(
            mut self,
            list: impl ::core::iter::IntoIterator<
                Item = impl Into<String>,
            >,
        ) -> Self {
            self.list = list.into_iter().map(Into::into).collect();
            self
        }
        pub fn nothing(
            mut self,
            nothing: impl Into<String>,
        ) -> Self {
            self.nothing = Option::Some(nothing.into());
            self
        }
        pub fn other(mut self, other: bool) -> Self {
            self.other = Option::Some(other);
            self
        }
    }
    ");
    assert_eq!(
        made.findings.stale,
        ["openapi/overlays: `x-order` of A names `gone`, which is no required field of it"]
    );
}

#[test]
fn what_was_received_becomes_what_is_sent() {
    let part = |required: &[&str]| json!({ "required": required, "properties": { "id": { "type": "string" } } });
    let whole = |part: &str, required: &[&str]| {
        json!({
            "required": required,
            "properties": {
                "by_name": { "additionalProperties": reference(part) },
                "list": { "type": "array", "items": reference(part) },
                "one": reference(part),
                "same": reference("Same"),
                "text": { "type": "string" },
            },
        })
    };
    let mut schemas = json!({
        "A": whole("Part", &["text"]), "B": whole("PartToSend", &[]),
        "Part": part(&["id"]), "PartToSend": part(&[]), "Same": part(&[]),
    });
    schemas["B"]["x-from"] = "A".into();
    let made = sent(&schemas);
    insta::assert_snapshot!(made.brief(&["impl ::core::convert::From<A> for B", "impl ::core::convert::From<Part> for PartToSend"]), @"
    impl From<A> for B {
        fn from(value: A) -> Self {
            Self {
                by_name: value
                    .by_name
                    .map(|items| {
                        items
                            .into_iter()
                            .map(|(key, item)| (key, Into::into(item)))
                            .collect()
                    }),
                list: value
                    .list
                    .map(|items| {
                        items
                            .into_iter()
                            .map(|item| Into::into(item))
                            .collect()
                    }),
                one: value.one.map(|item| Into::into(item)),
                same: value.same,
                text: Option::Some(value.text),
                other_fields: value.other_fields,
            }
        }
    }
    impl From<Part> for PartToSend {
        fn from(value: Part) -> Self {
            Self {
                id: Option::Some(value.id),
                other_fields: value.other_fields,
            }
        }
    }
    ");
    assert_eq!((made.findings.stale.len(), made.text.matches("From<Same>").count()), (0, 0));
}

#[test]
fn a_conversion_that_would_lose_a_field_or_has_none_for_it_is_stale() {
    let stale = |from: Value, into: Value| {
        let made = sent(&json!({ "A": { "properties": from }, "B": { "x-from": "A", "properties": into } }));
        assert!(!made.text.contains("for B {"), "{}", made.text);
        made.findings.stale.join("\n")
    };
    let (text, flag) = (|| json!({ "type": "string" }), json!({ "type": "boolean" }));
    insta::assert_snapshot!([
        stale(json!({ "a": text(), "b": text() }), json!({ "a": text() })),
        stale(json!({ "a": text() }), json!({ "a": text(), "b": text() })),
        stale(json!({ "a": text() }), json!({ "a": flag })),
    ].join("\n"), @"
    openapi/overlays: `x-from`: `B` from `A`: `b` would be lost
    openapi/overlays: `x-from`: `B` from `A`: `b` is not there to be converted
    openapi/overlays: `x-from`: `B` from `A`: `:: std :: string :: String` is no `bool`
    ");
    let made = sent(&json!({ "B": { "x-from": "Gone", "properties": { "a": text() } } }));
    assert_eq!(made.findings.stale, ["openapi/overlays: `x-from`: there is no struct `Gone`"]);
}
