//! The inbox.

mod render;
