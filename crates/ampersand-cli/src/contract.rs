//! The contract with our documentation, for `api` and `explain`.

use std::sync::LazyLock;

use ampersand_client::Endpoint;
use heck::ToKebabCase as _;
use serde_json::{Map, Value};

/// Read when a command first needs it, so that other commands start without it.
static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(ampersand_testing::contract()).expect("the contract is JSON"));

/// The documents that have operations.
const HOSTS: [&str; 4] = ["api", "read", "write", "search"];

/// All documents, in the order in which a type is looked up.
const DOCUMENTS: [&str; 7] = ["api", "read", "write", "search", "config", "notifications", "webhook"];

/// An operation of the API.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) endpoint: &'static Endpoint,
    document: &'static Value,
    described: &'static Value,
}

/// A parameter of an operation, or a field of a schema.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) required: bool,
    pub(crate) schema: Schema,
}

/// A schema, and the document that its references point into.
#[derive(Clone, Copy)]
pub(crate) struct Schema {
    document: &'static Value,
    value: &'static Value,
}

/// Returns the operations of each tag, with the tag's name and description.
pub(crate) fn tags() -> impl Iterator<Item = (&'static str, &'static str, Vec<Operation>)> {
    let tags = HOSTS.into_iter().flat_map(|host| list(at(&CONTRACT, &[host, "tags"])));
    tags.map(|tag| {
        let name = text(&tag["name"]);
        (name, text(&tag["description"]), operations().filter(|operation| operation.tag() == name).collect())
    })
}

pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    HOSTS.into_iter().flat_map(|host| {
        let document = at(&CONTRACT, &[host]);
        let methods = members(&document["paths"]).flat_map(|(_, item)| members(item));
        methods.filter_map(move |(_, described)| {
            let id = described["operationId"].as_str()?;
            let endpoint = Endpoint::ALL.iter().find(|endpoint| endpoint.id == id)?;
            Some(Operation { id, endpoint, document, described })
        })
    })
}

/// Returns the operation with this name, in the form of the contract or of the command line.
pub(crate) fn operation(name: &str) -> Option<Operation> {
    operations().find(|operation| operation.id == name || operation.command() == name)
}

/// Returns every type, with the document that has it. Of types with the same name, use the first.
pub(crate) fn types() -> impl Iterator<Item = (&'static str, &'static str, Schema)> {
    DOCUMENTS.into_iter().flat_map(|name| {
        let document = at(&CONTRACT, &[name]);
        let schemas = members(at(document, &["components", "schemas"]));
        schemas.map(move |(schema, value)| (schema, name, Schema { document, value }))
    })
}

/// Returns the notification types, each with the schema of its webhook body.
pub(crate) fn events() -> impl Iterator<Item = (&'static str, Schema)> {
    let bodies = types().filter(|(_, document, _)| *document == "notifications");
    bodies.filter_map(|(_, _, schema)| {
        let name = schema.field("notificationType")?.schema.values().first()?.0;
        Some((name, schema))
    })
}

impl Operation {
    /// Returns the name on the command line.
    pub(crate) fn command(self) -> String {
        kebab(self.id)
    }

