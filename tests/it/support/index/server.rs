//! The server under the index: HTTP/1.1 with keep-alive, a thread for each connection.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine as _;
use pypi_verify_now::package::digest::Sha256;

use super::answer::{Answer, Sending};
use super::pages::{self, Site};
use super::{DistFile, Fault, Projects, Provenance};

/// How often a silent connection looks whether the index is gone.
const TICK: Duration = Duration::from_millis(20);

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, mostly.
    pub method: String,
    /// Without the index's prefix; another path than below it begins with `!`.
    pub path: String,
    /// The query behind the `?`, as it was sent.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

pub(super) type Hook = Box<dyn FnOnce(&mut Projects) + Send>;

#[derive(Default)]
pub(super) struct State {
    pub(super) scheme: &'static str,
    pub(super) projects: Projects,
    pub(super) html_only: bool,
    pub(super) drops_provenance: bool,
    pub(super) credentials: Option<(String, String)>,
    pub(super) gzip: bool,
    pub(super) held: BTreeSet<String>,
    pub(super) etags: bool,
    pub(super) ranges: bool,
    pub(super) cache_control: Option<String>,
    pub(super) unchanged: Vec<String>,
    pub(super) latency: Duration,
    pub(super) faults: BTreeMap<String, VecDeque<(usize, Fault)>>,
    pub(super) hooks: Vec<(String, usize, Hook)>,
    pub(super) requests: Vec<Request>,
    pub(super) connections: usize,
}

pub(super) struct Shared {
    state: Mutex<State>,
    prefix: String,
    stopped: AtomicBool,
}

