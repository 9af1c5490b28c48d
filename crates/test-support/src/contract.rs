//! The contract, and what its schemas say.

use serde_json::{Map, Value, json};

/// Reads a document of the contract, as it is published.
pub fn contract(document: &str) -> Value {
    let path = format!("{}/../../openapi/contract/{document}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

/// The fields of an object, from all its `allOf` parts.
#[derive(Debug, Default)]
pub struct Fields<'a> {
    /// Each property and its schema. If several have the same name, the last counts.
    pub properties: Vec<(&'a str, &'a Value)>,
    /// The required properties.
    pub required: Vec<&'a str>,
    /// Groups of fields; exactly one field of each group is present.
    pub one_of: Vec<Vec<&'a str>>,
}

impl<'a> Fields<'a> {
    /// Adds the fields of a schema, and of the schemas that it refers to.
    pub fn add(&mut self, schema: &'a Value, contract: &'a Value) {
        let schema = resolve(schema, contract);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.add(part, contract);
        }
        self.add_members(schema);
        self.required.extend(names(&schema["required"]));
        if let Some(alternatives) = schema["oneOf"].as_array() {
            alternatives.iter().for_each(|alternative| self.add_members(alternative));
            let of_each: Vec<Vec<&str>> =
                alternatives.iter().map(|alternative| names(&alternative["required"])).collect();
            let (all, one) = of_each.concat().into_iter().partition(|name| of_each.iter().all(|of| of.contains(name)));
            self.required.extend::<Vec<_>>(all);
            self.one_of.push(one);
        }
    }

    fn add_members(&mut self, schema: &'a Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.properties.retain(|(known, _)| known != name);
            self.properties.push((name, property));
        }
    }
}

/// The strings in a list, such as that of the required properties.
pub fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Follows `$ref` until a schema has none.
pub fn resolve<'a>(schema: &'a Value, contract: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => resolve(contract.pointer(&reference[1..]).expect(reference), contract),
        None => schema,
    }
}

/// The arguments of an operation, as the schema of an object: its parameters, and `body`.
pub fn arguments(method: &str, path: &str, contract: &Value) -> Value {
    let item = &contract["paths"][path];
    let described = &item[method.to_lowercase()];
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in [item, described].iter().filter_map(|holder| holder["parameters"].as_array()).flatten() {
        let parameter = resolve(parameter, contract);
        let mut schema = parameter["schema"].clone();
        if parameter["in"] == "path" {
            // A segment may contain any ASCII character from space to `~`. A path cannot carry an empty segment, `.` or
            // `..`.
            schema["pattern"] = json!("^[ -~&&[^.]][ -~]*$");
        } else {
            // Some servers treat an empty value as a missing one.
            schema["minLength"] = json!(1);
        }
        required.extend((parameter["required"] == true).then(|| parameter["name"].clone()));
        properties.insert(parameter["name"].as_str().unwrap().to_owned(), schema);
    }
    if let Some(body) = described.get("requestBody").map(|body| resolve(body, contract)) {
        required.extend((body["required"] == true).then(|| json!("body")));
        properties.insert("body".to_owned(), body["content"]["application/json"]["schema"].clone());
    }
    json!({ "type": "object", "properties": properties, "required": required })
}