    pub(crate) fn tag(self) -> &'static str {
        list(&self.described["tags"]).next().map_or("", text)
    }

    pub(crate) fn description(self) -> &'static str {
        text(&self.described["description"])
    }

    /// Returns the page in Ampersand's documentation.
    pub(crate) fn page(self) -> Option<&'static str> {
        at(self.described, &["externalDocs", "url"]).as_str()
    }

    /// Returns the path parameters, then the query parameters.
    pub(crate) fn parameters(self) -> Vec<Field> {
        let mut parameters: Vec<Field> = list(&self.described["parameters"])
            .map(|parameter| Field {
                name: text(&parameter["name"]),
                description: text(&parameter["description"]),
                required: parameter["required"] == true,
                schema: Schema { document: self.document, value: &parameter["schema"] },
            })
            .collect();
        parameters
            .sort_by_key(|parameter| self.endpoint.path.find(&format!("{{{}}}", parameter.name)).unwrap_or(usize::MAX));
        parameters
    }

    /// Returns the endpoint for a request with these parameters: some of them make it not idempotent.
    pub(crate) fn endpoint_with(self, given: impl Fn(&str) -> bool) -> Endpoint {
        let mut endpoint = *self.endpoint;
        let mut parameters = list(&self.described["parameters"]);
        if parameters.any(|parameter| parameter["x-idempotent"] == false && given(text(&parameter["name"]))) {
            endpoint.idempotent = false;
        }
        endpoint
    }

    /// Returns whether a parameter is in the path, and not in the query.
    pub(crate) fn is_in_path(self, parameter: &str) -> bool {
        self.endpoint.path.contains(&format!("{{{parameter}}}"))
    }

    pub(crate) fn body(self) -> Option<Schema> {
        let body = self.described.get("requestBody")?;
        Some(Schema { document: self.document, value: at(body, &["content", "application/json", "schema"]) })
    }

    pub(crate) fn needs_body(self) -> bool {
        *at(self.described, &["requestBody", "required"]) == true
    }

    /// Returns the schema of a successful response. `None` if its body is empty.
    pub(crate) fn response(self) -> Option<Schema> {
        let (_, success) = members(&self.described["responses"]).find(|(status, _)| status.starts_with('2'))?;
        let (_, content) = members(&success["content"]).next()?;
        Some(Schema { document: self.document, value: &content["schema"] })
    }

    /// Returns whether the operation returns a list in pages.
    pub(crate) fn has_pages(self) -> bool {
        self.parameters().iter().any(|parameter| parameter.name == PAGE_TOKEN)
    }
}

/// The parameter that requests the next page.
pub(crate) const PAGE_TOKEN: &str = "pageToken";

impl Schema {
    /// Returns the name of the type that the schema refers to.
    pub(crate) fn name(self) -> Option<&'static str> {
        self.value["$ref"].as_str().and_then(|reference| reference.rsplit('/').next())
    }

    /// Returns the schema at the end of its references.
    pub(crate) fn target(self) -> Self {
        let found = self.value["$ref"].as_str().and_then(|to| self.document.pointer(to.trim_start_matches('#')));
        found.map_or(self, |value| Self { value, ..self }.target())
    }

    /// Returns a member of the schema, or else of the schema that it refers to.
    pub(crate) fn member(self, name: &str) -> &'static Value {
        self.value.get(name).unwrap_or_else(|| &self.target().value[name])
    }

    pub(crate) fn is(self, mark: &str) -> bool {
        self.member(mark) == true
    }

    pub(crate) fn description(self) -> &'static str {
        text(self.member("description"))
    }

    /// Returns the JSON type; empty if the schema names no type.
    pub(crate) fn kind(self) -> &'static str {
        text(self.member("type"))
    }

    /// Returns the schemas that all have to match (`allOf`), or one of which has to match (`oneOf`).
    pub(crate) fn parts(self, keyword: &str) -> impl Iterator<Item = Self> {
        list(self.member(keyword)).map(move |value| Self { value, ..self })
    }

    /// Returns the fields of an object and of its parts, required fields first.
    pub(crate) fn fields(self) -> Vec<Field> {
        let mut fields = Vec::new();
        self.add_fields(true, &mut fields);
        fields.sort_by_key(|field| !field.required);
        fields
    }

    /// In `allOf`, the last part with a field wins; among alternatives, the first.
    fn add_fields(self, all: bool, fields: &mut Vec<Field>) {
        self.parts("oneOf").for_each(|part| part.add_fields(false, fields));
        self.parts("allOf").for_each(|part| part.add_fields(all, fields));
        for (name, schema) in self.own_fields() {
            let field = Field { name, description: schema.description(), required: false, schema };
            match fields.iter_mut().find(|known| known.name == name) {
                Some(known) if all => {
                    let description = if field.description.is_empty() { known.description } else { field.description };
                    *known = Field { description, required: known.required, ..field };
                }
                Some(_) => {}
                None => fields.push(field),
            }
        }
        if all {
            for name in self.required() {
                fields.iter_mut().filter(|field| field.name == name).for_each(|field| field.required = true);
            }
        }
    }

    pub(crate) fn field(self, name: &str) -> Option<Field> {
        self.fields().into_iter().find(|field| field.name == name)
    }

    /// Returns the schema of an object's value by its name: a field, or a value of a map.
    pub(crate) fn within(self, name: &str) -> Option<Self> {
        self.field(name).map(|field| field.schema).or_else(|| self.map_values())
    }

    pub(crate) fn required(self) -> impl Iterator<Item = &'static str> {
        list(self.member("required")).map(text)
    }

    /// Returns the fields of the schema itself, without those of its parts.
    pub(crate) fn own_fields(self) -> impl Iterator<Item = (&'static str, Self)> {
        members(self.member("properties")).map(move |(name, value)| (name, Self { value, ..self }))
    }

    /// Returns the schema of a list's items.
    pub(crate) fn items(self) -> Option<Self> {
        self.target().value.get("items").map(|value| Self { value, ..self })
    }

    /// Returns the schema of a map's values.
    pub(crate) fn map_values(self) -> Option<Self> {
        let target = self.target();
        target.value.get("additionalProperties").filter(|value| value.is_object()).map(|value| Self { value, ..self })
    }

    /// Returns the values of an enum, each with its meaning.
    pub(crate) fn values(self) -> Vec<(&'static str, &'static str)> {
        let words = self.member("x-enum-descriptions");
        list(self.member("enum")).filter_map(|value| Some((value.as_str()?, text(&words[value.as_str()?])))).collect()
    }

    pub(crate) fn is_scalar(self) -> bool {
        matches!(self.kind(), "string" | "integer" | "number" | "boolean")
    }

    /// Returns the type in words, as in a list of fields.
    pub(crate) fn in_words(self) -> String {
        if let Some(items) = self.items() {
            return format!("list of {}", items.in_words());
        }
        if let Some(values) = self.map_values().filter(|_| self.fields().is_empty()) {
            return format!("map of {}", values.in_words());
        }
        match (self.name(), self.kind()) {
            (Some(name), _) if !self.is_scalar() => name.to_owned(),
            (_, "string") if self.member("format") == "date-time" => "time".to_owned(),
            (_, "") if self.fields().is_empty() => "any JSON".to_owned(),
            (_, "") => "object".to_owned(),
            (_, kind) => kind.to_owned(),
        }
    }
}

