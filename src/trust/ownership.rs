//! Whose file may say whom to trust.
//!
//! Owns the rule over owner, group and mode of a file and of its directory. Pure: the values come
//! from `place`, which asks the disk, so that the rule is a table that needs no second user.

use std::fmt;

/// The owner of files and directories that everybody relies on.
const ROOT: u32 = 0;

/// Bits of a mode: the group may write, everybody may write.
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// The user this process acts as: effective user and group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The effective user id.
    pub id: u32,
    /// The effective group id.
    pub group: u32,
}

/// Owner, group and mode, as `stat` tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// The user id of the owner.
    pub owner: u32,
    /// The group id.
    pub group: u32,
    /// The mode; only the bits that let somebody write are looked at.
    pub mode: u32,
}

/// Why a file does not count as the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// It belongs to somebody else.
    Stranger {
        /// The user id of the owner.
        owner: u32,
        /// The user this process acts as.
        user: u32,
    },
    /// Everybody may write to it.
    OthersWrite,
    /// The members of a group may write to it, and the group is more than the owner.
    GroupWrites {
        /// The group id.
        group: u32,
    },
}

impl User {
    /// Whether a file, a link or a directory belongs to this user, to root, or to the owner of
    /// its directory where nobody else may write there: in a container, root works on a project
    /// of somebody outside. The sticky bit does not help: it says who may remove a file, not who
    /// may make one.
    ///
    /// # Errors
    /// It belongs to somebody else.
    pub const fn owns(self, entry: &Attributes, directory: &Attributes) -> Result<(), Objection> {
        let of_directory = entry.owner == directory.owner && directory.is_closed();
        if entry.owner == self.id || entry.owner == ROOT || of_directory {
            return Ok(());
        }
        Err(Objection::Stranger { owner: entry.owner, user: self.id })
    }

    /// Whether the mark of a repository counts: it is [owned](Self::owns), or at least not
    /// everybody could have put it there. A mark only adds files that are held to the rule
    /// themselves, so that in a directory of a group it leads to an error, and not to pins that
    /// are passed over.
    #[must_use]
    pub const fn heeds(self, mark: &Attributes, directory: &Attributes) -> bool {
        self.owns(mark, directory).is_ok() || directory.mode & OTHERS_WRITE == 0
    }

    /// Whether a file counts as the user's: it is [owned](Self::owns), and nobody else may write
    /// to it. A group may write if it is the owner's private one, root's, or the user's own
    /// effective group: with umask 002 everything that the user makes is open to the latter, the
    /// environment that pip installs into as well, so that the trust file is no weaker.
    ///
    /// # Errors
    /// It belongs to somebody else, or somebody else may write to it.
    pub const fn trusts(self, file: &Attributes, directory: &Attributes) -> Result<(), Objection> {
        if let Err(objection) = self.owns(file, directory) {
            return Err(objection);
        }
        if file.mode & OTHERS_WRITE != 0 {
            return Err(Objection::OthersWrite);
        }
        if file.mode & GROUP_WRITES != 0 && !file.group_is_private() && file.group != self.group {
            return Err(Objection::GroupWrites { group: file.group });
        }
        Ok(())
    }
}

impl Attributes {
    /// Whether nobody but the owner and root may write.
    const fn is_closed(&self) -> bool {
        let group_writes = self.mode & GROUP_WRITES != 0;
        self.mode & OTHERS_WRITE == 0 && (!group_writes || self.group_is_private())
    }

    /// Whether the group is root's or the private one of the owner, which by convention has the
    /// owner's number. Names are not asked for: a container does not know those of outside.
    const fn group_is_private(&self) -> bool {
        self.group == ROOT || self.group == self.owner
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stranger { owner, user } => write!(
                f,
                "it belongs to user {owner}, who is neither you ({user}), nor root, nor the owner \
                 of a directory that nobody else may write to"
            ),
            Self::OthersWrite => f.write_str("everybody may write to it"),
            Self::GroupWrites { group } => {
                write!(f, "the members of group {group} may write to it")
            }
        }
    }
}
