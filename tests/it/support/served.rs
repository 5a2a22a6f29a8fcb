//! Packages as an index serves them: real wheels, attested by the shared private Sigstore, the
//! lock that names them, and a sandbox that knows both.
//!
//! ```ignore
//! let aa = wheel("aa", "1.0");
//! let index = LoopbackIndex::builder().file("aa", signed(&aa, &octo("aa"))).start();
//! let world = world(&index).trust(&pin("aa")).file("pylock.toml", lock(&index, [("aa", [&aa])]));
//! world.tool(["-L", "pylock.toml"]).run().exits(0).stdout_has("OK: aa 1.0");
//! ```

use pypi_verify_now::package::digest::Sha256;

use super::index::{DistFile, LoopbackIndex};
use super::private_sigstore::{Mutation, PrivateSigstore, Signer, bundle, document};
use super::run::Outcome;
use super::sandbox::Sandbox;
use super::venv::CURRENT_PIP;
use super::wheel::{Distribution, Wheel};

/// A wheel of nothing.
pub fn wheel(name: &str, version: &str) -> Distribution {
    Wheel::new(name, version).build()
}

/// The usual builder of a project: `https://github.com/octo/NAME`.
pub fn octo(name: &str) -> Signer {
    Signer::github(&format!("octo/{name}"))
}

/// The line of the trust file that binds a project to its usual builder.
pub fn pin(name: &str) -> String {
    format!("{name} https://github.com/octo/{name}\n")
}

/// The file with its metadata (PEP 658) and no provenance.
pub fn unsigned(file: &Distribution) -> DistFile {
    DistFile::new(&file.filename, file.bytes.clone()).metadata(&file.metadata)
}

/// The file with an honest provenance document.
pub fn signed(file: &Distribution, signer: &Signer) -> DistFile {
    unsigned(file).provenance(provenance(file, signer))
}

/// The file with a provenance document of which one part is broken.
pub fn broken(file: &Distribution, signer: &Signer, mutation: Mutation) -> DistFile {
    let minting = PrivateSigstore::shared().mint(signer, &file.filename, file.sha256);
    let attestation = minting.break_it(mutation).attestation();
    unsigned(file).provenance(document([bundle(signer.publisher(), [attestation])]))
}

/// The honest provenance document of a file.
pub fn provenance(file: &Distribution, signer: &Signer) -> String {
    PrivateSigstore::shared().provenance(signer, &file.filename, file.sha256)
}

/// An index with one project, `aa`, whose only wheel is signed by its usual builder.
pub fn index_of_aa() -> (LoopbackIndex, Distribution) {
    let aa = wheel("aa", "1.0");
    (LoopbackIndex::builder().file("aa", signed(&aa, &octo("aa"))).start(), aa)
}

/// A world whose pip asks this index, under the shared private Sigstore.
pub fn world(index: &LoopbackIndex) -> Sandbox {
    world_with_pip(CURRENT_PIP, index)
}

/// Makes a world with another pip.
pub fn world_with_pip(version: &str, index: &LoopbackIndex) -> Sandbox {
    Sandbox::with_pip(version).index(&index.url()).trusted_root(&trusted_root())
}

/// The root of the shared private Sigstore.
pub fn trusted_root() -> String {
    PrivateSigstore::shared().trusted_root_json()
}

/// A world in which `pylock.toml` names `aa`, and `aa` is bound to its usual builder.
pub fn world_with_lock_of_aa(index: &LoopbackIndex, aa: &Distribution) -> Sandbox {
    world(index).trust(&pin("aa")).file("pylock.toml", lock(index, [("aa", vec![aa])]))
}

/// A lock (PEP 751) of these projects; each has the version of its first file.
pub fn lock<'a>(
    index: &LoopbackIndex,
    projects: impl IntoIterator<Item = (&'a str, Vec<&'a Distribution>)>,
) -> String {
    let mut text = "lock-version = \"1.0\"\ncreated-by = \"tests\"\n".to_owned();
    for (name, files) in projects {
        let version = files[0].filename.split('-').nth(1).unwrap();
        text += &format!("[[packages]]\nname = \"{name}\"\nversion = \"{version}\"\n");
        for file in files {
            text += &lock_file(&file.filename, &index.file_url(&file.filename), &file.sha256);
        }
    }
    text
}

/// One wheel of a lock.
pub fn lock_file(filename: &str, url: &str, sha256: &Sha256) -> String {
    format!(
        "[[packages.wheels]]\nname = \"{filename}\"\nurl = \"{url}\"\nhashes = {{sha256 = \"{sha256}\"}}\n"
    )
}

/// The paths that this program asked for, as opposed to pip.
pub fn our_requests(index: &LoopbackIndex) -> Vec<String> {
    requests_by(index, true)
}

/// The paths that pip asked for.
pub fn pips_requests(index: &LoopbackIndex) -> Vec<String> {
    requests_by(index, false)
}

/// The agents of both begin with `pip/`.
fn requests_by(index: &LoopbackIndex, ours: bool) -> Vec<String> {
    let by = |value: &str| value.contains("pypi-verify-now/") == ours;
    let all = index.requests().into_iter();
    all.filter(|r| r.header("user-agent").is_some_and(by)).map(|r| r.path).collect()
}

/// Returns the installed packages as `pip freeze` prints them, without starting pip.
pub fn installed(world: &Sandbox) -> Vec<String> {
    let all = world.inspect().into_iter();
    all.map(|(name, installed)| format!("{name}=={}", installed.version)).collect()
}

/// The environment and the trust file as they are, to be compared with what they are afterwards.
pub struct Before {
    environment: Vec<String>,
    trust: Option<Vec<u8>>,
}

impl Before {
    /// As it is now.
    pub fn of(world: &Sandbox) -> Self {
        let trust = std::fs::read(world.project().join(".provenance.txt")).ok();
        Self { environment: world.snapshot(), trust }
    }

    /// Asserts that no file was installed, recorded or left behind, without a panic.
    #[track_caller]
    pub fn holds(&self, world: &Sandbox, outcome: &Outcome) {
        outcome.lacks("panicked");
        let now = Self::of(world);
        assert_eq!(now.environment, self.environment, "the environment changed by {outcome}");
        assert_eq!(now.trust, self.trust, "the trust file changed by {outcome}");
        assert!(world.leftovers().is_empty(), "{:?} left by {outcome}", world.leftovers());
    }
}
