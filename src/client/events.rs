//! Timers and events that can be awaited.

use super::js::get;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, EventTarget};

#[wasm_bindgen]
extern "C" {
    // web-sys has these only on windows and web workers, and a timer of Node is an object.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(wake: &Function, millis: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// A queue of events. An event of the timer is undefined. When this is dropped, the listeners and the
/// timer are removed.
pub(crate) struct Events {
    queue: Rc<Queue>,
    listener: Listener,
    timer: JsValue,
    listening: Vec<(EventTarget, &'static str)>,
}

/// The type of wasm-bindgen-futures' own closures, so that the module has only one kind of closure.
type Listener = Closure<dyn FnMut(JsValue) -> Result<(), JsError>>;

#[derive(Default)]
struct Queue {
    events: Cell<Vec<JsValue>>,
    waker: Cell<Option<Waker>>,
}

impl Events {
    /// Listens to the caller's abort signal, and to a timer. If the signal is already aborted, the
    /// timer fires at once.
    pub(crate) fn new(signal: &Option<AbortSignal>, millis: f64) -> Self {
        let queue = Rc::new(Queue::default());
        let listener_queue = queue.clone();
        let listener = Listener::new(move |event| {
            let mut events = listener_queue.events.take();
            events.push(event);
            listener_queue.events.set(events);
            if let Some(waker) = listener_queue.waker.take() {
                waker.wake();
            }
            Ok(())
        });
        let mut events = Self {
            queue,
            listener,
            timer: JsValue::UNDEFINED,
            listening: Vec::new(),
        };
        if let Some(signal) = signal {
            events.listen(signal, "abort");
        }
        events.restart_timer(if is_aborted(signal) { 0.0 } else { millis });
        events
    }

    /// Listens to these events as well.
    pub(crate) fn listen(&mut self, target: &EventTarget, name: &'static str) {
        let listener = self.listener.as_ref().unchecked_ref();
        let _ = target.add_event_listener_with_callback(name, listener);
        self.listening.push((target.clone(), name));
    }

    /// Listens to the network coming back as well, in a browser.
    pub(crate) fn or_online(mut self) -> Self {
        let global = js_sys::global();
        let online = get(&get(&global, "navigator"), "onLine");
        if !online.is_undefined() && get(&global, "addEventListener").is_function() {
            self.listen(global.unchecked_ref(), "online");
        }
        self
    }

    /// Makes the timer fire in this many milliseconds from now.
    pub(crate) fn restart_timer(&mut self, millis: f64) {
        clear_timeout(&self.timer);
        self.timer = set_timeout(self.listener.as_ref().unchecked_ref(), millis);
    }

    fn poll_event(&self, context: &Context<'_>) -> Poll<JsValue> {
        let mut events = self.queue.events.take();
        if events.is_empty() {
            self.queue.waker.set(Some(context.waker().clone()));
            return Poll::Pending;
        }
        let event = events.remove(0);
        self.queue.events.set(events);
        Poll::Ready(event)
    }

    /// The result of a future; the event, if one comes first.
    pub(crate) fn unless<T>(
        &self,
        mut future: impl Future<Output = T> + Unpin,
    ) -> impl Future<Output = Result<T, JsValue>> {
        poll_fn(move |context| match Pin::new(&mut future).poll(context) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending => self.poll_event(context).map(Err),
        })
    }
}

/// The next event.
impl Future for Events {
    type Output = JsValue;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<JsValue> {
        self.poll_event(context)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        clear_timeout(&self.timer);
        let listener = self.listener.as_ref().unchecked_ref();
        for (target, name) in &self.listening {
            let _ = target.remove_event_listener_with_callback(name, listener);
        }
    }
}

pub(crate) fn is_aborted(signal: &Option<AbortSignal>) -> bool {
    signal.as_ref().is_some_and(AbortSignal::aborted)
}

#[cfg(test)]
mod tests {
    use super::super::js::start;
    use super::Events;
    use std::cell::Cell;
    use std::rc::Rc;
    use wasm_bindgen::JsValue;
    use wasm_bindgen_futures::JsFuture;
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
    use web_sys::AbortController;

    wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen_test]
    async fn a_time_that_is_up_is_undefined_and_an_abort_an_event() {
        assert!(Events::new(&None, 1.0).await.is_undefined());
        let controller = AbortController::new().unwrap();
        let events = Events::new(&Some(controller.signal()), 60_000.0);
        controller.abort();
        assert!(events.await.is_object());
        // A signal that is already aborted ends a wait at once.
        let events = Events::new(&Some(controller.signal()), 60_000.0);
        assert!(events.await.is_undefined());
    }

    #[wasm_bindgen_test]
    async fn what_comes_first_ends_a_wait() {
        let events = Events::new(&None, 1.0);
        let never = std::future::pending::<()>();
        assert!(events.unless(never).await.is_err());
        let events = Events::new(&None, 60_000.0);
        assert_eq!(events.unless(std::future::ready(5)).await, Ok(5));
    }

    #[wasm_bindgen_test]
    async fn a_call_begins_at_once_and_its_promise_settles() {
        let begun = Rc::new(Cell::new(false));
        let flag = begun.clone();
        let promise = start(Box::pin(async move {
            flag.set(true);
            Events::new(&None, 1.0).await;
            Err(JsValue::from_str("no"))
        }));
        assert!(begun.get());
        assert_eq!(JsFuture::from(promise).await, Err(JsValue::from_str("no")));
    }
}
