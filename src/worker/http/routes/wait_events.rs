//! Waits by Server-Sent Events: the body of the response is a socket's messages.

use crate::worker::bindings::settled;
use crate::worker::events::{Aborted, FirstEvent, Listener};
use crate::worker::guard;
use futures_channel::mpsc;
use futures_util::future::{Either, select};
use futures_util::stream::LocalBoxStream;
use futures_util::{FutureExt, Stream, StreamExt};
use js_sys::Uint8Array;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, MessageEvent, ReadableStream, TransformStream};
use worker::{Delay, WebSocket};

/// The interval of the comments that keep a stream of events alive.
const PING_EVERY: Duration = Duration::from_secs(15);

/// Sends a socket's messages as the body of a response, until the socket closes or the client leaves.
///
/// `Response::from_stream` cannot be used. Its stream cannot be ended from outside, but `js/entry.js`
/// must end it when the instance that writes it is replaced.
pub(crate) fn event_stream(
    socket: WebSocket,
    signal: &AbortSignal,
) -> Result<ReadableStream, JsValue> {
    text_stream(Events::of(socket, signal)?.boxed_local(), signal)
}

/// Sends texts as the body of a response, until they end or the client leaves.
pub(crate) fn text_stream(
    mut texts: LocalBoxStream<'static, String>,
    signal: &AbortSignal,
) -> Result<ReadableStream, JsValue> {
    let through = TransformStream::new()?;
    let writer = through.writable().get_writer()?;
    let mut closed = settled(writer.closed());
    let mut left = Aborted::of(signal.clone())?;
    guard::spawn_stream(writer.clone(), async move {
        while let Either::Left((Some(text), _)) = select(texts.next(), &mut closed).await {
            let bytes = Uint8Array::from(text.as_bytes());
            // The write stays pending while the client reads nothing, and the client may leave in
            // that time.
            let written = settled(writer.write_with_chunk(&bytes));
            match select(written, &mut left).await {
                Either::Left((Ok(_), _)) => {}
                _ => {
                    // Discards what is not yet written. The promise may never settle if the client
                    // has left, so it is not awaited.
                    select(settled(writer.abort()), left).await;
                    return;
                }
            }
        }
        drop(texts);
        select(settled(writer.close()), left).await;
    });
    Ok(through.readable())
}

/// A socket's messages as a stream of Server-Sent Events.
struct Events {
    messages: mpsc::UnboundedReceiver<String>,
    closed: FirstEvent,
    left: Aborted,
    ping: Delay,
    socket: WebSocket,
    _listener: Listener,
}

impl Events {
    fn of(socket: WebSocket, signal: &AbortSignal) -> Result<Self, JsValue> {
        let (sender, messages) = mpsc::unbounded();
        // Tells the client how long to wait before it reconnects.
        let _ = sender.unbounded_send("retry: 2000\n\n".to_owned());
        let on_message = move |event: JsValue| {
            let data = event.unchecked_into::<MessageEvent>().data();
            let _ = sender.unbounded_send(data.as_string().unwrap_or_default());
        };
        let events = Self {
            messages,
            _listener: Listener::new(socket.as_ref(), &["message"], on_message)?,
            closed: FirstEvent::of(socket.as_ref(), &["close", "error"])?,
            left: Aborted::of(signal.clone())?,
            ping: Delay::from(PING_EVERY),
            socket,
        };
        events.socket.accept()?;
        Ok(events)
    }
}

impl Stream for Events {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(message) = self.messages.poll_next_unpin(context) {
            return Poll::Ready(message);
        }
        let is_over = self.closed.poll_unpin(context).is_ready();
        if is_over || self.left.poll_unpin(context).is_ready() {
            return Poll::Ready(None);
        }
        if self.ping.poll_unpin(context).is_pending() {
            return Poll::Pending;
        }
        self.ping = Delay::from(PING_EVERY);
        Poll::Ready(Some(": still waiting\n\n".to_owned()))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        close(&self.socket);
    }
}

pub(crate) fn close(socket: &WebSocket) {
    // The stream may already be closed.
    let _ = socket.close(Some(1000), None::<&str>);
}
