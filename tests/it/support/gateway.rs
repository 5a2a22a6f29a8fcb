//! A gateway in front of loopback indexes, and a client that says exactly what a test wants.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pypi_verify_now::failure::Failure;
use pypi_verify_now::gateway::{
    Asked, Gateway, Handover, Judging, Prefetching, Setup, WheelRanking,
};
use pypi_verify_now::http::Client;
use pypi_verify_now::http::settings::{Patience, Transport};
use tempfile::TempDir;
use url::Url;

use super::index::LoopbackIndex;
use super::target;

/// A gateway and the directory its files lie in.
pub struct Gate {
    pub gateway: Gateway,
    pub directory: TempDir,
}

/// An answer of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

/// Gives everything.
pub fn give(_: &Asked<'_>) -> Result<Handover, Failure> {
    Ok(Handover::Give)
}

/// Refuses the files of one project.
pub fn refuse(project: &'static str) -> impl Fn(&Asked<'_>) -> Result<Handover, Failure> {
    move |asked| {
        let refused = asked.name.as_str() == project;
        let reason = format!("nobody vouches for {}", asked.filename);
        Ok(if refused { Handover::Refuse(reason) } else { Handover::Give })
    }
}

impl Gate {
    /// In front of one index, judging by this closure.
    pub fn new(
        index: &LoopbackIndex,
        judge: impl Fn(&Asked<'_>) -> Result<Handover, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self::over(&[index.url()], quick(), Judging::Before(Box::new(judge)))
    }

    /// In front of these indexes.
    pub fn over(indexes: &[String], transport: Transport, judging: Judging) -> Self {
        Self::start(indexes, transport, judging, Prefetching::Disabled)
    }

    /// Starts a gateway that prefetches for the Python of the tests.
    pub fn ahead(index: &LoopbackIndex, judging: Judging) -> Self {
        Self::start(&[index.url()], quick(), judging, prefetching())
    }

    /// In front of one index, below pip's cache in this directory.
    pub fn keeping(index: &LoopbackIndex, cache: &Path) -> Self {
        Self::with(&[index.url()], quick(), Judging::Later, Prefetching::Disabled, Some(cache))
    }

    /// With everything chosen but a cache.
    pub fn start(
        indexes: &[String],
        transport: Transport,
        judging: Judging,
        prefetching: Prefetching,
    ) -> Self {
        Self::with(indexes, transport, judging, prefetching, None)
    }

    fn with(
        indexes: &[String],
        transport: Transport,
        judging: Judging,
        prefetching: Prefetching,
        cache: Option<&Path>,
    ) -> Self {
        let indexes: Vec<Url> = indexes.iter().map(|url| Url::parse(url).unwrap()).collect();
        let transport = Transport { credentials: indexes.clone(), retries: 1, ..transport };
        let client = Arc::new(Client::new(&transport));
        let directory = TempDir::new().unwrap();
        let path = directory.path().to_owned();
        let pip_cache = cache.map(Path::to_owned);
        let setup = Setup { client, indexes, directory: path, pip_cache, judging, prefetching };
        Self { gateway: Gateway::start(setup).unwrap(), directory }
    }

    /// Returns the value of `--index-url`.
    pub fn url(&self) -> String {
        self.gateway.index_urls().remove(0)
    }

    /// The path of the page of a project.
    pub fn page(&self, project: &str) -> String {
        format!("{}{project}/", self.path())
    }

    /// The path of a file.
    pub fn file(&self, project: &str, filename: &str) -> String {
        format!("{}file/{project}/{filename}", self.path())
    }

    fn path(&self) -> String {
        Url::parse(&self.url()).unwrap().path().to_owned()
    }

    /// GET, as pip would.
    pub fn get(&self, path: &str) -> Reply {
        self.say(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.gateway.authority()))
    }

    /// Says this, and hears one reply.
    pub fn say(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(self.gateway.authority()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Reply::read(&mut stream)
    }

    /// Everything below the directory that is a file.
    pub fn files(&self) -> Vec<PathBuf> {
        fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, files) } else { files.push(path) }
            }
        }
        let mut files = Vec::new();
        walk(self.directory.path(), &mut files);
        files
    }
}

/// A transport that loses no time with what fails.
pub fn quick() -> Transport {
    let patience = Patience {
        backoff: Duration::from_millis(1),
        longest_pause: Duration::from_millis(5),
        document: Duration::from_secs(20),
        download: Duration::from_secs(20),
    };
    Transport { patience, ..Transport::default() }
}

/// Waits until the index was asked for all of this.
#[track_caller]
pub fn asked(index: &LoopbackIndex, paths: &[&str]) {
    let end = Instant::now() + Duration::from_secs(20);
    while !paths.iter().all(|path| index.count(path) > 0) {
        assert!(Instant::now() < end, "{paths:?} was not asked for, but {:?}", index.paths());
        std::thread::yield_now();
    }
}

/// Guesses for a Python 3.11.
pub fn prefetching() -> Prefetching {
    Prefetching::Enabled(WheelRanking { target: target::python_3_11() })
}

impl Reply {
    /// Reads one reply, by its length.
    pub fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut buffer = [0; 8192];
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "no reply, but {:?}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&buffer[..read]);
        };
        let mut body = bytes.split_off(end);
        let head = String::from_utf8(bytes).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.unwrap().parse().unwrap();
        while body.len() < length {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "{} of {length} bytes", body.len());
            body.extend_from_slice(&buffer[..read]);
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}
