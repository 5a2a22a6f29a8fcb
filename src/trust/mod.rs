//! Trust: which publisher a project is bound to, and what follows from it.
//!
//! [`file`] is the text of one `.provenance.txt`, [`pin`] what one line of it says, [`pins`] what
//! all files in force say together, [`ownership`] whose files count and [`policy`] the verdicts,
//! all pure; [`location`] knows where such files may be, [`place`] opens one, [`store`] reads them
//! all and writes to one, with a [`store_error`] if it cannot, and [`sentinel`] watches them while
//! pip installs. No verdict is reached in the store, and no file is touched in the policy.

pub mod file;
pub mod location;
pub mod ownership;
pub mod pin;
pub mod pins;
pub mod place;
pub mod policy;
pub mod sentinel;
pub mod store;
pub mod store_error;
