//! The commands, a module each.

pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod listen;
pub(crate) mod resolve;
pub(crate) mod trigger;
pub(crate) mod verify;
