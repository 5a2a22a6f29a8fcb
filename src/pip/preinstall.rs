//! The question that a guarded pip asks before it unpacks anything: may these wheels be installed?
//!
//! A pip that builds has its wheels only moments before it installs them, so nobody else can look
//! into them in time. The guard (`guard.py`, `ask`) sends a secret, then the scheme and the wheels
//! as one line of JSON to a port of this machine, and waits for one line:
//!
//! ```text
//! 5f0c…
//! {"scheme": {"purelib": "/…"}, "wheels": [{"name": "aa", "path": "/….whl"}]}
//! install
//! ```
//!
//! Owns the port and the exchange. Anything but `install` is a no, a broken connection included.
//! Decides nothing: the answer is the caller's.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Deserialize;

use crate::package::digest::hex;
use crate::pip::scheme::Scheme;

/// The variable that tells the guard where to ask: the port and the secret.
const VARIABLE: &str = "PYPI_VERIFY_NOW_GUARD_ASKING";
/// The largest question, in bytes: a hundred thousand wheels fit.
const MAX_QUESTION: u64 = 64 * 1024 * 1024;
/// The longest line that may be a secret, in bytes.
const MAX_SECRET: u64 = 64;
/// How long a guard may be silent before its question is there.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the port is left alone when nobody has asked.
const PAUSE: Duration = Duration::from_millis(5);

/// The port at which guards ask.
pub struct Preinstall {
    listener: TcpListener,
    secret: String,
}

/// The wheels that a pip is about to install, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Proposal {
    /// The directories.
    pub scheme: Scheme,
    /// The wheels.
    pub wheels: Vec<ProposedWheel>,
}

/// One wheel that a pip is about to install.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProposedWheel {
    /// The project, as pip's requirement spells it.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// The answer to a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// pip may install.
    Install,
    /// pip must end with an error.
    Refuse,
}

impl Preinstall {
    /// Opens the port.
    ///
    /// # Errors
    /// The operating system gives no port or no random bytes.
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let secret = hex(&bytes);
        Ok(Self { listener, secret })
    }

    /// The variable by which a guarded pip finds the port.
    ///
    /// # Errors
    /// The operating system does not tell the port.
    pub fn variable(&self) -> io::Result<(OsString, OsString)> {
        let port = self.listener.local_addr()?.port();
        Ok((VARIABLE.into(), format!("{port},{}", self.secret).into()))
    }

    /// Runs `run`, a pip, and answers what guards ask meanwhile.
    ///
    /// # Errors
    /// The port cannot be used.
    pub fn during<T>(
        &self,
        answer: impl Fn(&Proposal) -> Permission + Sync,
        run: impl FnOnce() -> T,
    ) -> io::Result<T> {
        self.listener.set_nonblocking(true)?;
        let is_over = AtomicBool::new(false);
        Ok(std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let Ok((connection, _)) = self.listener.accept() else {
                        std::thread::sleep(PAUSE);
                        continue;
                    };
                    // Each on its own: one that says nothing must not keep another waiting. A guard
                    // that gets no answer refuses.
                    let answer = &answer;
                    scope.spawn(move || self.converse(connection, answer));
                }
            });
            let result = run();
            is_over.store(true, Ordering::SeqCst);
            result
        }))
    }

    fn converse(
        &self,
        mut connection: TcpStream,
        answer: &(impl Fn(&Proposal) -> Permission + Sync),
    ) -> io::Result<()> {
        connection.set_nonblocking(false)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(&connection);
        // Whoever does not know the secret is not listened to.
        let mut secret = String::new();
        reader.by_ref().take(MAX_SECRET).read_line(&mut secret)?;
        if secret.trim_end() != self.secret {
            return Ok(());
        }
        let mut line = Vec::new();
        reader.take(MAX_QUESTION).read_until(b'\n', &mut line)?;
        let permission = answer(&serde_json::from_slice(&line)?);
        match permission {
            Permission::Install => connection.write_all(b"install\n"),
            Permission::Refuse => connection.write_all(b"refuse\n"),
        }
    }
}
