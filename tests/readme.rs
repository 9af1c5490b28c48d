//! The README of the repository, so that its examples are tests.
#![doc = include_str!("../README.md")]
