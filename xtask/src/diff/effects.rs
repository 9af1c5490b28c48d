//! Whom a change affects: who decodes, who sends, and who compiles. This is the one table of severities.
//!
//! What counts is the code that `generate` makes of the old contract. Its structs keep what they do not know in
//! `other_fields`, its enums are open, and all are `non_exhaustive`: one more of anything breaks no code. Bounds, patterns
//! and formats other than `date-time` are not part of its types. What a request requires is an argument of the function that
//! makes it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::kind::Kind;
use super::seen::{Seen, SeenField, is_met};
use crate::model::names::{pascal, snake};
use crate::model::{Need, Others, Rust, Type, may_be_absent};
use Verdict::{Breaking, Compatible, Warning};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    #[default]
    Compatible,
    /// It works, and something is to be looked at.
    Warning,
    Breaking,
}

/// A verdict and the sentence that says why; none where there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Effect {
    pub(super) verdict: Verdict,
    pub(super) why: String,
}

/// What a change does, to whomever it reaches.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// To a program with the old types that decodes what the new contract allows.
    pub(super) inbound: Effect,
    /// The same, where an operation answers it: programs ask for what they read.
    pub(super) inbound_of_answer: Effect,
    /// The same as `inbound`, were its enums closed.
    pub(super) closed: Effect,
    /// To a value that was built with the old types, and is to be valid by the new contract.
    pub(super) outbound: Effect,
    /// To code that was written against the old crate, and is compiled with the new one.
    pub(super) source: Effect,
    /// The same, where the type is sent, and is made by a function of what is required.
    pub(super) source_of_sent: Effect,
    /// The same, where the type is only sent. In any other, a list or a map is never required.
    pub(super) source_of_only_sent: Effect,
    /// What there is to say when nothing breaks.
    pub(super) fine: &'static str,
}

impl Effect {
    fn new(verdict: Verdict, why: &str) -> Self {
        Self { verdict, why: why.to_owned() }
    }
}

impl Effects {
    pub(super) fn fine(fine: &'static str) -> Self {
        Self { fine, ..Self::default() }
    }

    pub(super) fn inbound(mut self, verdict: Verdict, why: &str) -> Self {
        self.inbound = Effect::new(verdict, why);
        self.closed = self.closed.max(self.inbound.clone());
        self
    }

    fn closed(mut self, why: &str) -> Self {
        self.closed = Effect::new(Breaking, why);
        self
    }

    pub(super) fn outbound(mut self, verdict: Verdict, why: &str) -> Self {
        self.outbound = Effect::new(verdict, why);
        self
    }

    pub(super) fn source(mut self, verdict: Verdict, why: &str) -> Self {
        self.source = Effect::new(verdict, why);
        self
    }

    /// What is required of a request is another thing, and with it the arguments of the function that makes it.
    fn arguments(mut self, is_collection: bool) -> Self {
        let place = if is_collection { &mut self.source_of_only_sent } else { &mut self.source_of_sent };
        *place = Effect::new(Breaking, "the function that makes a request takes other arguments");
        self
    }

    /// The worst of what two ways to the same change do.
    pub(super) fn worst(self, other: Self) -> Self {
        Self {
            inbound: self.inbound.max(other.inbound),
            inbound_of_answer: self.inbound_of_answer.max(other.inbound_of_answer),
            closed: self.closed.max(other.closed),
            outbound: self.outbound.max(other.outbound),
            source: self.source.max(other.source),
            source_of_sent: self.source_of_sent.max(other.source_of_sent),
            source_of_only_sent: self.source_of_only_sent.max(other.source_of_only_sent),
            fine: self.fine,
        }
    }
}

/// Where a value stands, for who decodes it with the old types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    /// It has to be there, and to have its type.
    Value,
    /// It may be absent, and so may be `null`.
    Optional,
    /// It is kept as text and not looked into.
    Raw,
    /// It is a parameter of an operation, which is given and never read.
    Parameter,
    /// It is the body of an event, which is taken apart and is no type of its own.
    Body,
}

