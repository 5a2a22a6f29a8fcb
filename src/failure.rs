//! Why a run ends without doing its job: the exit status, what happened, and what to do next.
//!
//! Owns the exit codes that others rely on. Every module turns its own error into a [`Failure`]
//! beside that error's definition; only the report prints one. Nothing here prints or exits.

/// The exit codes of this program. pip's own codes pass through beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The command line makes no sense.
    Usage,
    /// Something of the user's cannot be read as what it should be: trust file, lock, trusted root.
    BadInput,
    /// A verdict could not be reached: network, index, no usable pip.
    CouldNotCheck,
    /// No verdict could be reached, because the evidence is newer than this program or its trusted
    /// root. In contrast to [`Self::CouldNotCheck`], all evidence was there.
    CannotJudge,
    /// A verdict was reached, and the policy refuses.
    Refused,
}

impl Status {
    /// Returns the exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::BadInput => 65,
            Self::CouldNotCheck | Self::CannotJudge => 69,
            Self::Refused => 77,
        }
    }
}

/// One failure, ready to be rendered: `error:` with the message, then a `hint:` line for each hint.
/// Messages are lower case, name the object, and end without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit status of the run.
    pub status: Status,
    /// The message: an object and its fault.
    pub message: String,
    /// The next step, one sentence or command each.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure with a status and a message, and no hint yet.
    #[must_use]
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), hints: Vec::new() }
    }

    /// Returns the failure for a private temporary directory that cannot be used.
    pub fn temporary_directory(error: std::io::Error) -> Self {
        let message = format!("cannot use a private temporary directory: {error}");
        Self::new(Status::CouldNotCheck, message)
            .hint("check TMPDIR, and that its disk is not full")
    }

    /// Adds a hint to the failure.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
