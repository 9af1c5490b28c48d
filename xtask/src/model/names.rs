//! What things of a contract are called in Rust.

use heck::{ToLowerCamelCase as _, ToPascalCase as _, ToSnakeCase as _};
use syn::Ident;

fn words(name: &str) -> String {
    name.replace('&', " and ").replace(|c: char| !c.is_alphanumeric(), " ")
}

/// As types and variants are written: `installation.created` is `InstallationCreated`.
pub(crate) fn pascal(name: &str) -> String {
    name.replace(|c: char| !c.is_alphanumeric(), " ").to_pascal_case()
}

/// As modules, functions and fields are: `objects_and_fields` for `Objects & Fields`.
pub(crate) fn snake(name: &str) -> String {
    words(name).to_snake_case()
}

/// As modules, whatever it is that they are named after.
pub(crate) fn module(name: &str) -> String {
    let name = snake(name);
    match name.chars().next() {
        None => "others".to_owned(),
        Some(first) if first.is_numeric() => format!("_{name}"),
        _ if syn::parse_str::<Ident>(&name).is_err() => format!("{name}_"),
        _ => name,
    }
}

/// As OpenAPI's operations are: `getThingsId` for `get /things/{id}`.
pub(crate) fn camel(name: &str) -> String {
    words(name).to_lower_camel_case()
}

/// What the values of an enum are called. `asc` and `ASC` are the same; the one that comes later gives way.
pub(crate) fn variants<T: AsRef<str>>(values: &[T]) -> Vec<String> {
    let mut variants: Vec<String> = Vec::new();
    for value in values {
        let mut name = variant(value.as_ref());
        while variants.contains(&name) {
            name.push('_');
        }
        variants.push(name);
    }
    variants
}

fn variant(value: &str) -> String {
    let name = pascal(value);
    match name.as_str() {
        "" if value.is_empty() => "Empty".to_owned(),
        "" => value.chars().map(|c| format!("U{:X}", u32::from(c))).collect(),
        "Unknown" | "Self" => format!("{name}_"),
        name if syn::parse_str::<Ident>(name).is_err() => format!("_{name}"),
        name => name.to_owned(),
    }
}