impl Slot {
    pub(super) const ALL: [Self; 5] = [Self::Value, Self::Optional, Self::Raw, Self::Parameter, Self::Body];

    pub(super) fn of(need: Need, outer: Self) -> Self {
        match (outer, need) {
            (Self::Raw, _) => Self::Raw,
            (_, Need::Required) => Self::Value,
            _ => Self::Optional,
        }
    }

    /// That of an item of a list here, or of a value of a map.
    pub(super) fn inner(self) -> Self {
        if self == Self::Raw { Self::Raw } else { Self::Value }
    }

    /// Whether code can name the fields of what stands here.
    fn has_type(self) -> bool {
        !matches!(self, Self::Raw | Self::Body)
    }
}

const MISSING: &str = "the old types refuse a payload without the field, which they require";
const LACKING: &str = "a value built with the old types lacks a required field";
const OTHER_TYPE: &str = "the field has another Rust type";
const UNKNOWN_FIELD: &str = "programs that do not know the field keep it in `other_fields`";

fn absent(field: &SeenField<'_>, slot: Slot) -> bool {
    slot == Slot::Raw || may_be_absent(field.need, &field.value.whole().node)
}

fn are_met(new: &Seen<'_>, name: &str, old: &Seen<'_>) -> bool {
    let of_field = |names: &BTreeSet<String>| names.contains(name);
    new.groups().iter().filter(|group| group.alternatives.iter().any(of_field)).all(|group| is_met(group, old))
}

fn is_option(field: &SeenField<'_>) -> bool {
    field.value.whole().node.is_option(field.need)
}

fn is_collection(seen: &Seen<'_>) -> bool {
    seen.whole().node.rust().is_collection()
}

pub(super) fn field_added(field: &SeenField<'_>, old: &Seen<'_>, new: &Seen<'_>, name: &str, slot: Slot) -> Effects {
    let effects = Effects::fine(UNKNOWN_FIELD);
    let is_read_only = field.value.whole().node.facets.contains_key("readOnly");
    let effects = match field.need {
        // What is only received is not demanded of who sends.
        Need::Required if is_read_only => return effects,
        Need::Required => effects.outbound(Breaking, LACKING),
        Need::Conditional if !are_met(new, name, old) => effects
            .outbound(Breaking, "a value built with the old types may lack all of the fields of which one is required"),
        _ if old.node.rust() == Rust::Raw => {
            effects.outbound(Warning, "what was free to hold anything may have something else there")
        }
        _ => effects,
    };
    match (slot.has_type(), old.is_struct()) {
        (false, _) => effects,
        (true, true) if field.need == Need::Required && !is_option(field) => {
            effects.arguments(is_collection(&field.value))
        }
        (true, true) => effects,
        (true, false) => effects.source(Breaking, "what had no fields of its own becomes a struct"),
    }
}

/// A name that no schema describes is required.
pub(super) fn undescribed_required() -> Effects {
    Effects::fine(UNKNOWN_FIELD).outbound(Breaking, LACKING)
}

pub(super) fn field_removed(field: &SeenField<'_>, new: &Seen<'_>, slot: Slot) -> Effects {
    let mut effects = gone(Effects::fine("nothing needs the field"), new, slot);
    effects.inbound_of_answer = Effect::new(Warning, "programs that read the field find it absent");
    if absent(field, slot) { effects } else { effects.inbound(Breaking, MISSING) }
}

/// The field is in another object.
pub(super) fn field_moved(field: &SeenField<'_>, need: Need, new: &Seen<'_>, slot: Slot) -> Effects {
    let effects = gone(Effects::fine(""), new, slot);
    let effects = match absent(field, slot) {
        true => effects.inbound(Warning, "the old types decode it and find the field absent"),
        false => effects.inbound(Breaking, MISSING),
    };
    if need == Need::Required { effects.outbound(Breaking, LACKING) } else { effects }
}

