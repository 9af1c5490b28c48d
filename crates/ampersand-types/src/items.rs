use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A list or a map that may be absent, `null` or empty, and is encoded in the form in which it was sent.
///
/// It dereferences to the collection, which is empty if none was sent, so it needs no `unwrap_or_default`:
///
/// ```
/// use ampersand_types::Items;
///
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Report {
///     #[serde(default, skip_serializing_if = "Items::is_absent")]
///     errors: Items<Vec<String>>,
/// }
///
/// for json in ["{}", r#"{"errors":null}"#, r#"{"errors":[]}"#] {
///     let mut report: Report = serde_json::from_str(json)?;
///     assert!(report.errors.is_empty());
///     assert_eq!(serde_json::to_string(&report)?, json);
///
///     report.errors.push("late".to_owned());
///     assert_eq!(serde_json::to_string(&report)?, r#"{"errors":["late"]}"#);
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
/// The senders are written in Go. Go encodes an empty list in any of the three forms, depending on how the list was
/// made.
#[derive(Clone)]
pub struct Items<C> {
    items: C,
    when_empty: WhenEmpty,
}

/// The encoding of an empty collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenEmpty {
    Absent,
    Null,
    Empty,
}

/// A collection that an [`Items`] can hold.
pub trait Collection: Default {
    /// Returns whether the collection has no elements.
    fn is_empty(&self) -> bool;
}

impl<T> Collection for Vec<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

impl<K, V> Collection for BTreeMap<K, V> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

impl<C> Items<C> {
    /// Returns the collection.
    pub fn into_inner(self) -> C {
        self.items
    }

    /// Converts the collection to another type. An absent collection stays absent, and `null` stays `null`.
    pub fn map<D>(self, change: impl FnOnce(C) -> D) -> Items<D> {
        Items { items: change(self.items), when_empty: self.when_empty }
    }
}

impl<C: Collection> Items<C> {
    /// Makes an empty collection that is encoded as `null`.
    pub fn null() -> Self {
        Self { items: C::default(), when_empty: WhenEmpty::Null }
    }

    /// Returns whether the collection is absent, and will be left out when it is encoded.
    pub fn is_absent(&self) -> bool {
        self.encoded() == Some(WhenEmpty::Absent)
    }

    /// Returns whether the collection is `null`, and will be encoded as `null`.
    pub fn is_null(&self) -> bool {
        self.encoded() == Some(WhenEmpty::Null)
    }

    /// Returns how the collection is encoded if it is empty, or `None` if it has elements.
    fn encoded(&self) -> Option<WhenEmpty> {
        self.items.is_empty().then_some(self.when_empty)
    }
}

/// An absent collection.
impl<C: Collection> Default for Items<C> {
    fn default() -> Self {
        Self { items: C::default(), when_empty: WhenEmpty::Absent }
    }
}

/// A collection that is sent even if it is empty.
impl<C> From<C> for Items<C> {
    fn from(items: C) -> Self {
        Self { items, when_empty: WhenEmpty::Empty }
    }
}

impl<C: FromIterator<T>, T> FromIterator<T> for Items<C> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::from(C::from_iter(items))
    }
}

impl<C> Deref for Items<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.items
    }
}

impl<C> DerefMut for Items<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.items
    }
}

impl<C: IntoIterator> IntoIterator for Items<C> {
    type Item = C::Item;
    type IntoIter = C::IntoIter;

    fn into_iter(self) -> C::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, C> IntoIterator for &'a Items<C>
where
    &'a C: IntoIterator,
{
    type Item = <&'a C as IntoIterator>::Item;
    type IntoIter = <&'a C as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&self.items).into_iter()
    }
}

impl<C: Collection + PartialEq> PartialEq for Items<C> {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items && self.encoded() == other.encoded()
    }
}

/// Compares the elements: absent, `null` and empty are all equal to an empty collection.
impl<C: Collection + PartialEq> PartialEq<C> for Items<C> {
    fn eq(&self, other: &C) -> bool {
        self.items == *other
    }
}

impl<C: Collection + fmt::Debug> fmt::Debug for Items<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.encoded() {
            Some(WhenEmpty::Absent) => f.write_str("absent"),
            Some(WhenEmpty::Null) => f.write_str("null"),
            Some(WhenEmpty::Empty) | None => self.items.fmt(f),
        }
    }
}

impl<C: Collection + Serialize> Serialize for Items<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.encoded() {
            Some(WhenEmpty::Absent | WhenEmpty::Null) => serializer.serialize_none(),
            Some(WhenEmpty::Empty) | None => self.items.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<Vec<T>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Option::<Vec<T>>::deserialize(deserializer)?;
        Ok(sent.map_or_else(Self::null, Self::from))
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Items<BTreeMap<K, V>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Option::<Unique<K, V>>::deserialize(deserializer)?;
        Ok(sent.map_or_else(Self::null, |Unique(map)| Self::from(map)))
    }
}

/// A map that refuses a key that comes twice, of which serde's map would keep the last value alone.
struct Unique<K, V>(BTreeMap<K, V>);

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Unique<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<K, V>(PhantomData<(K, V)>);

        impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
            type Value = Unique<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unique<K, V>, A::Error> {
                let mut map = BTreeMap::new();
                while let Some((key, value)) = entries.next_entry()? {
                    if map.insert(key, value).is_some() {
                        return Err(A::Error::custom("a member comes twice"));
                    }
                }
                Ok(Unique(map))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sent {
        #[serde(default, skip_serializing_if = "Items::is_absent")]
        map: Items<BTreeMap<String, Items<Vec<u8>>>>,
    }

    fn decode(json: &str) -> Sent {
        serde_json::from_str(json).expect(json)
    }

    #[test]
    fn absent_null_and_empty_survive_at_any_depth() {
        for json in ["{}", r#"{"map":null}"#, r#"{"map":{}}"#, r#"{"map":{"a":null,"b":[],"c":[1]}}"#] {
            assert_eq!(serde_json::to_string(&decode(json)).expect(json), json);
        }
    }

    #[test]
    fn looking_and_changing_back_leaves_what_was_sent() {
        for json in ["{}", r#"{"map":null}"#, r#"{"map":{}}"#] {
            let mut sent = decode(json);
            assert!(sent.map.get_mut("a").is_none());
            sent.map.insert("a".to_owned(), Items::default());
            sent.map.clear();
            assert_eq!(sent, decode(json));
            assert_eq!(serde_json::to_string(&sent).expect(json), json);
        }
    }

    #[test]
    fn equal_when_they_are_encoded_alike() {
        let mut grown = Items::<Vec<u8>>::null();
        assert_ne!(grown, Items::default());
        assert_ne!(grown, Items::from(vec![]));
        grown.push(1);
        assert_eq!(grown, Items::from(vec![1]));
        assert_eq!(grown.into_inner(), [1]);
    }

    #[test]
    fn a_collection_is_compared_by_what_is_in_it() {
        let empty: [Items<Vec<u8>>; 3] = [Items::default(), Items::null(), Items::from(vec![])];
        assert!(empty.iter().all(|items| *items == vec![]));
        let one = Items::from(vec![1]);
        assert!(one == vec![1] && one != vec![2]);
    }

    #[test]
    fn debug_tells_the_three_apart() {
        let shown = [Items::default(), Items::null(), Items::from(vec![]), vec![1].into()]
            .map(|list: Items<Vec<u8>>| format!("{list:?}"));
        assert_eq!(shown, ["absent", "null", "[]", "[1]"]);
    }
}
