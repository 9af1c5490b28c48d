use std::fmt;

use rusqlite::ErrorCode;

use crate::sqlite::SCHEMA_VERSION;

/// Why an operation of an inbox failed. No message contains a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboxError {
    /// The URL is not that of a store which this crate supports.
    Url(String),
    /// The store cannot be opened, read or written, for the given reason.
    Unreachable(String),
    /// The disk is full. Nothing was stored.
    Full,
    /// The file is not a store or is damaged, or the tables in the database are damaged.
    Corrupt(String),
    /// A later version of this crate made the store. The number is its schema version.
    NewerSchema(i64),
    /// Another process kept the store locked for too long.
    Locked,
    /// A handler's statement undid a transaction in a file, which had the work of others too. Try again.
    Undone,
    /// The thread of the store has ended.
    Closed,
    /// The worker was started for another kind of database than the one that holds the inbox.
    OtherStore,
}

impl InboxError {
    /// The error for a URL, which it shows without what may be a password: `postgres://…@host/db`.
    pub(crate) fn url(url: &str) -> Self {
        Self::Url(match (url.split_once("://"), url.rsplit_once('@')) {
            (Some((scheme, _)), _) if url.contains(['=', '?']) => format!("{scheme}://…"),
            (None, _) if url.contains('=') => "…".to_owned(),
            (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
            _ => url.to_owned(),
        })
    }

    pub(crate) fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}

impl fmt::Display for InboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(
                f,
                "`{url}` is no URL of a store: write `sqlite:` and the path of a file or, with the feature `postgres` of \
                 ampersand-inbox, `postgres://user:password@host/database`"
            ),
            Self::Unreachable(reason) => write!(f, "the store cannot be used: {reason}"),
            Self::Full => f.write_str("the disk of the store is full: free space on it"),
            Self::Corrupt(reason) => write!(f, "this is no store, or it is damaged: {reason}"),
            Self::NewerSchema(version) => write!(
                f,
                "a later version of ampersand-inbox made the store (schema {version}; this one knows {SCHEMA_VERSION}): \
                 upgrade the application"
            ),
            Self::Locked => f.write_str("another process keeps the store locked"),
            Self::Undone => f.write_str("a handler's statement undid the work of others too: try again"),
            Self::Closed => f.write_str("the store is closed"),
            Self::OtherStore => f.write_str(
                "the inbox is in another kind of database: `in_transaction` is for SQLite, `in_postgres_transaction` for \
                 PostgreSQL",
            ),
        }
    }
}

impl std::error::Error for InboxError {}
