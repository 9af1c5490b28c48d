//! Compares two schemas and those that they lead to, each pair once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use serde_json::Value;

use super::kind::Kind;
use super::seen::{Pair, Seen, Slot};
use super::{About, Fact};
use crate::document::BOUNDS;
use crate::keywords::among;
use crate::model::{Model, Others, Place, Schema, Type};
use crate::project::Project;

/// The result of comparing a pair of schemas.
#[derive(Default)]
pub(crate) struct Step<'m> {
    pub(crate) facts: Vec<Fact<'m>>,
    /// The steps of the pairs that this pair leads to.
    pub(crate) next: Vec<usize>,
    /// References that lead to another schema now. The facts of their step say what that does.
    pub(crate) replaced: Vec<(Fact<'m>, usize)>,
}

impl<'m> Step<'m> {
    /// Adds a change, unless both texts are equal.
    pub(crate) fn find(&mut self, fact: Fact<'m>) {
        self.facts.extend(Some(fact).filter(|fact| fact.old != fact.new));
    }
}

/// A step for a change outside of any schema.
impl<'m> From<Fact<'m>> for Step<'m> {
    fn from(fact: Fact<'m>) -> Self {
        Self { facts: vec![fact], ..Self::default() }
    }
}

/// Where a walk begins.
pub(crate) struct Root {
    /// The name of the event, the operation or the schema.
    pub(crate) name: String,
    pub(crate) kind: RootKind,
    pub(crate) start: Vec<usize>,
    /// Whether it is of an operation that the client had no method for.
    pub(crate) left_out: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RootKind {
    /// An event, or an operation as a whole: its changes concern senders and receivers.
    Used,
    /// The request of an operation.
    Sent,
    /// The responses of an operation.
    Received,
    /// A schema that no other refers to.
    Schema,
    /// A schema that others use through `allOf` alone, so that no value has just its fields.
    Base,
    /// A schema that nothing refers to, and that only one contract has.
    Alone,
}

type Ids = (*const Schema, *const Schema);

pub(crate) struct Walk<'m> {
    pub(crate) old: &'m Model,
    pub(crate) new: &'m Model,
    pub(crate) project: &'m Project,
    pub(crate) steps: Vec<Step<'m>>,
    pub(crate) roots: Vec<Root>,
    /// The steps by the addresses of the schemas that they compare. `kept` keeps these alive, so that no address is reused.
    known: HashMap<(Ids, Slot), usize>,
    kept: Vec<[Seen<'m>; 2]>,
    alike: HashMap<Ids, bool>,
    /// The pairs whose comparison in the place of a reference is under way.
    within: HashSet<Ids>,
    /// Changes that another change includes, and that the report leaves out.
    pub(crate) explained: HashSet<(Place, Kind)>,
    /// The places of the bodies of events.
    pub(crate) bodies: HashSet<Place>,
}

impl<'m> Walk<'m> {
    pub(crate) fn new(old: &'m Model, new: &'m Model, project: &'m Project) -> Self {
        let (steps, roots, known, kept, alike, within, explained, bodies) = Default::default();
        Self { old, new, project, steps, roots, known, kept, alike, within, explained, bodies }
    }

    pub(crate) fn begin(&mut self, name: &str, kind: RootKind, start: Vec<usize>) {
        self.roots.push(Root { name: name.to_owned(), kind, start, left_out: false });
    }

    /// Compares two schemas, once. Returns the number of the step.
    pub(crate) fn pair(&mut self, old: &Seen<'m>, new: &Seen<'m>, slot: Slot) -> usize {
        let slot = if self.bodies.contains(&new.place) { Slot::Body } else { slot };
        let pair = Pair::new(old, new, slot);
        if let Some(step) = self.known.get(&(pair.ids(), slot)) {
            return *step;
        }
        let number = self.put(Step::default());
        self.known.insert((pair.ids(), slot), number);
        self.kept.push(pair.both(Seen::clone));
        let mut step = Step::default();
        match pair.referred() {
            Some(referred) => self.beside(&pair, &referred, &mut step),
            None => self.compare(&pair, &mut step),
        }
        self.steps[number] = step;
        number
    }

