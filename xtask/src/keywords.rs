//! The keywords of OpenAPI and JSON Schema, by what stands under them.

/// Keywords of an object whose members' names are free: a property may be called `title`.
pub(crate) const NAMED: &str = "$defs callbacks content definitions dependentSchemas encoding headers links \
    parameters pathItems paths patternProperties properties requestBodies responses schemas scopes securitySchemes \
    variables webhooks";

/// Keywords whose value is data and not to be looked into.
pub(crate) const DATA: &str = "const default enum example examples mapping required security tags";

/// Whether a keyword is one of some.
pub(crate) fn among(keywords: &str, keyword: &str) -> bool {
    keywords.split_ascii_whitespace().any(|one| one == keyword)
}
