//! What an agent may do, so that it cannot decide what it asks.

/// The rights of an agent.
#[derive(Clone, Copy, Debug)]
pub struct Rights {
    /// It may get links, itself or by a webhook of its own.
    pub links: bool,
    /// It may say which address gets mail.
    pub mail: bool,
}