    pub(crate) fn is_known(&self, old: &Seen<'m>, new: &Seen<'m>) -> bool {
        self.known.keys().any(|(ids, _)| *ids == (old.id(), new.id()))
    }

    pub(crate) fn put(&mut self, step: Step<'m>) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Compares two schemas that a place leads to. If both contracts have one of the two, and it is not the other,
    /// there are two comparisons: that schema before and now, which finds its own changes, and that schema with the
    /// other one, which finds the changes of the place.
    pub(crate) fn child(&mut self, pair: &Pair<'m>, place: &Place, step: &mut Step<'m>) {
        if let Some(referred) = pair.referred() {
            return self.beside(pair, &referred, step);
        }
        let Pair { old, new, slot } = pair;
        let (before, now) = (&old.place, &new.place);
        let stays = |model, place: &Place| if before == now { None } else { Seen::at(model, place) };
        match (stays(self.new, before), stays(self.old, now)) {
            // A copy of a schema in another document is the same schema.
            (Some(_), Some(earlier)) if before.schema != now.schema => {
                step.next.push(self.pair(&earlier, new, *slot));
                let number = self.pair(old, &earlier, *slot);
                if !self.same(old, &earlier) {
                    let names = [before, now].map(|place| &place.schema);
                    step.replaced.push((Fact::changed(place, Kind::TypeChanged, names, About::Itself), number));
                }
            }
            (Some(later), None) if now.path != "$" => {
                step.next.push(self.pair(old, &later, *slot));
                self.in_place(&Pair::new(&later, new, *slot), place, step);
            }
            (None, Some(earlier)) => {
                step.next.push(self.pair(&earlier, new, *slot));
                self.in_place(&Pair::new(old, &earlier, *slot), place, step);
            }
            // The report names fields by their new place, and anything else by its old one.
            (later, None)
                if (later.is_some() || before.path != "$") && !(old.whole().is_struct() && new.whole().is_struct()) =>
            {
                step.next.extend(later.map(|later| self.pair(old, &later, *slot)));
                self.in_place(pair, place, step);
            }
            _ => step.next.push(self.pair(old, new, *slot)),
        }
    }

    /// Compares the keywords beside two references to one schema. Changes of that schema are not changes of the place.
    fn beside(&mut self, pair: &Pair<'m>, referred: &Pair<'m>, step: &mut Step<'m>) {
        let inner = self.pair(&referred.old, &referred.new, pair.slot);
        let mut own = Step::default();
        let mut whole = pair.map(Seen::whole);
        (whole.old.called, whole.new.called) = (Some(referred.old.name()), Some(referred.new.name()));
        types(&whole, &mut own);
        facets(pair, &mut own);
        let known = &self.steps[inner].facts;
        let is_known = |fact: &Fact<'m>| known.iter().any(|k| (k.kind, &k.subject) == (fact.kind, &fact.subject));
        step.facts.extend(own.facts.into_iter().filter(|fact| !is_known(fact)));
        step.next.push(inner);
    }

    /// Compares two schemas at one place.
    pub(crate) fn in_place(&mut self, pair: &Pair<'m>, place: &Place, step: &mut Step<'m>) {
        if !self.within.insert(pair.ids()) {
            step.next.push(self.pair(&pair.old, &pair.new, pair.slot));
            return;
        }
        self.kept.push(pair.both(Seen::clone));
        self.compare(&pair.map(|seen| seen.moved_to(place)), step);
        self.within.remove(&pair.ids());
    }

    fn compare(&mut self, seen: &Pair<'m>, step: &mut Step<'m>) {
        let name = |seen: &Seen<'m>| seen.called.clone().or_else(|| Some(seen.referred()?.name()));
        let mut pair = seen.map(|seen| Seen { called: name(seen), ..seen.whole() });
        // A choice of objects may equal an object with a choice in one field.
        match (pair.old.is_struct(), pair.new.is_struct()) {
            (true, false) => pair.new = pair.new.as_object().unwrap_or(pair.new),
            (false, true) => pair.old = pair.old.as_object().unwrap_or(pair.old),
            _ => {}
        }
        let comparable = match pair.old.node.choice().is_none() && pair.new.node.choice().is_none() {
            true => types(&pair, step),
            false => self.choices(seen, &pair, step),
        };
        if !comparable {
            return;
        }
        self.values(&pair, step);
        facets(&pair, step);
        self.fields(&pair, step);
        self.others(&pair, step);
        match (pair.old.items(), pair.new.items()) {
            (Some(old), Some(new)) => {
                self.child(&Pair { old, new, slot: pair.slot.inner() }, &pair.new.place.below("[*]"), step);
            }
            (None, None) => {}
            (Some(_), None) => type_changed(&pair, vec![Type::Null, Type::Number, Type::Object], false, step),
            (None, Some(_)) => type_changed(&pair, Vec::new(), true, step),
        }
    }

    /// Compares choices, each alternative with its counterpart. Returns whether any has one.
    fn choices(&mut self, seen: &Pair<'m>, pair: &Pair<'m>, step: &mut Step<'m>) -> bool {
        let Pair { old, new, slot } = pair;
        let one = |whole: &Seen<'m>, seen: &Seen<'m>| match whole.choices() {
            none if none.is_empty() => vec![seen.clone()],
            several => several,
        };
        let (mut gone, mut more) = (one(old, &seen.old), one(new, &seen.new));
        let before = gone.len();
        // An inline alternative has the place of the choice.
        let named = |seen: &Seen<'m>| {
            Some(seen.place.clone()).filter(|place| place.path == "$" && *place != old.place && *place != new.place)
        };
        let alone = old.node.choice().is_none();
        let mut pairs =
            take(&mut gone, &mut more, |before, now| named(before).is_some_and(|place| named(now) == Some(place)));
        take(&mut gone, &mut more, |before, now| self.same(before, now));
        pairs.extend(take(&mut gone, &mut more, |before, now| {
            let types = before.types();
            // A named schema does not become another one if a contract has both.
            let are_named = !alone && named(before).is_some() && named(now).is_some();
            let stay = are_named && (self.new.at(&before.place).is_some() || self.old.at(&now.place).is_some());
            !stay && !types.is_empty() && now.types() == types
        }));
        let required = old.required_by_all();
        for (mut before, mut now) in pairs {
            // A named schema has a type, and programs may decode raw JSON with it.
            let slot = match (alone, named(&before), &required) {
                (true, ..) => *slot,
                (_, Some(_), _) => Slot::Value,
                (_, None, Some(required)) => {
                    (before.all_require, now.all_require) = (Some(Rc::clone(required)), new.required_by_all());
                    *slot
                }
                _ => Slot::Raw,
            };
            // A choice is not compared with itself.
            if (before.id(), now.id()) != seen.ids() {
                step.next.push(self.pair(&before, &now, slot));
            }
        }
        let covering = one(new, &seen.new);
        let takes_null =
            *slot == Slot::Parameter || new.node.nullable || covering.iter().any(|one| one.whole().node.nullable);
        gone.retain(|gone| {
            let is_null = gone.whole().node.nullable && !takes_null;
            is_null || !covering.iter().any(|one| covers(&one.whole(), gone))
        });
        let types = |seen: &Seen<'m>| match seen.types() {
            none if none.is_empty() => Type::ANY.into_iter().filter(|kind| *kind != Type::Integer).collect(),
            some => some,
        };
        let mut added: BTreeSet<Type> = more.iter().flat_map(types).collect();
        if new.node.nullable && !old.node.nullable {
            added.insert(Type::Null);
        }
        // A schema without a type takes every value that the gone alternatives took.
        let fewer = !gone.is_empty() || (old.node.nullable && !new.node.nullable);
        if !added.is_empty() || fewer {
            type_changed(pair, Vec::from_iter(added), fewer && !takes_anything(new), step);
        }
        if old.choices().len() > 1 && new.choices().len() > 1 && old.excludes() != new.excludes() {
            let told =
                |seen: &Seen<'m>| if seen.excludes() { "exactly one of the choices" } else { "any of the choices" };
            let about = About::More(!new.excludes());
            step.facts.push(Fact::changed(&new.place, Kind::ConditionChanged, pair.both(told), about));
        }
        gone.len() < before
    }

