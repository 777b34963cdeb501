//! Invariants:
//! - A token that this request created is its own, not a cached one, also when the request is repeated.
//! - A key that stands for a token past its retention is released before it is claimed again.
//! - There is a second attempt and no third: whoever gets no answer may send the request again.
//!
//! How a token is created: the idempotency key is claimed, and the token is stored where that leads to. The
//! caller asks the objects and reports what they answered.

/// A create under way.
#[derive(Debug)]
pub struct Creation {
    /// The id of a token that this request creates.
    own_id: String,
    /// The id that the token is stored under.
    id: String,
    has_key: bool,
    is_second_attempt: bool,
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Claim the idempotency key for [`Creation::own_id`].
    ClaimKey,
    /// Store the token under [`Creation::id`], as created by [`Creation::created_by_request`].
    Store,
    /// Have the idempotency key not stand for [`Creation::id`] any more.
    ReleaseKey,
    /// There is a token of [`Creation::id`].
    Done(Created),
    /// Storage is in trouble; the request may be sent again.
    Failed,
}

/// What the objects answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The key stands for this token.
    KeyClaimed(String),
    /// The token is stored.
    Stored,
    /// There is a token, which was created by this request if not by the one that its id comes from.
    Found(Option<String>),
    /// The token of this id is past its retention or was just deleted.
    NotStored,
    /// The key does not stand for the token any more.
    KeyReleased,
}

/// How a create ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// Whether another request created the token.
    pub is_cached: bool,
}

impl Creation {
    /// Begins a create. `own_id` comes from the request, so that a repeated one leads to the same token.
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

    /// The id that the idempotency key is claimed for.
    #[must_use]
    pub fn own_id(&self) -> &str {
        &self.own_id
    }

    /// The id that the token is stored under.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The request that creates the token, if it is not the one that the token's id comes from.
    #[must_use]
    pub fn created_by_request(&self) -> Option<&str> {
        (self.id != self.own_id).then_some(self.own_id.as_str())
    }

    /// What follows from an answer. `new_id` makes the id of a second attempt.
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