impl Field {
    /// Returns whether the field holds a secret: the last word of its name says so, or the contract does.
    pub(crate) fn is_secret(&self) -> bool {
        let said = ["x-credential", "x-signed-url"].map(|mark| self.schema.member(mark));
        said.iter().find_map(|said| said.as_bool()).unwrap_or_else(|| {
            matches!(self.schema.kind(), "string" | "object")
                && self.schema.fields().is_empty()
                && names_secret(self.name)
        })
    }
}

/// Returns whether the texts of a member are secrets: the member is a secret, or is in an object that holds only
/// secrets. It also works for members that the contract does not describe.
pub(crate) fn is_secret(name: &str, schema: Option<Schema>, in_secret: bool) -> bool {
    let field = schema.and_then(|schema| schema.field(name));
    let said = field.and_then(|field| field.schema.member("x-credential").as_bool());
    let named = || field.map_or_else(|| names_secret(name), |field| field.is_secret());
    said.unwrap_or_else(|| in_secret || holds_secrets(name) || named())
}

/// Replaces each secret text in a value, and returns whether there was one.
pub(crate) fn redact(value: &mut Value, schema: Option<Schema>, shown: fn(&str) -> String) -> bool {
    redact_within(value, "", schema, false, shown)
}

fn redact_within(
    value: &mut Value,
    name: &str,
    schema: Option<Schema>,
    in_secret: bool,
    shown: fn(&str) -> String,
) -> bool {
    let mut found = false;
    match value {
        Value::String(text) if in_secret => {
            *text = shown(name);
            found = true;
        }
        Value::Object(members) => {
            for (name, value) in members {
                let within = schema.and_then(|schema| schema.within(name));
                found |= redact_within(value, name, within, is_secret(name, schema, in_secret), shown);
            }
        }
        Value::Array(items) => {
            for item in items {
                found |= redact_within(item, name, schema.and_then(Schema::items), in_secret, shown);
            }
        }
        _ => {}
    }
    found
}

/// Returns whether an object with this name holds only credentials.
fn holds_secrets(name: &str) -> bool {
    kebab(name).rsplit('-').next().is_some_and(|last| HOLDERS.contains(&last))
}

/// The last words of the names of objects that hold only credentials, as `openapi/project.toml` lists them.
const HOLDERS: [&str; 5] = ["auth", "cookies", "headers", "secret", "secrets"];

