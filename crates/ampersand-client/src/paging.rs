use std::collections::HashSet;
use std::future::Future;
use std::vec;

use futures_util::stream::{self, Stream};

use crate::{Endpoint, Error, Response};

/// An operation whose list comes in pages.
pub(crate) trait Paged: Clone + Send + Sized {
    /// What is in the list.
    type Item: Send;

    /// Itself.
    const ENDPOINT: &'static Endpoint;

    /// The same operation, for the page that a token stands for.
    fn after(self, token: String) -> Self;

    /// Gets one page.
    fn page(self) -> impl Future<Output = Result<Response<Page<Self::Item>>, Error>> + Send;
}

/// A part of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Whether it is the last one.
    pub(crate) done: bool,
    /// What stands for the next one.
    pub(crate) next: Option<String>,
}

/// Where a stream is: what is left of a page, and what comes behind it.
struct Place<P: Paged> {
    items: vec::IntoIter<P::Item>,
    next: Option<Result<P, Error>>,
    /// The tokens that were followed.
    seen: HashSet<String>,
}

/// What is on all pages. Each is asked for when it is needed; an error ends the stream.
///
/// A list that is cut short does not look like a whole one: where a page is not the last one, and leads to none that is
/// new, that is an error.
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
