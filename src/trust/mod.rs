//! Trust: which publisher a project is bound to, and what follows from it.
//!
//! [`file`] is the text of `.provenance.txt`, [`pin`] what one line of it says and [`policy`] the
//! verdicts, all pure; [`location`] and [`store`] find, read and write that file, and [`sentinel`]
//! watches it while pip installs. No verdict is reached in the store, and no file is touched in the
//! policy.

pub mod file;
pub mod location;
pub mod pin;
pub mod policy;
pub mod sentinel;
pub mod store;
