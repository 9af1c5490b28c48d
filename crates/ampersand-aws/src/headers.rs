//! Reads the headers of a request from the forms that they have in JSON.

use ampersand_notifications::Headers;
use ampersand_types::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

/// Reads headers in any form. JSON in an unknown form has no headers.
pub(crate) fn of_raw(headers: &RawValue) -> Vec<(String, String)> {
    serde_json::from_str(headers.get()).map(headers_of).unwrap_or_default()
}

/// Reads headers in JSON: an object, or a list of names and values, as pairs or as in HAR. They may be in a member
/// `headers`, or in `multiValueHeaders`, which has every value. A value may be a list; each of its items is a separate
/// value. Of a Lambda@Edge event or a HAR file, only the first request is read.
pub fn headers_of(json: Value) -> Vec<(String, String)> {
    const REQUESTS: [&str; 3] = ["/Records/0/cf/request", "/log/entries/0/request", "/request"];
    let mut headers = Vec::new();
    if let Some(request) = REQUESTS.iter().find_map(|path| json.pointer(path)).filter(|request| request.is_object()) {
        return headers_of(request.clone());
    }
    match json {
        Value::Object(members) => {
            let inner = ["multiValueHeaders", "headers"].iter().filter_map(|name| members.get(*name));
            let mut inner =
                inner.filter(|inner| inner.is_object() || inner.is_array()).map(|inner| headers_of(inner.clone()));
            if let Some(first) = inner.next() {
                return if first.is_empty() { inner.next().unwrap_or(first) } else { first };
            }
            members.iter().for_each(|(name, value)| add(&mut headers, name, value));
        }
        Value::Array(items) => {
            for item in &items {
                let part = |names: &[&str], index: usize| {
                    names.iter().find_map(|name| item.get(name)).or_else(|| item.get(index))
                };
                if let (Some(Value::String(name)), Some(value)) = (part(&["name", "key"], 0), part(&["value"], 1)) {
                    add(&mut headers, name, value);
                }
            }
        }
        _ => {}
    }
    headers
}

/// Adds every value of a header. In Lambda@Edge, values are objects.
fn add(headers: &mut Vec<(String, String)>, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Array(values) => values.iter().for_each(|value| add(headers, name, value)),
        Value::Object(members) => members.get("value").into_iter().for_each(|value| add(headers, name, value)),
        Value::String(text) => headers.push((name.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => headers.push((name.to_owned(), value.to_string())),
    }
}

/// Returns the id of a webhook and the time at which it was sent, from its headers.
pub fn id_and_timestamp(headers: &impl Headers) -> (Option<String>, Option<Timestamp>) {
    let header = |name: &str| {
        let first = |family: &&str| headers.values(&format!("{family}-{name}")).next().map(<[u8]>::to_vec);
        ["svix", "webhook"].iter().filter_map(first).find_map(|value| String::from_utf8(value).ok())
    };
    let sent = header("timestamp").and_then(|sent| jiff::Timestamp::from_second(sent.parse().ok()?).ok());
    (header("id"), sent.map(Timestamp::from))
}
