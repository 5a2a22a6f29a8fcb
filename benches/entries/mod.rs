//! Signed entries for the benchmarks: wheels that exist by name and sha256 alone, attested by the
//! private Sigstore of the tests, and locks of them.
#![allow(dead_code, reason = "each benchmark uses its own part")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use pypi_verify_now::package::digest::Sha256;
use url::Url;

use crate::support::index::{Builder, DistFile};
use crate::support::private_sigstore::{PrivateSigstore, Signer};

/// How many releases a page lists.
pub const RELEASES: usize = 20;

/// One signed entry. The bytes of a file are its name.
pub struct Entry {
    /// The project.
    pub name: String,
    /// Its wheel.
    pub filename: String,
    /// The wheel's sha256.
    pub sha256: Sha256,
    /// The wheel's provenance document.
    pub document: String,
}

impl Entry {
    fn mint(n: usize) -> Self {
        let name = format!("p{n}");
        let filename = format!("{name}-1.0-py3-none-any.whl");
        let sha256 = Sha256::of(filename.as_bytes());
        let signer = Signer::github(&format!("octo/{name}"));
        let document = PrivateSigstore::shared().provenance(&signer, &filename, sha256);
        Self { name, filename, sha256, document }
    }

    /// So many entries, minted on all cores.
    pub fn many(count: usize) -> Vec<Self> {
        let next = AtomicUsize::new(0);
        let cores = thread::available_parallelism().unwrap().get();
        let mut all: Vec<(usize, Self)> = thread::scope(|scope| {
            let mint = || {
                let numbers = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
                numbers.take_while(|n| *n < count).map(|n| (n, Self::mint(n))).collect::<Vec<_>>()
            };
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(mint)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        all.sort_by_key(|(n, _)| *n);
        all.into_iter().map(|(_, entry)| entry).collect()
    }

    /// The line of the trust file.
    pub fn pin(&self) -> String {
        format!("{0} https://github.com/octo/{0}\n", self.name)
    }

    /// The earlier releases of the project.
    fn earlier(&self) -> impl Iterator<Item = String> {
        (1..RELEASES).map(|n| format!("{}-0.{n}-py3-none-any.whl", self.name))
    }

    fn html(&self, root: &Url) -> String {
        let mut page = "<!DOCTYPE html><html><body>\n".to_owned();
        for file in self.earlier().chain([self.filename.clone()]) {
            let sha256 = Sha256::of(file.as_bytes());
            writeln!(
                page,
                "<a href=\"{root}files/{file}#sha256={sha256}\" data-requires-python=\"&gt;=3.8\" \
                 data-core-metadata=\"sha256={sha256}\" data-provenance=\"{root}provenance/{file}\"\
                 >{file}</a><br>"
            )
            .unwrap();
        }
        page + "</body></html>\n"
    }
}

/// A lock (PEP 751) of these entries; `place` says where a file is.
pub fn lock(entries: &[Entry], place: impl Fn(&str) -> String) -> String {
    let mut text = "lock-version = \"1.0\"\ncreated-by = \"bench\"\n".to_owned();
    for Entry { name, filename, sha256, .. } in entries {
        let url = place(filename);
        writeln!(
            text,
            "[[packages]]\nname = \"{name}\"\nversion = \"1.0\"\n[[packages.wheels]]\n\
             name = \"{filename}\"\nurl = \"{url}\"\nhashes = {{sha256 = \"{sha256}\"}}"
        )
        .unwrap();
    }
    text
}

/// Lays pages, documents and files out as an index of `file:` URLs: `simple/`, `provenance/` and
/// `files/` below the directory whose URL is returned.
pub fn lay_out(entries: &[Entry], directory: &Path) -> Url {
    let root = Url::from_directory_path(directory).unwrap();
    for below in ["provenance", "files"] {
        fs::create_dir_all(directory.join(below)).unwrap();
    }
    for entry in entries {
        let page = directory.join("simple").join(&entry.name);
        fs::create_dir_all(&page).unwrap();
        fs::write(page.join("index.html"), entry.html(&root)).unwrap();
        fs::write(directory.join("provenance").join(&entry.filename), &entry.document).unwrap();
        fs::write(directory.join("files").join(&entry.filename), &entry.filename).unwrap();
    }
    root
}

/// The loopback index has them.
pub fn serve(entries: &[Entry], index: Builder) -> Builder {
    entries.iter().fold(index, |index, entry| {
        let file = |filename: &str| DistFile::new(filename, filename).metadata(filename);
        let index = entry.earlier().fold(index, |i, earlier| i.file(&entry.name, file(&earlier)));
        let signed = file(&entry.filename).provenance(entry.document.clone());
        index.file(&entry.name, signed)
    })
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
