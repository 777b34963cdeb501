//! What a panic leaves behind, and whose it was. `js/entry.js` catches the trap and asks here.
//!
//! Invariant: polls are synchronous and do not nest, so one place is enough for whose poll it is.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;
use web_sys::WritableStreamDefaultWriter;
use worker::{Request, State, console_error, wasm_bindgen_futures};

/// Whose poll it is.
#[derive(Clone)]
enum Owner {
    /// A request, an alarm: what `js/entry.js` knows it by.
    Event(Rc<JsValue>),
    /// What feeds a stream, which `js/entry.js` knows it by.
    Stream(Rc<JsValue>),
    /// Work that nobody waits for.
    Behind,
}

thread_local! {
    /// Of this instance.
    static PANICS: Cell<u32> = const { Cell::new(0) };
    static POLLED: RefCell<Option<Owner>> = const { RefCell::new(None) };
    /// What runs that belongs to no event.
    static BEHIND: Cell<u32> = const { Cell::new(0) };
}

#[wasm_bindgen(raw_module = "waitpoint:guard")]
extern "C" {
    /// A stream of this instance: it is aborted if that is replaced.
    fn track(stream: &WritableStreamDefaultWriter);
    fn untrack(stream: &WritableStreamDefaultWriter);
    /// After a panic: nothing runs any more that belongs to no event.
    fn idle();
}

/// There was a panic: what Rust held in memory of an object is made anew. Tells whose poll it was:
/// `null` if nobody waits for it, `undefined` if that is unknown.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn panicked() -> JsValue {
    PANICS.set(PANICS.get().wrapping_add(1));
    let owner = POLLED.take();
    if matches!(owner, Some(Owner::Stream(_) | Owner::Behind)) {
        // Nothing unwinds, so its `Behind` is never dropped.
        BEHIND.set(BEHIND.get().saturating_sub(1));
    }
    match owner {
        Some(Owner::Event(key) | Owner::Stream(key)) => JsValue::clone(&key),
        Some(Owner::Behind) => JsValue::NULL,
        None => JsValue::UNDEFINED,
    }
}

/// How much runs that belongs to no event.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn tasks_behind() -> u32 {
    BEHIND.get()
}

/// How many panics there were. An object's Rust that was made before the last one has a successor.
pub(crate) fn panics() -> u32 {
    PANICS.get()
}

/// A future whose panics are known to be its own.
///
/// It is boxed, as what wasm-bindgen makes of a handler holds it in each of several closures.
pub(crate) struct Watched<'a, T> {
    owner: Owner,
    work: Pin<Box<dyn Future<Output = T> + 'a>>,
}

/// The work of an event that `js/entry.js` knows by `key`, which is shared: a copy would be a crossing.
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
        POLLED.set(Some(self.owner.clone()));
        let polled = self.work.as_mut().poll(context);
        POLLED.set(None);
        polled
    }
}

/// Has the place of each panic logged; not its message, as that of a text that is cut amiss holds the text.
///
/// The crate `worker` has a hook of its own that logs it, which it sets when an instance begins,
/// behind what is marked `#[event(start)]`. So this replaces it before anything else is done.
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

/// What `js/entry.js` knows an object's alarm by.
pub(crate) fn alarm_key(state: &State) -> Rc<JsValue> {
    Rc::new(AsRef::<JsValue>::as_ref(state.as_raw()).clone())
}

/// What it knows a request to an object by.
pub(crate) fn request_key(request: &Request) -> Rc<JsValue> {
    Rc::new(AsRef::<JsValue>::as_ref(request.inner()).clone())
}

/// Runs on its own; nobody waits for it.
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    let behind = Behind::new();
    let work = Watched {
        owner: Owner::Behind,
        work: Box::pin(async move {
            work.await;
            drop(behind);
        }),
    };
    spawn_local(work);
}

/// Something that belongs to no event, while this is held.
struct Behind;

impl Behind {
    fn new() -> Self {
        BEHIND.set(BEHIND.get() + 1);
        Self
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        BEHIND.set(BEHIND.get().saturating_sub(1));
        if PANICS.get() > 0 && BEHIND.get() == 0 {
            idle();
        }
    }
}

/// Likewise for what feeds a stream, which outlives its event. The stream is aborted if this
/// panics, or if the instance is replaced: nobody else would end it, and its client would wait for
/// ever.
pub(crate) fn spawn_stream(
    stream: WritableStreamDefaultWriter,
    work: impl Future<Output = ()> + 'static,
) {
    track(&stream);
    let behind = Behind::new();
    let key = Rc::new(JsValue::from(stream.clone()));
    let work = Watched {
        owner: Owner::Stream(key),
        work: Box::pin(async move {
            work.await;
            untrack(&stream);
            drop(behind);
        }),
    };
    spawn_local(work);
}
