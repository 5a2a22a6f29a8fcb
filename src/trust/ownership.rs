//! The rule by which a trust file counts as the user's.
//!
//! Checks owner, group and mode of a file and of its directory. Pure: `place` reads the values from
//! the disk, so that the rule can be tested as a table without a second user.

use std::fmt;

/// The owner of system files.
const ROOT: u32 = 0;

/// Mode bits: the group may write, everybody may write.
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// The effective user and group of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The effective user id.
    pub id: u32,
    /// The effective group id.
    pub group: u32,
}

/// Owner, group and mode, as in `stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// The user id of the owner.
    pub owner: u32,
    /// The group id.
    pub group: u32,
    /// The mode. Only the write bits are used.
    pub mode: u32,
}

/// Reasons why a file does not count as the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// The file belongs to another user.
    Stranger {
        /// The user id of the owner.
        owner: u32,
        /// The effective user of this process.
        user: u32,
    },
    /// Everybody may write to the file.
    OthersWrite,
    /// The members of a group may write to the file, and the group is not the owner's private one.
    GroupWrites {
        /// The group id.
        group: u32,
    },
}

impl User {
    /// Checks that a file, a link or a directory belongs to this user, to root, or to the owner of
    /// its directory if only that owner may write there. The last case occurs in a container, where
    /// root works on a project of a user outside. The sticky bit is not sufficient: it restricts
    /// who may remove a file, not who may create one.
    ///
    /// # Errors
    /// The entry belongs to another user.
    pub const fn owns(self, entry: &Attributes, directory: &Attributes) -> Result<(), Objection> {
        let of_directory = entry.owner == directory.owner && directory.is_closed();
        if entry.owner == self.id || entry.owner == ROOT || of_directory {
            return Ok(());
        }
        Err(Objection::Stranger { owner: entry.owner, user: self.id })
    }

    /// Returns whether a `.git` counts: it is [owned](Self::owns), or it is in a directory that not
    /// everybody may write to. A `.git` only adds trust files, which must satisfy the rule
    /// themselves. So in a directory of a group, a `.git` can cause an error, but cannot cause pins
    /// to be skipped.
    #[must_use]
    pub const fn heeds(self, mark: &Attributes, directory: &Attributes) -> bool {
        self.owns(mark, directory).is_ok() || directory.mode & OTHERS_WRITE == 0
    }

    /// Checks that a file counts as the user's: it is [owned](Self::owns), and no other user may
    /// write to it. A group may write if it is the owner's private group, root's, or the user's own
    /// effective group. With umask 002, every file that the user creates is writable by that last
    /// group. The environment that pip installs into is writable for it too, so the trust file is
    /// not a weaker target.
    ///
    /// # Errors
    /// The file belongs to another user, or another user may write to it.
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
    /// Returns whether only the owner and root may write.
    const fn is_closed(&self) -> bool {
        let group_writes = self.mode & GROUP_WRITES != 0;
        self.mode & OTHERS_WRITE == 0 && (!group_writes || self.group_is_private())
    }

    /// Returns whether the group is root's or the private one of the owner, which by convention has
    /// the owner's number. Names are not compared, because a container does not know the names
    /// outside it.
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
