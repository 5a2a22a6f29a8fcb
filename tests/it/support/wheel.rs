//! Distributions made in memory: real wheels and sdists, as small as pip accepts them.
//!
//! ```ignore
//! let aa = Wheel::new("aa", "1.0").requires("bb>=1").build();
//! index.file("aa", DistFile::new(&aa.filename, aa.bytes).metadata(&aa.metadata));
//! ```
//!
//! The same builder gives the same bytes each time, so that a sha256 can be known beforehand. An
//! [`Sdist`] says that its code ran by writing a file: what must not run leaves none.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use pypi_verify_now::package::digest::Sha256;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A finished file, as an index or a directory would hold it.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// `aa-1.0-py3-none-any.whl` or `aa-1.0.tar.gz`.
    pub filename: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its METADATA or PKG-INFO (what PEP 658 serves beside a wheel).
    pub metadata: String,
    /// Of `bytes`.
    pub sha256: Sha256,
}

/// A wheel to be built: pure Python, one module of its own name.
#[derive(Debug, Clone)]
pub struct Wheel {
    name: String,
    version: String,
    tag: String,
    metadata: String,
    scripts: String,
    files: Vec<(String, String)>,
    rows: String,
}

impl Wheel {
    /// A wheel for any Python with one module, `NAME.py`, that knows its version.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tag: "py3-none-any".to_owned(),
            metadata: metadata(name, version),
            scripts: String::new(),
            files: vec![(format!("{}.py", file_name(name)), format!("version = {version:?}\n"))],
            rows: String::new(),
        }
    }

    /// One more row of RECORD, as in `../victim.txt,,`, that stands for no member.
    pub fn record_row(mut self, row: &str) -> Self {
        writeln!(self.rows, "{row}").unwrap();
        self
    }

    /// One `Requires-Dist`, as in `bb>=1; python_version >= "3"`.
    pub fn requires(self, requirement: &str) -> Self {
        self.header("Requires-Dist", requirement)
    }

    /// An extra with one requirement.
    pub fn extra(self, extra: &str, requirement: &str) -> Self {
        let requirement = format!("{requirement}; extra == {extra:?}");
        self.header("Provides-Extra", extra).header("Requires-Dist", &requirement)
    }

    /// Any other line of METADATA, such as `Requires-Python`.
    pub fn header(mut self, key: &str, value: &str) -> Self {
        writeln!(self.metadata, "{key}: {value}").unwrap();
        self
    }

    /// One more file, or other content for the module.
    pub fn file(mut self, path: &str, content: &str) -> Self {
        self.files.retain(|(other, _)| other != path);
        self.files.push((path.to_owned(), content.to_owned()));
        self
    }

    /// A command, as in `aa = aa:main`.
    pub fn script(mut self, entry_point: &str) -> Self {
        writeln!(self.scripts, "{entry_point}").unwrap();
        self
    }

    /// Other tags than `py3-none-any`; several are joined by dots.
    pub fn tag(mut self, tag: &str) -> Self {
        self.tag = tag.to_owned();
        self
    }

    /// The file.
    pub fn build(self) -> Distribution {
        let stem = format!("{}-{}", file_name(&self.name), self.version);
        let info = format!("{stem}.dist-info");
        let mut files = self.files;
        files.push((format!("{info}/METADATA"), self.metadata.clone()));
        let tags = expanded(&self.tag);
        let wheel = format!("Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n{tags}");
        files.push((format!("{info}/WHEEL"), wheel));
        if !self.scripts.is_empty() {
            let entry_points = format!("[console_scripts]\n{}", self.scripts);
            files.push((format!("{info}/entry_points.txt"), entry_points));
        }
        let record = files.iter().map(|(path, content)| {
            let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::of(content.as_bytes()).as_bytes());
            format!("{path},sha256={digest},{}\n", content.len())
        });
        let record = record.collect::<String>() + &self.rows + &format!("{info}/RECORD,,\n");
        files.push((format!("{info}/RECORD"), record));
        Distribution::new(format!("{stem}-{}.whl", self.tag), zip(&files), self.metadata)
    }
}

impl Distribution {
    /// Lays a wheel down as pip would have, at the user's request; without its commands.
    pub fn unpack_into(&self, site_packages: &Path) {
        let mut zip = zip::ZipArchive::new(Cursor::new(&self.bytes)).unwrap();
        zip.extract(site_packages).unwrap();
        let stem = self.filename.split('-').take(2).collect::<Vec<_>>().join("-");
        let info = site_packages.join(format!("{stem}.dist-info"));
        let mut record = std::fs::read_to_string(info.join("RECORD")).unwrap();
        for (name, content) in [("INSTALLER", "pip\n"), ("REQUESTED", "")] {
            std::fs::write(info.join(name), content).unwrap();
            writeln!(record, "{stem}.dist-info/{name},,").unwrap();
        }
        std::fs::write(info.join("RECORD"), record).unwrap();
    }
}

/// A source distribution to be built.
#[derive(Debug, Clone)]
pub struct Sdist {
    name: String,
    version: String,
    metadata: String,
    marker: String,
    build_requires: Vec<String>,
    code: String,
    setup_py: bool,
}

