//! The keywords of OpenAPI and JSON Schema, by what they hold.

/// Keywords that hold an object whose members may have any name: a property may be called `title`.
pub(crate) const NAMED: &str = "$defs callbacks content definitions dependentSchemas encoding headers links \
    parameters pathItems paths patternProperties properties requestBodies responses schemas scopes securitySchemes \
    variables webhooks";

/// Keywords that hold data, in which there are no schemas or references.
pub(crate) const DATA: &str = "const default enum example examples mapping required security tags";

/// Whether some keywords include a keyword.
pub(crate) fn among(keywords: &str, keyword: &str) -> bool {
    keywords.split_ascii_whitespace().any(|one| one == keyword)
}
