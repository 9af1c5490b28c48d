use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// The names and identifiers that fixtures hold. Equal seeds give equal values.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    seed: u64,
    company: (&'static str, &'static str),
    person: (&'static str, &'static str),
    product: (&'static str, &'static str),
}

const COMPANIES: [(&str, &str); 6] = [
    ("acme", "Acme Corp"),
    ("globex", "Globex"),
    ("initech", "Initech Europe"),
    ("soylent", "Soylent GmbH & Söhne"),
    ("hooli", "Hooli"),
    ("stark", "Stark Industries"),
];
const PEOPLE: [(&str, &str); 6] = [
    ("usr_8841", "Priya Raman"),
    ("usr_1207", "Hank Scorpio"),
    ("usr_3310", "Bill Lumbergh"),
    ("usr_5502", "Renée Thorn"),
    ("usr_7018", "Gavin Belson"),
    ("usr_9943", "Pepper Potts"),
];
const PRODUCTS: [(&str, &str); 4] =
    [("salesforce", "account"), ("hubspot", "contacts"), ("zendeskSupport", "tickets"), ("gong", "calls")];

impl Values {
    pub(crate) fn new(seed: u64) -> Self {
        let pick = |list: usize, what| usize::try_from(mix(seed, what) % list as u64).unwrap_or_default();
        Self {
            seed,
            company: *COMPANIES.get(pick(COMPANIES.len(), "company")).unwrap_or(&COMPANIES[0]),
            person: *PEOPLE.get(pick(PEOPLE.len(), "person")).unwrap_or(&PEOPLE[0]),
            product: *PRODUCTS.get(pick(PRODUCTS.len(), "product")).unwrap_or(&PRODUCTS[0]),
        }
    }

    /// The time at which the fixture was sent: within the year before a fixed day, so that it is never in the future.
    pub(crate) fn timestamp(&self) -> Timestamp {
        let day: Timestamp = Timestamp::constant(1_787_158_990, 0);
        let seconds = i64::try_from(mix(self.seed, "timestamp") % 31_536_000).unwrap_or_default();
        day - SignedDuration::from_secs(seconds)
    }

    /// Returns the value for a name in a template. An unknown name gets a UUID.
    pub(crate) fn get(&self, name: &str) -> String {
        match name {
            "groupRef" => self.company.0.to_owned(),
            "groupName" => self.company.1.to_owned(),
            "consumerRef" => self.person.0.to_owned(),
            "consumerName" => self.person.1.to_owned(),
            "provider" => self.product.0.to_owned(),
            "objectName" => self.product.1.to_owned(),
            "timestamp" => self.timestamp().to_string(),
            name => self.uuid(name),
        }
    }

    /// Returns a version 4 UUID that depends only on the seed and the name.
    fn uuid(&self, name: &str) -> String {
        let (high, low) = (mix(self.seed, name), mix(!self.seed, name));
        let (high, low) = (high & !0xf000 | 0x4000, low & !(0b11 << 62) | (0b10 << 62));
        let mut uuid = String::new();
        let parts = [high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff];
        for (part, width) in parts.into_iter().zip([8, 4, 4, 4, 12]) {
            let dash = if uuid.is_empty() { "" } else { "-" };
            let _ = write!(uuid, "{dash}{part:0width$x}");
        }
        uuid
    }

    /// Returns a copy of the template with each `{name}` replaced.
    pub(crate) fn fill(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => Value::String(self.fill_text(text)),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(members) => {
                let filled = members.iter().map(|(name, value)| (self.fill_text(name), self.fill(value)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    fn fill_text(&self, text: &str) -> String {
        let Some((before, (name, after))) =
            text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        else {
            return text.to_owned();
        };
        format!("{before}{}{}", self.get(name), self.fill_text(after))
    }
}

/// Returns the value with all members sorted. `serde_json` sorts them only without its feature `preserve_order`.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members.into_iter().collect();
            members.into_iter().map(|(name, value)| (name, sorted(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// Mixes a seed and a name with [SplitMix64](https://prng.di.unimi.it/splitmix64.c).
fn mix(seed: u64, name: &str) -> u64 {
    let start = name.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut z = start.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
