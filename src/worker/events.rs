//! Listens to the events of the platform's objects, or awaits them.

use futures_channel::oneshot;
use futures_util::FutureExt;
use js_sys::Function;
use std::pin::Pin;
use std::task::{Context, Poll};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, EventTarget};

/// A listener that is removed when this is dropped. `WebSocket::events` borrows the socket, but a
/// response's body must own it.
pub(crate) struct Listener {
    target: EventTarget,
    kinds: &'static [&'static str],
    closure: Closure<dyn FnMut(JsValue)>,
}

impl Listener {
    pub(crate) fn new(
        target: &EventTarget,
        kinds: &'static [&'static str],
        on_event: impl FnMut(JsValue) + 'static,
    ) -> Result<Self, JsValue> {
        let listener = Self {
            target: target.clone(),
            kinds,
            closure: Closure::new(on_event),
        };
        for kind in kinds {
            target.add_event_listener_with_callback(kind, listener.function())?;
        }
        Ok(listener)
    }

    fn function(&self) -> &Function {
        AsRef::<JsValue>::as_ref(&self.closure).unchecked_ref()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for kind in self.kinds {
            let function = self.function();
            let _ = self
                .target
                .remove_event_listener_with_callback(kind, function);
        }
    }
}

/// Resolves when one of these events fires.
pub(crate) struct FirstEvent {
    received: oneshot::Receiver<()>,
    _listener: Listener,
}

impl FirstEvent {
    pub(crate) fn of(
        target: &EventTarget,
        kinds: &'static [&'static str],
    ) -> Result<Self, JsValue> {
        let (sender, received) = oneshot::channel();
        let mut sender = Some(sender);
        let on_event = move |_| {
            if let Some(sender) = sender.take() {
                let _ = sender.send(());
            }
        };
        Ok(Self {
            received,
            _listener: Listener::new(target, kinds, on_event)?,
        })
    }
}

impl Future for FirstEvent {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.received.poll_unpin(context).map(drop)
    }
}

/// Resolves when the signal is aborted; at once if it already is.
///
/// A request's signal is aborted when its client leaves. The platform then drops the request's
/// promises without settling them, so a future that awaits only such a promise would never be
/// dropped.
pub(crate) struct Aborted {
    signal: AbortSignal,
    event: FirstEvent,
}

impl Aborted {
    pub(crate) fn of(signal: AbortSignal) -> Result<Self, JsValue> {
        Ok(Self {
            event: FirstEvent::of(&signal, &["abort"])?,
            signal,
        })
    }
}

impl Future for Aborted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.signal.aborted() {
            return Poll::Ready(());
        }
        self.event.poll_unpin(context)
    }
}
