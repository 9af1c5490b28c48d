//! What things of a contract are called in Rust.

use std::collections::BTreeSet;

use heck::{ToLowerCamelCase as _, ToPascalCase as _, ToSnakeCase as _};
use syn::Ident;

fn words(name: &str) -> String {
    plain(&name.replace('&', " and "))
}

/// A name with spaces for what no name in Rust may hold.
pub(crate) fn plain(name: &str) -> String {
    let fits =
        |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() && syn::parse_str::<Ident>(&format!("a{c}")).is_ok();
    name.replace(|c: char| !fits(c), " ")
}

/// As types are written: `installation.created` is `InstallationCreated`.
pub(crate) fn pascal(name: &str) -> String {
    let name = part(name);
    match name.as_str() {
        "Self" => "SelfSchema".to_owned(),
        // As typify does.
        _ if !name.starts_with(char::is_alphabetic) => format!("X{name}"),
        _ => name,
    }
}

/// As a part of such a name. `heck` may change what it has made once more, as of `aB2c`; typify asks it again.
pub(crate) fn part(name: &str) -> String {
    let once = plain(name).to_pascal_case();
    let again = once.to_pascal_case();
    if again == once { once } else { part(&again) }
}

/// A name, or where that is taken the same with the first number that makes it another one.
pub(crate) fn apart(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

/// A name that in Rust is none of those `taken`, and then is one.
pub(crate) fn claim(name: &str, taken: &mut BTreeSet<String>) -> String {
    let name = apart(name, |name| taken.contains(&pascal(name)));
    taken.insert(pascal(&name));
    name
}

/// As modules, functions and fields are: `objects_and_fields` for `Objects & Fields`.
pub(crate) fn snake(name: &str) -> String {
    words(name).to_snake_case()
}

/// As modules, whatever it is that they are named after.
pub(crate) fn module(name: &str) -> String {
    // What a client has beside its groups.
    const TAKEN: [&str; 12] = [
        "attempt", "builder", "bytes", "empty", "execute", "from_env", "json", "list", "project", "raw", "text", "url",
    ];
    // The file of a module may have no other name.
    let name = snake(&name.replace(|c: char| !c.is_ascii(), " "));
    match name.as_str() {
        // Its struct would have the name of what each request is.
        "call" => "calls".to_owned(),
        _ => fit(name, "others", &TAKEN),
    }
}

/// A name that Rust takes and that is none of those `taken`; of what has none, `nameless`.
pub(crate) fn fit(name: String, nameless: &str, taken: &[&str]) -> String {
    match name.chars().next() {
        None => nameless.to_owned(),
        Some(first) if first.is_numeric() => format!("_{name}"),
        _ if taken.contains(&name.as_str()) || syn::parse_str::<Ident>(&name).is_err() => format!("{name}_"),
        _ => name,
    }
}

/// As OpenAPI's operations are: `getThingsId` for `get /things/{id}`.
pub(crate) fn camel(name: &str) -> String {
    words(name).to_lower_camel_case()
}

/// What the values of an enum are called. `asc` and `ASC` are the same; the one that comes later gives way.
pub(crate) fn variants<T: AsRef<str>>(values: &[T]) -> Vec<String> {
    // One is there already, and the other is a keyword.
    let is_ours = |name: &str| ["Unknown", "Self"].contains(&name);
    let mut variants: Vec<String> = Vec::new();
    for value in values {
        let name = apart(&variant(value.as_ref()), |name| is_ours(name) || variants.iter().any(|one| one == name));
        variants.push(name);
    }
    variants
}

fn variant(value: &str) -> String {
    let name = part(value);
    match name.as_str() {
        "" if value.is_empty() => "Empty".to_owned(),
        "" => value.chars().map(|c| format!("U{:X}", u32::from(c))).collect(),
        name if name != "Self" && syn::parse_str::<Ident>(name).is_err() => format!("_{name}"),
        name => name.to_owned(),
    }
}