    /// Compares what both objects say about undeclared fields, or about the values of a map.
    fn others(&mut self, pair: &Pair<'m>, step: &mut Step<'m>) {
        let Pair { old, new, slot } = pair;
        let (Some(before), Some(now)) = (old.others(), new.others()) else { return };
        let more = match (before, now) {
            (Others::Of(before), Others::Of(now)) => {
                let values = Pair { old: old.inside(before), new: new.inside(now), slot: slot.inner() };
                return self.child(&values, &new.place.below(".*"), step);
            }
            (Others::Any, Others::Any) | (Others::None, Others::None) => return,
            (before, now) => matches!((before, now), (_, Others::Any) | (Others::None, _)),
        };
        // A map of strings refuses other values; a struct keeps all undeclared fields.
        let are_structs = old.is_struct() && new.is_struct();
        let is_same_type = old.node.rust() == new.node.rust();
        if are_structs || (is_same_type && matches!((before, now), (_, Others::None) | (Others::None, _))) {
            let kind = if more { Kind::OtherFieldsAllowed } else { Kind::OtherFieldsRefused };
            let texts = pair.both(Seen::describe_others);
            step.facts.push(Fact::changed(&new.place, kind, texts, About::More(more)));
        } else {
            let types = if matches!((before, more), (Others::Of(_), true)) {
                vec![Type::Null, Type::Object, Type::Array]
            } else {
                Vec::new()
            };
            type_changed(pair, types, !more, step);
        }
    }

