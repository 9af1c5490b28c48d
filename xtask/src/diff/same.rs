//! Whether two schemas say the same, however they say it.

use std::collections::BTreeSet;

use super::shape::{Others, Shape};
use super::side::Node;
use super::walk::Walk;

impl<'a> Walk<'a> {
    /// Whether two schemas say the same. Where they lead back to themselves, they do unless something else differs.
    pub(super) fn same(&mut self, old: &Node<'a>, new: &Node<'a>) -> bool {
        let key = (old.id(), new.id());
        if let Some(known) = self.alike.get(&key) {
            return *known;
        }
        self.alike.insert(key.clone(), true);
        let same = self.same_shape(&old.shape(), &new.shape());
        if !same {
            // What was found the same on the strength of this is to be looked at again.
            self.alike.retain(|_, same| !*same);
        }
        self.alike.insert(key, same);
        same
    }

    fn same_shape(&mut self, old: &Shape<'a>, new: &Shape<'a>) -> bool {
        let facets =
            |shape: &Shape<'a>| shape.facets.iter().map(|(key, (value, _))| (*key, *value)).collect::<Vec<_>>();
        let values = |shape: &Shape<'a>| {
            shape.values.as_ref().map(|values| values.iter().map(ToString::to_string).collect::<BTreeSet<_>>())
        };
        let plain = old.types == new.types
            && old.nullable == new.nullable
            && values(old) == values(new)
            && facets(old) == facets(new)
            && old.groups == new.groups
            && old.undescribed.keys().eq(new.undescribed.keys())
            && old.fields.len() == new.fields.len()
            && old.choices.len() == new.choices.len()
            && old.excludes() == new.excludes();
        if !plain {
            return false;
        }
        let fields = old.fields.iter().all(|(name, before)| {
            new.fields.get(name).is_some_and(|now| before.need == now.need && self.same(&before.node, &now.node))
        });
        let others = match (&old.others, &new.others) {
            (Others::Of(old), Others::Of(new)) => self.same(old, new),
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        };
        let items = match (&old.items, &new.items) {
            (Some(old), Some(new)) => self.same(old, new),
            (one, other) => one.is_none() && other.is_none(),
        };
        let mut left = new.choices.clone();
        fields
            && others
            && items
            && old.choices.iter().all(|before| match left.iter().position(|now| self.same(before, now)) {
                Some(position) => {
                    left.remove(position);
                    true
                }
                None => false,
            })
    }
}
