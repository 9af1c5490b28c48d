//! Whom a change breaks: who decodes, who sends, and who compiles.
//!
//! What counts is the code that `generate` makes of the old contract. Its structs keep what they do not know in
//! `other_fields`, its enums are open, and both are `non_exhaustive`, as is `Event`. Bounds, patterns and formats other
//! than `date-time` are not part of its types.

use std::collections::BTreeSet;

use serde::Serialize;

use super::rust::{Rust, Slot, is_option, may_be_absent};
use super::shape::{Field, Group, Need, Others, Shape};
use crate::lower::pascal;
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
    /// The same, were its enums closed.
    pub(super) closed: Effect,
    /// To a value that was built with the old types, and is to be valid by the new contract.
    pub(super) outbound: Effect,
    /// To code that was written against the old crate, and is compiled with the new one.
    pub(super) source: Effect,
    /// What there is to say when nothing breaks.
    pub(super) fine: &'static str,
}

impl Effects {
    pub(super) fn fine(fine: &'static str) -> Self {
        Self { fine, ..Self::default() }
    }

    pub(super) fn inbound(mut self, verdict: Verdict, why: &str) -> Self {
        self.inbound = Effect { verdict, why: why.to_owned() };
        self.closed = self.closed.max(self.inbound.clone());
        self
    }

    pub(super) fn closed(mut self, why: &str) -> Self {
        self.closed = Effect { verdict: Breaking, why: why.to_owned() };
        self
    }

    pub(super) fn outbound(mut self, verdict: Verdict, why: &str) -> Self {
        self.outbound = Effect { verdict, why: why.to_owned() };
        self
    }

    pub(super) fn source(mut self, verdict: Verdict, why: &str) -> Self {
        self.source = Effect { verdict, why: why.to_owned() };
        self
    }

    /// The worst of what two ways to the same change do.
    pub(super) fn worst(self, other: Self) -> Self {
        Self {
            inbound: self.inbound.max(other.inbound),
            closed: self.closed.max(other.closed),
            outbound: self.outbound.max(other.outbound),
            source: self.source.max(other.source),
            fine: self.fine,
        }
    }
}

pub(super) fn field_added(field: &Field<'_>, old: &Shape<'_>, new: &Shape<'_>, name: &str, slot: Slot) -> Effects {
    let effects = Effects::fine("programs that do not know the field keep it in `other_fields`");
    let effects = match field.need {
        Need::Required => effects.outbound(Breaking, "a value built with the old types lacks a required field"),
        Need::Conditional if !groups_of(new, name).all(|group| group.is_met_by(old)) => effects
            .outbound(Breaking, "a value built with the old types may lack all of the fields of which one is required"),
        _ if Rust::of(old) == Rust::Raw => {
            effects.outbound(Warning, "what was free to hold anything may have something else there")
        }
        _ => effects,
    };
    match slot.has_type() && !old.is_struct() {
        true => effects.source(Breaking, "what had no fields of its own becomes a struct"),
        false => effects,
    }
}

/// A name that no schema describes is required.
pub(super) fn undescribed_required() -> Effects {
    let effects = Effects::fine("programs that do not know the field keep it in `other_fields`");
    effects.outbound(Breaking, "a value built with the old types lacks a required field")
}

fn groups_of<'s, 'a>(shape: &'s Shape<'a>, field: &'s str) -> impl Iterator<Item = &'s Group<'a>> {
    shape.groups.iter().filter(move |group| group.alternatives.iter().any(|names| names.contains(field)))
}

pub(super) fn field_removed(field: &Field<'_>, shape: &Shape<'_>, new: &Shape<'_>, slot: Slot) -> Effects {
    let effects = gone(Effects::fine("nothing needs the field"), new, slot);
    match may_be_absent(field, shape, slot) {
        true => effects,
        false => effects.inbound(Breaking, "the old types refuse a payload without the field, which they require"),
    }
}