    /// Whether two schemas allow the same values. Schemas that lead back to themselves do, unless something else differs.
    pub(crate) fn same(&mut self, old: &Seen<'m>, new: &Seen<'m>) -> bool {
        let key = (old.id(), new.id());
        if let Some(known) = self.alike.get(&key) {
            return *known;
        }
        self.kept.push([old.clone(), new.clone()]);
        self.alike.insert(key, true);
        let same = self.same_whole(&old.whole(), &new.whole());
        if !same {
            // Results that relied on this pair are no longer certain.
            self.alike.retain(|_, same| !*same);
        }
        self.alike.insert(key, same);
        same
    }

    fn same_whole(&mut self, old: &Seen<'m>, new: &Seen<'m>) -> bool {
        let undescribed = |seen: &Seen<'m>| -> Option<Vec<String>> {
            seen.object().map(|object| object.undescribed.keys().cloned().collect())
        };
        let facets = |seen: &Seen<'m>| -> Vec<(String, Value)> {
            seen.node.facets.iter().map(|(key, facet)| (key.clone(), facet.value.clone())).collect()
        };
        let values = |seen: &Seen<'m>| -> Option<BTreeSet<String>> {
            seen.node.values.as_ref().map(|values| values.iter().map(ToString::to_string).collect())
        };
        let plain = |seen: &Seen<'m>| {
            let fields = (seen.names().len(), undescribed(seen), seen.groups().to_vec());
            let choices = (seen.choices().len(), seen.excludes());
            (seen.types(), seen.node.nullable, values(seen), facets(seen), fields, choices)
        };
        plain(old) == plain(new)
            && old.fields().all(|(name, before)| {
                new.field(name).is_some_and(|now| before.need == now.need && self.same(&before.value, &now.value))
            })
            && match (old.others(), new.others()) {
                (Some(Others::Of(was)), Some(Others::Of(is))) => self.same(&old.inside(was), &new.inside(is)),
                (Some(one), Some(other)) => std::mem::discriminant(one) == std::mem::discriminant(other),
                _ => true,
            }
            && match (old.items(), new.items()) {
                (Some(old), Some(new)) => self.same(&old, &new),
                (one, other) => one.is_none() && other.is_none(),
            }
            && take(&mut old.choices(), &mut new.choices(), |before, now| self.same(before, now)).len()
                == old.choices().len()
    }
}

fn type_changed<'m>(pair: &Pair<'m>, more: Vec<Type>, fewer: bool, step: &mut Step<'m>) {
    let kind = match (more.is_empty(), fewer) {
        (false, false) => Kind::TypeWidened,
        (true, true) => Kind::TypeNarrowed,
        _ => Kind::TypeChanged,
    };
    let about = About::Types { of: pair.clone(), more, fewer };
    step.facts.push(Fact::changed(&pair.new.place, kind, pair.both(Seen::describe), about));
}

