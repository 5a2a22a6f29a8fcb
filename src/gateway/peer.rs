//! Checks that the process at the other end of a connection belongs to this user.
//!
//! Owns the reading of Linux' table of TCP connections. The secret path of a run stops other users
//! only while it is secret, and pip writes it on the command lines of the pips that it starts for a
//! build, where every user can read it.

use std::net::{IpAddr, SocketAddr, TcpStream};

/// Table of TCP connections over IPv4 (`proc_pid_net(5)`).
const TABLE: &str = "/proc/self/net/tcp";

/// Number of times the table is read before a connection counts as absent: the kernel may skip
/// lines that change during a read.
const READINGS: usize = 3;

/// Whether another user is at the other end of a connection. Without such a table, or with one that
/// is wrong about our own socket, returns `false`. If the peer's socket is gone, returns `true`:
/// its owner can no longer wait for an answer.
pub(super) fn is_another_user(stream: &TcpStream) -> bool {
    let (Ok(theirs), Ok(ours)) = (stream.peer_addr(), stream.local_addr()) else { return true };
    let (Some(theirs), Some(ours)) = (written(theirs), written(ours)) else { return true };
    let this_user = rustix::process::geteuid().as_raw();
    for _ in 0..READINGS {
        let Ok(table) = std::fs::read_to_string(TABLE) else { return false };
        let between = |local, remote| table.lines().find_map(|line| user(line, local, remote));
        if between(&ours, &theirs).is_some_and(|user| user != this_user) {
            return false;
        }
        // The line of their socket has our remote address as its local one.
        if let Some(user) = between(&theirs, &ours) {
            return user != this_user;
        }
    }
    // The peer's socket is closed, so that no process waits for an answer.
    true
}

/// Returns the user of a line, or `None` if it is not that of a socket between these addresses.
fn user(line: &str, local: &str, remote: &str) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(1);
    let is_it = fields.next() == Some(local) && fields.next() == Some(remote);
    // Fields in between: state, queues, timer, retransmissions. Then comes the user.
    fields.nth(4).filter(|_| is_it)?.parse().ok()
}

/// Formats an address as in the table: the IP as one number in this machine's byte order, then the
/// port.
fn written(address: SocketAddr) -> Option<String> {
    let IpAddr::V4(ip) = address.ip() else { return None };
    Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port()))
}
