//! The question that a guarded pip asks before it unpacks anything: may these wheels be installed?
//!
//! A pip that builds has its wheels only moments before it installs them, so nobody else can look
//! into them in time. The guard (`guard.py`, `ask`) sends the scheme and the wheels as one line of
//! JSON to a port of this machine and waits for one line:
//!
//! ```text
//! {"secret": "5f0c…", "scheme": {"purelib": "/…"}, "wheels": [{"name": "aa", "path": "/….whl"}]}
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

use crate::pip::scheme::Scheme;

/// The variable that tells the guard where to ask: the port and the secret.
const VARIABLE: &str = "PYPI_VERIFY_NOW_GUARD_ASKING";
/// The largest question, in bytes: a hundred thousand wheels fit.
const MAX_QUESTION: u64 = 64 * 1024 * 1024;
/// How long a guard may take to send its question.
const PATIENCE: Duration = Duration::from_secs(60);

/// The port at which guards ask.
pub struct Preinstall {
    listener: TcpListener,
    secret: String,
}

/// The wheels that a pip is about to install, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Proposal {
    secret: String,
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
        let secret = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
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
        let address = self.listener.local_addr()?;
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for connection in self.listener.incoming() {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    // A guard that gets no answer refuses.
                    if let Ok(connection) = connection {
                        let _ = self.converse(connection, &answer);
                    }
                }
            });
            let result = run();
            is_over.store(true, Ordering::SeqCst);
            // Wakes the thread, which then sees that nobody will ask any more.
            TcpStream::connect(address).map(|_| result)
        })
    }

    fn converse(
        &self,
        mut connection: TcpStream,
        answer: &impl Fn(&Proposal) -> Permission,
    ) -> io::Result<()> {
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut line = Vec::new();
        BufReader::new(&connection).take(MAX_QUESTION).read_until(b'\n', &mut line)?;
        let proposal: Proposal = serde_json::from_slice(&line)?;
        let permission = match proposal.secret == self.secret {
            true => answer(&proposal),
            false => Permission::Refuse,
        };
        match permission {
            Permission::Install => connection.write_all(b"install\n"),
            Permission::Refuse => connection.write_all(b"refuse\n"),
        }
    }
}
