//! Futures that JavaScript polls.
//!
//! A [`step`] runs a future up to its next promise and returns that; `runtime.js` awaits it and steps again
//! with what it came to. So a promise costs two calls into wasm, and no waker, closure or queue: those of
//! `wasm-bindgen-futures` took a fifth of a request.
//!
//! Invariant: a step is synchronous and steps do not nest, so one place is enough for what passes between a
//! future and JavaScript.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

#[wasm_bindgen]
extern "C" {
    /// A promise. To be awaited at once: nothing else has it yet.
    #[wasm_bindgen(typescript_type = "Promise<any>")]
    pub type Promised;
}

#[wasm_bindgen(raw_module = "waitpoint:runtime")]
extern "C" {
    /// Has this task run once the promise is settled, which its first step is told of.
    #[wasm_bindgen(js_name = spawn)]
    fn run_after(task: u32, promise: Promised);
}

/// What a task comes to; an error is thrown.
pub(super) type End = Result<JsValue, JsValue>;

type Task = Pin<Box<dyn Future<Output = End>>>;

/// The tasks under way, by number.
struct Tasks {
    /// None for one that is running, or over.
    places: Vec<Option<Task>>,
    /// The numbers of those that are over.
    free: Vec<u32>,
}

impl Tasks {
    const NONE: Self = Self {
        places: Vec::new(),
        free: Vec::new(),
    };

    fn add(&mut self, task: Task) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() as u32 - 1
        });
        self.put(number, task);
        number
    }

    fn put(&mut self, number: u32, task: Task) {
        if let Some(place) = self.places.get_mut(number as usize) {
            *place = Some(task);
        }
    }

    fn take(&mut self, number: u32) -> Option<Task> {
        self.places.get_mut(number as usize)?.take()
    }
}

thread_local! {
    /// Of this instance.
    static PANICS: Cell<u32> = const { Cell::new(0) };
    static TASKS: RefCell<Tasks> = const { RefCell::new(Tasks::NONE) };
    /// A promise on its way out, or what it came to on its way in.
    static MAILBOX: Cell<End> = const { Cell::new(Ok(JsValue::UNDEFINED)) };
}

/// There was a panic: what Rust held in memory of an object is made anew.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn panicked() {
    PANICS.set(PANICS.get().wrapping_add(1));
}

/// How many panics there were. Who was made before the last one has a successor.
pub(super) fn panics() -> u32 {
    PANICS.get()
}

/// A task's number, for `run` of `runtime.js`. It does nothing before its first [`step`].
pub(super) fn task(future: impl Future<Output = End> + 'static) -> u32 {
    TASKS.with_borrow_mut(|tasks| tasks.add(Box::pin(future)))
}

/// Runs on its own what follows a promise.
pub(super) fn spawn_after<F: Future<Output = ()>>(
    promise: Promised,
    then: impl FnOnce(End) -> F + 'static,
) {
    let follow = task(async {
        then(take_mail()).await;
        Ok(JsValue::UNDEFINED)
    });
    run_after(follow, promise);
}

/// Goes on with what the last promise came to; at the first step, with what the task was run after.
/// Returns the next promise, or what is none: the end.
///
/// # Errors
/// The task's own.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn step(number: u32, value: JsValue, is_error: bool) -> End {
    let Some(mut task) = TASKS.with_borrow_mut(|tasks| tasks.take(number)) else {
        return Err(JsValue::from_str("there is no such task"));
    };
    MAILBOX.set(if is_error { Err(value) } else { Ok(value) });
    // Not borrowed meanwhile: it may spawn.
    let polled = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    TASKS.with_borrow_mut(|tasks| match polled {
        Poll::Ready(end) => {
            tasks.free.push(number);
            end
        }
        Poll::Pending => {
            tasks.put(number, task);
            take_mail()
        }
    })
}

/// Drops a task that nobody will step again.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn abandon(number: u32) {
    let task = TASKS.with_borrow_mut(|tasks| {
        let task = tasks.take(number);
        if task.is_some() {
            tasks.free.push(number);
        }
        task
    });
    // Not borrowed meanwhile: it may hold others.
    drop(task);
}

fn take_mail() -> End {
    MAILBOX.replace(Ok(JsValue::UNDEFINED))
}

/// The future of a [`Promised`].
#[derive(Debug)]
pub struct Settled(Option<JsValue>);

impl IntoFuture for Promised {
    type Output = End;
    type IntoFuture = Settled;

    fn into_future(self) -> Settled {
        Settled(Some(self.unchecked_into()))
    }
}

impl Future for Settled {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<End> {
        match self.0.take() {
            Some(promise) => {
                MAILBOX.set(Ok(promise));
                Poll::Pending
            }
            None => Poll::Ready(take_mail()),
        }
    }
}
