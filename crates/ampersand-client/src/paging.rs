use std::collections::HashSet;
use std::future::Future;
use std::vec;

use futures_util::stream::{self, Stream};

use crate::{Endpoint, Error, Response};

/// An operation that returns a list in pages.
pub(crate) trait Paged: Clone + Send + Sized {
    /// The type of the list's items.
    type Item: Send;

    /// The description of the operation.
    const ENDPOINT: &'static Endpoint;

    /// Returns the same operation for the page with this token.
    fn after(self, token: String) -> Self;

    /// Gets one page.
    fn page(self) -> impl Future<Output = Result<Response<Page<Self::Item>>, Error>> + Send;
}

/// One page of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Whether this is the last page.
    pub(crate) done: bool,
    /// The token of the next page.
    pub(crate) next: Option<String>,
}

/// The position of a stream: the remaining items of a page, and the next page.
struct Place<P: Paged> {
    items: vec::IntoIter<P::Item>,
    next: Option<Result<P, Error>>,
    /// The tokens that the stream has followed.
    seen: HashSet<String>,
}

/// Returns the items of all pages. The stream requests a page when it needs one, and ends at an error.
///
/// An incomplete list is an error: a page that is not the last one, but has no token or a token that the stream has
/// already followed.
pub(crate) fn stream<P: Paged + 'static>(first: P) -> impl Stream<Item = Result<P::Item, Error>> + Send + Unpin {
    let place = Place { items: Vec::new().into_iter(), next: Some(Ok(first)), seen: HashSet::new() };
    Box::pin(stream::try_unfold(place, |mut place| async move {
        loop {
            if let Some(item) = place.items.next() {
                return Ok(Some((item, place)));
            }
            let Some(operation) = place.next.take().transpose()? else { return Ok(None) };
            let Response { status, headers, value: page } = operation.clone().page().await?;
            place.items = page.items.into_iter();
            if page.done {
                continue;
            }
            let token = page.next.filter(|token| !token.is_empty());
            place.next = Some(match token {
                Some(token) if place.seen.insert(token.clone()) => Ok(operation.after(token)),
                token => {
                    let reason = match token {
                        Some(_) => "the list is not whole: a page leads to one that was there already",
                        None => "the list is not whole: a page leads to none, and is not the last one",
                    };
                    Err(Error::cut_short(*P::ENDPOINT, status, headers, reason))
                }
            });
        }
    }))
}
