//! The README of the repository and the pages of `docs`.
#![doc = include_str!("../README.md")]

#[doc = include_str!("../docs/call-the-api.md")]
mod call_the_api {}

#[doc = include_str!("../docs/receive-in-production.md")]
mod receive_in_production {}

#[doc = include_str!("../docs/receive-notifications.md")]
mod receive_notifications {}

#[doc = include_str!("../docs/receive-on-aws.md")]
mod receive_on_aws {}

#[doc = include_str!("../docs/test-a-handler.md")]
mod test_a_handler {}
