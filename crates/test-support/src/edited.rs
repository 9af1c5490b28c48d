//! A changed contract, as `tests/changes.json` describes it.

use serde_json::{Map, Value};

/// Edits a contract: puts each value at its JSON pointer, or inserts it before that place in a list. `null` removes
/// what is there.
pub fn edited(mut contract: Value, edit: &Map<String, Value>) -> Value {
    for (pointer, value) in edit {
        let (outer, name) = pointer.rsplit_once('/').unwrap();
        match (contract.pointer_mut(outer).unwrap(), value) {
            (Value::Object(members), Value::Null) => drop(members.remove(name)),
            (Value::Object(members), value) => drop(members.insert(name.to_owned(), value.clone())),
            (Value::Array(items), Value::Null) => drop(items.remove(name.parse().unwrap())),
            (Value::Array(items), value) => items.insert(name.parse().unwrap(), value.clone()),
            (other, _) => panic!("{pointer} is in {other}"),
        }
    }
    contract
}
