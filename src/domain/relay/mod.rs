//! The relay: environments whose tokens live at another API, called upstream. Decisions are taken
//! here, everything else is asked there.

pub mod complete_body;
pub mod conflict;
pub mod edge_fields;
pub mod fingerprint;
pub mod forward;
pub mod import;
pub mod merge;
pub mod rewrite;
pub mod settings;
