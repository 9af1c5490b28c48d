use std::future::Future;

use crate::Error;

/// An operation whose list comes in pages.
pub trait Paged: Clone + Send + Sized {
    /// What is in the list.
    type Item;

    /// The same operation, for the page that a token stands for.
    #[must_use]
    fn after(self, token: String) -> Self;

    /// Gets one page.
    ///
    /// # Errors
    ///
    /// As the `send` of the operation.
    fn page(self) -> impl Future<Output = Result<Page<Self::Item>, Error>> + Send;
}

/// A part of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is in this part.
    pub items: Vec<T>,
    /// What stands for the next one; `None` on the last.
    pub next: Option<String>,
}
