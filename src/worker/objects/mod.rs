//! The Durable Objects, their names, and how they are called.

pub(crate) mod call;
pub(crate) mod idempotency_key;
pub(crate) mod index;
pub(crate) mod storage;
pub(crate) mod token;

use crate::domain::encoding::base64url_encode;
use crate::domain::list::month::Month;
use crate::worker::bindings::in_jurisdiction;
use crate::worker::settings;
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

    /// Acts on the namespace that has the object of this name. Every stub is made here, so no object
    /// is ever outside the jurisdiction of its environment.
    fn with<T>(
        self,
        env: &Env,
        name: &ObjectName,
        act: impl FnOnce(&ObjectNamespace) -> Result<T, JsValue>,
    ) -> Result<T, JsValue> {
        thread_local! {
            static BINDINGS: RefCell<Vec<Binding>> = const { RefCell::new(Vec::new()) };
        }
        BINDINGS.with_borrow_mut(|known| {
            known.retain(|binding| binding.of != self || settings::is_same(&binding.env, env));
            if let Some(binding) = known.iter().find(|binding| binding.of == self) {
                return act(binding.with_object(name));
            }
            let binding = Binding::look_up(self, env)?;
            let acted = act(binding.with_object(name));
            known.push(binding);
            acted
        })
    }
}

/// A binding that was looked up, because `Env::durable_object` compares the name of its constructor
/// each time.
struct Binding {
    of: Namespace,
    env: Env,
    anywhere: ObjectNamespace,
    /// The objects of environments that are in a jurisdiction.
    restricted: Vec<(&'static str, ObjectNamespace)>,
}

impl Binding {
    #[inline(never)]
    fn look_up(of: Namespace, env: &Env) -> Result<Self, JsValue> {
        let anywhere = env.durable_object(of.binding())?;
        let mut restricted = Vec::new();
        let jurisdictions = settings::jurisdictions(env).map_err(|error| error.to_json())?;
        for (environment, jurisdiction) in jurisdictions.entries() {
            restricted.push((
                environment,
                in_jurisdiction(anywhere.as_ref(), jurisdiction)?,
            ));
        }
        Ok(Self {
            of,
            env: env.clone(),
            anywhere,
            restricted,
        })
    }

    fn with_object(&self, name: &ObjectName) -> &ObjectNamespace {
        let is_of = |(environment, _): &&(&str, _)| name.is_of(environment);
        let restricted = self.restricted.iter().find(is_of);
        restricted.map_or(&self.anywhere, |(_, namespace)| namespace)
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

    fn is_of(&self, environment: &str) -> bool {
        let rest = self.0.strip_prefix(environment);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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
