use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;

use http::{HeaderMap, StatusCode};

use crate::Error;

/// The value that an operation returns, with the status and the headers of the response. It dereferences to the value,
/// and can be iterated if the value can. `Debug` shows no headers, because they may hold cookies.
#[derive(Clone)]
pub struct Response<T> {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) value: T,
}

impl<T> Response<T> {
    /// Returns the value without status and headers.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Returns the status, which is 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Response<U> {
        Response { status: self.status, headers: self.headers, value: change(self.value) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, value, .. } = self;
        f.debug_struct("Response").field("status", status).field("value", value).finish_non_exhaustive()
    }
}

/// The future of a request, which `.await` of an operation polls.
pub type Sending<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Error>> + Send>>;

impl<T: IntoIterator> IntoIterator for Response<T> {
    type Item = T::Item;
    type IntoIter = T::IntoIter;

    fn into_iter(self) -> T::IntoIter {
        self.value.into_iter()
    }
}

impl<'r, T> IntoIterator for &'r Response<T>
where
    &'r T: IntoIterator,
{
    type Item = <&'r T as IntoIterator>::Item;
    type IntoIter = <&'r T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&self.value).into_iter()
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