/// The field has another name, or is in another object.
pub(super) fn field_renamed(field: &Field<'_>, shape: &Shape<'_>, now: Need, new: &Shape<'_>, slot: Slot) -> Effects {
    let effects = gone(Effects::fine(""), new, slot);
    let effects = match may_be_absent(field, shape, slot) {
        true => effects.inbound(Warning, "the old types decode it and find the field absent"),
        false => effects.inbound(Breaking, "the old types refuse a payload without the field, which they require"),
    };
    match now {
        Need::Required => effects.outbound(Breaking, "a value built with the old types lacks a required field"),
        _ => effects,
    }
}

fn gone(effects: Effects, new: &Shape<'_>, slot: Slot) -> Effects {
    let effects = match new.others {
        Others::None => effects.outbound(Breaking, "a value built with the old types has a field that is refused now"),
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
    fields: (&Field<'_>, &Field<'_>),
    values: (&Shape<'_>, &Shape<'_>),
    outer: (&Shape<'_>, &Shape<'_>),
    slot: Slot,
) -> Effects {
    let (before, now) = (fields.0.need, fields.1.need);
    let mut effects = Effects::fine(match now {
        Need::Required => "who decodes the field finds it as before",
        _ => "the old type of the field lets it be absent",
    });
    if now != Need::Required && !may_be_absent(fields.0, values.0, slot) {
        effects = effects.inbound(Breaking, "the old types refuse a payload without the field, which they require");
    }
    let met = match now {
        Need::Required => false,
        Need::Conditional => groups_of(outer.1, name).all(|group| group.is_met_by(outer.0)),
        Need::Optional => true,
    };
    if !met {
        effects = effects.outbound(Breaking, "a value built with the old types may lack what is required now");
    }
    let (was, is) = (is_option(before, values.0), is_option(now, values.1));
    match !slot.has_type() || was == is {
        true => effects,
        false => effects
            .source(Breaking, if is { "the field becomes an `Option`" } else { "the field is no `Option` any more" }),
    }
}

/// The types of values are others: more, fewer, or not the same.
pub(super) fn type_changed(
    old: &Shape<'_>,
    new: &Shape<'_>,
    (more, fewer): (&BTreeSet<&str>, bool),
    slot: Slot,
) -> Effects {
    let (was, is) = (Rust::of(old), Rust::of(new));
    let mut effects = Effects::fine("the old type holds what is allowed now");
    let takes = |kind: &str| was.takes(kind) || (kind == "null" && (slot == Slot::Optional || old.nullable));
    if slot != Slot::Raw && !more.iter().all(|kind| takes(kind) && !(*kind == "object" && was == Rust::Struct)) {
        effects = effects.inbound(Breaking, "the old types refuse values of the type that is new");
    }
    if fewer {
        effects = effects.outbound(Breaking, "a value built with the old types may be of a type that is refused now");
    }
    let option = |shape: &Shape<'_>| slot == Slot::Value && is_option(Need::Required, shape);
    match slot == Slot::Raw || (was == is && option(old) == option(new)) {
        true => effects,
        false => effects.source(Breaking, "the field has another Rust type"),
    }
}

pub(super) fn enum_value_added() -> Effects {
    Effects::fine("open enums keep a value that they do not know").closed("a closed enum refuses the value")
}

pub(super) fn enum_value_removed(slot: Slot) -> Effects {
    let effects = Effects::fine("").outbound(Breaking, "a value that the old types can send is refused now");
    named(effects, slot, "the enum's variant is gone")
}

pub(super) fn enum_value_renamed(before: &str, now: &str, slot: Slot) -> Effects {
    let effects = Effects::fine("")
        .inbound(Warning, "open enums keep the new value as one that they do not know, and no known variant matches")
        .closed("a closed enum refuses the value")
        .outbound(Breaking, "a value that the old types can send is refused now");
    match pascal(before) == pascal(now) {
        true => effects,
        false => named(effects, slot, "the enum's variant has another name"),
    }
}

fn named(effects: Effects, slot: Slot, why: &str) -> Effects {
    if slot == Slot::Raw { effects } else { effects.source(Breaking, why) }
}

/// A string has a list of values now, or has none any more.
pub(super) fn enum_changed(old: &Shape<'_>, new: &Shape<'_>, slot: Slot) -> Effects {
    let mut effects = Effects::fine("the type in Rust stays");
    if new.values.is_none() {
        effects = effects.closed("a closed enum refuses other values");
    } else {
        effects = effects.outbound(Breaking, "a value built with the old types may be none of the list");
    }
    if slot != Slot::Raw && Rust::of(old) != Rust::of(new) {
        effects = effects.source(Breaking, "the field has another Rust type");
    }
    effects
}

pub(super) fn format_changed(old: &Shape<'_>, new: &Shape<'_>, slot: Slot) -> Effects {
    let mut effects = Effects::fine("formats are not checked by the types");
    if new.facets.contains_key("format") {
        effects = effects.outbound(Warning, "a value built with the old types may have another format");
    }
    if slot != Slot::Raw && Rust::of(old) != Rust::of(new) {
        effects = effects.source(Breaking, "the field has another Rust type");
    }
    effects
}

pub(super) fn bound_changed(tighter: bool) -> Effects {
    let effects = Effects::fine("bounds are not checked by the types");
    if tighter { effects.outbound(Breaking, "a value built with the old types may be out of bounds") } else { effects }
}

pub(super) fn default_changed(old: &Shape<'_>, new: &Shape<'_>, slot: Slot) -> Effects {
    let effects = Effects::fine("the accessor for the default is new");
    if !old.facets.contains_key("default") {
        return effects;
    }
    let other = "where the field is absent, something else is meant";
    let effects = effects.inbound(Warning, other).outbound(Warning, other);
    let accessor =
        slot == Slot::Optional && matches!(Rust::of(old), Rust::Bool | Rust::Integer | Rust::Text | Rust::OpenEnum);
    match accessor && !new.facets.contains_key("default") {
        true => effects.source(Breaking, "the accessor for the default is gone"),
        false => effects,
    }
}

pub(super) fn read_only_changed(now: bool, slot: Slot) -> Effects {
    let effects = Effects::fine("the field is in what is received, as before");
    match (now, slot) {
        (true, _) => effects.outbound(Warning, "the field is not to be sent any more"),
        (false, Slot::Value) => effects.outbound(Breaking, "the required field has to be sent now"),
        _ => effects,
    }
}

pub(super) fn write_only_changed(now: bool, slot: Slot) -> Effects {
    let effects = Effects::fine("the field may be sent, as before");
    match (now, slot) {
        (true, Slot::Value) => effects.inbound(Breaking, "the required field is not in what is received any more"),
        _ => effects,
    }
}

pub(super) fn others_closed() -> Effects {
    Effects::fine("").outbound(Breaking, "fields without a name in the contract may be refused now")
}

pub(super) fn others_opened() -> Effects {
    Effects::fine("programs that do not know a field keep it in `other_fields`")
}

/// Of choices any may be met, and then one alone; or the reverse.
pub(super) fn choices_excluded(now: bool) -> Effects {
    let effects = Effects::fine("a value that was one of the choices still is");
    match now {
        true => effects.outbound(Breaking, "a value that is two of the choices at once is refused now"),
        false => effects,
    }
}

pub(super) fn unknown_keyword() -> Effects {
    Effects::fine("")
        .inbound(Warning, "`diff` does not know the keyword")
        .outbound(Warning, "`diff` does not know the keyword")
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

/// What a request has to have, and who sends it by the old contract does not. The code compiles: what is required of a
/// request is looked for when it is sent.
pub(super) fn demanded(why: &str) -> Effects {
    Effects::fine("").outbound(Breaking, why)
}

/// What was there in an operation and is not any more.
pub(super) fn withdrawn(inbound: Verdict, outbound: Verdict, source: Verdict, why: &str) -> Effects {
    let mut effects = Effects::fine("");
    if inbound != Compatible {
        effects = effects.inbound(inbound, why);
    }
    if outbound != Compatible {
        effects = effects.outbound(outbound, why);
    }
    if source != Compatible { effects.source(source, why) } else { effects }
}
