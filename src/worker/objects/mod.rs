//! The Durable Objects, their names, and how they are called.

pub(crate) mod call;
pub(crate) mod idempotency_key;
pub(crate) mod index;
pub(crate) mod storage;
pub(crate) mod token;

use crate::domain::encoding::base64url_encode;
use crate::domain::list::month::Month;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::fmt;
use wasm_bindgen::JsValue;
use worker::{Env, ObjectNamespace};

/// The objects of one binding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    Tokens,
    Keys,
    Index,
}

impl Namespace {
    fn binding(self) -> &'static str {
        match self {
            Self::Tokens => "TOKENS",
            Self::Keys => "KEYS",
            Self::Index => "INDEX",
        }
    }

    /// Looks the binding up once, because `Env::durable_object` compares the name of its constructor
    /// each time.
    fn with<T>(
        self,
        env: &Env,
        act: impl FnOnce(&ObjectNamespace) -> Result<T, JsValue>,
    ) -> Result<T, JsValue> {
        type Known = Vec<(Namespace, Env, ObjectNamespace)>;
        thread_local! {
            static BINDINGS: RefCell<Known> = const { RefCell::new(Vec::new()) };
        }
        BINDINGS.with_borrow_mut(|known| {
            let is_same = |of: &Env| AsRef::<JsValue>::as_ref(of) == AsRef::<JsValue>::as_ref(env);
            known.retain(|(namespace, of, _)| *namespace != self || is_same(of));
            if let Some((_, _, namespace)) = known.iter().find(|(known, ..)| *known == self) {
                return act(namespace);
            }
            let namespace = env.durable_object(self.binding())?;
            let acted = act(&namespace);
            known.push((self, env.clone(), namespace));
            acted
        })
    }
}

/// The name of an object. It begins with the environment's id, which contains no slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectName(String);

impl ObjectName {
    /// A token's object: `<environment>/<internal id>`.
    pub(crate) fn of_token(environment: &str, internal: &str) -> Self {
        Self(format!("{environment}/{internal}"))
    }

    /// The object of an idempotency key. Its name is a digest, because a key can be longer than a
    /// name may be and contain any character.
    pub(crate) fn of_key(environment: &str, key: &str) -> Self {
        let mut name = format!("{environment}/");
        base64url_encode(&Sha256::digest(key.as_bytes()), &mut name);
        Self(name)
    }

    /// The object of a month's rows: `<environment>/<YYYY-MM>`.
    pub(crate) fn of_month(environment: &str, month: &Month) -> Self {
        Self(format!("{environment}/{month}"))
    }

    /// The directory of an environment: `<environment>`.
    pub(crate) fn of_directory(environment: &str) -> Self {
        Self(environment.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name by which an object was addressed.
impl From<String> for ObjectName {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