impl Shared {
    pub(super) fn new(state: State, prefix: String) -> Self {
        Self { state: Mutex::new(state), prefix, stopped: AtomicBool::new(false) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn stop(&self, address: SocketAddr) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(address); // wakes the accepting thread
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

/// Listens on a free port of 127.0.0.1 and serves until stopped.
pub(super) fn start(
    shared: Arc<Shared>,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = thread::spawn(move || {
        for stream in listener.incoming() {
            if shared.is_stopped() {
                return;
            }
            let Ok(stream) = stream else { continue };
            shared.lock().connections += 1;
            let (shared, tls) = (Arc::clone(&shared), tls.clone());
            thread::spawn(move || {
                stream.set_nodelay(true).unwrap();
                stream.set_read_timeout(Some(TICK)).unwrap();
                match tls {
                    None => converse(&shared, stream),
                    Some(config) => {
                        let session = rustls::ServerConnection::new(config).unwrap();
                        converse(&shared, rustls::StreamOwned::new(session, stream));
                    }
                }
            });
        }
    });
    (address, accepting)
}

/// The fate of a connection after an answer.
enum Next {
    Keep,
    Close,
}

fn converse(shared: &Shared, mut stream: impl Read + Write) {
    let mut pending = Vec::new();
    while let Some(mut request) = read_request(shared, &mut stream, &mut pending) {
        let target = std::mem::take(&mut request.path);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        request.query = query.to_owned();
        request.path = match path.strip_prefix(&shared.prefix) {
            Some(rest) => rest.to_owned(),
            None => format!("!{path}"),
        };
        let (answer, latency) = shared.lock().answer(&shared.prefix, &request);
        if !latency.is_zero() {
            thread::sleep(latency);
        }
        while shared.lock().held.contains(&request.path) && !shared.is_stopped() {
            thread::sleep(TICK);
        }
        if !matches!(send(shared, &answer, &request, &mut stream), Ok(Next::Keep)) {
            return;
        }
    }
}

/// The next request, or nothing once the client or the index is gone.
fn read_request(shared: &Shared, stream: &mut impl Read, pending: &mut Vec<u8>) -> Option<Request> {
    let mut buffer = [0; 8192];
    let end = loop {
        if let Some(at) = pending.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut buffer) {
            Ok(0) => return None,
            Ok(read) => pending.extend_from_slice(&buffer[..read]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return None,
        }
        if shared.is_stopped() {
            return None;
        }
    };
    let head = String::from_utf8(pending.drain(..end).collect()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    Some(Request { method, path, query: String::new(), headers })
}

impl State {
    /// Records the request and decides what it gets, and how late.
    fn answer(&mut self, prefix: &str, request: &Request) -> (Answer, Duration) {
        self.run_hooks();
        self.requests.push(request.clone());
        let answer = match self.next_fault(&request.path) {
            Some(fault) => Answer::from_fault(fault, self.content(prefix, request)),
            None => self.content(prefix, request),
        };
        if answer.code == 304 {
            self.unchanged.push(request.path.clone());
        }
        (answer, self.latency)
    }

    /// Makes the changes whose path has been asked for often enough.
    fn run_hooks(&mut self) {
        let mut waiting = Vec::new();
        for (path, times, change) in std::mem::take(&mut self.hooks) {
            if self.requests.iter().filter(|request| request.path == path).count() >= times {
                change(&mut self.projects);
            } else {
                waiting.push((path, times, change));
            }
        }
        self.hooks = waiting;
    }

    fn next_fault(&mut self, path: &str) -> Option<Fault> {
        let queue = self.faults.get_mut(path)?;
        let (times, fault) = queue.front_mut()?;
        let fault = fault.clone();
        *times = times.saturating_sub(1);
        if *times == 0 {
            queue.pop_front();
        }
        Some(fault)
    }

    /// Returns the honest answer at this path.
    fn content(&self, prefix: &str, request: &Request) -> Answer {
        if let Some((user, password)) = &self.credentials {
            let token = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
            if request.header("authorization") != Some(&format!("Basic {token}")) {
                let challenge = "Basic realm=\"index\"".to_owned();
                return Answer::status(401).with("WWW-Authenticate", challenge);
            }
        }
        let mut answer = self.resource(prefix, request);
        if let Some(directives) = self.cache_control.as_ref().filter(|_| answer.code == 200) {
            answer = answer.with("Cache-Control", directives.clone());
        }
        if self.etags && answer.code == 200 {
            let etag = format!("\"{}\"", Sha256::of(&answer.body));
            if request.header("if-none-match") == Some(&etag) {
                answer = Answer { code: 304, body: Vec::new(), ..answer };
            }
            answer = answer.with("ETag", etag);
        }
        if self.ranges && answer.code == 200 {
            answer = ranged(answer, request);
        }
        let accepted = request.header("accept-encoding").unwrap_or_default();
        if self.gzip && answer.code != 304 && accepted.contains("gzip") {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&answer.body).unwrap();
            answer.body = encoder.finish().unwrap();
            answer = answer.with("Content-Encoding", "gzip".to_owned());
        }
        answer
    }

    fn resource(&self, prefix: &str, request: &Request) -> Answer {
        let find = |filename: &str| {
            // Where it should be, before everywhere: there may be thousands.
            let name = filename.split('-').next().unwrap_or_default();
            let project = self.projects.get(&name.replace('_', "-").to_lowercase());
            let mut files = project.into_iter().chain(self.projects.values()).flatten();
            files.find(|file| file.filename == filename)
        };
        let path = percent_decoded(&request.path);
        if let Some(project) = path.strip_prefix("/simple/") {
            let Some((project, "")) = project.split_once('/') else { return Answer::status(404) };
            let Some(files) = self.projects.get(project) else { return Answer::status(404) };
            return self.page(prefix, request, project, files);
        }
        if let Some(filename) = path.strip_prefix("/files/") {
            if let Some(file) = find(filename) {
                return Answer::ok("application/octet-stream", file.bytes.clone());
            }
            let metadata = filename.strip_suffix(".metadata").and_then(find);
            if let Some(text) = metadata.and_then(|file| file.metadata.clone()) {
                return Answer::ok("application/octet-stream", text.into_bytes());
            }
        }
        if let Some(file) = path.strip_prefix("/provenance/").and_then(find)
            && let Provenance::Document(document, _) = &file.provenance
        {
            return Answer::ok("application/vnd.pypi.integrity.v1+json", document.clone());
        }
        Answer::status(404)
    }

    fn page(&self, prefix: &str, request: &Request, project: &str, files: &[DistFile]) -> Answer {
        let host = request.header("host").unwrap_or_default();
        let root = format!("{}://{host}{prefix}", self.scheme);
        let site = Site { prefix, root: &root, drops_provenance: self.drops_provenance };
        let accepts = request.header("accept").unwrap_or_default();
        if self.html_only || !accepts.contains(pages::JSON) {
            Answer::ok(pages::HTML, pages::html(&site, project, files))
        } else {
            Answer::ok(pages::JSON, pages::json(&site, project, files))
        }
    }
}

/// The part of a file that is asked for, if the file is still the one that it was (RFC 9110, 14).
fn ranged(answer: Answer, request: &Request) -> Answer {
    let etag = format!("\"{}\"", Sha256::of(&answer.body));
    let whole = answer.body.len();
    let is_same = request.header("if-range").is_none_or(|value| value == etag);
    let range = request.header("range").filter(|_| is_same);
    let start = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    let answer = answer.with("ETag", etag).with("Accept-Ranges", "bytes".to_owned());
    match start.and_then(|start| start.parse().ok()) {
        Some(start) if start < whole => {
            let (body, last) = (answer.body[start..].to_vec(), whole - 1);
            let range = format!("bytes {start}-{last}/{whole}");
            Answer { code: 206, body, ..answer }.with("Content-Range", range)
        }
        Some(_) => Answer::status(416),
        None => answer,
    }
}

/// A path whose escapes are of ASCII, as those of file names are.
fn percent_decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut decoded = parts.next().unwrap().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or(("", part));
        match u8::from_str_radix(digits, 16) {
            Ok(byte) => decoded += &format!("{}{rest}", char::from(byte)),
            Err(_) => decoded += &format!("%{part}"),
        }
    }
    decoded
}

fn send(
    shared: &Shared,
    answer: &Answer,
    request: &Request,
    stream: &mut (impl Read + Write),
) -> std::io::Result<Next> {
    let mut message = answer.head();
    match answer.sending {
        Sending::Disconnect => return Ok(Next::Close),
        Sending::Nothing => wait_for_the_end(shared, stream),
        Sending::Whole => {
            if request.method != "HEAD" {
                message.extend_from_slice(&answer.body);
            }
            stream.write_all(&message)?;
            stream.flush()?;
            let closes = request.header("connection").is_some_and(|v| v.contains("close"));
            return Ok(if closes { Next::Close } else { Next::Keep });
        }
        Sending::Half => {
            message.extend_from_slice(&answer.body[..answer.body.len() / 2]);
            stream.write_all(&message)?;
        }
        Sending::Endless => {
            stream.write_all(&message)?;
            while !shared.is_stopped() {
                stream.write_all(&[b' '; 65536])?;
            }
        }
        Sending::Trickle => {
            stream.write_all(&message)?;
            while !shared.is_stopped() {
                stream.write_all(b" ")?;
                thread::sleep(TICK);
            }
        }
    }
    stream.flush()?;
    Ok(Next::Close)
}

/// Holds a connection open and silent while both sides live.
fn wait_for_the_end(shared: &Shared, stream: &mut impl Read) {
    let mut buffer = [0; 64];
    while !shared.is_stopped() {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Err(e) if !matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return,
            _ => {}
        }
    }
}