impl Sdist {
    /// A source that pip can build without anything else: its backend is in the tree, and appends
    /// a line to the file `marker` whenever it is imported.
    pub fn new(name: &str, version: &str, marker: &Path) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            metadata: metadata(name, version),
            marker: marker.to_str().unwrap().to_owned(),
            build_requires: Vec::new(),
            code: String::new(),
            setup_py: false,
        }
    }

    /// One `Requires-Dist`.
    pub fn requires(mut self, requirement: &str) -> Self {
        writeln!(self.metadata, "Requires-Dist: {requirement}").unwrap();
        self
    }

    /// One entry of `build-system.requires`.
    pub fn build_requires(mut self, requirement: &str) -> Self {
        self.build_requires.push(requirement.to_owned());
        self
    }

    /// Python at the beginning of the backend; what it defines counts.
    pub fn backend(mut self, code: &str) -> Self {
        self.code = format!("{}{code}\n", self.code);
        self
    }

    /// A `setup.py` that does the same, in place of `pyproject.toml` (it needs setuptools).
    pub fn setup_py(mut self) -> Self {
        self.setup_py = true;
        self
    }

    /// The file.
    pub fn build(self) -> Distribution {
        let stem = format!("{}-{}", file_name(&self.name), self.version);
        let mark = format!("with open({:?}, 'a') as f: f.write('ran\\n')\n", self.marker);
        let mut files = vec![("PKG-INFO".to_owned(), self.metadata.clone())];
        if self.setup_py {
            let call = format!("name={:?}, version={:?}", self.name, self.version);
            let setup = format!("{mark}from setuptools import setup\nsetup({call})\n");
            files.push(("setup.py".to_owned(), setup));
        } else {
            let requires = &self.build_requires;
            let project = format!(
                "[build-system]\nrequires = {requires:?}\nbuild-backend = 'backend'\n\
                 backend-path = ['.']\n[project]\nname = {:?}\nversion = {:?}\n",
                self.name, self.version
            );
            files.push(("pyproject.toml".to_owned(), project));
            let code = &self.code;
            let head = format!("{mark}STEM = {stem:?}\nMETADATA = {:?}\n{code}", self.metadata);
            files.push(("backend.py".to_owned(), head + BACKEND));
        }
        let files: Vec<_> =
            files.into_iter().map(|(path, text)| (format!("{stem}/{path}"), text)).collect();
        Distribution::new(format!("{stem}.tar.gz"), tar_gz(&files), self.metadata)
    }
}

/// A PEP 517 backend that needs nothing: it zips METADATA, WHEEL and RECORD.
const BACKEND: &str = r#"
import os, zipfile
WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

def info():
    name = f"{STEM}.dist-info"
    record = "".join(f"{name}/{file},,\n" for file in ("METADATA", "WHEEL", "RECORD"))
    return name, {"METADATA": METADATA, "WHEEL": WHEEL, "RECORD": record}

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    name, files = info()
    os.mkdir(os.path.join(directory, name))
    for file, text in files.items():
        with open(os.path.join(directory, name, file), "w") as f: f.write(text)
    return name

def build_wheel(directory, config_settings=None, metadata_directory=None):
    name, files = info()
    wheel = f"{STEM}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, wheel), "w") as z:
        for file, text in files.items(): z.writestr(zipfile.ZipInfo(f"{name}/{file}"), text)
    return wheel

build_editable = build_wheel
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
"#;

impl Distribution {
    fn new(filename: String, bytes: Vec<u8>, metadata: String) -> Self {
        let sha256 = Sha256::of(&bytes);
        Self { filename, bytes, metadata, sha256 }
    }
}

fn metadata(name: &str, version: &str) -> String {
    format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
}

/// A name as it stands in a file name (binary distribution format, "Escaping and Unicode").
fn file_name(name: &str) -> String {
    name.to_lowercase().replace(['-', '.'], "_")
}

/// `py2.py3-none-any` as the `Tag` lines of WHEEL.
fn expanded(tag: &str) -> String {
    let parts: Vec<Vec<&str>> = tag.split('-').map(|part| part.split('.').collect()).collect();
    let [pythons, abis, platforms] = parts.as_slice() else { panic!("{tag} is no tag") };
    let mut lines = String::new();
    for python in pythons {
        for abi in abis {
            platforms.iter().for_each(|p| writeln!(lines, "Tag: {python}-{abi}-{p}").unwrap());
        }
    }
    lines
}

/// A zip archive; its entries carry the format's own zero time.
fn zip(files: &[(String, String)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
        zip.start_file(path.as_str(), options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A compressed ustar archive (POSIX.1-1988); all times are zero.
fn tar_gz(files: &[(String, String)]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    for (path, content) in files {
        let mut header = [0_u8; 512];
        let mut put = |at: usize, text: &str| {
            header[at..at + text.len()].copy_from_slice(text.as_bytes());
        };
        assert!(path.len() < 100, "{path} is too long for a simple header");
        put(0, path);
        put(100, "0000644");
        put(108, "0000000");
        put(116, "0000000");
        put(124, &format!("{:011o}", content.len()));
        put(136, "00000000000");
        put(148, "        ");
        put(156, "0");
        put(257, "ustar\u{0}00");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        gz.write_all(&header).unwrap();
        gz.write_all(content.as_bytes()).unwrap();
        gz.write_all(&vec![0; content.len().next_multiple_of(512) - content.len()]).unwrap();
    }
    gz.write_all(&[0; 1024]).unwrap();
    gz.finish().unwrap()
}
