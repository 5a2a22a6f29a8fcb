//! The listener of a gateway and its connections.
//!
//! Owns the sockets: a port of 127.0.0.1, a thread for each connection, and that nothing of either
//! is left once the value is dropped. Knows no index; what is asked goes to the handler.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::gateway::answer::{Answer, Extent, Then};
use crate::gateway::peer::is_another_user;
use crate::gateway::request::{self, Method, Request};

/// The most connections at once; pip has one or two, and so has each build of a source.
pub const MAX_CONNECTIONS: usize = 512;
/// How long one write may be stuck: a stopped pip goes on where it was.
const STUCK: Duration = Duration::from_secs(10 * 60);
/// The pause after a connection that could not be taken, such as for want of descriptors.
const BREATH: Duration = Duration::from_millis(10);

/// What answers requests.
pub(super) type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// A running server; it ends with the value.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    stopped: AtomicBool,
    /// A handle to each connection, so that it can be ended.
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

    /// `127.0.0.1:PORT`, what the `Host` of every request must be.
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
        // The listener waits for a connection; it gets one more.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn live(&self) -> MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
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
                Extent::Whole,
                Then::Close,
            );
            continue;
        }
        let (shares, handler) = (Arc::clone(shared), Arc::clone(handler));
        let converse = move || {
            let _listed = Listed { shared: &shares, number };
            if is_another_user(&stream) {
                return;
            }
            // A connection that fails is over, and nobody else's concern.
            let _ = converse(&shares, &mut stream, &*handler);
            let _ = stream.shutdown(Shutdown::Both);
        };
        if std::thread::Builder::new().name("gateway".to_owned()).spawn(converse).is_err() {
            shared.live().remove(&number);
        }
    }
}

/// A connection's place in the list of those that live.
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
    // The handle may have been listed just after all that were listed had been ended.
    while !shared.is_stopped() {
        let request = match request::next(stream, &mut pending)? {
            None => return Ok(()),
            Some(Ok(request)) => request,
            Some(Err(malformed)) => {
                let answer = Answer::text(malformed.status(), "not a request of an installer");
                return answer.write(stream, Extent::Whole, Then::Close);
            }
        };
        // A name that leads here is not enough: a page in a browser could have one.
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
        let extent = if request.method == Method::Head { Extent::Head } else { Extent::Whole };
        let keeps = request.keep && request.method != Method::Other;
        let then = if keeps { Then::Keep } else { Then::Close };
        answer.write(stream, extent, then)?;
        if then == Then::Close {
            return Ok(());
        }
    }
    Ok(())
}