/// The field has another name.
pub(super) fn field_renamed(
    before: (&str, &SeenField<'_>),
    now: (&str, &SeenField<'_>),
    new: &Seen<'_>,
    slot: Slot,
) -> Effects {
    let effects = field_moved(before.1, now.1.need, new, slot);
    let is_same_in_rust = snake(before.0) == snake(now.0) && is_option(before.1) == is_option(now.1);
    if is_same_in_rust { Effects { source: Effect::default(), ..effects } } else { effects }
}

fn gone(effects: Effects, new: &Seen<'_>, slot: Slot) -> Effects {
    let effects = match new.others() {
        Some(Others::None) => {
            effects.outbound(Breaking, "a value built with the old types has a field that is refused now")
        }
        _ => effects.outbound(Warning, "what the old types send in the field is no longer looked at"),
    };
    match slot.has_type() {
        true => effects.source(Breaking, "code that uses the field does not compile"),
        false => effects,
    }
}

/// A field that both have is required, conditional or optional, and was something else.
pub(super) fn need_changed(
    name: &str,
    (before, now): (&SeenField<'_>, &SeenField<'_>),
    (old, new): (&Seen<'_>, &Seen<'_>),
    slot: Slot,
) -> Effects {
    let mut effects = Effects::fine(match now.need {
        Need::Required => "who decodes the field finds it as before",
        _ => "the old type of the field lets it be absent",
    });
    if now.need != Need::Required && !absent(before, slot) {
        effects = effects.inbound(Breaking, MISSING);
    }
    let met = match now.need {
        Need::Required => false,
        Need::Conditional => are_met(new, name, old),
        Need::Optional => true,
    };
    if !met {
        effects = effects.outbound(Breaking, "a value built with the old types may lack what is required now");
    }
    let (was, is) = (is_option(before), is_option(now));
    let is_argument = |field: &SeenField<'_>, is_option: bool| field.need == Need::Required && !is_option;
    if slot.has_type() && is_argument(before, was) != is_argument(now, is) {
        effects = effects.arguments(is_collection(&now.value));
    }
    match (slot.has_type() && was != is, is) {
        (false, _) => effects,
        (true, true) => effects.source(Breaking, "the field becomes an `Option`"),
        (true, false) => effects.source(Breaking, "the field is no `Option` any more"),
    }
}

pub(super) fn condition_changed(old: &Seen<'_>, new: &Seen<'_>) -> Effects {
    let effects = Effects::fine("none of the fields is required by the types");
    match new.groups().iter().all(|group| is_met(group, old)) {
        true => effects,
        false => effects.outbound(Breaking, "a value built with the old types may have other fields than it has to"),
    }
}

/// The types of values are others: more, fewer, or not the same.
pub(super) fn type_changed(
    old: &Seen<'_>,
    new: &Seen<'_>,
    (more, fewer): (BTreeSet<Type>, bool),
    slot: Slot,
) -> Effects {
    let (was, is) = (old.node.rust(), new.node.rust());
    let mut effects = Effects::fine("the old type holds what is allowed now");
    let takes = |kind: Type| was.takes(kind) || (kind == Type::Null && (slot == Slot::Optional || old.node.nullable));
    if slot != Slot::Raw && !more.iter().all(|kind| takes(*kind) && !(*kind == Type::Object && was == Rust::Struct)) {
        effects = effects.inbound(Breaking, "the old types refuse values of the type that is new");
    }
    if fewer {
        effects = effects.outbound(Breaking, "a value built with the old types may be of a type that is refused now");
    }
    let option = |seen: &Seen<'_>| slot == Slot::Value && seen.node.is_option(Need::Required);
    match slot == Slot::Raw || (was == is && option(old) == option(new)) {
        true => effects,
        false => effects.source(Breaking, OTHER_TYPE),
    }
}

pub(super) fn enum_value_added() -> Effects {
    Effects::fine("open enums keep a value that they do not know").closed("a closed enum refuses the value")
}

/// Of other values than texts, no enum is made.
pub(super) fn of_values(old: &Seen<'_>, slot: Slot) -> Slot {
    if old.node.rust() == Rust::OpenEnum { slot } else { Slot::Raw }
}

pub(super) fn enum_value_removed(slot: Slot) -> Effects {
    let effects = Effects::fine("").outbound(Breaking, "a value that the old types can send is refused now");
    if slot == Slot::Raw { effects } else { effects.source(Breaking, "the enum's variant is gone") }
}

pub(super) fn enum_value_renamed(before: &str, now: &str, slot: Slot) -> Effects {
    let effects = Effects::fine("")
        .inbound(Warning, "open enums keep the new value as one that they do not know, and no known variant matches")
        .closed("a closed enum refuses the value")
        .outbound(Breaking, "a value that the old types can send is refused now");
    match slot == Slot::Raw || pascal(before) == pascal(now) {
        true => effects,
        false => effects.source(Breaking, "the enum's variant has another name"),
    }
}

/// A string has a list of values now, or has none any more.
pub(super) fn enum_changed(old: &Seen<'_>, new: &Seen<'_>, slot: Slot) -> Effects {
    let mut effects = Effects::fine("the type in Rust stays");
    effects = match new.node.values {
        None => effects.closed("a closed enum refuses other values"),
        Some(_) => effects.outbound(Breaking, "a value built with the old types may be none of the list"),
    };
    match slot {
        _ if slot == Slot::Raw || old.node.rust() == new.node.rust() => effects,
        Slot::Parameter => effects.source(Warning, "a text and a value of the enum can be given, as before"),
        _ => effects.source(Breaking, OTHER_TYPE),
    }
}

/// Something else is said of a value.
pub(super) fn facet_changed(
    kind: Kind,
    key: &str,
    (old, was): (&Seen<'_>, Option<&Value>),
    (new, is): (&Seen<'_>, Option<&Value>),
    slot: Slot,
) -> Effects {
    let now = is.is_some();
    match kind {
        Kind::FormatChanged => format_changed(old, new, slot),
        Kind::DefaultChanged => default_changed(old, was, is, slot),
        Kind::Deprecated => Effects::fine("it is still there; plan to do without it"),
        Kind::NoLongerDeprecated => Effects::fine("it is there to stay"),
        Kind::ReadOnlyChanged => {
            let effects = Effects::fine("the field is in what is received, as before");
            match (now, slot) {
                (true, slot) => {
                    let effects = effects.outbound(Warning, "the field is not to be sent any more");
                    if slot == Slot::Value { effects.arguments(false) } else { effects }
                }
                (false, Slot::Value) => effects.outbound(Breaking, "the required field has to be sent now"),
                _ => effects,
            }
        }
        Kind::WriteOnlyChanged => {
            let effects = Effects::fine("the field may be sent, as before");
            match (now, slot) {
                (true, Slot::Value) => {
                    effects.inbound(Breaking, "the required field is not in what is received any more")
                }
                _ => effects,
            }
        }
        Kind::BoundChanged => {
            let effects = Effects::fine("bounds are not checked by the types");
            match is_tighter(key, was, is) {
                true => effects.outbound(Breaking, "a value built with the old types may be out of bounds"),
                false => effects,
            }
        }
        _ => withdrawn(Warning, Warning, Compatible, "`diff` does not know the keyword"),
    }
}

fn format_changed(old: &Seen<'_>, new: &Seen<'_>, slot: Slot) -> Effects {
    let mut effects = Effects::fine("formats are not checked by the types");
    if new.node.facets.contains_key("format") {
        effects = effects.outbound(Warning, "a value built with the old types may have another format");
    }
    match slot == Slot::Raw || old.whole().node.rust() == new.whole().node.rust() {
        true => effects,
        false => effects.source(Breaking, OTHER_TYPE),
    }
}

fn default_changed(old: &Seen<'_>, was: Option<&Value>, is: Option<&Value>, slot: Slot) -> Effects {
    let effects = Effects::fine("the accessor for the default is new");
    if was.is_none() {
        return effects;
    }
    let other = "where the field is absent, something else is meant";
    let effects = effects.inbound(Warning, other).outbound(Warning, other);
    let has_accessor = matches!(old.whole().node.rust(), Rust::Boolean | Rust::Integer | Rust::Text | Rust::OpenEnum);
    match slot == Slot::Optional && has_accessor && is.is_none() {
        true => effects.source(Breaking, "the accessor for the default is gone"),
        false => effects,
    }
}

/// Whether a value that was within the bound may be out of it.
fn is_tighter(key: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old.and_then(Value::as_f64), new.and_then(Value::as_f64)) {
        _ if new.is_none() => false,
        _ if old.is_none() => true,
        (Some(old), Some(new)) if key.starts_with("min") => new > old,
        (Some(old), Some(new)) if key.starts_with("max") => new < old,
        (Some(old), Some(new)) if key == "multipleOf" => old % new != 0.0,
        _ => true,
    }
}

/// Fields without a name are refused, or allowed.
pub(super) fn others_changed(more: bool) -> Effects {
    match more {
        true => Effects::fine("programs that do not know a field keep it in `other_fields`"),
        false => Effects::fine("").outbound(Breaking, "fields without a name in the contract may be refused now"),
    }
}

/// Of choices any may be met, and then one alone; or the reverse.
pub(super) fn choices_excluded(now: bool) -> Effects {
    let effects = Effects::fine("a value that was one of the choices still is");
    match now {
        true => effects.outbound(Breaking, "a value that is two of the choices at once is refused now"),
        false => effects,
    }
}

pub(super) fn event_added() -> Effects {
    Effects::fine("programs that do not know the event get it as `Event::Unknown`")
        .closed("a closed enum refuses the type")
}

pub(super) fn event_removed() -> Effects {
    Effects::fine("")
        .inbound(Warning, "what waits for the event gets none")
        .outbound(Breaking, "the contract has no such event any more")
        .source(Breaking, "the variants of `Event` and `NotificationType` are gone")
}

pub(super) fn event_renamed(before: &str, now: &str) -> Effects {
    let effects = Effects::fine("")
        .inbound(Warning, "programs get the event as `Event::Unknown`, and what waits for its old name gets none")
        .closed("a closed enum refuses the type")
        .outbound(Breaking, "the contract has no event of the old name any more");
    match pascal(before) == pascal(now) {
        true => effects,
        false => effects.source(Breaking, "the variants of `Event` and `NotificationType` have another name"),
    }
}

pub(super) fn schema_removed(has_type: bool) -> Effects {
    let effects = Effects::fine("nothing that is sent or received is made of the schema");
    if has_type { effects.source(Breaking, "the type that is made of the schema is gone") } else { effects }
}

pub(super) fn added() -> Effects {
    Effects::fine("who does not know it does not need it")
}

/// What a request has to have, and code that was written before does not give: it is an argument now.
pub(super) fn demanded(why: &str) -> Effects {
    Effects::fine("").outbound(Breaking, why).source(Breaking, "the operation takes one more argument")
}

/// What was there in an operation and is not any more.
pub(super) fn withdrawn(inbound: Verdict, outbound: Verdict, source: Verdict, why: &str) -> Effects {
    let of = |verdict| if verdict == Compatible { Effect::default() } else { Effect::new(verdict, why) };
    let (inbound, outbound, source) = (of(inbound), of(outbound), of(source));
    Effects { closed: inbound.clone(), inbound, outbound, source, ..Effects::default() }
}

/// What is sent is no longer looked at, and code that gives it does not compile.
pub(super) fn unheeded(what: &str, code: &str) -> Effects {
    Effects::fine("").outbound(Warning, what).source(Breaking, code)
}
