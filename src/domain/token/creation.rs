//! The steps to create a token: the idempotency key is claimed, and the token is stored under the id
//! that the key leads to. The caller calls the objects and reports their replies.
//!
//! Invariants:
//! - A token that this request created is not reported as cached, even if the request is repeated.
//! - If a key stands for a token past its retention, it is released and claimed again.
//! - There are at most two attempts. After that the client may repeat the request.

/// A create in progress.
#[derive(Debug)]
pub struct Creation {
    /// The id of a token that this request creates.
    own_id: String,
    /// The id under which the token is stored.
    id: String,
    has_key: bool,
    is_second_attempt: bool,
}

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Claim the idempotency key for [`Creation::own_id`].
    ClaimKey,
    /// Store the token under [`Creation::id`], as created by [`Creation::created_by_request`].
    Store,
    /// Release the idempotency key from [`Creation::id`].
    ReleaseKey,
    /// The token with the id [`Creation::id`] exists.
    Done(Created),
    /// Storage failed. The request may be repeated.
    Failed,
}

/// The reply of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The key stands for this token.
    KeyClaimed(String),
    /// The token is stored.
    Stored,
    /// A token exists. It was created by this request, unless it was created by the one that its id
    /// comes from.
    Found(Option<String>),
    /// The token with this id is past its retention or was just deleted.
    NotStored,
    /// The key no longer stands for the token.
    KeyReleased,
}

/// The result of a create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// Whether another request created the token.
    pub is_cached: bool,
}

impl Creation {
    /// Starts a create. `own_id` is derived from the request, so that a repeated request gets the
    /// same token.
    #[must_use]
    pub fn begin(own_id: String, has_key: bool) -> (Self, Step) {
        let mut creation = Self {
            own_id,
            id: String::new(),
            has_key,
            is_second_attempt: false,
        };
        let step = creation.attempt();
        (creation, step)
    }

    /// The id for which the idempotency key is claimed.
    #[must_use]
    pub fn own_id(&self) -> &str {
        &self.own_id
    }

    /// The id under which the token is stored.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The request that creates the token, if the token's id comes from another one.
    #[must_use]
    pub fn created_by_request(&self) -> Option<&str> {
        (self.id != self.own_id).then_some(self.own_id.as_str())
    }

    /// The step after a reply. `new_id` makes the id of a second attempt.
    pub fn handle(&mut self, answer: Answer, new_id: impl FnOnce() -> String) -> Step {
        match answer {
            Answer::KeyClaimed(id) => {
                self.id = id;
                Step::Store
            }
            Answer::Stored => Step::Done(Created { is_cached: false }),
            Answer::Found(created_by_request) => {
                let created_by = created_by_request.as_deref().unwrap_or(&self.id);
                let is_cached = created_by != self.own_id;
                Step::Done(Created { is_cached })
            }
            Answer::NotStored if self.is_second_attempt => Step::Failed,
            Answer::NotStored if self.has_key => Step::ReleaseKey,
            Answer::NotStored | Answer::KeyReleased => {
                self.is_second_attempt = true;
                self.own_id = new_id();
                self.attempt()
            }
        }
    }

    fn attempt(&mut self) -> Step {
        if self.has_key {
            return Step::ClaimKey;
        }
        self.id.clone_from(&self.own_id);
        Step::Store
    }
}
