//! The shell code that puts the shims first on PATH, and keeps them there.
//!
//! Owns the hook of each shell, and the quoting of a path in it. The hooks themselves are the files
//! in `shim/`. Must not print or access the disk.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Status};

/// A shell that this program has a hook for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// bash 3.2 or later.
    Bash,
    /// zsh 5 or later.
    Zsh,
    /// fish 3 or later.
    Fish,
}

/// Reasons why there is no hook.
#[derive(Debug, thiserror::Error)]
pub enum ShellenvError {
    /// This program has no hook for a shell of this name.
    #[error("the shell `{0}` is not supported")]
    UnknownShell(String),
    /// The directory cannot be an entry of PATH.
    #[error("the shim directory `{}` is relative or has a `:` in it, so it cannot stand on PATH", .0.display())]
    Directory(PathBuf),
}

impl From<ShellenvError> for Failure {
    fn from(error: ShellenvError) -> Self {
        let failure = Self::new(Status::Usage, error.to_string());
        match error {
            ShellenvError::UnknownShell(_) => failure
                .hint("name one: pypi-verify-now shellenv bash, zsh or fish")
                .hint("any other shell: put the shim directory first on PATH"),
            ShellenvError::Directory(_) => failure.hint("give an absolute path with --shims"),
        }
    }
}

impl Shell {
    /// Returns the shell of a name, of a path as in `SHELL`, or of the `argv[0]` of a login shell
    /// (`-bash`).
    ///
    /// # Errors
    /// This program has no hook for the shell.
    pub fn parse(name: &str) -> Result<Self, ShellenvError> {
        match name.rsplit('/').next().unwrap_or(name).trim_start_matches('-') {
            "bash" => Ok(Self::Bash),
            "zsh" => Ok(Self::Zsh),
            "fish" => Ok(Self::Fish),
            _ => Err(ShellenvError::UnknownShell(name.to_owned())),
        }
    }
}

/// Returns the text that `shell` must evaluate, with `shims` as the directory of the shims.
///
/// # Errors
/// `shims` cannot be an entry of PATH.
pub fn text(shell: Shell, shims: &Path) -> Result<Vec<u8>, ShellenvError> {
    if !shims.is_absolute() || shims.as_os_str().as_bytes().contains(&b':') {
        return Err(ShellenvError::Directory(shims.to_owned()));
    }
    let hook = match shell {
        Shell::Bash => include_str!("../../shim/bash.sh"),
        Shell::Zsh => include_str!("../../shim/zsh.zsh"),
        Shell::Fish => include_str!("../../shim/fish.fish"),
    };
    let quoted = quoted(shell, shims.as_os_str().as_bytes());
    let mut parts = hook.split(PLACEHOLDER).map(str::as_bytes);
    let first = parts.next().unwrap_or_default().to_vec();
    Ok(parts.fold(first, |text, part| [&text, quoted.as_slice(), part].concat()))
}

/// The placeholder for the quoted directory in a hook.
const PLACEHOLDER: &str = "@SHIMS@";

/// Returns `path` in single quotes, by the rules of `shell`.
fn quoted(shell: Shell, path: &[u8]) -> Vec<u8> {
    let mut text = vec![b'\''];
    for byte in path {
        match (shell, byte) {
            (Shell::Bash | Shell::Zsh, b'\'') => text.extend(br"'\''"),
            (Shell::Fish, b'\'' | b'\\') => text.extend([b'\\', *byte]),
            _ => text.push(*byte),
        }
    }
    text.push(b'\'');
    text
}
