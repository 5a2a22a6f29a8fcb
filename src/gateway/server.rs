//! HTTP server of a gateway: its listener and its connections.
//!
//! Owns the sockets: a port of 127.0.0.1 and one thread for each connection. Dropping the server
//! closes all of them. The server must not know indexes; a handler answers the requests. A
//! connection is closed unread if another user is at its other end. A request with another `Host`
//! than `127.0.0.1:PORT` is refused, which stops web pages that reach the port through a name of
//! their own (DNS rebinding).

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::gateway::answer::{Answer, Body, KeepAlive};
use crate::gateway::peer::is_another_user;
use crate::gateway::request::{self, Method, Request};
use crate::sync::lock;

/// Maximum number of connections; pip and each build of an sdist have one or two.
pub const MAX_CONNECTIONS: usize = 512;
/// Maximum time of one write: a stopped pip (Ctrl-Z) may continue later.
const STUCK: Duration = Duration::from_secs(10 * 60);
/// Pause after a failed `accept`, such as one without free file descriptors.
const BREATH: Duration = Duration::from_millis(10);

/// Answers requests.
pub(super) type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// A running server; dropping it ends it.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    stopped: AtomicBool,
    /// Handle of each open connection, so that it can be closed.
    live: Mutex<HashMap<u64, TcpStream>>,
    host: String,
}

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub(super) fn start(handler: Arc<Handler>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            stopped: AtomicBool::new(false),
            live: Mutex::default(),
            host: address.to_string(),
        });
        let shares = Arc::clone(&shared);
        let accept = move || accept(&listener, &shares, &handler);
        let accepting = std::thread::Builder::new().name("gateway".to_owned()).spawn(accept)?;
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    /// Returns `127.0.0.1:PORT`, the `Host` that every request must have.
    pub(super) fn authority(&self) -> &str {
        &self.shared.host
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for connection in self.shared.live().values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        // A last connection wakes the listener, which is blocked in `accept`.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn live(&self) -> MutexGuard<'_, HashMap<u64, TcpStream>> {
        lock(&self.live)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, handler: &Arc<Handler>) {
    for number in 0_u64.. {
        let accepted = listener.accept();
        if shared.is_stopped() {
            return;
        }
        let Ok((mut stream, _)) = accepted else {
            std::thread::sleep(BREATH);
            continue;
        };
        let _ = stream.set_nodelay(true);
        let _ = stream.set_write_timeout(Some(STUCK));
        let Ok(handle) = stream.try_clone() else { continue };
        let is_full = {
            let mut live = shared.live();
            let is_full = live.len() >= MAX_CONNECTIONS;
            if !is_full {
                live.insert(number, handle);
            }
            is_full
        };
        if is_full {
            let _ = Answer::text(503, "too many connections").write(
                &mut stream,
                Body::Sent,
                KeepAlive::Close,
            );
            continue;
        }
        let (shares, handler) = (Arc::clone(shared), Arc::clone(handler));
        let converse = move || {
            let _listed = Listed { shared: &shares, number };
            if is_another_user(&stream) {
                return;
            }
            // A failed connection is closed; other connections are not affected.
            let _ = converse(&shares, &mut stream, &*handler);
            let _ = stream.shutdown(Shutdown::Both);
        };
        if std::thread::Builder::new().name("gateway".to_owned()).spawn(converse).is_err() {
            shared.live().remove(&number);
        }
    }
}

/// Entry of a connection in [`Shared::live`]; dropping it removes the entry.
struct Listed<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.shared.live().remove(&self.number);
    }
}

fn converse(shared: &Shared, stream: &mut TcpStream, handler: &Handler) -> io::Result<()> {
    let mut pending = Vec::new();
    // The connection may have been listed just after `drop` closed all that were listed.
    while !shared.is_stopped() {
        let request = match request::next(stream, &mut pending)? {
            None => return Ok(()),
            Some(Ok(request)) => request,
            Some(Err(malformed)) => {
                let answer = Answer::text(malformed.status(), "not a request of an installer");
                return answer.write(stream, Body::Sent, KeepAlive::Close);
            }
        };
        // A host name that resolves to 127.0.0.1 is not enough: a web page could have one.
        let answer = if request.host.as_deref() != Some(shared.host.as_str()) {
            Answer::text(403, "another host")
        } else if request.method == Method::Other {
            Answer::text(405, "only GET and HEAD")
        } else {
            handler(&request)
        };
        if shared.is_stopped() {
            return Ok(());
        }
        let body = if request.method == Method::Head { Body::Omitted } else { Body::Sent };
        let keeps = request.keep && request.method != Method::Other;
        let keep_alive = if keeps { KeepAlive::Keep } else { KeepAlive::Close };
        answer.write(stream, body, keep_alive)?;
        if keep_alive == KeepAlive::Close {
            return Ok(());
        }
    }
    Ok(())
}
