//! Proxies on 127.0.0.1, for CONNECT and for SOCKS 5, that remember where they were asked to go.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running proxy. Its accepting thread ends with the test process.
pub struct Proxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn start() -> Self {
        Self::listen(tunnel)
    }

    /// A proxy of SOCKS 5 (RFC 1928) without authentication, for addresses of IPv4 and for names.
    pub fn start_socks() -> Self {
        Self::listen(socks)
    }

    fn listen(serve: fn(TcpStream, &Mutex<Vec<String>>) -> Option<()>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || serve(client, &seen));
            }
        });
        Self { port, heads }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The URL of a proxy from [`Self::start_socks`].
    pub fn socks_url(&self) -> String {
        format!("socks5h://127.0.0.1:{}", self.port)
    }

    pub fn url_with_credentials(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@127.0.0.1:{}", self.port)
    }

    /// The heads of all requests, lines separated by `\n`; of SOCKS, the targets.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn tunnel(client: TcpStream, seen: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    loop {
        let before = head.len();
        reader.read_line(&mut head).ok()?;
        if head.get(before..)?.trim().is_empty() {
            break;
        }
    }
    seen.lock().unwrap().push(head.clone());
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    let server = TcpStream::connect(target).ok()?;
    let mut client = client;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    join(reader, client, server)
}

fn socks(mut client: TcpStream, seen: &Mutex<Vec<String>>) -> Option<()> {
    let read = |count: usize| {
        let mut bytes = vec![0; count];
        (&client).read_exact(&mut bytes).ok().map(|()| bytes)
    };
    let methods = read(2)?[1];
    read(methods.into())?;
    (&client).write_all(&[5, 0]).ok()?;
    let host = match read(4)?[..] {
        [5, 1, 0, 1] => read(4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        [5, 1, 0, 3] => {
            let length = read(1)?[0];
            String::from_utf8(read(length.into())?).ok()?
        }
        _ => return None,
    };
    let port = read(2)?;
    let target = format!("{host}:{}", u16::from_be_bytes([port[0], port[1]]));
    seen.lock().unwrap().push(target.clone());
    let server = TcpStream::connect(target).ok()?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    join(client.try_clone().ok()?, client, server)
}

/// Passes bytes between both sides until one ends.
fn join(
    mut up_from: impl Read + Send + 'static,
    mut client: TcpStream,
    server: TcpStream,
) -> Option<()> {
    let (mut up, mut down) = (server.try_clone().ok()?, server);
    let sending = thread::spawn(move || {
        let _ = io::copy(&mut up_from, &mut up);
        let _ = up.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut down, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = sending.join();
    Some(())
}
