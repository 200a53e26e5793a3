//! Accepting connections until told to stop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{DATE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::body::ReplyBody;
use crate::clock::http_date;
use crate::rest::Dropped;

/// How long open requests may take once the listener stops.
const GRACE: Duration = Duration::from_secs(2);

/// How long a client may take to send the head of a request, from the connection or from
/// the reply before it on: a client that sends nothing must not hold a place for ever.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves connections on a task of its own; it ends when `stop` changes or its sender
/// goes away. An error of the handler closes the connection without a reply.
pub fn listen<F>(
    listener: TcpListener,
    stop: watch::Receiver<bool>,
    handler: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static,
) -> JoinHandle<()>
where
    F: Future<Output = Result<Response<ReplyBody>, Dropped>> + Send + 'static,
{
    let handler = Arc::new(handler);
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        let mut stopping = stop.clone();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // A failed accept is the client's loss: it went away, or files ran out.
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(serve(stream, stop.clone(), Arc::clone(&handler)));
                    }
                }
                _ = stopping.changed() => break,
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!("requests were still open when the listener stopped");
        }
    })
}

async fn serve<F>(
    stream: TcpStream,
    mut stop: watch::Receiver<bool>,
    handler: Arc<impl Fn(Request<Incoming>) -> F + Send + Sync + 'static>,
) where
    F: Future<Output = Result<Response<ReplyBody>, Dropped>> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let answer = handler(request);
        async move {
            let mut response = answer.await?;
            // Hyper's own is kept until the clock has passed it.
            if let Ok(date) = HeaderValue::try_from(http_date()) {
                response.headers_mut().insert(DATE, date);
            }
            Ok::<_, Dropped>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // Errors here are closed connections, by the client or by a fault.
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