/// Compares types. Returns whether the rest of the schemas is worth comparing.
fn types<'m>(pair: &Pair<'m>, step: &mut Step<'m>) -> bool {
    let all = |seen: &Seen<'m>| {
        let mut types = seen.types();
        if types.is_empty() {
            types.extend(Type::ANY);
        }
        // A parameter is text, which has no `null`.
        if seen.node.nullable && pair.slot != Slot::Parameter {
            types.insert(Type::Null);
        }
        if types.contains(&Type::Number) {
            types.insert(Type::Integer);
        }
        types
    };
    let [before, now] = pair.both(all);
    if before == now {
        return true;
    }
    let takes_text = pair.slot == Slot::Parameter && now.contains(&Type::String) && is_unbounded(&pair.new);
    let is_covered = |kind: &Type| now.contains(kind) || (takes_text && !matches!(kind, Type::Array | Type::Object));
    let fewer = !before.iter().all(is_covered);
    type_changed(pair, now.difference(&before).copied().collect(), fewer, step);
    let [before, now] = pair.both(Seen::types);
    let is_number = |types: &BTreeSet<Type>| types.iter().all(|kind| matches!(kind, Type::Integer | Type::Number));
    before == now || (is_number(&before) && is_number(&now))
}

/// Compares the other keywords of two schemas.
fn facets<'m>(pair: &Pair<'m>, step: &mut Step<'m>) {
    let Pair { old, new, .. } = pair;
    let keys: BTreeSet<&String> = old.node.facets.keys().chain(new.node.facets.keys()).collect();
    for key in keys {
        let (was, is) = (old.node.facet(key), new.node.facet(key));
        // `1` and `1.0` are one number.
        let is_same = |was: &Value, is: &Value| {
            was == is || ((was.is_f64() || is.is_f64()) && was.is_number() && was.as_f64() == is.as_f64())
        };
        if was.zip(is).is_some_and(|(was, is)| is_same(was, is)) {
            continue;
        }
        let kind = match key.as_str() {
            "format" => Kind::FormatChanged,
            "default" => Kind::DefaultChanged,
            "deprecated" if is.is_some() => Kind::Deprecated,
            "deprecated" => Kind::NoLongerDeprecated,
            "readOnly" => Kind::ReadOnlyChanged,
            "writeOnly" => Kind::WriteOnlyChanged,
            key if among(BOUNDS, key) => Kind::BoundChanged,
            _ => Kind::KeywordChanged,
        };
        let holder = if is.is_some() { new } else { old };
        let Some(place) = holder.node.facets.get(key).map(|facet| holder.place_of(&facet.place)) else { continue };
        let said = [was, is].map(|value| value.map(|value| format!("{key}: {value}")));
        step.facts.push(Fact::new(&place, kind, said, About::Values(pair.clone())).of(key));
    }
}

/// Whether a schema allows all values of its types.
fn is_unbounded(seen: &Seen<'_>) -> bool {
    seen.node.values.is_none() && seen.node.facets.keys().all(|key| ["default", "deprecated"].contains(&key.as_str()))
}

/// Whether a scalar schema allows all values of the types that another one has.
fn covers(seen: &Seen<'_>, other: &Seen<'_>) -> bool {
    let is_plain = is_unbounded(seen);
    let (types, others) = (seen.types(), other.types());
    let is_scalar = !types.contains(&Type::Object) && !types.contains(&Type::Array);
    let covers = |kind: &Type| types.contains(kind) || (*kind == Type::Integer && types.contains(&Type::Number));
    is_plain && is_scalar && !others.is_empty() && others.iter().all(covers)
}

/// Whether a schema allows every JSON value.
fn takes_anything(seen: &Seen<'_>) -> bool {
    seen.types().is_empty() && seen.node.choice().is_none() && seen.node.values.is_none()
}

/// Takes out the pairs for which `is` holds.
fn take<'m>(
    gone: &mut Vec<Seen<'m>>,
    more: &mut Vec<Seen<'m>>,
    mut is: impl FnMut(&Seen<'m>, &Seen<'m>) -> bool,
) -> Vec<(Seen<'m>, Seen<'m>)> {
    let mut pairs = Vec::new();
    gone.retain(|before| match more.iter().position(|now| is(before, now)) {
        Some(position) => {
            pairs.push((before.clone(), more.remove(position)));
            false
        }
        None => true,
    });
    pairs
}
