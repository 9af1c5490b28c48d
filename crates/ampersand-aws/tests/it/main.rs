//! Events as AWS makes them, and what is answered to them.

#[cfg(feature = "events")]
mod events;
mod handling;
mod mapping;
mod reading;
