//! Determines which request, alarm or stream a panic belongs to. `js/entry.js` catches the trap and
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

/// The owner of a poll.
#[derive(Clone)]
enum Owner {
    /// A request or an alarm, by its key in `js/entry.js`.
    Event(Rc<JsValue>),
    /// The task that writes a stream. The stream itself is the key.
    Stream(Rc<JsValue>),
    /// Background work, which no event awaits.
    Background,
}

thread_local! {
    /// The number of panics of this instance.
    static PANICS: Cell<u32> = const { Cell::new(0) };
    static OWNER: RefCell<Option<Owner>> = const { RefCell::new(None) };
    /// The number of running background tasks. It can stay too high: the timer of an evicted object
    /// never fires, so its task never ends. In that case an instance that panicked is replaced only
    /// after the tenth panic (`js/entry.js`).
    static BACKGROUND_TASKS: Cell<u32> = const { Cell::new(0) };
}

#[wasm_bindgen(raw_module = "waitpoint:guard")]
extern "C" {
    /// A stream of this instance. It is aborted if the instance is replaced.
    fn track(stream: &WritableStreamDefaultWriter);
    fn untrack(stream: &WritableStreamDefaultWriter);
    /// Called after a panic, when the last background task has ended.
    fn idle();
}

/// Counts a panic; after it the Rust side of every object is created anew. Returns the key of the
/// panic's owner: `null` for background work, `undefined` if the owner is unknown.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn panicked() -> JsValue {
    PANICS.set(PANICS.get().wrapping_add(1));
    let owner = OWNER.take();
    if matches!(owner, Some(Owner::Stream(_) | Owner::Background)) {
        // A trap does not unwind, so the task's `BackgroundTask` is never dropped.
        BACKGROUND_TASKS.set(BACKGROUND_TASKS.get().saturating_sub(1));
    }
    match owner {
        Some(Owner::Event(key) | Owner::Stream(key)) => JsValue::clone(&key),
        Some(Owner::Background) => JsValue::NULL,
        None => JsValue::UNDEFINED,
    }
}

/// The number of running background tasks.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn tasks_behind() -> u32 {
    BACKGROUND_TASKS.get()
}

/// The number of panics. The Rust side of an object from before the last panic is replaced.
pub(crate) fn panics() -> u32 {
    PANICS.get()
}

/// A future that sets the owner while it is polled.
///
/// It is boxed, because the code that wasm-bindgen generates for a handler would otherwise hold it in
/// several closures.
pub(crate) struct Watched<'a, T> {
    owner: Owner,
    work: Pin<Box<dyn Future<Output = T> + 'a>>,
}

/// The work of a request or an alarm, by its key in `js/entry.js`. The key is shared, because cloning
/// it would be a call into JavaScript.
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
/// The crate `worker` sets a hook that logs the message when the instance starts. So the first event
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

/// Runs a background task. Only objects do this. A pending timer or request keeps an object in
/// memory, so `waitUntil` is not needed.
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

/// Counts as a background task until it is dropped.
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

/// Runs the task that writes a response's body, which outlives its event. The platform keeps the
/// request open while its body is, so `waitUntil` is not needed. The stream is aborted if the task
/// panics or the instance is replaced. Otherwise its client would wait for ever.
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
