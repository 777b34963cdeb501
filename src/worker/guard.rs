//! Finds out to which request, alarm or stream a panic belongs. `js/entry.js` catches the trap and
//! asks here.
//!
//! Invariant: polls are synchronous and do not nest, so one variable holds the owner of the current
//! poll.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;
use web_sys::WritableStreamDefaultWriter;
use worker::{Request, State, console_error, wasm_bindgen_futures};

/// To whom a poll belongs.
#[derive(Clone)]
enum Owner {
    /// A request or an alarm, by the key that `js/entry.js` has for it.
    Event(Rc<JsValue>),
    /// The task that feeds a stream. The stream is the key.
    Stream(Rc<JsValue>),
    /// Work that nobody waits for.
    Background,
}

thread_local! {
    /// How many panics this instance has had.
    static PANICS: Cell<u32> = const { Cell::new(0) };
    static OWNER: RefCell<Option<Owner>> = const { RefCell::new(None) };
    /// How many tasks run that belong to no event. It may stay too high: the timer of an object that is
    /// evicted never fires, and its task never ends. Then an instance that panicked is replaced only
    /// after the tenth panic (`js/entry.js`).
    static BACKGROUND_TASKS: Cell<u32> = const { Cell::new(0) };
}

#[wasm_bindgen(raw_module = "waitpoint:guard")]
extern "C" {
    /// A stream of this instance, which is aborted if the instance is replaced.
    fn track(stream: &WritableStreamDefaultWriter);
    fn untrack(stream: &WritableStreamDefaultWriter);
    /// Told after a panic when the last background task has ended.
    fn idle();
}

/// Counts a panic, after which the Rust side of every object is made anew. Returns the key of its
/// owner: `null` if nobody waits for the work, `undefined` if the owner is unknown.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn panicked() -> JsValue {
    PANICS.set(PANICS.get().wrapping_add(1));
    let owner = OWNER.take();
    if matches!(owner, Some(Owner::Stream(_) | Owner::Background)) {
        // Nothing unwinds, so the task's `BackgroundTask` is never dropped.
        BACKGROUND_TASKS.set(BACKGROUND_TASKS.get().saturating_sub(1));
    }
    match owner {
        Some(Owner::Event(key) | Owner::Stream(key)) => JsValue::clone(&key),
        Some(Owner::Background) => JsValue::NULL,
        None => JsValue::UNDEFINED,
    }
}

/// How many tasks run that belong to no event.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn tasks_behind() -> u32 {
    BACKGROUND_TASKS.get()
}

/// How many panics there were. What was made of an object before the last one is replaced.
pub(crate) fn panics() -> u32 {
    PANICS.get()
}

/// A future that sets the owner while it is polled.
///
/// It is boxed: the code that wasm-bindgen makes of a handler would hold it in several closures.
pub(crate) struct Watched<'a, T> {
    owner: Owner,
    work: Pin<Box<dyn Future<Output = T> + 'a>>,
}

/// The work of a request or an alarm, by its key in `js/entry.js`. The key is shared, since a copy would
/// be a call into JavaScript.
pub(crate) fn watch<'a, T>(
    key: &Rc<JsValue>,
    work: impl Future<Output = T> + 'a,
) -> Watched<'a, T> {
    Watched {
        owner: Owner::Event(Rc::clone(key)),
        work: Box::pin(work),
    }
}

impl<T> Future for Watched<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        OWNER.set(Some(self.owner.clone()));
        let polled = self.work.as_mut().poll(context);
        OWNER.set(None);
        polled
    }
}

/// Logs the location of each panic, not the message: a slicing panic quotes the string, which may be
/// secret.
///
/// The crate `worker` sets a hook that logs the message, after `#[event(start)]`. So the first event
/// replaces that hook before it does anything else.
pub(crate) fn log_panics() {
    thread_local! {
        static IS_SET: Cell<bool> = const { Cell::new(false) };
    }
    if IS_SET.replace(true) {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or(String::new(), ToString::to_string);
        console_error!("a panic {place}");
    }));
}

/// The key of an object's alarm.
pub(crate) fn alarm_key(state: &State) -> Rc<JsValue> {
    Rc::new(AsRef::<JsValue>::as_ref(state.as_raw()).clone())
}

/// The key of a request to an object.
pub(crate) fn request_key(request: &Request) -> Rc<JsValue> {
    Rc::new(AsRef::<JsValue>::as_ref(request.inner()).clone())
}

/// Runs a task that nobody waits for. Only objects do, and there a pending timer or request keeps the
/// object in memory, so `waitUntil` would add nothing.
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    let counted = BackgroundTask::new();
    let work = Watched {
        owner: Owner::Background,
        work: Box::pin(async move {
            work.await;
            drop(counted);
        }),
    };
    spawn_local(work);
}

/// Counted among the background tasks while it is held.
struct BackgroundTask;

impl BackgroundTask {
    fn new() -> Self {
        BACKGROUND_TASKS.set(BACKGROUND_TASKS.get() + 1);
        Self
    }
}

impl Drop for BackgroundTask {
    fn drop(&mut self) {
        BACKGROUND_TASKS.set(BACKGROUND_TASKS.get().saturating_sub(1));
        if PANICS.get() > 0 && BACKGROUND_TASKS.get() == 0 {
            idle();
        }
    }
}

/// Likewise for the task that feeds a response's body, which outlives its event. The platform keeps the
/// request open while its body is, so this needs no `waitUntil` either. The stream is aborted if the task
/// panics or the instance is replaced: nobody else would end it, and its client would wait for ever.
pub(crate) fn spawn_stream(
    stream: WritableStreamDefaultWriter,
    work: impl Future<Output = ()> + 'static,
) {
    track(&stream);
    let counted = BackgroundTask::new();
    let key = Rc::new(JsValue::from(stream.clone()));
    let work = Watched {
        owner: Owner::Stream(key),
        work: Box::pin(async move {
            work.await;
            untrack(&stream);
            drop(counted);
        }),
    };
    spawn_local(work);
}
