//! Accepts connections until it is stopped.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use shared::clock::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// How long a client may take to send the head of a request, counted from the connection
/// or from the previous reply. Without a limit, idle clients would occupy connections for
/// ever.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long open requests may take to finish once the listener stops.
const GRACE: Duration = Duration::from_secs(2);

/// Serves connections until `stop` changes or its sender is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    clock: Clock,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let told = stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An accept fails if the client has gone or file descriptors ran out;
                // keep serving.
                if let Ok((stream, peer)) = accepted {
                    let (app, clock) = (app.clone(), clock.clone());
                    connections.spawn(connection(stream, peer, app, clock, told.clone()));
                }
            }
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        tracing::warn!("some requests were still open when the host stopped");
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    clock: Clock,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = app.clone().oneshot(request.map(Body::new));
        let date = http_date(&clock);
        async move {
            let mut response = answer.await?;
            // Hyper's own date stays if the clock is past the last valid date.
            if let Ok(date) = HeaderValue::try_from(date) {
                response.headers_mut().insert(header::DATE, date);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // An error here only means that the connection was closed.
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

fn http_date(clock: &Clock) -> String {
    /// The last millisecond of the year 9999, the last year that an HTTP date can
    /// express.
    const LAST_MS: u64 = 253_402_300_799_999;
    let now_ms = u64::try_from(clock.now_ms()).unwrap_or(0).min(LAST_MS);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(now_ms))
}
