//! Accepting connections until told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::body::ReplyBody;
use crate::rest::Dropped;

/// How long open requests may take once the listener stops.
const GRACE: Duration = Duration::from_secs(2);

/// Serves connections on a task of its own; it ends when `stop` changes or its sender
/// goes away. An error of the handler closes the connection without a reply.
pub async fn listen<F>(
    address: SocketAddr,
    stop: watch::Receiver<bool>,
    handler: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static,
) -> std::io::Result<(SocketAddr, JoinHandle<()>)>
where
    F: Future<Output = Result<Response<ReplyBody>, Dropped>> + Send + 'static,
{
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let handler = Arc::new(handler);
    let task = tokio::spawn(async move {
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
    });
    Ok((address, task))
}

async fn serve<F>(
    stream: TcpStream,
    mut stop: watch::Receiver<bool>,
    handler: Arc<impl Fn(Request<Incoming>) -> F + Send + Sync + 'static>,
) where
    F: Future<Output = Result<Response<ReplyBody>, Dropped>> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| handler(request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
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
