//! The documentation, so that its examples are tests, and what `it` and the tests of `peers` share.

mod docs;

/// The folder of the tests `it`, where `cargo xtask generate` writes.
mod it {
    #[rustfmt::skip]
    #[allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, missing_debug_implementations)]
    pub mod generated;
}

pub use it::generated;
