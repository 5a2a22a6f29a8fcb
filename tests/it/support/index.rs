//! The loopback index: a package index on 127.0.0.1 that a test fills, breaks and questions.
//!
//! Owns one server for each [`LoopbackIndex`], std threads only, gone when the value is dropped.
//! Speaks PEP 691 JSON and PEP 503 HTML, PEP 658 metadata and provenance documents; plays faults
//! by path; records every request in order. Mounted below a random prefix, so that nothing finds
//! it that was not told; paths in this API are without that prefix:
//! `/simple/NAME/`, `/files/FILENAME`, `/files/FILENAME.metadata`, `/provenance/FILENAME`.
//!
//! ```ignore
//! let index = LoopbackIndex::builder()
//!     .file("aa", DistFile::new("aa-1.0-py3-none-any.whl", wheel).provenance(document))
//!     .start();
//! index.fault_times("/simple/aa/", 2, Fault::status(503));
//! // ... pip install --index-url index.url() aa ...
//! assert_eq!(index.count("/simple/aa/"), 3);
//! ```

mod answer;
mod dist;
mod faults;
mod md5;
mod pages;
mod server;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

pub use dist::{DistFile, Hash, Link, Provenance};
pub use faults::Fault;
pub use server::Request;
use server::{Shared, State};
use url::Url;

/// The files of each project, by normalised project name, in the order of the page.
pub type Projects = BTreeMap<String, Vec<DistFile>>;

/// How an index is built; see [`LoopbackIndex::builder`].
#[derive(Default)]
pub struct Builder {
    state: State,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl Builder {
    /// One more file of `project` (normalised name).
    pub fn file(mut self, project: &str, file: DistFile) -> Self {
        self.state.projects.entry(project.to_owned()).or_default().push(file);
        self
    }

    /// A project with a page but without files.
    pub fn empty_project(mut self, project: &str) -> Self {
        self.state.projects.entry(project.to_owned()).or_default();
        self
    }

    /// An old index or mirror: HTML whatever is asked for.
    pub fn html_only(mut self) -> Self {
        self.state.html_only = true;
        self
    }

    /// A mirror that drops provenance: serves everything else as it is.
    pub fn drops_provenance(mut self) -> Self {
        self.state.drops_provenance = true;
        self
    }

    /// Every path answers 401 without these credentials (HTTP basic).
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.state.credentials = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Bodies are compressed for clients that accept gzip.
    pub fn gzip(mut self) -> Self {
        self.state.gzip = true;
        self
    }

    /// Answers carry an `ETag`, and those that ask whether it still holds get 304.
    pub fn etags(mut self) -> Self {
        self.state.etags = true;
        self
    }

    /// Answers carry an `ETag`, and a part of a file is sent if one is asked for.
    pub fn ranges(mut self) -> Self {
        self.state.ranges = true;
        self
    }

    /// Answers carry this `Cache-Control`.
    pub fn cache_control(mut self, directives: &str) -> Self {
        self.state.cache_control = Some(directives.to_owned());
        self
    }

    /// How long each answer is held back, as a distant server would.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.state.latency = latency;
        self
    }

    /// Serves https with this certificate.
    pub fn tls(mut self, config: Arc<rustls::ServerConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Starts to serve on a port of its own.
    pub fn start(self) -> LoopbackIndex {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let prefix = format!("/{:016x}", random());
        let state = State { scheme, ..self.state };
        let shared = Arc::new(Shared::new(state, prefix.clone()));
        let (address, accepting) = server::start(Arc::clone(&shared), self.tls);
        let root = format!("{scheme}://127.0.0.1:{}{prefix}", address.port());
        LoopbackIndex { shared, address, root, accepting: Some(accepting) }
    }
}

/// A running index.
pub struct LoopbackIndex {
    shared: Arc<Shared>,
    address: SocketAddr,
    root: String,
    accepting: Option<JoinHandle<()>>,
}

impl LoopbackIndex {
    /// An index with nothing in it, to be filled.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the value of `--index-url`: `http://127.0.0.1:PORT/PREFIX/simple/`.
    pub fn url(&self) -> String {
        self.at("/simple/")
    }

    /// [`Self::url`] with `USER:PASSWORD@`.
    pub fn url_with_credentials(&self, user: &str, password: &str) -> String {
        let mut url = Url::parse(&self.url()).unwrap();
        url.set_username(user).unwrap();
        url.set_password(Some(password)).unwrap();
        url.to_string()
    }

    /// The absolute URL of a path of this server.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// The absolute URL of a file.
    pub fn file_url(&self, filename: &str) -> String {
        self.at(&format!("/files/{filename}"))
    }

    /// The port it listens on, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Adds a file while running, last on the page of `project`.
    pub fn add_file(&self, project: &str, file: DistFile) {
        self.edit(|projects| projects.entry(project.to_owned()).or_default().push(file));
    }

    /// Serves other bytes from now on; the page states their hashes, as a swap on the index does.
    /// To swap the bytes behind an unchanged page, put a [`Fault::Body`] on the file's path.
    pub fn replace_file(&self, filename: &str, bytes: Vec<u8>) {
        self.edit(|projects| {
            let file = projects.values_mut().flatten().find(|file| file.filename == filename);
            file.expect("a file of this name").bytes = bytes;
        });
    }

    /// Changes anything about the projects while running.
    pub fn edit(&self, change: impl FnOnce(&mut Projects)) {
        change(&mut self.shared.lock().projects);
    }

    /// After `path` was answered `times` times, `change` happens before any further answer.
    pub fn after(
        &self,
        path: &str,
        times: usize,
        change: impl FnOnce(&mut Projects) + Send + 'static,
    ) {
        self.shared.lock().hooks.push((path.to_owned(), times, Box::new(change)));
    }

    /// From now on `path` answers with this fault.
    pub fn fault(&self, path: &str, fault: Fault) {
        self.fault_times(path, usize::MAX, fault);
    }

    /// The next `times` requests of `path` meet this fault; faults of one path queue up.
    pub fn fault_times(&self, path: &str, times: usize, fault: Fault) {
        self.shared.lock().faults.entry(path.to_owned()).or_default().push_back((times, fault));
    }

    /// Serves these bytes at `path` from now on, and forgets earlier faults of the path.
    pub fn serve_anew(&self, path: &str, content_type: &str, bytes: impl Into<Vec<u8>>) {
        self.shared.lock().faults.remove(path);
        self.serve(path, content_type, bytes);
    }

    /// Serves these bytes at `path`, in place of the page or file there, after earlier faults.
    pub fn serve(&self, path: &str, content_type: &str, bytes: impl Into<Vec<u8>>) {
        self.fault(
            path,
            Fault::Body { content_type: content_type.to_owned(), bytes: bytes.into() },
        );
    }

    /// Answers to `path` are held back until [`Self::release`].
    pub fn hold(&self, path: &str) {
        self.shared.lock().held.insert(path.to_owned());
    }

    /// Whatever was held back is answered now.
    pub fn release(&self) {
        self.shared.lock().held.clear();
    }

    /// Every request so far, in the order in which they arrived.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// The paths of [`Self::requests`].
    pub fn paths(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.path).collect()
    }

    /// How often `path` was answered by "it is still the same" (304).
    pub fn unchanged(&self, path: &str) -> usize {
        self.shared.lock().unchanged.iter().filter(|unchanged| *unchanged == path).count()
    }

    /// How often `path` was asked for.
    pub fn count(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.path == path).count()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }
}

impl Drop for LoopbackIndex {
    fn drop(&mut self) {
        self.shared.stop(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// A number that no other index of this machine has.
fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
