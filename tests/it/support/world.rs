//! A [`Sandbox`] in front of its own [`LoopbackIndex`], with files attested by the shared
//! [`PrivateSigstore`]: the whole world of one install.
//!
//! ```ignore
//! let world = World::new().signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
//! world.pip(["install", "aa"]).run().exits(0);
//! assert_eq!(world.installed(), ["aa 1.0"]);
//! ```
//!
//! [`World::twin`] is the same world without us: what plain pip does there is what we are held to.

use std::ops::Deref;
use std::path::PathBuf;

use super::index::{Builder, DistFile, LoopbackIndex};
use super::private_sigstore::{Mutation, PrivateSigstore, Signer, bundle, document};
use super::run::Outcome;
use super::sandbox::Sandbox;
use super::venv::CURRENT_PIP;
use super::wheel::{Sdist, Wheel};

/// The publisher of honest files.
pub const OCTO: &str = "https://github.com/octo/example";
/// The publisher of malicious files.
pub const MALLORY: &str = "https://github.com/mallory/example";
/// A trust file with `aa` bound to [`OCTO`].
pub const PIN_AA: &str = "aa https://github.com/octo/example\n";

/// The builder behind [`OCTO`].
pub fn octo() -> Signer {
    Signer::github("octo/example")
}

/// The builder behind [`MALLORY`].
pub fn mallory() -> Signer {
    Signer::github("mallory/example")
}

/// A sandbox and the index that it asks.
pub struct World {
    sandbox: Sandbox,
    /// The index, for faults and questions.
    pub index: LoopbackIndex,
}

impl World {
    /// A current pip before an empty index.
    pub fn new() -> Self {
        Self::with_pip(CURRENT_PIP)
    }

    /// A pip of this version before an empty index.
    pub fn with_pip(version: &str) -> Self {
        Self::before(version, LoopbackIndex::builder())
    }

    /// A pip of this version before an index of a certain kind.
    pub fn before(version: &str, index: Builder) -> Self {
        let index = index.start();
        let sandbox = Sandbox::with_pip(version)
            .index(&index.url())
            .trusted_root(&PrivateSigstore::shared().trusted_root_json());
        Self { sandbox, index }
    }

    /// The index has this wheel, unsigned, with its metadata beside it.
    pub fn wheel(self, wheel: Wheel) -> Self {
        self.file_on_index(dist(wheel))
    }

    /// As [`Self::wheel`], for a world that goes on.
    pub fn wheel_beside(&self, wheel: Wheel) -> &Self {
        self.beside(dist(wheel))
    }

    /// As [`Self::source`], for a world that goes on.
    pub fn source_beside(&self, sdist: Sdist) -> &Self {
        self.beside(source(sdist))
    }

    fn beside(&self, file: DistFile) -> &Self {
        self.index.add_file(&project(&file), file);
        self
    }

    /// The index has this wheel, signed.
    pub fn signed(self, wheel: Wheel, signer: &Signer) -> Self {
        self.file_on_index(signed(dist(wheel), signer))
    }

    /// The index has this wheel, signed, with one part of the attestation broken.
    pub fn broken(self, wheel: Wheel, signer: &Signer, mutation: Mutation) -> Self {
        let file = dist(wheel);
        let minting = PrivateSigstore::shared().mint(signer, &file.filename, sha256(&file));
        let attestation = minting.break_it(mutation).attestation();
        self.file_on_index(file.provenance(document([bundle(signer.publisher(), [attestation])])))
    }

    /// The index has this source, unsigned.
    pub fn source(self, sdist: Sdist) -> Self {
        self.file_on_index(source(sdist))
    }

    /// The index has this source, signed.
    pub fn signed_source(self, sdist: Sdist, signer: &Signer) -> Self {
        self.file_on_index(signed(source(sdist), signer))
    }

    /// A source whose code leaves [`Self::marker`] when it runs.
    pub fn sdist(&self, name: &str, version: &str) -> Sdist {
        Sdist::new(name, version, &self.marker())
    }

