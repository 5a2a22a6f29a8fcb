//! Trust: which publisher a project is bound to, and what follows from it.
//!
//! [`file`] is the text of one `.provenance.txt`, [`pin`] what one line of it says, [`pins`] what
//! several files say together, [`ownership`] whose files count and [`policy`] the verdicts, all
//! pure; [`location`] and [`store`] find, read and write a file, and [`sentinel`] watches the files
//! while pip installs. No verdict is reached in the store, and no file is touched in the policy.

pub mod file;
pub mod location;
pub mod ownership;
pub mod pin;
pub mod pins;
pub mod policy;
pub mod sentinel;
pub mod store;
