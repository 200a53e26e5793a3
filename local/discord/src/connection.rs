//! Connections that a handler can cut: the answer is never written, and the client sees
//! the connection close in the middle of its request.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Request, header::DATE},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower::ServiceExt as _;

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Cuts one connection, or all connections of a listener.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cutter(Arc<AtomicBool>);

impl Cutter {
    /// Stops all reading and writing.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

/// A listener whose connections can be cut.
pub(crate) struct Connections {
    pub(crate) listener: TcpListener,
    /// Cuts all connections, because idle ones would outlive the listener.
    pub(crate) cutter: Cutter,
}

impl Connections {
    /// Serves each connection with `routes` while this future is polled.
    pub(crate) async fn serve(self, routes: Router) {
        let mut served = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    // An accept fails if the client has gone or file descriptors ran out;
                    // keep serving.
                    let Ok((stream, _)) = accepted else { continue };
                    let connection = Connection {
                        stream,
                        cutter: Cutter::default(),
                        all: self.cutter.clone(),
                    };
                    served.spawn(connection.serve(routes.clone()));
                }
                Some(_) = served.join_next() => {}
            }
        }
    }
}

pub(crate) struct Connection {
    stream: TcpStream,
    cutter: Cutter,
    all: Cutter,
}

impl Connection {
    async fn serve(self, routes: Router) {
        let cutter = self.cutter.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(cutter.clone()));
            let answer = routes.clone().oneshot(request.map(Body::new));
            async move {
                let mut response = answer.await?;
                // Hyper's own date stays if the clock is past the last valid date.
                let date = httpdate::fmt_http_date(SystemTime::now());
                if let Ok(date) = HeaderValue::try_from(date) {
                    response.headers_mut().insert(DATE, date);
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        // An error here means that the client or a fault closed the connection.
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .auto_date_header(false)
            .serve_connection(TokioIo::new(self), service)
            .await;
    }

    fn check(&self) -> io::Result<()> {
        self.cutter.check()?;
        self.all.check()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
