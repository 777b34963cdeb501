//! Renders the pages of the inbox as HTML, without HTTP and without a clock.
//!
//! Invariant: the templates (`www/inbox/`) escape every text that a caller or a person wrote, as those of the
//! approval page do. No such text is a link, a style or a script.

mod bulk;
mod facts;
mod layout;
mod list;
mod message;
mod sign_in;
mod token;
mod view;

pub use bulk::{outcomes, review};
pub use facts::MAX_OUTPUT;
pub use layout::{CSS, JS};
pub use list::list;
pub use message::message;
pub use sign_in::sign_in;
pub use token::token;
pub use view::{
    Done, Frame, Message, Operator, Outcomes, Review, ReviewProblem, SignIn, SignInProblem,
    TokenProblem, TokenView, Written,
};
