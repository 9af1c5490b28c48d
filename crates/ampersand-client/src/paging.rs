use std::future::Future;
use std::vec;

use futures_util::stream::{self, Stream};

use crate::Error;

/// An operation whose list comes in pages.
pub(crate) trait Paged: Clone + Send + Sized {
    /// What is in the list.
    type Item: Send;

    /// The same operation, for the page that a token stands for.
    fn after(self, token: String) -> Self;

    /// Gets one page.
    fn page(self) -> impl Future<Output = Result<Page<Self::Item>, Error>> + Send;
}

/// A part of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// What stands for the next one; `None` on the last.
    pub(crate) next: Option<String>,
}

/// Where a stream is: what is left of a page, and what stands for the next one.
struct Place<P: Paged> {
    items: vec::IntoIter<P::Item>,
    next: Option<P>,
    token: Option<String>,
}

/// What is on all pages. Each is asked for when it is needed; an error ends the stream.
pub(crate) fn stream<P: Paged>(first: P) -> impl Stream<Item = Result<P::Item, Error>> + Send {
    let place = Place { items: Vec::new().into_iter(), next: Some(first), token: None };
    stream::try_unfold(place, |mut place| async move {
        loop {
            if let Some(item) = place.items.next() {
                return Ok(Some((item, place)));
            }
            let Some(operation) = place.next.take() else { return Ok(None) };
            let page = operation.clone().page().await?;
            place.items = page.items.into_iter();
            // A token that leads to itself would lead there for ever.
            if page.next != place.token {
                place.next = page.next.clone().map(|token| operation.after(token));
                place.token = page.next;
            }
        }
    })
}
