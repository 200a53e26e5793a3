//! Accepts connections until it is stopped.

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

/// How long open requests may take to finish once the listener stops.
const GRACE: Duration = Duration::from_secs(2);

/// How long a client may take to send the head of a request, counted from the connection
/// or from the previous reply. Without a limit, idle clients would occupy connections for
/// ever.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves connections in a separate task until `stop` changes or its sender is dropped.
/// An error from the handler closes the connection without a reply.
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
                    // An accept fails if the client has gone or file descriptors ran out;
                    // keep serving.
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
            tracing::warn!("some requests were still open when the listener stopped");
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
            // Hyper's own date stays if the clock is past the last valid date.
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
        // An error here means that the client or a fault closed the connection.
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
