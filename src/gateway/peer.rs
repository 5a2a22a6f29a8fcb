//! Whose process is at the other end of a connection.
//!
//! Owns the reading of the system's table of connections. The way to the gateway is a secret, but
//! pip hands it on where other users can read it: on the command lines of the pips that it starts
//! for a build.

use std::net::{IpAddr, SocketAddr, TcpStream};

/// Linux' table of TCP connections over IPv4 (`proc_pid_net(5)`).
const TABLE: &str = "/proc/self/net/tcp";

/// How often the table is read for a connection that is not in it: what changes while it is read
/// may be passed over.
const READINGS: usize = 3;

/// Whether another user is at the other end, as far as the system tells; where it has no such
/// table, or one that is wrong about ourselves, nobody is known to be.
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
        // The line of their socket: its local address is the remote one of ours.
        if let Some(user) = between(&theirs, &ours) {
            return user != this_user;
        }
    }
    // Nobody is left there who waits for an answer.
    true
}

/// The user of a line, if it is that of a socket between these two addresses.
fn user(line: &str, local: &str, remote: &str) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(1);
    let is_it = fields.next() == Some(local) && fields.next() == Some(remote);
    // What follows: state, queues, timer, retransmissions, user.
    fields.nth(4).filter(|_| is_it)?.parse().ok()
}

/// An address as the table has it: the bytes as one number of this machine, and the port.
fn written(address: SocketAddr) -> Option<String> {
    let IpAddr::V4(ip) = address.ip() else { return None };
    Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port()))
}
