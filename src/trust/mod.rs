//! Trust: the publisher that a project is bound to, and the verdict that follows.
//!
//! Pure modules: [`file`] parses one `.provenance.txt`, [`pin`] one line of it, [`pins`] combines
//! all files in force, [`ownership`] decides whose files count, [`policy`] gives the verdict of one
//! file, and [`binding`] those of the files of one project.
//! Modules with access to the disk: [`location`] lists the paths, [`place`] opens one, [`store`]
//! reads all files and writes to one, with a [`store_error`] if it cannot, and [`sentinel`] watches
//! the files while pip installs. The store must not judge, and the policy must not access files.

pub mod binding;
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
