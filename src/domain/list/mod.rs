//! What a list request asks, and what its page says.

pub mod cursor;
pub mod month;
pub mod page;
pub mod page_body;
pub mod query;
pub mod row;
pub mod statuses;
