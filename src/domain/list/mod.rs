//! Lists: the query of a request, and the page that answers it.

pub mod cursor;
pub mod month;
pub mod page;
pub mod page_body;
pub mod query;
pub mod row;
pub mod statuses;