    /// The file that a source of [`Self::sdist`] writes when it runs.
    pub fn marker(&self) -> PathBuf {
        self.path("ran")
    }

    /// Whether any of them ran.
    pub fn something_ran(&self) -> bool {
        self.marker().exists()
    }

    /// The command ends so, has changed nothing, and nothing has run.
    #[track_caller]
    pub fn runs_nothing(&self, run: super::run::Run, status: i32) -> Outcome {
        let outcome = self.leaves_all_as_it_was(run, status);
        assert!(!self.something_ran(), "something ran: {outcome}");
        outcome
    }

    /// The index has this file.
    pub fn file_on_index(self, file: DistFile) -> Self {
        self.index.add_file(&project(&file), file);
        self
    }

    /// See [`Sandbox::trust`].
    pub fn trust(self, text: &str) -> Self {
        Self { sandbox: self.sandbox.trust(text), ..self }
    }

    /// See [`Sandbox::file`].
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        Self { sandbox: self.sandbox.file(path, content), ..self }
    }

    /// See [`Sandbox::env`].
    pub fn env(self, name: &str, value: &str) -> Self {
        Self { sandbox: self.sandbox.env(name, value), ..self }
    }

    /// See [`Sandbox::pip_conf`].
    pub fn pip_conf(self, text: &str) -> Self {
        Self { sandbox: self.sandbox.pip_conf(text), ..self }
    }

    /// Returns a fresh environment with an equal project, an equal pip and this index.
    pub fn twin(&self) -> Sandbox {
        let twin = Sandbox::with_pip(&self.venv().pip).index(&self.index.url());
        copy(&self.project(), &twin.project());
        twin
    }

    /// Returns the installed packages besides pip as `NAME VERSION`, by name.
    pub fn installed(&self) -> Vec<String> {
        let installed = self.inspect();
        installed.iter().map(|(name, it)| format!("{name} {}", it.version)).collect()
    }

    /// The command is refused, and nothing has changed: not the environment, not the trust file,
    /// and nothing is left in the directory for temporary files.
    #[track_caller]
    pub fn refuses<const N: usize>(&self, args: [&str; N], status: i32) -> Outcome {
        self.leaves_all_as_it_was(self.pip(args), status)
    }

    /// Asserts that a command ends with this status and changes no file.
    #[track_caller]
    pub fn leaves_all_as_it_was(&self, run: super::run::Run, status: i32) -> Outcome {
        let before = (self.snapshot(), self.trust_bytes());
        let outcome = run.run();
        outcome.exits(status);
        assert!(before == (self.snapshot(), self.trust_bytes()), "something changed: {outcome}");
        assert!(self.leftovers().is_empty(), "{:?} of {outcome}", self.leftovers());
        outcome
    }

    fn trust_bytes(&self) -> Option<Vec<u8>> {
        std::fs::read(self.project().join(".provenance.txt")).ok()
    }
}

impl Deref for World {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

/// A wheel as the index serves it, with its metadata beside it (PEP 658).
pub fn dist(wheel: Wheel) -> DistFile {
    let wheel = wheel.build();
    DistFile::new(&wheel.filename, wheel.bytes).metadata(&wheel.metadata)
}

/// A source as the index serves it.
pub fn source(sdist: Sdist) -> DistFile {
    let sdist = sdist.build();
    DistFile::new(&sdist.filename, sdist.bytes)
}

/// Adds an attestation to the file.
pub fn signed(file: DistFile, signer: &Signer) -> DistFile {
    let document = PrivateSigstore::shared().provenance(signer, &file.filename, sha256(&file));
    file.provenance(document)
}

fn sha256(file: &DistFile) -> pypi_verify_now::package::digest::Sha256 {
    pypi_verify_now::package::digest::Sha256::of(&file.bytes)
}

/// The normalised name of the project that a file is of.
fn project(file: &DistFile) -> String {
    file.filename.split('-').next().unwrap().replace('_', "-").to_lowercase()
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
