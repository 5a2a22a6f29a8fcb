//! Trust: which publisher a project is bound to, and what follows from it.
//!
//! [`file`] is the text of `.provenance.txt`, [`pin`] what one line of it says and [`policy`] the
//! verdicts, all pure.

pub mod file;
pub mod pin;
pub mod policy;
