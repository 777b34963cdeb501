//! Futures that await JavaScript's promises.
//!
//! JavaScript polls: [`Task::step`] runs the future up to its next promise and returns that; when it
//! has resolved, JavaScript steps again with its value. Promises given to Rust never reject. In place
//! of `wasm-bindgen-futures`, whose queue, wakers and closures a page would have to download.

use super::reference::{ReferenceError, Target};
use super::retry::{Retry, Transport, Verdict, send};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

#[wasm_bindgen]
extern "C" {
    /// What carries the requests of one call (`pkg/call.js`). Its promises never reject.
    pub type Wire;

    /// Sends a request, resolving with an [`Answer`]. No bearer is the empty text.
    #[wasm_bindgen(method)]
    fn send(this: &Wire, url: &str, bearer: &str) -> JsValue;

    /// Resolves after that many milliseconds, when the network comes back, or when the caller gives up.
    #[wasm_bindgen(method)]
    fn sleep(this: &Wire, millis: f64) -> JsValue;

    #[wasm_bindgen(js_namespace = Math)]
    fn random() -> f64;

    /// What came back.
    pub type Answer;

    /// The HTTP status; 0 if none came, NaN if the caller gave up. See [`super::retry::LOST`].
    #[wasm_bindgen(method, getter)]
    fn status(this: &Answer) -> f64;

    /// `x-should-retry`: 1 for true, 0 for false, NaN for none.
    #[wasm_bindgen(method, getter)]
    fn should(this: &Answer) -> f64;

    /// The pause in milliseconds that the server asks for, NaN for none.
    #[wasm_bindgen(method, getter)]
    fn pause(this: &Answer) -> f64;
}

/// A call under way.
#[wasm_bindgen]
pub struct Task {
    future: Pin<Box<dyn Future<Output = JsValue>>>,
    mailbox: Mailbox,
}

/// What passes between a future and JavaScript: a promise out, its value in.
type Mailbox = Rc<Cell<JsValue>>;

#[wasm_bindgen]
impl Task {
    /// Goes on with the value of the last promise; the first step's value means nothing. Returns the
    /// next promise, or at the end what is no promise.
    pub fn step(&mut self, value: JsValue) -> JsValue {
        self.mailbox.set(value);
        match self
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(end) => end,
            Poll::Pending => self.mailbox.take(),
        }
    }
}

impl Task {
    /// A request to where `target` says; what speaks against it is thrown as a sentence.
    pub(crate) fn to(
        target: Result<Target<'_>, ReferenceError>,
        wire: Wire,
        retry: Retry,
    ) -> Result<Self, JsValue> {
        let target = target.map_err(|why| JsValue::from_str(why.sentence()))?;
        Ok(Self::request(wire, target.url, target.bearer, retry))
    }

    /// A request that is sent until its answer is final; the end is that answer.
    fn request(wire: Wire, url: String, bearer: &str, retry: Retry) -> Self {
        let mailbox = Mailbox::default();
        let request = Request {
            wire,
            url,
            bearer: String::from(bearer),
            mailbox: mailbox.clone(),
        };
        let future = Box::pin(async move { send(&request, &retry).await.into() });
        Self { future, mailbox }
    }
}

struct Request {
    wire: Wire,
    url: String,
    bearer: String,
    mailbox: Mailbox,
}

impl Request {
    /// The value of a promise.
    async fn resolved(&self, promise: JsValue) -> JsValue {
        let mut promise = Some(promise);
        poll_fn(|_| match promise.take() {
            Some(promise) => {
                self.mailbox.set(promise);
                Poll::Pending
            }
            None => Poll::Ready(self.mailbox.take()),
        })
        .await
    }
}

impl Transport for Request {
    type Answer = Answer;

    async fn send(&self) -> Answer {
        let promise = self.wire.send(&self.url, &self.bearer);
        self.resolved(promise).await.unchecked_into()
    }

    fn verdict(&self, answer: &Answer) -> Option<Verdict> {
        let status = answer.status();
        let verdict = || Verdict::new(status as u16, answer.should(), answer.pause());
        (!status.is_nan()).then(verdict)
    }

    async fn sleep(&self, millis: f64) {
        self.resolved(self.wire.sleep(millis)).await;
    }

    fn random(&self) -> f64 {
        random()
    }
}

#[cfg(test)]
mod tests {
    use super::{Retry, Task, Wire};
    use wasm_bindgen::prelude::wasm_bindgen;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen(inline_js = r#"
        export function scripted(statuses) {
            const log = [];
            return {
                log,
                send: async (url, bearer) => {
                    log.push(`${url} ${bearer}`);
                    return { status: Number(statuses.split(" ")[log.length - 1]), should: NaN, pause: NaN };
                },
                sleep: async () => {},
            };
        }
        export const log = (wire) => wire.log.join("\n");
        export async function drive(task) {
            let step = task.step();
            while (step instanceof Promise) step = task.step(await step);
            task.free();
            return step.status;
        }
    "#)]
    extern "C" {
        fn scripted(statuses: &str) -> JsValue;
        fn log(wire: &JsValue) -> String;
        async fn drive(task: Task) -> JsValue;
    }

    async fn run(statuses: &str) -> (f64, String) {
        let wire = scripted(statuses);
        let retry = Retry {
            max_attempts: 5,
            min: 1.0,
            max: 1.0,
            factor: 1.0,
        };
        let task = Task::request(
            wire.clone().unchecked_into::<Wire>(),
            "/u".into(),
            "key",
            retry,
        );
        let status = drive(task).await.as_f64().unwrap();
        (status, log(&wire))
    }

    #[wasm_bindgen_test]
    async fn a_future_awaits_promises() {
        assert_eq!(run("200").await, (200.0, "/u key".into()));
        assert_eq!(
            run("503 0 200").await,
            (200.0, "/u key\n/u key\n/u key".into())
        );
        assert_eq!(run("503 404 200").await, (404.0, "/u key\n/u key".into()));
    }

    #[wasm_bindgen_test]
    async fn giving_up_is_final() {
        let (status, log) = run("503 NaN 200").await;
        assert!(status.is_nan());
        assert_eq!(log.lines().count(), 2);
    }
}