/// Returns whether this is the name of a credential.
fn names_secret(name: &str) -> bool {
    let name = kebab(name);
    let mut words = name.rsplit('-');
    words.next().is_some_and(|last| SECRETS.contains(&last)) && !words.any(|word| ["page", "public"].contains(&word))
}

/// The last words of the names of credentials, as `openapi/project.toml` lists them.
const SECRETS: [&str; 17] = [
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "key",
    "keys",
    "passphrase",
    "password",
    "passwords",
    "pem",
    "secret",
    "secrets",
    "session",
    "signature",
    "token",
    "tokens",
];

/// Returns the first sentence of a description, for places with one line.
pub(crate) fn first_sentence(description: &str) -> &str {
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let end = paragraph.find(". ").or_else(|| paragraph.find(".\n")).unwrap_or(paragraph.len());
    paragraph.get(..end).unwrap_or(paragraph).trim_end_matches('.')
}

/// Joins the lines of each paragraph of a description. List items keep their own lines.
pub(crate) fn flowed(description: &str) -> String {
    let mut flowed = String::new();
    for line in description.lines() {
        let starts = line.is_empty() || line.trim_start().starts_with(['-', '|']);
        if !flowed.is_empty() {
            flowed.push(if starts || flowed.ends_with('\n') { '\n' } else { ' ' });
        }
        flowed += line;
    }
    flowed
}

/// Converts a name to kebab case: `listJWTKeys` to `list-jwt-keys`, `api_key` and `api.key` to `api-key`. The generator
/// splits names in the same way, so both agree on which names are credentials.
pub(crate) fn kebab(name: &str) -> String {
    name.to_kebab_case()
}

/// Follows a path of names into a value. Returns `null` if the path does not exist.
fn at(value: &'static Value, path: &[&str]) -> &'static Value {
    path.iter().fold(value, |value, name| value.get(*name).unwrap_or(&Value::Null))
}

fn text(value: &'static Value) -> &'static str {
    value.as_str().unwrap_or_default()
}

fn list(value: &'static Value) -> impl Iterator<Item = &'static Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &'static Value) -> impl Iterator<Item = (&'static str, &'static Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ampersand_types::notifications::NotificationType;

    use super::*;

    #[test]
    fn every_operation_of_the_client_is_described() {
        let described: BTreeSet<&str> = operations().map(|operation| operation.id).collect();
        assert_eq!(described, Endpoint::ALL.iter().map(|endpoint| endpoint.id).collect());
        assert_eq!(tags().map(|(_, _, operations)| operations.len()).sum::<usize>(), described.len());
    }

    #[test]
    fn every_event_has_a_schema() {
        let described: BTreeSet<&str> = events().map(|(name, _)| name).collect();
        let known = NotificationType::KNOWN;
        assert_eq!(described, known.iter().map(NotificationType::as_str).collect());
    }

    #[test]
    fn credentials_are_those_that_the_types_redact() {
        let project: toml::Table = include_str!("../../../openapi/project.toml").parse().unwrap();
        let words = |key: &str| -> Vec<&str> {
            project["credentials"][key].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect()
        };
        assert_eq!((words("names"), words("holders")), (SECRETS.to_vec(), HOLDERS.to_vec()));
        for (name, is_secret) in [
            ("apiKey", true),
            ("clientSecret", true),
            ("api_key", true),
            ("client_secret", true),
            ("CLIENT_SECRET", true),
            ("x.token", true),
            ("X-Api-Key", true),
            ("access token", true),
            ("api_key_", true),
            ("publicKeyPem", false),
            ("public_key", false),
            ("pageToken", false),
            ("page_token", false),
            ("x.tokenizer", false),
            ("name", false),
        ] {
            assert_eq!(names_secret(name), is_secret, "{name}");
        }
    }

    #[test]
    fn names_are_split_into_words() {
        for (name, expected) in [
            ("listJWTKeys", "list-jwt-keys"),
            ("configURL", "config-url"),
            ("enableCSRFProtection", "enable-csrf-protection"),
            ("oauthConnect", "oauth-connect"),
            ("Installation", "installation"),
            ("oauth2ClientCredentials", "oauth2-client-credentials"),
            ("api_key", "api-key"),
            ("x.token", "x-token"),
            ("X-Api-Key", "x-api-key"),
            ("two words", "two-words"),
        ] {
            assert_eq!(kebab(name), expected);
        }
    }
}
