//! Trust: which publisher a project is bound to, and what follows from it.
//!
//! [`file`] is the text of `.provenance.txt` and [`pin`] what one line of it says, both pure.

pub mod file;
pub mod pin;
