use serde::Serialize;
use serde_json::{Value, json};

/// Sets the field at a path of names, and adds the objects that are missing on the way.
#[expect(clippy::expect_used, reason = "a test that cannot make its fixture has failed")]
pub(crate) fn set(payload: &mut Value, path: &str, value: impl Serialize) {
    *path.split('.').fold(payload, member) = serde_json::to_value(value).expect("a value with a JSON form");
}

/// Removes a field, and returns whether it existed.
pub(crate) fn remove(payload: &mut Value, path: &str) -> bool {
    let mut names: Vec<&str> = path.split('.').collect();
    let name = names.pop().unwrap_or_default();
    let parent = names.into_iter().try_fold(payload, |value, name| match value {
        Value::Object(members) => members.get_mut(name),
        Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
        _ => None,
    });
    parent.and_then(Value::as_object_mut).and_then(|members| members.remove(name)).is_some()
}

/// Returns a member of an object, which is added if it is missing, or an item of an array, by its index.
fn member<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    if let Some(index) = name.parse().ok().filter(|index: &usize| value.get(index).is_some()) {
        return &mut value[index];
    }
    if !value.is_object() {
        *value = json!({});
    }
    &mut value[name]
}
