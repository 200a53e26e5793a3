//! A response body that a fault can cut short.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::rest::Dropped;

pub struct ReplyBody {
    content: Option<Bytes>,
    cut: bool,
    flushed: bool,
}

impl ReplyBody {
    pub fn whole(content: Vec<u8>) -> Self {
        Self {
            content: Some(content.into()),
            cut: false,
            flushed: false,
        }
    }

    /// Sends only this many bytes, then closes the connection.
    pub fn cut_after(&mut self, n: usize) {
        if let Some(content) = &mut self.content {
            content.truncate(n);
        }
        self.cut = true;
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        match self.content.take() {
            Some(content) if !content.is_empty() => Poll::Ready(Some(Ok(Frame::data(content)))),
            // Bytes already sent leave the buffer only while the body is pending.
            _ if self.cut && !self.flushed => {
                self.flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ if self.cut => Poll::Ready(Some(Err(Dropped))),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_none() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Some(content) if !self.cut => SizeHint::with_exact(content.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
