//! Names in Rust for the parts of a contract.

use std::collections::BTreeSet;

use heck::{ToLowerCamelCase as _, ToPascalCase as _, ToSnakeCase as _};
use syn::Ident;

use crate::keywords::among;

fn words(name: &str) -> String {
    plain(&name.replace('&', " and "))
}

/// Replaces each character that a name in Rust cannot have by a space.
pub(crate) fn plain(name: &str) -> String {
    let fits =
        |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() && syn::parse_str::<Ident>(&format!("a{c}")).is_ok();
    name.replace(|c: char| !fits(c), " ")
}

/// Returns the name of a type: `InstallationCreated` for `installation.created`.
pub(crate) fn pascal(name: &str) -> String {
    let name = part(name);
    match name.as_str() {
        "Self" => "SelfSchema".to_owned(),
        // typify does the same.
        _ if !name.starts_with(char::is_alphabetic) => format!("X{name}"),
        _ => name,
    }
}

/// Returns a part of a type's name. `heck` may change its own result again, as for `aB2c`, and typify applies it again.
pub(crate) fn part(name: &str) -> String {
    let once = plain(name).to_pascal_case();
    let again = once.to_pascal_case();
    if again == once { once } else { part(&again) }
}

/// Returns the name, or if that is taken the name with the first number that is free.
pub(crate) fn apart(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

/// Returns a name whose form in Rust is not `taken` yet, and adds that form to `taken`.
pub(crate) fn claim(name: &str, taken: &mut BTreeSet<String>) -> String {
    let name = apart(name, |name| taken.contains(&pascal(name)));
    taken.insert(pascal(&name));
    name
}

/// Returns the name of a module, function or field: `objects_and_fields` for `Objects & Fields`.
pub(crate) fn snake(name: &str) -> String {
    words(name).to_snake_case()
}

/// Returns the name of a module.
pub(crate) fn module(name: &str) -> String {
    // The client has these methods beside its groups.
    const TAKEN: &str =
        "attempt builder bytes clone empty execute from_env json list project raw raw_operation text url";
    // The name of a module's file must be ASCII.
    let name = snake(&name.replace(|c: char| !c.is_ascii(), " "));
    match name.as_str() {
        // The struct of the group would have the name of the client's own type `Call`.
        "call" => "calls".to_owned(),
        _ => fit(name, "others", TAKEN),
    }
}

/// Returns a name that Rust allows and that is not among the words of `taken`; `nameless` for an empty name.
pub(crate) fn fit(name: String, nameless: &str, taken: &str) -> String {
    let is_name = |name: &str| syn::parse_str::<Ident>(name).is_ok();
    match name.as_str() {
        "" => nameless.to_owned(),
        // syn does not know this keyword.
        "gen" => "gen_".to_owned(),
        _ if is_name(&name) && !among(taken, &name) => name,
        _ if is_name(&format!("{name}_")) => format!("{name}_"),
        // It begins with a digit, or with a mark that belongs to a letter before it.
        _ => format!("_{name}"),
    }
}

/// Returns the name of an operation without an ID: `getThingsId` for `get /things/{id}`.
pub(crate) fn camel(name: &str) -> String {
    words(name).to_lower_camel_case()
}

/// Returns the names of an enum's variants. `asc` and `ASC` would have the same name, so the later one gets a number.
pub(crate) fn variants<T: AsRef<str>>(values: &[T]) -> Vec<String> {
    // Every open enum has `Unknown`, and `Self` is a keyword.
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
