//! Open enums.

use serde_json::json;

use super::received;

#[test]
fn an_enum_knows_values_whatever_they_look_like() {
    let made = received(&json!({ "mode": {
        "description": "How.",
        "enum": ["", "*", "1h", "ASC", "asc", "if-empty", "self", "unknown"],
        "x-enum-descriptions": { "asc": "Upwards.", "gone": "Not there." },
    } }));
    insta::assert_snapshot!(made.brief(&["pub enum Mode", "crate::open_enum::open_enum!(Mode"]), @r#"
    pub enum Mode {
        Empty,
        U2A,
        _1h,
        Asc,
        Asc2,
        IfEmpty,
        Self2,
        Unknown2,
        Unknown(UnknownValue<Self>),
    }
    crate::open_enum::open_enum!(Mode {
        Empty = "",
        U2A = "*",
        _1h = "1h",
        Asc = "ASC",
        Asc2 = "asc",
        IfEmpty = "if-empty",
        Self2 = "self",
        Unknown2 = "unknown",
    });
    "#);
    assert_eq!(made.findings.stale, ["openapi/overlays describe `gone`, which is no value of Mode"]);
    assert!(
        made.text
            .contains("/// How.\n#[derive(Clone, Debug, PartialEq, Eq, Hash)]\n#[non_exhaustive]\npub enum Mode {")
    );
    assert!(made.text.contains("    /// Upwards.\n    Asc2,\n"));
    assert_eq!(made.findings.undocumented.len(), 7, "{:?}", made.findings.undocumented);
}
