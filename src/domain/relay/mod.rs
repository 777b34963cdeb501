//! The relay: environments whose tokens live at another API, called upstream.

pub mod fingerprint;
pub mod import;
