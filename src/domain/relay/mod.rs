//! The relay, for environments whose tokens live at another API, called upstream. Tokens are decided
//! here; upstream answers everything else.

pub mod complete_body;
pub mod conflict;
pub mod edge_fields;
pub mod fingerprint;
pub mod foreign;
pub mod forward;
pub mod import;
pub mod merge;
pub mod rewrite;
pub mod settings;
